//! Snapshots: when they are taken, where they go, and how they are read.

use super::{INT_MAX, MB};
use crate::kind::{SavePoint, YES_NO, choice, int, memory, save_points, text};
use crate::reason::{self, Reason};

choice! {
    /// What to do with an RDB file of a version that we do not know.
    RdbVersionCheck {
        Strict = "strict",
        /// Try to read it.
        Relaxed = "relaxed",
    }
}

choice! {
    /// From whom payloads are checked in full.
    SanitizeDumpPayload {
        No = "no",
        Yes = "yes",
        /// From clients, not from primaries.
        Clients = "clients",
    }
}

section! {
    /// RDB files.
    Snapshot in snapshot;

    /// When to save: after so many seconds with at least so many changes.
    save: Vec<SavePoint> = default_save_points() => "save", save_points();
    /// Refuse writes while the last save has failed.
    stop_writes_on_bgsave_error: bool = true => "stop-writes-on-bgsave-error", YES_NO;
    /// Compress strings with LZF.
    rdbcompression: bool = true => "rdbcompression", YES_NO;
    /// Write and check a checksum.
    rdbchecksum: bool = true => "rdbchecksum", YES_NO, [immutable];
    /// What to do with a file of a version that we do not know.
    rdb_version_check: RdbVersionCheck = RdbVersionCheck::Strict => "rdb-version-check", choice();
    /// Name of the file, in `dir`.
    dbfilename: Vec<u8> = b"dump.rdb".to_vec() => "dbfilename", text(file_name), [protected];
    /// Delete files that were made only for a sync.
    rdb_del_sync_files: bool = false => "rdb-del-sync-files", YES_NO;
    /// Flush to disk every few megabytes while saving.
    rdb_save_incremental_fsync: bool = true => "rdb-save-incremental-fsync", YES_NO;
    /// Memory for what a running snapshot has encoded and not yet handed on; what exceeds it goes to an unlinked file
    /// in `dir`.
    snapshot_memory_limit: u64 = 64 * MB => "snapshot-memory-limit", memory(MB, super::SIZE_MAX);
    /// Check payloads of RDB files and RESTORE in full.
    sanitize_dump_payload: SanitizeDumpPayload = SanitizeDumpPayload::No => "sanitize-dump-payload", choice(),
        accepted "Payloads are always checked in full.";
    /// Microseconds to wait after each key saved; negative, keys to save before waiting for one. For tests.
    rdb_key_save_delay: i32 = 0 => "rdb-key-save-delay", int(i32::MIN as i128, INT_MAX), [hidden];
    /// Microseconds to wait after each key loaded; negative, keys to load before waiting for one. For tests.
    key_load_delay: i32 = 0 => "key-load-delay", int(i32::MIN as i128, INT_MAX), [hidden];
    /// Bytes to load between two looks at clients.
    loading_process_events_interval_bytes: u32 = 2 * MB as u32 => "loading-process-events-interval-bytes",
        int(1024, INT_MAX), [hidden];
}

fn default_save_points() -> Vec<SavePoint> {
    [(3600, 1), (300, 100), (60, 10000)].map(|(seconds, changes)| SavePoint { seconds, changes }).to_vec()
}

fn file_name(name: &[u8]) -> Result<(), Reason> {
    match name {
        [] => Err(reason::DBFILENAME_EMPTY),
        _ if !is_base_name(name) => Err(reason::DBFILENAME_PATH),
        _ => Ok(()),
    }
}

/// Whether `name` stays in its directory.
pub(super) fn is_base_name(name: &[u8]) -> bool {
    !name.iter().any(|byte| matches!(byte, b'/' | b'\\'))
}
