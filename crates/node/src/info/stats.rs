//! `# Stats`: what the server has done since it started, or since CONFIG RESETSTAT.

use pubsub::Kind;

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let totals = server.totals();
    let rates = server.rates.lock().rates();
    let kbps = |bytes: u64| format!("{:.2}", bytes as f64 / 1024.0);
    page.field("total_connections_received", totals.connections);
    page.field("total_commands_processed", totals.processed);
    page.field("instantaneous_ops_per_sec", rates.commands);
    page.field("total_net_input_bytes", totals.bytes_in + totals.repl_bytes_in);
    page.field("total_net_output_bytes", totals.bytes_out + totals.repl_bytes_out);
    page.field("total_net_repl_input_bytes", totals.repl_bytes_in);
    page.field("total_net_repl_output_bytes", totals.repl_bytes_out);
    page.zeros(&["total_net_cluster_slot_import_bytes", "total_net_cluster_slot_export_bytes"]);
    page.field("instantaneous_input_kbps", kbps(rates.bytes_in));
    page.field("instantaneous_output_kbps", kbps(rates.bytes_out));
    page.field("instantaneous_input_repl_kbps", kbps(rates.repl_bytes_in));
    page.field("instantaneous_output_repl_kbps", kbps(rates.repl_bytes_out));
    page.field("rejected_connections", totals.rejected_connections);
    page.field("sync_full", totals.sync_full);
    page.field("sync_partial_ok", totals.sync_partial_ok);
    page.field("sync_partial_err", totals.sync_partial_err);
    page.field("expired_keys", totals.expired);
    page.field("expired_fields", 0);
    page.field("expired_stale_perc", "0.00");
    page.field("expired_keys_with_volatile_items_stale_perc", "0.00");
    page.zeros(&["expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds"]);
    page.field("evicted_keys", totals.evicted);
    page.zeros(&[
        "evicted_clients",
        "evicted_scripts",
        "total_eviction_exceeded_time",
        "current_eviction_exceeded_time",
    ]);
    page.field("keyspace_hits", totals.hits);
    page.field("keyspace_misses", totals.misses);
    page.field("pubsub_channels", server.pubsub.count(Kind::Channel));
    page.field("pubsub_patterns", server.pubsub.count(Kind::Pattern));
    page.field("pubsubshard_channels", server.pubsub.count(Kind::Shard));
    page.field("latest_fork_usec", 0);
    // Where the peers fork, there is a cut.
    page.field("total_forks", server.saving.lock().cuts);
    page.field("migrate_cached_sockets", server.host.migration_sockets());
    page.field("slave_expires_tracked_keys", server.replication.own_expiring.lock().len());
    page.zeros(&["active_defrag_hits", "active_defrag_misses", "active_defrag_key_hits", "active_defrag_key_misses"]);
    page.zeros(&["total_active_defrag_time", "current_active_defrag_time"]);
    page.zeros(&["tracking_total_keys", "tracking_total_items", "tracking_total_prefixes"]);
    page.field("unexpected_error_replies", 0);
    page.field("total_error_replies", totals.errors);
    page.field("dump_payload_sanitizations", 0);
    page.field("total_reads_processed", totals.reads);
    page.field("total_writes_processed", totals.writes);
    let threads = server.mailboxes.len() > 1;
    page.field("io_threaded_reads_processed", if threads { totals.reads } else { 0 });
    page.field("io_threaded_writes_processed", if threads { totals.writes } else { 0 });
    page.zeros(&["io_threaded_freed_objects", "io_threaded_accept_processed", "io_threaded_poll_processed"]);
    page.zeros(&["io_threaded_total_prefetch_batches", "io_threaded_total_prefetch_entries"]);
    page.field("client_query_buffer_limit_disconnections", totals.query_limit_disconnections);
    page.field("client_output_buffer_limit_disconnections", totals.output_limit_disconnections);
    page.zeros(&["reply_buffer_shrinks", "reply_buffer_expands"]);
    // Only commands are timed, so the loop's own time is told as theirs.
    page.field("eventloop_cycles", totals.turns);
    page.field("eventloop_duration_sum", totals.command_nanos / 1000);
    page.field("eventloop_duration_cmd_sum", totals.command_nanos / 1000);
    page.field("instantaneous_eventloop_cycles_per_sec", rates.turns);
    page.field(
        "instantaneous_eventloop_duration_usec",
        rates.command_nanos.checked_div(rates.turns).unwrap_or(0) / 1000,
    );
    page.field("acl_access_denied_auth", totals.acl_denied_auth);
    page.field("acl_access_denied_cmd", totals.acl_denied_cmd);
    page.field("acl_access_denied_key", totals.acl_denied_key);
    page.field("acl_access_denied_channel", totals.acl_denied_channel);
    page.zeros(&["acl_access_denied_tls_cert"]);
    page.field("acl_access_denied_db", totals.acl_denied_db);
}
