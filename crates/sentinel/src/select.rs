//! Which replica becomes the primary?
//!
//! ```text
//!   can be chosen   up, connected, authenticated, pinged within 5 ping periods, INFO fresh, priority not 0,
//!                   not foreign, not empty, its link to the primary not down for longer than the primary plus
//!                   10 × down-after
//!   best is         who has taken over already (the primary's last word was that it follows it),
//!                   a replica that follows before one that serves as a primary (which a planned failover never takes),
//!                   a history of this group before any other, then the lowest priority, the newest history,
//!                   the highest offset, the smallest run ID
//! ```
//!
//! *Empty* is a server that shows a history which no primary of the group has had, or none of the stream that one has
//! written: it has started anew, or a sync has emptied it and has not ended. The original promotes it when nobody else is
//! in reach; should the primary come back then, with all its data, it is made a copy of the empty one. Here such a server is
//! left out until the primary has been down for twice the failover timeout, which is when a second attempt is made. Then it
//! is chosen for want of a better one: a group whose servers have all lost their data is to have a primary again, and a
//! cache whose only full copy is gone is to be filled. Who cannot wait asks for `SENTINEL FAILOVER <name> FORCE`.
//!
//! Offsets count bytes of one history, so they are compared within one only: a replica that has never synced with this
//! primary may show a large offset of another life.
//!
//! *Fresh* means: asked for after the failover was decided. In the original an INFO may be five seconds old here, and the
//! replica that has acknowledged the last write may look older than one that has not. So the leader asks every candidate
//! again and waits for the answers, at most a second, in which a replica that does not answer shows what it is worth.

use crate::event::Outbox;
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
    /// Those that there are have none of the group's data, and the primary may come back yet.
    OnlyEmpty,
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
        let heard = || self.reachable(id).filter(fresh).filter(|replica| self.is_linked(id, replica));
        let failover = &self.group(id).failover;
        let planned = failover.is_planned() && !failover.plan.insists;
        let full = self.best(id, planned, heard().filter(|replica| !self.is_empty(id, replica)));
        if full.is_some() || planned {
            return Candidates::Chosen(full);
        }
        let any = self.best(id, planned, heard());
        if any.is_some() && !self.takes_an_empty_one(id) { Candidates::OnlyEmpty } else { Candidates::Chosen(any) }
    }

    /// The replica that would be promoted by what is known now; with `empty`, one that is empty too.
    pub(crate) fn candidate(&self, id: GroupId, empty: bool) -> Option<InstanceId> {
        // While the primary is down, INFO is asked for every second, otherwise once per period.
        let down = self.primary_of(id).s_down;
        let valid_for = if down { self.periods.ping * 5 } else { self.periods.info * 3 };
        let fresh = |replica: &&Instance| replica.info_refresh.is_some_and(|at| self.now - at <= valid_for);
        let heard = self.reachable(id).filter(fresh).filter(|replica| self.is_linked(id, replica));
        self.best(id, !empty, heard.filter(|replica| empty || !self.is_empty(id, replica)))
    }

    /// Whether a server has none of the group's data, for all that it shows. A history that two of the group share is no
    /// server's own: the primary's last may be younger than its last INFO.
    fn is_empty(&self, id: GroupId, server: &Instance) -> bool {
        let group = self.group(id);
        let end = if is_stray(server) { server.end } else { server.offset };
        let newest = server.history.first();
        let sharing = group.replicas.values().filter(|id| self.instance(**id).history.first() == newest).count();
        group.has_emptied(newest, end) || sharing < 2 && group.is_outside(&server.history)
    }

    /// Whether the primary has been waited for long enough.
    fn takes_an_empty_one(&self, id: GroupId) -> bool {
        let group = self.group(id);
        let primary = self.instance(group.primary);
        let since = primary.s_down_since.filter(|_| primary.s_down);
        let long = since.is_some_and(|since| self.now - since >= group.failover_timeout.saturating_mul(2));
        group.failover.plan.insists || long
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
        let primary = self.instance(group.primary);
        // What serves as a primary has data of its own. That is the last resort, and none where nothing has to be lost;
        // unless the primary has handed over to it, and nobody has seen that.
        let has_taken_over = |server: &Instance| {
            let is_heir = is_stray(server) && group.failover.plan.heir == Some(server.id);
            is_heir || self.has_handed_over(primary, server)
        };
        replicas
            .filter(|replica| !(planned && is_stray(replica) && !has_taken_over(replica)))
            .min_by_key(|replica| {
                // Before any history is known, all are alike.
                let place = group.place_in_chain(&replica.history);
                (
                    !has_taken_over(replica),
                    is_stray(replica),
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

/// Whether a server that should follow says that it is a primary.
fn is_stray(server: &Instance) -> bool {
    server.role_reported != Role::Replica
}
