//! What each slot has cost: processor time and bytes on the network (CLUSTER SLOT-STATS).
//!
//! Counted only under `cluster-slot-stats-enabled`. One place for all threads: whoever asks for figures by slot pays for
//! three additions to a shared word per command.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ::cluster::Slot;
use command::row::Row;
use resp::args::Args;

/// How long a request is as an array of bulk strings.
pub(crate) fn request_bytes(args: &Args<'_>) -> u64 {
    let digits = |n: usize| u64::from(n.checked_ilog10().unwrap_or(0)) + 1;
    let line = |n: usize| digits(n) + 3;
    line(args.len()) + args.iter().map(|arg| line(arg.len()) + arg.len() as u64 + 2).sum::<u64>()
}

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

    /// Counts a command that has run, if its keys are of a slot. The replies of a transaction's commands leave together, and
    /// are counted for none of them.
    pub(crate) fn note(&self, row: &Row, args: &Args<'_>, nanos: u64, reply: usize, in_exec: bool) {
        let Some(slot) = super::route::slot_of(row, args).ok().flatten().and_then(Slot::new) else { return };
        let cost = self.of(slot);
        cost.cpu_usec.fetch_add(nanos / 1000, Ordering::Relaxed);
        cost.bytes_in.fetch_add(request_bytes(args), Ordering::Relaxed);
        if !in_exec {
            cost.bytes_out.fetch_add(reply as u64, Ordering::Relaxed);
        }
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
