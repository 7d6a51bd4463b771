//! `# Memory`: what the process uses, in the peers' accounting.
//!
//! `used_memory` is what the allocator has given out; what its parts are, [`Figures`] says.

use super::{Page, human};
use crate::memory::{Figures, percent};

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let config = page.control.config.clone();
    let figures = Figures::of(server);
    let memory = figures.facts;
    let facts = server.host.process();
    page.bytes("used_memory", memory.used);
    page.bytes("used_memory_rss", memory.rss);
    page.bytes("used_memory_peak", memory.peak);
    page.field("used_memory_peak_perc", format_args!("{:.2}%", percent(memory.used, memory.peak)));
    page.field("used_memory_overhead", figures.overhead());
    page.field("used_memory_startup", figures.startup);
    page.field("used_memory_dataset", figures.dataset());
    let dataset = percent(figures.dataset(), figures.beyond_startup());
    page.field("used_memory_dataset_perc", format_args!("{:.2}%", dataset));
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
    page.field("allocator_frag_ratio", format_args!("{:.2}", figures.fragmentation()));
    page.field("allocator_frag_bytes", memory.active.saturating_sub(memory.allocated));
    page.field("allocator_rss_ratio", format_args!("{:.2}", figures.allocator_rss()));
    page.field("allocator_rss_bytes", memory.resident as i64 - memory.active as i64);
    page.field("rss_overhead_ratio", format_args!("{:.2}", figures.rss_overhead()));
    page.field("rss_overhead_bytes", memory.rss as i64 - memory.resident as i64);
    page.field("mem_fragmentation_ratio", format_args!("{:.2}", figures.whole()));
    page.field("mem_fragmentation_bytes", memory.rss as i64 - memory.used as i64);
    page.field("mem_not_counted_for_evict", crate::memory::stream_beyond_backlog(server));
    page.field("mem_replication_backlog", figures.backlog);
    page.field("mem_total_replication_buffers", figures.backlog);
    page.field("mem_replicas_repl_buffer", 0);
    page.field("mem_clients_slaves", figures.replicas);
    page.field("mem_clients_normal", figures.clients);
    let links = server.cluster.as_ref().map_or(0, |node| node.ask(::cluster::Cluster::link_memory));
    page.field("mem_cluster_links", links);
    page.zeros(&["mem_cluster_slot_import", "mem_cluster_slot_export", "mem_aof_buffer"]);
    page.field("mem_allocator", &facts.allocator);
    page.zeros(&["mem_overhead_db_hashtable_rehashing", "active_defrag_running", "lazyfree_pending_objects"]);
    page.field("lazyfreed_objects", server.totals().lazy_freed);
}
