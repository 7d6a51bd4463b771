//! The snapshot thread: walks one snapshot after the other and writes their files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use engine::background::Background;
use engine::id::ExecutorId;
use node::aof::Aof;
use node::aof::load::delay_micros;
use node::replication::Sync;
use node::saving::{self, SaveJob, Target};
use node::server::Server;
use persistence::records::Records;
use persistence::snapshot::Consumer;
use rdb::encode::{Checksum, Form};
use resp::log_text;
use runtime::files::{CommitError, Step};
use runtime::{clock, errno, files, log};

use super::host::OpenFile;

/// Bytes gathered before they are written.
const WRITE: usize = 256 * 1024;
/// The same when replicas read them at once.
const WRITE_STREAMED: usize = 16 * 1024;
/// How often a delay looks whether it is still wanted.
const STEP: Duration = Duration::from_millis(10);
/// How long the thread works before it rests, while clients are served.
const WORK: Duration = Duration::from_micros(500);

/// What the thread is to do.
enum Job {
    Save(SaveJob),
    Aside,
}

/// Where jobs for the snapshot thread are put.
#[derive(Clone)]
pub struct Snapshotter {
    jobs: Sender<Option<Job>>,
    cancelled: Arc<AtomicBool>,
}

/// The thread's end of it.
pub struct Jobs {
    jobs: Receiver<Option<Job>>,
    queue: Snapshotter,
    cancelled: Arc<AtomicBool>,
}

/// A queue of snapshots.
pub fn queue() -> (Snapshotter, Jobs) {
    let (sender, receiver) = channel();
    let cancelled = Arc::new(AtomicBool::new(false));
    let queue = Snapshotter { jobs: sender, cancelled: cancelled.clone() };
    (queue.clone(), Jobs { jobs: receiver, queue, cancelled })
}

impl Jobs {
    /// The other end.
    pub fn queue(&self) -> Snapshotter {
        self.queue.clone()
    }
}

impl Snapshotter {
    /// Queues a snapshot.
    pub fn submit(&self, job: SaveJob) {
        self.cancelled.store(false, Ordering::Relaxed);
        // The thread outlives every sender but this; at the very end nobody waits for a snapshot any more.
        let _ = self.jobs.send(Some(Job::Save(job)));
    }

    /// Queues the file of keys that a cluster's node has set aside.
    pub fn write_aside(&self) {
        let _ = self.jobs.send(Some(Job::Aside));
    }

    /// Ends the thread when the server is over.
    pub fn end(&self) {
        let _ = self.jobs.send(None);
    }

    /// Gives up the one under way.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

/// Runs until the server is over.
pub fn run(server: &Server, me: usize, jobs: Jobs, aof: &Aof) {
    let ticket = (1 << 61) + me as u64;
    while let Ok(Some(job)) = jobs.jobs.recv() {
        if server.is_over() {
            return;
        }
        let job = match job {
            Job::Save(job) => job,
            Job::Aside => {
                if let Err(e) = write_aside(server, false) {
                    log::warning(&e);
                }
                continue;
            }
        };
        let mut background = Background::new(&server.engine.gate, &server.engine.shards, ExecutorId(me as u16), ticket);
        let result = write(server, &mut background, &job, &jobs.cancelled);
        let result = match (&job.target, result) {
            (Target::Dump(_), Ok(())) => {
                log::notice(log_text::snapshot::SAVED);
                Ok(())
            }
            (Target::Sync(..), Ok(())) => Ok(()),
            (Target::AofBase(path, snapshot), Ok(())) => {
                log::notice(log_text::aof::REWRITE_TERMINATED);
                aof.finish_rewrite(path, *snapshot, &server.control.load().config)
            }
            (_, Err(e)) => Err(e),
        };
        if let (Target::AofBase(..), Err(e)) = (&job.target, &result) {
            log::warning(e);
            if aof.fail_rewrite() {
                server.saving.lock().rewrites.scheduled = true;
            }
        }
        saving::finished(server, result.err().as_deref());
    }
}

/// What was set aside must be on the disk before a file takes its place that does not hold it.
fn write_aside(server: &Server, with_snapshot: bool) -> Result<(), String> {
    let Some(node) = &server.cluster else { return Ok(()) };
    node.aside.write(server, &server.control.load(), with_snapshot)
}

/// The file of one snapshot on its way to the disk.
struct Output<'a> {
    server: &'a Server,
    cancelled: &'a AtomicBool,
    file: Out<'a>,
    step: usize,
    checksum: Checksum,
    buffer: Vec<u8>,
    pace: Pace,
    failure: Option<String>,
}

/// How fast a snapshot is made while clients are served: half the time. Where cores are fewer than busy threads, a thread
/// that never sleeps is given whole slices of milliseconds, and a client waits for each; one that rests soon is not.
struct Pace {
    began: Instant,
    turns: u64,
}

impl Pace {
    fn new(server: &Server) -> Self {
        Pace { began: Instant::now(), turns: turns(server) }
    }

    /// To be called often, while no shard is held.
    fn rest(&mut self, server: &Server) {
        let worked = self.began.elapsed();
        if worked < WORK {
            return;
        }
        let turns = turns(server);
        if turns != self.turns {
            self.turns = turns;
            std::thread::sleep(worked.min(STEP));
        }
        self.began = Instant::now();
    }
}

/// How many turns the I/O threads have made.
fn turns(server: &Server) -> u64 {
    server.counters.iter().map(|counters| counters.turns.load(Ordering::Relaxed)).sum()
}

