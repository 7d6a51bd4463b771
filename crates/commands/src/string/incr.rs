//! INCR, DECR, INCRBY, DECRBY: 64-bit integers under a key, counted in place.
//!
//! A missing key counts as 0. The value must be canonical decimal; a sum that leaves 64 signed bits is an error, not a
//! wrap. The expiry stays. All four record the event `incrby`.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;
use resp::error;

use crate::options::integer;

pub(super) fn incr(ctx: &mut Context<'_, '_>) -> Done {
    add(ctx, 1)
}

pub(super) fn decr(ctx: &mut Context<'_, '_>) -> Done {
    add(ctx, -1)
}

pub(super) fn incrby(ctx: &mut Context<'_, '_>) -> Done {
    let by = integer(ctx.args.at(2))?;
    add(ctx, by)
}

pub(super) fn decrby(ctx: &mut Context<'_, '_>) -> Done {
    let by = integer(ctx.args.at(2))?;
    add(ctx, by.checked_neg().ok_or(error::string::DECREMENT_OVERFLOW)?)
}

fn add(ctx: &mut Context<'_, '_>, by: i64) -> Done {
    let key = ctx.key(1);
    let sum = |n: i64| n.checked_add(by).ok_or(error::common::OVERFLOW);
    let new = match ctx.space.edit_int(&key, sum) {
        Some(new) => new?,
        None => {
            let former = match ctx.space.peek_string(&key)? {
                Some(value) => value.int().ok_or(error::common::NOT_INTEGER)?,
                None => 0,
            };
            let new = sum(former)?;
            ctx.space.set_int(&key, new, Expiry::Keep);
            new
        }
    };
    ctx.changed(&key, class::STRING, "incrby", 1);
    ctx.reply.integer(new);
    Ok(())
}
