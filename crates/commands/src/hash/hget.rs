//! HGET, HMGET, HLEN, HSTRLEN, HEXISTS: single fields of a hash, and how many it has.
//!
//! An absent key reads as a hash without fields.

use command::context::{Context, Done};
use value::{Hash, Item};

use super::{answer, answer_or_null};

pub(super) fn hget(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let value = ctx.space.read::<Hash>(&key)?.and_then(|hash| hash.get(ctx.args.at(2)));
    answer_or_null(ctx.reply, value);
    Ok(())
}

pub(super) fn hmget(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let hash = ctx.space.read::<Hash>(&key)?;
    let fields = ctx.args.from(2);
    ctx.reply.array(fields.len());
    for field in fields {
        match hash.and_then(|hash| hash.get(field)) {
            Some(value) => answer(ctx.reply, value),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}

pub(super) fn hlen(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let len = ctx.space.read::<Hash>(&key)?.map_or(0, Hash::len);
    ctx.reply.length(len);
    Ok(())
}

pub(super) fn hstrlen(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let value = ctx.space.read::<Hash>(&key)?.and_then(|hash| hash.get(ctx.args.at(2)));
    ctx.reply.length(value.as_ref().map_or(0, Item::len));
    Ok(())
}

pub(super) fn hexists(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let there = ctx.space.read::<Hash>(&key)?.is_some_and(|hash| hash.contains(ctx.args.at(2)));
    ctx.reply.integer(i64::from(there));
    Ok(())
}
