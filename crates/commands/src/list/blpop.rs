//! BLPOP, BRPOP: an element from the first of several lists that has one, waited for if none has.
//!
//! ```text
//!   a key has an element ──► [key, element], journalled as LPOP or RPOP of that key
//!   none has             ──► the client waits for all of them; when one changes, the command is run again
//! ```
//!
//! Run again, it looks at its keys in its own order, so the first key is preferred to the one that woke it.

use command::context::{Context, Done, OnTimeout};
use value::{End, List};

use super::{answer, popped};
use crate::options::deadline;

pub(super) fn blpop(ctx: &mut Context<'_, '_>) -> Done {
    pop_or_wait(ctx, End::Front)
}

pub(super) fn brpop(ctx: &mut Context<'_, '_>) -> Done {
    pop_or_wait(ctx, End::Back)
}

fn pop_or_wait(ctx: &mut Context<'_, '_>, end: End) -> Done {
    let last = ctx.args.len() - 1;
    let deadline = deadline(ctx, ctx.args.at(last))?;
    for index in 1..last {
        let key = ctx.key(index);
        let Some(list) = ctx.space.edit::<List>(&key)? else { continue };
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        list.pop(end, &ctx.env.limits, |item| answer(ctx.reply, item));
        let emptied = list.is_empty();
        popped(ctx, &key, end, 1, emptied);
        let db = ctx.space.db;
        ctx.effects.rewrite(db, &[if end == End::Front { b"LPOP" } else { b"RPOP" }, key.bytes]);
        return Ok(());
    }
    ctx.block(1..last, deadline, OnTimeout::NullArray)
}
