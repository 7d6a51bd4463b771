//! What each slot has cost: processor time and bytes on the network (CLUSTER SLOT-STATS).
//!
//! ```text
//!   request ─► in     command ─► time, reply ─► out     its log × replicas ─► out     SPUBLISH ─► out, per subscriber
//! ```
//!
//! Counted only under `cluster-slot-stats-enabled`. One place for all threads: whoever asks for figures by slot pays for
//! a few additions to shared words per command.
//!
//! What belongs to a slot is what the peers say: a request counts when it has been answered, so one that waits for keys
//! counts when its wait ends. Requests of a transaction count when they are queued, MULTI with EXEC; QUEUED itself is not
//! counted. A request that was refused or redirected after its slot was known has its bytes counted and its error not.
//! SELECT in the replication stream belongs to nobody.
//!
//! Where the peers differ: they count the replies inside of an EXEC again with each of its commands, so that a transaction
//! of two commands counts its first reply three times. Here EXEC counts what has left.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ::cluster::Slot;
use resp::args::Args;

/// MULTI as a request; nobody knows its slot before EXEC does.
const MULTI_BYTES: u64 = b"*1\r\n$5\r\nmulti\r\n".len() as u64;

/// How long a request is: as it came if it was an array of bulk strings, and a line otherwise. What outlives its buffer is
/// kept as an array.
pub(crate) fn request_bytes(args: &Args<'_>) -> u64 {
    match args.raw() {
        Some(raw) => raw.len() as u64,
        // Words, the spaces between them, and the line's end.
        None => (args.payload_len() + args.len() + 1) as u64,
    }
}

/// What one slot has cost.
#[derive(Default)]
pub struct Cost {
    /// Nanoseconds in commands.
    nanos: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Cost {
    /// Microseconds in commands.
    pub fn cpu_usec(&self) -> u64 {
        self.nanos.load(Ordering::Relaxed) / 1000
    }

    /// Bytes of requests.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Ordering::Relaxed)
    }

    /// Bytes of replies, messages and the replication stream.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Ordering::Relaxed)
    }

    pub(crate) fn add_time(&self, nanos: u64) {
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn add_in(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_out(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Ordering::Relaxed);
    }

    fn reset(&self) {
        self.nanos.store(0, Ordering::Relaxed);
        self.bytes_in.store(0, Ordering::Relaxed);
        self.bytes_out.store(0, Ordering::Relaxed);
    }
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

    /// Counts a request that has come to its end, and with EXEC the MULTI before it.
    pub(crate) fn request(&self, slot: Slot, args: &Args<'_>, is_exec: bool) {
        self.of(slot).add_in(request_bytes(args) + if is_exec { MULTI_BYTES } else { 0 });
    }

    /// Forgets the slots that are not kept.
    pub fn keep(&self, keep: impl Fn(Slot) -> bool) {
        let Some(all) = self.0.get() else { return };
        Slot::all().zip(all).filter(|(slot, _)| !keep(*slot)).for_each(|(_, cost)| cost.reset());
    }

    /// Forgets everything (CONFIG RESETSTAT).
    pub fn reset(&self) {
        self.keep(|_| false);
    }
}
