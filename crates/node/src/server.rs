//! What a server consists of.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use acl::AclLog;
use command::binding::Class;
use command::context::Handler;
use command::registry::{Mode, Registry, RowId};
use command::row::Row;
use config::{Config, Directive, Reason};
use engine::control::Published;
use engine::ticket::Wake;
use engine::{Clock, Engine};
use journal::{History, Journal, ReplId, ReplOffset};
use keyspace::{Db, ShardMap, WaitState};
use parking_lot::Mutex;
use pubsub::PubSub;
use resp::error::Error;
use session::{Cards, ClientCard, Flag, Letter, Mailbox};
use value::Value;

use crate::busy::Busy;
use crate::cluster::ClusterNode;
use crate::commands::debug::switches::Switches;
use crate::commands::{self, ControlHandler};
use crate::control::Control;
use crate::cron::Meter;
use crate::execute::Core;
use crate::facts::{CpuFacts, Crash, MemoryFacts, ProcessFacts};
use crate::failover::Failover;
use crate::loading::{How, Progress};
use crate::migrate::{Frozen, Order, Sent};
use crate::replication::{Replication, SyncFile};
use crate::saving::{SaveJob, Saving};
use crate::sentinel::Watch;
use crate::shutdown::Shutdown;
use crate::stats::{Baseline, CommandTotals, Counters, Totals};
use crate::stillness::Stillness;

