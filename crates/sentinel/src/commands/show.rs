//! What can be looked at: instances field by field, addresses, cached INFOs, scripts.
//!
//! Fields and their order are the original's.

use super::{Call, named_group};
use crate::failover::Mode;
use crate::instance::{Instance, InstanceId, Kind, Reconf, Role};
use crate::machine::Sentinel;
use crate::text::text;
use resp::{Error, Reply};

pub(super) fn primaries(sentinel: &Sentinel, call: &mut Call<'_>) {
    let ids: Vec<InstanceId> = sentinel.group_ids().iter().map(|id| sentinel.group(*id).primary).collect();
    list(sentinel, &ids, call.reply);
}

pub(super) fn primary(sentinel: &Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let group = named_group(sentinel, call)?;
    instance(sentinel, sentinel.primary_of(group), call.reply);
    Ok(())
}

pub(super) fn replicas(sentinel: &Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let group = named_group(sentinel, call)?;
    // Replicas that do not want to be known are not told of.
    let replicas = sentinel.group(group).replicas.values().copied();
    let ids: Vec<InstanceId> = replicas.filter(|id| sentinel.instance(*id).announced).collect();
    list(sentinel, &ids, call.reply);
    Ok(())
}

pub(super) fn sentinels(sentinel: &Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let group = named_group(sentinel, call)?;
    let ids: Vec<InstanceId> = sentinel.group(group).sentinels.values().copied().collect();
    list(sentinel, &ids, call.reply);
    Ok(())
}

pub(super) fn address(sentinel: &Sentinel, call: &mut Call<'_>) {
    let Some(group) = sentinel.group_named(call.args.at(2)) else { return call.reply.null_array() };
    let addr = sentinel.current_primary(group);
    call.reply.array(2);
    call.reply.bulk(&sentinel.names.shown(addr));
    call.reply.bulk_int(addr.port.into());
}

fn list(sentinel: &Sentinel, ids: &[InstanceId], reply: &mut Reply) {
    reply.array(ids.len());
    for id in ids {
        instance(sentinel, sentinel.instance(*id), reply);
    }
}

/// A map under construction.
struct Fields<'a> {
    reply: &'a mut Reply,
    count: usize,
}

impl Fields<'_> {
    fn text(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.reply.bulk(name.as_bytes());
        self.reply.bulk(value.as_ref());
        self.count += 1;
    }

    fn number(&mut self, name: &str, value: i64) {
        self.reply.bulk(name.as_bytes());
        self.reply.bulk_int(value);
        self.count += 1;
    }
}

fn instance(sentinel: &Sentinel, it: &Instance, reply: &mut Reply) {
    let at = reply.deferred();
    let mut fields = Fields { reply, count: 0 };
    put_common(sentinel, it, &mut fields);
    match it.kind {
        Kind::Primary => put_primary(sentinel, it, &mut fields),
        Kind::Replica => put_replica(it, &mut fields),
        Kind::Sentinel => put_sentinel(sentinel, it, &mut fields),
    }
    let count = fields.count;
    reply.set_map_len(at, count);
}

fn put_common(sentinel: &Sentinel, it: &Instance, fields: &mut Fields<'_>) {
    let (now, link, group) = (sentinel.now, sentinel.link(it.id), sentinel.group(it.group));
    fields.text("name", &it.name);
    fields.text("ip", sentinel.names.shown(&it.addr));
    fields.number("port", it.addr.port.into());
    fields.text("runid", it.runid.as_deref().unwrap_or_default());
    fields.text("flags", flags(sentinel, it));
    fields.number("link-pending-commands", link.pending() as i64);
    fields.number("link-refcount", link.users as i64);
    if it.is_primary() && group.failover.in_progress() {
        fields.text("failover-state", group.failover.state.name());
    }
    fields.number("last-ping-sent", link.unanswered_ping.map_or(0, |at| now - at));
    fields.number("last-ok-ping-reply", now - link.last_avail);
    fields.number("last-ping-reply", now - link.last_pong);
    if it.s_down {
        fields.number("s-down-time", it.s_down_since.map_or(0, |at| now - at));
    }
    if it.o_down {
        fields.number("o-down-time", it.o_down_since.map_or(0, |at| now - at));
    }
    fields.number("down-after-milliseconds", group.down_after);
    if !it.is_sentinel() {
        fields.number("info-refresh", it.info_refresh.map_or(0, |at| now - at));
        fields.text("role-reported", if it.role_reported == Role::Primary { "master" } else { "slave" });
        fields.number("role-reported-time", now - it.role_reported_since);
    }
}

