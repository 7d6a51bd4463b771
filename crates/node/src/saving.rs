//! Saving: who asked for a snapshot, which one is under way, and how the last one ended.
//!
//! ```text
//!   BGSAVE, SAVE, save points, SHUTDOWN ─► begin (behind the barrier: the cut) ─► Host::snapshot ─► a background thread
//!          ▲                                                                                              │
//!          └── reply to SAVE, MISCONF on or off, dirty count, the next one in the queue ◄── finished ─────┘
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::row::Row;
use engine::lease::Taken;
use keyspace::SnapshotId;
use persistence::records::Records;
use persistence::snapshot::{Snapshot, write_alone};
use persistence::spool::Spool;
use rdb::Version;
use rdb::encode::{Checksum, Form};
use resp::error::{self, Error};
use resp::log_text;
use session::Letter;

use crate::control::{Change, Control};
use crate::execute::Core;
use crate::replication::Sync;
use crate::server::{LogLevel, Server};

/// Seconds after a failed save before a save point asks again.
const RETRY_SECONDS: i64 = 5;

/// After so many failures in a row an automatic rewrite of the append-only file waits, first a minute, then twice as long
/// each time, up to an hour.
const FAILURES_IN_A_ROW: u32 = 3;
const LONGEST_WAIT_MINUTES: i64 = 60;

/// What is known of saves.
#[derive(Default)]
pub struct Saving {
    /// How many snapshots were begun, whatever for.
    pub cuts: u64,
    /// The save under way.
    pub current: Option<Current>,
    /// BGSAVE SCHEDULE, or SAVE beside a rewrite: one more when this one is over.
    pub scheduled: bool,
    /// When the last good save ended, in seconds.
    pub last_save: i64,
    /// Whether the last save was good.
    pub last_ok: bool,
    /// When the last save was begun, in seconds.
    pub last_try: i64,
    /// How long the last one took, in seconds; -1 before the first.
    pub last_seconds: i64,
    /// What the last one has cost in memory.
    pub last_copied: u64,
    /// Good and bad saves.
    pub saves: u64,
    /// SAVE and SHUTDOWN wait for the end: client and thread.
    pub(crate) waiters: Vec<(u64, usize)>,
    /// Rewrites of the append-only file.
    pub rewrites: Rewrites,
    /// The server ends after this save.
    pub then_exit: Option<Exit>,
}

/// What is known of rewrites of the append-only file.
#[derive(Debug, Default)]
pub struct Rewrites {
    /// BGREWRITEAOF was asked for while another save was under way.
    pub scheduled: bool,
    /// What is scheduled waits only for a rewrite that was given up to notice it: for everybody else it has begun.
    pub promised: bool,
    /// Rewrites that were begun.
    pub begun: u64,
    /// How many have failed since the last good one.
    pub failures: u32,
    /// Whether the last one failed. One that was given up on request did not.
    pub last_failed: bool,
    /// How long the last one took, in seconds.
    pub last_seconds: Option<i64>,
    /// What the last one has cost in memory.
    pub last_copied: u64,
    /// After failures: not before this second. 0 when no limit is in force.
    not_before: i64,
}

/// What a save before the end of the server decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exit {
    /// The server ends even if the save fails.
    pub force: bool,
}

/// A save under way.
#[derive(Clone)]
pub struct Current {
    /// What its file is for.
    pub(crate) target: Target,
    /// When it began, in seconds.
    pub since: i64,
    /// Changes that it contains.
    dirty: u64,
    /// How many keys it holds.
    pub keys: u64,
    /// What has become of them so far.
    pub spool: Arc<Spool>,
    /// It was given up, and will end soon.
    pub cancelled: bool,
}

impl Current {
    /// Whether it is a snapshot file, in the working directory or for replicas.
    pub fn is_snapshot(&self) -> bool {
        !self.is_rewrite()
    }

    /// Whether it is `dbfilename`.
    pub fn is_dump(&self) -> bool {
        matches!(self.target, Target::Dump(_))
    }

