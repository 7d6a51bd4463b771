//! A failover, from the attempt to the new primary.
//!
//! ```text
//!   None ─ODOWN, or asked for─► WaitStart ─elected─► SelectReplica ─chosen─► SendOrder ─sent─► WaitPromotion
//!    ▲                             │ not elected         │ none good            │ timeout         │ INFO: role:master
//!    ├─────────── abort ◄──────────┴─────────────────────┴──────────────────────┴── timeout ──────┤
//!    │                                                                                            ▼
//!    └── switch: the promoted one is the group's primary ◄── UpdateConfig ◄─done or timeout─ ReconfReplicas
//! ```
//!
//! An elected leader that hears of votes in a later epoch before it has given the order leaves it to the next leader, where
//! the original promotes a second replica.
//!
//! Up to the promotion a failover can be aborted; from then on it ends. The promoted replica's INFO is the point of no
//! return: there the configuration gets the failover's epoch, and the next hellos carry it.
//!
//! Three ways in: *elected* after ODOWN; *forced* by `SENTINEL FAILOVER`, without asking others; *coordinated*, elected
//! although the primary lives. The last two are *planned*: a primary that lives [hands over](crate::hand_over).
//!
//! An order whose connection broke before the replica has said what became of it is given again, as long as nobody else
//! has begun a later failover; the original waits in vain until the failover's time is over.
//!
//! After an attempt the next one waits for twice the failover timeout, as does whoever voted for another. There is one
//! exception: when votes are split such that nobody can win any more, although enough Sentinels are there, the candidates
//! draw lots and begin again, where the original lets the whole wait pass. Lots are drawn as well before the first attempt
//! after a [death](crate::down), which all Sentinels see in the same moment.

use crate::event::{Action, ConnId, ConnKind, Level, Outbox};
use crate::hand_over::Plan;
use crate::instance::{GroupId, InstanceId, Ms, Reconf};
use crate::machine::Sentinel;
use crate::select::Candidates;
use crate::text::text;
use crate::vote::DESYNC;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    #[default]
    None,
    WaitStart,
    SelectReplica,
    SendOrder,
    WaitPromotion,
    ReconfReplicas,
    UpdateConfig,
}

impl State {
    /// As `failover-state` shows it.
    pub fn name(self) -> &'static str {
        match self {
            State::None => "none",
            State::WaitStart => "wait_start",
            State::SelectReplica => "select_slave",
            State::SendOrder => "send_slaveof_noone",
            State::WaitPromotion => "wait_promotion",
            State::ReconfReplicas => "reconf_slaves",
            State::UpdateConfig => "update_config",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    #[default]
    Elected,
    Forced,
    Coordinated,
}

#[derive(Debug, Default)]
pub(crate) struct Failover {
    pub state: State,
    pub state_since: Ms,
    pub mode: Mode,
    pub epoch: u64,
    /// When the last attempt was made, or will be: the lot is added.
    pub started_at: Option<Ms>,
    delay_logged: Option<Ms>,
    /// The lot: no attempt before.
    pub not_before: Option<Ms>,
    pub promoted: Option<InstanceId>,
    /// The connection on which the replica was told to be a primary.
    ordered_on: Option<ConnId>,
    /// What a planned failover asks of the primary.
    pub plan: Plan,
}

impl Failover {
    pub fn in_progress(&self) -> bool {
        self.state != State::None
    }

    /// The promoted replica is known to serve as primary.
    pub fn is_promoted(&self) -> bool {
        self.state >= State::ReconfReplicas
    }

    pub fn waits_for_promotion(&self) -> bool {
        self.state == State::WaitPromotion
    }

    /// Asked for by a person, and the primary is to have its part in it.
    pub fn is_planned(&self) -> bool {
        self.mode != Mode::Elected && !self.plan.cuts_off
    }

    /// The primary's clients may be paused.
    pub fn holds_writes_back(&self) -> bool {
        let begun = self.mode == Mode::Coordinated || self.plan.told;
        self.in_progress() && begun && self.state <= State::WaitPromotion
    }

