//! The engine: units of execution over shards of the keyspace, atomic and strictly serializable on many threads.
//!
//! ```text
//!   executor (a worker or background thread)
//!     enter the gate ──► read Control ──► take shards ──► run, append to the journal ──► release ──► leave the gate
//!        │ closed            │ forbids        │ taken
//!        ▼                   ▼                ▼
//!     park at the gate    error reply      leave, park in the shard's FIFO; the thread serves other clients
//! ```
//!
//! `docs/engine.md` tells the whole story; each module opens with its own part of it.
#![forbid(unsafe_code)]

pub mod background;
pub mod control;
mod engine;
pub mod gate;
pub mod id;
pub mod lease;
pub mod shard;
mod sink;
pub mod sync;
pub mod ticket;
pub mod unit;

pub use engine::{Clock, Engine};
