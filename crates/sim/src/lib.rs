//! Simulation: what do many processes do together when everything that can fail does?
//!
//! ```text
//!   seed ─► plan of faults, topology, workload ─► one universe: agenda ─► event ─► process ─► packets, timers ─► agenda …
//!                                                     │                      │
//!                                       network, clocks, power      the real server, replica link and Sentinel,
//!                                       (delay, loss, cuts)         as machines without I/O
//! ```
//!
//! A universe has two phases. While faults happen, nothing may be lost that was promised (*safety*). Then everything is
//! healed, and the survivors must agree within a bounded time (*convergence*).
//!
//! Invariants
//! 1. A universe is a function of its seed and its scenario: no thread, no real clock, no file, no map whose order chance
//!    decides. Equal seeds give equal traces, which every reproduction checks.
//! 2. No copy of the logic under test: servers are `node::server::Server` with its `Worker`, `Follower` and `Clockwork`.
//!    What stands here is what `rubellite` and `runtime` are in the real process: sockets, timers and threads.
//!
//! | to see | look in |
//! |---|---|
//! | time, chance, the agenda | `world.rs`, `random.rs` |
//! | what the network does to bytes | `net.rs` |
//! | what a disk forgets | `disk.rs` |
//! | processes: servers, Sentinels, clients | `process/` |
//! | what goes wrong, and when | `fault.rs` |
//! | what is run | `scenario.rs`, `scenarios/*.txt` |
//! | what must hold | `check.rs` |
//! | one universe from its beginning to its end | `run.rs` |
//! | a failure made small | `shrink.rs` |
#![forbid(unsafe_code)]

pub mod check;
pub mod disk;
pub mod fault;
pub mod net;
pub mod process;
pub mod random;
pub mod run;
pub mod scenario;
pub mod shrink;
pub mod world;