    /// As after a reset: the next attempt may come at once.
    pub fn clear(&mut self) {
        *self = Failover { epoch: self.epoch, ..Failover::default() };
    }
}

impl Sentinel {
    pub(crate) fn enter(&mut self, id: GroupId, state: State) {
        let now = self.now;
        let failover = &mut self.group_mut(id).failover;
        let may_come_again = matches!(state, State::SelectReplica | State::SendOrder);
        debug_assert!(state > failover.state || may_come_again, "{:?} to {state:?}", failover.state);
        failover.state = state;
        failover.state_since = now;
        self.hurry();
    }

    /// Starts one if the primary is ODOWN and the last attempt is long enough ago. True if it did.
    pub(crate) fn start_failover_if_needed(&mut self, id: GroupId, out: &mut Outbox) -> bool {
        let group = self.group(id);
        if !self.instance(group.primary).o_down || group.failover.in_progress() {
            return false;
        }
        if group.failover.not_before.is_some_and(|at| self.now < at) {
            return false;
        }
        let wait = group.failover_timeout.saturating_mul(2);
        if let Some(started) = group.failover.started_at.filter(|started| self.now - started < wait) {
            if group.failover.delay_logged != Some(started) {
                self.group_mut(id).failover.delay_logged = Some(started);
                let at = self.unix_ms + (started + wait - self.now);
                let what = "Next failover delay: I will not start a failover before ";
                self.log(Level::Notice, text!(what, calendar(at).as_str()), out);
            }
            return false;
        }
        self.start_failover(id, Mode::Elected, out);
        true
    }

    pub(crate) fn start_failover(&mut self, id: GroupId, mode: Mode, out: &mut Outbox) {
        let (begun, started_at) = (self.now, self.now + self.chance(DESYNC) as Ms);
        self.current_epoch += 1;
        let epoch = self.current_epoch;
        self.saving.dirty = true;
        let failover = &mut self.group_mut(id).failover;
        let delay_logged = failover.delay_logged;
        let plan = Plan::begun_at(begun);
        *failover = Failover { mode, epoch, started_at: Some(started_at), delay_logged, plan, ..Failover::default() };
        self.enter(id, State::WaitStart);
        let primary = self.group(id).primary;
        self.notify_text(Level::Warning, "+new-epoch", primary, text!(epoch), out);
        self.notify(Level::Warning, "+try-failover", primary, "", out);
    }

    pub(crate) fn step_failover(&mut self, id: GroupId, out: &mut Outbox) {
        let state = self.group(id).failover.state;
        if matches!(state, State::SelectReplica | State::SendOrder) && self.is_overtaken(id) {
            return self.abort_failover(id, "-failover-abort-not-elected", out);
        }
        match state {
            State::None | State::UpdateConfig => {}
            State::WaitStart => self.wait_start(id, out),
            State::SelectReplica => self.select_replica(id, out),
            State::SendOrder => self.send_order(id, out),
            State::WaitPromotion => self.wait_promotion(id, out),
            State::ReconfReplicas => self.reconf_replicas(id, out),
        }
    }

    /// Whether somebody has voted in a later epoch: whoever leads there may be about to promote another replica.
    pub(crate) fn is_overtaken(&self, id: GroupId) -> bool {
        let group = self.group(id);
        let epoch = group.failover.epoch;
        let mut others = group.sentinels.values().map(|id| self.instance(*id));
        group.leader_epoch > epoch || others.any(|other| other.vote.is_some() && other.vote_epoch > epoch)
    }

    fn wait_start(&mut self, id: GroupId, out: &mut Outbox) {
        let epoch = self.group(id).failover.epoch;
        let elected = self.leader(id, epoch, out).is_some_and(|leader| leader.eq_ignore_ascii_case(&self.myid));
        let group = self.group(id);
        let forced = group.failover.mode == Mode::Forced && self.vote_is_durable(id);
        if !elected && !forced {
            let timeout = self.periods.election.min(group.failover_timeout);
            if self.is_split(id, epoch) {
                self.abort_failover(id, "-failover-abort-not-elected", out);
                let lot = self.now + self.chance(DESYNC) as Ms;
                let failover = &mut self.group_mut(id).failover;
                failover.started_at = None;
                failover.not_before = Some(lot);
            } else if self.now - group.failover.started_at.unwrap_or(self.now) > timeout {
                self.abort_failover(id, "-failover-abort-not-elected", out);
            }
            return;
        }
        let primary = group.primary;
        self.notify(Level::Warning, "+elected-leader", primary, "", out);
        if self.simulate.crash_after_election {
            return self.simulated_crash(out);
        }
        self.begin_selection(id, out);
    }

