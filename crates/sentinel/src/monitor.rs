//! What an instance is asked, how often, and what its answer to a ping means.
//!
//! ```text
//!   PING     every second, or every down-after if that is less              all
//!   INFO     every 10 s; every second for replicas while the primary is      servers
//!            down, failing over, or unreachable from the replica
//!   PUBLISH  a hello every 2 s                                              all
//! ```
//!
//! An answer is *acceptable* when it is `PONG`, `LOADING` or `MASTERDOWN`: the process serves. `NOAUTH` and `WRONGPASS`
//! show a living process too, and a password of ours that is wrong; the original takes them for death, so that a change
//! of password fails a healthy primary over. Any other error is silence with words: it counts as no answer for SDOWN,
//! but the link is not taken for broken.

use crate::event::{Level, Outbox};
use crate::instance::{HandOver, InstanceId};
use crate::link::{Asked, is_password_error};
use crate::machine::Sentinel;
use crate::text::text;
use resp::Value;

/// The most commands that may wait for answers on a link, per user of it.
const MOST_PENDING: usize = 100;

/// How often an INFO is asked for while a failover waits for what it tells.
const WATCHFUL: i64 = 100;

impl Sentinel {
    pub(crate) fn send_periodic(&mut self, id: InstanceId, out: &mut Outbox) {
        let now = self.now;
        let link = self.link(id);
        // A subscription that is missing is no reason to stop asking.
        if !link.commands.is_ready() || link.pending() >= MOST_PENDING * link.users {
            return;
        }
        let instance = self.instance(id);
        let group = self.group(instance.group);
        if !instance.is_sentinel() {
            let primary = self.instance(group.primary);
            let of_replica =
                primary.o_down || primary.s_down || group.failover.in_progress() || instance.primary_link_down_ms != 0;
            let watched = if instance.is_replica() { of_replica } else { group.failover.is_planned() };
            let due = match instance.info_refresh {
                None => true,
                Some(last) if instance.promoted && group.failover.waits_for_promotion() => now - last > WATCHFUL,
                Some(last) => now - last > if watched { self.periods.info.min(1_000) } else { self.periods.info },
            };
            // One question at a time, asked again when the answer is long in coming.
            if due && instance.info_asked.is_none_or(|asked| now - asked > 1_000) {
                self.send_info(id, out);
            }
        }
        let ping_period = self.group_of(id).down_after.min(self.periods.ping);
        let link = self.link(id);
        if now - link.last_pong > ping_period && link.last_ping.is_none_or(|last| now - last > ping_period / 2) {
            self.send_ping(id, out);
        }
        let instance = self.instance(id);
        // A hello to a server that holds writes back would wait with them.
        let group = self.group(instance.group);
        let paused =
            instance.hand_over == HandOver::Running || instance.is_primary() && group.failover.holds_writes_back();
        if now - instance.last_pub > self.periods.publish && !paused {
            self.say_hello(id, out);
        }
    }

    pub(crate) fn send_ping(&mut self, id: InstanceId, out: &mut Outbox) {
        let ping = self.renamed(id, "PING");
        if self.send(id, vec![ping], Asked::Ping, out) {
            let now = self.now;
            let link = self.link_mut(id);
            link.last_ping = Some(now);
            link.unanswered_ping.get_or_insert(now);
        }
    }

    pub(crate) fn send_info(&mut self, id: InstanceId, out: &mut Outbox) -> bool {
        let info = self.renamed(id, "INFO");
        let sent = self.send(id, vec![info], Asked::Info, out);
        if sent {
            self.instance_mut(id).info_asked = Some(self.now);
        }
        sent
    }

    pub(crate) fn ping_answered(&mut self, id: InstanceId, value: &Value, out: &mut Outbox) {
        let now = self.now;
        let text = value.as_error().or_else(|| value.as_bytes()).unwrap_or_default();
        let serves = [&b"PONG"[..], b"LOADING", b"MASTERDOWN"].iter().any(|start| text.starts_with(start));
        let wrong_password = value.as_error().is_some_and(is_password_error);
        let link = self.link_mut(id);
        link.last_pong = now;
        if serves || wrong_password {
            link.last_avail = now;
            link.unanswered_ping = None;
        }
        if wrong_password {
            self.auth_failed(id, text, out);
        } else if serves {
            self.auth_succeeded(id, out);
            if text.starts_with(b"PONG") {
                self.instance_mut(id).rebooted_since = None;
            }
        } else if text.starts_with(b"BUSY") {
            let instance = self.instance(id);
            if instance.s_down && !instance.script_kill_sent {
                let args = vec![self.renamed(id, "SCRIPT"), b"KILL".to_vec()];
                self.send(id, args, Asked::Order, out);
                self.instance_mut(id).script_kill_sent = true;
            }
        }
    }

    pub(crate) fn info_answered(&mut self, id: InstanceId, value: &Value, out: &mut Outbox) {
        self.instance_mut(id).info_asked = None;
        match (value.as_error(), value.as_bytes()) {
            (Some(error), _) if is_password_error(error) => {
                let error = error.to_vec();
                self.auth_failed(id, &error, out);
            }
            (None, Some(info)) => self.refresh(id, info, out),
            (Some(error), _) => {
                let what = text!("INFO refused by ", self.described(id), ": ", error);
                self.log(Level::Verbose, what, out);
            }
            _ => {}
        }
    }
}
