//! SISMEMBER, SMISMEMBER: whether members are in a set.

use command::context::{Context, Done};
use value::Set;

pub(super) fn sismember(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let found = ctx.space.read::<Set>(&key)?.is_some_and(|set| set.contains(ctx.args.at(2)));
    ctx.reply.integer(i64::from(found));
    Ok(())
}

pub(super) fn smismember(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let members = ctx.args.from(2);
    let set = ctx.space.read::<Set>(&key)?;
    ctx.reply.array(members.len());
    for member in members {
        ctx.reply.integer(i64::from(set.is_some_and(|set| set.contains(member))));
    }
    Ok(())
}