    pub(crate) fn begin_selection(&mut self, id: GroupId, out: &mut Outbox) {
        self.enter(id, State::SelectReplica);
        let primary = self.group(id).primary;
        self.notify(Level::Warning, "+failover-state-select-slave", primary, "", out);
        self.ask_candidates(id, out);
    }

    fn select_replica(&mut self, id: GroupId, out: &mut Outbox) {
        let chosen = match self.choose(id, self.group(id).failover.state_since) {
            Candidates::Waiting => return,
            Candidates::Chosen(chosen) => chosen,
            Candidates::OnlyEmpty => {
                let what = "Only servers without any data of this group are in reach: the primary is waited for";
                self.log(Level::Warning, what.into(), out);
                None
            }
        };
        let Some(replica) = chosen else {
            return self.abort_failover(id, "-failover-abort-no-good-slave", out);
        };
        self.notify(Level::Warning, "+selected-slave", replica, "", out);
        self.instance_mut(replica).promoted = true;
        self.group_mut(id).failover.promoted = Some(replica);
        self.enter(id, State::SendOrder);
        self.notify(Level::Notice, "+failover-state-send-slaveof-noone", replica, "", out);
    }

    fn send_order(&mut self, id: GroupId, out: &mut Outbox) {
        if self.group(id).failover.is_planned() {
            return self.order_hand_over(id, out);
        }
        let group = self.group(id);
        let passed = self.now - group.failover.state_since;
        let timeout = group.failover_timeout;
        let Some(promoted) = group.failover.promoted else { return };
        if self.order_promotion(promoted, out) {
            self.wait_for_promotion(id, out);
        } else if passed > timeout {
            self.abort_failover(id, "-failover-abort-slave-timeout", out);
        }
    }

    /// Tells the chosen replica to be a primary.
    fn order_promotion(&mut self, replica: InstanceId, out: &mut Outbox) -> bool {
        let sent = self.send_replicaof(replica, None, out);
        if sent {
            let id = self.instance(replica).group;
            self.group_mut(id).failover.ordered_on = self.link(replica).commands.conn();
            self.send_info(replica, out);
        }
        sent
    }

    pub(crate) fn wait_for_promotion(&mut self, id: GroupId, out: &mut Outbox) {
        if let Some(promoted) = self.group(id).failover.promoted {
            self.notify(Level::Notice, "+failover-state-wait-promotion", promoted, "", out);
        }
        self.enter(id, State::WaitPromotion);
    }

    fn wait_promotion(&mut self, id: GroupId, out: &mut Outbox) {
        let group = self.group(id);
        if group.failover.is_planned() {
            self.watch_hand_over(id, out);
        } else if self.now - group.failover.state_since > group.failover_timeout {
            self.abort_failover(id, "-failover-abort-slave-timeout", out);
        }
    }

    /// The chosen replica says that it is a replica still. The order is on its way, or went down with its connection.
    pub(crate) fn not_promoted_yet(&mut self, replica: InstanceId, out: &mut Outbox) {
        let id = self.instance(replica).group;
        let failover = &self.group(id).failover;
        let waits = failover.waits_for_promotion() && !failover.is_planned();
        let lost = waits && failover.ordered_on != self.link(replica).commands.conn();
        if lost && !self.is_overtaken(id) && self.order_promotion(replica, out) {
            let what = text!("The order to ", self.instance(replica).name, " was lost and is given again");
            self.log(Level::Notice, what, out);
        }
    }

