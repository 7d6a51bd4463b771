//! The table of directives, one file per subject, and the [`Config`] that they make up.
//!
//! Someone who looks for a directive guesses its file: `replica-priority` is in `replication.rs`. A row reads
//!
//! ```text
//!   /// What it does.
//!   field: Type = default => "name" | "other-name", kind(limits), [flags], accepted REASON;
//! ```
//!
//! where a row with `accepted` is known but has no effect, for a reason that `docs/compatibility.md` repeats.
//! Names that mean something only as lines of a file (`include`, `user`, `rename-command`, …) are in
//! [`mod@crate::load`].

use crate::directive::Directive;

macro_rules! sections {
    ($( $(#[doc = $doc:literal])* $file:ident: $Section:ident ),+ $(,)?) => {
        $( pub mod $file; )+

        /// Everything that can be configured, as the server reads it. Make it with [`crate::load()`], share it in an
        /// `Arc`, change it with [`crate::set`].
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Config {
            $( $(#[doc = $doc])* pub $file: $file::$Section, )+
        }

        static TABLES: &[&[Directive]] = &[ $( $file::TABLE ),+ ];
    };
}

sections! {
    /// Where it listens.
    network: Network,
    /// TLS on those places.
    tls: Tls,
    /// The process: its title, log, user-visible habits.
    general: General,
    /// The threads that run commands.
    threads: Threads,
    /// Who may connect and do what.
    security: Security,
    /// What one client may use.
    clients: Clients,
    /// What all of the data may use.
    memory: Memory,
    /// What is freed in the background.
    lazyfree: Lazyfree,
    /// RDB files.
    snapshot: Snapshot,
    /// The append-only file.
    aof: Aof,
    /// Primary and replica.
    replication: Replication,
    /// Slots, gossip, failover.
    cluster: Cluster,
    /// EVAL and FUNCTION.
    scripting: Scripting,
    /// Slow and large commands.
    commandlog: Commandlog,
    /// Latency figures.
    latency: Latency,
    /// Keyspace notifications.
    events: Events,
    /// When compact encodings give way.
    encodings: Encodings,
    /// Start, end and life in the operating system.
    process: Process,
}

/// All directives, by subject.
pub fn all() -> impl Iterator<Item = &'static Directive> {
    TABLES.iter().copied().flatten()
}

/// The directive called `name`, or known by it as another name, in any case.
pub fn find(name: &[u8]) -> Option<&'static Directive> {
    all().find(|directive| directive.names().any(|known| known.as_bytes().eq_ignore_ascii_case(name)))
}

/// Directives of the past that are read with one value and forgotten, as the peers do. They are not shown.
pub const OBSOLETE: &[&str] =
    &["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands", "events-per-io-thread"];

const INT_MAX: i128 = i32::MAX as i128;
const UINT_MAX: i128 = u32::MAX as i128;
const LONG_MAX: i128 = i64::MAX as i128;
/// The largest size that fits a signed 64-bit integer, in bytes.
const SIZE_MAX: u64 = i64::MAX as u64;
const MB: u64 = 1 << 20;
const GB: u64 = 1 << 30;

const NO_CLUSTER: &str = "Slots are moved key by key, not whole.";
const NO_TLS: &str = "TLS is not built yet.";
const NO_RDMA: &str = "There is no RDMA transport.";
const NO_FORK: &str = "There is no forked child.";

#[cfg(test)]
mod tests;
