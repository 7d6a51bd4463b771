//! The administration of a cluster: what `redis-cli --cluster` wants to do, thought through before it is done.
//!
//! ```text
//!   CLUSTER NODES of every node ─► Picture ─► create │ fix │ reshard │ rebalance ─► Plan ─► printed, confirmed
//!                                    ▲                                               │
//!                                    └────────── read again ◄── commands ◄── steps ──┘
//! ```
//!
//! A [`Picture`] is what the nodes said at one moment. A [`Plan`] is a list of [`Step`]s, each of which is a few commands
//! to one or two nodes. Whoever executes plans is outside: this crate touches no socket and no clock, and where chance is
//! wanted it is a seed.
//!
//! Invariants
//! 1. A step names all it needs. A plan that was written down can be executed by somebody else, tomorrow.
//! 2. Steps may be repeated. A plan that was interrupted goes on with what [`Plan::remaining`] says of a new picture.
//! 3. What is decided on a doubtful ground says so: each decision of [`fix`] comes with the [`Note`](fix::Note) of its
//!    reason, and where nothing can be decided it is a note, never a step.
//! 4. [`Picture::apply`] is the model of what steps do. Properties hold over it: repairs of any broken picture end in a
//!    whole one, a reshard moves exactly as many slots as it was told.
//!
//! Costs: a picture is 2 KiB per node and the names; plans are linear in the slots that they move.
//!
//! Redis' tool decides and executes in one go, so that its choices cannot be seen beforehand, and one that is killed in the
//! middle has forgotten what it wanted.

#![forbid(unsafe_code)]

pub mod check;
pub mod create;
pub mod fix;
mod node;
mod picture;
mod plan;
mod rebalance;
mod reshard;
mod slots;
mod step;
#[cfg(test)]
mod testing;

pub use node::{Node, NodeId};
pub use picture::Picture;
pub use plan::{Obstacle, Plan, PlanError};
pub use rebalance::{Balance, Rebalance, Transfer, Weights};
pub use reshard::{Portion, reshard};
pub use slots::{SLOTS, Slot, SlotSet};
pub use step::Step;
