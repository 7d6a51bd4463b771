//! The way of one command: lookup, admission, locks, handler, commit.
//!
//! Every check stands between entering the gate and leaving it, so what it found still holds when the command runs
//! (`engine::gate`, invariant 2). A command that cannot have its locks is parked: its arguments are copied out of the
//! client's buffer, and the whole way is gone again when its wake comes.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::binding::Class;
use command::context::{Env, OnTimeout, Random};
use command::keyspec::Databases;
use command::registry::{Lookup, RowId};
use command::row::{Flags, Row};
use engine::control::Copied;
use engine::id::{ExecutorId, ShardId};
use engine::lease::{Attempt, Lease, Taken};
use engine::ticket::Wake;
use engine::unit::{Call as UnitCall, Committed, Scratch, Unit, expiry_policy};
use keyspace::{Lookup as Trace, OnExpired, WaitEntry};
use resp::args::Args;
use resp::error::{self, Error};
use resp::log_text;
use session::{Client, Flag, Letter, Mailbox, OnTimeoutReply, Queued, ReplyMode, Waiting};
use smallvec::SmallVec;

use crate::admission::{Admission, Circumstances, judge, may_enter, narrowed};
use crate::busy::Meanwhile;
use crate::cluster::route;
use crate::commands::Call;
use crate::control::{Change, Control};
use crate::denials;
use crate::expiry;
use crate::hooks::NodeHooks;
use crate::migrate::Migration;
use crate::replication::Quiet;
use crate::replication::primary::Feeds;
use crate::server::{Bound, LogLevel, Server};
use crate::stats::{Counters, add};

/// What an executor needs to run commands; everything of a worker but its clients.
pub struct Core<'s> {
    /// The server.
    pub server: &'s Server,
    /// Which executor this is; I/O threads come first, so it is also the thread's number.
    pub me: usize,
    /// Its hold on the engine.
    pub lease: Lease<'s>,
    /// Memory of its units.
    pub scratch: Scratch,
    /// Randomness of its commands.
    pub random: Random,
    /// The newest control value that it has seen.
    pub(crate) seen: Copied<Control>,
    /// Its counters.
    pub counters: &'s Counters,
    /// Whether a control command of an EXEC is running: its log is part of the transaction's.
    pub in_exec: bool,
    /// Ended waits whose entries still stand in shards.
    pub tombstones: Vec<Arc<WaitEntry>>,
    /// Ended watches whose flags still stand in shards.
    pub stale_watches: Vec<session::WatchSet>,
    /// What this turn's replies depend on: they leave when the journal is durable up to here.
    pub turn_hold: u64,
    changes: Vec<Change>,
    change_attempt: Attempt,
    pub(crate) save_attempt: Attempt,
    pub(crate) failover_attempt: Attempt,
    /// Migrations that clients of this executor have begun, and its attempts to end them.
    pub(crate) migrations: Vec<Arc<Migration>>,
    pub(crate) migrate_attempt: Attempt,
    /// What the replicas among its clients are sent.
    pub feeds: Feeds,
    /// Somebody has begun to wait for replicas in this turn.
    pub wants_acks: bool,
    /// Commands come from our primary: what they log is in its stream already.
    pub(crate) applies: bool,
    /// When the latest command of the run in progress ended.
    pub(crate) last_end: Option<u64>,
    /// Of the command in progress: how long it ran, once it has, in ns.
    pub(crate) ran: Option<u64>,
    /// And how much it has logged, in bytes.
    pub(crate) logged: u64,
    /// Where the output of the command in progress begins.
    pub(crate) out_mark: usize,
}

/// Tickets of executors that want to make changes lie above all client ids.
pub(crate) const EXECUTOR_TICKETS: u64 = 1 << 62;

/// What an executor wants shards or the world for on its own account: each has a ticket of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Errand {
    /// A new control value.
    Change = 1,
    /// The cut of a snapshot.
    Save,
    /// The cut of a full sync, the end of the journal.
    Sync,
    /// What a primary sends.
    Apply,
    /// What is loaded at the start.
    Load,
    /// A new role, or another picture of the cluster.
    Cluster,
    /// The end of migrations.
    EndMigrations,
    /// A step of FAILOVER.
    Failover,
    /// What is given up at once when it cannot be had.
    InPassing,
}

