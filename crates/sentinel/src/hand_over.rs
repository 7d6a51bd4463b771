//! A planned failover: the primary hands over, and nothing is lost while it lives.
//!
//! ```text
//!   SendOrder ── MULTI · CLIENT PAUSE … WRITE · FAILOVER TO … TIMEOUT … · EXEC ──► WaitPromotion
//!     ▲                                                                                │
//!     │  refused for now (CLIENT UNPAUSE, again in a second) · the order was lost      ├─ the replica says that it is a
//!     └────────────────────────────────────────────────────────────────────────────────┤  primary: promoted
//!                                                                                      │
//!        the primary gave up · time is over · the replica is gone                      │
//!          ──► FAILOVER ABORT · CLIENT UNPAUSE: the failover is aborted, writes go on ◄┤
//!        the primary is gone                                                           │
//!          ──► SelectReplica: the failover goes on without it ◄────────────────────────┘
//! ```
//!
//! By FAILOVER inside a pause of its clients writes stop, the replica catches up, roles change, and clients are sent away to
//! ask again. The original does so for `COORDINATED` only, and a failover by hand cuts off: what was under way is lost. Here
//! the rule is:
//!
//! | the primary | `SENTINEL FAILOVER` | `… COORDINATED` | `… FORCE` |
//! |---|---|---|---|
//! | lives | hands over, or the failover is aborted | the same | hands over, or is cut off |
//! | does not know FAILOVER, or does not let us | is cut off, as by the original | refused, or aborted | is cut off |
//! | is gone | is replaced | is replaced | is replaced |
//!
//! *Gone* means for a failover that was elected that a quorum sees the primary down (ODOWN). For one by hand it means that this
//! Sentinel does, and no other that answers sees it up: who asks for a failover when only one Sentinel is left shall have it,
//! and who asks the one Sentinel that is cut off from the primary shall lose no writes. A primary that follows the chosen
//! replica is not gone; it has handed over, unless the replica says that it has not.
//!
//! The primary has half of the failover timeout to hand over, after `COORDINATED` all of it. An attempt that was aborted does
//! not delay the next one: should the primary die, nobody waits for twice the failover timeout because somebody has tried
//! to hand over before.

use crate::event::{ConnId, ConnKind, Level, Outbox};
use crate::failover::{Mode, State};
use crate::instance::{GroupId, HandOver, Instance, InstanceId, Ms, Role};
use crate::machine::Sentinel;
use crate::text::text;
use resp::Value;

/// What is asked of the primary, and how far that is.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// When the failover was begun.
    pub begun: Ms,
    /// Who asked for it prefers a loss to waiting (`FORCE`).
    pub insists: bool,
    /// The primary has no part in it any more.
    pub cuts_off: bool,
    /// The primary was told to hand over, and has not refused.
    pub told: bool,
    /// The hand-over that is under way is ours.
    pub is_mine: bool,
    /// On which connection it was told.
    told_on: Option<ConnId>,
    /// It has said yes.
    accepted: bool,
    /// By then it must be done.
    by: Option<Ms>,
    /// Not before then the primary is told again.
    again_at: Option<Ms>,
    /// To whom it was to hand over before it was gone.
    pub heir: Option<InstanceId>,
}

impl Plan {
    /// Nothing was asked of the primary yet.
    pub fn begun_at(now: Ms) -> Plan {
        Plan { begun: now, ..Plan::default() }
    }
}

/// The least time that a primary gets to hand over.
const LEAST: Ms = 1_000;

/// How soon after a refusal it is told again.
const AGAIN: Ms = 1_000;

impl Sentinel {
    /// In `SendOrder`: tells the primary to hand over, once it can be told.
    pub(crate) fn order_hand_over(&mut self, id: GroupId, out: &mut Outbox) {
        let now = self.now;
        let group = self.group(id);
        let (primary, mode, timeout) = (group.primary, group.failover.mode, group.failover_timeout);
        let Some(promoted) = group.failover.promoted else { return };
        let limit = if mode == Mode::Coordinated { timeout } else { (timeout / 2).max(LEAST) };
        let plan = &mut self.group_mut(id).failover.plan;
        let by = *plan.by.get_or_insert(now + limit);
        let waits = plan.again_at.is_some_and(|at| now < at);
        if self.is_gone(id) {
            return self.go_on_without(id, "The primary is down", out);
        }
        if self.has_handed_over(self.instance(primary), self.instance(promoted)) {
            return self.cut_off(id, "The primary follows the replica already", out);
        }
        if mode == Mode::Forced && self.cannot_hand_over(primary) {
            return self.cut_off(id, "The primary does not know how to hand over", out);
        }
        if by - now < LEAST {
            return self.hand_over_failed(id, "-failover-abort-master-timeout", out);
        }
        if self.instance(promoted).s_down {
            return self.abort_planned(id, "-failover-abort-slave-timeout", out);
        }
        if waits || !self.can_be_told(primary) {
            return;
        }
        let target = self.instance(promoted).addr.clone();
        if self.send_failover(primary, &target, by - now, out) {
            let told_on = self.link(primary).commands.conn();
            let plan = &mut self.group_mut(id).failover.plan;
            (plan.told, plan.is_mine, plan.accepted, plan.told_on) = (true, true, false, told_on);
            self.wait_for_promotion(id, out);
        }
    }

