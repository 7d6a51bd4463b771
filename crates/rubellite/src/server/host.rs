//! What the runtime does for the node.

use std::sync::Arc;

use engine::Clock;
use keyspace::Db;
use node::saving::SaveJob;
use node::server::{Host, LogLevel};
use runtime::background::Lane;
use runtime::{Waker, clock, entropy, log, signals};
use value::Value;

use super::snapshotter::Snapshotter;

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
}

impl ProcessHost {
    /// A host whose background threads start when they are first needed.
    pub fn new(snapshotter: Snapshotter, control: Arc<Waker>) -> Self {
        ProcessHost { lazy_free: Lane::new("lazyfree"), snapshotter, control }
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

    fn wake_control(&self) {
        self.control.notify();
    }

    fn entropy(&self) -> u64 {
        entropy::seed()
    }

    fn used_memory(&self) -> usize {
        runtime::alloc::used() as usize
    }
}
