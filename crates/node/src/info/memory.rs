//! `# Memory`: what the process uses, in the peers' accounting.
//!
//! `used_memory` is what the allocator has given out. Its parts are estimates: *overhead* is what the empty server needed,
//! the buffers of clients and the backlog; the rest is counted as data.

use std::sync::atomic::Ordering;

use super::{Page, human};

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let config = page.control.config.clone();
    let memory = server.host.memory();
    let facts = server.host.process();
    let startup = server.startup_memory as u64;
    let clients: u64 = server
        .cards
        .all()
        .iter()
        .map(|card| {
            let n = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            n(&card.output) + n(&card.query_used) + n(&card.query_free) + n(&card.multi_bytes)
        })
        .sum();
    let backlog = server.journal.backlog().map_or(0, |backlog| backlog.memory);
    let overhead = (startup + clients + backlog).min(memory.used);
    let dataset = memory.used - overhead;
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    let ratio = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    page.bytes("used_memory", memory.used);
    page.bytes("used_memory_rss", memory.rss);
    page.bytes("used_memory_peak", memory.peak);
    page.field("used_memory_peak_perc", format_args!("{:.2}%", share(memory.used, memory.peak)));
    page.field("used_memory_overhead", overhead);
    page.field("used_memory_startup", startup);
    page.field("used_memory_dataset", dataset);
    let beyond_startup = memory.used.saturating_sub(startup);
    page.field("used_memory_dataset_perc", format_args!("{:.2}%", share(dataset, beyond_startup)));
    page.field("allocator_allocated", memory.allocated);
    page.field("allocator_active", memory.active);
    page.field("allocator_resident", memory.resident);
    page.field("allocator_muzzy", 0);
    page.bytes("total_system_memory", facts.system_memory);
    page.zeros(&["used_memory_lua", "used_memory_vm_eval"]);
    page.field("used_memory_lua_human", human(0));
    page.zeros(&[
        "used_memory_scripts_eval",
        "number_of_cached_scripts",
        "number_of_functions",
        "number_of_libraries",
        "used_memory_vm_functions",
    ]);
    page.bytes("used_memory_vm_total", 0);
    page.field("used_memory_functions", 0);
    page.bytes("used_memory_scripts", 0);
    page.field("maxmemory", config.memory.maxmemory);
    page.field("maxmemory_human", human(config.memory.maxmemory));
    let policy = config::get(&config, &[b"maxmemory-policy"]);
    page.field("maxmemory_policy", String::from_utf8_lossy(policy.first().map_or(&b""[..], |(_, value)| value)));
    page.field("allocator_frag_ratio", format_args!("{:.2}", ratio(memory.active, memory.allocated)));
    page.field("allocator_frag_bytes", memory.active.saturating_sub(memory.allocated));
    page.field("allocator_rss_ratio", format_args!("{:.2}", ratio(memory.resident, memory.active)));
    page.field("allocator_rss_bytes", memory.resident as i64 - memory.active as i64);
    page.field("rss_overhead_ratio", format_args!("{:.2}", ratio(memory.rss, memory.resident)));
    page.field("rss_overhead_bytes", memory.rss as i64 - memory.resident as i64);
    page.field("mem_fragmentation_ratio", format_args!("{:.2}", ratio(memory.rss, memory.used)));
    page.field("mem_fragmentation_bytes", memory.rss as i64 - memory.used as i64);
    page.field("mem_not_counted_for_evict", 0);
    page.field("mem_replication_backlog", backlog);
    page.field("mem_total_replication_buffers", backlog);
    page.zeros(&["mem_replicas_repl_buffer", "mem_clients_slaves"]);
    page.field("mem_clients_normal", clients);
    page.zeros(&["mem_cluster_links", "mem_cluster_slot_import", "mem_cluster_slot_export", "mem_aof_buffer"]);
    page.field("mem_allocator", &facts.allocator);
    page.zeros(&["mem_overhead_db_hashtable_rehashing", "active_defrag_running", "lazyfree_pending_objects"]);
    page.field("lazyfreed_objects", server.totals().lazy_freed);
}
