//! Whether the cluster serves, from this node's point of view.
//!
//! It is down when a slot has no working owner (if full coverage is required), and when this node sees only a minority of
//! the voting primaries: on the other side somebody may be elected. A primary is slow to come back: after a start, and
//! after a partition, it waits to hear whether it was replaced meanwhile, before it takes writes or votes. One that has stood
//! still for longer than the node timeout (SIGSTOP, a machine that slept) was in a minority of its own: what it knows is from
//! before, and the primaries count as out of reach until they have said something.

use crate::cluster::Cluster;
use crate::codec::Flags;
use crate::config::Level;
use crate::id::Slot;
use crate::node::Node;
use crate::turn::Turn;
use resp::log_text::cluster as text;

/// For so long after waking what comes is what had come before.
const OLD_NEWS_MS: i64 = 100;
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
    /// When this node woke from standing still, until a majority was heard.
    woke: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Down {
    NotCovered,
    Minority,
}

impl Health {
    pub fn new() -> Health {
        Health { ok: false, may_vote: false, size: 0, why: None, first_look: None, in_minority: 0, woke: None }
    }

    /// The process has stood still, until now.
    pub fn wakes(&mut self, now: i64) {
        self.woke = Some(now);
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
        let voters = self.nodes.iter().filter(|(_, node)| node.votes());
        // What lay in the sockets while this node slept is old.
        let since = self.health.woke.map_or(i64::MIN, |woke| woke + OLD_NEWS_MS);
        let is_heard = |node: &Node| node.is(Flags::MYSELF) || node.data_received >= since;
        let (size, reachable) = voters.fold((0, 0), |(size, reachable), (_, node)| {
            (size + 1, reachable + usize::from(!node.is(Flags::FAIL | Flags::PFAIL) && is_heard(node)))
        });
        self.health.size = size;
        if reachable >= self.quorum() {
            self.health.woke = None;
        }
        if reachable < self.quorum() {
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

    fn is_covered(&self, slot: Slot) -> bool {
        self.slots.owner(slot).is_some_and(|owner| !self.nodes[owner].has_failed())
    }
}
