//! What the runtime does for the node.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aof::Names;
use bytes::Bytes;
use config::{Config, Directive, Reason};
use engine::Clock;
use keyspace::Db;
use node::aof::Aof;
use node::aof::load::{Failure, Reader};
use node::aof::recover::read_manifest;
use node::execute::Core;
use node::facts::{CpuFacts, Crash, MemoryFacts, ProcessFacts};
use node::loading::How;
use node::migrate::{Order, Sent};
use node::replication::SyncFile;
use node::saving::SaveJob;
use node::server::{Host, LogLevel, RewriteFailure, Writing, replication_id};
use resp::log_text;
use runtime::background::Lane;
use runtime::usage::{self, Whose};
use runtime::{Waker, alloc, clock, entropy, errno, files, log, signals, source};
use value::Value;

use super::migrator::Migrator;
use super::nodes_file::NodesFile;
use super::settings::Outside;
use super::snapshotter::Snapshotter;

/// The system's clocks.
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_millis(&self) -> i64 {
        clock::unix_ms()
    }

    fn nanos(&self) -> u64 {
        clock::monotonic_ns()
    }
}

/// Writes a line of the node's into the log.
pub fn log_line(level: LogLevel, text: &str) {
    let level = match level {
        LogLevel::Debug => log::Level::Debug,
        LogLevel::Verbose => log::Level::Verbose,
        LogLevel::Notice => log::Level::Notice,
        LogLevel::Warning => log::Level::Warning,
    };
    log::line(level, text);
}

/// The process as the node's host.
pub struct ProcessHost {
    lazy_free: Lane,
    /// Not the migrator's threads: they may all wait for another server's answer, which waits for this.
    elsewhere: Lane,
    snapshotter: Snapshotter,
    control: Arc<Waker>,
    /// The append-only file, once there is a journal.
    aof: Arc<OnceLock<Arc<Aof>>>,
    outside: Arc<Outside>,
    config_file: Option<PathBuf>,
    facts: ProcessFacts,
    migrator: Migrator,
    /// Where a node keeps what it knows of its cluster.
    nodes: Option<NodesFile>,
}

impl ProcessHost {
    /// A host whose background threads start when they are first needed.
    pub fn new(
        snapshotter: Snapshotter,
        control: Arc<Waker>,
        outside: Arc<Outside>,
        config_file: Option<PathBuf>,
        aof: Arc<OnceLock<Arc<Aof>>>,
        nodes: Option<NodesFile>,
    ) -> Self {
        let path = |path: Option<&PathBuf>| path.map(|p| p.display().to_string()).unwrap_or_default();
        let facts = ProcessFacts {
            version: super::start::VERSION.to_owned(),
            pid: std::process::id(),
            os: usage::system_name(),
            compiler: format!("rustc-{}", env!("CARGO_PKG_RUST_VERSION")),
            executable: path(std::env::current_exe().ok().as_ref()),
            config_file: path(config_file.as_ref()),
            allocator: format!("jemalloc-{}", alloc::version()),
            poll: "epoll".to_owned(),
            system_memory: usage::system_memory(),
        };
        let (lazy_free, elsewhere, migrator) = (Lane::new("lazyfree"), Lane::new("elsewhere"), Migrator::default());
        ProcessHost { lazy_free, elsewhere, snapshotter, control, aof, outside, config_file, facts, migrator, nodes }
    }
}

/// A snapshot that replicas read.
pub struct OpenFile(pub std::fs::File);

impl SyncFile for OpenFile {
    fn read_at(&self, offset: u64, max: usize) -> Result<Bytes, String> {
        let mut buffer = vec![0; max];
        let n = files::read_full_at(&self.0, &mut buffer, offset).map_err(|e| errno::text(&e))?;
        buffer.truncate(n);
        Ok(buffer.into())
    }
}

impl Host for ProcessHost {
    fn log(&self, level: LogLevel, text: &str) {
        log_line(level, text);
    }

    fn free(&self, garbage: Vec<Value>) {
        self.lazy_free.submit(move || drop(garbage));
    }

    fn free_dbs(&self, dbs: Vec<Db>) {
        self.lazy_free.submit(move || drop(dbs));
    }

