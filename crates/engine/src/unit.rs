//! A unit of execution: what runs atomically.
//!
//! One command, one EXEC, one script or one served blocked client. A unit has its shards, one `now`, and one log; it runs
//! its commands, then commits: one append to the journal, the events to their subscribers, and the clients that it has made
//! ready. Each of those is a unit of its own, run under the same locks and journalled right behind, never inside the frame
//! of the unit that woke it.
//!
//! ```text
//!   locks held ─┬─ call ─┬─ call ─┬─ … ─┬─ commit: journal append ─┬─ events ─┬─ serve waiter ─┬─ … ─┬─ locks released
//!               │ expired DELs, then the command's own records     │          │  (its own append)
//! ```

use std::sync::Arc;

use command::context::{Block, Context, Done, Env, Handler, Random, Stop};
use command::effects::{Effects, Event, Propagate, class};
use command::row::{Group, Row};
use keyspace::{Db, DbIndex, Deletion, Key, Lookup, OnExpired, Space, SpaceStats, UnixMillis, WaitEntry, WaitState};
use resp::args::Args;
use resp::encode;
use resp::reply::Reply;
use value::Value;

/// One record of a unit's log, as a range of [`UnitLog::bytes`].
#[derive(Clone, Debug)]
pub struct LogRecord {
    /// The database in which it is to be executed.
    pub db: DbIndex,
    /// Where its bytes end; they begin where those of the record before end.
    pub end: usize,
    /// Whether only replicas execute it (PUBLISH).
    pub stream_only: bool,
}

/// What a unit will append to the journal. Reused from unit to unit.
#[derive(Default, Debug)]
pub struct UnitLog {
    /// The records, in order.
    pub records: Vec<LogRecord>,
    /// Their bytes.
    pub bytes: Vec<u8>,
    /// Commands on arbitrary keys (expiry, eviction) are not framed by MULTI/EXEC.
    pub unframed: bool,
}

/// MULTI and EXEC in the stream.
const FRAME_LEN: u64 = b"*1\r\n$5\r\nMULTI\r\n*1\r\n$4\r\nEXEC\r\n".len() as u64;

/// Memory that an executor keeps for the log of its next unit, in bytes.
const KEPT_LOG: usize = 64 * 1024;

impl UnitLog {
    fn clear(&mut self) {
        self.records.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_LOG);
        self.unframed = false;
    }

    /// Adds a command.
    pub fn push(&mut self, db: DbIndex, args: &[&[u8]]) {
        encode::command(&mut self.bytes, args);
        self.end_record(db, false);
    }

    fn end_record(&mut self, db: DbIndex, stream_only: bool) {
        self.records.push(LogRecord { db, end: self.bytes.len(), stream_only });
    }

    /// How long it is with the frame that the journal puts around it.
    fn framed_len(&self) -> u64 {
        let framed = self.records.len() > 1 && !self.unframed;
        self.bytes.len() as u64 + if framed { FRAME_LEN } else { 0 }
    }

    /// The records with their bytes.
    pub fn iter(&self) -> impl Iterator<Item = (DbIndex, &[u8], bool)> {
        let starts = std::iter::once(0).chain(self.records.iter().map(|r| r.end));
        self.records.iter().zip(starts).map(|(r, start)| (r.db, &self.bytes[start..r.end], r.stream_only))
    }
}

/// What a unit gathers until it commits. An executor lends it to its units, one after the other; between the commands of
/// an EXEC it stays open.
#[derive(Default, Debug)]
pub struct Scratch {
    effects: Effects,
    log: UnitLog,
    events: Vec<Event>,
    ready: Vec<(DbIndex, Box<[u8]>)>,
    dirty: u64,
    /// Bytes that this unit has appended.
    logged: u64,
}

impl Scratch {
    /// Begins a unit.
    pub fn begin(&mut self) {
        self.log.clear();
        self.events.clear();
        self.ready.clear();
        self.dirty = 0;
        self.logged = 0;
    }

    /// Whether the unit has nothing to commit so far.
    pub fn is_empty(&self) -> bool {
        self.log.records.is_empty() && self.events.is_empty() && self.ready.is_empty() && self.dirty == 0
    }

    /// Adds a command that no handler has run (PUBLISH, SWAPDB). The caller has asked whether the log is read.
    pub fn log(&mut self, db: DbIndex, args: &[&[u8]], stream_only: bool) {
        encode::command(&mut self.log.bytes, args);
        self.log.end_record(db, stream_only);
    }