impl Output<'_> {
    fn goes_on(&self) -> bool {
        self.failure.is_none() && !self.cancelled.load(Ordering::Relaxed) && !self.server.is_over()
    }

    fn put(&mut self, bytes: &[u8]) {
        self.checksum.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= self.step {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Err(e) = self.file.write_all(&self.buffer) {
            self.failure.get_or_insert_with(|| log_text::snapshot::write_failed(&errno::text(&e)));
        }
        self.buffer.clear();
    }
}

impl Consumer for Output<'_> {
    fn take(&mut self, bytes: &[u8]) -> bool {
        self.put(bytes);
        self.goes_on()
    }

    /// Tests slow saving down. A delay that is taken back ends at once.
    fn passed(&mut self, keys: u64) -> bool {
        self.pace.rest(self.server);
        let began = clock::monotonic_us();
        loop {
            if !self.goes_on() {
                return false;
            }
            let micros = delay_micros(self.server.control.load().config.snapshot.rdb_key_save_delay, keys);
            let passed = u128::from(clock::monotonic_us() - began);
            if passed >= micros {
                return true;
            }
            std::thread::sleep(STEP.min(Duration::from_micros((micros - passed).min(1 << 30) as u64)));
        }
    }
}

fn write(
    server: &Server,
    background: &mut Background<'_, keyspace::Shard>,
    job: &SaveJob,
    cancelled: &AtomicBool,
) -> Result<(), String> {
    /// Takes nothing: the snapshot is given up.
    struct Nobody;
    impl Consumer for Nobody {
        fn take(&mut self, _: &[u8]) -> bool {
            false
        }
        fn passed(&mut self, _: u64) -> bool {
            false
        }
    }
    let shards = server.engine.map.shards();
    let target = match &job.target {
        Target::Dump(name) | Target::Sync(name, _) => Path::new(OsStr::from_bytes(name)),
        Target::AofBase(path, _) => path,
    };
    let aux: Vec<(&[u8], &[u8])> = job.aux.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    let file = match Out::create(server, target, &job.target) {
        Ok(file) => file,
        Err(e) => {
            // The shards still owe entries to this snapshot: that must end too.
            job.snapshot.walk(background, shards, &mut Nobody);
            return Err(log_text::snapshot::cannot_create(&errno::text(&e)));
        }
    };
    let mut output = Output {
        server,
        cancelled,
        step: file.step(),
        file,
        checksum: Checksum::new(job.checksum),
        buffer: Vec::new(),
        pace: Pace::new(server),
        failure: None,
    };
    output.put(&job.preamble);
    output.put(&job.snapshot.head(&aux));
    // Replicas that read along see at once that something comes.
    output.flush();
    let complete = job.snapshot.walk(background, shards, &mut output);
    if complete && matches!(job.snapshot.form, Records::Rdb(_)) {
        let mut end = Vec::new();
        Form::eof(&mut end);
        output.put(&end);
        let sum = output.checksum.finish();
        output.buffer.extend_from_slice(&sum);
    }
    output.flush();
    if let Some(reason) = output.failure {
        return Err(reason);
    }
    if job.snapshot.spool().is_unwritable() {
        return Err(log_text::snapshot::UNWRITABLE.to_owned());
    }
    if !complete || cancelled.load(Ordering::Relaxed) {
        return Err(log_text::snapshot::CANCELLED_NOW.to_owned());
    }
    if !matches!(job.target, Target::Sync(..)) {
        write_aside(server, true)?;
    }
    let dir = std::env::current_dir().unwrap_or_default();
    output.file.commit().map_err(|e| match e.step {
        Step::Rename => log_text::snapshot::cannot_rename(
            &target.display().to_string(),
            &dir.display().to_string(),
            &errno::text(&e.error),
        ),
        Step::Sync | Step::SyncDirectory => log_text::snapshot::write_failed(&errno::text(&e.error)),
    })
}

/// Where a snapshot goes.
enum Out<'s> {
    /// A file that is there when it is complete.
    File(files::Replacement),
    /// One without a name, which replicas read while it grows.
    Spool { server: &'s Server, sync: Arc<Sync>, file: File, len: u64 },
}

impl<'s> Out<'s> {
    fn create(server: &'s Server, path: &Path, target: &Target) -> io::Result<Self> {
        match target {
            Target::Sync(_, sync) if sync.streamed => {
                let file = files::unnamed(Path::new("."))?;
                sync.open(server, Arc::new(OpenFile(file.try_clone()?)));
                Ok(Out::Spool { server, sync: sync.clone(), file, len: 0 })
            }
            // The name that administrators know, and look for after a crash.
            Target::Dump(_) => {
                let temporary = format!("temp-{}.rdb", std::process::id());
                Ok(Out::File(files::Replacement::create_as(&path.with_file_name(temporary), path, true)?))
            }
            _ => Ok(Out::File(files::Replacement::create(path, true)?)),
        }
    }

    /// How many bytes are gathered before they are written.
    fn step(&self) -> usize {
        match self {
            Out::File(_) => WRITE,
            Out::Spool { .. } => WRITE_STREAMED,
        }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Out::File(file) => file.write_all(bytes),
            Out::Spool { server, sync, file, len } => {
                file.write_all(bytes)?;
                *len += bytes.len() as u64;
                sync.grow(server, *len);
                Ok(())
            }
        }
    }

    fn commit(self) -> Result<(), CommitError> {
        match self {
            Out::File(file) => file.commit(),
            Out::Spool { .. } => Ok(()),
        }
    }
}