    /// In `WaitPromotion`: whether it still makes sense to wait.
    pub(crate) fn watch_hand_over(&mut self, id: GroupId, out: &mut Outbox) {
        let failover = &self.group(id).failover;
        let late = failover.plan.by.is_none_or(|by| self.now > by + LEAST);
        let Some(promoted) = failover.promoted else { return };
        if self.is_gone(id) {
            self.go_on_without(id, "The primary is down", out);
        } else if self.instance(promoted).s_down {
            self.abort_planned(id, "-failover-abort-slave-timeout", out);
        } else if late {
            self.hand_over_failed(id, "-failover-abort-slave-timeout", out);
        }
    }

    /// The answer to one of the commands of a hand-over.
    pub(crate) fn hand_over_answered(&mut self, primary: InstanceId, value: &Value, out: &mut Outbox) {
        let id = self.instance(primary).group;
        if !self.waits_for_hand_over(id) {
            return;
        }
        let nested = value.as_array().unwrap_or_default().iter().find_map(|item| item.as_error());
        let Some(error) = value.as_error().or(nested).map(<[u8]>::to_vec) else {
            if value.as_array().is_some() {
                self.group_mut(id).failover.plan.accepted = true;
                self.send_info(primary, out);
            }
            return;
        };
        if error == resp::error::replication::FAILOVER_RUNNING.text() {
            // Another Sentinel was asked before, or a person has asked the server. To cut in would make two primaries.
            let plan = &mut self.group_mut(id).failover.plan;
            (plan.accepted, plan.is_mine) = (true, false);
            return;
        }
        self.log(Level::Notice, text!("The primary does not hand over: ", error), out);
        if is_final(&error) {
            match self.group(id).failover.mode {
                Mode::Forced => self.cut_off(id, "The primary does not let this Sentinel make it hand over", out),
                _ => self.abort_planned(id, "-failover-abort-slave-timeout", out),
            }
        } else {
            self.send_unpause(primary, out);
            self.tell_again(id);
        }
    }

    /// The primary's INFO has come: has it given up to hand over, or never heard that it should?
    pub(crate) fn note_hand_over(&mut self, primary: InstanceId, out: &mut Outbox) {
        let instance = self.instance(primary);
        let id = instance.group;
        let is_as_before = instance.role_reported == Role::Primary && instance.hand_over == HandOver::Idle;
        if !is_as_before || !self.waits_for_hand_over(id) {
            return;
        }
        let plan = &self.group(id).failover.plan;
        let lost = plan.told_on != self.link(primary).commands.conn();
        if plan.accepted && plan.is_mine {
            self.log(Level::Notice, text!("The primary has given up to hand over"), out);
            self.hand_over_failed(id, "-failover-abort-slave-timeout", out);
        } else if plan.accepted || lost {
            self.tell_again(id);
        }
    }

    fn waits_for_hand_over(&self, id: GroupId) -> bool {
        let failover = &self.group(id).failover;
        failover.waits_for_promotion() && failover.is_planned() && failover.plan.told
    }

    fn tell_again(&mut self, id: GroupId) {
        let again_at = self.now + AGAIN;
        let plan = &mut self.group_mut(id).failover.plan;
        (plan.told, plan.again_at) = (false, Some(again_at));
        self.enter(id, State::SendOrder);
    }

    /// What was asked for did not come about, and the primary lives.
    fn hand_over_failed(&mut self, id: GroupId, event: &str, out: &mut Outbox) {
        if !self.group(id).failover.plan.insists {
            return self.abort_planned(id, event, out);
        }
        let (primary, plan) = (self.group(id).primary, &self.group(id).failover.plan);
        if plan.told && plan.is_mine {
            self.send_abort(primary, false, out);
        }
        self.go_on_without(id, "The primary does not hand over", out);
    }