    /// The replicas for which it is.
    pub fn sync(&self) -> Option<Arc<Sync>> {
        if let Target::Sync(_, sync) = &self.target { Some(sync.clone()) } else { None }
    }

    /// Whether it is the base of an append-only file.
    pub fn is_rewrite(&self) -> bool {
        matches!(self.target, Target::AofBase(..))
    }
}

/// What the snapshot thread is to do.
pub struct SaveJob {
    /// The snapshot, cut.
    pub snapshot: Snapshot,
    /// Auxiliary fields of the file.
    pub aux: Vec<(Vec<u8>, Vec<u8>)>,
    /// What the file is for.
    pub target: Target,
    /// Whether the file carries a checksum.
    pub checksum: bool,
    /// What a file of commands begins with.
    pub preamble: Vec<u8>,
}

/// What a snapshot's file is for.
#[derive(Clone)]
pub enum Target {
    /// `dbfilename`, in the working directory.
    Dump(Vec<u8>),
    /// The base of an append-only file; true as a snapshot, false as commands.
    AofBase(PathBuf, bool),
    /// A temporary file for replicas, and who waits for it.
    Sync(Vec<u8>, Arc<Sync>),
}

/// Begins a save. The lease has the world.
pub fn begin(core: &mut Core<'_>) -> Result<(), Error> {
    let file = core.control().config.snapshot.dbfilename.clone();
    begin_for(core, Target::Dump(file))
}

/// Begins a rewrite of the append-only file. The lease has the world.
pub fn begin_rewrite(core: &mut Core<'_>) -> Result<(), Error> {
    let server = core.server;
    if server.saving.lock().current.is_some() {
        return Err(error::persistence::REWRITE_IN_PROGRESS);
    }
    let control = core.control();
    let path = match server.host.begin_rewrite(server.journal.end().0, &control.config) {
        Ok(path) => path,
        Err(reason) => {
            server.host.log(LogLevel::Warning, &reason);
            server.saving.lock().rewrites.last_failed = true;
            return Err(error::persistence::REWRITE_FAILED);
        }
    };
    begin_for(core, Target::AofBase(path, control.config.aof.aof_use_rdb_preamble))
}

/// Begins a snapshot for replicas. The lease has the world.
pub(crate) fn begin_sync(core: &mut Core<'_>, sync: Arc<Sync>) -> Result<(), Error> {
    let offset = core.server.journal.end().0;
    let file = format!("temp-sync-{offset}-{}.rdb", core.lease.now().0).into_bytes();
    begin_for(core, Target::Sync(file, sync))
}

fn begin_for(core: &mut Core<'_>, target: Target) -> Result<(), Error> {
    let server = core.server;
    let control = core.control();
    let config = &control.config;
    let now = core.lease.now();
    let mut saving = server.saving.lock();
    if saving.current.is_some() {
        return Err(error::persistence::SAVE_IN_PROGRESS);
    }
    let form = match target {
        Target::AofBase(_, false) => Records::Commands,
        _ => Records::Rdb(form(config.snapshot.rdbcompression)),
    };
    let offset = server.journal.end().0;
    let databases = usize::from(control.env.databases);
    let snapshot = Snapshot::cut(SnapshotId(0), form, offset, now.0, databases, core.lease.all_shards());
    let rewrite = matches!(target, Target::AofBase(..));
    let mut preamble = Vec::new();
    if rewrite && form == Records::Commands && config.aof.aof_timestamp_enabled {
        preamble = format!("#TS:{}\r\n", now.0 / 1000).into_bytes();
    }
    match target {
        Target::Dump(_) => saving.last_try = now.0 / 1000,
        Target::AofBase(..) => saving.rewrites.begun += 1,
        Target::Sync(..) => {}
    }
    saving.cuts += 1;
    saving.current = Some(Current {
        target: target.clone(),
        since: now.0 / 1000,
        dirty: server.dirty.load(Ordering::Relaxed),
        keys: snapshot.keys(),
        spool: snapshot.spool(),
        cancelled: false,
    });
    let mut aux = aux(server, now.0 / 1000, offset, rewrite);
    // What slots are on their way concerns a replica of this moment, and no file that is loaded later.
    if matches!(target, Target::Sync(..)) {
        aux.extend(control.cluster.as_ref().and_then(|view| crate::cluster::open_slots_aux(view)));
    }
    let job = SaveJob { snapshot, aux, target, checksum: config.snapshot.rdbchecksum, preamble };
    drop(saving);
    let text = if rewrite { log_text::aof::REWRITE_STARTED } else { log_text::snapshot::BACKGROUND_STARTED };
    server.host.log(LogLevel::Notice, text);
    server.host.snapshot(job);
    Ok(())
}

