//! Whether the cluster serves, from this node's point of view.
//!
//! It is down when a slot has no working owner (if full coverage is required), and when this node sees only a minority of
//! the voting primaries: on the other side somebody may be elected. A primary is slow to come back: after a start, and
//! after a partition, it waits to hear whether it was replaced meanwhile, before it takes writes or votes.
//!
//! ```text
//!   ping sent ──► heard there ──► answered ──► heard here           the other side cannot suspect this primary
//!   │◄────────────── node timeout ──────────────►│ no more writes   before it has been silent for the node timeout
//!                  │◄────────────── node timeout ──────────────►│ may be suspected
//! ```
//!
//! So a voting primary does not wait until it suspects the others, which takes up to one and a half node timeouts: it counts
//! only those whose last answer was to a ping sent within the node timeout, and has stopped before anybody is elected in its
//! place, in whichever direction the network is cut. Redis waits for the suspicion. The price is that the others are pinged every
//! quarter of the node timeout, and that three quarters of it without an answer from a majority stop the writes.
//!
//! One that has stood still for longer than the node timeout (SIGSTOP, a machine that slept) is in a minority of its own by the
//! same count: whatever lay in its sockets answers pings that are too old.

use crate::cluster::Cluster;
use crate::codec::Flags;
use crate::config::Level;
use crate::id::Slot;
use crate::node::Node;
use crate::turn::Turn;
use resp::log_text::cluster as text;

/// How long a primary waits after its start.
const WRITABLE_DELAY_MS: i64 = 2000;
/// How long a primary waits after it was in a minority: the node timeout, within these bounds.
const REJOIN_DELAY_MS: std::ops::RangeInclusive<i64> = 500..=5000;

/// The state of the cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    pub ok: bool,
    /// Enough time has passed since the start.
    pub may_vote: bool,
    /// How many primaries vote.
    pub size: usize,
    why: Option<Down>,
    first_look: Option<i64>,
    in_minority: i64,
    /// Since when this node votes.
    votes_since: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Down {
    NotCovered,
    Minority,
}

impl Health {
    pub fn new() -> Health {
        Health { ok: false, may_vote: false, size: 0, why: None, first_look: None, in_minority: 0, votes_since: None }
    }
}

impl Cluster {
    /// Judges anew.
    pub(crate) fn judge(&mut self, t: &mut Turn<'_>) {
        self.todo.state = false;
        let first_look = *self.health.first_look.get_or_insert(t.now);
        let primary = self.nodes.myself().is_primary();
        if primary && !self.health.ok && t.now - first_look < WRITABLE_DELAY_MS {
            self.health.may_vote = false;
            return;
        }
        self.health.may_vote = true;
        let mut why = None;
        if self.config.require_full_coverage && !Slot::all().all(|slot| self.is_covered(slot)) {
            why = Some(Down::NotCovered);
        }
        self.health.size = self.nodes.iter().filter(|(_, node)| node.votes()).count();
        let voted_since = self.health.votes_since.unwrap_or(t.now);
        self.health.votes_since = self.nodes.myself().votes().then_some(voted_since);
        if self.is_in_minority(t.now) {
            why = Some(Down::Minority);
            self.health.in_minority = t.now;
        }
        let ok = why.is_none();
        if ok != self.health.ok {
            let rejoin = self.config.timeout_ms().clamp(*REJOIN_DELAY_MS.start(), *REJOIN_DELAY_MS.end());
            if ok && primary && t.now - self.health.in_minority < rejoin {
                return;
            }
            let level = if ok { Level::Notice } else { Level::Warning };
            t.log(level, || text::state_changed(ok));
            self.health.ok = ok;
            self.todo.view = true;
        }
        if why != self.health.why {
            self.health.why = why;
            if let Some(why) = why {
                let line = if why == Down::NotCovered { text::NOT_COVERED } else { text::MINORITY };
                t.warning(|| line.to_owned());
            }
        }
    }

    /// Whether this node reaches fewer voting primaries than a majority.
    pub(crate) fn is_in_minority(&self, now: i64) -> bool {
        let voters = self.nodes.iter().filter(|(_, node)| node.votes());
        voters.filter(|(_, node)| self.reaches(node, now)).count() < self.quorum()
    }

    /// Who has only begun to vote has had no reason yet to ask everybody.
    fn reaches(&self, node: &Node, now: i64) -> bool {
        let lately = |since: i64| now - since.max(node.reached) <= self.config.timeout_ms();
        !node.is(Flags::FAIL | Flags::PFAIL) && (node.is(Flags::MYSELF) || self.health.votes_since.is_none_or(lately))
    }

    fn is_covered(&self, slot: Slot) -> bool {
        self.slots.owner(slot).is_some_and(|owner| !self.nodes[owner].has_failed())
    }
}