fn own_attempt(errand: Errand, me: usize) -> Attempt {
    Attempt::new(EXECUTOR_TICKETS + ((errand as u64) << 32) + me as u64)
}

/// Wakes a parked client by a letter to its thread.
struct WakeByLetter(Arc<Mailbox>);

impl Wake for WakeByLetter {
    fn wake(&self, ticket: u64) {
        self.0.post(Letter::Wake { client: ticket });
    }
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has its reply, or waits in a way that it has set up itself.
    Done,
    /// It waits for locks or for the end of a pause, and will be run again.
    Parked,
}

pub(crate) type Shards = SmallVec<[ShardId; 8]>;

impl<'s> Core<'s> {
    /// The executor `me` of a server, woken by letters.
    pub fn new(server: &'s Server, me: usize) -> Self {
        let mailbox = server.mailboxes[me.min(server.mailboxes.len() - 1)].clone();
        Self::with_wake(server, me, Arc::new(WakeByLetter(mailbox)))
    }

    /// An executor whose parked units are brought back by `wake`: one without clients.
    pub fn with_wake(server: &'s Server, me: usize, wake: Arc<dyn Wake>) -> Self {
        Core {
            server,
            me,
            lease: Lease::new(&server.engine, ExecutorId(me as u16), wake),
            scratch: Scratch::default(),
            random: Random::new(server.host.entropy()),
            seen: Copied::new(&server.control),
            counters: &server.counters[me],
            in_exec: false,
            tombstones: Vec::new(),
            stale_watches: Vec::new(),
            turn_hold: 0,
            changes: Vec::new(),
            change_attempt: own_attempt(Errand::Change, me),
            save_attempt: own_attempt(Errand::Save, me),
            failover_attempt: own_attempt(Errand::Failover, me),
            migrations: Vec::new(),
            migrate_attempt: own_attempt(Errand::EndMigrations, me),
            feeds: Feeds::default(),
            wants_acks: false,
            applies: false,
            last_end: None,
            ran: None,
            logged: 0,
            out_mark: 0,
        }
    }

    /// An attempt of this executor's own.
    pub fn new_attempt(&self, errand: Errand) -> Attempt {
        own_attempt(errand, self.me)
    }

    /// The control value in force.
    pub fn control(&mut self) -> Rc<Control> {
        self.seen.get(&self.server.control).clone()
    }

    /// Executes one request of a client; `row` is the command that it names, if that was looked up already. The reply is in
    /// its output, unless it waits.
    pub fn execute(&mut self, client: &mut Client, row: Option<RowId>, args: Args<'_>, meanwhile: &mut dyn Meanwhile) {
        let start = client.out.len();
        let was_replica = client.card.is(Flag::Replica);
        let parked_before = matches!(client.waiting, Waiting::Parked(_));
        let asked = client.asking;
        let slot = self.slot_to_charge(client, &args);
        (self.ran, self.logged, self.out_mark) = (None, 0, start);
        let outcome = self.dispatch(client, row, args, meanwhile);
        if outcome == Outcome::Parked {
            if !parked_before {
                client.waiting = Waiting::Parked(args.to_owned_args());
            }
            return;
        }
        client.unpacked = None;
        if let Some((slot, is_exec)) = slot {
            self.charge(client, slot, &args, is_exec, client.out.len().saturating_sub(start));
        }
        if asked && client.multi.is_none() {
            // ASKING is said for one command, or for one transaction.
            let last = client.card.last_command.load(Ordering::Relaxed) as usize;
            client.asking = self.server.registry.row(RowId(last as u16)).name() == "asking";
        }
        if was_replica && client.out.len() > start {
            self.disown(client, start, &args);
            return;
        }
        match client.reply_mode {
            ReplyMode::On => {}
            ReplyMode::Off => client.silence(start),
            ReplyMode::SkipNext => {
                client.silence(start);
                client.reply_mode = ReplyMode::Skip;
            }
            ReplyMode::Skip => {
                client.silence(start);
                client.reply_mode = ReplyMode::On;
            }
        }
    }

