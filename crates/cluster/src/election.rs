//! Replacing a failed primary.
//!
//! ```text
//!   primary failed ──► delay, by rank ──► request of votes ──► majority of the voting primaries ──► primary
//!                                             │ nobody won within two node timeouts
//!                                             └──► again after four
//! ```
//!
//! **The delay** lets the news of the failure spread and the replica with the newest data come first: the fixed part is
//! a thirtieth of the node timeout (at most 500 ms) and a random part of the same size; each replica with newer data adds
//! two such parts, each shard that failed at the same time and comes before ours adds one. A replica that knows itself to
//! be the best (all others have said that the primary failed, so their offsets are final) does not wait.
//!
//! **The vote**: a primary with slots votes once per epoch, for a replica of a failed primary whose claim is not older
//! than what the voter knows. The vote is on disk before it is sent.
//!
//! **Who may stand**: a replica that has been in sync with this very primary, and not too long ago. An old primary that
//! comes back and finds its successor failing does not take the slots back: it knows nothing of what was written since.
//!
//! Whoever wins takes the election's epoch for its claim to the slots, and says so to everybody.

use crate::PrimaryLink;
use crate::cluster::Cluster;
use crate::codec::header::FORCE_ACK;
use crate::codec::{Flags, Header, Kind, packet};
use crate::config::Level;
use crate::id::Epoch;
use crate::node::Key;
use crate::ping::Audience;
use crate::turn::Turn;
use resp::log_text::cluster as text;

/// The attempt to replace this replica's primary.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Election {
    /// When votes are (or were) asked for; 0: no attempt yet.
    pub start: i64,
    pub asked: bool,
    pub votes: usize,
    pub rank: usize,
    pub primary_rank: usize,
    pub epoch: Epoch,
    obstacle: Option<(Obstacle, i64)>,
}

/// Why a replica does not take over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Obstacle {
    OldData,
    Delay,
    Expired,
    Votes,
}

/// The same obstacle is told again after so long.
const RELOG_MS: i64 = 1000;
/// The least time an attempt has.
const LEAST_ATTEMPT_MS: i64 = 2000;
/// Replicas without data wait so much longer.
const EMPTY_PENALTY_MS: i64 = 500;

impl Election {
    /// Forgets the attempt; the next one may begin at once.
    pub fn reset(&mut self) {
        self.start = 0;
    }

    /// When something is due that is not due at a tick.
    pub fn deadline(&self) -> Option<i64> {
        (self.start != 0 && !self.asked).then_some(self.start)
    }
}

impl Cluster {
    /// Goes on with the replacement of the primary, as far as that is possible now.
    pub(crate) fn try_failover(&mut self, t: &mut Turn<'_>) {
        let manual = self.manual.can_start();
        let Some(primary) = self.nodes.myself().replica_of.filter(|_| self.nodes.myself().is_replica()) else {
            self.election.obstacle = None;
            return;
        };
        if !manual && (!self.nodes[primary].has_failed() || self.config.replica_no_failover) {
            self.election.obstacle = None;
            return;
        }
        if !manual && self.data_too_old(t.now) {
            return self.tell_obstacle(t, Obstacle::OldData);
        }
        let timeout = (self.config.timeout_ms() * 2).max(LEAST_ATTEMPT_MS);
        let mut age = t.now - self.election.start;
        if age > timeout * 2 {
            self.schedule(t);
            if t.now < self.election.start {
                return;
            }
            age = 0;
        } else if !self.election.asked && !self.manual.is_running() && self.election.start != t.now {
            self.reschedule(t);
        }
        if t.now < self.election.start {
            self.tell_obstacle(t, Obstacle::Delay);
        } else if age > timeout {
            self.tell_obstacle(t, Obstacle::Expired);
        } else if !self.election.asked {
            self.ask_for_votes(t);
        } else if self.election.votes >= self.quorum() {
            self.win(t);
        } else {
            self.tell_obstacle(t, Obstacle::Votes);
        }
    }

    fn data_too_old(&self, now: i64) -> bool {
        let factor = i64::try_from(self.config.replica_validity_factor).unwrap_or(i64::MAX);
        if factor == 0 {
            return false;
        }
        if !self.followed.synced {
            // What it holds is an older primary's, or a file's: it has not heard a word of the one it would replace.
            return true;
        }
        let last = match self.replication.link {
            PrimaryLink::Up { heard } => heard.0,
            PrimaryLink::Down { since } => since.0,
        };
        let timeout = self.config.timeout_ms();
        let mut age = now - last;
        // The time in which the primary was found to be down is not held against the replica.
        if age > timeout {
            age -= timeout;
        }
        let period = i64::try_from(self.config.repl_ping_period_ms).unwrap_or(i64::MAX);
        age > timeout.saturating_mul(factor).saturating_add(period)
    }

