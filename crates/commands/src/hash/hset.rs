//! HSET, HMSET, HSETNX: fields set to values; the key is made if it is absent.
//!
//! HSET answers how many fields are new, HMSET just OK. Both count a change for each pair, also for one that changes
//! nothing. A field that is named twice gets the later value.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use value::Hash;

pub(super) fn hset(ctx: &mut Context<'_, '_>) -> Done {
    let created = set_all(ctx)?;
    ctx.reply.length(created);
    Ok(())
}

pub(super) fn hmset(ctx: &mut Context<'_, '_>) -> Done {
    set_all(ctx)?;
    ctx.reply.ok();
    Ok(())
}

/// Sets all pairs of the arguments; answers how many fields are new.
fn set_all(ctx: &mut Context<'_, '_>) -> Result<usize, error::Error> {
    let pairs = ctx.args.from(2);
    if !pairs.len().is_multiple_of(2) {
        return Err(error::common::wrong_arity(ctx.row.fullname));
    }
    let key = ctx.key(1);
    let limits = &ctx.env.limits;
    let hash = ctx.space.edit_or_create::<Hash>(&key)?;
    hash.prepare(pairs, limits);
    let mut created = 0;
    let mut words = pairs.iter();
    while let (Some(field), Some(value)) = (words.next(), words.next()) {
        created += usize::from(hash.set(field, value, limits));
    }
    ctx.changed(&key, class::HASH, "hset", pairs.len() as u64 / 2);
    Ok(created)
}

pub(super) fn hsetnx(ctx: &mut Context<'_, '_>) -> Done {
    let (key, field, value) = (ctx.key(1), ctx.args.at(2), ctx.args.at(3));
    let limits = &ctx.env.limits;
    let hash = ctx.space.edit_or_create::<Hash>(&key)?;
    if hash.contains(field) {
        ctx.reply.integer(0);
        return Ok(());
    }
    hash.set(field, value, limits);
    ctx.changed(&key, class::HASH, "hset", 1);
    ctx.reply.integer(1);
    Ok(())
}