    /// Counts changes that no handler has counted.
    pub fn count_dirty(&mut self, by: u64) {
        self.dirty += by;
    }
}

/// Where a unit's log goes. The journal implements it; so does a test that wants to look.
pub trait Sink {
    /// Whether anybody reads the log; if not, nothing is encoded.
    fn is_awake(&self) -> bool;
    /// Appends the log of one unit and returns the offset of its end.
    fn append(&self, log: &UnitLog) -> u64;
    /// The offset of the end of the newest unit.
    fn end(&self) -> u64;
}

/// What a unit needs from its surroundings when it commits.
pub trait Hooks {
    /// The time of this moment, for those who are served.
    fn now(&mut self) -> UnixMillis;
    /// Publishes keyspace events.
    fn publish(&mut self, events: &[Event], offset: u64);
    /// Counts changes (`rdb_changes_since_last_save`).
    fn dirty(&mut self, changes: u64);
    /// Whether the command of a blocked client may run now, and how. `None`: it goes on waiting.
    fn admit(&mut self, waiter: &WaitEntry) -> Option<Admitted>;
    /// A blocked client has its reply.
    fn served(&mut self, waiter: &Arc<WaitEntry>, reply: Reply, offset: u64);
    /// Frees values in the background.
    fn free(&mut self, garbage: Vec<Value>);
    /// Frees emptied databases in the background.
    fn free_dbs(&mut self, detached: Vec<Db>);
    /// Writes a line to the log.
    fn log(&mut self, _line: &str) {}
    /// Adds a unit's lookups to the thread's counters.
    fn count(&mut self, stats: SpaceStats);
}

/// The command of a blocked client, ready to be run again.
pub struct Admitted {
    /// Its row.
    pub row: &'static Row,
    /// Its handler.
    pub handler: Handler,
    /// Its surroundings.
    pub env: Arc<Env>,
}

/// How one command is to be run.
pub struct Call<'c> {
    /// Its row.
    pub row: &'static Row,
    /// Its handler.
    pub handler: Handler,
    /// Its arguments.
    pub args: Args<'c>,
    /// Its surroundings.
    pub env: &'c Env,
}

/// What a committed unit leaves behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Committed {
    /// Replies to what this unit has read or written may leave when the journal has reached this offset.
    pub hold: u64,
    /// The end of the unit's own records; `None` when it appended nothing.
    pub end: Option<u64>,
    /// Bytes of the log, of those who were served too; a SELECT that the journal puts before them is not counted.
    pub logged: u64,
}

/// A unit at work.
pub struct Unit<'u> {
    /// The keyspace as it sees it.
    pub space: Space<'u>,
    sink: &'u dyn Sink,
    scratch: &'u mut Scratch,
    random: &'u mut Random,
}

impl<'u> Unit<'u> {
    /// Begins a unit over the shards of `space`.
    pub fn begin(space: Space<'u>, sink: &'u dyn Sink, scratch: &'u mut Scratch, random: &'u mut Random) -> Self {
        scratch.begin();
        Unit { space, sink, scratch, random }
    }

    /// Goes on with the unit that `scratch` holds.
    pub fn resume(space: Space<'u>, sink: &'u dyn Sink, scratch: &'u mut Scratch, random: &'u mut Random) -> Self {
        Unit { space, sink, scratch, random }
    }

    /// Interrupts the unit: what it has gathered stays in its scratch.
    pub fn suspend(mut self, hooks: &mut dyn Hooks) {
        self.tidy(hooks);
    }