    /// The chosen replica says that it is a primary.
    pub(crate) fn promoted(&mut self, replica: InstanceId, out: &mut Outbox) {
        let id = self.instance(replica).group;
        let primary = self.group(id).primary;
        let group = self.group_mut(id);
        group.config_epoch = group.failover.epoch;
        let (by_hand, told) = (group.failover.mode != Mode::Elected, group.failover.plan.told);
        let history = self.instance(replica).history.clone();
        self.group_mut(id).extend_chain(&history);
        self.enter(id, State::ReconfReplicas);
        self.saving.dirty = true;
        self.notify(Level::Warning, "+promoted-slave", replica, "", out);
        if self.simulate.crash_after_promotion {
            return self.simulated_crash(out);
        }
        let target = self.instance(replica).addr.clone();
        if told {
            self.send_clients_away(primary, Some(&target), out);
            self.send_clients_away(replica, None, out);
        } else if by_hand {
            // It may live, and take writes that it will lose.
            self.send_replicaof(primary, Some(&target), out);
        }
        self.notify(Level::Warning, "+failover-state-reconf-slaves", primary, "", out);
        let from = self.instance(primary).addr.clone();
        self.schedule_reconfig_script(id, "leader", &from, &target);
        self.force_hello(id);
    }

    fn reconf_replicas(&mut self, id: GroupId, out: &mut Outbox) {
        let now = self.now;
        let Some(promoted) = self.group(id).failover.promoted else { return };
        let target = self.instance(promoted).addr.clone();
        let replicas: Vec<InstanceId> = self.group(id).replicas.values().copied().collect();
        let moving = |replica: &InstanceId| matches!(self.instance(*replica).reconf, Reconf::Sent | Reconf::InProgress);
        let mut in_progress = replicas.iter().filter(|replica| moving(replica)).count() as i64;
        for replica in replicas {
            if in_progress >= self.group(id).parallel_syncs {
                break;
            }
            let instance = self.instance(replica);
            if instance.promoted || instance.foreign || instance.reconf == Reconf::Done {
                continue;
            }
            if instance.reconf == Reconf::Sent && now - instance.reconf_sent_at > self.periods.replica_reconf {
                // It will be found astray and put right later.
                self.notify(Level::Notice, "-slave-reconf-sent-timeout", replica, "", out);
                self.instance_mut(replica).reconf = Reconf::Done;
            }
            let instance = self.instance(replica);
            if instance.reconf != Reconf::No || self.link(replica).disconnected() {
                continue;
            }
            if self.send_replicaof(replica, Some(&target), out) {
                let instance = self.instance_mut(replica);
                instance.reconf = Reconf::Sent;
                instance.reconf_sent_at = now;
                self.notify(Level::Notice, "+slave-reconf-sent", replica, "", out);
                in_progress += 1;
            }
        }
        self.detect_end(id, out);
    }

    fn detect_end(&mut self, id: GroupId, out: &mut Outbox) {
        let group = self.group(id);
        let primary = group.primary;
        let Some(promoted) = group.failover.promoted.filter(|id| !self.instance(*id).s_down) else { return };
        let replicas: Vec<InstanceId> = group.replicas.values().copied().collect();
        let is_left = |replica: &&InstanceId| {
            let replica = self.instance(**replica);
            !replica.promoted && !replica.s_down && !replica.foreign && replica.reconf != Reconf::Done
        };
        let left = replicas.iter().filter(is_left).count();
        let timeout = self.now - group.failover.state_since > group.failover_timeout;
        if timeout {
            self.notify(Level::Warning, "+failover-end-for-timeout", primary, "", out);
        }
        if left == 0 || timeout {
            self.notify(Level::Warning, "+failover-end", primary, "", out);
            self.enter(id, State::UpdateConfig);
        }
        if !timeout {
            return;
        }
        let target = self.instance(promoted).addr.clone();
        for replica in replicas {
            let instance = self.instance(replica);
            if instance.promoted || instance.foreign || matches!(instance.reconf, Reconf::Done | Reconf::Sent) {
                continue;
            }
            if !self.link(replica).disconnected() && self.send_replicaof(replica, Some(&target), out) {
                self.notify(Level::Notice, "+slave-reconf-sent-be", replica, "", out);
                self.instance_mut(replica).reconf = Reconf::Sent;
            }
        }
    }

