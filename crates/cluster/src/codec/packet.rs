//! Whole packets, of all types.

use super::cursor::Cursor;
use super::header::{self, HAS_EXTENSIONS, Header, LIGHT, VERSION};
use super::{Extensions, Flags, Gossip, gossip};
use crate::id::{Epoch, NodeId};
use crate::slot_set::{BYTES, SlotSet};
use bytes::Bytes;

/// What a packet is for; the number is the wire's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Ping = 0,
    Pong = 1,
    Meet = 2,
    Fail = 3,
    Publish = 4,
    AuthRequest = 5,
    AuthAck = 6,
    Update = 7,
    MfStart = 8,
    Module = 9,
    PublishShard = 10,
}

impl Kind {
    pub const ALL: [Kind; 11] = [
        Kind::Ping,
        Kind::Pong,
        Kind::Meet,
        Kind::Fail,
        Kind::Publish,
        Kind::AuthRequest,
        Kind::AuthAck,
        Kind::Update,
        Kind::MfStart,
        Kind::Module,
        Kind::PublishShard,
    ];

    /// The kind of a type field, whose light bit is taken off.
    pub fn of(number: u16) -> Option<Kind> {
        Kind::ALL.get(usize::from(number & !LIGHT)).copied()
    }

    fn number(self) -> u16 {
        self as u16
    }

    /// Its name in `CLUSTER INFO` and the log.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Ping => "ping",
            Kind::Pong => "pong",
            Kind::Meet => "meet",
            Kind::Fail => "fail",
            Kind::Publish => "publish",
            Kind::AuthRequest => "auth-req",
            Kind::AuthAck => "auth-ack",
            Kind::Update => "update",
            Kind::MfStart => "mfstart",
            Kind::Module => "module",
            Kind::PublishShard => "publishshard",
        }
    }

    /// Whether it may travel under the light header.
    pub fn may_be_light(self) -> bool {
        matches!(self, Kind::Publish | Kind::PublishShard | Kind::Module)
    }
}

/// One packet, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Packet<'a> {
    /// `None` under the light header.
    pub header: Option<Box<Header>>,
    pub body: Body<'a>,
}

/// What a packet carries beside its header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Body<'a> {
    /// Ping, pong or meet.
    Ping {
        kind: Kind,
        gossip: gossip::List,
        extensions: Extensions,
    },
    Fail(NodeId),
    Publish {
        sharded: bool,
        channel: &'a [u8],
        message: &'a [u8],
    },
    AuthRequest,
    AuthAck,
    Update {
        epoch: Epoch,
        node: NodeId,
        slots: SlotSet,
    },
    MfStart,
    /// A message between modules, of which there are none here.
    Module,
}

/// Why a packet is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// Of another version of the protocol; nothing is said about it.
    Version,
    /// Of a type that does not exist (yet).
    Unknown(u16),
    /// A type that may not come under the light header.
    NotLight(Kind),
    /// Its parts do not add up to its length, or a name in it is none.
    Malformed(Kind),
}

impl<'a> Packet<'a> {
    /// Understands a whole packet, as cut by [`super::Framer`].
    pub fn read(bytes: &'a [u8]) -> Result<Packet<'a>, Refused> {
        let mut head = Cursor(bytes);
        let (version, number) = read_head(&mut head).ok_or(Refused::Unknown(u16::MAX))?;
        let kind = Kind::of(number).ok_or(Refused::Unknown(number & !LIGHT))?;
        let light = number & LIGHT != 0;
        if light && !kind.may_be_light() {
            return Err(Refused::NotLight(kind));
        }
        if version != VERSION {
            return Err(Refused::Version);
        }
        read_rest(bytes, kind, light).ok_or(Refused::Malformed(kind))
    }
}

fn read_head(cursor: &mut Cursor<'_>) -> Option<(u16, u16)> {
    cursor.take(8)?;
    let version = cursor.u16()?;
    cursor.u16()?;
    Some((version, cursor.u16()?))
}

fn read_rest(bytes: &[u8], kind: Kind, light: bool) -> Option<Packet<'_>> {
    let mut cursor = Cursor(bytes);
    let (header, gossips, extensions) = if light {
        cursor.take(header::LIGHT_LENGTH)?;
        (None, 0, 0)
    } else {
        let (header, gossips, extensions) = Header::read(&mut cursor)?;
        (Some(Box::new(header)), gossips, extensions)
    };
    let body = match kind {
        Kind::Ping | Kind::Pong | Kind::Meet => {
            let header = header.as_ref()?;
            let gossip = gossip::read(&mut cursor, gossips)?;
            let extensions = if header.message_flags & HAS_EXTENSIONS != 0 { extensions } else { 0 };
            let from_valkey = header.flags.any(Flags::LIGHT_PUBLISH | Flags::LIGHT_MODULE);
            let extensions = Extensions::read(&mut cursor, extensions, from_valkey)?;
            Body::Ping { kind, gossip, extensions }
        }
        Kind::Fail => Body::Fail(cursor.name()?),
        Kind::Publish | Kind::PublishShard => {
            let (channel, message) = (cursor.length()?, cursor.length()?);
            let (channel, message) = (cursor.take(channel)?, cursor.take(message)?);
            Body::Publish { sharded: kind == Kind::PublishShard, channel, message }
        }
        Kind::AuthRequest => Body::AuthRequest,
        Kind::AuthAck => Body::AuthAck,
        Kind::Update => {
            let (epoch, node) = (Epoch(cursor.u64()?), cursor.name()?);
            Body::Update { epoch, node, slots: SlotSet::from_bytes(cursor.array::<BYTES>()?) }
        }
        Kind::MfStart => Body::MfStart,
        Kind::Module => {
            cursor.u64()?;
            let length = cursor.length()?;
            cursor.u8()?;
            cursor.take(length)?;
            Body::Module
        }
    };
    cursor.0.is_empty().then_some(Packet { header, body })
}