    fn delay_unit(&self) -> i64 {
        (self.config.timeout_ms() / 30).min(500)
    }

    /// Sets the time of a new attempt.
    fn schedule(&mut self, t: &mut Turn<'_>) {
        let unit = self.delay_unit();
        let random = self.random.below(u64::try_from(unit).unwrap_or(0));
        let offset = self.replication.offset;
        let manual = self.manual.is_running();
        let election = &mut self.election;
        election.votes = 0;
        election.asked = false;
        if manual {
            (election.start, election.rank, election.primary_rank) = (t.now, 0, 0);
        } else {
            let (rank, primary_rank) = (self.replica_rank(), self.failed_primary_rank(t.now));
            let election = &mut self.election;
            (election.rank, election.primary_rank) = (rank, primary_rank);
            election.start = t.now + unit + i64::try_from(random).unwrap_or(0);
            election.start += units(rank) * unit * 2 + units(primary_rank) * unit;
            if offset == 0 {
                election.start += EMPTY_PENALTY_MS;
            }
            if self.is_best_ranked() {
                self.election.start = t.now;
                t.notice(|| text::BEST_RANKED.to_owned());
            }
        }
        let election = self.election;
        let delay = election.start - t.now;
        t.notice(|| text::election_delayed(delay, election.rank, election.primary_rank, offset));
        // The others may have older offsets of this node, and rank themselves by them.
        self.broadcast_pong(t, Audience::MyShard);
    }

    /// News may have changed this replica's rank while it waits.
    fn reschedule(&mut self, t: &mut Turn<'_>) {
        let unit = self.delay_unit();
        let (rank, primary_rank) = (self.replica_rank(), self.failed_primary_rank(t.now));
        let before = self.election;
        if rank != before.rank {
            let added = (units(rank) - units(before.rank)) * unit * 2;
            self.election.start += added;
            self.election.rank = rank;
            t.notice(|| format!("Replica rank updated to #{rank}, added {added} milliseconds of delay."));
        }
        if primary_rank != before.primary_rank {
            let added = (units(primary_rank) - units(before.primary_rank)) * unit;
            self.election.start += added;
            self.election.primary_rank = primary_rank;
            t.notice(|| {
                format!("Failed primary rank updated to #{primary_rank}, added {added} milliseconds of delay.")
            });
        }
        if self.election.start > t.now && self.is_best_ranked() {
            self.election.start = t.now;
            t.notice(|| text::BECAME_BEST_RANKED.to_owned());
        }
    }

    /// How many replicas of the same primary have newer data (or as new data and a smaller name).
    fn replica_rank(&self) -> usize {
        let me = self.nodes.myself();
        let Some(primary) = me.replica_of else { return 0 };
        let mine = (std::cmp::Reverse(self.replication.offset), me.id);
        let better = |key: &&Key| {
            let node = &self.nodes[**key];
            **key != self.nodes.me && !node.is(Flags::NOFAILOVER) && (std::cmp::Reverse(node.offset), node.id) < mine
        };
        self.nodes[primary].replicas.iter().filter(better).count()
    }

    /// How many other primaries have failed recently whose shards come before this one.
    fn failed_primary_rank(&self, now: i64) -> usize {
        let factor = i64::try_from(self.config.replica_validity_factor).unwrap_or(i64::MAX);
        let shard = self.nodes.myself().shard;
        let before = self.nodes.iter().filter(|(_, node)| {
            node.has_failed()
                && node.votes()
                && !node.replicas.is_empty()
                && (factor == 0 || now - node.failed_at <= self.config.timeout_ms().saturating_mul(factor))
                && node.shard < shard
        });
        before.count()
    }

    /// Nobody can be better, and everybody's offset is final.
    fn is_best_ranked(&self) -> bool {
        let Some(primary) = self.nodes.myself().replica_of else { return false };
        self.replication.offset != 0
            && self.election.rank == 0
            && self.election.primary_rank == 0
            && self.nodes[primary].replicas.iter().all(|key| self.nodes[*key].is(Flags::MY_PRIMARY_FAILED))
    }

    fn ask_for_votes(&mut self, t: &mut Turn<'_>) {
        self.epochs.current = self.epochs.current.next();
        self.election.epoch = self.epochs.current;
        self.election.asked = true;
        let config_epoch = self.nodes.epoch_of(self.nodes.me);
        t.notice(|| text::election_started(self.election.epoch.0, config_epoch.0));
        let mut header = self.header();
        if self.manual.is_running() || self.is_best_ranked() {
            header.message_flags |= FORCE_ACK;
        }
        let bytes = packet::bare(Kind::AuthRequest, &header);
        self.broadcast(t, Kind::AuthRequest, &bytes);
        self.todo.save_surely();
        self.todo.state = true;
    }

