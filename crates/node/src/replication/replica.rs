//! How a primary's stream becomes data here.
//!
//! ```text
//!   link thread:  unit ─► shards of all its commands ─► commands, obeyed ─► the bytes into our journal ─► shards back
//! ```
//!
//! One unit after the other, in the stream's order, by one executor that sleeps when it has to wait. The offset of the
//! journal is the end of the last applied unit, because bytes and effects appear under the same locks.
//!
//! Invariants
//! 1. Nothing is applied or appended unless, behind the gate, the generation is still the link's own. So when the OK of
//!    REPLICAOF leaves, the former primary has no say any more.
//! 2. A snapshot is loaded apart, without a lock, and takes its place in one step. Until then client commands on data are
//!    refused (`Control::loading`), or served from the old data (`Control::async_loading`).

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::cluster::Slot;
use command::binding::Class;
use command::context::Env;
use command::registry::{Lookup, RowId};
use command::row::Row;
use config::directives::replication::PropagationErrorBehavior;
use engine::background::Sleeper;
use engine::id::ShardId;
use engine::lease::{Attempt, Taken};
use engine::unit::{Call as UnitCall, Unit};
use journal::{History, ReplId, ReplOffset};
use keyspace::DbIndex;
use resp::args::{Args, OwnedArgs};
use resp::log_text;
use session::{Client, ClientCard, Flag};

use super::apart::Apart;
use super::{LinkStage, Quiet};
use crate::cluster::{ClusterNode, route};
use crate::commands::Call;
use crate::control::{Control, Role};
use crate::execute::{Core, Errand, prepare};
use crate::facts::Crash;
use crate::hooks::NodeHooks;
use crate::loading::{Loader, flush};
use crate::replay::in_other_words;
use crate::server::{Bound, LogLevel, Server, replication_id};

/// The primary to follow, as of one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Of which REPLICAOF it is.
    pub generation: u64,
}

/// This server does not follow that primary any more, or the link was killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// The executor of the link thread.
pub struct Applier<'s> {
    /// What runs commands.
    pub core: Core<'s>,
    server: &'s Server,
    sleeper: Arc<Sleeper>,
    attempt: Attempt,
    client: Box<Client>,
    generation: u64,
    /// The control value for which `env` was made.
    source: Option<Rc<Control>>,
    env: Arc<Env>,
    load: Option<Load>,
    /// When it was last told that nothing can be written, in ms.
    complained: i64,
}

/// A snapshot on its way in.
struct Load {
    loader: Loader,
    apart: Apart,
    id: ReplId,
    offset: ReplOffset,
    /// Bytes that have come.
    read: u64,
}

/// It is told no more often.
const COMPLAINT_MS: i64 = 10_000;

/// Whom this server follows, if anybody.
pub fn target(server: &Server) -> Option<Target> {
    let generation = server.replication.generation.load(Ordering::Acquire);
    match &server.control.load().role {
        Role::Primary => None,
        Role::Replica { host, port, .. } => Some(Target { host: host.clone(), port: *port, generation }),
    }
}

/// The history that is here and its end, if a primary may be asked to continue it.
pub fn resume_point(server: &Server) -> Option<(ReplId, ReplOffset)> {
    if !server.journal.is_awake() {
        return None;
    }
    let (history, end) = (server.journal.history(), server.journal.end());
    // After a restart, or a promotion without a write, this position is in the former history as well, and only that one
    // can be known to others. Whom we ask to take over has followed us under the present one.
    let own = !server.replication.id_is_given.load(Ordering::Relaxed) && !crate::failover::asks_to_take_over(server);
    match history.second {
        Some((id, limit)) if own && limit == end => Some((id, end)),
        _ => Some((history.id, end)),
    }
}

impl<'s> Applier<'s> {
    /// The executor `me`, which no other thread uses.
    pub fn new(server: &'s Server, me: usize) -> Self {
        let sleeper = Sleeper::new();
        let core = Core::with_wake(server, me, sleeper.clone());
        let attempt = core.new_attempt(Errand::Apply);
        let card = Arc::new(ClientCard::new(0, 0, -1, 0));
        Applier {
            core,
            server,
            sleeper,
            attempt,
            client: Box::new(Client::new(card, true)),
            generation: 0,
            source: None,
            env: Arc::default(),
            load: None,
            complained: 0,
        }
    }