    /// A replica has caused a reply. On its link only the stream may stand, so it is closed.
    fn disown(&mut self, client: &mut Client, start: usize, args: &Args<'_>) {
        let name = match self.server.registry.lookup(args) {
            Lookup::Found(id) => self.server.registry.row(id).fullname,
            _ => "<unknown>",
        };
        if client.out.buf.get(start) == Some(&b'-') {
            let reply = String::from_utf8_lossy(&client.out.buf[start + 1..]).trim_end().to_owned();
            self.server.host.log(LogLevel::Warning, &log_text::primary::error_to_replica(&reply, name));
        }
        client.out.buf.truncate(start);
        client.close_asap = true;
        client.card.set(Flag::CloseAsap, true);
        let who = crate::commands::client::line::describe(self, &client.card);
        self.server.host.log(LogLevel::Warning, &log_text::primary::replied_to_replica(name, &who));
    }

    fn dispatch(
        &mut self,
        client: &mut Client,
        row: Option<RowId>,
        args: Args<'_>,
        meanwhile: &mut dyn Meanwhile,
    ) -> Outcome {
        let id = match row.map_or_else(|| self.find(&args), Ok) {
            Ok(id) => id,
            Err(_) if is_browser(args.at(0)) => {
                self.server.host.log(LogLevel::Warning, log_text::client::BROWSER);
                client.close_asap = true;
                return Outcome::Done;
            }
            // Who has not authenticated does not learn which commands there are.
            Err(_) if !may_enter(&self.control().users, client) => {
                return self.refuse(client, None, error::common::NOAUTH);
            }
            Err(e) => return self.refuse(client, None, e),
        };
        let row = self.server.registry.row(id);
        if !row.has(Flags::NO_AUTH) && !may_enter(&self.control().users, client) {
            return self.refuse(client, Some(id), error::common::NOAUTH);
        }
        if !row.accepts(args.len()) {
            return self.refuse(client, Some(id), error::common::wrong_arity(row.fullname));
        }
        client.card.args_bytes.store(args.iter().map(|arg| arg.len() as u64).sum(), Ordering::Relaxed);
        client.card.last_command.store(id.index() as u32, Ordering::Relaxed);
        let bound = self.server.bound[id.index()];
        let queues = client.multi.is_some() && !runs_in_multi(row);
        let class = match row.name() {
            "exec" => crate::transaction::class(self.server, client),
            _ => commands::class_of(bound.class(), &args),
        };
        loop {
            let taken = if class == Class::World && !queues {
                self.lease.take_world(&mut client.attempt)
            } else {
                self.lease.enter(&mut client.attempt)
            };
            match taken {
                Taken::Yes => {}
                Taken::Parked => return Outcome::Parked,
                Taken::Again => continue,
            }
            let control = self.control();
            let how = Circumstances {
                out_of_memory: self.is_out_of_memory(&control),
                too_few_replicas: self.server.too_few_replicas(&control),
                bus_is_deaf: (row.has(Flags::WRITE) || client.multi.is_some())
                    && self.server.cluster.as_ref().is_some_and(|node| node.is_deaf(self.server.engine.now())),
                in_exec: false,
            };
            match judge(&control, client, id, row, args, &how) {
                Admission::Run => {}
                // A command that was parked before may have a place in a queue, which it gives up.
                Admission::Pause => {
                    self.lease.abandon(&mut client.attempt);
                    self.lease.end_unit();
                    return Outcome::Parked;
                }
                Admission::Refuse(e) => {
                    self.lease.end_unit();
                    return self.refuse(client, Some(id), e);
                }
                Admission::Deny(denied) => {
                    self.lease.end_unit();
                    let e = denials::note(self, client, row, &args, denied);
                    return self.refuse(client, Some(id), e);
                }
                Admission::Redirect(e) => {
                    self.lease.abandon(&mut client.attempt);
                    self.lease.end_unit();
                    return self.redirect(client, id, &e);
                }
            }
            if queues {
                self.enqueue(client, &control, id, row, args);
                self.lease.end_unit();
                return Outcome::Done;
            }
            if !self.is_unpacked(client, row, &args, &control.env) {
                self.lease.abandon(&mut client.attempt);
                self.lease.end_unit();
                return Outcome::Parked;
            }
            let done = match bound {
                Bound::Data(..) if class == Class::Cursor => self.run_scan(client, &control, id, row, args),
                Bound::Data(handler, _) => self.run_data(client, &control, id, row, handler, class, args),
                Bound::Control(handler, _) if row.name() == "exec" => {
                    let _ = handler;
                    let (start, mark) = (self.start_clock(), client.out.len());
                    let done = self.run_exec(client, meanwhile);
                    if done == Some(Outcome::Done) {
                        let failed = client.out.buf.get(mark) == Some(&b'-');
                        if failed {
                            self.note_error(crate::stats::code_of(&client.out.buf[mark..]));
                        }
                        if !control.monitors.is_empty() {
                            self.feed_monitors(&control, client, row, args);
                        }
                        self.account(id, start, failed, client, args);
                    }
                    done
                }
                Bound::Control(handler, _) => {
                    match self.take_named(client, row, class, args) {
                        Ok(Taken::Yes) => {}
                        Ok(Taken::Parked) => return Outcome::Parked,
                        Ok(Taken::Again) => continue,
                        Err(e) => {
                            self.lease.end_unit();
                            return self.refuse(client, Some(id), e);
                        }
                    }
                    if !control.monitors.is_empty() {
                        self.feed_monitors(&control, client, row, args);
                    }
                    self.begin_unit();
                    let start = self.start_clock();
                    let mark = client.out.mark();
                    let result = handler(&mut Call { core: self, client, args, row, meanwhile });
                    let failed = result.is_err();
                    if let Err(e) = result {
                        client.out.truncate(mark);
                        client.out.error(&e);
                        self.note_error(e.code());
                    }
                    self.finish_control(client);
                    self.account(id, start, failed, client, args);
                    Some(Outcome::Done)
                }
                Bound::Absent => Some(Outcome::Done),
            };
            if let Some(outcome) = done {
                self.lease.end_unit();
                if outcome == Outcome::Done {
                    // One that was parked and has ended without what it had waited for gives its place up.
                    self.lease.abandon(&mut client.attempt);
                }
                return outcome;
            }
        }
    }

