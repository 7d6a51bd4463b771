//! Hellos: how Sentinels find each other, and how a new configuration travels.
//!
//! ```text
//!   10.0.0.5,26379,<run ID>,<current epoch>,mymaster,10.0.0.1,6379,<config epoch>
//!   └─ this Sentinel ──────────────────────┘└─ its primary of that name ─────────┘      exactly eight tokens
//!
//!   every 2 s to each server's __sentinel__:hello, where all that watch the server hear it; and to each Sentinel
//! ```
//!
//! A hello with a newer config epoch moves the group to the primary that it names. That makes it the door through which
//! groups could be mixed and lies believed, so:
//!
//! 1. Tokens are checked: addresses, 40-character run IDs, epochs below [`MAX_EPOCH`]. What does not pass is logged, at
//!    most once a second, and has no effect.
//! 2. Who is a stranger here and speaks of a primary that is unknown here is heard only through a server whose history
//!    is ours (or through the configured primary itself). After an address has been reused, the hellos on it are
//!    another group's, even when that group has the same name.
//! 3. A primary that another group of ours has, with another history, is not followed.

use crate::address::Addr;
use crate::event::{Action, Level, Outbox};
use crate::instance::{GroupId, InstanceId, Kind, Ms};
use crate::link::Asked;
use crate::machine::Sentinel;
use crate::text::{has_control_characters, text};

/// Epochs from here on are not believed: one lie would end all elections.
pub(crate) const MAX_EPOCH: u64 = 1 << 53;

/// How many Sentinels a group may have.
const MOST_SENTINELS: usize = 256;

/// The longest hello.
const LONGEST: usize = 4096;

/// How often a hello that is not obeyed is worth a line.
const LOG_PERIOD: Ms = 1_000;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hello<'a> {
    pub host: &'a [u8],
    pub port: u16,
    pub runid: &'a [u8],
    pub current_epoch: u64,
    pub group: &'a [u8],
    pub primary_host: &'a [u8],
    pub primary_port: u16,
    pub config_epoch: u64,
}

impl<'a> Hello<'a> {
    pub fn parse(payload: &'a [u8]) -> Result<Hello<'a>, &'static str> {
        if payload.len() > LONGEST || has_control_characters(payload) {
            return Err("it is too long or has control characters");
        }
        let tokens: Vec<&[u8]> = payload.splitn(9, |byte| *byte == b',').collect();
        let [host, own_port, runid, current, group, primary_host, primary_port, config] = tokens[..] else {
            return Err("it does not have eight tokens");
        };
        if !is_runid(runid) {
            return Err("its run ID is malformed");
        }
        Ok(Hello {
            host,
            port: port(own_port).ok_or("its port is malformed")?,
            runid,
            current_epoch: epoch(current).ok_or("its epoch is malformed")?,
            group,
            primary_host,
            primary_port: port(primary_port).ok_or("its primary's port is malformed")?,
            config_epoch: epoch(config).ok_or("its configuration's epoch is malformed")?,
        })
    }
}

pub(crate) fn is_runid(text: &[u8]) -> bool {
    text.len() == 40 && text.iter().all(u8::is_ascii_alphanumeric)
}

/// A port that can be connected to.
fn port(text: &[u8]) -> Option<u16> {
    resp::integer::parse(text).and_then(|n| u16::try_from(n).ok()).filter(|n| *n > 0)
}

/// An epoch that may be true.
pub(crate) fn epoch(text: &[u8]) -> Option<u64> {
    resp::integer::parse(text).and_then(|n| u64::try_from(n).ok()).filter(|n| *n < MAX_EPOCH)
}

impl Sentinel {
    /// Tells one instance who we are and who the primary is.
    pub(crate) fn say_hello(&mut self, id: InstanceId, out: &mut Outbox) {
        let instance = self.instance(id);
        let group = self.group(instance.group);
        let host = match (&self.announce_ip, self.link(id).local) {
            (Some(host), _) => host.clone(),
            (None, Some(ip)) => ip.to_string().into_bytes(),
            (None, None) => return,
        };
        let port = if self.announce_port != 0 { self.announce_port } else { self.own.port };
        let primary = self.current_primary(instance.group);
        let hello = text!(
            host,
            ",",
            port,
            ",",
            self.myid,
            ",",
            self.current_epoch,
            ",",
            group.name,
            ",",
            self.names.shown(primary),
            ",",
            primary.port,
            ",",
            group.config_epoch
        );
        let args = vec![self.renamed(id, "PUBLISH"), crate::HELLO_CHANNEL.to_vec(), hello];
        if self.send(id, args, Asked::Order, out) {
            self.instance_mut(id).last_pub = self.now;
        }
    }

    /// The primary's address, or the promoted replica's once it is known to serve as primary.
    pub(crate) fn current_primary(&self, group: GroupId) -> &Addr {
        let failover = &self.group(group).failover;
        match failover.promoted.filter(|_| failover.is_promoted()) {
            Some(promoted) => &self.instance(promoted).addr,
            None => &self.primary_of(group).addr,
        }
    }