    /// The failover is over before it has changed anything, and delays no other.
    fn abort_planned(&mut self, id: GroupId, event: &str, out: &mut Outbox) {
        self.abort_failover(id, event, out);
        self.group_mut(id).failover.started_at = None;
    }

    /// A hand-over of ours is not wanted any more: writes go on. One of another Sentinel's is left alone.
    pub(crate) fn end_hand_over(&mut self, primary: InstanceId, is_mine: bool, out: &mut Outbox) {
        // On the same connection, so that it arrives behind an order that is still on its way.
        if !is_mine || !self.send_abort(primary, true, out) {
            self.close(primary, ConnKind::Commands, out);
        }
    }

    /// The replica is promoted whatever the primary does, at once: it was chosen a moment ago.
    fn cut_off(&mut self, id: GroupId, why: &str, out: &mut Outbox) {
        self.log(Level::Warning, text!(why, ", and is cut off"), out);
        let plan = &mut self.group_mut(id).failover.plan;
        (plan.cuts_off, plan.told) = (true, false);
        self.enter(id, State::SendOrder);
    }

    /// The same after a while, in which other replicas may have come to know more.
    fn go_on_without(&mut self, id: GroupId, why: &str, out: &mut Outbox) {
        self.log(Level::Warning, text!(why, ": the failover goes on without it"), out);
        let failover = &mut self.group_mut(id).failover;
        let chosen = failover.promoted.take();
        failover.plan.cuts_off = true;
        failover.plan.heir = chosen.filter(|_| failover.plan.told);
        if let Some(chosen) = chosen {
            self.instance_mut(chosen).promoted = false;
        }
        self.begin_selection(id, out);
    }

    /// Whether the primary is down, and who could know better does not.
    fn is_gone(&self, id: GroupId) -> bool {
        let group = self.group(id);
        let primary = self.instance(group.primary);
        let down = match group.failover.mode {
            Mode::Coordinated => primary.o_down,
            _ => primary.s_down && !self.others_see_it_up(id),
        };
        down && !group.failover.promoted.is_some_and(|chosen| self.may_have_handed_over(primary, self.instance(chosen)))
    }

    /// Whether the primary followed the replica when it was last heard, and the replica has not denied since that it has
    /// taken over.
    fn may_have_handed_over(&self, primary: &Instance, to: &Instance) -> bool {
        let denies = to.role_reported == Role::Replica && !to.s_down && to.info_refresh > primary.info_refresh;
        self.follows(primary, to) && !denies
    }

    /// Whether another Sentinel has said since the failover began that the primary is up, or may be about to.
    fn others_see_it_up(&self, id: GroupId) -> bool {
        let group = self.group(id);
        let begun = group.failover.plan.begun;
        let since = self.instance(group.primary).s_down_since.map_or(begun, |since| since.max(begun));
        let asking = self.now - since < self.periods.ask;
        let others = group.sentinels.values().map(|id| self.instance(*id));
        let mut there = others.filter(|other| !other.s_down && self.link(other.id).commands.is_ready());
        there.any(|other| match other.last_answer > begun && self.is_recent(other) {
            true => !other.says_down,
            false => asking,
        })
    }

    /// Whether a server said last that it is a replica of the other.
    fn follows(&self, server: &Instance, other: &Instance) -> bool {
        let host = server.primary_host.as_deref();
        server.role_reported == Role::Replica
            && server.primary_port == i64::from(other.addr.port)
            && host.is_some_and(|host| self.names.is_at(&other.addr, host))
    }

    /// Whether a hand-over has come to its end: a primary that asks a replica to take over follows it already, and may be
    /// refused.
    pub(crate) fn has_handed_over(&self, primary: &Instance, to: &Instance) -> bool {
        to.role_reported == Role::Primary && self.follows(primary, to)
    }

    fn cannot_hand_over(&self, primary: InstanceId) -> bool {
        let instance = self.instance(primary);
        instance.info_refresh.is_some() && instance.hand_over == HandOver::Unsupported
    }

    /// Whether a primary can be told something now, and no hand-over of somebody else is under way.
    fn can_be_told(&self, primary: InstanceId) -> bool {
        let (instance, link) = (self.instance(primary), self.link(primary));
        instance.hand_over == HandOver::Idle
            && !link.disconnected()
            && link.auth_error.is_none()
            && self.now - link.last_avail <= self.periods.ping * 2
    }
}

/// Whether a refusal will be the same in a second.
fn is_final(error: &[u8]) -> bool {
    error.starts_with(b"NOPERM") || resp::error::common::is_unknown_command(error)
}
