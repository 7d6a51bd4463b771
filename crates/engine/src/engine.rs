//! The engine of one server: shards, gate and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use keyspace::{Shard, ShardMap, UnixMillis};

use crate::gate::Gate;
use crate::shard::Shards;

/// Where time comes from. Implemented by the runtime and by the simulator.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch.
    fn unix_millis(&self) -> i64;
    /// Nanoseconds since some moment in the past; never goes back.
    fn nanos(&self) -> u64;
}

/// A step back of the clock by less than this is not followed: `now` stands still until the clock has caught up.
const SMALL_STEP_MS: i64 = 1000;

/// The data plane of one server.
pub struct Engine {
    /// Where units register before they run.
    pub gate: Gate,
    /// The keyspace.
    pub shards: Shards<Shard>,
    /// Which shard a key is in.
    pub map: ShardMap,
    clock: Arc<dyn Clock>,
    last: AtomicI64,
}

impl Engine {
    /// An empty keyspace of `shards` shards (a power of two) and `databases` databases, run by `executors` threads.
    pub fn new(shards: usize, databases: usize, executors: usize, clock: Arc<dyn Clock>) -> Self {
        Engine {
            gate: Gate::new(executors),
            shards: Shards::new(shards, |_| Shard::new(databases)),
            map: ShardMap::new(shards),
            last: AtomicI64::new(clock.unix_millis()),
            clock,
        }
    }

    /// The time, one for all threads: it does not go back, unless the clock was set back by more than a second.
    pub fn now(&self) -> UnixMillis {
        let clock = self.clock.unix_millis();
        let last = self.last.load(Ordering::Relaxed);
        if clock == last {
            return UnixMillis(last);
        }
        if clock > last {
            return UnixMillis(self.last.fetch_max(clock, Ordering::Relaxed).max(clock));
        }
        if last - clock >= SMALL_STEP_MS {
            self.last.store(clock, Ordering::Relaxed);
            return UnixMillis(clock);
        }
        UnixMillis(last)
    }

    /// The clock itself, for measuring durations.
    pub fn clock(&self) -> &dyn Clock {
        &*self.clock
    }
}
