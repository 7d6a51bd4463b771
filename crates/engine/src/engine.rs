//! The engine of one server: shards, gate and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use keyspace::{Count, DbIndex, Shard, ShardId, ShardMap, UnixMillis};

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
    counts: Vec<Arc<[Count]>>,
    watched: Vec<Arc<AtomicUsize>>,
}

impl Engine {
    /// An empty keyspace of the shards of `map` and `databases` databases, run by `executors` threads.
    pub fn new(map: ShardMap, databases: usize, executors: usize, clock: Arc<dyn Clock>) -> Self {
        let shards = map.shards();
        let mut counts = Vec::with_capacity(shards);
        let mut watched = Vec::with_capacity(shards);
        let shards_of_keys = Shards::new(shards, |_| {
            let shard = Shard::new(databases, map);
            counts.push(shard.counts());
            watched.push(shard.watched.count());
            shard
        });
        Engine {
            gate: Gate::new(executors),
            shards: shards_of_keys,
            counts,
            watched,
            map,
            last: AtomicI64::new(clock.unix_millis()),
            clock,
        }
    }

    /// Keys of a database, and how many of them have an expiry, without a lock. `O(shards)`.
    pub fn count(&self, db: DbIndex) -> (usize, usize) {
        let counts = self.counts.iter().map(|shard| &shard[db.index()]);
        counts.fold((0, 0), |(keys, expires), count| (keys + count.keys(), expires + count.expires()))
    }

    /// How many keys clients watch, without a lock.
    pub fn watched_keys(&self) -> usize {
        self.watched.iter().map(|shard| shard.load(Ordering::Relaxed)).sum()
    }

    /// Keys of a database in one shard, without a lock.
    pub fn keys_in(&self, shard: ShardId, db: DbIndex) -> usize {
        self.counts[shard.index()][db.index()].keys()
    }

    /// Keys of a database in one shard that have an expiry, without a lock.
    pub fn expires_in(&self, shard: ShardId, db: DbIndex) -> usize {
        self.counts[shard.index()][db.index()].expires()
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
