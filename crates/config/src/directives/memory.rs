//! How much memory the data may take, and what happens then.

use super::{INT_MAX, LONG_MAX, MB};
use crate::kind::{YES_NO, choice, int, memory};

choice! {
    /// What gives way when memory is short.
    MaxmemoryPolicy {
        /// The least recently used of the keys that expire.
        VolatileLru = "volatile-lru",
        /// The least frequently used of the keys that expire.
        VolatileLfu = "volatile-lfu",
        VolatileRandom = "volatile-random",
        /// The key that expires soonest.
        VolatileTtl = "volatile-ttl",
        AllkeysLru = "allkeys-lru",
        AllkeysLfu = "allkeys-lfu",
        AllkeysRandom = "allkeys-random",
        /// Nothing: writes are refused.
        Noeviction = "noeviction",
    }
}

impl MaxmemoryPolicy {
    /// Whether accesses are counted instead of dated.
    pub fn is_lfu(self) -> bool {
        matches!(self, MaxmemoryPolicy::VolatileLfu | MaxmemoryPolicy::AllkeysLfu)
    }
}

section! {
    /// Memory.
    Memory in memory;

    /// Bytes that the data may take; 0 is no limit.
    maxmemory: u64 = 0 => "maxmemory", memory(0, u64::MAX);
    /// What gives way when memory is short.
    maxmemory_policy: MaxmemoryPolicy = MaxmemoryPolicy::Noeviction => "maxmemory-policy", choice();
    /// Keys looked at to find one to evict.
    maxmemory_samples: u32 = 5 => "maxmemory-samples", int(1, 64);
    /// How much time eviction may take, 0 little, 100 all that is needed.
    maxmemory_eviction_tenacity: u32 = 10 => "maxmemory-eviction-tenacity", int(0, 100);
    /// How many accesses saturate a key's counter.
    lfu_log_factor: u32 = 10 => "lfu-log-factor", int(0, INT_MAX);
    /// Minutes after which a key's counter is decremented.
    lfu_decay_time: u32 = 1 => "lfu-decay-time", int(0, INT_MAX);
    /// How hard the active cycle looks for expired keys, 1 to 10.
    active_expire_effort: u32 = 1 => "active-expire-effort", int(1, 10);
    /// Go on resizing tables while idle.
    activerehashing: bool = true => "activerehashing", YES_NO;
    /// Return memory from a thread of the allocator.
    jemalloc_bg_thread: bool = true => "jemalloc-bg-thread", YES_NO,
        accepted "Memory is returned by the server's own background thread.";
    /// Move values to fill gaps in memory.
    activedefrag: bool = false => "activedefrag", YES_NO, accepted NO_DEFRAG;
    /// Percent of a core, at least.
    active_defrag_cycle_min: u32 = 1 => "active-defrag-cycle-min", int(1, 99), accepted NO_DEFRAG;
    /// Percent of a core, at most.
    active_defrag_cycle_max: u32 = 25 => "active-defrag-cycle-max", int(1, 99), accepted NO_DEFRAG;
    /// Microseconds of one cycle.
    active_defrag_cycle_us: u32 = 500 => "active-defrag-cycle-us", int(0, 100_000), accepted NO_DEFRAG;
    /// Percent of waste from which on it works.
    active_defrag_threshold_lower: u32 = 10 => "active-defrag-threshold-lower", int(0, 1000), accepted NO_DEFRAG;
    /// Percent of waste from which on it works as hard as it may.
    active_defrag_threshold_upper: u32 = 100 => "active-defrag-threshold-upper", int(0, 1000), accepted NO_DEFRAG;
    /// Bytes of waste below which it rests.
    active_defrag_ignore_bytes: u64 = 100 * MB => "active-defrag-ignore-bytes", memory(1, super::SIZE_MAX),
        accepted NO_DEFRAG;
    /// Elements from which on a collection is moved on its own.
    active_defrag_max_scan_fields: u64 = 1000 => "active-defrag-max-scan-fields", int(1, LONG_MAX), accepted NO_DEFRAG;
}

const NO_DEFRAG: &str = "Values are not moved; the allocator's fine size classes keep gaps small.";