fn form(compress: bool) -> Form {
    Form { version: Version::COMMON, compress }
}

/// Writes the snapshot file while everything stands still. The lease has the world.
pub fn save_alone(core: &mut Core<'_>) -> Result<(), String> {
    let server = core.server;
    let control = core.control();
    let config = &control.config;
    let now = core.lease.now().0 / 1000;
    let form = form(config.snapshot.rdbcompression);
    let mut head = Vec::new();
    form.header(&mut head);
    for (name, value) in aux(server, now, server.journal.end().0, false) {
        form.aux(&mut head, &name, &value);
    }
    if let Some(node) = &server.cluster {
        node.aside.write(server, &control, true)?;
    }
    let databases = usize::from(control.env.databases);
    let mut written = Ok(true);
    server.host.replace_file(&config.snapshot.dbfilename, &mut |out| {
        let mut sum = Checksum::new(config.snapshot.rdbchecksum);
        let mut put = |bytes: &[u8]| {
            sum.update(bytes);
            out(bytes)
        };
        put(&head);
        let lease = &mut core.lease;
        written = write_alone(form, databases, &mut |each| lease.all_shards().all(each), &mut put);
        let mut end = Vec::new();
        Form::eof(&mut end);
        put(&end);
        out(&sum.finish());
        written == Ok(true)
    })?;
    server.dirty.store(0, Ordering::Relaxed);
    let mut saving = server.saving.lock();
    saving.last_save = now;
    saving.last_ok = true;
    drop(saving);
    server.host.log(LogLevel::Notice, log_text::snapshot::SAVED);
    Ok(())
}

/// Gives up the snapshot file under way, if there is one: it would be of no use, or take the place of a newer one.
pub fn give_up_dump(server: &Server) {
    let mut saving = server.saving.lock();
    if let Some(current) = saving.current.as_mut().filter(|current| current.is_dump()) {
        current.cancelled = true;
        server.host.cancel_snapshot();
    }
}

/// Gives up whatever is being saved: it would be complete without data that are back. What was wanted is begun anew.
pub(crate) fn give_up(server: &Server) {
    let mut saving = server.saving.lock();
    let Some(current) = &mut saving.current else { return };
    current.cancelled = true;
    if current.is_rewrite() {
        saving.rewrites.scheduled = true;
    } else if matches!(current.target, Target::Dump(_)) {
        saving.scheduled = true;
    }
    server.host.cancel_snapshot();
}

/// Gives up whatever snapshot file is under way, that for replicas too: all data are about to be replaced.
pub(crate) fn give_up_snapshot(server: &Server) {
    let mut saving = server.saving.lock();
    if let Some(current) = saving.current.as_mut().filter(|current| current.is_snapshot()) {
        current.cancelled = true;
        server.host.cancel_snapshot();
    }
}

/// The append-only file is turned off: a rewrite of it is of no use any more.
pub fn give_up_rewrite(server: &Server) {
    let mut saving = server.saving.lock();
    saving.rewrites.not_before = 0;
    saving.rewrites.promised = false;
    if std::mem::take(&mut saving.rewrites.scheduled) {
        server.host.log(LogLevel::Notice, log_text::aof::UNSCHEDULED);
    }
    if let Some(current) = saving.current.as_mut().filter(|current| current.is_rewrite()) {
        current.cancelled = true;
        server.host.log(LogLevel::Notice, log_text::aof::KILLING);
        server.host.cancel_snapshot();
    }
}

