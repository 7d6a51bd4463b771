//! What follows from an INFO: new replicas, changed roles, servers that have to be put right.
//!
//! ```text
//!   primary's INFO   new replicas ──► watched too        new run id ──► +reboot      role:slave ──► down, in time
//!   replica's INFO   role:master, and we promote it ──► the failover goes on
//!                    role:master, else              ──► after 8 s it is told to be a replica     +convert-to-slave
//!                    another primary                ──► after failover-timeout it is told ours   +fix-slave-config
//!                    follows the new primary        ──► +slave-reconf-inprog, then -done
//! ```
//!
//! Nothing is put right while TILT lasts, while our own picture of the primary is not sane, or on a server that is
//! [foreign](crate::foreign). The waits give a newer configuration the time to arrive by a hello.

use crate::event::{Action, Level, Outbox};
use crate::failover::State;
use crate::info::Report;
use crate::instance::{HandOver, InstanceId, Ms, Reconf, Role};
use crate::machine::Sentinel;
use crate::text::text;

impl Sentinel {
    pub(crate) fn refresh(&mut self, id: InstanceId, info: &[u8], out: &mut Outbox) {
        let report = Report::parse(info);
        let now = self.now;
        self.instance_mut(id).info = Some(info.to_vec());
        self.note_runid(id, &report, out);
        self.note_fields(id, &report);
        if self.instance(id).is_primary() {
            if report.role == Role::Primary {
                let group = self.instance(id).group;
                self.group_mut(group).extend_chain(&report.history);
                self.group_mut(group).note_written(&report.history, report.end);
            }
            self.note_replicas(id, &report, out);
        } else {
            self.note_followed_history(id, &report);
        }
        self.instance_mut(id).info_refresh = Some(now);
        self.note_role(id, report.role, out);
        let foreign = self.check_foreign(id, out);
        self.hurry_failover(id);
        if self.tilt.since.is_some() || foreign {
            return;
        }
        if self.instance(id).is_primary() {
            return self.note_hand_over(id, out);
        }
        match report.role {
            Role::Primary => self.replica_is_primary(id, out),
            Role::Replica => self.replica_is_replica(id, out),
            Role::Unknown => {}
        }
    }

    fn note_runid(&mut self, id: InstanceId, report: &Report, out: &mut Outbox) {
        let Some(runid) = &report.runid else { return };
        let instance = self.instance(id);
        let rebooted = instance.runid.as_ref().is_some_and(|known| known != runid);
        if rebooted {
            self.notify(Level::Notice, "+reboot", id, "", out);
            if self.instance(id).is_primary() && self.group_of(id).reboot_down_after != 0 {
                self.instance_mut(id).rebooted_since = Some(self.now);
            }
        }
        self.instance_mut(id).runid = Some(runid.clone());
    }

    fn note_fields(&mut self, id: InstanceId, report: &Report) {
        let now = self.now;
        let instance = self.instance_mut(id);
        instance.primary_link_down_ms = report.primary_link_down_ms;
        instance.history = report.history.clone();
        let host = report.primary_host.as_ref().or(instance.primary_host.as_ref());
        let port = report.primary_port.unwrap_or(instance.primary_port);
        if instance.primary_host.as_ref() != host || instance.primary_port != port {
            instance.primary_host = host.cloned();
            instance.primary_port = port;
            instance.conf_changed_at = now;
        }
        instance.primary_link_up = report.primary_link_up.unwrap_or(instance.primary_link_up);
        instance.priority = report.priority.unwrap_or(instance.priority);
        instance.offset = report.offset.unwrap_or(instance.offset);
        instance.end = report.end.unwrap_or(instance.end);
        instance.announced = report.announced.unwrap_or(instance.announced);
        if let Some(running) = report.hands_over {
            let state = if running { HandOver::Running } else { HandOver::Idle };
            if instance.hand_over != state {
                instance.hand_over = state;
                instance.hand_over_since = now;
            }
        }
    }

    /// Whose link to the primary stands has the primary's history, which is the group's. So a history is known that began
    /// after the primary's last INFO.
    fn note_followed_history(&mut self, id: InstanceId, report: &Report) {
        let instance = self.instance(id);
        let (group, primary) = (instance.group, self.primary_of(instance.group));
        let host = report.primary_host.as_deref().unwrap_or_default();
        let ours = report.primary_port == Some(i64::from(primary.addr.port)) && self.names.is_at(&primary.addr, host);
        let Some(newest) = report.history.first().filter(|_| report.primary_link_up == Some(true) && ours) else {
            return;
        };
        if self.group(group).place_in_chain(std::slice::from_ref(newest)).is_none() {
            self.group_mut(group).extend_chain(std::slice::from_ref(newest));
        }
    }

