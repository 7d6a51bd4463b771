//! What a simulated machine does for its server: `node::server::Host` without a world.

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use config::{Config, Directive, Reason};
use keyspace::Db;
use node::aof::Aof;
use node::facts::{CpuFacts, Crash, MemoryFacts, ProcessFacts};
use node::migrate::{Order, Sent};
use node::replication::SyncFile;
use node::saving::SaveJob;
use node::server::{Host, LogLevel, RewriteFailure};
use parking_lot::Mutex;
use value::Value;

use super::Paper;
use super::migrator::Done;
use crate::disk::SimDisk;
use crate::random::Random;

/// The file in which a node keeps what it knows of its cluster, and the copy before it.
pub(super) const NODES: &str = "nodes.conf";
pub(super) const NODES_BEFORE: &str = "nodes.conf.previous";

/// What a server has asked of its host and the host has not done yet.
pub struct Desk {
    /// Snapshots to be made.
    pub jobs: Mutex<Vec<SaveJob>>,
    /// The snapshot under way is to be given up.
    pub cancelled: AtomicBool,
    /// The control thread is to look at what is due.
    pub woken: AtomicBool,
    /// The link to the primary is to be cut.
    pub hung_up: AtomicBool,
    /// Log lines since the last look, if they are wanted.
    pub log: Mutex<Vec<String>>,
    /// Whether they are.
    pub loud: bool,
    /// The append-only file, once there is a journal.
    pub aof: OnceLock<Arc<Aof>>,
    /// Files for replicas.
    pub sync_files: Mutex<Vec<(Vec<u8>, Bytes)>>,
    /// Votes that a node of a cluster has told of: for whom, and in which epoch.
    pub votes: Mutex<Vec<(String, u64)>>,
    /// Migrations to be made.
    pub migrations: Mutex<Vec<(Order, Done)>>,
    entropy: Mutex<Random>,
}

impl Desk {
    /// An empty desk.
    pub fn new(entropy: Random, loud: bool) -> Arc<Self> {
        Arc::new(Desk {
            jobs: Mutex::default(),
            cancelled: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            hung_up: AtomicBool::new(false),
            log: Mutex::default(),
            loud,
            aof: OnceLock::new(),
            sync_files: Mutex::default(),
            votes: Mutex::default(),
            migrations: Mutex::default(),
            entropy: Mutex::new(entropy),
        })
    }
}

impl Desk {
    /// 64 random bits.
    pub fn draw(&self) -> u64 {
        self.entropy.lock().bits()
    }

    /// Keeps a log line, if lines are wanted.
    pub fn note(&self, text: &str) {
        if self.loud {
            self.log.lock().push(text.to_owned());
        }
    }
}

/// The candidate and the epoch in a line that tells of a vote.
fn vote(line: &str) -> Option<(String, u64)> {
    const NOBODY: &str = "?";
    let told = resp::log_text::cluster::vote_granted(NOBODY, 0);
    let (before, _) = told.split_once(NOBODY)?;
    let rest = line.strip_prefix(before)?;
    let (candidate, _) = rest.split_once(' ')?;
    let (_, epoch) = rest.rsplit_once(' ')?;
    Some((candidate.to_owned(), epoch.parse().ok()?))
}

/// A server has ended itself, in the middle of whatever it was doing.
pub struct Ended;

/// The host of one life of a server.
pub struct SimHost {
    desk: Arc<Desk>,
    paper: Paper,
    disk: SimDisk,
    facts: ProcessFacts,
}

impl SimHost {
    /// A host with this desk, whose configuration file is `paper` and whose other files are on `disk`.
    pub fn new(desk: Arc<Desk>, paper: Paper, disk: SimDisk) -> Self {
        SimHost { desk, paper, disk, facts: ProcessFacts { version: "0.0.0".to_owned(), ..ProcessFacts::default() } }
    }
}

impl SimHost {
    fn aof(&self) -> Option<&Aof> {
        self.desk.aof.get().map(|aof| &**aof)
    }
}

/// Bytes that replicas read.
pub struct Blob(pub Bytes);