fn put_primary(sentinel: &Sentinel, it: &Instance, fields: &mut Fields<'_>) {
    let group = sentinel.group(it.group);
    fields.number("config-epoch", group.config_epoch as i64);
    fields.number("num-slaves", group.replicas.len() as i64);
    fields.number("num-other-sentinels", group.sentinels.len() as i64);
    fields.number("quorum", group.quorum.into());
    fields.number("failover-timeout", group.failover_timeout);
    fields.number("parallel-syncs", group.parallel_syncs);
    if let Some(path) = &group.notification_script {
        fields.text("notification-script", path);
    }
    if let Some(path) = &group.reconfig_script {
        fields.text("client-reconfig-script", path);
    }
}

fn put_replica(it: &Instance, fields: &mut Fields<'_>) {
    fields.number("master-link-down-time", it.primary_link_down_ms);
    fields.text("master-link-status", if it.primary_link_up { "ok" } else { "err" });
    fields.text("master-host", it.primary_host.as_deref().unwrap_or(b"?"));
    fields.number("master-port", it.primary_port);
    fields.number("slave-priority", it.priority);
    fields.text("slave-repl-offset", text!(it.offset));
    fields.number("replica-announced", it.announced.into());
}

fn put_sentinel(sentinel: &Sentinel, it: &Instance, fields: &mut Fields<'_>) {
    fields.number("last-hello-message", sentinel.now - it.last_hello);
    fields.text("voted-leader", it.vote.as_deref().unwrap_or(b"?"));
    fields.text("voted-leader-epoch", text!(it.vote_epoch));
}

fn flags(sentinel: &Sentinel, it: &Instance) -> String {
    let (link, failover) = (sentinel.link(it.id), &sentinel.group(it.group).failover);
    let primary = it.is_primary();
    let flags = [
        (it.s_down, "s_down"),
        (it.o_down, "o_down"),
        (true, it.kind.word()),
        (link.disconnected(), "disconnected"),
        (sentinel.says_down(it), "master_down"),
        (primary && failover.in_progress(), "failover_in_progress"),
        (it.promoted, "promoted"),
        (it.reconf == Reconf::Sent, "reconf_sent"),
        (it.reconf == Reconf::InProgress, "reconf_inprog"),
        (it.reconf == Reconf::Done, "reconf_done"),
        (primary && failover.mode == Mode::Forced, "force_failover"),
        (primary && failover.mode == Mode::Coordinated, "coordinated_failover"),
        (it.script_kill_sent, "script_kill_sent"),
        (it.rebooted_since.is_some(), "master_reboot"),
        (link.auth_error.is_some(), "auth_error"),
        (it.foreign, "foreign"),
    ];
    let set: Vec<&str> = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    set.join(",")
}

/// Each group's name, and for its primary and replicas the age of the last INFO and its text.
pub(super) fn info_cache(sentinel: &Sentinel, call: &mut Call<'_>) {
    let mut groups: Vec<_> = (2..call.args.len()).filter_map(|i| sentinel.group_named(call.args.at(i))).collect();
    let mut seen = Vec::new();
    groups.retain(|id| {
        !seen.contains(id) && {
            seen.push(*id);
            true
        }
    });
    call.reply.array(groups.len() * 2);
    for id in groups {
        let group = sentinel.group(id);
        call.reply.bulk(&group.name);
        call.reply.array(group.replicas.len() + 1);
        for id in [group.primary].iter().chain(group.replicas.values()) {
            let it = sentinel.instance(*id);
            call.reply.array(2);
            call.reply.integer(it.info_refresh.map_or(0, |at| sentinel.now - at));
            match &it.info {
                Some(info) => call.reply.bulk(info),
                None => call.reply.null(),
            }
        }
    }
}

pub(super) fn pending_scripts(sentinel: &Sentinel, call: &mut Call<'_>) {
    let now = sentinel.now;
    call.reply.array(sentinel.scripts.queue.len());
    for job in &sentinel.scripts.queue {
        call.reply.map(5);
        call.reply.bulk(b"argv");
        call.reply.array(job.argv.len());
        for word in &job.argv {
            call.reply.bulk(word);
        }
        let mut fields = Fields { reply: call.reply, count: 0 };
        fields.text("flags", if job.run.is_some() { "running" } else { "scheduled" });
        fields.number("pid", job.run.as_ref().and_then(|run| run.pid).unwrap_or(0).into());
        match &job.run {
            Some(run) => fields.number("run-time", now - run.since),
            None => fields.number("run-delay", job.not_before.map_or(0, |at| (at - now).max(0))),
        }
        fields.number("retry-num", job.tries.into());
    }
}