    fn win(&mut self, t: &mut Turn<'_>) {
        t.notice(|| text::ELECTION_WON.to_owned());
        let epoch = self.election.epoch;
        let me = self.nodes.myself_mut();
        if me.config_epoch < epoch {
            me.config_epoch = epoch;
            t.notice(|| format!("configEpoch set to {epoch} after successful failover"));
        }
        self.replace_primary(t);
    }

    /// A vote has come.
    pub(crate) fn hear_vote(&mut self, by: Key, header: &Header) {
        if self.nodes[by].votes() && header.current_epoch >= self.election.epoch {
            self.election.votes += 1;
            self.todo.failover = true;
        }
    }

    /// Somebody claims an epoch that makes the election under way void.
    pub(crate) fn overtake_election(&mut self, t: &mut Turn<'_>, by: Key) {
        let claimed = self.nodes[by].config_epoch;
        let election = &mut self.election;
        if election.start == 0 || !election.asked || claimed < election.epoch {
            return;
        }
        let epoch = election.epoch;
        election.reset();
        t.warning(|| text::election_overtaken(epoch.0, &self.called(by), claimed.0));
        self.todo.failover = true;
    }

    /// A replica asks for this node's vote.
    pub(crate) fn vote_if_right(&mut self, t: &mut Turn<'_>, candidate: Key, header: &Header) {
        if !self.nodes.myself().votes() {
            return;
        }
        let current = self.epochs.current;
        let node = &self.nodes[candidate];
        let primary_up = node.replica_of.is_some_and(|primary| !self.nodes[primary].has_failed());
        let why = if !self.health.may_vote {
            ": it is not safe to vote in this moment".to_owned()
        } else if header.current_epoch < current {
            format!(": reqEpoch ({}) < curEpoch({current})", header.current_epoch)
        } else if self.epochs.last_vote == current {
            format!(": already voted for epoch {current}")
        } else if node.is_primary() {
            format!(" for epoch {}: it is a primary node", header.current_epoch)
        } else if node.replica_of.is_none() {
            format!(" for epoch {}: I don't know its primary", header.current_epoch)
        } else if primary_up && header.message_flags & FORCE_ACK == 0 {
            format!(" for epoch {}: its primary is up", header.current_epoch)
        } else if let Some((slot, owner)) = self.newer_claim(header) {
            let (epoch, told) = (self.nodes[owner].config_epoch, header.config_epoch);
            t.verbose(|| text::old_slots(&self.called(candidate), &self.called(owner)));
            // With the newer claim it can try again; without, it would never win.
            self.send_update(t, candidate, owner);
            format!(": slot {slot} epoch ({epoch}) > reqConfigEpoch ({told})")
        } else {
            self.epochs.last_vote = current;
            self.todo.save_surely();
            let bytes = packet::bare(Kind::AuthAck, &self.header());
            self.send_to(t, candidate, Kind::AuthAck, bytes);
            t.notice(|| text::vote_granted(&self.called(candidate), current.0));
            return;
        };
        t.warning(|| text::vote_denied(&self.called(candidate), &why));
    }

    /// A slot of a packet that is known to belong to somebody else under a newer epoch.
    pub(crate) fn newer_claim(&self, header: &Header) -> Option<(crate::id::Slot, Key)> {
        header.slots.iter().find_map(|slot| {
            let owner = self.slots.owner(slot).filter(|_| !self.slots.is_free(slot))?;
            (self.nodes[owner].config_epoch > header.config_epoch).then_some((slot, owner))
        })
    }

    /// Tells a node of another's newer claim.
    pub(crate) fn send_update(&mut self, t: &mut Turn<'_>, to: Key, about: Key) {
        let slots = self.slots.claimed_by(&self.nodes, about);
        let node = &self.nodes[about];
        let bytes = packet::update(&self.header(), node.config_epoch, node.id, &slots);
        self.send_to(t, to, Kind::Update, bytes);
    }

    fn tell_obstacle(&mut self, t: &mut Turn<'_>, obstacle: Obstacle) {
        let pause = if obstacle == Obstacle::OldData { RELOG_MS * 10 } else { RELOG_MS };
        if let Some((last, at)) = self.election.obstacle
            && last == obstacle
            && t.now - at < pause
        {
            return;
        }
        self.election.obstacle = Some((obstacle, t.now));
        t.log(Level::Notice, || text::cannot_failover(text::CANT_FAILOVER[obstacle as usize]));
        if matches!(obstacle, Obstacle::Votes | Obstacle::Expired) {
            let (needed, votes) = (self.quorum(), self.election.votes);
            t.notice(|| text::votes(needed, votes));
        }
    }
}

fn units(rank: usize) -> i64 {
    i64::try_from(rank).unwrap_or(i64::MAX / 4096).min(i64::MAX / 4096)
}
