//! What changes who serves a slot, and what tells of a slot's keys.
//!
//! SETSLOT on a primary with replicas goes to them first: when the client has its answer, a replica that is promoted knows
//! what the primary knew. The command waits for their acknowledgements like WAIT does, and is then run.

use ::cluster::{SetSlot, Slot};
use resp::error::{self, Error};
use session::{Flag, Waiting};
use structures::number;

use super::{Call, Done, change, node, slot_at, syntax};
use crate::replication::Stage;

/// How long SETSLOT waits for replicas when it does not say.
const SETSLOT_TIMEOUT_MS: i64 = 2000;

pub(super) fn addslots(call: &mut Call<'_, '_>) -> Done {
    let slots = listed(call)?;
    change(call, |machine, now, _, out| machine.add_slots(now, &slots, out))?;
    call.client.out.ok();
    Ok(())
}

pub(super) fn delslots(call: &mut Call<'_, '_>) -> Done {
    let slots = listed(call)?;
    change(call, |machine, now, _, out| machine.del_slots(now, &slots, out))?;
    call.client.out.ok();
    Ok(())
}

pub(super) fn addslotsrange(call: &mut Call<'_, '_>) -> Done {
    let slots = ranged(call)?;
    change(call, |machine, now, _, out| machine.add_slots(now, &slots, out))?;
    call.client.out.ok();
    Ok(())
}

pub(super) fn delslotsrange(call: &mut Call<'_, '_>) -> Done {
    let slots = ranged(call)?;
    change(call, |machine, now, _, out| machine.del_slots(now, &slots, out))?;
    call.client.out.ok();
    Ok(())
}

fn listed(call: &Call<'_, '_>) -> Result<Vec<Slot>, Error> {
    node(call)?;
    (2..call.args.len()).map(|at| slot_at(call, at)).collect()
}

/// The slots between the pairs of arguments, both ends included.
fn ranged(call: &Call<'_, '_>) -> Result<Vec<Slot>, Error> {
    node(call)?;
    if call.args.len() % 2 == 1 {
        return Err(error::common::wrong_arity(call.row.fullname));
    }
    let mut slots = Vec::new();
    for at in (2..call.args.len()).step_by(2) {
        let (first, last) = (slot_at(call, at)?, slot_at(call, at + 1)?);
        if first > last {
            return Err(error::cluster::slot_range_reversed(first.number(), last.number()));
        }
        slots.extend((first.number()..=last.number()).filter_map(Slot::new));
    }
    Ok(slots)
}

pub(super) fn flushslots(call: &mut Call<'_, '_>) -> Done {
    change(call, |machine, now, keys, out| machine.flush_slots(now, keys, out))?;
    call.client.out.ok();
    Ok(())
}

pub(super) fn flushslot(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    if call.args.len() > 4 {
        return syntax(call);
    }
    let slot = slot_at(call, 2)?;
    if let Some(word) = call.args.get(3)
        && !word.eq_ignore_ascii_case(b"async")
        && !word.eq_ignore_ascii_case(b"sync")
    {
        return Err(error::common::SYNTAX);
    }
    call.core.drop_slot(slot, false);
    let words: Vec<&[u8]> = call.args.iter().collect();
    call.core.log(call.client.db, &words, false);
    call.client.out.ok();
    Ok(())
}

pub(super) fn countkeysinslot(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let slot = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    let slot = u16::try_from(slot).ok().and_then(Slot::new).ok_or(error::cluster::INVALID_SLOT)?;
    let map = call.core.server.engine.map;
    let db = call.client.db;
    let shard = call.core.lease.shard_mut(map.of_slot(slot.number()));
    let count = shard.map_or(0, |shard| shard.db(db).slot_len(slot.number()));
    call.client.out.integer(count as i64);
    Ok(())
}

