//! DEBUG of a cluster's node: links that break, packets that are lost.

use ::cluster::{Cluster, Direction};
use resp::error;
use structures::number;

use super::{Sub, sub};
use crate::commands::{Call, Done};

pub(super) const SUBS: &[Sub] = &[
    sub("clusterlink", "KILL <to|from|all> <node-id>", "Close the links with a node.", (5, 5), false, clusterlink),
    sub(
        "drop-cluster-packet-filter",
        "<packet-type>",
        "Drop packets of this type that come in; -1 none, -2 all.",
        (3, 3),
        false,
        |call| {
            let kind = number::parse_i64(call.args.at(2)).and_then(|n| i32::try_from(n).ok());
            let kind = kind.ok_or(error::common::NOT_INTEGER)?;
            set(call, |debug| debug.drop_packets = Some(kind).filter(|kind| *kind != -1))
        },
    ),
    sub(
        "close-cluster-link-on-packet-drop",
        "<0|1>",
        "Close the link on which a packet was dropped.",
        (3, 3),
        false,
        |call| {
            let on = is_on(call);
            set(call, |debug| debug.close_link_on_drop = on)
        },
    ),
    sub("disable-cluster-reconnection", "<0|1>", "Do not open links again.", (3, 3), false, |call| {
        let on = is_on(call);
        set(call, |debug| debug.no_reconnect = on)
    }),
    sub("disable-cluster-random-ping", "<0|1>", "Do not ping nodes at random.", (3, 3), false, |call| {
        let on = is_on(call);
        set(call, |debug| debug.no_random_ping = on)
    }),
];

fn is_on(call: &Call<'_, '_>) -> bool {
    number::parse_i64(call.args.at(2)).is_some_and(|n| n != 0)
}

fn set(call: &mut Call<'_, '_>, f: impl FnOnce(&mut ::cluster::Debug)) -> Done {
    if let Some(node) = &call.core.server.cluster {
        node.with(|machine: &mut Cluster, _| f(machine.debug_mut()));
    }
    call.client.out.ok();
    Ok(())
}

fn clusterlink(call: &mut Call<'_, '_>) -> Done {
    if !call.args.at(2).eq_ignore_ascii_case(b"kill") {
        return Err(error::common::subcommand_syntax(b"DEBUG", call.args.at(1)));
    }
    let node = call.core.server.cluster.as_ref().ok_or(error::cluster::DEBUG_ONLY_CLUSTER)?;
    let direction = match call.args.at(3).to_ascii_lowercase().as_slice() {
        b"to" => Direction::To,
        b"from" => Direction::From,
        b"all" => Direction::All,
        _ => return Err(error::cluster::unknown_direction(call.args.at(3))),
    };
    let now = call.core.server.engine.now();
    let name = call.args.at(4);
    node.with(|machine, out| machine.kill_links(now, direction, name, out))?;
    call.core.carry_out();
    call.client.out.ok();
    Ok(())
}
