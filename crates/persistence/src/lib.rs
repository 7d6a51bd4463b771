//! Snapshots, the append-only file and recovery, as machines without I/O.
//!
//! | to see | look in |
//! |---|---|
//! | how a snapshot is cut and walked | `snapshot.rs`, `spool.rs` |
//! | how its keys are written | `records.rs` |
//!
//! Whoever drives these machines (the runtime's threads, or the simulator) gives them files and time.
#![forbid(unsafe_code)]

pub mod records;
pub mod snapshot;
pub mod spool;
