//! The facade: events and commands come in here, are routed to the machines, and what they put off is done at the end.
//!
//! ```text
//!   new ─┐
//!   handle ──► links ► packets ► membership · detection · election · slots · manual · migration · publish
//!   commands ─┘                                   │ each notes in Todo what must follow
//!                                                 ▼
//!   finish: state ► failover ► nodes.conf ► picture ► [what was asked for, in order] ► broadcast
//! ```
//!
//! What is saved comes before what is sent: packets tell of epochs and votes that must not be forgotten in a crash.

use crate::action::{Action, Direction, Event, FailoverMode, Keys, Outbox, PrimaryLink, Replication, SetSlot};
use crate::codec::{Flags, Kind};
use crate::config::Config;
use crate::describe::{Asker, Link, Shard};
use crate::election::Election;
use crate::epoch::Epochs;
use crate::health::Health;
use crate::id::{Epoch, NodeId, Slot};
use crate::links::Links;
use crate::manual::Manual;
use crate::membership::Blacklist;
use crate::node::{Node, Nodes};
use crate::ping::Audience;
use crate::random::Random;
use crate::role::Followed;
use crate::seek::Seek;
use crate::slot_set::SlotSet;
use crate::slots::Slots;
use crate::stats::Stats;
use crate::tick::PERIOD_MS;
use crate::turn::{Todo, Turn};
use crate::view::View;
use keyspace::UnixMillis;
use resp::error::{Error, cluster as error};
use std::sync::Arc;

/// One node of a cluster.
pub struct Cluster {
    pub(crate) config: Config,
    pub(crate) random: Random,
    pub(crate) nodes: Nodes,
    pub(crate) slots: Slots,
    pub(crate) links: Links,
    pub(crate) epochs: Epochs,
    pub(crate) election: Election,
    pub(crate) manual: Manual,
    pub(crate) health: Health,
    pub(crate) blacklist: Blacklist,
    pub(crate) stats: Stats,
    pub(crate) replication: Replication,
    pub(crate) followed: Followed,
    pub(crate) flush_all: bool,
    pub(crate) seek: Seek,
    pub(crate) debug: Debug,
    pub(crate) stalled: bool,
    /// Somebody has reached this node, and so told it its address.
    pub(crate) knows_own_ip: bool,
    pub(crate) todo: Todo,
    pub(crate) ticks: u64,
    next_tick: i64,
    last_turn: i64,
    view: Arc<View>,
}

/// What `DEBUG` disturbs.
#[derive(Clone, Copy, Default, Debug)]
pub struct Debug {
    /// Packets of this type are dropped: its number, -1 none, -2 all.
    pub drop_packets: Option<i32>,
    pub close_link_on_drop: bool,
    pub no_reconnect: bool,
    pub no_random_ping: bool,
}

impl Debug {
    pub(crate) fn drops(&self, kind: Option<Kind>) -> bool {
        match self.drop_packets {
            Some(-2) => true,
            Some(number) => kind.is_some_and(|kind| kind as i32 == number),
            None => false,
        }
    }
}

impl Cluster {
    /// A node that knows what was saved, or a new one with a name of its own.
    ///
    /// # Errors
    /// A text for the log, when a file is there but neither copy can be understood: the process should not start.
    pub fn new(
        config: Config,
        saved: Saved<'_>,
        seed: u64,
        now: UnixMillis,
        out: &mut Outbox,
    ) -> Result<Cluster, String> {
        let mut random = Random::new(seed);
        let (id, shard) = (NodeId::random(&mut random), NodeId::random(&mut random));
        let me = Node::new(id, shard, Flags::MYSELF | Flags::PRIMARY, now.0);
        let mut cluster = Cluster {
            config,
            random,
            nodes: Nodes::new(me),
            slots: Slots::new(),
            links: Links::default(),
            epochs: Epochs::default(),
            election: Election::default(),
            manual: Manual::default(),
            health: Health::new(),
            blacklist: Blacklist::default(),
            stats: Stats::default(),
            replication: Replication { offset: 0, link: PrimaryLink::Down { since: now } },
            followed: Followed::default(),
            flush_all: false,
            seek: Seek::default(),
            debug: Debug::default(),
            stalled: false,
            knows_own_ip: false,
            todo: Todo::default(),
            ticks: 0,
            next_tick: now.0 + PERIOD_MS,
            last_turn: now.0,
            view: Arc::new(View::empty()),
        };
        let mut failure = None;
        cluster.turn(now, out, |cluster, t| {
            failure = cluster.load(t, saved).err();
            cluster.introduce();
            cluster.todo.view = true;
        });
        match failure {
            None => Ok(cluster),
            Some(failure) => {
                // Nothing may be written over what could not be read.
                out.keep_log();
                Err(failure)
            }
        }
    }

