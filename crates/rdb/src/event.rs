//! What a decoder finds in a file.

use value::Value;

use crate::{Header, Kind};

/// The next thing in a file. What is borrowed lives until the decoder is used again.
#[derive(Debug)]
pub enum Event<'a> {
    /// The file begins, and its version is accepted.
    Header(Header),
    /// A note of whoever wrote the file. Unknown ones are to be ignored.
    Aux { name: &'a [u8], value: &'a [u8] },
    /// The records that follow are of this database.
    SelectDb(u64),
    /// How many keys, and how many keys with an expiry, the database has; a hint.
    Resize { keys: u64, expires: u64 },
    /// The same for a slot of the cluster; a hint.
    SlotInfo { slot: u64, keys: u64, expires: u64 },
    /// Keys of these slots (inclusive ranges) belong to an import under way, of this name (40 bytes).
    SlotImport { name: &'a [u8], slots: &'a [(u16, u16)] },
    /// The code of a library of functions.
    Function(&'a [u8]),
    /// Data of a module, skipped.
    ModuleAux { module: Box<str> },
    /// A key with its value.
    Key(Record<'a>),
    /// The end. What follows in the input is not part of the file.
    Eof(Summed),
}

/// A key with its value.
#[derive(Debug)]
pub struct Record<'a> {
    pub key: &'a [u8],
    /// The type that the file has; the value's own encoding follows the limits.
    pub kind: Kind,
    pub content: Content<'a>,
    /// In milliseconds of Unix time.
    pub expire: Option<i64>,
    /// Seconds since the last access.
    pub idle: Option<u64>,
    /// The logarithmic access counter.
    pub freq: Option<u8>,
}

/// The value of a key.
#[derive(Debug)]
pub enum Content<'a> {
    /// A string that is an integer.
    Int(i64),
    /// Any other string.
    Bytes(&'a [u8]),
    /// A collection; never empty.
    Value(Value),
    /// A collection without elements, which must not become a key. Old bugs wrote such.
    Empty,
    /// A value of a type that this server does not hold, passed over because [`crate::decode::Options::skip`] said so; the count
    /// of its elements.
    Skipped(u64),
}

/// What is known of a file's checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summed {
    /// It fits.
    Good,
    /// Whoever wrote the file computed none.
    Absent,
    /// Versions before 5 have none.
    TooOld,
    /// We were told not to look.
    Ignored,
}
