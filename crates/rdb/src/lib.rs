//! The RDB format: snapshots, full syncs and DUMP payloads as bytes.
//!
//! Question: how do snapshots of every Redis and Valkey become values, and values such bytes, at the speed of the disk, without
//! trusting a byte that comes from outside, and without I/O?
//!
//! ```text
//!   "REDIS0010" | "VALKEY080"
//!   AUX name value …                                        what made the file, replication id and offset
//!   FUNCTION2 code …
//!   SELECTDB n   RESIZEDB keys expires
//!   [EXPIRETIME_MS t] [IDLE s | FREQ f]  type  key  value   … one record per key
//!   EOF  crc64 of all before it, LE; 0 = not computed
//!
//!   DUMP:  type  value  version u16 LE  crc64 LE
//! ```
//!
//! - [`decode::Decoder`] is fed chunks of any size and gives [`Event`]s; it keeps at most one element of a collection unread, so
//!   files of any size pass. It reads all versions of Redis up to 7.2 and Valkey up to 9, with all types that ever were: zipmaps,
//!   ziplists, linked lists, textual doubles. Every structure is checked to the last byte before it becomes a value.
//! - [`encode::Form`] writes records whole or, for big collections, element by element, into a growing vector. It computes no
//!   checksum: [`encode::Checksum`] follows the bytes wherever they go, so encoding can happen under a lock and summing outside.
//! - [`dump`] wraps and unwraps the payloads of DUMP and RESTORE.
//!
//! Invariants:
//! 1. No input panics; memory stays below a fixed multiple of the bytes received. Lengths in the input are never
//!    allocated ahead.
//! 2. Every error tells what is wrong and the offset where it is ([`Error`]).
//! 3. Version 11 is written unless something needs a later one, so every peer of ours can read us.
//!
//! Redis decodes while it reads from a file descriptor and exits on damage; here damage is a value, and the caller decides.
#![forbid(unsafe_code)]

pub mod decode;
pub mod dump;
pub mod encode;
mod error;
mod event;
pub mod kind;
mod old;
mod read;
mod version;

pub use decode::Decoder;
pub use encode::{Checksum, Form, Meta};
pub use error::{Damage, Error};
pub use event::{Content, Event, Record, Summed};
pub use kind::Kind;
pub use version::{Acceptance, Header, Magic, Version};