    /// Runs `body` and then what it put off.
    fn turn<R>(&mut self, now: UnixMillis, out: &mut Outbox, body: impl FnOnce(&mut Cluster, &mut Turn<'_>) -> R) -> R {
        if now.0 - self.last_turn > self.config.deafness_ms() {
            self.todo.state = true;
        }
        self.last_turn = now.0;
        let verbosity = self.config.verbosity;
        let mut own = Outbox::new();
        let mut t = Turn { now: now.0, out: &mut own, verbosity };
        let result = body(self, &mut t);
        self.finish(&mut t, out);
        result
    }

    /// Does what was put off, in the order that the protocol needs, and hands everything out.
    fn finish(&mut self, t: &mut Turn<'_>, out: &mut Outbox) {
        if self.todo.state {
            self.judge(t);
        }
        if std::mem::take(&mut self.todo.manual) {
            self.try_manual(t);
            self.todo.failover = true;
        }
        // Winning an election may change the state and more, but not ask for another look at the election.
        if std::mem::take(&mut self.todo.failover) && self.nodes.myself().is_replica() {
            self.try_failover(t);
        }
        if self.todo.state {
            self.judge(t);
        }
        self.tell_replication(t);
        let moved = std::mem::take(&mut self.slots.moved);
        let todo = std::mem::take(&mut self.todo);
        if todo.save {
            out.push(Action::SaveConfig { bytes: self.describe_file(), fsync: todo.fsync });
        }
        if todo.view {
            let view = self.picture();
            if view != *self.view {
                self.view = Arc::new(view);
                out.push(Action::ViewChanged(Arc::clone(&self.view)));
            }
        }
        if !moved.is_empty() {
            out.push(Action::DropShardChannels { slots: moved });
        }
        if todo.broadcast {
            self.broadcast_pong(t, Audience::All);
        }
        out.append(t.out.drain().collect());
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: UnixMillis, event: Event<'_>, out: &mut Outbox) {
        self.turn(now, out, |cluster, t| match event {
            Event::Timer => cluster.timer(t),
            Event::Accepted { link, peer, local } => cluster.accepted(t, link, peer, local),
            Event::LinkUp { link, peer } => cluster.link_up(t, link, peer),
            Event::LinkDown { link } => cluster.link_down(t, link),
            Event::Received { link, bytes } => cluster.received(t, link, bytes),
            Event::Sent { link, bytes } => cluster.sent(link, bytes),
            Event::Replication(replication) => cluster.hear_replication(replication),
            Event::WritesPaused { offset } => cluster.writes_paused(t, offset),
            Event::Stalled(stalled) => cluster.stalled = stalled,
        });
    }

    fn timer(&mut self, t: &mut Turn<'_>) {
        if t.now >= self.next_tick {
            self.next_tick = t.now + PERIOD_MS;
            if !self.stalled {
                self.tick(t);
            }
        } else if self.election.deadline().is_some_and(|start| t.now >= start) {
            self.todo.failover = true;
        }
    }

    fn hear_replication(&mut self, replication: Replication) {
        self.todo.view |= (self.replication.offset == 0) != (replication.offset == 0);
        self.replication = replication;
        self.followed.synced |= self.nodes.myself().is_replica() && matches!(replication.link, PrimaryLink::Up { .. });
        self.todo.manual |= self.manual.is_running() && self.nodes.myself().is_replica();
    }

    /// When [`Event::Timer`] is due next.
    pub fn deadline(&self) -> Option<UnixMillis> {
        // An attempt whose time has come waits for something else than time.
        let election =
            self.election.deadline().filter(|start| self.nodes.myself().is_replica() && *start > self.last_turn);
        Some(UnixMillis(election.map_or(self.next_tick, |start| self.next_tick.min(start))))
    }

    /// The picture that the data plane decides by; the one last told by [`Action::ViewChanged`].
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes over changed directives.
    pub fn configure(&mut self, now: UnixMillis, config: Config, out: &mut Outbox) {
        self.config = config;
        self.turn(now, out, |cluster, _| {
            cluster.introduce();
            cluster.todo.state = true;
            cluster.todo.view = true;
        });
    }

    /// Takes from the directives what this node tells of itself.
    fn introduce(&mut self) {
        let config = &self.config;
        let me = &self.nodes[self.nodes.me];
        let mut node = me.clone();
        if !config.announce_ip.is_empty() {
            node.address.ip.clone_from(&config.announce_ip);
        }
        node.address.port = config.announced_port();
        node.address.tls_port = config.announced_tls_port();
        node.address.bus_port = config.announced_bus_port();
        node.announced.clone_from(&config.announced);
        node.flags.set(Flags::EXTENSIONS | Flags::LIGHT_PUBLISH | Flags::LIGHT_MODULE);
        node.flags.put(Flags::NOFAILOVER, config.replica_no_failover);
        let changed = (node.flags, &node.address, &node.announced) != (me.flags, &me.address, &me.announced);
        if changed {
            let me = self.nodes.me;
            self.nodes[me] = node;
            self.todo.save_and_judge();
        }
    }

    /// What `DEBUG` may change.
    pub fn debug_mut(&mut self) -> &mut Debug {
        &mut self.debug
    }
}

/// The commands. An error changes nothing.
impl Cluster {
    /// `CLUSTER MEET`.
    pub fn meet(
        &mut self,
        now: UnixMillis,
        ip: &[u8],
        port: u16,
        bus_port: u16,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.meet_node(t, ip, port, bus_port))
    }

