//! LMOVE, RPOPLPUSH, BLMOVE, BRPOPLPUSH: an element from an end of one list to an end of another, or of the same.
//!
//! The push is told before the pop, and the destination must be a list (or nothing) before anything moves. Those that
//! wait do so for the source only, and are journalled as what they did at last.

use command::context::{Context, Done, OnTimeout};
use command::effects::class;
use resp::error::Error;
use smallvec::SmallVec;
use value::{End, List};

use super::{popped, push, side};
use crate::options::deadline;

pub(super) fn lmove(ctx: &mut Context<'_, '_>) -> Done {
    let (from, to) = (side(ctx.args.at(3))?, side(ctx.args.at(4))?);
    if !transfer(ctx, from, to)? {
        ctx.reply.null();
    }
    Ok(())
}

pub(super) fn rpoplpush(ctx: &mut Context<'_, '_>) -> Done {
    if !transfer(ctx, End::Back, End::Front)? {
        ctx.reply.null();
    }
    Ok(())
}

pub(super) fn blmove(ctx: &mut Context<'_, '_>) -> Done {
    let args = ctx.args;
    let (from, to) = (side(args.at(3))?, side(args.at(4))?);
    let deadline = deadline(ctx, args.at(5))?;
    if !transfer(ctx, from, to)? {
        return ctx.block(1..2, deadline, OnTimeout::Null);
    }
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"LMOVE", args.at(1), args.at(2), args.at(3), args.at(4)]);
    Ok(())
}

pub(super) fn brpoplpush(ctx: &mut Context<'_, '_>) -> Done {
    let args = ctx.args;
    let deadline = deadline(ctx, args.at(3))?;
    if !transfer(ctx, End::Back, End::Front)? {
        return ctx.block(1..2, deadline, OnTimeout::Null);
    }
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"RPOPLPUSH", args.at(1), args.at(2)]);
    Ok(())
}

/// Moves an element and answers it; false if there is none to move.
fn transfer(ctx: &mut Context<'_, '_>, from: End, to: End) -> Result<bool, Error> {
    let (source, target) = (ctx.key(1), ctx.key(2));
    let limits = &ctx.env.limits;
    let Some(view) = ctx.space.peek(&source) else { return Ok(false) };
    view.collection::<List>()?;
    if let Some(view) = ctx.space.peek(&target) {
        view.collection::<List>()?;
    }
    let Some(list) = ctx.space.edit::<List>(&source)? else { return Ok(false) };
    let element = list.pop(from, limits, |item| SmallVec::<[u8; 128]>::from_slice(&item.text()));
    let Some(element) = element else { return Ok(false) };
    let emptied = list.is_empty();
    ctx.space.edit_or_create::<List>(&target)?.push(to, [&element[..]], limits);
    ctx.changed(&target, class::LIST, push::event(to), 0);
    popped(ctx, &source, from, 1, emptied);
    ctx.reply.bulk(&element);
    Ok(true)
}
