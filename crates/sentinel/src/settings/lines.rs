//! From a machine to its lines.

use crate::instance::{Credentials, Group};
use crate::machine::{DEAD_GRACE, Sentinel};
use crate::text::text;
use config::Generated;

/// Options in the order in which the original writes them, and with them those spellings that are replaced.
const OPTIONS: &[&str] = &[
    "myid",
    "deny-scripts-reconfig",
    "resolve-hostnames",
    "announce-hostnames",
    "dead-grace-ms",
    "monitor",
    "down-after-milliseconds",
    "failover-timeout",
    "parallel-syncs",
    "notification-script",
    "client-reconfig-script",
    "auth-pass",
    "auth-user",
    "primary-reboot-down-after-period",
    "master-reboot-down-after-period",
    "config-epoch",
    "leader-epoch",
    "known-replica",
    "known-slave",
    "known-sentinel",
    "rename-command",
    "current-epoch",
    "announce-ip",
    "announce-port",
    "sentinel-user",
    "sentinel-pass",
];

/// What a file without such a line means, whatever `SENTINEL DEBUG` has made of the defaults of new groups.
const DEFAULT_DOWN_AFTER: i64 = 30_000;
const DEFAULT_FAILOVER_TIMEOUT: i64 = 180_000;

struct Lines(Vec<Generated>);

impl Lines {
    fn put(&mut self, option: &str, value: Vec<u8>) {
        let place = OPTIONS.iter().position(|known| *known == option);
        if let Some(generated) = place.and_then(|place| self.0.get_mut(place)) {
            generated.lines.push(text!("sentinel ", option, " ", value));
        }
    }

    fn put_if(&mut self, wanted: bool, option: &str, value: Vec<u8>) {
        if wanted {
            self.put(option, value);
        }
    }

    fn put_passwords(&mut self, option: &str, before: &[u8], auth: &Credentials) {
        for password in auth.former.iter().chain(&auth.password) {
            self.put(option, text!(before, quoted(password)));
        }
    }
}

/// All `sentinel` lines, by option: what [`crate::Action::Save`] carries.
pub(crate) fn lines(sentinel: &Sentinel) -> Vec<Generated> {
    let option = |option: &&str| Generated { option: text!("sentinel ", *option), lines: Vec::new() };
    let mut lines = Lines(OPTIONS.iter().map(option).collect());
    lines.put("myid", sentinel.myid.clone());
    lines.put_if(!sentinel.deny_scripts_reconfig, "deny-scripts-reconfig", text!("no"));
    lines.put_if(sentinel.names.resolve, "resolve-hostnames", text!("yes"));
    lines.put_if(sentinel.names.announce, "announce-hostnames", text!("yes"));
    lines.put_if(sentinel.dead_grace != DEAD_GRACE, "dead-grace-ms", text!(sentinel.dead_grace));
    for id in sentinel.by_name.values() {
        put_group(&mut lines, sentinel, sentinel.group(*id));
    }
    lines.put("current-epoch", text!(sentinel.current_epoch));
    if let Some(ip) = &sentinel.announce_ip {
        lines.put("announce-ip", quoted(ip));
    }
    lines.put_if(sentinel.announce_port != 0, "announce-port", text!(sentinel.announce_port));
    if let Some(user) = &sentinel.auth.user {
        lines.put("sentinel-user", quoted(user));
    }
    lines.put_passwords("sentinel-pass", b"", &sentinel.auth);
    lines.0
}

fn put_group(lines: &mut Lines, sentinel: &Sentinel, group: &Group) {
    let name = word(&group.name);
    let primary = sentinel.current_primary(group.id);
    let place = text!(sentinel.names.shown(primary), " ", primary.port);
    lines.put("monitor", text!(name, " ", place, " ", group.quorum));
    let down_after = group.down_after;
    lines.put_if(down_after != DEFAULT_DOWN_AFTER, "down-after-milliseconds", text!(name, " ", down_after));
    let timeout = group.failover_timeout;
    lines.put_if(timeout != DEFAULT_FAILOVER_TIMEOUT, "failover-timeout", text!(name, " ", timeout));
    lines.put_if(group.parallel_syncs != 1, "parallel-syncs", text!(name, " ", group.parallel_syncs));
    if let Some(path) = &group.notification_script {
        lines.put("notification-script", text!(name, " ", quoted(path)));
    }
    if let Some(path) = &group.reconfig_script {
        lines.put("client-reconfig-script", text!(name, " ", quoted(path)));
    }
    lines.put_passwords("auth-pass", &text!(name, " "), &group.auth);
    if let Some(user) = &group.auth.user {
        lines.put("auth-user", text!(name, " ", quoted(user)));
    }
    let reboot = group.reboot_down_after;
    lines.put_if(reboot != 0, "primary-reboot-down-after-period", text!(name, " ", reboot));
    lines.put("config-epoch", text!(name, " ", group.config_epoch));
    lines.put("leader-epoch", text!(name, " ", group.leader_epoch));
    let former = &sentinel.primary_of(group.id).addr;
    for replica in group.replicas.values().map(|id| &sentinel.instance(*id).addr) {
        // While a failover ends, the promoted replica is the primary already, and the former one a replica.
        let replica = if replica.same(primary) { former } else { replica };
        lines.put("known-replica", text!(name, " ", sentinel.names.shown(replica), " ", replica.port));
    }
    for other in group.sentinels.values().map(|id| sentinel.instance(*id)) {
        let place = text!(sentinel.names.shown(&other.addr), " ", other.addr.port);
        lines.put("known-sentinel", text!(name, " ", place, " ", other.name));
    }
    for (old, new) in &group.renamed {
        lines.put("rename-command", text!(name, " ", quoted(old), " ", quoted(new)));
    }
}

fn quoted(value: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    resp::inline::quote(&mut text, value);
    text
}

/// A name as it is, in quotes only if it needs them.
fn word(name: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'#');
    if !name.is_empty() && name.iter().all(plain) { name.to_vec() } else { quoted(name) }
}
