//! The append-only file.

use super::snapshot::is_base_name;
use super::{INT_MAX, MB, NO_FORK, SIZE_MAX};
use crate::kind::{YES_NO, choice, int, memory, text};
use crate::reason::{self, Reason};

choice! {
    /// When what was appended is forced to disk.
    AppendFsync {
        /// Once a second, in the background.
        Everysec = "everysec",
        /// Before the reply.
        Always = "always",
        /// When the operating system likes.
        No = "no",
    }
}

section! {
    /// The append-only file.
    Aof in aof;

    /// Keep one.
    appendonly: bool = false => "appendonly", YES_NO, [denied_while_loading];
    /// First part of the names of its files.
    appendfilename: Vec<u8> = b"appendonly.aof".to_vec() => "appendfilename", text(file_name), [immutable];
    /// Directory of its files, in `dir`.
    appenddirname: Vec<u8> = b"appendonlydir".to_vec() => "appenddirname", text(directory_name), [immutable];
    /// When what was appended is forced to disk.
    appendfsync: AppendFsync = AppendFsync::Everysec => "appendfsync", choice();
    /// Do not force to disk while a rewrite runs.
    no_appendfsync_on_rewrite: bool = false => "no-appendfsync-on-rewrite", YES_NO;
    /// Percent of growth after which it is rewritten; 0 never.
    auto_aof_rewrite_percentage: u32 = 100 => "auto-aof-rewrite-percentage", int(0, INT_MAX);
    /// Bytes below which it is not rewritten by itself.
    auto_aof_rewrite_min_size: u64 = 64 * MB => "auto-aof-rewrite-min-size", memory(0, SIZE_MAX);
    /// Start although the last record is cut off.
    aof_load_truncated: bool = true => "aof-load-truncated", YES_NO;
    /// Write the base as an RDB file.
    aof_use_rdb_preamble: bool = true => "aof-use-rdb-preamble", YES_NO;
    /// Note the time between records.
    aof_timestamp_enabled: bool = false => "aof-timestamp-enabled", YES_NO;
    /// Flush to disk every few megabytes while rewriting.
    aof_rewrite_incremental_fsync: bool = true => "aof-rewrite-incremental-fsync", YES_NO;
    /// Keep files that a rewrite has made superfluous. For tests.
    aof_disable_auto_gc: bool = false => "aof-disable-auto-gc", YES_NO, [hidden];
    /// Cores of the process that rewrites.
    aof_rewrite_cpulist: Option<Vec<u8>> = None => "aof-rewrite-cpulist" | "aof_rewrite_cpulist",
        crate::kind::optional_text(crate::kind::anything), [immutable], accepted NO_FORK;
}

fn file_name(name: &[u8]) -> Result<(), Reason> {
    match name {
        [] => Err(reason::APPENDFILENAME_EMPTY),
        _ if !is_base_name(name) => Err(reason::APPENDFILENAME_PATH),
        _ => Ok(()),
    }
}

fn directory_name(name: &[u8]) -> Result<(), Reason> {
    match name {
        [] => Err(reason::APPENDDIRNAME_EMPTY),
        _ if !is_base_name(name) => Err(reason::APPENDDIRNAME_PATH),
        _ => Ok(()),
    }
}