    /// The connection of a link stands; clients see it under this card.
    pub fn attach(&mut self, generation: u64, card: ClientCard) {
        let card = Arc::new(card);
        card.set(Flag::Primary, true);
        // It is nobody's session: no rule of ours is about it.
        card.texts.lock().user = b"(superuser)".to_vec();
        self.server.cards.add(card.clone());
        *self.client = Client::new(card, true);
        self.client.db = self.server.journal.stream_db().unwrap_or_default();
        self.generation = generation;
        self.note_stage(LinkStage::Handshake);
    }

    /// The connection is gone.
    pub fn detach(&mut self) {
        self.server.cards.remove(self.client.id());
        if let Some(load) = self.load.take() {
            let text = log_text::snapshot::damaged(load.read, "the connection with the primary is lost");
            self.server.host.log(LogLevel::Warning, &text);
            self.abandon_load(load.apart);
        }
        let was_online = self.server.replication.link.lock().stage == LinkStage::Connected;
        self.note_stage(LinkStage::Connect);
        if was_online {
            self.server.replication.link.lock().down_since = self.server.engine.now().0;
            if self.world().is_ok() {
                self.core.publish_control(|control| set_online(control, false));
            }
            self.core.lease.release();
        }
    }

    /// Whether the link may go on.
    pub fn is_current(&self) -> bool {
        self.generation == self.server.replication.generation.load(Ordering::Acquire)
            && !self.client.card.is(Flag::CloseAsap)
            && !self.server.is_over()
    }

    /// The primary has sent something.
    pub fn heard(&mut self, bytes: usize) {
        let now = self.server.engine.now().0;
        self.server.replication.link.lock().last_io = now;
        self.client.card.last_seen.store(now, Ordering::Relaxed);
        crate::stats::add(&self.client.card.bytes_in, bytes as u64);
        crate::stats::add(&self.core.counters.repl_bytes_in, bytes as u64);
    }

    /// How far the link is.
    pub fn note_stage(&mut self, stage: LinkStage) {
        let mut link = self.server.replication.link.lock();
        link.stage = stage;
        link.has_stood |= stage == LinkStage::Connected;
    }

    /// Whether what is here may be kept until the new data are complete.
    pub fn is_empty(&self) -> bool {
        let databases = self.server.control.load().env.databases;
        (0..databases).all(|db| self.server.engine.count(DbIndex(db)).0 == 0)
    }

    /// The data are to be replaced by a snapshot of this position. What is here goes at once, unless it is to be kept until
    /// the new is complete; if it is of the same history, it is served meanwhile.
    pub fn begin_load(&mut self, id: ReplId, offset: ReplOffset, keep: bool) -> Result<(), Gone> {
        self.world()?;
        // Whoever follows us has the data that go now.
        self.server.disconnect_replicas();
        // A snapshot of what goes must not take the place of a newer file.
        crate::saving::give_up_snapshot(self.server);
        let serve = keep && self.server.journal.is_awake() && self.server.journal.history().id == id;
        self.core.publish_control(|control| {
            control.loading = !serve;
            control.async_loading = serve;
        });
        if !keep {
            self.server.host.log(LogLevel::Notice, log_text::replica::FLUSHING);
            flush(&mut self.core);
            // Nothing is a version of the former history any more, so nobody may be asked to continue it.
            self.server.journal.set_history(History::new(replication_id(&*self.server.host)));
            self.server.replication.hollow.store(true, Ordering::Relaxed);
        }
        self.server.host.log(LogLevel::Notice, log_text::replica::LOADING);
        let databases = usize::from(self.core.control().env.databases);
        let apart = Apart::new(self.server.engine.map, databases);
        self.load = Some(Load { loader: Loader::of_primary(&mut self.core), apart, id, offset, read: 0 });
        self.core.lease.release();
        Ok(())
    }

    /// The next bytes of the snapshot; answers how many keys were in them. The error is for the log; the link is over then.
    pub fn load(&mut self, bytes: &[u8]) -> Result<u64, String> {
        if !self.is_current() {
            return Err(log_text::replica::LOST.to_owned());
        }
        let Some(load) = &mut self.load else { return Ok(0) };
        let before = load.loader.keys();
        load.read += bytes.len() as u64;
        load.loader.feed_apart(self.server, &mut load.apart, bytes)?;
        Ok(load.loader.keys() - before)
    }