    /// Runs a data command; `None` when it has to begin again.
    #[allow(clippy::too_many_arguments)]
    fn run_data(
        &mut self,
        client: &mut Client,
        control: &Control,
        id: RowId,
        row: &'static Row,
        handler: command::context::Handler,
        class: Class,
        args: Args<'_>,
    ) -> Option<Outcome> {
        let mut shards = match self.plan(row, class, args) {
            Ok(shards) => shards,
            Err(e) => {
                self.note_error(e.code());
                client.out.error(&e);
                return Some(Outcome::Done);
            }
        };
        match self.take(client, &mut shards, &[(row, args)]) {
            Taken::Yes => {}
            Taken::Parked => return Some(Outcome::Parked),
            Taken::Again => return None,
        }
        if control.cluster.is_some()
            && let Err(e) = route::open_slot(&mut self.lease, control, client, &[(row, args)])
        {
            return Some(self.redirect(client, id, &e));
        }
        if !control.monitors.is_empty() {
            self.feed_monitors(control, client, row, args);
        }
        let start = self.start_clock();
        let mark = client.out.len();
        let own = match client.unpacked.take() {
            Some(unpacked) => Some(Env { unpacked: Some(unpacked), ..Env::clone(&control.env) }),
            None => narrowed(control, client, id, row, args, &control.env),
        };
        let env: &Env = own.as_ref().unwrap_or(&control.env);
        let mut space = self.lease.space(client.db);
        prepare(&mut space, control, env, client, row.has(Flags::WRITE));
        let quiet = Quiet(&self.server.journal);
        let sink = Self::sink(&self.server.journal, &quiet, control);
        let mut unit = Unit::begin(space, sink, &mut self.scratch, &mut self.random);
        if row.has(Flags::TOUCHES_ARBITRARY_KEYS) {
            unit.unframed();
        }
        let result = unit.call(&UnitCall { row, handler, args, env }, &mut client.out);
        if control.is_replica() && row.has(Flags::WRITE) {
            expiry::note_own(self.server, &unit.space, row, args);
        }
        let mut hooks = NodeHooks { server: self.server, control, counters: self.counters };
        let committed = match result {
            Ok(()) => unit.commit(&mut hooks),
            Err(block) => {
                let entry = crate::waiting::entry(client, self.me, args, row, &block, unit.space.now);
                unit.wait(&entry);
                let committed = unit.commit(&mut hooks);
                let vain = match block.on_timeout {
                    OnTimeout::NullArray => OnTimeoutReply::NullArray,
                    OnTimeout::Null => OnTimeoutReply::Null,
                };
                *client.card.wait.lock() = Some(entry.clone());
                client.waiting = Waiting::Keys(entry, vain);
                client.card.set(Flag::Blocked, true);
                committed
            }
        };
        let failed = client.out.buf.get(mark) == Some(&b'-');
        if failed {
            self.note_error(crate::stats::code_of(&client.out.buf[mark..]));
        }
        self.settle(client, committed);
        // One that waits is counted when its wait ends.
        if !matches!(client.waiting, Waiting::Keys(..)) {
            self.account(id, start, failed, client, args);
        }
        if class == Class::World && !failed {
            crate::saving::after(self, control, row, !control.is_replica());
        }
        Some(Outcome::Done)
    }

