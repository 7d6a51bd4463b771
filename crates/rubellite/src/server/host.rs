//! What the runtime does for the node.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use config::{Config, Directive, Reason};
use engine::Clock;
use keyspace::Db;
use node::replication::SyncFile;
use node::saving::SaveJob;
use node::server::{Host, LogLevel, RewriteFailure};
use runtime::accept::Acceptor;
use runtime::background::Lane;
use runtime::listen::{self, Refused, TcpOptions};
use runtime::{Waker, clock, entropy, errno, files, log, signals, source};
use value::Value;

use super::snapshotter::Snapshotter;
use super::start;

/// The system's clocks.
pub struct SystemClock;

impl Clock for SystemClock {
    fn unix_millis(&self) -> i64 {
        clock::unix_ms()
    }

    fn nanos(&self) -> u64 {
        clock::monotonic_us() * 1000
    }
}

/// The process as the node's host.
pub struct ProcessHost {
    lazy_free: Lane,
    snapshotter: Snapshotter,
    control: Arc<Waker>,
    /// The configuration file, if there is one.
    file: Option<PathBuf>,
    /// Where listeners are opened and closed, once there is an acceptor.
    acceptor: OnceLock<Arc<Acceptor>>,
}

impl ProcessHost {
    /// A host whose background threads start when they are first needed.
    pub fn new(
        snapshotter: Snapshotter,
        control: Arc<Waker>,
        file: Option<PathBuf>,
        acceptor: OnceLock<Arc<Acceptor>>,
    ) -> Self {
        ProcessHost { lazy_free: Lane::new("lazyfree"), snapshotter, control, file, acceptor }
    }

    /// Listens as a changed configuration says, and no longer as the old one did.
    fn listen_anew(&self, new: &Config) -> Result<(), Reason> {
        let Some(acceptor) = self.acceptor.get() else { return Ok(()) };
        let mut listeners = Vec::new();
        if new.network.port != 0 {
            let bind: Vec<String> = new.network.bind.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
            let options = TcpOptions { backlog: new.network.tcp_backlog as i32, mark: new.network.socket_mark_id };
            match listen::tcp(&bind, new.network.port, &options) {
                Ok((opened, warnings)) if !opened.is_empty() => {
                    warnings.iter().for_each(log::warning);
                    listeners = opened;
                }
                Ok((_, warnings)) | Err(Refused { warnings }) => {
                    warnings.iter().for_each(log::warning);
                    return Err(Reason::fixed("Unable to listen on this port. Check server logs."));
                }
            }
        }
        acceptor.close("tcp");
        acceptor.open("tcp", listeners).map_err(|e| Reason::new(errno::text(&e)))
    }
}

/// A snapshot without a name.
struct OpenFile {
    file: std::fs::File,
    len: u64,
}

impl SyncFile for OpenFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, max: usize) -> Result<Bytes, String> {
        let left = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; max.min(left)];
        let n = files::read_full_at(&self.file, &mut buffer, offset).map_err(|e| errno::text(&e))?;
        buffer.truncate(n);
        Ok(buffer.into())
    }
}

impl Host for ProcessHost {
    fn log(&self, level: LogLevel, text: &str) {
        let level = match level {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Verbose => log::Level::Verbose,
            LogLevel::Notice => log::Level::Notice,
            LogLevel::Warning => log::Level::Warning,
        };
        log::line(level, text);
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

    fn cancel_snapshot(&self) {
        self.snapshotter.cancel();
    }

    fn shutdown_aborted(&self) {
        signals::reset();
    }

    fn take_sync_file(&self, file: &[u8]) -> Result<Arc<dyn SyncFile>, String> {
        let path = Path::new(OsStr::from_bytes(file));
        let failed = |e: std::io::Error| errno::text(&e);
        let opened = std::fs::File::open(path).map_err(failed)?;
        // Its name goes now, its blocks with the last reader.
        std::fs::remove_file(path).map_err(failed)?;
        let len = opened.metadata().map_err(failed)?.len();
        Ok(Arc::new(OpenFile { file: opened, len }))
    }

    fn wake_control(&self) {
        self.control.notify();
    }

    fn config_changed(
        &self,
        old: &Config,
        new: &Config,
        changed: &[&'static Directive],
    ) -> Result<(), (&'static Directive, Reason)> {
        for directive in changed {
            let result = match directive.name {
                "dir" => std::env::set_current_dir(OsStr::from_bytes(&new.general.dir))
                    .map_err(|e| Reason::new(errno::text(&e))),
                "port" | "bind" => self.listen_anew(new),
                "tcp-keepalive" => {
                    if let Some(acceptor) = self.acceptor.get() {
                        acceptor.set_keepalive(new.network.tcp_keepalive);
                    }
                    Ok(())
                }
                _ => Ok(()),
            };
            if let Err(reason) = result {
                log::set(start::log_settings(old));
                return Err((directive, reason));
            }
        }
        log::set(start::log_settings(new));
        Ok(())
    }

    fn rewrite_config(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), RewriteFailure> {
        let Some(path) = &self.file else { return Err(RewriteFailure::NoFile) };
        let failed = |e: std::io::Error| RewriteFailure::System(errno::text(&e));
        let old = match source::read(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(failed(e)),
        };
        files::replace(path, &new(&old)).map_err(failed)
    }

    fn entropy(&self) -> u64 {
        entropy::seed()
    }

    fn used_memory(&self) -> usize {
        runtime::alloc::used() as usize
    }
}
