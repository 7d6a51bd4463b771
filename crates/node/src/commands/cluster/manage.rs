//! What changes the cluster's nodes: who belongs to it, who follows whom, epochs.

use ::cluster::FailoverMode;
use resp::error;
use resp::log_text;
use session::Flag;
use structures::number;

use super::{Call, Done, change, node, syntax};
use crate::commands::client::line;
use crate::server::LogLevel;

/// Notes in the log what a user wants, and who.
fn note(call: &mut Call<'_, '_>, what: impl FnOnce(&str) -> String) {
    let who = line::describe(call.core, &call.client.card);
    call.core.server.host.log(LogLevel::Notice, &what(&who));
}

pub(super) fn meet(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let args = call.args;
    if args.len() > 5 {
        return syntax(call);
    }
    let host = args.at(2);
    let port = number::parse_i64(args.at(3)).ok_or_else(|| error::cluster::meet_port(args.at(3)))?;
    let port = u16::try_from(port).ok().filter(|port| *port > 0).ok_or(error::cluster::PORT_RANGE)?;
    let bus_port = match args.get(4) {
        Some(text) => number::parse_i64(text).ok_or_else(|| error::cluster::meet_bus_port(text))?,
        None => i64::from(port) + i64::from(::cluster::BUS_PORT_STEP),
    };
    let bus_port = u16::try_from(bus_port).ok().filter(|port| *port > 0).ok_or(error::cluster::BUS_PORT_RANGE)?;
    change(call, |machine, now, _, out| machine.meet(now, host, port, bus_port, out))?;
    note(call, |who| log_text::cluster_node::meet(&String::from_utf8_lossy(host), port, who));
    call.client.out.ok();
    Ok(())
}

pub(super) fn forget(call: &mut Call<'_, '_>) -> Done {
    let name = call.args.at(2);
    let known = node(call)?.ask(|machine| machine.node_named(name)).is_some();
    change(call, |machine, now, _, out| machine.forget(now, name, out))?;
    if known {
        note(call, |who| log_text::cluster_node::forget(&String::from_utf8_lossy(name), who));
    }
    call.client.out.ok();
    Ok(())
}

pub(super) fn replicate(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let args = call.args;
    match args.len() {
        3 => change(call, |machine, now, keys, out| machine.replicate(now, args.at(2), keys, out))?,
        4 if args.at(2).eq_ignore_ascii_case(b"no") && args.at(3).eq_ignore_ascii_case(b"one") => {
            if call.core.control().is_replica() {
                note(call, log_text::cluster_node::stop_replication);
            }
            change(call, |machine, now, _, out| machine.replicate_no_one(now, out))?;
        }
        _ => return syntax(call),
    }
    call.client.out.ok();
    Ok(())
}

pub(super) fn failover(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let args = call.args;
    let from_primary = call.client.card.is(Flag::Primary);
    let (mut mode, mut replica) = (FailoverMode::Plain, None);
    let mut at = 2;
    while let Some(word) = args.get(at) {
        if word.eq_ignore_ascii_case(b"force") {
            // TAKEOVER means more, wherever it stands.
            if mode != FailoverMode::Takeover {
                mode = FailoverMode::Force;
            }
        } else if word.eq_ignore_ascii_case(b"takeover") {
            mode = FailoverMode::Takeover;
        } else if from_primary && word.eq_ignore_ascii_case(b"replicaid") && at + 1 < args.len() {
            at += 1;
            replica = Some(args.at(at));
        } else {
            return Err(error::common::SYNTAX);
        }
        at += 1;
    }
    let meant = replica.is_none_or(|name| node(call).is_ok_and(|n| n.view().me().id.as_bytes() == name));
    change(call, |machine, now, _, out| machine.failover(now, mode, replica, from_primary, out))?;
    if meant {
        note(call, |who| match mode {
            FailoverMode::Takeover => log_text::cluster_node::takeover(who),
            FailoverMode::Force if from_primary => log_text::cluster_node::forced_by_primary(who),
            FailoverMode::Force => log_text::cluster_node::forced(who),
            FailoverMode::Plain => log_text::cluster_node::manual(who),
        });
    }
    call.client.out.ok();
    Ok(())
}

pub(super) fn reset(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let hard = match call.args.get(2) {
        None => false,
        Some(word) if word.eq_ignore_ascii_case(b"hard") => true,
        Some(word) if word.eq_ignore_ascii_case(b"soft") => false,
        Some(_) => return Err(error::common::SYNTAX),
    };
    if call.args.len() > 3 {
        return syntax(call);
    }
    change(call, |machine, now, keys, out| machine.reset(now, hard, keys, out))?;
    note(call, log_text::cluster_node::reset);
    call.client.out.ok();
    Ok(())
}

pub(super) fn bumpepoch(call: &mut Call<'_, '_>) -> Done {
    let (epoch, new) = change(call, |machine, now, _, out| Ok(machine.bump_epoch(now, out)))?;
    call.client.out.status(&format!("{} {epoch}", if new { "BUMPED" } else { "STILL" }));
    Ok(())
}

pub(super) fn set_config_epoch(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let epoch = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    change(call, |machine, now, _, out| machine.set_config_epoch(now, epoch, out))?;
    call.client.out.ok();
    Ok(())
}

pub(super) fn saveconfig(call: &mut Call<'_, '_>) -> Done {
    let node = node(call)?;
    let bytes = node.ask(::cluster::Cluster::saved_config);
    node.save(&*call.core.server.host, &bytes, true).map_err(|why| error::cluster::save_failed(&why))?;
    call.client.out.ok();
    Ok(())
}
