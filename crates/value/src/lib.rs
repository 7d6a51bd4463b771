//! The types of the store with their encodings: string, list, set, hash, sorted set.
//!
//! Question: how is a small collection a few bytes per element and a big one O(1) or O(log n), without the commands noticing
//! which it is? Each type is one struct with one set of operations and several encodings inside, between which it converts
//! by the [`Limits`] that every growing operation is given:
//!
//! | type | encodings | |
//! |---|---|---|
//! | string | `int`, `embstr`, `raw` | the first two live inside the keyspace entry; [`RawString`] is the third |
//! | [`List`] | `listpack`, `quicklist` | |
//! | [`Set`] | `intset`, `listpack`, `hashtable` | |
//! | [`struct@Hash`] | `listpack`, `hashtable` | fields may expire in the latter |
//! | [`Zset`] | `listpack`, `skiplist` | the peer's name; it is a tree |
//!
//! What all types have in common:
//!
//! - `new`, `len`, `is_empty`, `encoding`, `memory`, `free_effort`, `iter`; `random`, `sample`, `scan` where there is no order.
//! - `prepare` is the conversion that a command with many elements makes once, before the first; single operations convert
//!   by themselves. `settle` brings a value that was read from a file within the limits.
//! - Elements are lent as [`Item`]s: bytes where they are stored, or the integer that they are.
//! - Random choices take their random words from the caller.
//! - An empty collection is legal here; that its key must go is the keyspace's business.
//!
//! [`Value`] holds any of them inside an entry. [`Value::begin_snapshot`] and its siblings let a snapshot walk a big collection
//! while it changes; [`digest`] computes what `DEBUG DIGEST` answers.
#![forbid(unsafe_code)]

mod big;
mod bounds;
pub mod digest;
pub mod hash;
mod limits;
pub mod list;
mod random;
pub mod set;
mod snapshot;
pub mod zset;

use structures::listpack::{self, Listpack};
use structures::number;

pub use self::bounds::{LexBound, ScoreBound};
pub use self::hash::{FieldView, Hash};
pub use self::limits::Limits;
pub use self::list::{End, List};
pub use self::set::Set;
pub use self::snapshot::Element;
pub use self::zset::{Change, Zset};
pub use structures::buffer::Buffer as RawString;
pub use structures::item::{Item, ItemText};

/// A string as it is lent: its bytes, or the integer that it is stored as.
pub type StringRef<'a> = Item<'a>;

/// A value that does not fit inside its entry: a long or grown string, or a collection.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string beside its entry.
    Raw(RawString),
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A hash.
    Hash(Hash),
    /// A sorted set.
    Zset(Zset),
}

macro_rules! from {
    ($($variant:ident($inner:ty)),*) => {$(
        impl From<$inner> for Value {
            fn from(inner: $inner) -> Self {
                Self::$variant(inner)
            }
        }
    )*};
}
from!(Raw(RawString), List(List), Set(Set), Hash(Hash), Zset(Zset));

impl Value {
    /// The type's name, as TYPE answers it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Raw(_) => "string",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Hash(_) => "hash",
            Self::Zset(_) => "zset",
        }
    }

    /// The encoding's name, as OBJECT ENCODING answers it.
    pub fn encoding(&self) -> &'static str {
        match self {
            Self::Raw(_) => "raw",
            Self::List(list) => list.encoding(),
            Self::Set(set) => set.encoding(),
            Self::Hash(hash) => hash.encoding(),
            Self::Zset(zset) => zset.encoding(),
        }
    }

    /// The bytes allocated beside the entry; those of many elements are estimated from `samples` of them, 0 looks at all.
    pub fn memory(&self, samples: usize) -> usize {
        match self {
            Self::Raw(raw) => raw.memory(),
            Self::List(list) => list.memory(),
            Self::Set(set) => set.memory(samples),
            Self::Hash(hash) => hash.memory(samples),
            Self::Zset(zset) => zset.memory(samples),
        }
    }

    /// Whether the value may be so long that writing it out should go in steps: a table, or a list of several nodes.
    pub fn is_big(&self) -> bool {
        self.free_effort() > 1
    }

    /// The allocations to free, roughly: values above a few dozen are freed on a background thread.
    pub fn free_effort(&self) -> usize {
        match self {
            Self::Raw(_) => 1,
            Self::List(list) => list.free_effort(),
            Self::Set(set) => set.free_effort(),
            Self::Hash(hash) => hash.free_effort(),
            Self::Zset(zset) => zset.free_effort(),
        }
    }
}

/// The integer that a text is in canonical form: what strings are stored as where they can.
pub fn canonical_int(text: &[u8]) -> Option<i64> {
    number::parse_i64(text)
}

/// The encoding's name of a string, as OBJECT ENCODING answers it; `changed` is whether it was changed in place since it was
/// set, `expires` whether its key has an expiry.
///
/// Valkey 9 embeds a string when it fits 128 bytes together with an object header, the key and the expiry; what OBJECT
/// ENCODING says is computed by that rule here, wherever our string really is.
pub fn string_encoding(key_len: usize, expires: bool, string: StringRef<'_>, changed: bool) -> &'static str {
    const HEADER: usize = 8;
    const VALUE_OVERHEAD: usize = 4;
    let key_overhead = match key_len {
        0..32 => 3,
        32..256 => 5,
        256..65536 => 7,
        _ => 11,
    };
    let expiry = if expires { 8 } else { 0 };
    match string {
        Item::Int(_) => "int",
        Item::Bytes(bytes)
            if !changed && HEADER + key_overhead + key_len + expiry + VALUE_OVERHEAD + bytes.len() <= 128 =>
        {
            "embstr"
        }
        Item::Bytes(_) => "raw",
    }
}

/// Whether no two of the items are equal. O(n log n).
fn all_differ<'a>(items: impl Iterator<Item = Item<'a>>) -> bool {
    let mut all: Vec<_> = items.map(|item| item.text()).collect();
    all.sort_unstable_by(|a, b| a[..].cmp(&b[..]));
    all.windows(2).all(|pair| pair[0][..] != pair[1][..])
}

/// Whether a listpack stays below its greatest size with `bytes` more.
fn has_room(pack: &Listpack, bytes: usize) -> bool {
    pack.byte_len() + bytes <= listpack::MAX_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_small() {
        assert_eq!(size_of::<Value>(), 16);
    }

    #[test]
    fn strings_have_the_encodings_of_the_peer() {
        // Observed by OBJECT ENCODING on Valkey 9.1.
        let of = |key_len, len| string_encoding(key_len, false, Item::Bytes(&vec![b'x'; len]), false);
        for (key_len, len, wanted) in [
            (1, 100, "embstr"),
            (1, 128, "raw"),
            (20, 60, "embstr"),
            (20, 100, "raw"),
            (60, 46, "embstr"),
            (60, 60, "raw"),
            (200, 10, "raw"),
        ] {
            assert_eq!(of(key_len, len), wanted, "{key_len} {len}");
        }
        assert_eq!(string_encoding(200, false, Item::Int(7), false), "int");
        assert_eq!(string_encoding(1, false, Item::Bytes(b"x"), true), "raw");
    }

    #[test]
    fn values_go_between_threads() {
        fn check<T: Send + Sync>() {}
        check::<Value>();
    }
}
