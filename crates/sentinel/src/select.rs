//! Which replica becomes the primary?
//!
//! ```text
//!   can be chosen   up, connected, authenticated, pinged within 5 ping periods, INFO fresh, priority not 0,
//!                   not foreign, its link to the primary not down for longer than the primary plus 10 × down-after
//!   best is         a replica that follows before one that serves as a primary (which a planned failover never takes),
//!                   a history of this group before any other, then the lowest priority, the newest history,
//!                   the highest offset, the smallest run ID
//! ```
//!
//! Offsets count bytes of one history, so they are compared within one only: a replica that has never synced with this
//! primary may show a large offset of another life.
//!
//! *Fresh* means: asked for after the failover was decided. In the original an INFO may be five seconds old here, and the
//! replica that has acknowledged the last write may look older than one that has not. So the leader asks every candidate
//! again and waits for the answers, at most a second, in which a replica that does not answer shows what it is worth.

use crate::event::Outbox;
use crate::failover::Mode;
use crate::instance::{GroupId, Instance, InstanceId, Ms, Role};
use crate::machine::Sentinel;
use std::cmp::Reverse;

/// How long candidates have to answer the INFO before the choice.
const ANSWER_TIME: Ms = 1_000;

/// What is known of the candidates' INFOs.
pub(crate) enum Candidates {
    /// Some have not answered yet, and have time to.
    Waiting,
    /// The best one, if there is one.
    Chosen(Option<InstanceId>),
}

impl Sentinel {
    /// Asks all replicas for an INFO of now.
    pub(crate) fn ask_candidates(&mut self, id: GroupId, out: &mut Outbox) {
        let replicas: Vec<InstanceId> = self.group(id).replicas.values().copied().collect();
        for replica in replicas {
            self.send_info(replica, out);
        }
    }

    /// The replica to promote, once the candidates have been heard since `asked_at`.
    pub(crate) fn choose(&self, id: GroupId, asked_at: Ms) -> Candidates {
        let fresh = |replica: &&Instance| replica.info_refresh.is_some_and(|at| at >= asked_at);
        if self.now - asked_at < ANSWER_TIME && !self.reachable(id).all(|replica| fresh(&replica)) {
            return Candidates::Waiting;
        }
        let heard = self.reachable(id).filter(fresh).filter(|replica| self.is_linked(id, replica));
        let planned = self.group(id).failover.mode != Mode::Elected;
        Candidates::Chosen(self.best(id, planned, heard))
    }

    /// The replica that would be promoted by what is known now.
    pub(crate) fn candidate(&self, id: GroupId) -> Option<InstanceId> {
        // While the primary is down, INFO is asked for every second, otherwise once per period.
        let down = self.primary_of(id).s_down;
        let valid_for = if down { self.periods.ping * 5 } else { self.periods.info * 3 };
        let fresh = |replica: &&Instance| replica.info_refresh.is_some_and(|at| self.now - at <= valid_for);
        self.best(id, true, self.reachable(id).filter(fresh).filter(|replica| self.is_linked(id, replica)))
    }

    /// Replicas that could serve, whatever their last INFO said of their data.
    fn reachable(&self, id: GroupId) -> impl Iterator<Item = &Instance> {
        self.group(id).replicas.values().map(|id| self.instance(*id)).filter(|replica| {
            let link = self.link(replica.id);
            !replica.s_down
                && !replica.foreign
                && !link.disconnected()
                && link.auth_error.is_none()
                && self.now - link.last_avail <= self.periods.ping * 5
                && replica.priority != 0
        })
    }

    /// Whether a replica has not been without the primary for much longer than the primary is down.
    fn is_linked(&self, id: GroupId, replica: &Instance) -> bool {
        let primary = self.primary_of(id);
        let down_for = primary.s_down_since.filter(|_| primary.s_down).map_or(0, |since| self.now - since);
        replica.primary_link_down_ms <= down_for + self.group(id).down_after * 10
    }

    fn best<'a>(&self, id: GroupId, planned: bool, replicas: impl Iterator<Item = &'a Instance>) -> Option<InstanceId> {
        let group = self.group(id);
        // What serves as a primary has data of its own. That is the last resort, and none where nothing has to be lost.
        let strays = |replica: &&Instance| replica.role_reported != Role::Replica;
        replicas
            .filter(|replica| !(planned && strays(replica)))
            .min_by_key(|replica| {
                // Before any history is known, all are alike.
                let place = group.place_in_chain(&replica.history);
                (
                    strays(replica),
                    planned && !replica.primary_link_up,
                    place.is_none(),
                    replica.priority,
                    Reverse(place),
                    Reverse(replica.offset),
                    replica.runid.is_none(),
                    replica.runid.as_ref().map(|id| id.to_ascii_lowercase()),
                )
            })
            .map(|replica| replica.id)
    }
}