/// What the runtime does for a server: everything that touches the world.
pub trait Host: Send + Sync {
    /// Writes a log line.
    fn log(&self, level: LogLevel, text: &str);
    /// Frees values on a background thread.
    fn free(&self, garbage: Vec<Value>);
    /// Frees whole databases on a background thread.
    fn free_dbs(&self, dbs: Vec<Db>);
    /// Walks a snapshot and writes its file on the snapshot thread; [`crate::saving::finished`] is called at the end.
    fn snapshot(&self, job: SaveJob);
    /// Replaces a file of the working directory by what `write` gives to the function that it gets, which answers false
    /// when there is no use in going on. When `write` answers false, the file stays as it was.
    fn replace_file(&self, _name: &[u8], _write: Writing<'_>) -> Result<(), String> {
        Err("this host keeps no files".to_owned())
    }
    /// The whole of a file that an administrator has named. The error is the operating system's.
    fn read_file(&self, _path: &[u8]) -> Result<Vec<u8>, String> {
        Err("this host keeps no files".to_owned())
    }
    /// The whole of a file of the working directory, if there is one.
    fn find_file(&self, _name: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
    /// Lets another thread write the file of keys that were set aside ([`crate::cluster::aside`]).
    fn write_aside(&self) {}
    /// Loads the snapshot file. The lease has the world.
    fn load_snapshot(&self, _core: &mut Core<'_>, _how: How) -> Result<(), String> {
        Err("this host keeps no files".to_owned())
    }
    /// Replaces the file in which a node keeps what it knows of its cluster; with `keep` the one before it stays under
    /// another name. With `fsync` it is on the disk afterwards. The error is for the log.
    fn save_nodes(&self, _bytes: &[u8], _fsync: bool, _keep: bool) -> Result<(), String> {
        Ok(())
    }
    /// Waits before each write to the append-only file, for tests.
    fn slow_aof(&self, _delay: Duration) {}
    /// Loads the append-only file into an empty keyspace. The lease has the world.
    fn load_aof(&self, _core: &mut Core<'_>) -> Result<(), String> {
        Err("this host keeps no files".to_owned())
    }
    /// The append-only file goes on in a new increment behind `offset`, if it is on; answers where its new base is to be
    /// written.
    fn begin_rewrite(&self, offset: u64, config: &Config) -> Result<PathBuf, String>;
    /// Bytes of the append-only file after the last rewrite, and now; `None` when there is none.
    fn aof_sizes(&self) -> Option<(u64, u64)>;
    /// Whether there is an append-only file that cannot be loaded yet, because its first base is not complete.
    fn aof_is_incomplete(&self) -> bool {
        false
    }
    /// The offset up to which the journal is on disk, and can be loaded from there; `None` without an append-only file.
    fn durable_offset(&self) -> Option<u64> {
        None
    }
    /// Makes the journal as durable as the configuration promises, up to `offset`. True when that has been reached.
    fn flush_journal(&self, offset: u64, config: &Config) -> Result<(), String>;
    /// Gives the snapshot under way up.
    fn cancel_snapshot(&self);
    /// A SHUTDOWN has been given up: signals count afresh.
    fn shutdown_aborted(&self);
    /// Makes the control thread look at what is due.
    fn wake_control(&self);
    /// The journal begins anew after a full sync: what the append-only file holds is of another history.
    fn journal_restarted(&self, _config: &Config) {}
    /// Opens a snapshot that was written for replicas, and answers its length too. Its name goes at once, and its blocks
    /// with the last reader, unless it is to be kept under another name.
    fn take_sync_file(&self, _file: &[u8], _keep_as: Option<&[u8]>) -> Result<(Arc<dyn SyncFile>, u64), String> {
        Err("this host keeps no files for replicas".to_owned())
    }
    /// Sends keys to another server and waits for its answers.
    fn migrate(&self, order: Order) -> Sent;
    /// The same on another thread, which calls `done` there.
    fn migrate_later(&self, order: Order, done: Box<dyn FnOnce(Sent) + Send>);
    /// Does something that takes long on a thread where nobody waits for it.
    fn elsewhere(&self, job: Box<dyn FnOnce() + Send>) {
        job();
    }
    /// How many connections to other servers are kept for migrations to come.
    fn migration_sockets(&self) -> usize;
    /// 64 random bits.
    fn entropy(&self) -> u64;
    /// Bytes that the allocator has given out.
    fn used_memory(&self) -> usize;
    /// Lets a new configuration take effect where that is outside of the node: sockets, log, working directory, limits of
    /// the process. On error everything is as before; the error names the directive at fault.
    fn config_changed(
        &self,
        old: &Config,
        new: &mut Config,
        changed: &[&'static Directive],
    ) -> Result<(), (&'static Directive, Reason)>;
    /// What is known of the process.
    fn process(&self) -> &ProcessFacts;
    /// What memory it uses. It goes over the allocator's tables: not for every command.
    fn memory(&self) -> MemoryFacts;
    /// What the allocator tells of itself, as text.
    fn allocator_report(&self) -> Vec<u8> {
        Vec::new()
    }
    /// Gives free memory back to the system.
    fn purge_memory(&self) {}
    /// Looks at the memory in use, so that its peak is known.
    fn note_memory(&self);
    /// What processor time it has used.
    fn cpu(&self) -> CpuFacts;
    /// Sleeps on this thread (DEBUG SLEEP).
    fn sleep(&self, time: Duration);
    /// Ends the process (DEBUG SEGFAULT, DEBUG PANIC).
    fn crash(&self, how: Crash) -> !;
    /// Replaces the configuration file, as a whole or not at all: `new` makes its text from the present one.
    fn rewrite_config(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), RewriteFailure>;
}

/// Whoever writes a file, piece by piece.
pub type Writing<'w> = &'w mut dyn FnMut(&mut dyn FnMut(&[u8]) -> bool) -> bool;

/// Why the configuration file was not written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RewriteFailure {
    /// The server was started without one.
    NoFile,
    /// The operating system's reason.
    System(String),
}

/// How loud a log line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogLevel {
    /// `.`
    Debug,
    /// `-`
    Verbose,
    /// `*`
    Notice,
    /// `#`
    Warning,
}

/// A row's handler and what it locks.
#[derive(Clone, Copy)]
pub enum Bound {
    /// A data command.
    Data(Handler, Class),
    /// A control command.
    Control(ControlHandler, Class),
    /// A command of the table that this server does not have.
    Absent,
}

impl Bound {
    /// What the command locks.
    pub fn class(&self) -> Class {
        match self {
            Bound::Data(_, class) | Bound::Control(_, class) => *class,
            Bound::Absent => Class::Free,
        }
    }
}

/// One server, shared by its threads.
pub struct Server {
    /// The data plane.
    pub engine: Engine,
    /// The one log of changes.
    pub journal: Arc<Journal>,
    /// Names of commands.
    pub registry: Registry,
    /// Handlers, by row.
    pub bound: Box<[Bound]>,
    /// Which rows this server has; of a container, whether it has any of its subcommands.
    pub has: Box<[bool]>,
    /// What may forbid a command.
    pub control: Published<Control>,
    /// Subscriptions.
    pub pubsub: PubSub,
    /// What may be known of clients.
    pub cards: Cards,
    /// A mailbox for each I/O thread.
    pub mailboxes: Box<[Arc<Mailbox>]>,
    /// Counters of each executor: I/O threads first.
    pub counters: Box<[Counters]>,
    /// What the counters were at the last CONFIG RESETSTAT.
    pub baseline: Mutex<Baseline>,
    /// Saves.
    pub saving: Mutex<Saving>,
    /// How far a load is.
    pub loading: Progress,
    /// Changes since the last save.
    pub dirty: AtomicU64,
    /// What is told per second.
    pub rates: Mutex<Meter>,
    /// Bytes in use when the server was put together, before any data.
    pub startup_memory: usize,
    /// What was denied of late.
    pub acl_log: Mutex<AclLog>,
    /// Slow commands, large requests and large replies.
    pub command_logs: crate::commands::commandlog::CommandLogs,
    /// The runtime.
    pub host: Box<dyn Host>,
    /// The id of the newest client.
    pub last_client: AtomicU64,
    /// When the server started, in ms.
    pub started: i64,
    /// 40 hex digits that name this run.
    pub run_id: String,
    /// Set when the server is to end, with the process' exit status.
    pub over: AtomicBool,
    /// Nothing is answered any more: what the answers would tell is not on the disk, as was promised.
    pub mute: AtomicBool,
    /// The exit status.
    pub exit_code: AtomicI32,
    /// What was to be loaded at the start could not be: the server has no data and must write none.
    pub unrecovered: AtomicBool,
    /// Whether the journal is written to an append-only file.
    pub aof_on: AtomicBool,
    /// Replicas, and the link to a primary.
    pub replication: Replication,
    /// Units that run for long.
    pub busy: Busy,
    /// What DEBUG has turned on and off.
    pub switches: Switches,
    /// A failover, while it is under way. It changes only inside a world unit.
    pub failover: Mutex<Option<Failover>>,
    /// The end, when it is under way.
    pub shutdown: Mutex<Option<Shutdown>>,
    /// Whether everything stands still.
    pub still: Stillness,
    /// Keys on their way to another server.
    pub frozen: Frozen,
    /// The machine, in a server that is a Sentinel: put in before there are clients.
    pub sentinel: OnceLock<Watch>,
    /// The node of a cluster that this server is, if it is one; put in before the server is shared.
    pub cluster: Option<ClusterNode>,
}

impl Server {
    /// Puts a server together. `io_threads` workers; further executors are background threads.
    pub fn new(
        mut control: Control,
        io_threads: usize,
        executors: usize,
        shards: usize,
        clock: Arc<dyn Clock>,
        host: Box<dyn Host>,
        registry: Registry,
    ) -> Self {
        let databases = usize::from(control.env.databases);
        let map = if control.env.cluster { ShardMap::by_slot(shards) } else { ShardMap::new(shards) };
        let bound: Box<[Bound]> = (0..registry.id_count()).map(|i| bind(registry.row(RowId(i as u16)))).collect();
        let mut has: Box<[bool]> = bound.iter().map(|bound| !matches!(bound, Bound::Absent)).collect();
        for (id, _) in registry.iter().filter(|(id, _)| !matches!(bound[id.index()], Bound::Absent)) {
            if let Some(container) = registry.parent(id) {
                has[container.index()] = true;
            }
        }
        let run_id = (0..3).map(|_| format!("{:016x}", host.entropy())).collect::<String>()[..40].to_owned();
        let rows = registry.id_count();
        let started = clock.unix_millis();
        if !control.loading {
            control.start_guard(keyspace::UnixMillis(started));
        }
        Server {
            started,
            engine: Engine::new(map, databases, executors, clock),
            journal: Arc::new(Journal::new(
                History::new(replication_id(&*host)),
                ReplOffset(0),
                control.config.replication.repl_backlog_size,
            )),
            registry,
            bound,
            has,
            control: Published::new(control),
            pubsub: PubSub::default(),
            cards: Cards::default(),
            mailboxes: (0..io_threads).map(|_| Arc::new(Mailbox::default())).collect(),
            counters: (0..executors).map(|_| Counters::new(rows)).collect(),
            baseline: Mutex::new(Baseline::new(rows)),
            saving: Mutex::new(Saving {
                last_ok: true,
                last_seconds: -1,
                last_save: started / 1000,
                ..Saving::default()
            }),
            loading: Progress::default(),
            dirty: AtomicU64::new(0),
            rates: Mutex::default(),
            startup_memory: host.used_memory(),
            acl_log: Mutex::default(),
            command_logs: Default::default(),
            host,
            last_client: AtomicU64::new(0),
            run_id,
            over: AtomicBool::new(false),
            aof_on: AtomicBool::new(false),
            mute: AtomicBool::new(false),
            exit_code: AtomicI32::new(0),
            unrecovered: AtomicBool::new(false),
            replication: Replication::default(),
            busy: Busy::default(),
            switches: Switches::default(),
            failover: Mutex::default(),
            shutdown: Mutex::default(),
            still: Stillness::default(),
            frozen: Frozen::default(),
            sentinel: OnceLock::new(),
            cluster: None,
        }
    }

