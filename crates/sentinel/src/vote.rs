//! Votes: who leads in this epoch?
//!
//! ```text
//!   candidate                         the others, and the candidate itself
//!   epoch := current + 1   ──ask──►   epoch newer than any I voted in, and not older than the newest I know?
//!                                       yes: my vote in this epoch is yours, now and after a crash
//!                          ◄──────    whom I voted for, and in which epoch
//!   leader, when max(majority of all Sentinels ever seen, quorum) voted for it in its epoch
//! ```
//!
//! One Sentinel has one vote per epoch and group, so two leaders of one epoch would need two majorities. That holds
//! through crashes because a vote is saved before it is told (the contract of [`crate::Action::Save`]), and our own
//! counts for us only once its save is durable.
//!
//! Where the original counts votes of the newest epoch that it knows, and asks for votes in it, here both are of the
//! failover's own epoch: the two differ when somebody else has begun a later one meanwhile.

use crate::event::{Level, Outbox};
use crate::instance::GroupId;
use crate::machine::Sentinel;
use crate::text::text;
use std::collections::BTreeMap;

/// A candidate that voted for another waits this much longer at most, drawn by lot.
pub(crate) const DESYNC: u64 = 1_000;

impl Sentinel {
    /// Votes for `candidate` in `epoch` if the vote is free. Returns whom we voted for last, and in which epoch.
    pub(crate) fn vote(
        &mut self,
        id: GroupId,
        epoch: u64,
        candidate: &[u8],
        out: &mut Outbox,
    ) -> (Option<Vec<u8>>, u64) {
        self.raise_epoch(id, epoch, out);
        if self.group(id).leader_epoch < epoch && self.current_epoch <= epoch {
            let generation = self.next_save();
            let delay = self.chance(DESYNC) as i64;
            let (now, mine) = (self.now, candidate.eq_ignore_ascii_case(&self.myid));
            let group = self.group_mut(id);
            group.leader = Some(candidate.to_vec());
            group.leader_epoch = epoch;
            group.vote_generation = generation;
            if !mine {
                group.failover.started_at = Some(now + delay);
            }
            let primary = group.primary;
            self.notify_text(Level::Warning, "+vote-for-leader", primary, text!(candidate, " ", epoch), out);
        }
        let group = self.group(id);
        (group.leader.clone(), group.leader_epoch)
    }

    /// Who was elected in `epoch`, as far as I know. Votes myself, if I have not.
    pub(crate) fn leader(&mut self, id: GroupId, epoch: u64, out: &mut Outbox) -> Option<Vec<u8>> {
        let group = self.group(id);
        let mut votes: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for other in group.sentinels.values().map(|id| self.instance(*id)) {
            if let Some(leader) = other.vote.as_ref().filter(|_| other.vote_epoch == epoch) {
                *votes.entry(leader.clone()).or_default() += 1;
            }
        }
        let most = |votes: &BTreeMap<Vec<u8>, usize>| {
            votes.iter().max_by_key(|(_, count)| **count).map(|(name, count)| (name.clone(), *count))
        };
        let favourite = most(&votes).map_or_else(|| self.myid.clone(), |(name, _)| name);
        let (mine, my_epoch) = self.vote(id, epoch, &favourite, out);
        if let Some(mine) = mine.filter(|_| my_epoch == epoch && self.vote_is_durable(id)) {
            *votes.entry(mine).or_default() += 1;
        }
        let needed = self.needed_votes(id);
        most(&votes).filter(|(_, count)| *count >= needed).map(|(name, _)| name)
    }

    /// The majority of all Sentinels ever seen, and at least the quorum.
    pub(crate) fn needed_votes(&self, id: GroupId) -> usize {
        let group = self.group(id);
        let voters = group.sentinels.len() + 1;
        (voters / 2 + 1).max(group.quorum as usize)
    }

    /// Whether nobody can win in `epoch` any more, though enough Sentinels to elect somebody are there.
    pub(crate) fn is_split(&self, id: GroupId, epoch: u64) -> bool {
        let group = self.group(id);
        let needed = self.needed_votes(id);
        let mut votes: BTreeMap<&[u8], usize> = BTreeMap::new();
        let (mut there, mut undecided) = (1, 0);
        match group.leader.as_deref().filter(|_| group.leader_epoch == epoch) {
            Some(leader) => *votes.entry(leader).or_default() += 1,
            None => undecided += 1,
        }
        let others = group.sentinels.values().map(|id| self.instance(*id));
        for other in others.filter(|other| !other.s_down && self.link(other.id).auth_error.is_none()) {
            there += 1;
            match other.vote.as_deref().filter(|_| other.vote_epoch == epoch) {
                Some(leader) => *votes.entry(leader).or_default() += 1,
                // Who is in a later epoch has no vote in this one.
                None if other.vote_epoch > epoch => {}
                None => undecided += 1,
            }
        }
        let most = votes.values().max().copied().unwrap_or(0);
        there >= needed && most + undecided < needed
    }

    pub(crate) fn vote_is_durable(&self, id: GroupId) -> bool {
        self.group(id).vote_generation <= self.saving.durable
    }
}