    /// `CLUSTER FORGET`. `name` is what the user typed.
    pub fn forget(&mut self, now: UnixMillis, name: &[u8], out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.forget_node(t, name))
    }

    /// `CLUSTER ADDSLOTS` and `ADDSLOTSRANGE`, with the slots in the order in which they were named.
    pub fn add_slots(&mut self, now: UnixMillis, slots: &[Slot], out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, _| cluster.assign(slots, true))
    }

    /// `CLUSTER DELSLOTS` and `DELSLOTSRANGE`.
    pub fn del_slots(&mut self, now: UnixMillis, slots: &[Slot], out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, _| cluster.assign(slots, false))
    }

    /// `CLUSTER FLUSHSLOTS`.
    pub fn flush_slots(&mut self, now: UnixMillis, keys: &dyn Keys, out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, _| cluster.flush_my_slots(keys))
    }

    /// The node of this name; `None` when there is no such node.
    pub fn node_named(&self, name: &[u8]) -> Option<NodeId> {
        NodeId::parse(name).filter(|id| self.nodes.find(id).is_some())
    }

    /// Whether `CLUSTER SETSLOT` may be done: to be asked before it is sent to the replicas. `from_primary`: it came
    /// over the replication link.
    pub fn check_set_slot(&self, slot: Slot, what: SetSlot, keys: &dyn Keys, from_primary: bool) -> Result<(), Error> {
        self.may_set_slot(slot, what, keys, from_primary).map(|_| ())
    }

    /// `CLUSTER SETSLOT`, carried out; checked again first.
    pub fn set_slot(
        &mut self,
        now: UnixMillis,
        slot: Slot,
        what: SetSlot,
        keys: &dyn Keys,
        from_primary: bool,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.do_set_slot(t, slot, what, keys, from_primary))
    }

    /// `CLUSTER REPLICATE`.
    pub fn replicate(&mut self, now: UnixMillis, name: &[u8], keys: &dyn Keys, out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.replicate_node(t, name, keys))
    }

    /// `CLUSTER REPLICATE NO ONE`.
    pub fn replicate_no_one(&mut self, now: UnixMillis, out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.replicate_nobody(t));
        Ok(())
    }

    /// `CLUSTER FAILOVER`. `replica` is the name after `REPLICAID`, which is heard only when the command came from this
    /// node's primary (`from_primary`).
    pub fn failover(
        &mut self,
        now: UnixMillis,
        mode: FailoverMode,
        replica: Option<&[u8]>,
        from_primary: bool,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.begin_failover(t, mode, replica.filter(|_| from_primary)))
    }

    /// `CLUSTER RESET`.
    pub fn reset(&mut self, now: UnixMillis, hard: bool, keys: &dyn Keys, out: &mut Outbox) -> Result<(), Error> {
        self.turn(now, out, |cluster, t| cluster.reset_node(t, hard, keys))
    }

    /// `CLUSTER BUMPEPOCH`: the epoch, and whether it is new.
    pub fn bump_epoch(&mut self, now: UnixMillis, out: &mut Outbox) -> (Epoch, bool) {
        let new = self.turn(now, out, Cluster::bump);
        (self.nodes.myself().config_epoch, new)
    }

    /// `CLUSTER SET-CONFIG-EPOCH`.
    pub fn set_config_epoch(&mut self, now: UnixMillis, epoch: i64, out: &mut Outbox) -> Result<(), Error> {
        let chosen = Epoch(u64::try_from(epoch).map_err(|_| error::invalid_epoch(epoch))?);
        if self.nodes.len() > 1 {
            return Err(error::EPOCH_KNOWS_NODES);
        }
        if self.nodes.myself().config_epoch != Epoch(0) {
            return Err(error::EPOCH_NOT_ZERO);
        }
        self.turn(now, out, |cluster, t| {
            cluster.nodes.myself_mut().config_epoch = chosen;
            cluster.epochs.current = cluster.epochs.current.max(chosen);
            t.notice(|| format!("configEpoch set to {chosen} via CLUSTER SET-CONFIG-EPOCH"));
            cluster.todo.save_and_judge();
        });
        Ok(())
    }

    /// The bytes that `CLUSTER SAVECONFIG` (and a shutdown) writes.
    pub fn saved_config(&self) -> Vec<u8> {
        self.describe_file()
    }

    /// `CLUSTER COUNT-FAILURE-REPORTS`.
    pub fn count_failure_reports(&self, now: UnixMillis, name: &[u8]) -> Result<u64, Error> {
        let key = NodeId::parse(name).and_then(|id| self.nodes.find(&id)).ok_or_else(|| error::unknown_node(name))?;
        Ok(self.count_reports(key, now.0) as u64)
    }

    /// `DEBUG CLUSTERLINK KILL`.
    pub fn kill_links(
        &mut self,
        now: UnixMillis,
        direction: Direction,
        name: &[u8],
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let key = NodeId::parse(name).and_then(|id| self.nodes.find(&id)).ok_or_else(|| error::unknown_node(name))?;
        if key == self.nodes.me {
            return Err(error::DEBUG_LINK_MYSELF);
        }
        self.turn(now, out, |cluster, t| {
            if direction != Direction::From {
                cluster.close_outbound(t, key);
            }
            if direction != Direction::To {
                cluster.close_inbound(t, key);
            }
        });
        Ok(())
    }

    /// The slots in which keys were found after loading, or after becoming a primary ([`Action::Lead`]). Those that
    /// nobody owns become ours; those of other nodes are set aside.
    pub fn adopt(&mut self, now: UnixMillis, held: &SlotSet, out: &mut Outbox) {
        self.turn(now, out, |cluster, t| cluster.adopt_slots(t, held));
    }

    /// Open slots that a primary's snapshot told of (`cluster-slot-states`): slot, migrating (or importing), node.
    pub fn open_slots(&mut self, now: UnixMillis, slots: &[(Slot, bool, NodeId)], out: &mut Outbox) {
        self.turn(now, out, |cluster, t| cluster.take_open_slots(t, slots));
    }

    /// Sends a message to the subscribers of other nodes: of all, or (sharded) of this shard.
    pub fn publish(&mut self, now: UnixMillis, channel: &[u8], message: &[u8], sharded: bool, out: &mut Outbox) {
        self.turn(now, out, |cluster, t| cluster.send_publish(t, channel, message, sharded));
    }
}

