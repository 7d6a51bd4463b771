//! `rubellite server`: from arguments to a running server.
//!
//! ```text
//!   arguments, redis.conf ─► Config ─► log, pid file, daemon ─► listeners ─► Server ─► threads ─► until SHUTDOWN
//!                                                                              ├─ io 0 … N-1   (reactor + worker)
//!                                                                              ├─ acceptor
//!                                                                              ├─ link         (our primary's stream)
//!                                                                              └─ control      (timers, expiry, saves, bus)
//! ```

mod aof;
mod bus;
mod control;
mod host;
mod load;
mod migrator;
mod nodes_file;
mod recover;
mod replica;
mod settings;
mod snapshotter;
mod start;
mod thread;

pub use start::main;
