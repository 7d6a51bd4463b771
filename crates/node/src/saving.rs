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

use engine::lease::Taken;
use keyspace::SnapshotId;
use persistence::snapshot::Snapshot;
use rdb::Version;
use rdb::encode::Form;
use resp::error::{self, Error};
use resp::log_text;
use session::Letter;

use crate::control::Change;
use crate::execute::Core;
use crate::replication::Sync;
use crate::server::{LogLevel, Server};

/// Seconds after a failed save before a save point asks again.
const RETRY_SECONDS: i64 = 5;

/// What is known of saves.
#[derive(Default)]
pub struct Saving {
    /// The save under way.
    pub current: Option<Current>,
    /// BGSAVE SCHEDULE: one more when this one is over.
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
    pub last_extra_memory: usize,
    /// Good and bad saves.
    pub saves: u64,
    /// SAVE and SHUTDOWN wait for the end: client and thread.
    pub(crate) waiters: Vec<(u64, usize)>,
    /// BGREWRITEAOF asked for while another was under way.
    pub rewrite_scheduled: bool,
    /// Whether the last rewrite was good.
    pub rewrite_ok: bool,
    /// Rewrites that have ended.
    pub rewrites: u64,
    /// How long the last one took.
    pub last_rewrite_seconds: i64,
    /// The server ends after this save.
    pub then_exit: Option<Exit>,
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
}

impl Current {
    /// The replicas for which it is.
    pub fn sync(&self) -> Option<Arc<Sync>> {
        if let Target::Sync(_, sync) = &self.target { Some(sync.clone()) } else { None }
    }

    /// Whether it is the base of an append-only file.
    pub fn is_rewrite(&self) -> bool {
        matches!(self.target, Target::AofBase(_))
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
    /// Microseconds to wait between keys (`rdb-key-save-delay`), for tests.
    pub key_delay_micros: u64,
}

/// What a snapshot's file is for.
#[derive(Clone)]
pub enum Target {
    /// `dbfilename`, in the working directory.
    Dump(Vec<u8>),
    /// The base of an append-only file.
    AofBase(PathBuf),
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
    if core.server.saving.lock().current.is_some() {
        return Err(error::persistence::REWRITE_IN_PROGRESS);
    }
    let offset = core.server.journal.end().0;
    let Some(path) = core.server.host.begin_rewrite(offset) else { return Err(error::persistence::REWRITE_FAILED) };
    begin_for(core, Target::AofBase(path))
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
    let form = Form { version: Version::COMMON, compress: config.snapshot.rdbcompression };
    let offset = server.journal.end().0;
    let databases = usize::from(control.env.databases);
    let snapshot = Snapshot::cut(SnapshotId(0), form, offset, now.0, databases, core.lease.all_shards());
    let dirty = server.dirty.load(Ordering::Relaxed);
    let aux = aux(server, now.0 / 1000, offset);
    let job = SaveJob {
        snapshot,
        aux,
        target: target.clone(),
        checksum: config.snapshot.rdbchecksum,
        key_delay_micros: config.snapshot.rdb_key_save_delay.max(0) as u64,
    };
    let rewrite = matches!(target, Target::AofBase(_));
    if matches!(target, Target::Dump(_)) {
        saving.last_try = now.0 / 1000;
    }
    saving.current = Some(Current { target, since: now.0 / 1000, dirty });
    drop(saving);
    let text = if rewrite { log_text::aof::REWRITE_STARTED } else { log_text::snapshot::BACKGROUND_STARTED };
    server.host.log(LogLevel::Notice, text);
    server.host.snapshot(job);
    Ok(())
}

/// The auxiliary fields of a snapshot file.
pub fn aux(server: &Server, seconds: i64, offset: u64) -> Vec<(Vec<u8>, Vec<u8>)> {
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
    fields.push(("aof-base", "0".to_owned()));
    fields.into_iter().map(|(name, value)| (name.as_bytes().to_vec(), value.into_bytes())).collect()
}

/// The snapshot thread is done: `failure` says why the file could not be written.
pub fn finished(server: &Server, extra_memory: usize, failure: Option<&str>) {
    let now = server.engine.now().0 / 1000;
    let mut saving = server.saving.lock();
    let Some(current) = saving.current.take() else { return };
    if let Target::AofBase(_) = current.target {
        saving.rewrite_ok = failure.is_none();
        saving.rewrites += 1;
        saving.last_rewrite_seconds = now - current.since;
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
                server.dirty.fetch_sub(current.dirty, Ordering::Relaxed);
            }
        }
        drop(saving);
        sync.end(server, outcome);
        server.host.wake_control();
        return;
    }
    saving.last_seconds = now - current.since;
    saving.last_extra_memory = extra_memory;
    saving.saves += 1;
    saving.last_ok = failure.is_none();
    match failure {
        None => {
            saving.last_save = now;
            server.dirty.fetch_sub(current.dirty, Ordering::Relaxed);
            server.host.log(LogLevel::Notice, log_text::snapshot::BACKGROUND_DONE);
        }
        Some(reason) => {
            server.host.log(LogLevel::Warning, reason);
            server.host.log(LogLevel::Warning, log_text::snapshot::BACKGROUND_FAILED);
        }
    }
    let waiters = std::mem::take(&mut saving.waiters);
    let exit = saving.then_exit.take();
    drop(saving);
    match exit {
        Some(exit) if crate::shutdown::saved(server, failure.is_none(), exit) => {}
        _ => answer(server, &waiters, failure.map(|_| error::common::BARE)),
    }
    server.host.wake_control();
}

