//! Who has failed.
//!
//! ```text
//!   no answer for the node timeout ──► fail?            one node's opinion, told in its gossip
//!   fail? here, and reported by a majority of the voting primaries within two node timeouts ──► fail, told to all
//!   an answer ──► fail? ends at once; fail ends for replicas and empty primaries at once, for a primary with slots
//!                 only after two node timeouts in which nobody has replaced it
//! ```
//!
//! Any data from a node count as a sign of life, so that a link full of published messages is not taken for a dead one.

use crate::cluster::Cluster;
use crate::codec::{Flags, Kind, packet};
use crate::node::Key;
use crate::turn::Turn;

/// How many node timeouts a report counts.
const REPORT_TIMEOUTS: i64 = 2;
/// How many node timeouts a failed primary is given to be replaced, once it answers again.
const UNDO_TIMEOUTS: i64 = 2;

impl Cluster {
    /// Another node says that it can or cannot reach this one.
    pub(crate) fn hear_report(&mut self, t: &mut Turn<'_>, by: Key, about: Key, down: bool) {
        if !down {
            if self.nodes[about].reports.remove(&by).is_some() {
                t.verbose(|| resp::log_text::cluster::reported(&self.called(by), &self.called(about), false));
            }
            return;
        }
        if self.nodes[by].votes()
            && !self.nodes[about].has_failed()
            && self.nodes[about].reports.insert(by, t.now).is_none()
        {
            t.verbose(|| resp::log_text::cluster::reported(&self.called(by), &self.called(about), true));
        }
        self.agree_on_failure(t, about);
    }

    /// How many others say now that a node cannot be reached.
    pub(crate) fn count_reports(&self, key: Key, now: i64) -> usize {
        let since = now - self.config.timeout_ms() * REPORT_TIMEOUTS;
        self.nodes[key].reports.values().filter(|at| **at > since).count()
    }

    /// A majority of the voting primaries.
    pub(crate) fn quorum(&self) -> usize {
        self.health.size / 2 + 1
    }

    /// Makes a suspicion a failure, if enough others share it.
    pub(crate) fn agree_on_failure(&mut self, t: &mut Turn<'_>, key: Key) {
        let node = &self.nodes[key];
        if !node.is(Flags::PFAIL) || node.has_failed() {
            return;
        }
        let voices = self.count_reports(key, t.now) + usize::from(self.nodes.myself().votes());
        if voices < self.quorum() {
            return;
        }
        t.notice(|| format!("Marking node {} as failing (quorum reached).", self.called(key)));
        self.mark_failed(t, key);
        self.tell_failure(t, key);
    }

    pub(crate) fn tell_failure(&mut self, t: &mut Turn<'_>, key: Key) {
        let bytes = packet::fail(&self.header(), self.nodes[key].id);
        self.broadcast(t, Kind::Fail, &bytes);
    }

    pub(crate) fn mark_failed(&mut self, t: &mut Turn<'_>, key: Key) {
        let node = &mut self.nodes[key];
        node.flags.set(Flags::FAIL);
        node.flags.clear(Flags::PFAIL);
        node.failed_at = t.now;
        let me = self.nodes.myself_mut();
        if me.replica_of == Some(key) {
            // Told in the header, so that the other replicas know that this one's offset is final.
            me.flags.set(Flags::MY_PRIMARY_FAILED);
            self.todo.failover = true;
        }
        self.todo.save_and_judge();
    }

    /// A node has answered.
    pub(crate) fn hear_answer(&mut self, t: &mut Turn<'_>, key: Key) {
        let node = &mut self.nodes[key];
        node.pong_received = t.now;
        if node.ping_sent != 0 {
            node.reached = node.ping_sent;
        }
        node.ping_sent = 0;
        if node.is(Flags::PFAIL) {
            node.flags.clear(Flags::PFAIL);
            self.todo.save_and_judge();
        } else if node.has_failed() {
            self.undo_failure(t, key);
        }
    }

    fn undo_failure(&mut self, t: &mut Turn<'_>, key: Key) {
        let node = &self.nodes[key];
        let why = if !node.votes() {
            if node.is_replica() { "replica is reachable again" } else { "primary without slots is reachable again" }
        } else if t.now - node.failed_at > self.config.timeout_ms() * UNDO_TIMEOUTS {
            "is reachable again and nobody is serving its slots after some time"
        } else {
            return;
        };
        t.notice(|| format!("Clear FAIL state for node {}: {why}.", self.called(key)));
        self.nodes[key].flags.clear(Flags::FAIL);
        let me = self.nodes.myself_mut();
        if me.replica_of == Some(key) {
            me.flags.clear(Flags::MY_PRIMARY_FAILED);
        }
        self.todo.save_and_judge();
    }

    /// Another node says that the majority has agreed.
    pub(crate) fn hear_failure(&mut self, t: &mut Turn<'_>, by: Key, about: Key) {
        if self.nodes[about].is(Flags::FAIL | Flags::MYSELF) {
            return;
        }
        t.notice(|| format!("FAIL message received from {} about {}", self.called(by), self.called(about)));
        self.mark_failed(t, about);
    }

    /// Suspects a node that has not been heard for too long; tells whether that is new.
    pub(crate) fn suspect(&mut self, t: &mut Turn<'_>, key: Key) -> bool {
        let node = &mut self.nodes[key];
        let silent = (t.now - node.ping_sent).min(t.now - node.data_received);
        if node.ping_sent == 0 || silent <= self.config.timeout_ms() || node.is(Flags::PFAIL | Flags::FAIL) {
            return false;
        }
        node.flags.set(Flags::PFAIL);
        self.todo.view = true;
        if self.nodes.myself().votes() {
            self.agree_on_failure(t, key);
        } else {
            t.notice(|| format!("NODE {} possibly failing.", self.called(key)));
        }
        true
    }
}
