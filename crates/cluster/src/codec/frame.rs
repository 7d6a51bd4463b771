//! Packets in a stream of bytes that is cut anywhere.
//!
//! The length stands in the fifth to eighth byte, and it is a stranger's word: nothing is reserved for it, it only says
//! when to stop. What may be so long depends on what it is and on who sends it: published messages from a node that we
//! know may be as long as a value may be; nobody else fills more than a mebibyte of our memory.

use super::header::{self, LIGHT, SIGNATURE};
use super::packet::Kind;

/// How many bytes tell signature, length and type.
const HEAD: usize = 14;
/// The longest packet of a peer that we do not know.
const STRANGER: u64 = 1 << 20;
/// The longest packet that is not a message: gossip about 65535 nodes, and extensions.
const GOSSIP: u64 = 16 << 20;

/// How much memory a link keeps for what comes next.
pub(crate) const KEPT: usize = 16 << 10;

/// What has arrived on one link and is not yet a whole packet.
#[derive(Default, Debug)]
pub(crate) struct Framer {
    buffer: Vec<u8>,
    /// Bytes of the buffer that have been handed out.
    done: usize,
}

/// The stream is not of this protocol, or its next packet is longer than allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BadStream;

/// How much one link may send at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Whether the peer is a node that we know.
    pub known: bool,
    /// How long a channel or a message may be.
    pub message: u64,
}

impl Framer {
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.done > 0 {
            self.buffer.drain(..self.done);
            self.done = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// How much memory it holds.
    pub fn memory(&self) -> usize {
        self.buffer.capacity()
    }

    /// The next whole packet, if it is there.
    ///
    /// # Errors
    /// The stream cannot be followed any further.
    pub fn next(&mut self, limits: Limits) -> Result<Option<&[u8]>, BadStream> {
        let waiting = &self.buffer[self.done..];
        let Some(head) = waiting.first_chunk::<HEAD>() else {
            if !SIGNATURE.starts_with(&waiting[..waiting.len().min(SIGNATURE.len())]) {
                return Err(BadStream);
            }
            self.settle();
            return Ok(None);
        };
        let length = length_of(head, limits).ok_or(BadStream)?;
        if waiting.len() < length {
            return Ok(None);
        }
        let from = self.done;
        self.done += length;
        Ok(Some(&self.buffer[from..from + length]))
    }

    /// Gives back the memory of a long packet that is done.
    fn settle(&mut self) {
        if self.done == self.buffer.len() {
            self.done = 0;
            self.buffer.clear();
            self.buffer.shrink_to(KEPT);
        }
    }
}

/// The length of a packet with this head, if it is one that may come.
fn length_of(head: &[u8; HEAD], limits: Limits) -> Option<usize> {
    let [a, b, c, d, l0, l1, l2, l3, _, _, _, _, t0, t1] = *head;
    if [a, b, c, d] != *SIGNATURE {
        return None;
    }
    let length = u32::from_be_bytes([l0, l1, l2, l3]);
    let number = u16::from_be_bytes([t0, t1]);
    let least = if number & LIGHT != 0 { header::LIGHT_LENGTH } else { header::LENGTH };
    let most = match Kind::of(number) {
        _ if !limits.known => STRANGER,
        Some(kind) if kind.may_be_light() => {
            limits.message.saturating_mul(2).saturating_add(header::LENGTH as u64 + 16)
        }
        _ => GOSSIP,
    };
    let length_64 = u64::from(length);
    (length_64 >= least as u64 && length_64 <= most).then(|| usize::try_from(length).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KNOWN: Limits = Limits { known: true, message: 512 << 20 };
    const PUBLISH: &[u8] = include_bytes!("../../fixtures/publish-light.bin");
    const MEET: &[u8] = include_bytes!("../../fixtures/meet.bin");

    proptest! {
        #[test]
        fn packets_come_out_whole_however_they_are_cut(cuts in proptest::collection::vec(1usize..3000, 1..20)) {
            let stream = [MEET, PUBLISH, PUBLISH, MEET].concat();
            let (mut framer, mut got, mut at) = (Framer::default(), Vec::new(), 0);
            for cut in cuts.iter().cycle() {
                let end = (at + cut).min(stream.len());
                framer.feed(&stream[at..end]);
                at = end;
                while let Some(packet) = framer.next(KNOWN).unwrap() {
                    got.push(packet.to_vec());
                }
                if at == stream.len() { break; }
            }
            prop_assert_eq!(got, vec![MEET.to_vec(), PUBLISH.to_vec(), PUBLISH.to_vec(), MEET.to_vec()]);
        }
    }

    #[test]
    fn another_protocol_is_noticed_at_its_first_byte() {
        let mut framer = Framer::default();
        framer.feed(b"*1\r\n$4\r\nPING\r\n");
        assert_eq!(framer.next(KNOWN), Err(BadStream));
        let mut framer = Framer::default();
        framer.feed(b"G");
        assert_eq!(framer.next(KNOWN), Err(BadStream));
    }

    #[test]
    fn lengths_have_limits_and_reserve_nothing() {
        let mut head = MEET[..HEAD].to_vec();
        for (length, known, good) in [
            (2255u32, true, false),
            (2256, true, true),
            (16 << 20, true, true),
            ((16 << 20) + 1, true, false),
            (1 << 20, false, true),
            ((1 << 20) + 1, false, false),
            (u32::MAX, true, false),
        ] {
            head[4..8].copy_from_slice(&length.to_be_bytes());
            let mut framer = Framer::default();
            framer.feed(&head);
            let answer = framer.next(Limits { known, ..KNOWN }).map(|packet| packet.is_some());
            assert_eq!(answer, if good { Ok(false) } else { Err(BadStream) }, "{length} {known}");
            assert!(framer.memory() < 4096);
        }
    }
}
