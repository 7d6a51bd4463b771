//! `# Persistence`: snapshots and the append-only file.

use std::sync::atomic::Ordering;

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let loading = page.control.loading;
    let now = server.engine.now().0 / 1000;
    let aof_ok = page.control.aof_failed.is_none();
    let saving = server.saving.lock();
    let current = saving.current.as_ref();
    let copied = current.map_or(0, |current| current.spool.copied());
    let (done, keys) = current.map_or((0, 0), |current| (current.spool.records(), current.keys));
    page.flag("loading", loading);
    page.flag("async_loading", page.control.async_loading);
    page.field("current_cow_peak", copied);
    page.field("current_cow_size", copied);
    page.field("current_cow_size_age", 0);
    page.field("current_fork_perc", format_args!("{:.2}", done as f64 * 100.0 / keys.max(1) as f64));
    page.field("current_save_keys_processed", done);
    page.field("current_save_keys_total", keys);
    page.field("rdb_changes_since_last_save", server.dirty.load(Ordering::Relaxed));
    let snapshot = current.filter(|current| current.is_snapshot());
    page.flag("rdb_bgsave_in_progress", snapshot.is_some() || server.replication.transfer.lock().is_some());
    page.field("rdb_last_save_time", saving.last_save);
    page.field("rdb_last_bgsave_status", if saving.last_ok { "ok" } else { "err" });
    page.field("rdb_last_bgsave_time_sec", saving.last_seconds);
    page.field("rdb_current_bgsave_time_sec", snapshot.map_or(-1, |current| now - current.since));
    page.field("rdb_saves", saving.saves);
    page.field("rdb_last_cow_size", saving.last_copied);
    page.field("rdb_last_load_keys_expired", server.loading.last_expired.load(Ordering::Relaxed));
    page.field("rdb_last_load_keys_loaded", server.loading.last_keys.load(Ordering::Relaxed));
    let rewrites = &saving.rewrites;
    let rewrite = current.filter(|current| current.is_rewrite() && !current.cancelled);
    page.flag("aof_enabled", page.control.config.aof.appendonly);
    page.flag("aof_rewrite_in_progress", rewrite.is_some() || rewrites.promised);
    page.flag("aof_rewrite_scheduled", rewrites.scheduled && !rewrites.promised);
    page.field("aof_last_rewrite_time_sec", rewrites.last_seconds.unwrap_or(-1));
    page.field("aof_current_rewrite_time_sec", rewrite.map_or(-1, |current| now - current.since));
    page.field("aof_last_bgrewrite_status", if rewrites.last_failed { "err" } else { "ok" });
    page.field("aof_rewrites", rewrites.begun);
    page.field("aof_rewrites_consecutive_failures", rewrites.failures);
    page.field("aof_last_write_status", if aof_ok { "ok" } else { "err" });
    page.field("aof_last_cow_size", rewrites.last_copied);
    page.zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
    if let Some((base, size)) = server.host.aof_sizes() {
        page.field("aof_current_size", size);
        page.field("aof_base_size", base);
        page.flag("aof_pending_rewrite", rewrites.scheduled);
        page.zeros(&["aof_buffer_length", "aof_pending_bio_fsync", "aof_delayed_fsync"]);
    }
    drop(saving);
    if loading || page.control.async_loading {
        let progress = &server.loading;
        let (total, loaded) = (progress.total.load(Ordering::Relaxed), progress.loaded.load(Ordering::Relaxed));
        let since = progress.since.load(Ordering::Relaxed);
        let elapsed = now - since;
        page.field("loading_start_time", since);
        page.field("loading_total_bytes", total);
        let used_mem = progress.used_mem.load(Ordering::Relaxed);
        page.field("loading_rdb_used_mem", used_mem);
        page.field("loading_loaded_bytes", loaded);
        let (perc, left) = share(loaded, total, used_mem);
        page.field("loading_loaded_perc", format_args!("{perc:.2}"));
        let eta = if elapsed == 0 { 1 } else { elapsed as u64 * left / (loaded + 1) };
        page.field("loading_eta_seconds", eta);
    }
}

/// How many percent are loaded, and how many bytes are left. A primary that streams its snapshot does not say how long it is:
/// then the memory that its data took there stands for that.
fn share(loaded: u64, total: u64, used_mem: u64) -> (f64, u64) {
    let percent = |of: u64| loaded as f64 * 100.0 / of as f64;
    match (total, used_mem) {
        (0, 0) => (0.0, 1),
        (0, guess) => (percent(guess).min(99.99), guess.saturating_sub(loaded).max(1)),
        (total, _) => (percent(total), total.saturating_sub(loaded)),
    }
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_load_of_unknown_length_is_never_complete() {
        assert_eq!(share(50, 200, 0), (25.0, 150));
        assert_eq!(share(255, 0, 0), (0.0, 1));
        assert_eq!(share(255, 0, 100), (99.99, 1));
        assert_eq!(share(25, 0, 100), (25.0, 75));
    }
}