    /// Lets everyone in the group hear of the new configuration with the next tick.
    pub(crate) fn force_hello(&mut self, group: GroupId) {
        let due = self.now - self.periods.publish - 1;
        let group = self.group(group);
        let all: Vec<InstanceId> =
            group.replicas.values().chain(group.sentinels.values()).chain([&group.primary]).copied().collect();
        for id in all {
            let instance = self.instance_mut(id);
            instance.last_pub = instance.last_pub.min(due);
        }
        self.hurry();
    }

    /// A hello, heard on a server's channel or said to us directly.
    pub(crate) fn hear_hello(&mut self, payload: &[u8], heard_on: Option<InstanceId>, out: &mut Outbox) {
        if payload.windows(self.myid.len()).any(|part| part == self.myid) {
            return;
        }
        let hello = match Hello::parse(payload) {
            Ok(hello) => hello,
            Err(why) => return self.ignore_hello(why, payload, out),
        };
        let named = self.group_named(hello.group);
        if let Some(id) = heard_on.filter(|id| self.instances.get(id).is_some_and(|i| Some(i.group) != named)) {
            self.instance_mut(id).claimed_at = Some(self.now);
        }
        let Some(group) = named else { return };
        let sender = self.names.addr(hello.host, hello.port.into());
        let primary = self.names.addr(hello.primary_host, hello.primary_port.into());
        let (Ok(sender), Ok(primary)) = (sender, primary) else {
            return self.ignore_hello("an address in it is no address here", payload, out);
        };
        if primary.ip.is_none() {
            // Known by the time of the next hello, two seconds from now.
            out.push(Action::Resolve { name: primary.host });
            return;
        }
        if !self.is_believable(group, &hello, &primary, heard_on) {
            if let Some(id) = heard_on {
                self.instance_mut(id).claimed_at = Some(self.now);
            }
            return self.ignore_hello("a stranger speaks of a primary that is unknown here", payload, out);
        }
        let Some(id) = self.meet(group, hello.runid, sender, out) else {
            return self.ignore_hello("there are too many Sentinels in this group", payload, out);
        };
        self.instance_mut(id).last_hello = self.now;
        self.raise_epoch(group, hello.current_epoch, out);
        self.follow_config(group, id, primary, hello.config_epoch, out);
    }

    fn ignore_hello(&mut self, why: &str, payload: &[u8], out: &mut Outbox) {
        if self.hostile_logged_at.is_some_and(|at| self.now - at < LOG_PERIOD) {
            return;
        }
        self.hostile_logged_at = Some(self.now);
        let shown = payload[..payload.len().min(256)].escape_ascii().to_string();
        self.log(Level::Warning, text!("A hello is ignored, because ", why, ": ", shown.as_str()), out);
    }

    /// Whether a stranger, or what he speaks of, is known, or is heard where only our group is heard.
    fn is_believable(&self, id: GroupId, hello: &Hello<'_>, primary: &Addr, heard_on: Option<InstanceId>) -> bool {
        let group = self.group(id);
        if group.sentinels.contains_key(hello.runid) || self.knows_server(id, primary) {
            return true;
        }
        let Some(server) = heard_on.and_then(|id| self.instances.get(&id)).filter(|i| i.group == id) else {
            return false;
        };
        server.is_primary() || group.place_in_chain(&server.history).is_some()
    }

    /// Whether an address belongs to a server of the group.
    pub(crate) fn knows_server(&self, id: GroupId, addr: &Addr) -> bool {
        let group = self.group(id);
        let mut servers = group.replicas.values().chain([&group.primary]);
        servers.any(|id| self.instance(*id).addr.same(addr))
    }

    /// The Sentinel with this run ID, which is added, or moved to its new address, when it is new.
    fn meet(&mut self, group: GroupId, runid: &[u8], addr: Addr, out: &mut Outbox) -> Option<InstanceId> {
        let known = self.group(group).sentinels.get(runid).copied();
        if let Some(id) = known.filter(|id| self.instance(*id).addr.same(&addr)) {
            return Some(id);
        }
        let host = self.names.shown(&addr);
        let port = addr.port;
        if let Some(old) = known {
            let primary = self.group(group).primary;
            let what = text!(" ip ", host, " port ", port, " for ", runid);
            self.notify(Level::Notice, "+sentinel-address-switch", primary, what, out);
            self.remove_instance(old, out);
        } else if self.group(group).sentinels.len() >= MOST_SENTINELS {
            return None;
        } else {
            self.drop_namesake(group, &addr, out);
        }
        let id = self.add_sentinel(group, runid, addr, out)?;
        if known.is_none() {
            self.notify(Level::Notice, "+sentinel", id, "", out);
        } else {
            self.move_everywhere(id, out);
        }
        self.saving.dirty = true;
        Some(id)
    }

