//! The keyspace: what keys there are, where they live, and how they change.
//!
//! ```text
//!   Shard 0            Shard 1            …        (a group of keys behind one lock of the engine)
//!   ├─ db 0: Table<Entry<Value>>  (in a cluster one for each hash slot)
//!   ├─ db 1: …
//!   ├─ waiting: key → clients blocked on it
//!   └─ watched: key → flags of clients that WATCH it
//! ```
//!
//! A unit of execution never holds the keyspace; it holds some shards, and sees them as a [`Space`].
//! All reading goes through `space.rs`, all changing through `door.rs`, so that expiry on access, the hand-over to a
//! snapshot, the access clock and the statistics each have exactly one home.
//!
//! Invariants:
//!
//! 1. A key is in the shard [`ShardMap::of`] says, whatever its database.
//! 2. An entry changes only through the door; the door shows the old state to every snapshot under way first.
//! 3. An empty collection is never stored: whoever takes the last element removes the key.
//! 4. The flag of a table slot is set exactly when its entry has an expiry.
//!
//! The crate does no I/O, reads no clock and knows no client: `now` and policy come with the unit.
#![forbid(unsafe_code)]

mod counts;
mod db;
mod door;
mod key;
mod shard;
mod snapshot;
mod space;
mod tables;
mod waiting;
mod watched;

pub use counts::Count;
pub use db::Db;
pub use door::{Deletion, Removed};
pub use key::{DbIndex, Key, ShardId, ShardMap, UnixMillis};
pub use shard::{Shard, WalkCursor};
pub use snapshot::{BigSink, HandOver, SnapshotId};
pub use space::{AccessClock, Expiry, Lookup, Note, OnExpired, Space, SpaceStats, Typed, View, Wanted};
pub use waiting::{WaitEntry, WaitState, Waiting};
pub use watched::{WatchFlag, Watched};