/// A command of data has run. After FLUSHALL the snapshot under way shows what is no more, and where there are save points
/// the file shall say so: at once if the command is `alone` (there is nothing to be written), otherwise by the next snapshot.
pub(crate) fn after(core: &mut Core<'_>, control: &Control, row: &Row, alone: bool) {
    if row.fullname != "flushall" {
        return;
    }
    let server = core.server;
    // What was set aside would otherwise come back some day.
    if let Some(node) = &server.cluster {
        node.aside.drop_slots(server, |_| true);
    }
    give_up_dump(server);
    // Replicas that are being sent what is no more come back for what is now.
    let streams = server.saving.lock().current.as_ref().and_then(Current::sync).is_some_and(|sync| sync.streamed);
    if streams {
        give_up_snapshot(server);
    }
    if control.config.snapshot.save.is_empty() {
        return;
    }
    let busy = server.saving.lock().current.is_some();
    let saved = alone && !busy && core.lease.world().is_some() && save_alone(core).is_ok();
    if !saved {
        server.saving.lock().scheduled = true;
        server.host.wake_control();
    }
}

/// The auxiliary fields of a snapshot file.
pub fn aux(server: &Server, seconds: i64, offset: u64, aof_base: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut fields: Vec<(&str, String)> = vec![
        ("redis-ver", crate::commands::COMPATIBLE_VERSION.to_owned()),
        ("redis-bits", "64".to_owned()),
        ("ctime", seconds.to_string()),
        ("used-mem", server.host.used_memory().to_string()),
    ];
    if let Some(db) = server.journal.stream_db() {
        fields.push(("repl-stream-db", db.0.to_string()));
    }
    // While the journal sleeps its position says nothing about the data.
    if server.journal.is_awake() {
        fields.push(("repl-id", String::from_utf8_lossy(server.journal.history().id.as_bytes()).into_owned()));
        fields.push(("repl-offset", offset.to_string()));
    }
    fields.push(("aof-base", u8::from(aof_base).to_string()));
    fields.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect()
}

/// The snapshot thread is done: `failure` says why the file could not be written.
pub fn finished(server: &Server, failure: Option<&str>) {
    let now = server.engine.now().0 / 1000;
    let mut saving = server.saving.lock();
    let Some(current) = saving.current.take() else { return };
    if current.is_rewrite() {
        saving.rewrites.ended(&current, now, failure.is_some());
        drop(saving);
        server.host.wake_control();
        return;
    }
    if let Target::Sync(file, sync) = &current.target {
        let config = server.control.load().config.clone();
        let mut outcome = failure.map_or(Ok(()), |reason| Err(reason.to_owned()));
        if outcome.is_ok() && !sync.streamed {
            // Where snapshots are wanted, this one is kept as the newest.
            let keep = !config.snapshot.save.is_empty() && !config.snapshot.rdb_del_sync_files;
            let name = keep.then_some(&config.snapshot.dbfilename[..]);
            outcome = server.host.take_sync_file(file, name).map(|(file, len)| {
                sync.open(server, file);
                sync.grow(server, len);
            });
            if keep && outcome.is_ok() {
                saving.last_save = now;
                saving.last_ok = true;
                count_saved(server, current.dirty);
            }
        }
        drop(saving);
        sync.end(server, outcome);
        server.host.wake_control();
        return;
    }
    saving.last_seconds = now - current.since;
    saving.last_copied = current.spool.copied();
    saving.saves += 1;
    // Who gave it up did not find a fault, and who waits for it is told of one; only those who know of none are warned.
    let told = current.cancelled || saving.then_exit.is_some() || !saving.waiters.is_empty();
    saving.last_ok = failure.is_none() || told && saving.last_ok;
    match failure {
        None => {
            saving.last_save = now;
            count_saved(server, current.dirty);
            server.host.log(LogLevel::Notice, log_text::snapshot::BACKGROUND_DONE);
        }
        Some(reason) => {
            server.host.log(LogLevel::Warning, reason);
            server.host.log(LogLevel::Warning, log_text::snapshot::BACKGROUND_FAILED);
        }
    }
    let waiters = std::mem::take(&mut saving.waiters);
    // The end of the server waits for a snapshot of its own, not for one that had to make way for it.
    let exit = if current.cancelled { None } else { saving.then_exit.take() };
    drop(saving);
    match exit {
        Some(exit) if crate::shutdown::saved(server, failure.is_none(), exit) => {}
        _ => answer(server, &waiters, failure.map(|_| error::common::BARE)),
    }
    server.host.wake_control();
}