    /// The snapshot is complete: it takes the place of what was here, and the stream begins at its position.
    pub fn end_load(&mut self) -> Result<(), String> {
        let Some(mut load) = self.load.take() else { return Ok(()) };
        let told = load.loader.finish_apart(self.server, &mut load.apart);
        let told = match (told, self.world()) {
            (Ok(told), Ok(())) => told,
            (told, _) => {
                self.core.lease.release();
                self.abandon_load(load.apart);
                return Err(told.err().unwrap_or_else(|| log_text::replica::LOST.to_owned()));
            }
        };
        flush(&mut self.core);
        load.apart.install(&mut self.core.lease.space(DbIndex(0)));
        let db = DbIndex(told.stream_db.unwrap_or(0));
        self.client.db = db;
        self.server.replication.id_is_given.store(true, Ordering::Relaxed);
        self.server.journal.restart(History::new(load.id), load.offset, Some(db));
        self.server.replication.hollow.store(false, Ordering::Relaxed);
        if self.server.aof_on.load(Ordering::Acquire) {
            self.server.host.journal_restarted(&self.core.control().config);
            self.server.saving.lock().ask_rewrite();
        }
        self.core.publish_control(|control| {
            control.loading = false;
            control.async_loading = false;
            set_online(control, true);
        });
        self.note_stage(LinkStage::Connected);
        if let (Some(node), Some(text)) = (&self.server.cluster, &told.open_slots) {
            let open = crate::cluster::parse_open_slots(text);
            node.with(|machine, out| machine.open_slots(self.server.engine.now(), &open, out));
            self.core.carry_out();
        }
        self.core.lease.release();
        self.server.host.log(LogLevel::Notice, log_text::replica::FINISHED);
        Ok(())
    }

    /// The primary goes on where the stream was cut.
    pub fn resume(&mut self, asked: ReplId, id: Option<ReplId>) -> Result<(), Gone> {
        self.world()?;
        let mut history = self.server.journal.history();
        let id = id.unwrap_or(asked);
        if id != history.id {
            let at = self.server.journal.end();
            if asked != history.id {
                history = History::new(asked);
            }
            let text = log_text::replica::second_id(&history.id.to_string(), at.next_byte(), &id.to_string());
            self.server.host.log(LogLevel::Warning, &text);
            if id != asked {
                history.shift(id, at);
            }
            self.server.journal.set_history(history);
            self.server.disconnect_replicas();
        }
        self.server.replication.id_is_given.store(true, Ordering::Relaxed);
        self.client.db = self.server.journal.stream_db().unwrap_or_default();
        self.core.publish_control(|control| set_online(control, true));
        self.note_stage(LinkStage::Connected);
        self.core.lease.release();
        Ok(())
    }

    /// What the primary answered to PSYNC: while a failover is under way, whether it has taken over.
    pub fn end_failover(&mut self, taken_over: bool) {
        if !crate::failover::asks_to_take_over(self.server) {
            return;
        }
        if self.world().is_ok() {
            if taken_over {
                crate::failover::succeed(&mut self.core);
            } else {
                crate::failover::abort(&mut self.core, log_text::failover::REJECTED);
            }
        }
        self.core.lease.release();
    }

