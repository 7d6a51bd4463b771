//! Down, in whose opinion?
//!
//! ```text
//!   SDOWN  I think so            no acceptable answer for down-after · a primary that says it is a replica, for long
//!                                · a primary that restarted and does not serve, for master-reboot-down-after-period
//!   ODOWN  enough of us think so SDOWN here, and quorum - 1 other Sentinels said "down" lately
//!   dead   its process is gone   refused or reset without a break for dead-grace-ms, here and for a majority
//!                                ──► SDOWN at once, and with it ODOWN
//! ```
//!
//! While I think that the primary is down, I ask all other Sentinels once per ask period whether they do, which is also
//! how votes are asked for ([`crate::vote`]). What they said is forgotten after five periods.
//!
//! # The dead
//!
//! A refused connection is an answer: the machine lives, the process does not. Waiting the whole `down-after` for a
//! process that will not come back loses writes for nothing, but three things look alike and are not: a restart (it ends
//! within the grace, by a connection that is accepted), a firewall between that one server and me (it does not convince a
//! majority, however small the quorum), a listener that is being replaced. So the grace has to be full of refusals, by a
//! majority's view, and then the ordinary way goes on: ODOWN by quorum, election by majority. Sentinels of the original
//! say "down" when their own `down-after` is over; their word counts for what it is.

use crate::event::{ConnKind, Level, Outbox};
use crate::instance::{GroupId, Instance, InstanceId, Ms, Role};
use crate::link::Asked;
use crate::machine::Sentinel;
use crate::text::text;
use resp::Value;

/// How often others are asked about a process that I see dead.
const ASK_ABOUT_DEAD: Ms = 200;

/// All see a death in the same moment; within this span they draw who is the first candidate.
const LOTS: u64 = 400;

/// For how many ask periods an answer counts.
const ANSWER_PERIODS: Ms = 5;

impl Sentinel {
    /// How long this instance's process must be seen dead. 0: that is not looked at.
    pub(crate) fn grace(&self, id: InstanceId) -> Ms {
        let instance = self.instance(id);
        if instance.is_primary() { self.dead_grace.min(self.group(instance.group).down_after) } else { 0 }
    }

    /// Whether I have seen the primary's process dead for the whole grace.
    pub(crate) fn sees_dead(&self, id: InstanceId) -> bool {
        let grace = self.grace(id);
        grace > 0 && self.link(id).refused.is_some_and(|(first, last)| last - first >= grace)
    }

    pub(crate) fn check_subjectively_down(&mut self, id: InstanceId, out: &mut Outbox) {
        let now = self.now;
        let instance = self.instance(id);
        let group = self.group(instance.group);
        let down_after = group.down_after;
        let link = self.link(id);
        let elapsed = match link.unanswered_ping {
            Some(since) => now - since,
            None if !link.commands.is_ready() => now - link.last_avail,
            None => 0,
        };
        // Another connection may get through where this one does not.
        let old = |kind| link.age(kind, now).is_some_and(|age| age > self.periods.min_link_reconnect);
        let mute = link.unanswered_ping.is_some_and(|since| now - since > down_after / 2)
            && now - link.last_pong > down_after / 2;
        let close_commands = old(ConnKind::Commands) && mute;
        let close_pubsub = old(ConnKind::PubSub) && now - link.pubsub_activity > self.periods.publish * 3;

        let wrong_role = instance.is_primary()
            && instance.role_reported == Role::Replica
            && now - instance.role_reported_since > down_after + self.periods.info * 2;
        let reboot = instance.rebooted_since.is_some_and(|since| now - since > group.reboot_down_after);
        let dead = instance.is_primary() && group.dead_agreed;
        let down = elapsed > down_after || wrong_role || reboot || dead;
        if close_commands {
            self.close(id, ConnKind::Commands, out);
        }
        if close_pubsub {
            self.close(id, ConnKind::PubSub, out);
        }
        let was_down = self.instance(id).s_down;
        if down && !was_down {
            self.set_s_down(id);
            self.notify(Level::Warning, "+sdown", id, "", out);
        } else if !down && was_down {
            let instance = self.instance_mut(id);
            instance.s_down = false;
            instance.script_kill_sent = false;
            self.notify(Level::Warning, "-sdown", id, "", out);
        }
    }

    pub(crate) fn set_s_down(&mut self, id: InstanceId) {
        let now = self.now;
        let instance = self.instance_mut(id);
        instance.s_down = true;
        instance.s_down_since = Some(now);
    }