    /// Takes the shards that a control command names (WATCH).
    fn take_named(&mut self, client: &mut Client, row: &Row, class: Class, args: Args<'_>) -> Result<Taken, Error> {
        if !matches!(class, Class::Keys | Class::Slot) {
            return Ok(Taken::Yes);
        }
        let mut shards = self.plan(row, class, args)?;
        let taken = self.take(client, &mut shards, &[(row, args)]);
        let control = self.control();
        if control.cluster.is_some() && taken == Taken::Yes {
            route::open_slot(&mut self.lease, &control, client, &[(row, args)])?;
        }
        Ok(taken)
    }

    /// Publishes a changed control value. The command in progress is of class World, so no other unit runs; when its reply
    /// leaves, none that was decided under the old value can still run.
    pub fn publish_control(&mut self, change: impl FnOnce(&mut Control)) {
        let before = self.control();
        let mut control = Control::clone(&before);
        change(&mut control);
        let eased = control.pause < before.pause;
        let world = self.lease.world().expect("a control value is published by a unit that is alone");
        self.server.control.publish(world, Arc::new(control));
        if eased {
            self.server.recheck();
        }
    }

    /// Takes over what a spare core has left to be done.
    pub fn absorb(&mut self, spare: &mut Core<'s>) {
        self.tombstones.append(&mut spare.tombstones);
        self.stale_watches.append(&mut spare.stale_watches);
        self.changes.append(&mut spare.changes);
        self.hold(std::mem::take(&mut spare.turn_hold));
    }

