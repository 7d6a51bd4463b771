//! What is done ten times a second.

use crate::cluster::Cluster;
use crate::codec::{Flags, Kind};
use crate::node::Key;
use crate::turn::Turn;

/// How often.
pub(crate) const PERIOD_MS: i64 = 100;
/// Every so many times a node is pinged by chance.
const CHANCE: u64 = 10;
/// So many nodes are looked at, and the one that was heard least recently is pinged.
const LOOKED_AT: usize = 5;
/// A node that does not take connections is tried so many times per half node timeout.
const TRIES: i64 = 10;
/// So many times per node timeout the voting primaries ask each other, so that none goes on alone ([`crate::health`]).
const VOTERS_ASK: i64 = 4;

impl Cluster {
    pub(crate) fn tick(&mut self, t: &mut Turn<'_>) {
        self.ticks += 1;
        self.close_overfull(t);
        for key in self.nodes.keys() {
            self.keep_connected(t, key);
        }
        if self.ticks.is_multiple_of(CHANCE) && !self.debug.no_random_ping {
            self.ping_by_chance(t);
        }
        for key in self.nodes.keys() {
            if !self.nodes[key].is(Flags::MYSELF | Flags::NOADDR | Flags::HANDSHAKE) {
                self.watch(t, key);
            }
        }
        self.seek(t);
        self.check_manual_timeout(t);
        if self.nodes.myself().is_replica() {
            self.try_manual(t);
            self.try_failover(t);
            self.migrate_if_needed(t);
        }
        if !self.health.ok || self.is_in_minority(t.now) {
            self.todo.state = true;
        }
    }

    /// Gives up a handshake that takes too long, and sees that there are connections in both directions.
    fn keep_connected(&mut self, t: &mut Turn<'_>, key: Key) {
        let node = &self.nodes[key];
        if node.is(Flags::MYSELF | Flags::NOADDR) || self.debug.no_reconnect {
            return;
        }
        let patience = self.config.handshake_timeout_ms();
        if node.is_handshake() && t.now - node.created > patience {
            t.warning(|| {
                let ip = String::from_utf8_lossy(&node.address.ip).into_owned();
                format!("Clusterbus handshake timeout {ip}:{}", node.address.bus_port)
            });
            return self.remove_node(t, key);
        }
        let forgotten = node.is_normal()
            && node.inbound.is_none()
            && t.now - node.inbound_lost > patience
            && t.now - node.meet_sent > patience
            && node.is(Flags::MULTI_MEET);
        if let Some(link) = node.link.filter(|_| forgotten && self.is_linked(key)) {
            // It answers and never calls: it does not know this node.
            t.notice(|| {
                format!("Sending MEET packet to node {} because there is no inbound link for it", self.called(key))
            });
            self.nodes[key].flags.set(Flags::MEET);
            self.send_ping(t, link, Kind::Meet);
        }
        let node = &self.nodes[key];
        let pause = self.config.timeout_ms() / 2 / TRIES;
        if node.link.is_none() && (node.inbound.is_some() || t.now - node.connect_tried >= pause) {
            self.connect(t, key);
        }
    }

    fn ping_by_chance(&mut self, t: &mut Turn<'_>) {
        let keys = self.nodes.keys();
        let mut oldest: Option<Key> = None;
        for _ in 0..LOOKED_AT {
            let key = keys[self.random.below(keys.len() as u64) as usize];
            let node = &self.nodes[key];
            let idle = self.is_linked(key) && node.ping_sent == 0 && !node.is(Flags::MYSELF | Flags::HANDSHAKE);
            if idle && oldest.is_none_or(|oldest| node.pong_received < self.nodes[oldest].pong_received) {
                oldest = Some(key);
            }
        }
        if let Some(link) = oldest.and_then(|key| self.nodes[key].link) {
            self.send_ping(t, link, Kind::Ping);
        }
    }

    /// Looks whether a node answers, asks it if that was long ago, and suspects it if it does not.
    fn watch(&mut self, t: &mut Turn<'_>, key: Key) {
        let timeout = self.config.timeout_ms();
        let node = &self.nodes[key];
        let link = node.link.and_then(|link| self.links.get(link));
        if let Some(link) = link.filter(|link| t.now - link.created > timeout) {
            let unanswered = if node.ping_sent == 0 { 0 } else { t.now - node.ping_sent };
            let silent = unanswered > timeout / 2 && t.now - node.data_received > timeout / 2;
            let given_up = node.has_failed() && unanswered > timeout;
            // Maybe only this connection is dead, or will never stand.
            if !link.up || silent || given_up {
                self.close_outbound(t, key);
            }
        }
        let interval = match self.config.ping_interval_ms {
            0 => timeout / 2,
            interval => i64::try_from(interval).unwrap_or(i64::MAX),
        };
        let node = &self.nodes[key];
        let votes = node.votes() && self.nodes.myself().votes();
        let due = t.now - node.pong_received > interval || votes && t.now - node.reached > timeout / VOTERS_ASK;
        if node.ping_sent == 0 && due {
            match node.link.filter(|_| self.is_linked(key)) {
                Some(link) => return self.send_ping(t, link, Kind::Ping),
                // There is no way to ask: that counts as asking in vain.
                None => self.nodes[key].ping_sent = t.now,
            }
        }
        if self.manual.replica() == Some(key)
            && let Some(link) = self.nodes[key].link
        {
            return self.send_ping(t, link, Kind::Ping);
        }
        if self.suspect(t, key) {
            self.todo.state = true;
        }
    }
}
