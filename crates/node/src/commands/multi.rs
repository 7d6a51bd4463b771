//! MULTI, EXEC, DISCARD, WATCH, UNWATCH.

use std::sync::atomic::Ordering;

use resp::error;
use session::{Flag, Multi};

use super::{Call, ControlBinding, Done, free, keys};
use crate::transaction;

pub(super) const TABLE: &[ControlBinding] = &[
    free("multi", multi),
    keys("exec", exec),
    free("discard", discard),
    keys("watch", watch),
    free("unwatch", unwatch),
];

fn multi(call: &mut Call<'_, '_>) -> Done {
    if call.client.multi.is_some() {
        return Err(error::multi::not_in_multi(call.row.fullname));
    }
    call.client.multi = Some(Box::new(Multi::begin(call.client.db)));
    call.client.card.set(Flag::Multi, true);
    call.client.card.multi.store(0, Ordering::Relaxed);
    call.client.out.ok();
    Ok(())
}

/// EXEC has a way of its own (`transaction.rs`); this answers an EXEC that stands alone.
fn exec(_: &mut Call<'_, '_>) -> Done {
    Err(error::multi::EXEC_WITHOUT_MULTI)
}

fn discard(call: &mut Call<'_, '_>) -> Done {
    if call.client.multi.is_none() {
        return Err(error::multi::DISCARD_WITHOUT_MULTI);
    }
    transaction::discard(call.core, call.client);
    call.client.out.ok();
    Ok(())
}

fn watch(call: &mut Call<'_, '_>) -> Done {
    if call.client.multi.is_some() {
        return Err(error::multi::not_in_multi(call.row.fullname));
    }
    for name in call.args.from(1).iter() {
        transaction::watch(call.core, call.client, name);
    }
    call.client.out.ok();
    Ok(())
}

fn unwatch(call: &mut Call<'_, '_>) -> Done {
    transaction::unwatch(call.core, call.client);
    call.client.out.ok();
    Ok(())
}