/// A ping, pong or meet. `extensions` is `None` for a receiver that may not know of them.
pub(crate) fn ping(kind: Kind, header: &Header, entries: &[Gossip], extensions: Option<&Extensions>) -> Bytes {
    let entries = &entries[..entries.len().min(usize::from(u16::MAX) - 1)];
    let mut out = header.write(kind.number(), entries.len(), extensions.map_or(0, Extensions::count));
    gossip::write(&mut out, entries);
    if let Some(extensions) = extensions {
        extensions.write(&mut out);
    }
    header::finish(out)
}

/// A packet that is all header: a request for votes, a vote, the start of a manual failover.
pub(crate) fn bare(kind: Kind, header: &Header) -> Bytes {
    header::finish(header.write(kind.number(), 0, 0))
}

/// A node has failed.
pub(crate) fn fail(header: &Header, node: NodeId) -> Bytes {
    let mut out = header.write(Kind::Fail.number(), 0, 0);
    out.extend_from_slice(node.as_bytes());
    header::finish(out)
}

/// Another node's newer claim to its slots.
pub(crate) fn update(header: &Header, epoch: Epoch, node: NodeId, slots: &SlotSet) -> Bytes {
    let mut out = header.write(Kind::Update.number(), 0, 0);
    out.extend_from_slice(&epoch.0.to_be_bytes());
    out.extend_from_slice(node.as_bytes());
    out.extend_from_slice(slots.as_bytes());
    header::finish(out)
}

