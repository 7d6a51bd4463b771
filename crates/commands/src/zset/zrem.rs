//! ZREM, ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX: members removed, by name or by range; the key goes with the
//! last one.

use command::context::{Context, Done};
use command::effects::class;
use value::Zset;

use super::range::{By, Span};

pub(super) fn zrem(ctx: &mut Context<'_, '_>) -> Done {
    let members = ctx.args.from(2);
    remove(ctx, "zrem", |zset| members.iter().filter(|member| zset.remove(member).is_some()).count())
}

pub(super) fn zremrangebyrank(ctx: &mut Context<'_, '_>) -> Done {
    remove_span(ctx, By::Rank, "zremrangebyrank")
}

pub(super) fn zremrangebyscore(ctx: &mut Context<'_, '_>) -> Done {
    remove_span(ctx, By::Score, "zremrangebyscore")
}

pub(super) fn zremrangebylex(ctx: &mut Context<'_, '_>) -> Done {
    remove_span(ctx, By::Lex, "zremrangebylex")
}

fn remove_span(ctx: &mut Context<'_, '_>, by: By, event: &'static str) -> Done {
    let span = Span::parse(by, ctx.args.at(2), ctx.args.at(3))?;
    remove(ctx, event, |zset| {
        let ranks = span.ranks(zset, false);
        if ranks.is_empty() { 0 } else { zset.remove_range(ranks, |_, _| {}) }
    })
}

/// Lets `f` remove members of the set under the first key and answers how many it did.
fn remove(ctx: &mut Context<'_, '_>, event: &'static str, f: impl FnOnce(&mut Zset) -> usize) -> Done {
    let key = ctx.key(1);
    let Some(zset) = ctx.space.edit::<Zset>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let removed = f(zset);
    let emptied = zset.is_empty();
    if removed > 0 {
        ctx.changed(&key, class::ZSET, event, removed as u64);
    }
    if emptied {
        ctx.delete_if_empty::<Zset>(&key);
    }
    ctx.reply.length(removed);
    Ok(())
}
