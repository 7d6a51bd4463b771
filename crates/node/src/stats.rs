//! Counters: one set per thread, summed when read.
//!
//! CONFIG RESETSTAT does not write other threads' counters; it remembers their sum, which is subtracted from then on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// More different codes than this are not told apart: they come from scripts then, or from an attacker.
pub const MAX_ERROR_CODES: usize = 128;

/// Adds to a counter that only its own thread writes.
pub fn add(counter: &AtomicU64, by: u64) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Relaxed);
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// What one thread has counted.
        #[derive(Default)]
        #[repr(align(128))]
        pub struct Counters {
            $($(#[$doc])* pub $name: AtomicU64,)*
            /// Per command, by row.
            pub commands: Box<[CommandCounters]>,
            /// Error replies by code.
            pub error_codes: Mutex<BTreeMap<Box<[u8]>, u64>>,
        }

        /// A sum over threads.
        #[derive(Clone, Copy, Default, Debug)]
        pub struct Totals {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Totals {
            /// Sums all threads and takes off what was there at the last reset.
            pub fn sum(threads: &[Counters], baseline: &Totals) -> Self {
                let mut total = Totals::default();
                for t in threads {
                    $(total.$name = total.$name.wrapping_add(t.$name.load(Ordering::Relaxed));)*
                }
                $(total.$name = total.$name.wrapping_sub(baseline.$name);)*
                total
            }
        }
    };
}

counters! {
    /// Commands executed.
    processed,
    /// Connections accepted.
    connections,
    /// Connections refused because of `maxclients`.
    rejected_connections,
    /// Lookups that found a key.
    hits,
    /// Lookups that found none.
    misses,
    /// Keys deleted because their time had come.
    expired,
    /// Keys deleted because memory was short.
    evicted,
    /// Bytes read from clients.
    bytes_in,
    /// Bytes sent to clients.
    bytes_out,
    /// Bytes read from our primary.
    repl_bytes_in,
    /// Bytes sent to replicas.
    repl_bytes_out,
    /// Error replies.
    errors,
    /// Clients closed because their output exceeded the limit.
    output_limit_disconnections,
    /// Clients closed because their query buffer exceeded the limit.
    query_limit_disconnections,
    /// Values freed in the background.
    lazy_freed,
    /// Read events handled.
    reads,
    /// Write events handled.
    writes,
    /// Turns of the loop.
    turns,
    /// Time spent in commands, in nanoseconds.
    command_nanos,
    /// Replicas that were sent the whole data set.
    sync_full,
    /// Replicas that could go on where they were.
    sync_partial_ok,
    /// Replicas that could not, though they asked to.
    sync_partial_err,
    /// ACL refusals of a command.
    acl_denied_cmd,
    /// ACL refusals of a key.
    acl_denied_key,
    /// ACL refusals of a channel.
    acl_denied_channel,
    /// ACL refusals of a database.
    acl_denied_db,
    /// Failed authentications.
    acl_denied_auth,
}

/// What one thread has counted of one command.
#[derive(Default)]
pub struct CommandCounters {
    /// Calls.
    pub calls: AtomicU64,
    /// Time spent in it, in nanoseconds.
    pub nanos: AtomicU64,
    /// Refused before it ran.
    pub rejected: AtomicU64,
    /// Ran and answered an error.
    pub failed: AtomicU64,
}

/// The code of an encoded error reply.
pub fn code_of(reply: &[u8]) -> &[u8] {
    let line = reply.strip_prefix(b"-").unwrap_or(reply);
    let end = line.iter().position(|b| matches!(b, b' ' | b'\r')).unwrap_or(line.len());
    if line.get(end) == Some(&b' ') { &line[..end] } else { b"ERR" }
}

/// What all threads together have counted of one command.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct CommandTotals {
    /// Calls.
    pub calls: u64,
    /// Time spent in it, in nanoseconds.
    pub nanos: u64,
    /// Refused before it ran.
    pub rejected: u64,
    /// Ran and answered an error.
    pub failed: u64,
}

impl CommandTotals {
    /// Sums all threads.
    pub fn sum(threads: &[Counters], index: usize) -> Self {
        let mut total = CommandTotals::default();
        for command in threads.iter().map(|thread| &thread.commands[index]) {
            total.calls += command.calls.load(Ordering::Relaxed);
            total.nanos += command.nanos.load(Ordering::Relaxed);
            total.rejected += command.rejected.load(Ordering::Relaxed);
            total.failed += command.failed.load(Ordering::Relaxed);
        }
        total
    }

    /// What has been counted since `former`.
    pub fn since(&self, former: &Self) -> Self {
        CommandTotals {
            calls: self.calls - former.calls,
            nanos: self.nanos - former.nanos,
            rejected: self.rejected - former.rejected,
            failed: self.failed - former.failed,
        }
    }
}

/// Sums at the last reset.
#[derive(Debug)]
pub struct Baseline {
    /// Of the plain counters.
    pub totals: Totals,
    /// By row.
    pub commands: Box<[CommandTotals]>,
}

impl Baseline {
    /// All zero, for a registry of `rows` commands.
    pub fn new(rows: usize) -> Self {
        Baseline { totals: Totals::default(), commands: vec![CommandTotals::default(); rows].into() }
    }
}

impl Counters {
    /// Counts an error reply under its code.
    pub fn note_error(&self, code: &[u8]) {
        add(&self.errors, 1);
        let mut codes = self.error_codes.lock();
        if let Some(count) = codes.get_mut(code) {
            *count += 1;
        } else if codes.len() < MAX_ERROR_CODES {
            codes.insert(code.into(), 1);
        }
    }

    /// Counters for a registry of `rows` commands.
    pub fn new(rows: usize) -> Self {
        Counters { commands: (0..rows).map(|_| CommandCounters::default()).collect(), ..Counters::default() }
    }
}
