//! ZCARD, ZSCORE, ZMSCORE: how many members there are, and the scores of some.

use command::context::{Context, Done};
use value::Zset;

pub(super) fn zcard(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let len = ctx.space.read::<Zset>(&key)?.map_or(0, Zset::len);
    ctx.reply.length(len);
    Ok(())
}

pub(super) fn zscore(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    match ctx.space.read::<Zset>(&key)?.and_then(|zset| zset.score(ctx.args.at(2))) {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
    Ok(())
}

pub(super) fn zmscore(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let zset = ctx.space.read::<Zset>(&key)?;
    let members = ctx.args.from(2);
    ctx.reply.array(members.len());
    for member in members {
        match zset.and_then(|zset| zset.score(member)) {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        }
    }
    Ok(())
}
