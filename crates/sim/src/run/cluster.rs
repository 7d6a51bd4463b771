//! Watching a cluster: who votes, who leads, who takes writes, and what becomes of what was promised.
//!
//! ```text
//!   after every event of a node: its votes · its view ─► promotions, owners of slots
//!   ten times a second:          who would take a write for a slot ─► nobody beside another for longer than he may
//!   a promotion, a rebirth:      which promises it excuses
//! ```
//!
//! A slot's *owner*, for who sees everything, is whoever has claimed it under the highest epoch. A promise counts when the
//! owner has made it, or a node that imports the slot to a client who was sent there. It is excused when another node of the
//! shard is elected and lacks it, or when its node comes back with nothing on its disk; and in both cases only if no other
//! shard has the key, because then it is on its way.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use ::cluster::{NodeId, ShardId, Slot, View};

use super::World;
use crate::process::operator::{Bench, Operator};
use crate::process::roamer::{Board, Kept, Roamer};
use crate::process::script::ScriptProgram;
use crate::process::server::ServerProgram;
use crate::process::{Process, Program};
use crate::world::{Micros, Pid};

/// For so long after it was asked for, a failover may be a forced one.
const FORCED: Micros = 12_000_000;
/// What a look ten times a second, a tick and the network may add to the node timeout.
const SLACK: Micros = 700_000;

/// What was last seen of a node.
#[derive(Clone, Default)]
struct Seen {
    life: u32,
    view: Option<Arc<View>>,
}

/// Who has claimed a slot last.
#[derive(Clone, Copy)]
struct Owner {
    epoch: u64,
    pid: Pid,
    life: u32,
    shard: ShardId,
}

/// A promise, and what is known of it.
struct Promise {
    kept: Kept,
    /// All replicas that its node knew of had it.
    everywhere: bool,
    in_force: bool,
}

/// See the head of this file.
pub(super) struct Watch {
    pub board: Rc<RefCell<Board>>,
    pub bench: Rc<RefCell<Bench>>,
    tags: Vec<(String, Slot)>,
    shards: usize,
    node_timeout: Micros,
    /// How old the data of an elected replica may be.
    validity: Option<Micros>,
    seen: Vec<Seen>,
    owners: Vec<Option<Owner>>,
    /// When each slot was last open, or went to another shard.
    moved_at: Vec<Micros>,
    /// For whom each node has voted, by epoch.
    votes: BTreeMap<(u64, Pid), String>,
    leaders: BTreeMap<u64, Pid>,
    /// Since when two nodes would both take writes for a slot.
    both: BTreeMap<(usize, Pid, Pid), Micros>,
    promises: Vec<Promise>,
    pub promotions: usize,
    pub excused: usize,
    /// The longest time for which two nodes took writes for a slot.
    pub longest_both: Micros,
}

impl Watch {
    pub fn new(tags: Vec<String>, shards: usize, servers: usize, config: &config::Config) -> Self {
        let tags: Vec<(String, Slot)> = tags
            .into_iter()
            .map(|tag| {
                let slot = Slot::of(tag.as_bytes());
                (tag, slot)
            })
            .collect();
        let timeout = config.cluster.node_timeout;
        let factor = u64::from(config.cluster.replica_validity_factor);
        let ping = u64::from(config.replication.repl_ping_replica_period) * 1000;
        Watch {
            board: Rc::default(),
            bench: Rc::default(),
            owners: vec![None; tags.len()],
            moved_at: vec![0; tags.len()],
            tags,
            shards,
            node_timeout: timeout * 1000,
            // The time in which the primary was found to be down is not held against the replica.
            validity: (factor > 0).then_some((timeout * factor + ping + timeout) * 1000 + SLACK),
            seen: vec![Seen::default(); servers],
            votes: BTreeMap::new(),
            leaders: BTreeMap::new(),
            both: BTreeMap::new(),
            promises: Vec::new(),
            promotions: 0,
            excused: 0,
            longest_both: 0,
        }
    }

    /// How many promises there are, and how many of these replicas had.
    pub fn promises(&self) -> (usize, usize) {
        (self.promises.len(), self.promises.iter().filter(|promise| promise.kept.replicas > 0).count())
    }

