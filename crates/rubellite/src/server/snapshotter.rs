//! The snapshot thread: walks one snapshot after the other and writes their files.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use engine::background::Background;
use engine::id::ExecutorId;
use node::replication::Sync;
use node::saving::{self, SaveJob, Target};
use node::server::Server;
use rdb::encode::{Checksum, Form};
use resp::log_text;
use runtime::files::CommitError;
use runtime::{errno, files, log};

use super::aof::Aof;
use super::host::OpenFile;

/// Bytes gathered before they are written.
const WRITE: usize = 256 * 1024;
/// The same when replicas read them at once.
const WRITE_STREAMED: usize = 16 * 1024;

/// Where jobs for the snapshot thread are put.
#[derive(Clone)]
pub struct Snapshotter {
    jobs: Sender<Option<SaveJob>>,
    cancelled: Arc<AtomicBool>,
}

/// The thread's end of it.
pub struct Jobs {
    jobs: Receiver<Option<SaveJob>>,
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
        let _ = self.jobs.send(Some(job));
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
        let mut background = Background::new(&server.engine.gate, &server.engine.shards, ExecutorId(me as u16), ticket);
        let result = write(server, &mut background, &job, &jobs.cancelled);
        let result = match (&job.target, result) {
            (Target::Dump(_), Ok(())) => {
                log::notice(log_text::snapshot::SAVED);
                Ok(())
            }
            (Target::Sync(..), Ok(())) => Ok(()),
            (Target::AofBase(path), Ok(())) => {
                log::notice(log_text::aof::REWRITE_TERMINATED);
                aof.finish_rewrite(path, &server.control.load().config)
            }
            (_, Err(e)) => Err(e),
        };
        if let (Target::AofBase(_), Err(e)) = (&job.target, &result) {
            log::warning(e);
            aof.fail_rewrite();
        }
        saving::finished(server, job.snapshot.extra_memory(), result.err().as_deref());
    }
}

fn write(
    server: &Server,
    background: &mut Background<'_, keyspace::Shard>,
    job: &SaveJob,
    cancelled: &AtomicBool,
) -> Result<(), String> {
    let shards = server.engine.map.shards();
    let target = match &job.target {
        Target::Dump(name) | Target::Sync(name, _) => Path::new(OsStr::from_bytes(name)),
        Target::AofBase(path) => path,
    };
    let aux: Vec<(&[u8], &[u8])> = job.aux.iter().map(|(name, value)| (&name[..], &value[..])).collect();
    let mut file = match Out::create(server, target, &job.target) {
        Ok(file) => Some(file),
        Err(e) => {
            // The shards still owe entries to this snapshot: that must end too.
            job.snapshot.walk(background, shards, &mut |_| false);
            return Err(format!("Failed opening the temp RDB file for saving: {}", errno::text(&e)));
        }
    };
    let mut checksum = Checksum::new(job.checksum);
    let mut buffer = job.snapshot.head(&aux);
    checksum.update(&buffer);
    let mut failure = put(&mut file, &mut buffer);
    let step = file.as_ref().map_or(WRITE, Out::step);
    let complete = job.snapshot.walk(background, shards, &mut |bytes| {
        checksum.update(bytes);
        buffer.extend_from_slice(bytes);
        if buffer.len() >= step {
            failure = put(&mut file, &mut buffer);
        }
        if job.key_delay_micros > 0 {
            std::thread::sleep(std::time::Duration::from_micros(job.key_delay_micros));
        }
        failure.is_none() && !cancelled.load(Ordering::Relaxed) && !server.is_over()
    });
    if let Some(reason) = failure {
        return Err(reason);
    }
    if !complete {
        return Err("Background saving cancelled".to_owned());
    }
    let mut end = Vec::new();
    Form::eof(&mut end);
    checksum.update(&end);
    buffer.extend_from_slice(&end);
    buffer.extend_from_slice(&checksum.finish());
    if let Some(reason) = put(&mut file, &mut buffer) {
        return Err(reason);
    }
    let Some(file) = file else { return Err("the file is gone".to_owned()) };
    file.commit().map_err(|e| format!("Write error saving DB on disk: {e:?}"))
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

fn put(file: &mut Option<Out<'_>>, buffer: &mut Vec<u8>) -> Option<String> {
    let result = file.as_mut()?.write_all(buffer);
    buffer.clear();
    result.err().map(|e| format!("Write error saving DB on disk: {}", errno::text(&e)))
}
