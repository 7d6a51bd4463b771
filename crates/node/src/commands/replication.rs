//! WAIT, and how it ends.

use keyspace::UnixMillis;
use resp::error;
use session::{Client, Flag, Waiting};
use structures::number;

use super::{Call, ControlBinding, Done, free};
use crate::execute::Core;

pub(super) const TABLE: &[ControlBinding] = &[free("wait", wait)];

fn wait(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    if control.is_replica() {
        return Err(error::replication::WAIT_ON_REPLICA);
    }
    let wanted = number::parse_i64(call.args.at(1)).ok_or(error::common::NOT_INTEGER)?;
    let timeout = number::parse_i64(call.args.at(2)).ok_or(error::common::TIMEOUT_NOT_INTEGER)?;
    if timeout < 0 {
        return Err(error::common::TIMEOUT_NEGATIVE);
    }
    let offset = call.client.write_offset;
    let reached = call.core.server.replicas_at(offset);
    if reached >= wanted || call.core.in_exec {
        call.client.out.integer(reached);
        return Ok(());
    }
    let now = call.core.server.engine.now();
    let deadline = (timeout > 0).then(|| UnixMillis(now.0.saturating_add(timeout)));
    call.client.waiting = Waiting::Replicas { wanted, offset, deadline };
    call.core.server.ask_for_acks();
    Ok(())
}

/// Answers a client in WAIT if it has what it wants, or if its time is over.
pub(crate) fn wait_is_over(core: &Core<'_>, client: &mut Client, timed_out: bool) -> bool {
    let Waiting::Replicas { wanted, offset, .. } = client.waiting else { return false };
    let reached = core.server.replicas_at(offset);
    if reached < wanted && !timed_out {
        return false;
    }
    client.waiting = Waiting::No;
    client.card.set(Flag::Blocked, false);
    client.out.integer(reached);
    true
}
