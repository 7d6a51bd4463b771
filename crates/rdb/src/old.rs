//! Encodings that nobody writes any more and that old files still hold.

pub(crate) mod ziplist;
pub(crate) mod zipmap;

/// Bytes that are not what they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Corrupt;
