//! CLUSTER ASIDE: keys that were set aside because another node has claimed their slots by gossip alone.
//!
//! `CLUSTER ASIDE` lists them slot by slot; `CLUSTER ASIDE DROP slot …` and `DROP ALL` give them up before
//! their time. To have them back, the slot is to be this node's again. Redis has no such command, because it has deleted them.

use std::collections::BTreeSet;

use ::cluster::Slot;

use super::{Call, Done, node, slot_at, syntax};
use crate::cluster::aside::Told;

pub(super) fn aside(call: &mut Call<'_, '_>) -> Done {
    let node = node(call)?;
    let Some(word) = call.args.get(2) else {
        list(call, &node.aside.told());
        return Ok(());
    };
    if !word.eq_ignore_ascii_case(b"drop") || call.args.len() < 4 {
        return syntax(call);
    }
    let server = call.core.server;
    let all = call.args.len() == 4 && call.args.at(3).eq_ignore_ascii_case(b"all");
    let dropped = if all {
        node.aside.drop_slots(server, |_| true)
    } else {
        let slots = (3..call.args.len()).map(|at| slot_at(call, at)).collect::<Result<BTreeSet<Slot>, _>>()?;
        node.aside.drop_slots(server, |slot| slots.contains(&slot))
    };
    call.client.out.integer(dropped as i64);
    Ok(())
}

fn list(call: &mut Call<'_, '_>, told: &[Told]) {
    let now = call.core.server.engine.now();
    let out = &mut call.client.out;
    out.array(told.len());
    for one in told {
        out.map(4);
        out.bulk(b"slot");
        out.integer(i64::from(one.slot.number()));
        out.bulk(b"keys");
        out.integer(one.keys as i64);
        out.bulk(b"seconds");
        out.integer((now.0 - one.since.0).max(0) / 1000);
        out.bulk(b"owner");
        match one.owner {
            Some(owner) => out.bulk(owner.as_bytes()),
            None => out.null(),
        }
    }
}