/// What it tells.
impl Cluster {
    pub fn my_id(&self) -> NodeId {
        self.nodes.myself().id
    }

    /// `CLUSTER NODES`.
    pub fn nodes_text(&self, asker: Asker) -> Vec<u8> {
        self.describe_nodes(asker)
    }

    /// `CLUSTER REPLICAS`: a line of `CLUSTER NODES` per replica.
    pub fn replicas_text(&self, name: &[u8], asker: Asker) -> Result<Vec<Vec<u8>>, Error> {
        self.describe_replicas(name, asker)
    }

    /// `CLUSTER INFO`, lines ended by CRLF.
    pub fn info_text(&self) -> Vec<u8> {
        self.describe_info()
    }

    /// `CLUSTER SHARDS`.
    pub fn shards(&self, asker: Asker) -> Vec<Shard> {
        self.describe_shards(asker)
    }

    /// `CLUSTER LINKS`.
    pub fn links(&self) -> Vec<Link> {
        self.describe_links()
    }

    /// How much memory the links' buffers take (`mem_cluster_links` of INFO).
    pub fn link_memory(&self) -> u64 {
        self.memory_of_links()
    }

    /// Sets the counters of `CLUSTER INFO` to zero (`CONFIG RESETSTAT`).
    pub fn reset_stats(&mut self) {
        self.stats = Stats::default();
    }
}

/// The saved configuration as found on disk.
#[derive(Clone, Copy, Default, Debug)]
pub struct Saved<'a> {
    /// `nodes.conf`; `None` when there is none, or it is empty.
    pub newest: Option<&'a [u8]>,
    /// The copy before it; used when the newest is damaged.
    pub previous: Option<&'a [u8]>,
}
