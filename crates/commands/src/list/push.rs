//! LPUSH, RPUSH, LPUSHX, RPUSHX: elements at an end of a list.
//!
//! Elements go in one by one, so LPUSH leaves them in reverse. The forms with X leave an absent key absent.

use command::context::{Context, Done};
use command::effects::class;
use value::{End, List};

pub(super) fn lpush(ctx: &mut Context<'_, '_>) -> Done {
    push(ctx, End::Front)
}

pub(super) fn rpush(ctx: &mut Context<'_, '_>) -> Done {
    push(ctx, End::Back)
}

pub(super) fn lpushx(ctx: &mut Context<'_, '_>) -> Done {
    push_if_exists(ctx, End::Front)
}

pub(super) fn rpushx(ctx: &mut Context<'_, '_>) -> Done {
    push_if_exists(ctx, End::Back)
}

fn push(ctx: &mut Context<'_, '_>, end: End) -> Done {
    let key = ctx.key(1);
    let list = ctx.space.edit_or_create::<List>(&key)?;
    list.push(end, ctx.args.from(2), &ctx.env.limits);
    let len = list.len();
    pushed(ctx, end, len)
}

fn push_if_exists(ctx: &mut Context<'_, '_>, end: End) -> Done {
    let key = ctx.key(1);
    let Some(list) = ctx.space.edit::<List>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    list.push(end, ctx.args.from(2), &ctx.env.limits);
    let len = list.len();
    pushed(ctx, end, len)
}

fn pushed(ctx: &mut Context<'_, '_>, end: End, len: usize) -> Done {
    let key = ctx.key(1);
    let count = ctx.args.len() - 2;
    ctx.changed(&key, class::LIST, event(end), count as u64);
    ctx.reply.length(len);
    Ok(())
}

/// The event of a push at an end.
pub(super) fn event(end: End) -> &'static str {
    if end == End::Front { "lpush" } else { "rpush" }
}
