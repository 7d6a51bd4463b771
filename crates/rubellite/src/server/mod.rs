//! `rubellite server`: from arguments to a running server.
//!
//! ```text
//!   arguments, redis.conf ─► Config ─► log, pid file, daemon ─► listeners ─► Server ─► threads ─► until SHUTDOWN
//!                                                                              ├─ io 0 … N-1   (reactor + worker)
//!                                                                              ├─ acceptor
//!                                                                              ├─ link         (our primary's stream)
//!                                                                              └─ control      (timers, expiry, saves, bus)
//! ```
//!
//! A Sentinel is the same server with other commands: it has one I/O thread, no link, no data, and a thread that watches
//! (`sentinel.rs`).

mod bus;
mod control;
mod disk;
mod host;
mod migrator;
mod nodes_file;
mod replica;
mod sentinel;
mod settings;
mod snapshotter;
mod start;
mod state_file;
mod thread;

pub use start::{main, sentinel_main};