    /// The last step, when nobody looks at the group's instances any more.
    pub(crate) fn switch_if_done(&mut self, id: GroupId, out: &mut Outbox) {
        if self.group(id).failover.state != State::UpdateConfig {
            return;
        }
        let group = self.group(id);
        let new = self.instance(group.failover.promoted.unwrap_or(group.primary)).addr.clone();
        self.announce_switch(id, &new, out);
        self.switch_address(id, new, out);
    }

    pub(crate) fn abort_failover(&mut self, id: GroupId, event: &str, out: &mut Outbox) {
        let primary = self.group(id).primary;
        self.notify(Level::Warning, event, primary, "", out);
        debug_assert!(self.group(id).failover.state <= State::WaitPromotion);
        self.stop_failover(id, out);
    }

    /// None is in progress any more.
    fn stop_failover(&mut self, id: GroupId, out: &mut Outbox) {
        let now = self.now;
        let primary = self.group(id).primary;
        let overtaken = self.is_overtaken(id);
        let failover = &mut self.group_mut(id).failover;
        let promoted = failover.promoted.take();
        let ordered = failover.state == State::WaitPromotion && !failover.is_planned();
        let told = failover.plan.told && !failover.is_promoted();
        let plan = std::mem::take(&mut failover.plan);
        failover.ordered_on = None;
        failover.state = State::None;
        failover.state_since = now;
        failover.mode = Mode::Elected;
        if let Some(promoted) = promoted {
            self.instance_mut(promoted).promoted = false;
            // An order that is still on its way must not arrive when another failover has chosen another replica.
            if ordered {
                self.close(promoted, ConnKind::Commands, out);
            }
        }
        if told {
            self.end_hand_over(primary, plan.is_mine && !overtaken, out);
        }
    }

    /// A later failover than ours has ended with the primary that we were about to replace. Ours is over, whatever it has
    /// done: were it to end with a switch, there would be two configurations of one epoch, and nothing to choose by. What it
    /// has changed is put right like any server that is astray.
    pub(crate) fn overtaken(&mut self, id: GroupId, epoch: u64, out: &mut Outbox) {
        let group = self.group(id);
        if !group.failover.in_progress() || group.failover.epoch >= epoch {
            return;
        }
        self.log(Level::Notice, text!("Failover of epoch ", group.failover.epoch, " overtaken by epoch ", epoch), out);
        self.stop_failover(id, out);
        let replicas: Vec<InstanceId> = self.group(id).replicas.values().copied().collect();
        replicas.into_iter().for_each(|replica| self.instance_mut(replica).reconf = Reconf::No);
    }

    fn simulated_crash(&mut self, out: &mut Outbox) {
        self.log(Level::Warning, b"Sentinel CRASH because of SENTINEL simulate-failure".to_vec(), out);
        out.push(Action::Exit { code: 99 });
    }
}

/// `Sat Nov 21 07:47:28 2026`, in UTC: the machine knows no time zone.
fn calendar(unix_ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = unix_ms.div_euclid(1000);
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Years that begin in March, counted in eras of 400: the leap day is a year's last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + i64::from(month < 2);
    format!(
        "{} {} {day:2} {:02}:{:02}:{:02} {year} UTC",
        DAYS[days.rem_euclid(7) as usize],
        MONTHS[month as usize],
        time / 3600,
        time / 60 % 60,
        time % 60
    )
}

#[cfg(test)]
mod tests {
    use super::calendar;

    #[test]
    fn days_are_counted_through_leap_years() {
        assert_eq!(calendar(0), "Thu Jan  1 00:00:00 1970 UTC");
        assert_eq!(calendar(951_782_400_000), "Tue Feb 29 00:00:00 2000 UTC");
        assert_eq!(calendar(1_795_247_248_000), "Sat Nov 21 07:47:28 2026 UTC");
    }
}
