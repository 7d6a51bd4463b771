//! CLUSTER, ASKING, READONLY, READWRITE: what they answer outside of a cluster.
//!
//! There is no cluster mode yet. Clients and tools ask nevertheless, to find out what they talk to, and look for this
//! error; `unknown command` would make some of them give up.

use resp::error;
use session::Flag;

use super::{Call, ControlBinding, Done, free};

pub(super) const TABLE: &[ControlBinding] = &[
    free("asking", disabled),
    free("readonly", |call| reads_anywhere(call, true)),
    free("readwrite", |call| reads_anywhere(call, false)),
    free("cluster|addslots", disabled),
    free("cluster|addslotsrange", disabled),
    free("cluster|bumpepoch", disabled),
    free("cluster|cancelslotmigrations", disabled),
    free("cluster|count-failure-reports", disabled),
    free("cluster|countkeysinslot", disabled),
    free("cluster|delslots", disabled),
    free("cluster|delslotsrange", disabled),
    free("cluster|failover", disabled),
    free("cluster|flushslot", disabled),
    free("cluster|flushslots", disabled),
    free("cluster|forget", disabled),
    free("cluster|getkeysinslot", disabled),
    free("cluster|getslotmigrations", disabled),
    free("cluster|help", disabled),
    free("cluster|info", disabled),
    free("cluster|keyslot", keyslot),
    free("cluster|links", disabled),
    free("cluster|meet", disabled),
    free("cluster|migrateslots", disabled),
    free("cluster|myid", disabled),
    free("cluster|myshardid", disabled),
    free("cluster|nodes", disabled),
    free("cluster|replicas", disabled),
    free("cluster|replicate", disabled),
    free("cluster|reset", disabled),
    free("cluster|saveconfig", disabled),
    free("cluster|set-config-epoch", disabled),
    free("cluster|setslot", disabled),
    free("cluster|shards", disabled),
    free("cluster|slaves", disabled),
    free("cluster|slot-stats", disabled),
    free("cluster|slots", disabled),
    free("cluster|syncslots", disabled),
];

fn disabled(_call: &mut Call<'_, '_>) -> Done {
    Err(error::cluster::DISABLED)
}

/// The hash slot of a key; it is the same everywhere.
fn keyslot(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(i64::from(structures::crc16::slot(call.args.at(2))));
    Ok(())
}

/// Whether a replica may answer reads of this client. It is noted outside of a cluster too, as in the peers, so that
/// clients can say it without asking first.
fn reads_anywhere(call: &mut Call<'_, '_>, on: bool) -> Done {
    call.client.card.set(Flag::ReadOnly, on);
    call.client.out.ok();
    Ok(())
}