    /// Leaves a change of the control value to the next moment in which this executor can have the world.
    pub fn later(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Makes the changes that were left for later, if the world can be had; otherwise a wake will come.
    pub fn make_changes(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let mut attempt = std::mem::take(&mut self.change_attempt);
        if self.lease.take_world(&mut attempt) == Taken::Yes {
            let changes = std::mem::take(&mut self.changes);
            self.publish_control(|control| changes.into_iter().for_each(|change| change.apply(control)));
            self.lease.release();
            attempt.succeed();
        }
        self.change_attempt = attempt;
    }

    /// Whether this executor stands in the queue for the world on its own account. Its thread must not sleep then: the wake
    /// would not be heard, and nobody could pass.
    pub fn waits_for_world(&self) -> bool {
        self.change_attempt.is_queued() || self.save_attempt.is_queued() || self.failover_attempt.is_queued()
    }

    /// What leaves with this turn tells of the journal up to `offset`.
    pub fn hold(&mut self, offset: u64) {
        self.turn_hold = self.turn_hold.max(offset);
    }

    /// Makes durable what the turn's replies depend on.
    pub fn flush_turn(&mut self) {
        let hold = std::mem::take(&mut self.turn_hold);
        if hold == 0 || !self.server.aof_on.load(Ordering::Acquire) {
            return;
        }
        let control = self.control();
        let result = self.server.host.flush_journal(hold, &control.config);
        match (result, &control.aof_failed) {
            (Ok(()), None) => {}
            (Ok(()), Some(_)) => self.later(Change::new(|control| control.aof_failed = None)),
            (Err(reason), _) => {
                self.server.host.log(LogLevel::Warning, &log_text::aof::write_failed(&reason));
                if control.config.aof.appendfsync == config::directives::aof::AppendFsync::Always {
                    // What was promised to be on the disk is not: ending is the only honest answer.
                    self.server.host.log(LogLevel::Warning, log_text::aof::CANNOT_RECOVER);
                    self.server.mute.store(true, Ordering::Release);
                    self.server.stop(1);
                }
                let reason: Arc<str> = reason.into();
                self.later(Change::new(move |control| control.aof_failed = Some(reason)));
            }
        }
    }

    /// Begins the log of a unit whose commands are not handlers of data.
    pub fn begin_unit(&mut self) {
        if !self.in_exec {
            self.scratch.begin();
        }
    }

    /// Adds a command to the log of the unit in progress (PUBLISH, FUNCTION LOAD …).
    pub fn log(&mut self, db: keyspace::DbIndex, args: &[&[u8]], stream_only: bool) {
        if self.server.journal.is_awake() && !self.applies && !self.seen.latest().is_replica() {
            self.scratch.log(db, args, stream_only);
        }
    }

    pub(crate) fn finish_control(&mut self, client: &mut Client) {
        if self.scratch.is_empty() {
            return;
        }
        let control = self.control();
        let space = self.lease.space(client.db);
        let quiet = Quiet(&self.server.journal);
        let sink = Self::sink(&self.server.journal, &quiet, &control);
        let unit = Unit::resume(space, sink, &mut self.scratch, &mut self.random);
        let mut hooks = NodeHooks { server: self.server, control: &control, counters: self.counters };
        let committed = unit.commit(&mut hooks);
        self.settle(client, committed);
    }

    /// Takes note of what a committed unit means for its client: what must be durable before this turn's replies leave, and
    /// what WAIT waits for.
    pub fn settle(&mut self, client: &mut Client, committed: Committed) {
        self.hold(committed.hold);
        self.logged += committed.logged;
        if let Some(end) = committed.end {
            client.write_offset = end;
        }
    }

    fn enqueue(&mut self, client: &mut Client, control: &Control, id: RowId, row: &Row, args: Args<'_>) {
        let databases = u32::from(control.env.databases);
        let Some(multi) = &mut client.multi else { return };
        // That they are of one slot was found out when the command was admitted.
        let slot = control.cluster.as_ref().and_then(|_| route::slot_of(row, &args).ok().flatten());
        let args = args.to_owned_args();
        multi.bytes += args.heap_bytes();
        multi.flags = multi.flags.union(row.flags);
        multi.common = multi.common.intersection(row.flags);
        if row.databases == Databases::Select
            && let Some(db) = row.databases.among(&args.as_args(), databases).first()
        {
            multi.db = keyspace::DbIndex(*db as u16);
        }
        multi.queue.push(Queued { row: id, args, slot });
        client.card.multi.store(multi.queue.len() as i64, Ordering::Relaxed);
        client.card.multi_bytes.store(multi.bytes as u64, Ordering::Relaxed);
        client.out.queued();
    }

    pub(crate) fn refuse(&mut self, client: &mut Client, id: Option<RowId>, e: Error) -> Outcome {
        if let Some(id) = id {
            add(&self.counters.commands[id.index()].rejected, 1);
        }
        self.note_error(e.code());
        self.lease.abandon(&mut client.attempt);
        let is_exec = id.is_some_and(|id| self.server.registry.row(id).name() == "exec");
        if is_exec {
            // EXEC itself was refused: the transaction is over, and its error says why.
            crate::transaction::discard(self, client);
            if e.code() == b"REDIRECT" {
                client.out.error(&e);
                return Outcome::Done;
            }
            let text = e.text();
            let text = text.strip_prefix(b"ERR ").unwrap_or(text);
            client.out.error(&error::multi::execabort_because(text));
            return Outcome::Done;
        }
        if let Some(multi) = &mut client.multi {
            multi.aborted = true;
        }
        client.out.error(&e);
        Outcome::Done
    }

    /// Sends a client to another node, or away for now. A transaction is over, or cannot come to its end.
    pub(crate) fn redirect(&mut self, client: &mut Client, id: RowId, e: &Error) -> Outcome {
        add(&self.counters.commands[id.index()].rejected, 1);
        self.note_error(e.code());
        if self.server.registry.row(id).name() == "exec" {
            crate::transaction::discard(self, client);
        } else if let Some(multi) = &mut client.multi {
            multi.aborted = true;
        }
        client.out.error(e);
        Outcome::Done
    }

    /// The command that a request names, if this server has it.
    pub(crate) fn find(&self, args: &Args<'_>) -> Result<RowId, Error> {
        let server = self.server;
        let unknown_sub = |container: RowId| {
            let name = server.registry.row(container).fullname;
            error::common::unknown_subcommand(name.as_bytes(), args.at(1))
        };
        match server.registry.lookup(args) {
            Lookup::Found(id) if server.has(id) => Ok(id),
            Lookup::Found(id) => match server.registry.parent(id) {
                Some(container) if server.has(container) => Err(unknown_sub(container)),
                _ => Err(unknown(args)),
            },
            Lookup::UnknownSubcommand(container) if server.has(container) => Err(unknown_sub(container)),
            Lookup::UnknownSubcommand(_) | Lookup::UnknownCommand => Err(unknown(args)),
        }
    }
}

/// Nobody comes back for what is queued: it must not stand in the way of others who still have to end.
impl Drop for Core<'_> {
    fn drop(&mut self) {
        let Core { change_attempt, save_attempt, failover_attempt, migrate_attempt, .. } = self;
        for attempt in [change_attempt, save_attempt, failover_attempt, migrate_attempt] {
            self.lease.abandon(attempt);
        }
    }
}

/// Puts the policies of the control value into a unit's view of the keyspace.
pub(crate) fn prepare(space: &mut keyspace::Space<'_>, control: &Control, env: &Env, client: &Client, writes: bool) {
    let replica = control.is_replica();
    let imports = !replica && control.config.replication.import_mode;
    // Expired keys of which another server decides are hidden, until a command writes to them here.
    let others = (replica || imports) && !writes;
    space.on_expired = match imports && client.card.is(Flag::ImportSource) {
        true => OnExpired::Obey,
        false => expiry_policy(env, others, control.keeps_still()),
    };
    space.ends_keys = !replica && !imports;
    space.clock = keyspace::AccessClock::at(
        space.now,
        env.lfu,
        control.config.memory.lfu_log_factor,
        control.config.memory.lfu_decay_time,
    );
    if client.card.is(Flag::NoTouch) {
        space.lookup = Trace::Peek;
    }
}

/// What a browser sends that was made to talk to us: a page must not reach a data store through its reader's machine.
fn is_browser(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// Commands that are executed although a transaction is open.
fn runs_in_multi(row: &Row) -> bool {
    matches!(row.name(), "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

fn unknown(args: &Args<'_>) -> Error {
    error::common::unknown_command(args.at(0), args.from(1).iter())
}
