//! HGETALL, HKEYS, HVALS: everything in a hash, in the order of the fields' coming while it is small.
//!
//! HGETALL answers a map in RESP3; the others arrays in either protocol.

use command::context::{Context, Done};
use value::Hash;

use super::answer;

pub(super) fn hgetall(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let hash = ctx.space.read::<Hash>(&key)?;
    let reply = &mut *ctx.reply;
    reply.map(hash.map_or(0, Hash::len));
    for view in hash.into_iter().flat_map(Hash::iter) {
        answer(reply, view.field);
        answer(reply, view.value);
    }
    Ok(())
}

pub(super) fn hkeys(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let hash = ctx.space.read::<Hash>(&key)?;
    let reply = &mut *ctx.reply;
    reply.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|view| answer(reply, view.field));
    Ok(())
}

pub(super) fn hvals(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let hash = ctx.space.read::<Hash>(&key)?;
    let reply = &mut *ctx.reply;
    reply.array(hash.map_or(0, Hash::len));
    hash.into_iter().flat_map(Hash::iter).for_each(|view| answer(reply, view.value));
    Ok(())
}