    fn note_replicas(&mut self, id: InstanceId, report: &Report, out: &mut Outbox) {
        let group = self.instance(id).group;
        for (host, port) in &report.replicas {
            let Ok(addr) = self.names.addr(host, *port) else { continue };
            if addr.ip.is_none() {
                // Its name in our tables depends on what it means; the next INFO brings it again.
                out.push(Action::Resolve { name: addr.host });
                continue;
            }
            let name = self.names.joined(&addr);
            if self.group(group).replicas.contains_key(&name) || self.is_taken_by_another(group, &addr, out) {
                continue;
            }
            if let Some(replica) = self.add_replica(group, addr) {
                self.notify(Level::Notice, "+slave", replica, "", out);
                self.saving.dirty = true;
            }
        }
    }

    fn note_role(&mut self, id: InstanceId, role: Role, out: &mut Outbox) {
        let now = self.now;
        let instance = self.instance_mut(id);
        if instance.role_reported == role {
            return;
        }
        instance.role_reported = role;
        instance.role_reported_since = now;
        if role == Role::Replica {
            instance.conf_changed_at = now;
        }
        let expected = if instance.is_primary() { Role::Primary } else { Role::Replica };
        let name = if role == expected { "+role-change" } else { "-role-change" };
        let word = if role == Role::Primary { "master" } else { "slave" };
        self.notify(Level::Verbose, name, id, text!(" new reported role is ", word), out);
    }

    /// Whether the primary can be told about: it is one, says so, is up, and its INFO is fresh.
    fn primary_looks_sane(&self, id: InstanceId) -> bool {
        let primary = self.primary_of(self.instance(id).group);
        primary.role_reported == Role::Primary
            && !primary.s_down
            && !primary.o_down
            && primary.info_refresh.is_some_and(|at| self.now - at < self.periods.info * 2)
    }

    fn replica_is_primary(&mut self, id: InstanceId, out: &mut Outbox) {
        let instance = self.instance(id);
        let group = self.group(instance.group);
        if instance.promoted && group.failover.state == State::WaitPromotion {
            return self.promoted(id, out);
        }
        let wait = self.periods.publish * 4;
        let long_enough = self.now - instance.role_reported_since > wait && instance.no_down_for(wait, self.now);
        if !instance.promoted && long_enough && self.primary_looks_sane(id) {
            self.put_right(id, "+convert-to-slave", out);
            // When it obeys, it may be promoted by somebody before we have asked for its role again.
            let now = self.now;
            self.instance_mut(id).role_reported_since = now;
        }
    }

    fn replica_is_replica(&mut self, id: InstanceId, out: &mut Outbox) {
        if self.instance(id).promoted {
            self.not_promoted_yet(id, out);
        }
        let instance = self.instance(id);
        let wait = self.group_of(id).failover_timeout;
        let primary = &self.primary_of(instance.group).addr;
        let host = instance.primary_host.as_deref().unwrap_or_default();
        let astray = instance.primary_port != i64::from(primary.port) || !self.names.is_at(primary, host);
        let stuck = instance.hand_over == HandOver::Running;
        let since = |at: Ms| self.now - at > wait;
        let due = stuck && since(instance.hand_over_since) || astray && since(instance.conf_changed_at);
        if due && self.primary_looks_sane(id) && self.instance(id).no_down_for(wait, self.now) {
            self.put_right(id, "+fix-slave-config", out);
        }
        self.follow_reconf(id, out);
    }

    fn put_right(&mut self, id: InstanceId, event: &str, out: &mut Outbox) {
        let primary = self.primary_of(self.instance(id).group).addr.clone();
        if self.send_replicaof(id, Some(&primary), out) {
            self.notify(Level::Notice, event, id, "", out);
        }
    }

    /// A replica on its way to the promoted one moves on.
    fn follow_reconf(&mut self, id: InstanceId, out: &mut Outbox) {
        let instance = self.instance(id);
        let Some(promoted) = self.group_of(id).failover.promoted else { return };
        let target = &self.instance(promoted).addr;
        let host = instance.primary_host.as_deref();
        let arrived =
            host.is_some_and(|host| self.names.is_at(target, host)) && instance.primary_port == i64::from(target.port);
        if instance.reconf == Reconf::Sent && arrived {
            self.instance_mut(id).reconf = Reconf::InProgress;
            self.notify(Level::Notice, "+slave-reconf-inprog", id, "", out);
        }
        let instance = self.instance(id);
        if instance.reconf == Reconf::InProgress && instance.primary_link_up {
            self.instance_mut(id).reconf = Reconf::Done;
            self.notify(Level::Notice, "+slave-reconf-done", id, "", out);
            self.hurry();
        }
    }

    /// A failover that waits for fresh INFOs may go on.
    fn hurry_failover(&mut self, id: InstanceId) {
        let state = self.group_of(id).failover.state;
        if state == State::SelectReplica || state == State::WaitPromotion {
            self.hurry();
        }
    }
}