    /// Whether this server is a Sentinel.
    pub fn is_sentinel(&self) -> bool {
        self.registry.mode() == Mode::Sentinel
    }

    /// Whether this server has a command, or any subcommand of a container.
    pub fn has(&self, id: RowId) -> bool {
        self.has[id.index()]
    }

    /// Closes a client of any thread; from now on it executes nothing and nobody sees it. False when it was so already.
    pub fn kill(&self, card: &ClientCard) -> bool {
        if !card.claim(Flag::CloseAsap) {
            return false;
        }
        if let Some(wait) = &*card.wait.lock() {
            wait.end(WaitState::Killed);
        }
        self.cards.remove(card.id);
        if card.is(Flag::Primary) {
            self.hang_up();
            return true;
        }
        self.mailboxes[card.thread].post(Letter::Kill { client: card.id, after_reply: false });
        true
    }

    /// Ends the connection to our primary. Its thread will find out; the primary knows at once.
    pub fn hang_up(&self) {
        if let Some(hang_up) = &*self.replication.hang_up.lock() {
            hang_up();
        }
    }

    /// Ends the wait of a client for keys or for replicas, as after its timeout or with an error. False when it does not
    /// wait, or another has ended the wait.
    pub fn unblock(&self, card: &ClientCard, error: Option<Error>) -> bool {
        let ended = match &*card.wait.lock() {
            Some(wait) => wait.end(WaitState::Unblocked),
            None => card.is(Flag::Blocked) && !card.is(Flag::Paused),
        };
        if ended {
            self.mailboxes[card.thread].post(Letter::Unblock { client: card.id, error });
        }
        ended
    }