    /// Another Sentinel at the same address was there before: it is gone from all groups.
    fn drop_namesake(&mut self, group: GroupId, addr: &Addr, out: &mut Outbox) {
        let others: Vec<InstanceId> = self.group(group).sentinels.values().copied().collect();
        let Some(other) = others.into_iter().find(|id| self.instance(*id).addr.same(addr)) else { return };
        self.notify(Level::Notice, "+sentinel-invalid-addr", other, "", out);
        let runid = self.instance(other).name.clone();
        for group in self.group_ids() {
            if let Some(id) = self.group(group).sentinels.get(&runid).copied() {
                self.remove_instance(id, out);
            }
        }
    }

    /// A Sentinel has moved: so it has in the other groups.
    fn move_everywhere(&mut self, id: InstanceId, out: &mut Outbox) {
        let (runid, addr) = (self.instance(id).name.clone(), self.instance(id).addr.clone());
        let mut moved = 0;
        for group in self.group_ids() {
            let Some(same) = self.group(group).sentinels.get(&runid).copied() else { continue };
            self.close_both(same, out);
            if same != id {
                self.instance_mut(same).addr = addr.clone();
                moved += 1;
            }
        }
        if moved > 0 {
            let what = text!(" ", moved as u32, " additional matching instances");
            self.notify(Level::Notice, "+sentinel-address-update", id, what, out);
        }
    }

    /// Somebody is in a later epoch than we are.
    pub(crate) fn raise_epoch(&mut self, group: GroupId, epoch: u64, out: &mut Outbox) {
        if epoch > self.current_epoch {
            self.current_epoch = epoch;
            self.saving.dirty = true;
            let primary = self.group(group).primary;
            self.notify_text(Level::Warning, "+new-epoch", primary, text!(epoch), out);
        }
    }

    fn follow_config(&mut self, group: GroupId, from: InstanceId, primary: Addr, epoch: u64, out: &mut Outbox) {
        if self.group(group).config_epoch >= epoch {
            return;
        }
        if self.is_taken_by_another(group, &primary, out) {
            return;
        }
        self.group_mut(group).config_epoch = epoch;
        self.saving.dirty = true;
        if self.primary_of(group).addr.same(&primary) {
            return self.overtaken(group, epoch, out);
        }
        self.notify(Level::Warning, "+config-update-from", from, "", out);
        let old = self.primary_of(group).addr.clone();
        self.announce_switch(group, &primary, out);
        self.switch_address(group, primary.clone(), out);
        self.schedule_reconfig_script(group, "observer", &old, &primary);
    }

    pub(crate) fn announce_switch(&mut self, group: GroupId, new: &Addr, out: &mut Outbox) {
        let primary = self.primary_of(group);
        let (id, old) = (primary.id, &primary.addr);
        let (from, to) = (self.names.shown(old), self.names.shown(new));
        let what = text!(primary.name, " ", from, " ", old.port, " ", to, " ", new.port);
        self.notify_text(Level::Warning, "+switch-master", id, what, out);
    }

    /// The same Sentinel in another group, whose link can be shared.
    pub(crate) fn same_sentinel_elsewhere(&self, id: InstanceId) -> Option<InstanceId> {
        let instance = self.instance(id);
        debug_assert_eq!(instance.kind, Kind::Sentinel);
        let mut groups = self.groups.values().filter(|group| group.id != instance.group);
        groups.find_map(|group| group.sentinels.get(&instance.name)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNID: &str = "0123456789abcdef0123456789abcdef01234567";

    fn parsed(text: &str) -> Result<(u64, u64), &'static str> {
        Hello::parse(text.as_bytes()).map(|hello| (hello.current_epoch, hello.config_epoch))
    }

    #[test]
    fn eight_tokens_and_no_other_number() {
        assert_eq!(parsed(&format!("10.0.0.5,26379,{RUNID},7,mymaster,10.0.0.1,6379,3")), Ok((7, 3)));
        assert!(parsed(&format!("10.0.0.5,26379,{RUNID},7,mymaster,10.0.0.1,6379,3,x")).is_err());
        assert!(parsed(&format!("10.0.0.5,26379,{RUNID},7,mymaster,10.0.0.1,6379")).is_err());
        assert!(parsed("").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_hello_panics(text in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            let _ = Hello::parse(&text);
        }
    }

    #[test]
    fn hostile_tokens_are_refused() {
        for text in [
            format!("h,0,{RUNID},7,m,h,6379,3"),
            format!("h,65536,{RUNID},7,m,h,6379,3"),
            format!("h,1,{RUNID},-1,m,h,6379,3"),
            format!("h,1,{RUNID},18446744073709551615,m,h,6379,3"),
            format!("h,1,{RUNID},9007199254740992,m,h,6379,3"),
            format!("h,1,{RUNID},7,m,h,+6379,3"),
            format!("h,1,{RUNID},7,m\n,h,6379,3"),
            "h,1,short,7,m,h,6379,3".to_string(),
            format!("h,1,{RUNID},7,{},h,6379,3", "m".repeat(5000)),
        ] {
            assert!(parsed(&text).is_err(), "{text}");
        }
    }
}
