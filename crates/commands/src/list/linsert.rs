//! LINSERT: an element before or behind the first one that equals a pivot.
//!
//! Three answers tell what happened: the new length, -1 for a list without the pivot, 0 for no list.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use value::List;

use crate::options::is;

pub(super) fn linsert(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let after = match ctx.args.at(2) {
        place if is(place, "AFTER") => true,
        place if is(place, "BEFORE") => false,
        _ => return Err(error::common::SYNTAX.into()),
    };
    let Some(list) = ctx.space.edit::<List>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    if !list.insert(ctx.args.at(3), after, ctx.args.at(4), &ctx.env.limits) {
        ctx.reply.integer(-1);
        return Ok(());
    }
    let len = list.len();
    ctx.changed(&key, class::LIST, "linsert", 1);
    ctx.reply.length(len);
    Ok(())
}
