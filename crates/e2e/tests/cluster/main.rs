//! Clusters of the real binary: made, changed and taken over as tutorials and administrators do it, with clients at work.
//!
//! ```text
//!   tutorial ── the published pages, typed; three kinds of clients from the creation to the last removal
//!   mixed ───── real peers' nodes give way to ours
//!   failover ── a primary dies, a replica moves, slots are lost
//!   slots ───── slots move under load
//!      │
//!   scene ── nodes and the manager      client, load ── who writes, and what may fail when
//! ```

mod client;
mod failover;
mod load;
mod mixed;
mod scene;
mod slots;
#[path = "../cli/terminal.rs"]
#[expect(dead_code, reason = "other tests press other keys")]
mod terminal;
mod tutorial;
