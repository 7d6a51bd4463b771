//! Names of keys and places: which database, which shard, at what time.

use std::fmt;

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
/// entries by the high ones), so that a hash tag does not put a whole application on one lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShardMap {
    mask: u16,
}

impl ShardMap {
    /// A map onto `shards` shards, a power of two up to 2^10.
    pub fn new(shards: usize) -> Self {
        assert!(shards.is_power_of_two() && shards <= 1 << 10, "the number of shards is a power of two up to 1024");
        ShardMap { mask: (shards - 1) as u16 }
    }

    /// How many shards there are.
    pub fn shards(self) -> usize {
        usize::from(self.mask) + 1
    }

    /// The shard of a key with this hash.
    pub fn of(self, hash: u64) -> ShardId {
        ShardId((hash as u16) & self.mask)
    }

    /// How many low bits of a SCAN cursor name the shard.
    pub fn bits(self) -> u32 {
        (self.mask + 1).trailing_zeros()
    }
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
    /// Names a key; costs one hash of its bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Key { bytes, hash: structures::hash::hash(bytes) }
    }

    /// Names a key whose hash is known already.
    pub fn hashed(bytes: &'a [u8], hash: u64) -> Self {
        Key { bytes, hash }
    }
}
