//! Primary and replica.

use super::{INT_MAX, LONG_MAX, MB, SIZE_MAX};
use crate::kind::{Endpoint, YES_NO, anything, choice, int, memory, optional_text, primary};

choice! {
    /// What a replica does with its own data while it receives a full copy without a file.
    DisklessLoad {
        /// Receive a file first.
        Disabled = "disabled",
        /// Without a file when there is no data yet.
        OnEmptyDb = "on-empty-db",
        /// Keep the old data and serve it until the new is complete.
        Swapdb = "swapdb",
        /// Drop the old data first.
        FlushBeforeLoad = "flush-before-load",
    }
}

choice! {
    /// What to do about a replicated command that fails.
    PropagationErrorBehavior {
        Ignore = "ignore",
        Panic = "panic",
        PanicOnReplicas = "panic-on-replicas",
    }
}

section! {
    /// Replication.
    Replication in replication;

    /// The primary to follow.
    replicaof: Option<Endpoint> = None => "replicaof" | "slaveof", primary(), [immutable];
    /// User as whom to log in at the primary.
    primaryuser: Option<Vec<u8>> = None => "primaryuser" | "masteruser", optional_text(anything), [sensitive];
    /// Password for the primary.
    primaryauth: Option<Vec<u8>> = None => "primaryauth" | "masterauth", optional_text(anything), [sensitive];
    /// Answer reads while the link is down.
    replica_serve_stale_data: bool = true => "replica-serve-stale-data" | "slave-serve-stale-data", YES_NO;
    /// Refuse writes of clients.
    replica_read_only: bool = true => "replica-read-only" | "slave-read-only", YES_NO;
    /// Send full copies without a file on the primary.
    repl_diskless_sync: bool = true => "repl-diskless-sync", YES_NO;
    /// Seconds to wait for more replicas before such a copy starts.
    repl_diskless_sync_delay: u32 = 5 => "repl-diskless-sync-delay", int(0, INT_MAX);
    /// Replicas that end this waiting; 0 waits for the time.
    repl_diskless_sync_max_replicas: u32 = 0 => "repl-diskless-sync-max-replicas", int(0, INT_MAX);
    /// How a replica loads a full copy.
    repl_diskless_load: DisklessLoad = DisklessLoad::Disabled => "repl-diskless-load", choice(), [denied_while_loading];
    /// Send the copy and the stream over two connections.
    dual_channel_replication_enabled: bool = false => "dual-channel-replication-enabled", YES_NO,
        accepted "A copy and its stream share one connection; meanwhile the stream waits in the primary's journal.";
    /// Seconds between pings to replicas.
    repl_ping_replica_period: u32 = 10 => "repl-ping-replica-period" | "repl-ping-slave-period", int(1, INT_MAX);
    /// Seconds of silence after which a link is given up.
    repl_timeout: u32 = 60 => "repl-timeout", int(1, INT_MAX);
    /// Let the kernel gather small packets to replicas.
    repl_disable_tcp_nodelay: bool = false => "repl-disable-tcp-nodelay", YES_NO;
    /// Bytes of the stream kept in memory for replicas that come back.
    repl_backlog_size: u64 = 10 * MB => "repl-backlog-size", memory(1, SIZE_MAX);
    /// Seconds without replicas after which it is dropped; 0 never.
    repl_backlog_ttl: u64 = 3600 => "repl-backlog-ttl", int(0, LONG_MAX);
    /// Bytes of disk for copies that slow replicas have yet to read; 0 is no limit but the disk's.
    repl_spool_limit: u64 = 0 => "repl-spool-limit", memory(0, SIZE_MAX),
        accepted "A copy that replicas are being sent takes what disk it needs.";
    /// Bytes that a replica may buffer of the stream during a copy.
    replica_full_sync_buffer_limit: u64 = 0 => "replica-full-sync-buffer-limit", memory(0, SIZE_MAX),
        accepted "A replica buffers nothing during a copy: the stream waits at the primary.";
    /// Rank in failover by Sentinel: the lowest first; 0 never.
    replica_priority: u32 = 100 => "replica-priority" | "slave-priority", int(0, INT_MAX);
    /// Let Sentinel tell clients of this replica.
    replica_announced: bool = true => "replica-announced", YES_NO;
    /// Address to give as our own.
    replica_announce_ip: Option<Vec<u8>> = None => "replica-announce-ip" | "slave-announce-ip", optional_text(anything);
    /// Port to give as our own; 0 gives the real one.
    replica_announce_port: u16 = 0 => "replica-announce-port" | "slave-announce-port", int(0, 65535);
    /// Leave eviction to the primary.
    replica_ignore_maxmemory: bool = true => "replica-ignore-maxmemory" | "slave-ignore-maxmemory", YES_NO;
    /// Drop the old data in the background before a full copy.
    replica_lazy_flush: bool = true => "replica-lazy-flush" | "slave-lazy-flush", YES_NO;
    /// Go on although the primary's writes cannot be persisted here.
    replica_ignore_disk_write_errors: bool = false => "replica-ignore-disk-write-errors", YES_NO;
    /// Replicas without which writes are refused.
    min_replicas_to_write: u32 = 0 => "min-replicas-to-write" | "min-slaves-to-write", int(0, INT_MAX);
    /// Seconds of lag up to which a replica counts for that.
    min_replicas_max_lag: u32 = 10 => "min-replicas-max-lag" | "min-slaves-max-lag", int(0, INT_MAX);
    /// What to do about a replicated command that fails.
    propagation_error_behavior: PropagationErrorBehavior = PropagationErrorBehavior::Ignore =>
        "propagation-error-behavior", choice();
    /// Milliseconds after the start for which a primary refuses writes, until REPLICAOF tells it its role; 0 is off. For
    /// servers that a Sentinel watches: one that comes back may have been replaced meanwhile.
    sentinel_guard_ms: u64 = 0 => "sentinel-guard-ms", int(0, LONG_MAX);
    /// Take data in from another server: let only the importing client see expired keys.
    import_mode: bool = false => "import-mode", YES_NO;
}
