//! Names of keys and places: which database, which shard, at what time.

use std::fmt;

use structures::crc16;

/// A database's number, `0 .. databases`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct DbIndex(pub u16);

impl DbIndex {
    /// The number as an index into a list of databases.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A shard's number, `0 .. shards`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ShardId(pub u16);

impl ShardId {
    /// The number as an index into a list of shards.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Milliseconds since the Unix epoch; what `now` and every expiry are measured in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct UnixMillis(pub i64);

impl UnixMillis {
    /// Whether an expiry lies before this moment. A key lives through the whole millisecond in which it expires.
    pub fn is_past(self, expire: i64) -> bool {
        expire < self.0
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which shard a key is in.
///
/// Outside the cluster the shard is a range of the seeded key hash (its low bits: the table inside a shard orders its
/// entries by the high ones), so that a hash tag does not put a whole application on one lock. In a cluster the low bits of
/// the hash *are* the slot, so the same bits make a shard of every n-th slot: those that one node owns, which are mostly
/// neighbours, are spread over all shards.
///
/// Keys are named by the map of the keyspace that they are looked for in: it knows which hash that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShardMap {
    mask: u16,
    by_slot: bool,
}

impl ShardMap {
    /// A map onto `shards` shards, a power of two up to 2^10.
    pub fn new(shards: usize) -> Self {
        assert!(shards.is_power_of_two() && shards <= 1 << 10, "the number of shards is a power of two up to 1024");
        ShardMap { mask: (shards - 1) as u16, by_slot: false }
    }

    /// The same for a node of a cluster: a shard is a group of slots.
    pub fn by_slot(shards: usize) -> Self {
        ShardMap { by_slot: true, ..ShardMap::new(shards) }
    }

    /// Whether shards are groups of slots.
    pub fn is_by_slot(self) -> bool {
        self.by_slot
    }

    /// How many shards there are.
    pub fn shards(self) -> usize {
        usize::from(self.mask) + 1
    }

    /// How many slots a shard has.
    pub fn places(self) -> usize {
        usize::from(crc16::SLOTS) >> self.bits()
    }

    /// Names a key of this keyspace; costs one hash of its bytes, in a cluster one CRC more.
    #[inline]
    pub fn key(self, bytes: &[u8]) -> Key<'_> {
        Key { bytes, hash: self.hash(bytes) }
    }

    /// The hash of a key's name: seeded, and in a cluster with its slot in the low bits, which tables do not use.
    #[inline]
    pub(crate) fn hash(self, name: &[u8]) -> u64 {
        let hash = structures::hash::hash(name);
        if self.by_slot { hash & !SLOT_BITS | u64::from(crc16::slot(name)) } else { hash }
    }

    /// The shard of the key with this name.
    pub fn of_key(self, name: &[u8]) -> ShardId {
        self.of(self.hash(name))
    }

    /// The shard of a key with this hash.
    pub fn of(self, hash: u64) -> ShardId {
        ShardId((hash as u16) & self.mask)
    }

    /// The shard of a slot, where shards are groups of slots.
    pub fn of_slot(self, slot: u16) -> ShardId {
        ShardId(slot & self.mask)
    }

    /// How many low bits of a SCAN cursor name the shard.
    pub fn bits(self) -> u32 {
        (self.mask + 1).trailing_zeros()
    }

    /// How many bits a position of [`crate::Db::scan`] has.
    pub fn position_bits(self) -> u32 {
        if self.by_slot { POSITION_BITS + self.places().trailing_zeros() } else { POSITION_BITS }
    }

    /// The position of [`crate::Db::scan`] at which the keys of a slot begin.
    pub fn position_of_slot(self, slot: u16) -> u64 {
        u64::from(slot >> self.bits()) << POSITION_BITS
    }

    /// The position behind its last key.
    pub fn position_behind_slot(self, slot: u16) -> u64 {
        (u64::from(slot >> self.bits()) + 1) << POSITION_BITS
    }
}

const POSITION_BITS: u32 = structures::table::CURSOR_BITS;

const SLOT_BITS: u64 = crc16::SLOTS as u64 - 1;

/// The slot in a hash of a keyspace that is laid out by slots.
#[inline]
pub(crate) fn slot_of_hash(hash: u64) -> u16 {
    (hash & SLOT_BITS) as u16
}

/// A key as a command names it: its bytes and their hash, taken once.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a> {
    /// The key as the client wrote it.
    pub bytes: &'a [u8],
    /// Its seeded hash, by which shard and bucket are found.
    pub hash: u64,
}

impl<'a> Key<'a> {
    /// Names a key whose hash is known already.
    pub fn hashed(bytes: &'a [u8], hash: u64) -> Self {
        Key { bytes, hash }
    }
}
