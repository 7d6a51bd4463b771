//! The gossip cluster, as a machine without I/O.
//!
//! ```text
//!   packets, links, timer, offsets ──► Cluster::handle ──► Outbox: packets, connects, nodes.conf, role changes, view
//!   CLUSTER commands ───────────────► Cluster::meet …  ──►
//!   data plane ◄── Arc<View> (owners, migrating, importing, state)
//!   CLUSTER NODES / SHARDS / INFO / LINKS ◄── Cluster::nodes_text …
//! ```
//!
//! One [`Cluster`] is one node's whole knowledge. It has no clock, socket, thread or entropy: time is a parameter,
//! randomness comes from a seed, and what it wants done stands in an [`Outbox`]. So a test runs a dozen of them over a
//! network that it invents.
//!
//! `now` is Unix time in milliseconds, of a clock that does not go back: wall time when the process began, plus what has
//! passed since.
#![forbid(unsafe_code)]

mod action;
mod cluster;
mod codec;
mod config;
mod describe;
mod detection;
mod election;
mod epoch;
mod health;
mod id;
mod links;
mod load;
mod manual;
mod membership;
mod migration;
mod node;
mod nodes_conf;
mod packets;
mod ping;
mod publish;
mod random;
mod role;
mod seek;
mod slot_commands;
mod slot_set;
mod slots;
mod stats;
mod tick;
mod turn;
mod view;

pub use action::{Action, Direction, Event, FailoverMode, Keys, Outbox, PrimaryLink, Replication, SetSlot};
pub use cluster::{Cluster, Debug, Saved};
pub use config::{BUS_PORT_STEP, Config, Endpoint, Level};
pub use describe::{Asker, Link, Shard, ShardNode};
pub use id::{Epoch, LinkId, NAME_LEN, NodeId, ShardId, Slot};
pub use node::Announced;
pub use slot_set::SlotSet;
pub use view::{NodeIndex, View, ViewNode};
