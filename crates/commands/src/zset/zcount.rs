//! ZCOUNT, ZLEXCOUNT: how many members a range of scores or of bytes has. O(log n): no member is looked at.

use command::context::{Context, Done};
use value::Zset;

use super::range::{By, Span};

pub(super) fn zcount(ctx: &mut Context<'_, '_>) -> Done {
    count(ctx, By::Score)
}

pub(super) fn zlexcount(ctx: &mut Context<'_, '_>) -> Done {
    count(ctx, By::Lex)
}

fn count(ctx: &mut Context<'_, '_>, by: By) -> Done {
    let span = Span::parse(by, ctx.args.at(2), ctx.args.at(3))?;
    let key = ctx.key(1);
    let count = ctx.space.read::<Zset>(&key)?.map_or(0, |zset| span.ranks(zset, false).len());
    ctx.reply.length(count);
    Ok(())
}
