//! `# Replication`: role, ids, offsets. Sentinel and clients read it, under the historical names.

use super::Page;
use crate::control::Role;

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let role = page.control.role.clone();
    let config = page.control.config.clone();
    match &role {
        Role::Primary => page.field("role", "master"),
        Role::Replica { host, port, online } => {
            page.field("role", "slave");
            page.field("master_host", host);
            page.field("master_port", port);
            page.field("master_link_status", if *online { "up" } else { "down" });
        }
    }
    page.field("connected_slaves", 0);
    page.field("replicas_waiting_psync", 0);
    page.field("master_failover_state", "no-failover");
    let history = server.journal.history();
    let id = |id: &[u8]| String::from_utf8_lossy(id).into_owned();
    page.field("master_replid", id(history.id.as_bytes()));
    match history.second {
        Some((second, _)) => page.field("master_replid2", id(second.as_bytes())),
        None => page.field("master_replid2", "0".repeat(40)),
    }
    page.field("master_repl_offset", server.journal.end().0);
    match history.second {
        Some((_, offset)) => page.field("second_repl_offset", offset.0 + 1),
        None => page.field("second_repl_offset", -1),
    }
    let backlog = server.journal.backlog();
    page.flag("repl_backlog_active", backlog.is_some());
    page.field("repl_backlog_size", backlog.map_or(config.replication.repl_backlog_size, |backlog| backlog.size));
    page.field("repl_backlog_first_byte_offset", backlog.map_or(0, |backlog| backlog.start.next_byte()));
    page.field("repl_backlog_histlen", backlog.map_or(0, |backlog| backlog.histlen()));
}