pub(super) fn getkeysinslot(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let slot = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    let most = number::parse_i64(call.args.at(3)).ok_or(error::common::NOT_INTEGER)?;
    let slot = u16::try_from(slot).ok().and_then(Slot::new).ok_or(error::cluster::INVALID_SLOT_OR_COUNT)?;
    let most = usize::try_from(most).map_err(|_| error::cluster::INVALID_SLOT_OR_COUNT)?;
    let names = call.core.slot_names(call.client.db, slot, most);
    call.client.out.array(names.len());
    names.iter().for_each(|name| call.client.out.bulk(name));
    Ok(())
}

pub(super) fn setslot(call: &mut Call<'_, '_>) -> Done {
    let node = node(call)?;
    let from_primary = call.client.card.is(Flag::Primary);
    if call.core.control().is_replica() && !from_primary {
        return Err(error::cluster::SETSLOT_ON_REPLICA);
    }
    let slot = slot_at(call, 2)?;
    let (what, options) = meant(call)?;
    {
        let keys = crate::cluster::HeldKeys::of(call.core);
        node.ask(|machine| machine.check_set_slot(slot, what, &keys, from_primary))?;
    }
    let timeout = timeout(call, options)?;
    let replicated = std::mem::take(&mut call.client.replicated);
    if !from_primary && !replicated && !call.core.in_exec {
        let server = call.core.server;
        let online = server.replication.replicas.lock().iter().filter(|r| r.stage() == Stage::Online).count();
        if online > 0 {
            let words: Vec<&[u8]> = call.args.iter().collect();
            call.core.log(call.client.db, &words, true);
            call.core.finish_control(call.client);
            let offset = server.journal.end().0;
            let deadline = (timeout > 0).then(|| keyspace::UnixMillis(server.engine.now().0.saturating_add(timeout)));
            let args = call.args.to_owned_args();
            call.client.waiting = Waiting::Replicated { args, wanted: online as i64, offset, deadline };
            call.client.card.set(Flag::Blocked, true);
            server.replication.waited.store(true, std::sync::atomic::Ordering::Relaxed);
            call.core.wants_acks = true;
            return Ok(());
        }
    }
    change(call, |machine, now, keys, out| machine.set_slot(now, slot, what, keys, from_primary, out))?;
    call.client.out.ok();
    Ok(())
}

/// What SETSLOT asks for, and where its options begin. A slot's owner is asked about before the node that is named.
fn meant(call: &Call<'_, '_>) -> Result<(SetSlot, usize), Error> {
    let node = node(call)?;
    let view = node.view();
    let slot = slot_at(call, 2)?;
    let named = |unknown: fn(&[u8]) -> Error| {
        let name = call.args.at(4);
        node.ask(|machine| machine.node_named(name)).ok_or_else(|| unknown(name))
    };
    let word = call.args.at(3).to_ascii_lowercase();
    match (word.as_slice(), call.args.len()) {
        (b"migrating", 5..) => {
            if view.me().is_primary && !view.is_mine(slot) {
                return Err(error::cluster::setslot_not_owner(slot.number()));
            }
            Ok((SetSlot::Migrating(named(error::cluster::setslot_unknown)?), 5))
        }
        (b"importing", 5..) => {
            if view.is_mine(slot) {
                return Err(error::cluster::setslot_owner(slot.number()));
            }
            Ok((SetSlot::Importing(named(error::cluster::setslot_unknown)?), 5))
        }
        (b"stable", _) => Ok((SetSlot::Stable, 4)),
        (b"node", 5..) => Ok((SetSlot::Node(named(error::cluster::unknown_node)?), 5)),
        _ => Err(error::cluster::SETSLOT_ACTION),
    }
}

fn timeout(call: &Call<'_, '_>, from: usize) -> Result<i64, Error> {
    let mut timeout = SETSLOT_TIMEOUT_MS;
    for at in from..call.args.len() {
        if call.args.at(at).eq_ignore_ascii_case(b"timeout") {
            let text = call.args.get(at + 1).ok_or(error::cluster::SETSLOT_TIMEOUT)?;
            timeout = number::parse_i64(text).ok_or(error::common::TIMEOUT_NOT_INTEGER)?;
            if timeout < 0 {
                return Err(error::common::TIMEOUT_NEGATIVE);
            }
        }
    }
    Ok(timeout)
}