fn answer(server: &Server, waiters: &[(u64, usize)], error: Option<Error>) {
    for (client, thread) in waiters {
        server.mailboxes[*thread].post(Letter::Answered { client: *client, error: error.clone(), offset: 0 });
    }
}

impl Saving {
    /// A client gets its answer when the save under way is over.
    pub fn wait(&mut self, client: u64, thread: usize) {
        self.waiters.push((client, thread));
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
    let rewrite = rewrite_is_due(core);
    let due = rewrite || is_due(core, now);
    let mut attempt = std::mem::take(&mut core.save_attempt);
    if !due {
        // Another save may have begun while this one was queued.
        core.lease.abandon(&mut attempt);
        core.save_attempt = attempt;
        return;
    }
    if core.lease.take_world(&mut attempt) == Taken::Yes {
        // Another save may have begun since; then this one is not needed.
        let _ = if rewrite { begin_rewrite(core) } else { begin(core) };
        core.lease.release();
        attempt.succeed();
    }
    core.save_attempt = attempt;
}

/// Whether the append-only file has grown enough, or a rewrite was asked for while a save was under way.
fn rewrite_is_due(core: &mut Core<'_>) -> bool {
    let control = core.control();
    let mut saving = core.server.saving.lock();
    if saving.current.is_some() || control.loading {
        return false;
    }
    if std::mem::take(&mut saving.rewrite_scheduled) {
        return true;
    }
    let aof = &control.config.aof;
    let Some((base, size)) = core.server.host.aof_sizes() else { return false };
    let grown = size.saturating_sub(base) * 100 / base.max(1);
    let due = aof.auto_aof_rewrite_percentage > 0
        && size >= aof.auto_aof_rewrite_min_size
        && grown >= u64::from(aof.auto_aof_rewrite_percentage);
    if due {
        core.server.host.log(LogLevel::Notice, &log_text::aof::automatic(grown));
    }
    due
}

fn is_due(core: &mut Core<'_>, now: i64) -> bool {
    let control = core.control();
    let mut saving = core.server.saving.lock();
    if saving.current.is_some() || control.loading {
        return false;
    }
    if std::mem::take(&mut saving.scheduled) || saving.then_exit.is_some() {
        return true;
    }
    let dirty = core.server.dirty.load(Ordering::Relaxed);
    let waited = saving.last_ok || saving.saves == 0 || now - saving.last_try > RETRY_SECONDS;
    let point = control
        .config
        .snapshot
        .save
        .iter()
        .find(|point| dirty >= point.changes && now - saving.last_save > point.seconds as i64 && waited);
    if let Some(point) = point {
        let text = log_text::snapshot::changes(point.changes, point.seconds);
        core.server.host.log(LogLevel::Notice, &text);
    }
    point.is_some()
}