/// A published message, under the light header unless a full one is given. `None` when it is too long for a packet.
pub(crate) fn publish(header: Option<&Header>, sharded: bool, channel: &[u8], message: &[u8]) -> Option<Bytes> {
    let kind = if sharded { Kind::PublishShard } else { Kind::Publish };
    let total = channel.len().checked_add(message.len())?.checked_add(header::LENGTH + 8)?;
    u32::try_from(total).ok()?;
    let mut out = header.map_or_else(|| header::write_light(kind.number()), |header| header.write(kind.number(), 0, 0));
    out.extend_from_slice(&u32::try_from(channel.len()).ok()?.to_be_bytes());
    out.extend_from_slice(&u32::try_from(message.len()).ok()?.to_be_bytes());
    out.extend_from_slice(channel);
    out.extend_from_slice(message);
    Some(header::finish(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Announced;
    use proptest::prelude::*;

    const FIXTURES: [&[u8]; 11] = [
        include_bytes!("../../fixtures/meet.bin"),
        include_bytes!("../../fixtures/ping.bin"),
        include_bytes!("../../fixtures/pong-announced.bin"),
        include_bytes!("../../fixtures/ping-forgotten.bin"),
        include_bytes!("../../fixtures/fail.bin"),
        include_bytes!("../../fixtures/auth-request.bin"),
        include_bytes!("../../fixtures/auth-ack.bin"),
        include_bytes!("../../fixtures/update.bin"),
        include_bytes!("../../fixtures/mfstart.bin"),
        include_bytes!("../../fixtures/publish-light.bin"),
        include_bytes!("../../fixtures/publishshard-light.bin"),
    ];

    fn again(packet: &Packet<'_>) -> Bytes {
        let header = packet.header.as_deref();
        let full = || header.expect("only publish is light here");
        match &packet.body {
            Body::Ping { kind, gossip, extensions } => {
                let some = Some(extensions).filter(|e| **e != Extensions::default());
                ping(*kind, full(), gossip.as_ref().unwrap(), some)
            }
            Body::Fail(node) => fail(full(), *node),
            Body::Publish { sharded, channel, message } => publish(header, *sharded, channel, message).unwrap(),
            Body::AuthRequest => bare(Kind::AuthRequest, full()),
            Body::AuthAck => bare(Kind::AuthAck, full()),
            Body::Update { epoch, node, slots } => update(full(), *epoch, *node, slots),
            Body::MfStart => bare(Kind::MfStart, full()),
            Body::Module => unreachable!("no fixture is one"),
        }
    }

    /// Packets taken from the bus between Valkey 9.1 nodes are understood whole and written again byte for byte.
    #[test]
    fn packets_of_valkey_nodes() {
        for bytes in FIXTURES {
            let packet = Packet::read(bytes).unwrap();
            assert!(again(&packet) == bytes, "{:?}", packet.body);
        }
    }

    #[test]
    fn a_pong_says_everything_that_was_announced() {
        let packet = Packet::read(include_bytes!("../../fixtures/pong-announced.bin")).unwrap();
        let Body::Ping { kind: Kind::Pong, gossip, extensions } = packet.body else { panic!() };
        assert_eq!(extensions.announced.hostname, b"node0.example.org");
        assert_eq!(extensions.announced.human_name, b"zero");
        assert_eq!(extensions.announced.availability_zone, b"us-east-1a");
        assert_eq!(
            (&extensions.announced.client_ipv4[..], &extensions.announced.client_ipv6[..]),
            (&b"10.1.2.3"[..], &b"::1"[..])
        );
        assert_eq!((extensions.announced.client_port, extensions.announced.client_tls_port), (7777, 7778));
        assert!(extensions.shard.is_some() && extensions.refused.is_empty());
        let header = packet.header.unwrap();
        assert_eq!((header.port, header.bus_port), (27100, 38100));
        assert!(header.flags.any(Flags::LIGHT_PUBLISH) && header.flags.any(Flags::EXTENSIONS));
        assert!(gossip.unwrap().iter().all(|entry| entry.ip == b"127.0.0.1"));
    }

    #[test]
    fn messages_under_the_light_header() {
        let packet = Packet::read(include_bytes!("../../fixtures/publish-light.bin")).unwrap();
        assert_eq!(packet.header, None);
        assert_eq!(packet.body, Body::Publish { sharded: false, channel: b"news", message: b"hello bus" });
    }

    #[test]
    fn a_type_that_may_not_be_light_and_one_that_does_not_exist() {
        let mut packet = FIXTURES[9].to_vec();
        packet[13] = 3;
        assert_eq!(Packet::read(&packet), Err(Refused::NotLight(Kind::Fail)));
        packet[13] = 77;
        assert_eq!(Packet::read(&packet), Err(Refused::Unknown(77)));
        packet[13] = 4;
        packet[9] = 2;
        assert_eq!(Packet::read(&packet), Err(Refused::Version));
    }

    #[test]
    fn lengths_that_do_not_add_up() {
        for bytes in FIXTURES {
            assert!(Packet::read(&bytes[..bytes.len() - 1]).is_err());
            assert!(Packet::read(&[bytes, b"x"].concat()).is_err());
        }
        let mut ping = FIXTURES[1].to_vec();
        ping[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
        assert_eq!(Packet::read(&ping), Err(Refused::Malformed(Kind::Ping)));
        let mut publish = FIXTURES[9].to_vec();
        publish[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(Packet::read(&publish), Err(Refused::Malformed(Kind::Publish)));
    }

    #[test]
    fn extensions_of_length_zero_do_not_loop() {
        let mut ping = FIXTURES[1].to_vec();
        let at = ping.len() - 48;
        ping[at..at + 4].copy_from_slice(&0u32.to_be_bytes());
        assert_eq!(Packet::read(&ping), Err(Refused::Malformed(Kind::Ping)));
    }

    #[test]
    fn texts_that_would_break_a_file_are_not_taken_over() {
        let extensions = Extensions {
            announced: Announced { availability_zone: b"a\nvars".to_vec(), ..Announced::default() },
            ..Extensions::default()
        };
        let mut out = Vec::new();
        extensions.write(&mut out);
        let read = Extensions::read(&mut Cursor(&out), 1, true).unwrap();
        assert_eq!((read.announced.availability_zone, read.refused), (Vec::new(), vec![8]));
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_refused_or_understood(
            which in 0..FIXTURES.len(),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
            cut in any::<proptest::sample::Index>(),
            whole in any::<bool>(),
        ) {
            let mut bytes = FIXTURES[which].to_vec();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if !whole {
                bytes.truncate(cut.index(bytes.len()));
            }
            if let Ok(packet) = Packet::read(&bytes) {
                let _ = format!("{packet:?}");
            }
        }

        #[test]
        fn anything_behind_a_good_head(tail in proptest::collection::vec(any::<u8>(), 0..4000), kind in 0u16..12) {
            let mut bytes = header::write_light(kind);
            bytes[12] = 0;
            bytes.extend(tail);
            let _ = Packet::read(&bytes);
        }
    }
}