    /// Applies one unit. True when the primary asks how far we are.
    pub fn apply(&mut self, unit: &::replication::stream::Unit) -> Result<bool, Gone> {
        let registry = &self.server.registry;
        let find = |args: &Args<'_>| match registry.lookup(args) {
            Lookup::Found(id) if self.server.has(id) => Some(id),
            _ => None,
        };
        let typed: Vec<(Option<RowId>, Args<'_>)> = unit.commands().map(|args| (find(&args), args)).collect();
        let other: Vec<Option<OwnedArgs>> = match typed.iter().all(|(id, _)| id.is_some()) {
            true => Vec::new(),
            false => typed.iter().map(|(id, args)| id.map_or_else(|| in_other_words(args), |_| None)).collect(),
        };
        let mut commands = typed;
        for (command, other) in commands.iter_mut().zip(&other) {
            if let Some(other) = other {
                *command = (find(&other.as_args()), other.as_args());
            }
        }
        let (world, shards) = self.plan(&commands);
        self.hold(world, &shards)?;
        let control = self.core.control();
        self.take_env(&control);
        self.core.scratch.begin();
        self.core.applies = true;
        let mut asked = false;
        let charged = self.server.cluster.as_ref().filter(|_| control.config.cluster.slot_stats_enabled);
        let mut slot = None;
        for (id, args) in &commands {
            match id {
                Some(id) => {
                    asked |= self.run(&control, *id, *args);
                    if let Some(node) = charged {
                        self.charge(node, *id, args, &mut slot);
                    }
                }
                None => self.note_failure(&String::from_utf8_lossy(args.at(0)), "unknown command"),
            }
            self.client.out.buf.clear();
        }
        self.core.applies = false;
        let db = self.client.db;
        let (_, end) = self.server.journal.append_verbatim(&unit.bytes, &[(unit.bytes.len(), Some(db))]);
        self.core.lease.all_shards().for_each(|shard| shard.last_offset = end.0);
        let quiet = Quiet(&self.server.journal);
        let space = self.core.lease.space(db);
        let engine_unit = Unit::resume(space, &quiet, &mut self.core.scratch, &mut self.core.random);
        let mut hooks = NodeHooks { server: self.server, control: &control, counters: self.core.counters };
        engine_unit.commit(&mut hooks);
        if world {
            self.core.lease.release();
        }
        Ok(asked)
    }

    /// Nothing more is at hand: others may have what is held.
    pub fn rest(&mut self) {
        self.core.lease.release();
        self.core.turn_hold = self.server.journal.end().0;
        self.core.flush_turn();
        self.core.make_changes();
        self.complain();
    }

    /// What was applied could not be written to our own disk: that is told, or ends the process.
    fn complain(&mut self) {
        let control = self.core.control();
        let failed = control.aof_failed.is_some() || control.snapshot_failed;
        let now = self.server.engine.now().0;
        if !failed || !self.is_current() {
            return;
        }
        if !control.config.replication.replica_ignore_disk_write_errors {
            self.server.host.log(LogLevel::Warning, log_text::replica::CANNOT_WRITE);
            self.server.host.crash(Crash::Assertion);
        }
        if now - self.complained >= COMPLAINT_MS {
            self.complained = now;
            self.server.host.log(LogLevel::Warning, log_text::replica::APPLIES_UNWRITTEN);
        }
    }

    fn plan(&self, commands: &[(Option<RowId>, Args<'_>)]) -> (bool, Vec<ShardId>) {
        let map = self.server.engine.map;
        let (mut world, mut shards) = (false, Vec::new());
        for (id, args) in commands.iter().filter_map(|(id, args)| Some(((*id)?, args))) {
            match commands::class_of(self.server.bound[id.index()].class(), args) {
                Class::World | Class::Cursor | Class::Slot => world = true,
                Class::Keys | Class::Patterns => match self.server.registry.row(id).keys_of(args) {
                    Ok(keys) => shards.extend(keys.iter().map(|at| map.of_key(args.at(at.index as usize)))),
                    Err(_) => world = true,
                },
                Class::Free => {}
            }
        }
        shards.sort_unstable();
        shards.dedup();
        (world, shards)
    }

    /// Runs one command of the stream, its locks being held.
    fn run(&mut self, control: &Rc<Control>, id: RowId, args: Args<'_>) -> bool {
        let row: &'static Row = self.server.registry.row(id);
        if !row.accepts(args.len()) {
            self.note_failure(row.fullname, "wrong number of arguments");
            return false;
        }
        if !control.monitors.is_empty() {
            self.core.feed_monitors(control, &self.client, row, args);
        }
        let start = self.core.start_clock();
        match (self.server.bound[id.index()], row.fullname) {
            (_, "multi" | "exec" | "ping") => return false,
            (_, "replconf") => return args.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"getack")),
            (Bound::Data(handler, _), _) => {
                let mut space = self.core.lease.space(self.client.db);
                prepare(&mut space, control, &self.env, &self.client, true);
                let quiet = Quiet(&self.server.journal);
                let mut unit = Unit::resume(space, &quiet, &mut self.core.scratch, &mut self.core.random);
                let call = UnitCall { row, handler, args, env: &self.env };
                // A command that would wait has found nothing to do, as at the primary.
                let _ = unit.call(&call, &mut self.client.out);
                unit.suspend(&mut NodeHooks { server: self.server, control, counters: self.core.counters });
            }
            (Bound::Control(handler, _), _) => {
                let mut call = Call {
                    core: &mut self.core,
                    client: &mut self.client,
                    args,
                    row,
                    meanwhile: &mut crate::busy::Nobody,
                };
                if let Err(e) = handler(&mut call) {
                    self.client.out.error(&e);
                }
            }
            (Bound::Absent, _) => return false,
        }
        let failed = self.client.out.buf.first() == Some(&b'-');
        if failed {
            let reply = String::from_utf8_lossy(&self.client.out.buf).trim_end().to_owned();
            self.note_failure(row.fullname, &reply);
        }
        self.core.account(id, start, failed, &self.client, args);
        if !failed {
            crate::saving::after(&mut self.core, control, row, false);
        }
        false
    }

