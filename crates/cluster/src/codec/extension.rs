//! What a node says about itself beyond the header, at the end of a ping.
//!
//! ```text
//!   length 4 │ type 2 │ unused 2 │ data, padded with zeros to 8        length counts all of it
//!
//!   0 hostname   1 human name   2 forgotten node (name 40, seconds 8)   3 shard id (40)
//!   4 client IPv4   5 client IPv6   6 client port (2)   7 client TLS port (2)   8 availability zone
//! ```
//!
//! Texts end with a zero byte. Redis 8 gives type 4 another meaning, so 4 and above count only from a Valkey. A text that
//! could not stand in `nodes.conf` is not taken over: it would break the file of every node that hears of it.

use super::cursor::{Cursor, is_address, is_auxiliary, text};
use crate::id::{NodeId, ShardId};
use crate::node::Announced;

const HEADER: usize = 8;
/// The longest text that is taken over.
const LONGEST: usize = 256;

mod kind {
    pub const HOSTNAME: u16 = 0;
    pub const HUMAN_NAME: u16 = 1;
    pub const FORGOTTEN: u16 = 2;
    pub const SHARD: u16 = 3;
    pub const CLIENT_IPV4: u16 = 4;
    pub const CLIENT_IPV6: u16 = 5;
    pub const CLIENT_PORT: u16 = 6;
    pub const CLIENT_TLS_PORT: u16 = 7;
    pub const ZONE: u16 = 8;
}

/// The extensions of one packet. Empty texts and port 0: not there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Extensions {
    pub announced: Announced,
    /// Nodes that are not to be known again for so many seconds.
    pub forgotten: Vec<(NodeId, u64)>,
    pub shard: Option<ShardId>,
    /// What was not understood or not acceptable, for a log line.
    pub refused: Vec<u16>,
}

impl Extensions {
    /// Reads `count` extensions; `None` when one is not all there, not padded, or shorter than its header.
    pub fn read(cursor: &mut Cursor<'_>, count: usize, from_valkey: bool) -> Option<Extensions> {
        let mut all = Extensions::default();
        for _ in 0..count {
            let length = cursor.length()?;
            let kind = cursor.u16()?;
            cursor.u16()?;
            if !length.is_multiple_of(8) {
                return None;
            }
            let data = cursor.take(length.checked_sub(HEADER)?)?;
            if all.understand(kind, data, from_valkey).is_none() && all.refused.len() < 16 {
                all.refused.push(kind);
            }
        }
        Some(all)
    }

    fn understand(&mut self, kind: u16, data: &[u8], from_valkey: bool) -> Option<()> {
        let short = |data: &[u8], good: fn(&[u8]) -> bool| {
            let text = text(data);
            (text.len() <= LONGEST && good(text)).then(|| text.to_vec())
        };
        match kind {
            kind::HOSTNAME => self.announced.hostname = short(data, is_address)?,
            kind::HUMAN_NAME => self.announced.human_name = short(data, is_auxiliary)?,
            kind::FORGOTTEN => {
                let mut cursor = Cursor(data);
                self.forgotten.push((cursor.name()?, cursor.u64()?));
            }
            kind::SHARD => self.shard = Some(Cursor(data).name()?),
            _ if !from_valkey => return None,
            kind::CLIENT_IPV4 => self.announced.client_ipv4 = short(data, is_address)?,
            kind::CLIENT_IPV6 => self.announced.client_ipv6 = short(data, is_address)?,
            kind::CLIENT_PORT => self.announced.client_port = Cursor(data).u16()?,
            kind::CLIENT_TLS_PORT => self.announced.client_tls_port = Cursor(data).u16()?,
            kind::ZONE => self.announced.availability_zone = short(data, is_auxiliary)?,
            _ => return None,
        }
        Some(())
    }

    /// How many there are to write.
    pub fn count(&self) -> usize {
        let texts = [
            &self.announced.hostname,
            &self.announced.human_name,
            &self.announced.client_ipv4,
            &self.announced.client_ipv6,
            &self.announced.availability_zone,
        ];
        let ports = [self.announced.client_port, self.announced.client_tls_port];
        texts.iter().filter(|text| !text.is_empty()).count()
            + ports.iter().filter(|port| **port != 0).count()
            + self.forgotten.len()
            + usize::from(self.shard.is_some())
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        write_text(out, kind::HOSTNAME, &self.announced.hostname);
        write_text(out, kind::HUMAN_NAME, &self.announced.human_name);
        write_text(out, kind::CLIENT_IPV4, &self.announced.client_ipv4);
        write_text(out, kind::CLIENT_IPV6, &self.announced.client_ipv6);
        for (kind, port) in
            [(kind::CLIENT_PORT, self.announced.client_port), (kind::CLIENT_TLS_PORT, self.announced.client_tls_port)]
        {
            if port != 0 {
                write_one(out, kind, &[&port.to_be_bytes()]);
            }
        }
        write_text(out, kind::ZONE, &self.announced.availability_zone);
        for (name, seconds) in &self.forgotten {
            write_one(out, kind::FORGOTTEN, &[name.as_bytes(), &seconds.to_be_bytes()]);
        }
        if let Some(shard) = &self.shard {
            write_one(out, kind::SHARD, &[shard.as_bytes()]);
        }
    }
}

fn write_text(out: &mut Vec<u8>, kind: u16, text: &[u8]) {
    if !text.is_empty() {
        write_one(out, kind, &[text, &[0]]);
    }
}

fn write_one(out: &mut Vec<u8>, kind: u16, data: &[&[u8]]) {
    let bare: usize = data.iter().map(|part| part.len()).sum();
    let padded = bare.next_multiple_of(8);
    let length = u32::try_from(HEADER + padded).expect("texts were bounded when they were set");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    data.iter().for_each(|part| out.extend_from_slice(part));
    out.resize(out.len() + padded - bare, 0);
}
