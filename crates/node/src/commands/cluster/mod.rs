//! CLUSTER, ASKING, READONLY, READWRITE.
//!
//! What changes the cluster runs alone: it lets the machine decide (`cluster::Cluster`), carries out what that asks for, and
//! answers; so whoever has the answer finds the data plane in the new state. What only tells of the cluster locks nothing
//! but the machine. Outside of a cluster everything but KEYSLOT answers that there is none: clients and tools ask to find out
//! what they talk to, and look for that error.

mod aside;
mod describe;
mod manage;
mod slot_stats;
mod slots;

use ::cluster::{Cluster, Outbox, Slot};
use keyspace::UnixMillis;
use resp::error::{self, Error};
use session::Flag;
use structures::number;

use super::{Call, ControlBinding, Done, free, world};
use crate::cluster::{ClusterNode, HeldKeys};

const fn slot(name: &'static str, handler: super::ControlHandler) -> ControlBinding {
    ControlBinding { name, class: ::command::binding::Class::Slot, handler }
}

pub(super) const TABLE: &[ControlBinding] = &[
    free("asking", asking),
    free("readonly", |call| reads_anywhere(call, true)),
    free("readwrite", |call| reads_anywhere(call, false)),
    world("cluster|addslots", slots::addslots),
    world("cluster|addslotsrange", slots::addslotsrange),
    free("cluster|aside", aside::aside),
    world("cluster|bumpepoch", manage::bumpepoch),
    free("cluster|cancelslotmigrations", no_atomic_migration),
    free("cluster|count-failure-reports", describe::count_failure_reports),
    slot("cluster|countkeysinslot", slots::countkeysinslot),
    world("cluster|delslots", slots::delslots),
    world("cluster|delslotsrange", slots::delslotsrange),
    world("cluster|failover", manage::failover),
    world("cluster|flushslot", slots::flushslot),
    world("cluster|flushslots", slots::flushslots),
    world("cluster|forget", manage::forget),
    slot("cluster|getkeysinslot", slots::getkeysinslot),
    free("cluster|getslotmigrations", no_migrations),
    free("cluster|help", help),
    free("cluster|info", describe::info),
    free("cluster|keyslot", keyslot),
    free("cluster|links", describe::links),
    world("cluster|meet", manage::meet),
    free("cluster|migrateslots", no_atomic_migration),
    free("cluster|myid", describe::myid),
    free("cluster|myshardid", describe::myshardid),
    free("cluster|nodes", describe::nodes),
    free("cluster|replicas", describe::replicas),
    world("cluster|replicate", manage::replicate),
    world("cluster|reset", manage::reset),
    world("cluster|saveconfig", manage::saveconfig),
    world("cluster|set-config-epoch", manage::set_config_epoch),
    world("cluster|setslot", slots::setslot),
    free("cluster|shards", describe::shards),
    free("cluster|slaves", describe::replicas),
    world("cluster|slot-stats", slot_stats::slot_stats),
    free("cluster|slots", describe::slots),
    free("cluster|syncslots", no_atomic_migration),
];

/// The node that this server is.
fn node<'s>(call: &Call<'_, 's>) -> Result<&'s ClusterNode, Error> {
    call.core.server.cluster.as_ref().ok_or(error::cluster::DISABLED)
}

/// Lets the machine do something, and carries out what it asks for. The lease has the world.
fn change<R>(
    call: &mut Call<'_, '_>,
    f: impl FnOnce(&mut Cluster, UnixMillis, &dyn ::cluster::Keys, &mut Outbox) -> Result<R, Error>,
) -> Result<R, Error> {
    let node = node(call)?;
    let now = call.core.server.engine.now();
    // What was asked for before may bear on what the machine finds.
    call.core.carry_out();
    let result = {
        let keys = HeldKeys::of(call.core);
        node.with(|machine, out| f(machine, now, &keys, out))
    };
    call.core.carry_out();
    result
}

/// A slot as a number among the arguments.
fn slot_at(call: &Call<'_, '_>, at: usize) -> Result<Slot, Error> {
    number::parse_i64(call.args.at(at))
        .and_then(|n| u16::try_from(n).ok())
        .and_then(Slot::new)
        .ok_or(error::cluster::SLOT_OUT_OF_RANGE)
}

/// The arguments are not those of this subcommand.
fn syntax<R>(call: &Call<'_, '_>) -> Result<R, Error> {
    Err(error::common::subcommand_syntax(b"CLUSTER", call.args.at(1)))
}

fn asking(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    call.client.asking = true;
    call.client.out.ok();
    Ok(())
}

/// Whether a replica may answer reads of this client. It is noted outside of a cluster too, as in the peers, so that
/// clients can say it without asking first.
fn reads_anywhere(call: &mut Call<'_, '_>, on: bool) -> Done {
    call.client.card.set(Flag::ReadOnly, on);
    call.client.out.ok();
    Ok(())
}

/// The hash slot of a key; it is the same everywhere.
fn keyslot(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(i64::from(structures::crc16::slot(call.args.at(2))));
    Ok(())
}

fn help(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    super::help::help(call)
}

/// Slots are moved key by key here (SETSLOT, MIGRATE).
fn no_atomic_migration(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    Err(error::cluster::NO_ATOMIC_MIGRATION)
}

fn no_migrations(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    call.client.out.array(0);
    Ok(())
}