    /// Agrees with the others that the primary's process is dead, or takes that back.
    pub(crate) fn check_dead(&mut self, id: GroupId, out: &mut Outbox) {
        let primary = self.group(id).primary;
        let dead = self.sees_dead(primary);
        let agreed = self.group(id).dead_agreed;
        if agreed && !dead {
            self.group_mut(id).dead_agreed = false;
        } else if dead && !agreed && self.seen_down_by(id) >= self.needed_votes(id) {
            let lot = self.now + self.chance(LOTS) as Ms;
            self.group_mut(id).dead_agreed = true;
            self.group_mut(id).failover.not_before = Some(lot);
            if !self.instance(primary).s_down {
                self.set_s_down(primary);
                self.notify(Level::Warning, "+sdown", primary, "", out);
            }
        }
    }

    /// Whether a Sentinel has said lately that the primary is down.
    pub(crate) fn says_down(&self, other: &Instance) -> bool {
        other.says_down && self.is_recent(other)
    }

    /// Whether what a Sentinel has answered last counts.
    pub(crate) fn is_recent(&self, other: &Instance) -> bool {
        self.now - other.last_answer <= self.periods.ask * ANSWER_PERIODS
    }

    /// How many Sentinels say that the primary is down, myself included.
    fn seen_down_by(&self, id: GroupId) -> usize {
        let says = |id: &&InstanceId| self.says_down(self.instance(**id));
        1 + self.group(id).sentinels.values().filter(says).count()
    }

    pub(crate) fn check_objectively_down(&mut self, id: GroupId, out: &mut Outbox) {
        let now = self.now;
        let (primary, quorum) = (self.group(id).primary, self.group(id).quorum);
        let seen_by = if self.instance(primary).s_down { self.seen_down_by(id) } else { 0 };
        let down = seen_by >= quorum as usize;
        let was_down = self.instance(primary).o_down;
        if down && !was_down {
            let instance = self.instance_mut(primary);
            instance.o_down = true;
            instance.o_down_since = Some(now);
            self.notify(Level::Warning, "+odown", primary, text!(" #quorum ", seen_by, "/", quorum), out);
        } else if !down && was_down {
            self.instance_mut(primary).o_down = false;
            self.notify(Level::Warning, "-odown", primary, "", out);
        }
    }

    /// Asks the other Sentinels whether the primary is down, and for their votes while a failover of ours wants them.
    pub(crate) fn ask_others(&mut self, id: GroupId, at_once: bool, out: &mut Outbox) {
        let now = self.now;
        let group = self.group(id);
        let primary = self.instance(group.primary);
        let dead = self.sees_dead(group.primary);
        // A failover that was asked for needs votes, or tells of its epoch, while the primary lives.
        let underway = group.failover.in_progress() && !group.failover.is_promoted();
        if !primary.s_down && !dead && !underway {
            return;
        }
        let agreeing = dead && !primary.s_down;
        let period = if agreeing { self.periods.ask.min(ASK_ABOUT_DEAD) } else { self.periods.ask };
        let candidate = group.failover.in_progress();
        let (epoch, candidate) = match candidate {
            true => (group.failover.epoch, self.myid.clone()),
            false => (self.current_epoch, b"*".to_vec()),
        };
        let host = self.names.shown(&primary.addr);
        let port = text!(primary.addr.port);
        let others: Vec<InstanceId> = group.sentinels.values().copied().collect();
        for other in others {
            let instance = self.instance_mut(other);
            let elapsed = now - instance.last_answer;
            let asked = instance.info_asked.is_some_and(|at| now - at < period);
            if elapsed > self.periods.ask * ANSWER_PERIODS {
                let instance = self.instance_mut(other);
                instance.says_down = false;
                instance.vote = None;
            }
            if !at_once && (elapsed < period || asked) {
                continue;
            }
            let args = vec![
                self.renamed(other, "SENTINEL"),
                b"is-master-down-by-addr".to_vec(),
                host.clone(),
                port.clone(),
                text!(epoch),
                candidate.clone(),
            ];
            if self.send(other, args, Asked::IsDown, out) {
                self.instance_mut(other).info_asked = Some(now);
            }
        }
    }

    pub(crate) fn is_down_answered(&mut self, id: InstanceId, value: &Value, out: &mut Outbox) {
        let now = self.now;
        let Some([Value::Integer(down), leader, Value::Integer(epoch)]) = value.as_array() else { return };
        let (Some(leader), Ok(epoch)) = (leader.as_bytes(), u64::try_from(*epoch)) else { return };
        let instance = self.instance_mut(id);
        instance.last_answer = now;
        instance.info_asked = None;
        instance.says_down = *down == 1;
        if leader != b"*" && leader.len() <= 64 {
            let news = instance.vote_epoch != epoch;
            instance.vote = Some(leader.to_vec());
            instance.vote_epoch = epoch;
            if news {
                let name = instance.name.clone();
                self.log(Level::Notice, text!(name, " voted for ", leader, " ", epoch), out);
            }
        }
        self.hurry();
    }
}
