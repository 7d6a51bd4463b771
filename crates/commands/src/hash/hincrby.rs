//! HINCRBY, HINCRBYFLOAT: a number in a field, counted in 64 bits or in 80-bit precision.
//!
//! A missing field counts as 0. The field's expiry stays. A sum of floats is journalled as its result, `HSET key field
//! text`, so that a replica with other arithmetic has the same.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use structures::extended::Extended;
use structures::number;
use value::{Hash, Item};

use super::present;
use crate::options::integer;

pub(super) fn hincrby(ctx: &mut Context<'_, '_>) -> Done {
    let (key, field) = (ctx.key(1), ctx.args.at(2));
    let by = integer(ctx.args.at(3))?;
    let limits = &ctx.env.limits;
    let hash = ctx.space.edit_or_create::<Hash>(&key)?;
    let former = match hash.get(field) {
        Some(value) => value.int().ok_or(error::hash::NOT_INTEGER)?,
        None => 0,
    };
    let sum = former.checked_add(by).ok_or(error::common::OVERFLOW)?;
    hash.update(field, &number::int(sum), limits);
    ctx.changed(&key, class::HASH, "hincrby", 1);
    ctx.reply.integer(sum);
    Ok(())
}

pub(super) fn hincrbyfloat(ctx: &mut Context<'_, '_>) -> Done {
    let (key, field) = (ctx.key(1), ctx.args.at(2));
    let by = Extended::parse(ctx.args.at(3)).ok_or(error::common::NOT_FLOAT)?;
    if !by.is_finite() {
        return Err(error::hash::INCREMENT_NAN.into());
    }
    let former = present(ctx, &key, field, |value: Item<'_>| value.with_bytes(Extended::parse))?;
    let former = match former {
        Some(value) => value.ok_or(error::hash::NOT_FLOAT)?,
        None => Extended::from(0.0),
    };
    let sum = former.plus(by).filter(Extended::is_finite).ok_or(error::common::NAN_OR_INFINITY)?;
    let text = sum.to_text();
    let limits = &ctx.env.limits;
    ctx.space.edit_or_create::<Hash>(&key)?.update(field, &text, limits);
    ctx.changed(&key, class::HASH, "hincrbyfloat", 1);
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"HSET", key.bytes, field, &text]);
    ctx.reply.bulk(&text);
    Ok(())
}
