//! LPOP, RPOP: elements from an end of a list; with a count, an array of them.
//!
//! A count of 0 is a question whether the list is there: an empty array, or null.

use command::context::{Context, Done};
use resp::error;
use resp::reply::Reply;
use structures::number;
use value::{End, Limits, List};

use super::{answer, popped};

pub(super) fn lpop(ctx: &mut Context<'_, '_>) -> Done {
    pop(ctx, End::Front)
}

pub(super) fn rpop(ctx: &mut Context<'_, '_>) -> Done {
    pop(ctx, End::Back)
}

fn pop(ctx: &mut Context<'_, '_>, end: End) -> Done {
    match ctx.args.len() {
        2 => pop_one(ctx, end),
        3 => pop_many(ctx, end),
        _ => Err(error::common::wrong_arity(ctx.row.fullname).into()),
    }
}

fn pop_one(ctx: &mut Context<'_, '_>, end: End) -> Done {
    let key = ctx.key(1);
    let Some(list) = ctx.space.edit::<List>(&key)? else {
        ctx.reply.null();
        return Ok(());
    };
    list.pop(end, &ctx.env.limits, |item| answer(ctx.reply, item));
    let emptied = list.is_empty();
    popped(ctx, &key, end, 1, emptied);
    Ok(())
}

fn pop_many(ctx: &mut Context<'_, '_>, end: End) -> Done {
    let key = ctx.key(1);
    let count = number::parse_i64(ctx.args.at(2)).and_then(|n| usize::try_from(n).ok());
    let count = count.ok_or(error::common::MUST_BE_POSITIVE)?;
    let Some(list) = ctx.space.edit::<List>(&key)? else {
        ctx.reply.null_array();
        return Ok(());
    };
    if count == 0 {
        ctx.reply.empty_array();
        return Ok(());
    }
    let count = move_to_reply(list, end, count, ctx.reply, &ctx.env.limits);
    let emptied = list.is_empty();
    popped(ctx, &key, end, count, emptied);
    Ok(())
}

/// Pops up to `count` elements into an array; answers how many there were.
pub(super) fn move_to_reply(list: &mut List, end: End, count: usize, reply: &mut Reply, limits: &Limits) -> usize {
    let len = list.len();
    let count = count.min(len);
    reply.array(count);
    let (walk, from) = match end {
        End::Front => (list.iter_from(0, false), 0),
        End::Back => (list.iter_from(len.saturating_sub(1), true), len - count),
    };
    walk.for_each(count, |item| answer(reply, item));
    list.remove_range(from, count, limits);
    count
}
