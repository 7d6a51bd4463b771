//! Data structures and codecs that everything above shares: pure, without I/O, clock or randomness.
//!
//! The byte layouts that Redis made public (listpack, intset, LZF, the CRCs) are kept to the bit, because RDB files
//! and DUMP payloads carry them verbatim.

mod block;
pub mod intset;
pub mod item;
pub mod listpack;
pub mod number;
mod shortest;