/// So many changes are in a file; others may have been counted out meanwhile.
fn count_saved(server: &Server, dirty: u64) {
    let less = |now: u64| Some(now.saturating_sub(dirty));
    let _ = server.dirty.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
}

fn answer(server: &Server, waiters: &[(u64, usize)], error: Option<Error>) {
    for (client, thread) in waiters {
        server.mailboxes[*thread].post(Letter::Answered { client: *client, error: error.clone(), offset: 0 });
    }
}

impl Saving {
    /// A client gets its answer when the save under way, or the one that is scheduled, is over.
    pub fn wait(&mut self, client: u64, thread: usize) {
        self.waiters.push((client, thread));
    }

    /// A rewrite of the append-only file begins as soon as nothing is in its way. True if that is only a rewrite which was
    /// given up and ends in a moment; whoever has asked may take it for begun.
    pub fn ask_rewrite(&mut self) -> bool {
        self.rewrites.ask();
        self.rewrites.promised = self.current.as_ref().is_some_and(|current| current.is_rewrite() && current.cancelled);
        self.rewrites.promised
    }

    /// The snapshot that was scheduled is not wanted any more; those who wait for it are told. False if there was none.
    pub fn unschedule(&mut self, server: &Server) -> bool {
        let waiters = std::mem::take(&mut self.waiters);
        answer(server, &waiters, Some(error::common::BARE));
        std::mem::take(&mut self.scheduled)
    }
}

impl Rewrites {
    fn ended(&mut self, current: &Current, now: i64, failed: bool) {
        self.last_seconds = Some(now - current.since);
        self.last_copied = current.spool.copied();
        self.not_before = 0;
        if current.cancelled {
            return;
        }
        self.last_failed = failed;
        self.failures = if failed { self.failures + 1 } else { 0 };
    }

    /// BGREWRITEAOF while something is in its way: former failures do not hold it up.
    fn ask(&mut self) {
        self.scheduled = true;
        self.failures = 0;
        self.not_before = 0;
    }

    /// Whether former failures forbid to begin now. The answer comes with the minutes to wait when the limit has just been
    /// reached.
    fn is_limited(&mut self, now: i64) -> (bool, Option<i64>) {
        if self.failures < FAILURES_IN_A_ROW {
            return (false, None);
        }
        if self.not_before != 0 {
            return (now < self.not_before, None);
        }
        let minutes = (1 << (self.failures - FAILURES_IN_A_ROW).min(6)).min(LONGEST_WAIT_MINUTES);
        self.not_before = now + 60 * minutes;
        (true, Some(minutes))
    }
}

/// What is due by the clock: a save point, a scheduled save, MISCONF on or off.
pub fn tick(core: &mut Core<'_>) {
    let server = core.server;
    let control = core.control();
    let now = server.engine.now().0 / 1000;
    let failed = {
        let saving = server.saving.lock();
        !saving.last_ok && saving.saves > 0
    };
    let refuse =
        failed && control.config.snapshot.stop_writes_on_bgsave_error && !control.config.snapshot.save.is_empty();
    if control.snapshot_failed != refuse {
        core.later(Change::new(move |control| control.snapshot_failed = refuse));
    }
    core.make_changes();
    let due = rewrite_due(core).or_else(|| due(core, now));
    let mut attempt = std::mem::take(&mut core.save_attempt);
    let Some(due) = due else {
        // Another save may have begun while this one was queued.
        core.lease.abandon(&mut attempt);
        core.save_attempt = attempt;
        return;
    };
    if core.lease.take_world(&mut attempt) == Taken::Yes {
        // Another save may have begun since. Then a save point is looked at again when that one ends, and so is what somebody
        // has asked for.
        let busy = server.saving.lock().current.is_some();
        let _ = match due {
            _ if busy => Ok(()),
            Due::Asked => {
                server.saving.lock().scheduled = false;
                begin(core)
            }
            Due::Point(text) => {
                server.host.log(LogLevel::Notice, &text);
                begin(core)
            }
            Due::Rewrite(text) => {
                let mut saving = server.saving.lock();
                saving.rewrites.scheduled = false;
                saving.rewrites.promised = false;
                drop(saving);
                text.inspect(|text| server.host.log(LogLevel::Notice, text));
                begin_rewrite(core)
            }
        };
        core.lease.release();
        attempt.succeed();
    }
    core.save_attempt = attempt;
}