    /// Charges a command of the stream to its slot, and what frames a transaction to the slot of what it holds.
    fn charge(&mut self, node: &ClusterNode, id: RowId, args: &Args<'_>, slot: &mut Option<Slot>) {
        let row = self.server.registry.row(id);
        let is_exec = row.name() == "exec";
        if !is_exec {
            *slot = route::slot_of(row, args).ok().flatten().and_then(Slot::new).or(*slot);
            if !row.has_keys() {
                return;
            }
        }
        if let Some(slot) = *slot {
            node.stats.request(slot, args, is_exec);
            node.stats.of(slot).add_time(self.core.take_ran().unwrap_or(0));
        }
    }

    fn note_failure(&self, name: &str, reply: &str) {
        let host = &self.server.host;
        host.log(LogLevel::Warning, &log_text::replica::command_failed(name, reply));
        let config = &self.server.control.load().config.replication;
        if config.replica_read_only && config.propagation_error_behavior != PropagationErrorBehavior::Ignore {
            host.log(LogLevel::Warning, &log_text::replica::panicked(name));
            host.crash(Crash::Assertion);
        }
    }

    fn take_env(&mut self, control: &Rc<Control>) {
        if !self.source.as_ref().is_some_and(|source| Rc::ptr_eq(source, control)) {
            self.env = Arc::new(Env { obey: true, ..(*control.env_no_block).clone() });
            self.source = Some(control.clone());
        }
    }

    /// A snapshot did not come to its end: half of it is worth nothing.
    fn abandon_load(&mut self, apart: Apart) {
        self.server.host.log(LogLevel::Notice, log_text::replica::DISCARDING);
        self.server.host.free_dbs(apart.give_up());
        self.wait_for_world();
        self.core.publish_control(|control| {
            control.loading = false;
            control.async_loading = false;
        });
        self.core.lease.release();
    }

    fn wait_for_world(&mut self) {
        let mut attempt = std::mem::take(&mut self.attempt);
        while self.core.lease.take_world(&mut attempt) != Taken::Yes {
            self.sleep();
        }
        attempt.succeed();
        self.attempt = attempt;
    }

    fn world(&mut self) -> Result<(), Gone> {
        self.wait_for_world();
        self.check()
    }

    /// Takes shards, or the world, whatever it takes.
    fn hold(&mut self, world: bool, shards: &[ShardId]) -> Result<(), Gone> {
        if world {
            return self.world();
        }
        let mut attempt = std::mem::take(&mut self.attempt);
        loop {
            let taken = match self.core.lease.enter(&mut attempt) {
                Taken::Yes => self.core.lease.take(shards, &mut attempt),
                other => other,
            };
            match taken {
                Taken::Yes => break,
                Taken::Parked => self.sleep(),
                Taken::Again => {}
            }
        }
        attempt.succeed();
        self.attempt = attempt;
        self.check()
    }

    /// Sleeps until a wake. It may be meant for a change that this executor has left for later, behind which everybody
    /// else stands in the queue for the world, this very unit too.
    fn sleep(&mut self) {
        self.sleeper.sleep();
        if self.core.waits_for_world() {
            self.core.make_changes();
        }
    }

    /// Behind the gate: whether this link is still the one.
    fn check(&mut self) -> Result<(), Gone> {
        if self.is_current() {
            return Ok(());
        }
        self.core.lease.release();
        Err(Gone)
    }
}

fn set_online(control: &mut Control, now: bool) {
    if let Role::Replica { online, .. } = &mut control.role {
        *online = now;
    }
}
