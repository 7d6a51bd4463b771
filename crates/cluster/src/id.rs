//! The names of things in a cluster: nodes, shards, slots, epochs, links.
//!
//! Each is a type of its own because all of them are forty bytes or small numbers that could be confused. A name that
//! came over the wire becomes a [`NodeId`] only when it is one, so that everything behind the codec may print it.

use std::fmt;
use structures::crc16;

/// How many bytes a node's or a shard's name has.
pub const NAME_LEN: usize = 40;

/// The name of a node, or of a shard: forty lower-case letters and digits (ours are hexadecimal).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; NAME_LEN]);

/// The name of a shard: a primary and its replicas share one.
pub type ShardId = NodeId;

impl NodeId {
    /// The name that `bytes` are; `None` when they are not forty lower-case letters and digits.
    pub fn parse(bytes: &[u8]) -> Option<NodeId> {
        let name: [u8; NAME_LEN] = bytes.try_into().ok()?;
        name.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()).then_some(NodeId(name))
    }

    /// A name made of random numbers: 160 bits in hexadecimal.
    pub(crate) fn random(random: &mut crate::random::Random) -> NodeId {
        let mut name = [0; NAME_LEN];
        for byte in &mut name {
            *byte = b"0123456789abcdef"[(random.next() >> 60) as usize & 15];
        }
        NodeId(name)
    }

    pub fn as_bytes(&self) -> &[u8; NAME_LEN] {
        &self.0
    }

    /// The name as text; it is ASCII by construction.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A version of the configuration: of the cluster as a whole, or of one primary's claim to its slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Epoch(pub u64);

impl Epoch {
    /// The next epoch. At the end of the numbers it stays where it is: nothing honest ever gets there.
    pub(crate) fn next(self) -> Epoch {
        Epoch(self.0.saturating_add(1))
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hash slot, `0 .. 16384`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(u16);

impl Slot {
    /// How many there are.
    pub const COUNT: usize = crc16::SLOTS as usize;

    /// The slot of this number; `None` when there is none.
    pub fn new(number: u16) -> Option<Slot> {
        (usize::from(number) < Slot::COUNT).then_some(Slot(number))
    }

    /// The slot of a key, by its hash tag if it has one.
    pub fn of(key: &[u8]) -> Slot {
        Slot(crc16::slot(key))
    }

    pub fn number(self) -> u16 {
        self.0
    }

    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// All slots, in order.
    pub fn all() -> impl Iterator<Item = Slot> {
        (0..crc16::SLOTS).map(Slot)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One connection of the bus. Whoever owns the sockets names those that it accepts ([`LinkId::inbound`]); the machine
/// names those that it asks for ([`crate::Action::Connect`]). The two cannot collide.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(u64);

const INBOUND: u64 = 1 << 63;

impl LinkId {
    /// The name of an accepted connection. `number` is the caller's: below 2^63, never used twice.
    pub fn inbound(number: u64) -> LinkId {
        LinkId(number | INBOUND)
    }

    pub(crate) fn outbound(number: u64) -> LinkId {
        LinkId(number & !INBOUND)
    }

    /// Whether the peer opened it.
    pub fn is_inbound(self) -> bool {
        self.0 & INBOUND != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_forty_small_letters_and_digits() {
        let good = b"07c37dfeb235213a872192d90877d0cd55635b91";
        assert_eq!(NodeId::parse(good).map(|id| *id.as_bytes()), Some(*good));
        assert_eq!(NodeId::parse(&good[..39]), None);
        assert_eq!(NodeId::parse(b"07C37dfeb235213a872192d90877d0cd55635b91"), None);
        assert_eq!(NodeId::parse(b"07c37dfeb235213a872192d90877d0cd55635b9\n"), None);
        assert_eq!(NodeId::parse(&[0; 40]), None);
    }

    #[test]
    fn random_names_are_names_and_differ() {
        let mut random = crate::random::Random::new(7);
        let (one, other) = (NodeId::random(&mut random), NodeId::random(&mut random));
        assert_eq!(NodeId::parse(one.as_bytes()), Some(one));
        assert_ne!(one, other);
    }

    #[test]
    fn links_of_both_directions_never_collide() {
        assert_ne!(LinkId::inbound(5), LinkId::outbound(5));
        assert!(LinkId::inbound(5).is_inbound() && !LinkId::outbound(u64::MAX).is_inbound());
    }
}
