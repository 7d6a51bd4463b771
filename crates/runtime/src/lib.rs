//! Everything that touches the world: sockets, files, threads, clocks, entropy, signals, memory.
//!
//! ```text
//!   acceptor ──deals──► inbox ─┐
//!   other threads ──► waker ───┤
//!   sockets ───────────────────┴─► reactor (one per I/O thread) ──► Handler   (the server's logic, given from above)
//!
//!   signals ──► waker of the control thread          background: fsync, frees, whatever takes long
//!   crash, panic ──► report in the log               files: replaced whole, appended, or nameless
//! ```
//!
//! No other crate below the binary makes a system call, reads a clock or draws a random number; they are handed what they
//! need. So they run in a simulator unchanged, and this crate is the only one that a port to another platform changes.
//!
//! Invariants
//! 1. Nothing here knows a command, a key or a configuration directive. What varies comes as a value or a trait.
//! 2. A reactor never blocks but in its one poll, and never in one that another thread could not end.
//! 3. `unsafe` appears where the system or the allocator is called and nowhere else.

pub mod accept;
pub mod alloc;
pub mod background;
pub mod clock;
pub mod cores;
pub mod crash;
pub mod daemon;
pub mod entropy;
pub mod errno;
pub mod files;
pub mod listen;
pub mod log;
pub mod reactor;
pub mod resolve;
pub mod rlimit;
pub mod script;
pub mod signals;
pub mod source;
pub mod text;
pub mod title;
pub mod usage;

pub use reactor::{ConnInfo, Connections, Handler, LimitedHandler, Reactor, Reenter, Verdict, Waker};
