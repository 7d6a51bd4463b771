//! Append-only files as bytes: which files there are, and what stands in them.
//!
//! ```text
//!   appendonlydir/
//!     appendonly.aof.manifest           which files, in which order, from which offset of the stream on     manifest
//!     appendonly.aof.3.base.rdb         the state at one point: a snapshot, or commands that make it
//!     appendonly.aof.7.incr.aof         what came after it                                                  scan
//!     appendonly.aof.8.incr.aof
//!
//!   an increment:   #TS:1700000000   SELECT 9 │ the stream's bytes, unchanged, annotations between units
//!                   if wanted        if needed
//! ```
//!
//! - [`manifest::Manifest`]: the list of files, read with every check and message of the peers, and written.
//! - [`name::Names`]: what the files are called.
//! - [`scan::Scanner`]: commands and annotations out of chunks of any size; it knows where the last complete unit ends, which is where
//!   a file that a crash has cut off is cut back to.
//! - [`annotation`]: the lines between commands.
//!
//! Invariants:
//! 1. No input panics, and memory is bounded by the bytes received.
//! 2. A file that we write is one that Valkey and Redis 7 and later could have written. Tools that know nothing of annotations
//!    read it unless `aof-timestamp-enabled` asks for them.
#![forbid(unsafe_code)]

pub mod annotation;
pub mod manifest;
pub mod name;
pub mod scan;

pub use annotation::Annotation;
pub use manifest::{File, Manifest, Role};
pub use name::Names;
pub use scan::{Item, Lack, Place, Scanner, Tail};

/// Whether a file that begins with these bytes (6 are enough) begins with a snapshot.
pub fn begins_with_snapshot(bytes: &[u8]) -> bool {
    bytes.starts_with(b"REDIS0") || bytes.starts_with(b"VALKEY")
}