impl SyncFile for Blob {
    fn read_at(&self, offset: u64, max: usize) -> Result<Bytes, String> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.0.len());
        Ok(self.0.slice(start..self.0.len().min(start + max)))
    }
}

impl Host for SimHost {
    fn log(&self, _: LogLevel, text: &str) {
        if let Some(vote) = vote(text) {
            self.desk.votes.lock().push(vote);
        }
        self.desk.note(text);
    }

    fn free(&self, garbage: Vec<Value>) {
        drop(garbage);
    }

    fn free_dbs(&self, dbs: Vec<Db>) {
        drop(dbs);
    }

    fn snapshot(&self, job: SaveJob) {
        self.desk.cancelled.store(false, Ordering::Relaxed);
        self.desk.jobs.lock().push(job);
    }

    fn begin_rewrite(&self, offset: u64, config: &Config) -> Result<PathBuf, String> {
        self.aof().ok_or("there is no append-only file")?.begin_rewrite(offset, config)
    }

    fn aof_sizes(&self) -> Option<(u64, u64)> {
        let aof = self.aof().filter(|aof| aof.is_on())?;
        Some((aof.base_size.load(Ordering::Relaxed), aof.current_size.load(Ordering::Relaxed)))
    }

    fn aof_is_incomplete(&self) -> bool {
        self.aof().is_some_and(Aof::is_incomplete)
    }

    fn durable_offset(&self) -> Option<u64> {
        self.aof()?.durable_offset()
    }

    fn flush_journal(&self, offset: u64, config: &Config) -> Result<(), String> {
        self.aof().map_or(Ok(()), |aof| aof.flush(offset, config))
    }

    fn journal_restarted(&self, _: &Config) {
        if let Some(Err(reason)) = self.aof().map(Aof::restart) {
            self.log(LogLevel::Warning, &reason);
        }
    }

    fn cancel_snapshot(&self) {
        self.desk.cancelled.store(true, Ordering::Relaxed);
    }

    fn shutdown_aborted(&self) {}

    fn wake_control(&self) {
        self.desk.woken.store(true, Ordering::Relaxed);
    }

    fn take_sync_file(&self, file: &[u8], _: Option<&[u8]>) -> Result<(Arc<dyn SyncFile>, u64), String> {
        let mut files = self.desk.sync_files.lock();
        let at = files.iter().position(|(name, _)| name == file).ok_or("no such file")?;
        let (_, bytes) = files.swap_remove(at);
        let len = bytes.len() as u64;
        Ok((Arc::new(Blob(bytes)), len))
    }

    fn migrate(&self, order: Order) -> Sent {
        Sent { acknowledged: vec![false; order.keys], result: Ok(()) }
    }

    fn migrate_later(&self, order: Order, done: Box<dyn FnOnce(Sent) + Send>) {
        self.desk.migrations.lock().push((order, done));
        self.wake_control();
    }

    fn save_nodes(&self, bytes: &[u8], fsync: bool, keep: bool) -> Result<(), String> {
        self.disk.replace_keeping(Path::new(NODES), keep.then_some(Path::new(NODES_BEFORE)), bytes, fsync)
    }

    fn migration_sockets(&self) -> usize {
        0
    }

    fn entropy(&self) -> u64 {
        self.desk.draw()
    }

    fn used_memory(&self) -> usize {
        1 << 20
    }

    fn config_changed(
        &self,
        _: &Config,
        _: &mut Config,
        _: &[&'static Directive],
    ) -> Result<(), (&'static Directive, Reason)> {
        Ok(())
    }

    fn process(&self) -> &ProcessFacts {
        &self.facts
    }

    fn memory(&self) -> MemoryFacts {
        MemoryFacts::default()
    }

    fn note_memory(&self) {}

    fn cpu(&self) -> CpuFacts {
        CpuFacts::default()
    }

    fn sleep(&self, _: Duration) {}

    fn crash(&self, _: Crash) -> ! {
        resume_unwind(Box::new(Ended))
    }

    fn rewrite_config(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), RewriteFailure> {
        let mut paper = self.paper.lock();
        *paper = new(&paper);
        Ok(())
    }
}
