//! The server as a node of a gossip cluster: where the machine of crate `cluster` meets the rest of the server.
//!
//! ```text
//!   packets, timer (control thread) ─► Cluster::handle ─┐
//!   CLUSTER … (any thread, alone)  ─► Cluster::meet … ─┴─► pending actions, in order
//!                                                              │ carried out by whoever may
//!          nodes.conf, log, messages ◄──── by anybody ─────────┤
//!          role, view, keys of slots ◄──── who has the world ──┤
//!          links and packets ◄──────────── the bus ────────────┘
//! ```
//!
//! The machine asks for actions, and their order is part of the protocol: what was promised is on disk before the packet
//! that tells of it leaves, and the data plane decides by the new view before others hear of it. So there is one queue.
//! Commands hold the world and carry out all of it before they answer; the control thread carries out what it may, and
//! stops at the first action that needs the world until it has that.
//!
//! Invariants
//! 1. Actions are carried out one after the other, by one thread at a time, in the order in which the machine asked.
//! 2. The view that routing decides by is part of [`Control`](crate::control::Control): it is exchanged by who is alone, so
//!    when a CLUSTER command has answered, no unit that was admitted under the old view can still run.
//! 3. The machine is never called while its actions are carried out by the same call: what an action causes (a pause that
//!    holds, keys that were found) is told to it afterwards and appended.
//!
//! Outside of a cluster there is none of this; a command looks at one word.

pub mod aside;
pub mod bus;
mod carry;
mod keys;
mod open;
pub(crate) mod route;
mod settings;
pub mod stats;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use ::cluster::{Action, Asker, Cluster, Event, Outbox, View};
use keyspace::UnixMillis;
use parking_lot::Mutex;

pub use carry::standing;
pub use keys::HeldKeys;
pub use open::{open_slots_aux, parse_open_slots};
pub use settings::settings;

use crate::server::{Host, Server};

/// See the head of this file.
pub struct ClusterNode {
    state: Mutex<State>,
    /// Held by who carries actions out.
    hand: Mutex<()>,
    /// Links and packets on their way to the bus.
    wire: Mutex<VecDeque<Action>>,
    /// When the machine was last told anything, in ms; the time comes ten times a second.
    heard: AtomicI64,
    /// For how long that may be ago.
    deafness_ms: AtomicI64,
    /// Data were loaded, and the machine does not know.
    arrival: AtomicBool,
    /// What slots have cost.
    pub stats: stats::SlotStats,
    /// Keys of slots that went to another node by gossip alone.
    pub aside: aside::Aside,
    /// Whether the newest copy of the file is on the disk for good; `None` before this life has written one.
    newest_is_safe: Mutex<Option<bool>>,
}

struct State {
    machine: Cluster,
    outbox: Outbox,
    pending: VecDeque<Action>,
}

impl State {
    fn gather(&mut self) {
        let State { outbox, pending, .. } = self;
        pending.extend(outbox.drain());
    }
}

impl ClusterNode {
    /// The node around a machine; `outbox` is what its birth has asked for.
    pub fn new(machine: Cluster, outbox: Outbox) -> Self {
        let mut state = State { machine, outbox, pending: VecDeque::new() };
        state.gather();
        let deafness_ms = state.machine.config().deafness_ms();
        ClusterNode {
            heard: AtomicI64::new(i64::MAX),
            deafness_ms: AtomicI64::new(deafness_ms),
            state: Mutex::new(state),
            hand: Mutex::default(),
            wire: Mutex::default(),
            arrival: AtomicBool::new(false),
            stats: stats::SlotStats::default(),
            aside: aside::Aside::default(),
            newest_is_safe: Mutex::default(),
        }
    }

    /// Lets the machine do something; what it asks for is appended to the queue.
    pub fn with<R>(&self, f: impl FnOnce(&mut Cluster, &mut Outbox) -> R) -> R {
        let mut state = self.state.lock();
        let State { machine, outbox, .. } = &mut *state;
        let result = f(machine, outbox);
        self.deafness_ms.store(machine.config().deafness_ms(), Ordering::Relaxed);
        state.gather();
        result
    }

    /// Asks the machine.
    pub fn ask<R>(&self, f: impl FnOnce(&Cluster) -> R) -> R {
        f(&self.state.lock().machine)
    }

    /// Tells the machine what has happened.
    pub fn tell(&self, now: UnixMillis, event: Event<'_>) {
        self.with(|machine, out| machine.handle(now, event, out));
        self.heard.store(now.0, Ordering::Relaxed);
    }

    /// Whether nobody has looked at the bus for longer than it takes to be replaced: the process stood still.
    pub fn is_deaf(&self, now: UnixMillis) -> bool {
        now.0.saturating_sub(self.heard.load(Ordering::Relaxed)) > self.deafness_ms.load(Ordering::Relaxed)
    }

    /// The machine's newest view.
    pub fn view(&self) -> Arc<View> {
        self.ask(|machine| machine.view().clone())
    }

    /// Has the file of the configuration written. Of its two copies one is whole whenever the power fails: what may be
    /// torn then never takes the place of the last copy that cannot be, and what a former life has left counts as torn.
    pub fn save(&self, host: &dyn Host, bytes: &[u8], fsync: bool) -> Result<(), String> {
        let mut newest_is_safe = self.newest_is_safe.lock();
        let fsync = fsync || newest_is_safe.is_none();
        host.save_nodes(bytes, fsync, *newest_is_safe != Some(false))?;
        *newest_is_safe = Some(fsync);
        Ok(())
    }

    /// When the machine wants to be told the time.
    pub fn deadline(&self) -> Option<UnixMillis> {
        self.ask(Cluster::deadline)
    }

    /// The data are loaded: the machine is to be told in which slots there are keys.
    pub fn announce_data(&self) {
        self.arrival.store(true, Ordering::Release);
    }

    /// Whether that is still to be done.
    pub fn data_arrived(&self) -> bool {
        self.arrival.load(Ordering::Acquire)
    }

    /// The same, and it is done now.
    pub fn take_arrival(&self) -> bool {
        self.arrival.swap(false, Ordering::AcqRel)
    }

    /// Takes what is for the bus.
    pub fn take_wire(&self, into: &mut VecDeque<Action>) {
        into.append(&mut self.wire.lock());
    }
}

/// How a client came, as the machine wants to know it.
pub(crate) fn asker(client: &session::Client) -> Asker {
    let ipv6 = client.card.addr.is_some_and(|addr| addr.ip().to_canonical().is_ipv6());
    Asker { tls: false, ipv6 }
}

/// Whether this server is a node of a cluster.
pub fn is_node(server: &Server) -> bool {
    server.cluster.is_some()
}
