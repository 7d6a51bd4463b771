//! SMEMBERS, SCARD: all members of a set, and how many there are.

use command::context::{Context, Done};
use value::Set;

use super::answer_all;

pub(super) fn smembers(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    match ctx.space.read::<Set>(&key)? {
        Some(set) => answer_all(ctx.reply, set),
        None => ctx.reply.set(0),
    }
    Ok(())
}

pub(super) fn scard(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let len = ctx.space.read::<Set>(&key)?.map_or(0, Set::len);
    ctx.reply.length(len);
    Ok(())
}