    /// Runs one command. A command that fails leaves its error in the reply; one that has to wait says so.
    pub fn call(&mut self, call: &Call<'_>, reply: &mut Reply) -> Result<(), Block> {
        let Scratch { effects, log, events, ready, dirty, .. } = &mut *self.scratch;
        let mark = reply.mark();
        self.space.wanted = call.env.wanted();
        let mut context = Context {
            row: call.row,
            args: call.args,
            space: &mut self.space,
            reply,
            effects,
            env: call.env,
            random: self.random,
        };
        let done: Done = (call.handler)(&mut context);
        context.gather_notes();
        if !self.space.expired.is_empty() {
            note_expired(&mut self.space, log, events, call.env, self.sink.is_awake());
        }
        let result = match done {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) => {
                debug_assert!(effects.dirty == 0, "{} answered an error after a change", call.row.fullname);
                reply.truncate(mark);
                reply.error(&error);
                Ok(())
            }
            Err(Stop::Block(block)) => {
                debug_assert!(effects.dirty == 0, "{} blocked after a change", call.row.fullname);
                reply.truncate(mark);
                Err(block)
            }
        };
        if !effects.is_empty() {
            *dirty += effects.dirty;
            if self.sink.is_awake() {
                record(log, effects, self.space.db, &call.args);
            }
            events.append(&mut effects.events);
            ready.append(&mut effects.ready);
            effects.clear();
        }
        result
    }

    /// The log is a run of independent commands, not a transaction.
    pub fn unframed(&mut self) {
        self.scratch.log.unframed = true;
    }

    /// Deletes the key if its time has come (the active expiry cycle).
    pub fn expire(&mut self, key: &Key<'_>, env: &Env) -> bool {
        let gone = !self.space.exists(key);
        if !self.space.expired.is_empty() {
            let awake = self.sink.is_awake();
            let Scratch { log, events, dirty, .. } = &mut *self.scratch;
            *dirty += 1;
            note_expired(&mut self.space, log, events, env, awake);
        }
        gone
    }

    /// Removes a key because memory is short. Its deletion is propagated, but no change of the data set is counted.
    pub fn evict(&mut self, key: &Key<'_>, env: &Env, lazy: bool) {
        self.drop_key(key, env, lazy, (class::EVICTED, "evicted"));
    }

    /// Deletes a key as DEL would, because its slot is no longer served.
    pub fn delete(&mut self, key: &Key<'_>, env: &Env) {
        if self.drop_key(key, env, env.lazy_server_del, (class::GENERIC, "del")) {
            self.scratch.dirty += 1;
        }
    }

    fn drop_key(&mut self, key: &Key<'_>, env: &Env, lazy: bool, event: (u32, &'static str)) -> bool {
        let deletion = if lazy { Deletion::Lazy } else { Deletion::Sync };
        let removed = self.space.remove(key, deletion);
        let awake = self.sink.is_awake();
        let Scratch { log, events, .. } = &mut *self.scratch;
        note_expired(&mut self.space, log, events, env, awake);
        if removed {
            self.space.touch(key);
            let db = self.space.db;
            if awake {
                let verb: &[u8] = if lazy { b"UNLINK" } else { b"DEL" };
                log.push(db, &[verb, key.bytes]);
            }
            let (class, name) = event;
            if env.notify & class != 0 {
                events.push(Event { class, name, db, key: key.bytes.into() });
            }
        }
        removed
    }

    /// Registers a client that has to wait with each of its keys, under the locks under which it found nothing.
    pub fn wait(&mut self, entry: &Arc<WaitEntry>) {
        for name in &entry.keys {
            let id = self.space.map().of_key(name);
            if let Some(shard) = self.space.shard_mut(id) {
                shard.waiting.wait(entry.db, name, entry);
            }
        }
    }

    /// Ends the unit: one append, its events, and those who waited for what it has made ready.
    pub fn commit(mut self, hooks: &mut dyn Hooks) -> Committed {
        let mut end = self.append(hooks);
        if !self.scratch.ready.is_empty() {
            self.serve(hooks, &mut end);
        }
        self.tidy(hooks);
        let hold = self.space.shards_mut().map(|(_, shard)| shard.last_offset).max().unwrap_or(0);
        Committed { hold: hold.max(end.unwrap_or(0)), end, logged: self.scratch.logged }
    }

    /// Gives away what the unit's view of the keyspace has gathered.
    fn tidy(&mut self, hooks: &mut dyn Hooks) {
        if !self.space.garbage.is_empty() {
            hooks.free(std::mem::take(&mut self.space.garbage));
        }
        if !self.space.detached.is_empty() {
            hooks.free_dbs(std::mem::take(&mut self.space.detached));
        }
        for line in self.scratch.effects.log.drain(..) {
            hooks.log(&line);
        }
        hooks.count(std::mem::take(&mut self.space.stats));
    }

    fn append(&mut self, hooks: &mut dyn Hooks) -> Option<u64> {
        if self.scratch.dirty > 0 {
            hooks.dirty(std::mem::take(&mut self.scratch.dirty));
        }
        let end = if self.scratch.log.records.is_empty() {
            None
        } else {
            let end = self.sink.append(&self.scratch.log);
            self.scratch.logged += self.scratch.log.framed_len();
            self.scratch.log.clear();
            for (_, shard) in self.space.shards_mut() {
                shard.last_offset = end;
            }
            Some(end)
        };
        if !self.scratch.events.is_empty() {
            hooks.publish(&self.scratch.events, end.unwrap_or_else(|| self.sink.end()));
            self.scratch.events.clear();
        }
        end
    }

    /// Serves blocked clients: key by key in the order in which the keys became ready, for each key the clients in the
    /// order in which they blocked, at most those that waited when serving it began. The whole command of each is run
    /// again, so that BLPOP looks at its keys in its own order. What they change may make further keys ready. For them the
    /// time is not the unit's but theirs: a key that has expired while a long transaction ran is no longer there.
    fn serve(&mut self, hooks: &mut dyn Hooks, end: &mut Option<u64>) {
        let (db, lookup, now) = (self.space.db, self.space.lookup, self.space.now);
        self.space.now = now.max(hooks.now());
        let mut next = 0;
        while let Some((key_db, name)) = self.scratch.ready.get(next).cloned() {
            next += 1;
            let id = self.space.map().of_key(&name);
            let waiters = match self.space.shard_mut(id) {
                Some(shard) => shard.waiting.of(key_db, &name),
                None => continue,
            };
            for waiter in waiters {
                let Some(admitted) = hooks.admit(&waiter) else { continue };
                self.space.select(waiter.db);
                // A key whose time has come is left to the next one who looks at it.
                let kind = self.space.glance(&self.space.key(&name)).map(|view| view.type_name());
                if !serves(admitted.row.group, kind) || !waiter.end(WaitState::Claimed) {
                    continue;
                }
                self.space.lookup = Lookup::Touch;
                let mut reply = Reply::new(waiter.proto);
                let args = waiter.args.as_args();
                let call = Call { row: admitted.row, handler: admitted.handler, args, env: &admitted.env };
                match self.call(&call, &mut reply) {
                    Ok(()) => {
                        for name in &waiter.keys {
                            let id = self.space.map().of_key(name);
                            if let Some(shard) = self.space.shard_mut(id) {
                                shard.waiting.leave(waiter.db, name, &waiter);
                            }
                        }
                        let own = self.append(hooks);
                        *end = own.or(*end);
                        let offset = own.unwrap_or_else(|| self.sink.end());
                        hooks.served(&waiter, reply, offset);
                    }
                    Err(_) => waiter.release(),
                }
            }
        }
        // Keys whose end was met by those who could not be served after all.
        *end = self.append(hooks).or(*end);
        self.scratch.ready.clear();
        self.space.select(db);
        self.space.lookup = lookup;
        self.space.now = now;
    }
}

