//! `# Clients`: who is connected, and what they wait for. Counted over the clients' cards.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use session::Flag;

use super::Page;
use crate::control::{Pause, PauseReason};

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let cards = server.cards.all();
    let count = |flag: Flag| cards.iter().filter(|card| card.is(flag)).count();
    let max = |f: fn(&session::ClientCard) -> u64| cards.iter().map(|card| f(card)).max().unwrap_or(0);
    let mut awaited = BTreeSet::new();
    let mut deadlines = 0;
    for card in &cards {
        if let Some(wait) = card.wait.lock().as_ref().filter(|wait| wait.is_waiting()) {
            awaited.extend(wait.keys.iter().map(|key| (wait.db.0, key.clone())));
            deadlines += usize::from(wait.deadline.is_some());
        }
    }
    page.field("connected_clients", cards.len() - count(Flag::Replica));
    let links = page.server.cluster.as_ref().map_or(0, |node| node.ask(|machine| machine.links().len()));
    page.field("cluster_connections", links);
    let maxclients = page.control.config.clients.maxclients;
    page.field("maxclients", maxclients);
    page.field("client_recent_max_input_buffer", max(|card| card.query_used.load(Ordering::Relaxed)));
    page.field("client_recent_max_output_buffer", max(|card| card.output.load(Ordering::Relaxed)));
    page.field("blocked_clients", count(Flag::Blocked));
    page.field("tracking_clients", 0);
    page.field("pubsub_clients", count(Flag::PubSub));
    page.field("watching_clients", cards.iter().filter(|card| card.watched.load(Ordering::Relaxed) > 0).count());
    page.field("clients_in_timeout_table", deadlines);
    page.field("total_watched_keys", server.engine.watched_keys());
    page.field("total_blocking_keys", awaited.len());
    page.field("total_blocking_keys_on_nokey", 0);
    paused(page);
}

fn paused(page: &mut Page<'_>) {
    let (mut reason, mut actions, mut left) = ("none", "none", 0);
    if page.control.pause != Pause::None {
        actions = if page.control.pause == Pause::All { "all" } else { "write" };
        // Of the pauses that hold up as much, the one that lasts longest.
        let strongest = PauseReason::ALL
            .into_iter()
            .map(|reason| (reason, page.control.pauses[reason as usize]))
            .filter(|(_, paused)| paused.what == page.control.pause)
            .max_by_key(|(_, paused)| paused.until);
        if let Some((because, paused)) = strongest {
            reason = because.name();
            left = (paused.until.0 - page.server.engine.now().0).max(0);
        }
    }
    page.field("paused_reason", reason);
    page.field("paused_actions", actions);
    page.field("paused_timeout_milliseconds", left);
}
