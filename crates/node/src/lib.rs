//! One server, composed, without I/O.
//!
//! ```text
//!   runtime ── bytes of a client ─► Worker ─ parse ─► admission ─► plan ─► engine unit ─► reply in the client's output
//!                                     │                  │                    └─ journal, events, served waiters
//!                                     │                  └─ Control: role, pause, loading, users, config (one value)
//!                                     └─ commands/*.rs: the control commands, one file per container
//! ```
//!
//! | to see | look in |
//! |---|---|
//! | what a server consists of | `server.rs` |
//! | what may forbid a command, and in which order it is asked | `control.rs`, `admission.rs` |
//! | the way of a command | `worker.rs`, `execute.rs`, `locks.rs` |
//! | SCAN, which goes from shard to shard | `scan.rs` |
//! | MULTI, EXEC, WATCH | `transaction.rs` |
//! | blocked, parked and paused clients | `waiting.rs` |
//! | who follows us, and whom we follow | `replication/` |
//! | a server that is a Sentinel | `sentinel.rs` |
//! | a planned change of primary | `failover.rs` |
//! | the append-only file, and what a start finds | `aof/`, `disk.rs` |
//! | what a commit does outside the keyspace | `hooks.rs` |
//!
//! The crate does not know `runtime`: sockets, files, threads, clocks and entropy reach it through [`server::Host`] and
//! [`engine::Clock`].
#![forbid(unsafe_code)]

mod accounts;
pub mod admission;
pub mod aof;
pub mod busy;
pub mod cluster;
pub mod commands;
pub mod control;
pub mod cron;
pub mod delivery;
pub mod denials;
pub mod disk;
pub mod eviction;
pub mod execute;
pub mod expiry;
pub mod facts;
pub mod failover;
pub mod hooks;
pub mod info;
pub mod limits;
pub mod loading;
mod locks;
pub mod memory;
pub mod migrate;
pub mod pause;
mod pipeline;
pub mod redact;
pub mod replay;
pub mod replication;
pub mod report;
pub mod saving;
mod scan;
pub mod sentinel;
pub mod server;
pub mod shutdown;
pub mod stats;
pub mod stillness;
#[cfg(test)]
mod testing;
pub mod transaction;
mod unpack;
pub mod waiting;
pub mod worker;
