//! The data structures of the store, free of commands, clocks and I/O.
//!
//! - [`hash`]: the one seeded hash of keys, members and fields.
//! - [`table`]: the hash table behind the keyspace and behind big sets, hashes and sorted sets: it grows in small steps, its
//!   scan cursors survive any growth, and it can be walked by a snapshot while it changes.
//! - [`entry`]: a key of the keyspace with its expiry and its small value, in one allocation.
//! - [`listpack`], [`intset`]: elements of small collections laid end to end. These byte layouts are those that Redis made
//!   public, kept to the bit, because RDB files and DUMP payloads carry them verbatim.
//! - [`quicklist`]: a long list as a deque of listpacks.
//! - [`dual`]: a small or a big encoding in one word.
//! - [`item`]: an element as those encodings lend it; [`blob`]: a string in a table; [`buffer`]: a growable string; each one word.
//! - [`number`], [`extended`]: numbers as Redis reads and prints them, and the 80-bit sums of INCRBYFLOAT.
//! - [`bits`], [`glob`]: bit strings and patterns.
//! - [`crc16`], [`crc64`], [`lzf`]: the checksums and the compression of the formats.
//! - [`ranked`]: the sorted set: a table of members and a B+tree with counts.
//!
//! This crate is one of two that hold `unsafe` code. What it exports is safe, apart from the traits and constructors that say
//! otherwise.

pub mod bits;
pub mod blob;
mod block;
pub mod buffer;
pub mod crc16;
pub mod crc64;
pub mod dual;
pub mod entry;
pub mod extended;
pub mod glob;
pub mod hash;
pub mod intset;
pub mod item;
pub mod listpack;
pub mod lzf;
pub mod number;
mod packed;
pub mod quicklist;
pub mod ranked;
mod shortest;
pub mod table;