/// Whether the append-only file has grown enough, or a rewrite was asked for while a save was under way.
fn rewrite_due(core: &mut Core<'_>) -> Option<Due> {
    let control = core.control();
    let server = core.server;
    let now = server.engine.now().0 / 1000;
    let mut saving = server.saving.lock();
    if saving.current.is_some() || control.loading {
        return None;
    }
    let aof = &control.config.aof;
    let sizes = server.host.aof_sizes();
    let grown = sizes.map_or(0, |(base, size)| size.saturating_sub(base) * 100 / base.max(1));
    let automatic = aof.auto_aof_rewrite_percentage > 0
        && sizes.is_some_and(|(_, size)| size >= aof.auto_aof_rewrite_min_size)
        && grown >= u64::from(aof.auto_aof_rewrite_percentage);
    if !automatic && !saving.rewrites.scheduled {
        return None;
    }
    let (limited, told) = saving.rewrites.is_limited(now);
    if let Some(minutes) = told {
        server.host.log(LogLevel::Warning, &log_text::aof::limited(minutes));
    }
    if limited {
        return None;
    }
    Some(Due::Rewrite((!saving.rewrites.scheduled).then(|| log_text::aof::automatic(grown))))
}

/// Why a snapshot is to begin now.
enum Due {
    /// It was asked for, by BGSAVE SCHEDULE or by the end of the server.
    Asked,
    /// A save point has been reached; the text tells which.
    Point(String),
    /// The append-only file is to be rewritten; the text tells why if nobody has asked.
    Rewrite(Option<String>),
}

fn due(core: &mut Core<'_>, now: i64) -> Option<Due> {
    let control = core.control();
    let saving = core.server.saving.lock();
    if saving.current.is_some() || control.loading {
        return None;
    }
    if saving.scheduled || saving.then_exit.is_some() {
        return Some(Due::Asked);
    }
    let dirty = core.server.dirty.load(Ordering::Relaxed);
    let waited = saving.last_ok || saving.saves == 0 || now - saving.last_try > RETRY_SECONDS;
    let point = control
        .config
        .snapshot
        .save
        .iter()
        .find(|point| dirty >= point.changes && now - saving.last_save > point.seconds as i64 && waited);
    point.map(|point| Due::Point(log_text::snapshot::changes(point.changes, point.seconds)))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use persistence::records::Records;
    use persistence::spool::Spool;

    use super::{Current, Saving, Target};

    fn under_way(target: Target, cancelled: bool) -> Saving {
        let spool = Spool::new(Records::Commands);
        Saving { current: Some(Current { target, since: 0, dirty: 0, keys: 0, spool, cancelled }), ..Saving::default() }
    }

    #[test]
    fn what_waits_only_for_a_rewrite_that_was_given_up_has_begun() {
        let rewrite = || Target::AofBase(PathBuf::from("temp"), true);
        for (mut saving, begun) in [
            (under_way(rewrite(), true), true),
            (under_way(rewrite(), false), false),
            (under_way(Target::Dump(b"dump.rdb".to_vec()), true), false),
            (Saving::default(), false),
        ] {
            assert_eq!(saving.ask_rewrite(), begun);
            assert!(saving.rewrites.scheduled);
            assert_eq!(saving.rewrites.promised, begun);
        }
    }
}
