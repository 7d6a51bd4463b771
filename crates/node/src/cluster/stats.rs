//! What each slot has cost: processor time and bytes on the network (CLUSTER SLOT-STATS).
//!
//! Counted only under `cluster-slot-stats-enabled`. One place for all threads: whoever asks for figures by slot pays for
//! three additions to a shared word per command.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ::cluster::Slot;

/// What one slot has cost.
#[derive(Default)]
pub struct Cost {
    /// Microseconds in commands.
    pub cpu_usec: AtomicU64,
    /// Bytes of requests.
    pub bytes_in: AtomicU64,
    /// Bytes of replies, messages and the replication stream.
    pub bytes_out: AtomicU64,
}

/// See the head of this file.
#[derive(Default)]
pub struct SlotStats(OnceLock<Box<[Cost]>>);

impl SlotStats {
    /// The figures of a slot.
    pub fn of(&self, slot: Slot) -> &Cost {
        let all = self.0.get_or_init(|| Slot::all().map(|_| Cost::default()).collect());
        &all[slot.index()]
    }

    /// Forgets the slots that are not kept.
    pub fn keep(&self, keep: impl Fn(Slot) -> bool) {
        let Some(all) = self.0.get() else { return };
        for (slot, cost) in Slot::all().zip(all) {
            if !keep(slot) {
                cost.cpu_usec.store(0, Ordering::Relaxed);
                cost.bytes_in.store(0, Ordering::Relaxed);
                cost.bytes_out.store(0, Ordering::Relaxed);
            }
        }
    }

    /// Forgets everything (CONFIG RESETSTAT).
    pub fn reset(&self) {
        self.keep(|_| false);
    }
}