    /// Whether the server is to end.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Whether nothing may be told any more.
    pub fn is_mute(&self) -> bool {
        self.mute.load(Ordering::Acquire)
    }

    /// Whether the data could not be loaded at the start.
    pub fn is_unrecovered(&self) -> bool {
        self.unrecovered.load(Ordering::Relaxed)
    }

    /// Ends the server: every thread finishes its turn.
    pub fn stop(&self, exit_code: i32) {
        self.exit_code.store(exit_code, Ordering::Relaxed);
        self.over.store(true, Ordering::Release);
        self.recheck();
        self.replication.idle.wake(0);
        self.host.wake_control();
    }

    /// Tells every thread that what its clients wait for may have come.
    pub fn recheck(&self) {
        self.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::Recheck));
    }

    /// The sum of the threads' counters since the last reset.
    pub fn totals(&self) -> Totals {
        Totals::sum(&self.counters, &self.baseline.lock().totals)
    }

    /// The sums of the threads' counters of one command since the last reset.
    pub fn command_totals(&self, id: RowId) -> CommandTotals {
        CommandTotals::sum(&self.counters, id.index()).since(&self.baseline.lock().commands[id.index()])
    }

    /// Error replies by code since the last reset.
    pub fn error_codes(&self) -> BTreeMap<Box<[u8]>, u64> {
        let mut sums = BTreeMap::new();
        for counters in &self.counters {
            for (code, count) in &*counters.error_codes.lock() {
                *sums.entry(code.clone()).or_insert(0) += count;
            }
        }
        sums
    }

    /// CONFIG RESETSTAT.
    pub fn reset_stats(&self) {
        let mut baseline = self.baseline.lock();
        baseline.totals = Totals::sum(&self.counters, &Totals::default());
        for (index, command) in baseline.commands.iter_mut().enumerate() {
            *command = CommandTotals::sum(&self.counters, index);
        }
        self.counters.iter().for_each(|counters| counters.error_codes.lock().clear());
        if let Some(node) = &self.cluster {
            node.stats.reset();
            node.with(|machine, _| machine.reset_stats());
        }
    }
}

/// A new replication id.
pub fn replication_id(host: &dyn Host) -> ReplId {
    let mut entropy = [0; 20];
    for chunk in entropy.chunks_mut(8) {
        chunk.copy_from_slice(&host.entropy().to_le_bytes()[..chunk.len()]);
    }
    ReplId::from_entropy(entropy)
}

fn bind(row: &'static Row) -> Bound {
    let full = row.fullname;
    if let Some(b) = ::commands::find(full) {
        return Bound::Data(b.handler, b.class);
    }
    match commands::find(full) {
        Some(b) => Bound::Control(b.handler, b.class),
        None => Bound::Absent,
    }
}
