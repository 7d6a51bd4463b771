//! What can happen to the machine, and what it asks for: two closed enums on one page.
//!
//! ```text
//!   sockets, clock, replication ── Event ──► Cluster ── Action ──► sockets, disk, replication, data plane
//! ```
//!
//! Actions are to be carried out in the order in which they stand. That order is part of the protocol: what was promised
//! (a vote, an epoch) is saved before the packet that tells of it leaves, so [`Action::SaveConfig`] comes first, and
//! [`Action::ViewChanged`] comes before what follows from it.

use crate::id::{LinkId, NodeId, Slot};
use crate::slot_set::SlotSet;
use crate::view::View;
use bytes::Bytes;
use keyspace::UnixMillis;
use std::net::IpAddr;
use std::sync::Arc;

pub use crate::config::Level;

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The time of [`crate::Cluster::deadline`] has come (or just some time has passed).
    Timer,
    /// A connection was accepted on the bus port: from this peer, on this address of ours.
    Accepted { link: LinkId, peer: IpAddr, local: IpAddr },
    /// A connection that the machine asked for stands, to this address.
    LinkUp { link: LinkId, peer: IpAddr },
    /// A connection is gone, or never came to be. Not told for links that the machine closed itself.
    LinkDown { link: LinkId },
    /// Bytes arrived, cut anywhere: the machine finds the packets in them.
    Received { link: LinkId, bytes: &'a [u8] },
    /// So many bytes of what was to be sent have left; for the limit of the send buffer and `CLUSTER LINKS`.
    Sent { link: LinkId, bytes: u64 },
    /// How replication stands. To be told before other events, as often as convenient (each turn of the loop).
    Replication(Replication),
    /// The pause asked for by [`Action::PauseWrites`] holds: nothing is written any more, and the offset is this.
    WritesPaused { offset: u64 },
    /// The data plane makes no progress (`true`) or does again. A stalled node does not answer pings, so that the
    /// others may replace it.
    Stalled(bool),
}

/// How replication stands, from this node's point of view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replication {
    /// On a primary the journal's end, on a replica how far the primary's stream is applied.
    pub offset: u64,
    /// On a replica: the link to the primary.
    pub link: PrimaryLink,
}

/// A replica's link to its primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PrimaryLink {
    /// In sync; the primary was last heard at this time.
    Up { heard: UnixMillis },
    /// Not in sync since this time.
    Down { since: UnixMillis },
}

/// What is to be done.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Write the file of the configuration: aside, (fsync,) keep the previous one, rename. When it fails and the
    /// configuration says that this is fatal, nothing after it may be done.
    SaveConfig { bytes: Vec<u8>, fsync: bool },
    /// What the data plane decides by has changed.
    ViewChanged(Arc<View>),
    /// Open a connection to a bus port; answered by `LinkUp` or `LinkDown`.
    Connect { link: LinkId, ip: IpAddr, port: u16 },
    /// The same, to a host name that is to be resolved first (an announced hostname, or one of `cluster-seeds`).
    ConnectName { link: LinkId, host: Vec<u8>, port: u16 },
    /// Close a connection, with what is yet to be sent; no `LinkDown` is wanted.
    Close { link: LinkId },
    /// Send a packet. Broadcasts share the bytes.
    Send { link: LinkId, bytes: Bytes },
    /// Become a replica of this server, or follow it at its new address. With `resync` its history is not ours: the
    /// data are replaced whole; otherwise a partial resync may be tried.
    Follow { ip: Vec<u8>, port: u16, resync: bool },
    /// Stop being a replica. Keys in slots that are not ours are then to be told by [`crate::Cluster::adopt`].
    Lead,
    /// Stop all writes until then, for a manual failover; answered by [`Event::WritesPaused`] when it holds. Nothing may
    /// be appended to the journal meanwhile, pings of replication included.
    PauseWrites { until: UnixMillis },
    /// The failover is over, one way or the other.
    Unpause,
    /// A message came from another node, for local subscribers.
    DeliverPublish { channel: Bytes, message: Bytes, sharded: bool },
    /// Keys of these slots are deleted, if there are any: a command said so.
    DropSlotKeys { slots: SlotSet },
    /// These slots went to another node by gossip alone. Their keys, if there are any, are set aside: no longer served
    /// or counted, not yet deleted.
    SetAside { slots: SlotSet, owner: Option<NodeId> },
    /// Every key is deleted, and the history with them: a reset of a replica, or `REPLICATE NO ONE`.
    FlushAll,
    /// Subscriptions to shard channels of these slots end.
    DropShardChannels { slots: SlotSet },
    /// A line for the log.
    Log { level: Level, text: String },
}

/// Where the machine puts what is to be done.
#[derive(Default, Debug)]
pub struct Outbox(Vec<Action>);

impl Outbox {
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Takes everything out, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Action> {
        self.0.drain(..)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn push(&mut self, action: Action) {
        self.0.push(action);
    }

    pub(crate) fn append(&mut self, actions: Vec<Action>) {
        self.0.extend(actions);
    }

    /// Drops everything but lines for the log.
    pub(crate) fn keep_log(&mut self) {
        self.0.retain(|action| matches!(action, Action::Log { .. }));
    }

    /// What has been put in, without taking it out.
    pub fn actions(&self) -> &[Action] {
        &self.0
    }
}

/// What `CLUSTER SETSLOT` asks for, once its words are understood. On a primary with replicas the command goes to them
/// first and is carried out when they have acknowledged it; that waiting is the caller's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SetSlot {
    Migrating(NodeId),
    Importing(NodeId),
    Stable,
    Node(NodeId),
}

/// The three kinds of `CLUSTER FAILOVER`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailoverMode {
    /// With the primary: it pauses, its offset is reached, then an election.
    Plain,
    /// Without asking the primary; with an election.
    Force,
    /// Without asking anybody.
    Takeover,
}

/// Which links `DEBUG CLUSTERLINK KILL` closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    To,
    From,
    All,
}

/// What a command must know of the data.
pub trait Keys {
    /// How many keys the slot holds, over all databases.
    fn count(&self, slot: Slot) -> u64;
    /// Whether there is no key at all.
    fn is_empty(&self) -> bool;
}