    fn snapshot(&self, job: SaveJob) {
        self.snapshotter.submit(job);
    }

    fn replace_file(&self, name: &[u8], write: Writing<'_>) -> Result<(), String> {
        let failed = |e: &io::Error| log_text::snapshot::write_failed(&errno::text(e));
        let mut file = BufWriter::new(
            files::Replacement::create(Path::new(OsStr::from_bytes(name)), false).map_err(|e| failed(&e))?,
        );
        let mut fault = None;
        let whole = write(&mut |bytes| {
            fault = fault.take().or_else(|| file.write_all(bytes).err());
            fault.is_none()
        });
        if let Some(e) = fault {
            return Err(failed(&e));
        }
        if !whole {
            return Err(log_text::snapshot::UNWRITABLE.to_owned());
        }
        let file = file.into_inner().map_err(|e| failed(e.error()))?;
        file.commit().map_err(|e| failed(&e.error))
    }

    fn read_file(&self, path: &[u8]) -> Result<Vec<u8>, String> {
        source::read(Path::new(OsStr::from_bytes(path))).map_err(|e| errno::text(&e))
    }

    fn find_file(&self, name: &[u8]) -> Result<Option<Vec<u8>>, String> {
        match source::read(Path::new(OsStr::from_bytes(name))) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(errno::text(&e)),
        }
    }

    fn write_aside(&self) {
        self.snapshotter.write_aside();
    }

    fn load_snapshot(&self, core: &mut Core<'_>, how: How) -> Result<(), String> {
        let name = core.control().config.snapshot.dbfilename.clone();
        let path = Path::new(OsStr::from_bytes(&name));
        let Some(aof) = self.aof.get() else { return Err(log_text::aof::TURNED_OFF.to_owned()) };
        match Reader::alone(core, &aof.ground).snapshot(path, how) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(log_text::snapshot::cannot_open(&path.display().to_string(), "No such file or directory")),
            Err(failure) => Err(failure.text()),
        }
    }

    fn load_aof(&self, core: &mut Core<'_>) -> Result<(), String> {
        let config = core.control().config.clone();
        let dir = PathBuf::from(OsStr::from_bytes(&config.aof.appenddirname));
        let Some(aof) = self.aof.get() else { return Err(log_text::aof::TURNED_OFF.to_owned()) };
        let ground = &aof.ground;
        let manifest = read_manifest(ground, &dir, &Names::new(&config.aof.appendfilename))?.unwrap_or_default();
        Reader::alone(core, ground).log(&dir, &manifest, &config).map(|_| ()).map_err(Failure::text)
    }

    fn save_nodes(&self, bytes: &[u8], fsync: bool, keep: bool) -> Result<(), String> {
        self.nodes.as_ref().map_or(Ok(()), |file| file.save(bytes, fsync, keep))
    }

    fn slow_aof(&self, delay: Duration) {
        if let Some(aof) = self.aof.get() {
            aof.flush_sleep.store(delay.as_micros() as u64, Ordering::Relaxed);
        }
    }

    fn begin_rewrite(&self, offset: u64, config: &Config) -> Result<PathBuf, String> {
        match self.aof.get() {
            Some(aof) => aof.begin_rewrite(offset, config),
            None => Err(log_text::aof::TURNED_OFF.to_owned()),
        }
    }

    fn aof_sizes(&self) -> Option<(u64, u64)> {
        let aof = self.aof.get().filter(|aof| aof.is_on())?;
        Some((aof.base_size.load(Ordering::Relaxed), aof.current_size.load(Ordering::Relaxed)))
    }

    fn aof_is_incomplete(&self) -> bool {
        self.aof.get().is_some_and(|aof| aof.is_incomplete())
    }

    fn durable_offset(&self) -> Option<u64> {
        self.aof.get()?.durable_offset()
    }

    fn flush_journal(&self, offset: u64, config: &Config) -> Result<(), String> {
        match self.aof.get() {
            Some(aof) => aof.flush(offset, config),
            None => Ok(()),
        }
    }

    fn cancel_snapshot(&self) {
        self.snapshotter.cancel();
    }

    fn shutdown_aborted(&self) {
        signals::reset();
    }

    fn journal_restarted(&self, _config: &Config) {
        if let Some(Err(reason)) = self.aof.get().map(|aof| aof.restart()) {
            log::warning(reason);
        }
    }

    fn take_sync_file(&self, file: &[u8], keep_as: Option<&[u8]>) -> Result<(Arc<dyn SyncFile>, u64), String> {
        let path = Path::new(OsStr::from_bytes(file));
        let failed = |e: std::io::Error| errno::text(&e);
        let opened = std::fs::File::open(path).map_err(failed)?;
        match keep_as {
            Some(name) => std::fs::rename(path, OsStr::from_bytes(name)).map_err(failed)?,
            None => std::fs::remove_file(path).map_err(failed)?,
        }
        let len = opened.metadata().map_err(failed)?.len();
        Ok((Arc::new(OpenFile(opened)), len))
    }

    fn wake_control(&self) {
        self.control.notify();
    }

    fn migrate(&self, order: Order) -> Sent {
        self.migrator.send(order)
    }

    fn migrate_later(&self, order: Order, done: Box<dyn FnOnce(Sent) + Send>) {
        self.migrator.submit(order, done);
    }

    fn elsewhere(&self, job: Box<dyn FnOnce() + Send>) {
        self.elsewhere.submit(job);
    }

    fn migration_sockets(&self) -> usize {
        self.migrator.kept()
    }

    fn entropy(&self) -> u64 {
        entropy::seed()
    }

    fn used_memory(&self) -> usize {
        alloc::used() as usize
    }

    fn config_changed(
        &self,
        old: &Config,
        new: &mut Config,
        changed: &[&'static Directive],
    ) -> Result<(), (&'static Directive, Reason)> {
        let begins = new.aof.appendonly && !old.aof.appendonly;
        let aof = self.aof.get();
        if let (true, Some(aof)) = (begins, aof)
            && let Err(why) = aof.begin(new, replication_id(self))
        {
            let directive = changed.iter().find(|directive| directive.name == "appendonly");
            return Err((directive.expect("it was changed"), Reason::new(why)));
        }
        let result = self.outside.change(old, new, changed);
        let ends = old.aof.appendonly && !new.aof.appendonly;
        if let Some(aof) = aof
            && if result.is_ok() { ends } else { begins }
        {
            aof.close();
        }
        if let (true, Some(aof)) = (result.is_ok() && old.aof.aof_disable_auto_gc && !new.aof.aof_disable_auto_gc, aof)
            && let Err(why) = aof.collect()
        {
            log::warning(why);
        }
        result
    }

    fn rewrite_config(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), RewriteFailure> {
        let path = self.config_file.as_deref().ok_or(RewriteFailure::NoFile)?;
        let failed = |e: io::Error| RewriteFailure::System(errno::text(&e));
        let old = match source::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(failed(e)),
        };
        files::replace(path, &new(&old)).map_err(failed)
    }

    fn process(&self) -> &ProcessFacts {
        &self.facts
    }

    fn memory(&self) -> MemoryFacts {
        let stats = alloc::stats();
        MemoryFacts {
            used: alloc::used(),
            peak: alloc::peak(),
            rss: alloc::resident_of_process(),
            allocated: stats.allocated,
            active: stats.active,
            resident: stats.resident,
        }
    }

    fn allocator_report(&self) -> Vec<u8> {
        alloc::report()
    }

    fn purge_memory(&self) {
        alloc::flush_thread_cache();
        alloc::purge();
    }

    fn note_memory(&self) {
        alloc::peak();
    }

    fn cpu(&self) -> CpuFacts {
        let (own, children) = (usage::cpu_time(Whose::Process), usage::cpu_time(Whose::Children));
        CpuFacts { system: own.system, user: own.user, system_children: children.system, user_children: children.user }
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn crash(&self, how: Crash) -> ! {
        match how {
            Crash::Segfault => runtime::crash::segfault(),
            Crash::Assertion => panic!("the server ends on purpose: the reason stands above, or it was DEBUG PANIC"),
        }
    }
}
