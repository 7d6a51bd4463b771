//! The data structures of the store, free of commands, clocks and I/O.
//!
//! - [`hash`]: the one seeded hash of keys, members and fields.
//! - [`table`]: the hash table behind the keyspace and behind big sets, hashes and sorted sets: it grows in small steps, its
//!   scan cursors survive any growth, and it can be walked by a snapshot while it changes.
//! - [`entry`]: a key of the keyspace with its expiry and its small value, in one allocation.
//! - [`listpack`], [`intset`]: byte layouts that Redis made public, kept to the bit, because RDB files and DUMP payloads
//!   carry them verbatim.
//! - [`number`]: numbers as Redis reads and prints them.
//!
//! This crate is one of two that hold `unsafe` code. What it exports is safe, apart from the traits and constructors that say
//! otherwise.

mod block;
pub mod entry;
pub mod hash;
pub mod intset;
pub mod item;
pub mod listpack;
pub mod number;
mod shortest;
pub mod table;