    fn owner(&self, tag: usize) -> Option<Pid> {
        self.owners[tag].map(|owner| owner.pid)
    }

    /// The owner of some slot that clients use.
    pub fn some_owner(&self, draw: u64) -> Option<Pid> {
        self.owner(draw as usize % self.tags.len())
    }
}

/// The view by which a server decides.
fn view_of(server: &ServerProgram<'_>) -> Option<Arc<View>> {
    server.server.control.load().cluster.clone()
}

/// Whether a server of another shard, which is a primary, has a key.
fn elsewhere(processes: &mut [Process<'_>], shard: ShardId, key: &str) -> bool {
    processes.iter_mut().any(|process| {
        let Some(server) = process.server_mut() else { return false };
        let outside = view_of(server).is_some_and(|view| view.me().is_primary && view.me().shard != shard);
        outside && server.glance(key.as_bytes())
    })
}

impl World<'_> {
    /// Starts the operator.
    pub(super) fn begin_cluster(&mut self) {
        let Some(watch) = &self.cluster else { return };
        let pid = Pid(self.servers as u16);
        let slots = watch.tags.iter().filter_map(|(_, slot)| cluster_admin::Slot::new(slot.index())).collect();
        let operator = Operator {
            nodes: (0..self.servers).map(|n| Pid(n as u16)).collect(),
            replicas: self.servers / watch.shards - 1,
            slots,
            chores: self.scenario.chores,
            rest: self.scenario.rest_ms * 1000,
            random: self.u.random.fork(),
            bench: watch.bench.clone(),
        };
        let program = ScriptProgram::new(pid, |hand| operator.work(hand));
        self.processes[pid.index()].start(Program::Script(Box::new(program)), &mut self.u);
    }

    /// Starts those who write.
    pub(super) fn begin_roaming(&mut self) {
        let Some(watch) = &self.cluster else { return };
        for n in 0..self.processes.len() - self.servers - 1 {
            let pid = Pid((self.servers + 1 + n) as u16);
            let roamer = Roamer {
                number: n,
                nodes: (0..self.servers).map(|n| Pid(n as u16)).collect(),
                tags: watch.tags.iter().map(|(tag, _)| tag.clone()).collect(),
                think: self.think,
                random: self.u.random.fork(),
                board: watch.board.clone(),
            };
            let program = ScriptProgram::new(pid, |hand| roamer.roam(hand));
            self.processes[pid.index()].start(Program::Script(Box::new(program)), &mut self.u);
        }
    }

    /// Something has happened to a process.
    pub(super) fn watch_node(&mut self, pid: Pid) -> Result<(), String> {
        self.hear_promises();
        let Some(watch) = &mut self.cluster else { return Ok(()) };
        let process = &self.processes[pid.index()];
        let Some(server) = process.server() else { return Ok(()) };
        for (candidate, epoch) in server.take_votes() {
            self.u.trace.say(self.u.now, || format!("{} votes for {candidate} in epoch {epoch}", pid.0));
            let before = watch.votes.insert((epoch, pid), candidate.clone());
            if before.as_ref().is_some_and(|before| *before != candidate) {
                return Err(format!("node {} has voted for {before:?} and {candidate} in epoch {epoch}", pid.0));
            }
        }
        let Some(view) = view_of(server) else { return Ok(()) };
        let seen = &mut watch.seen[pid.index()];
        if seen.life == process.life && seen.view.as_ref().is_some_and(|before| Arc::ptr_eq(before, &view)) {
            return Ok(());
        }
        let before = std::mem::replace(seen, Seen { life: process.life, view: Some(view.clone()) });
        let leads = view.me().is_primary;
        let led = before.view.as_ref().is_none_or(|view| view.me().is_primary) || before.life != process.life;
        self.take_claims(pid, &view);
        if leads && !led {
            self.promotion(pid, &view)?;
        }
        Ok(())
    }

    /// Takes note of the slots that a node says are its own.
    fn take_claims(&mut self, pid: Pid, view: &View) {
        let Some(watch) = &mut self.cluster else { return };
        let life = self.processes[pid.index()].life;
        let me = view.me();
        for (tag, (_, slot)) in watch.tags.iter().enumerate() {
            if view.migrating_to(*slot).is_some() || view.importing_from(*slot).is_some() {
                watch.moved_at[tag] = self.u.now;
            }
            if !me.is_primary || !view.is_mine(*slot) {
                continue;
            }
            let owner = Owner { epoch: me.config_epoch.0, pid, life, shard: me.shard };
            match watch.owners[tag] {
                Some(before) if before.pid != pid && before.epoch >= owner.epoch => continue,
                Some(before) if before.shard != owner.shard => watch.moved_at[tag] = self.u.now,
                _ => {}
            }
            watch.owners[tag] = Some(owner);
        }
    }

    /// A replica has become a primary.
    fn promotion(&mut self, pid: Pid, view: &View) -> Result<(), String> {
        let Some(watch) = &mut self.cluster else { return Ok(()) };
        let (me, now) = (view.me(), self.u.now);
        let epoch = me.config_epoch.0;
        watch.promotions += 1;
        self.choices += 1;
        self.u.trace.say(now, || format!("node {} is a primary now, in epoch {epoch}", pid.0));
        let name = me.id.to_string();
        let votes = watch.votes.iter().filter(|((e, _), whom)| *e == epoch && **whom == name).count();
        if votes < watch.shards / 2 + 1 {
            return Err(format!("node {} leads in epoch {epoch} by {votes} votes of {}", pid.0, watch.shards));
        }
        if let Some(other) = watch.leaders.insert(epoch, pid).filter(|other| *other != pid) {
            return Err(format!("nodes {} and {} were both elected in epoch {epoch}", other.0, pid.0));
        }
        let forced = watch.bench.borrow().forced.get(&pid).is_some_and(|at| now - at < FORCED);
        let heard = self.processes[pid.index()].server().map_or(0, ServerProgram::heard_primary);
        if let Some(validity) = watch.validity.filter(|_| !forced)
            && now - heard > validity
        {
            return Err(format!(
                "node {} was elected and has heard nothing of its primary for {} ms",
                pid.0,
                (now - heard) / 1000
            ));
        }
        for promise in watch.promises.iter_mut().filter(|promise| promise.in_force) {
            let (key, tag) = (&promise.kept.key, promise.kept.tag);
            let slot = watch.tags[tag].1;
            if !view.is_mine(slot) && view.importing_from(slot).is_none() {
                continue;
            }
            let has = self.processes[pid.index()].server_mut().is_some_and(|server| server.glance(key.as_bytes()));
            if has || elsewhere(&mut self.processes, me.shard, key) {
                continue;
            }
            if promise.everywhere && promise.kept.at > watch.moved_at[tag] {
                return Err(format!(
                    "node {} was elected and lacks {key}, which all replicas of {} had at {:.3} s",
                    pid.0,
                    promise.kept.by.0.0,
                    promise.kept.at as f64 / 1e6
                ));
            }
            promise.in_force = false;
            watch.excused += 1;
        }
        if self.scenario.nothing_lost && watch.excused > 0 {
            return Err(format!("a planned failover to node {} has lost {}", pid.0, watch.excused));
        }
        Ok(())
    }

    /// A node has started: what it was when it ended, it may have forgotten.
    pub(super) fn node_reborn(&mut self, pid: Pid) {
        let process = &self.processes[pid.index()];
        let (life, Some(server)) = (process.life, process.server()) else { return };
        let Some(view) = view_of(server) else { return };
        let is_durable = server.is_durable();
        let Some(watch) = &mut self.cluster else { return };
        watch.seen[pid.index()] = Seen { life, view: Some(view.clone()) };
        if life == 1 || !view.me().is_primary {
            return;
        }
        let shard = view.me().shard;
        for owner in watch.owners.iter_mut().flatten().filter(|owner| owner.pid == pid) {
            owner.life = life;
        }
        if is_durable {
            return;
        }
        for promise in watch.promises.iter_mut().filter(|promise| promise.in_force) {
            let tag = promise.kept.tag;
            let was_here = watch.owners[tag].is_some_and(|owner| owner.pid == pid)
                || view.importing_from(watch.tags[tag].1).is_some();
            if was_here && !elsewhere(&mut self.processes, shard, &promise.kept.key) {
                promise.in_force = false;
                watch.excused += 1;
            }
        }
    }

    /// Takes note of what clients were promised.
    fn hear_promises(&mut self) {
        let Some(watch) = &mut self.cluster else { return };
        let fresh = std::mem::take(&mut watch.board.borrow_mut().promises);
        for kept in fresh {
            let (pid, life) = kept.by;
            let process = &self.processes[pid.index()];
            let view = process.server().filter(|_| process.life == life).and_then(view_of);
            let slot = watch.tags[kept.tag].1;
            let owns = watch.owners[kept.tag].is_some_and(|owner| (owner.pid, owner.life) == kept.by);
            let imports = kept.asked && view.as_ref().is_some_and(|view| view.importing_from(slot).is_some());
            if !owns && !imports {
                continue;
            }
            let replicas = view.map_or(0, |view| view.replicas(view.my_index()).count());
            let everywhere = replicas > 0 && kept.replicas >= replicas as i64;
            watch.promises.push(Promise { kept, everywhere, in_force: true });
        }
    }

    /// Whether two nodes have taken writes for a slot for too long.
    pub(super) fn watch_writers(&mut self) -> Result<(), String> {
        let Some(watch) = &mut self.cluster else { return Ok(()) };
        let views: Vec<(Pid, Arc<View>)> = self.processes[..self.servers]
            .iter()
            .filter(|process| process.is_up())
            .filter_map(|process| Some((process.pid, process.server().filter(|server| server.is_primary())?)))
            .filter_map(|(pid, server)| Some((pid, view_of(server)?)))
            .filter(|(_, view)| view.is_ok() && view.me().is_primary)
            .collect();
        let mut both = BTreeMap::new();
        for (tag, (_, slot)) in watch.tags.iter().enumerate() {
            let writers: Vec<&(Pid, Arc<View>)> = views.iter().filter(|(_, view)| view.is_mine(*slot)).collect();
            for (n, (one, view)) in writers.iter().enumerate() {
                for (other, theirs) in &writers[n + 1..] {
                    let since = watch.both.get(&(tag, *one, *other)).copied().unwrap_or(self.u.now);
                    both.insert((tag, *one, *other), since);
                    let lasted = self.u.now - since;
                    watch.longest_both = watch.longest_both.max(lasted);
                    let failover = view.me().shard == theirs.me().shard;
                    let limit = if failover { watch.node_timeout } else { watch.node_timeout * 3 / 2 + SLACK };
                    if lasted > limit {
                        return Err(format!(
                            "nodes {} and {} both take writes for slot {slot} for {} ms",
                            one.0,
                            other.0,
                            lasted / 1000
                        ));
                    }
                }
            }
        }
        watch.both = both;
        Ok(())
    }

    /// Why the nodes do not agree yet.
    pub(super) fn discord(&mut self) -> Option<String> {
        let watch = self.cluster.as_ref()?;
        if !watch.bench.borrow().clean {
            return Some("the operator is not done".to_owned());
        }
        let mut views = Vec::new();
        for process in &self.processes[..self.servers] {
            let Some(server) = process.server() else { return Some(format!("node {} is down", process.pid.0)) };
            let view = view_of(server)?;
            if !view.is_ok() {
                return Some(format!("node {} says that the cluster is down", process.pid.0));
            }
            if view.has_open_slots() {
                return Some(format!("node {} has open slots", process.pid.0));
            }
            if view.nodes().len() != self.servers || view.nodes().iter().any(|node| node.failed) {
                return Some(format!("node {} knows {} nodes, or failed ones", process.pid.0, view.nodes().len()));
            }
            views.push((process.pid, view));
        }
        let ids: BTreeMap<NodeId, Pid> = views.iter().map(|(pid, view)| (view.me().id, *pid)).collect();
        let picture = |view: &View| {
            let owners: Vec<(Slot, Slot, NodeId)> =
                view.ranges().into_iter().map(|(first, last, of)| (first, last, view.node(of).id)).collect();
            let roles: BTreeMap<NodeId, (bool, u64, Option<NodeId>)> = view
                .nodes()
                .iter()
                .filter_map(|node| {
                    let primary = view.primary_of(view.find(&node.id)?).map(|primary| primary.id);
                    Some((node.id, (node.is_primary, node.config_epoch.0, primary)))
                })
                .collect();
            (owners, roles)
        };
        let first = picture(&views[0].1);
        let covered: usize = first.0.iter().map(|(a, b, _)| b.index() - a.index() + 1).sum();
        if covered != Slot::COUNT {
            return Some(format!("{covered} slots have an owner"));
        }
        for (pid, view) in &views[1..] {
            let other = picture(view);
            if other != first {
                return Some(format!("nodes {} and {} see different clusters", views[0].0.0, pid.0));
            }
        }
        let mut epochs: Vec<u64> = first.1.values().filter(|(leads, ..)| *leads).map(|(_, epoch, _)| *epoch).collect();
        epochs.sort_unstable();
        if epochs.windows(2).any(|pair| pair[0] == pair[1]) {
            return Some(format!("two primaries have one epoch: {epochs:?}"));
        }
        for (pid, view) in &views {
            let server = self.processes[pid.index()].server()?;
            let primary = view.primary_of(view.my_index()).and_then(|node| ids.get(&node.id)).copied();
            if view.me().is_primary != server.is_primary() {
                return Some(format!("node {} is not what it says", pid.0));
            }
            let Some(primary) = primary.filter(|_| !view.me().is_primary) else { continue };
            match server.follows() {
                Some((whom, true)) if whom == primary => {}
                other => return Some(format!("node {} follows {other:?}, not {}", pid.0, primary.0)),
            }
            let end = self.processes[primary.index()].server()?.position();
            if server.position() != end {
                return Some(format!("node {} is at {:?}, not at {end:?}", pid.0, server.position()));
            }
        }
        None
    }

    /// Compares data, and looks for what was promised.
    pub(super) fn last_checks_of_cluster(&mut self) -> Result<(), String> {
        let Some(watch) = &self.cluster else { return Ok(()) };
        let mut digests: BTreeMap<NodeId, (Pid, String)> = BTreeMap::new();
        for process in &mut self.processes[..self.servers] {
            let pid = process.pid;
            let Some(server) = process.server_mut() else { continue };
            let Some(view) = view_of(server) else { continue };
            let Some(primary) = view.my_primary().map(|index| view.node(index).id) else { continue };
            let digest = server.ask(&["DEBUG", "DIGEST"], &mut self.u);
            if !digest.starts_with('+') {
                return Err(format!("no digest: {digest}"));
            }
            let (other, theirs) = digests.entry(primary).or_insert((pid, digest.clone()));
            if *theirs != digest {
                return Err(format!("equal offsets, different data: nodes {} and {}", other.0, pid.0));
            }
        }
        let views: Vec<Option<Arc<View>>> = self.processes[..self.servers]
            .iter()
            .map(|process| process.server().and_then(view_of).filter(|view| view.me().is_primary))
            .collect();
        for promise in watch.promises.iter().filter(|promise| promise.in_force) {
            let Kept { key, tag, replicas, at, by, asked } = &promise.kept;
            let slot = watch.tags[*tag].1;
            let owner = views.iter().position(|view| view.as_ref().is_some_and(|view| view.is_mine(slot)));
            let Some(owner) = owner else { return Err(format!("slot {slot} has no owner")) };
            let has = self.processes[owner].server_mut().is_some_and(|server| server.glance(key.as_bytes()));
            if !has {
                let holders: Vec<usize> = (0..self.servers)
                    .filter(|n| self.processes[*n].server_mut().is_some_and(|s| s.glance(key.as_bytes())))
                    .collect();
                let aside: Vec<usize> = (0..self.servers)
                    .filter(|n| self.processes[*n].server().is_some_and(|s| s.set_aside(slot)))
                    .collect();
                return Err(format!(
                    "{key} (slot {slot}) is lost: promised by node {} at {:.3} s (asked: {asked}), WAIT said {replicas}; node \
                     {owner} owns its slot, {holders:?} hold it, {aside:?} have set keys of the slot aside",
                    by.0.0,
                    *at as f64 / 1e6
                ));
            }
        }
        Ok(())
    }
}
