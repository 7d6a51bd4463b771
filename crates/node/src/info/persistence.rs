//! `# Persistence`: snapshots and the append-only file.

use std::sync::atomic::Ordering;

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let loading = page.control.loading;
    let now = server.engine.now().0 / 1000;
    let aof_ok = page.control.aof_failed.is_none();
    page.flag("loading", loading);
    page.flag("async_loading", page.control.async_loading);
    page.zeros(&["current_cow_peak", "current_cow_size", "current_cow_size_age"]);
    page.field("current_fork_perc", "0.00");
    page.zeros(&["current_save_keys_processed", "current_save_keys_total"]);
    page.field("rdb_changes_since_last_save", server.dirty.load(Ordering::Relaxed));
    {
        let saving = server.saving.lock();
        let saves = saving.current.as_ref().is_some_and(|current| !current.is_rewrite());
        page.flag("rdb_bgsave_in_progress", saves || server.replication.transfer.lock().is_some());
        page.field("rdb_last_save_time", saving.last_save);
        page.field("rdb_last_bgsave_status", if saving.last_ok { "ok" } else { "err" });
        page.field("rdb_last_bgsave_time_sec", saving.last_seconds);
        page.field("rdb_current_bgsave_time_sec", saving.current.as_ref().map_or(-1, |current| now - current.since));
        page.field("rdb_saves", saving.saves);
        page.field("rdb_last_cow_size", saving.last_extra_memory);
    }
    page.zeros(&["rdb_last_load_keys_expired", "rdb_last_load_keys_loaded"]);
    let aof = page.control.config.aof.appendonly;
    page.flag("aof_enabled", aof);
    page.zeros(&["aof_rewrite_in_progress", "aof_rewrite_scheduled"]);
    page.field("aof_last_rewrite_time_sec", -1);
    page.field("aof_current_rewrite_time_sec", -1);
    page.field("aof_last_bgrewrite_status", "ok");
    page.zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    page.field("aof_last_write_status", if aof_ok { "ok" } else { "err" });
    page.zeros(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"]);
}
