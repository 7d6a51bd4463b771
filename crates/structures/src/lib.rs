//! Data structures and codecs that everything above shares: pure, without I/O, clock or randomness.
//!
//! The byte layouts that Redis made public (listpack, intset, LZF, the CRCs) are kept to the bit, because RDB files
//! and DUMP payloads carry them verbatim.

pub mod bits;
mod block;
pub mod crc16;
pub mod crc64;
pub mod extended;
pub mod glob;
pub mod intset;
pub mod item;
pub mod listpack;
pub mod lzf;
pub mod number;
mod shortest;