/// Whether a key of this type can serve those who wait with a command of this group. Who waits for a list does not notice
/// that there is a string now, instead of being told that it is the wrong type.
fn serves(group: Group, kind: Option<&str>) -> bool {
    match group {
        Group::List => kind == Some("list"),
        Group::SortedSet => kind == Some("zset"),
        _ => true,
    }
}

/// Puts the deletion of keys that had expired in front of what the command itself records.
fn note_expired(space: &mut Space<'_>, log: &mut UnitLog, events: &mut Vec<Event>, env: &Env, awake: bool) {
    let verb: &[u8] = if env.lazy_expire { b"UNLINK" } else { b"DEL" };
    for (db, key) in space.expired.drain(..) {
        if awake {
            log.push(db, &[verb, &key]);
        }
        if env.notify & class::EXPIRED != 0 {
            events.push(Event { class: class::EXPIRED, name: "expired", db, key });
        }
    }
}

fn record(log: &mut UnitLog, effects: &Effects, db: DbIndex, args: &Args<'_>) {
    match effects.propagate {
        Propagate::Nothing => {}
        Propagate::Rewritten => {
            for (db, bytes, stream_only) in effects.records() {
                log.bytes.extend_from_slice(bytes);
                log.end_record(db, stream_only);
            }
        }
        Propagate::Verbatim if effects.dirty > 0 || effects.forced => {
            args.encode_into(&mut log.bytes);
            log.end_record(db, false);
        }
        Propagate::Verbatim => {}
    }
}

/// The policy for expired keys of a unit with these surroundings.
pub fn expiry_policy(env: &Env, replica: bool, paused: bool) -> OnExpired {
    if env.obey {
        OnExpired::Obey
    } else if replica || paused {
        OnExpired::Hide
    } else {
        OnExpired::Delete
    }
}
