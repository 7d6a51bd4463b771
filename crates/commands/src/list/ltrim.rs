//! LTRIM: the part of a list between two indices, which is all that is left of it.
//!
//! The event is told even when nothing was cut off; then nothing else is: no change is counted, nobody's watch is upset.

use command::context::{Context, Done};
use command::effects::class;
use value::List;

use super::part;
use crate::options::integer;

pub(super) fn ltrim(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let (start, stop) = (integer(ctx.args.at(2))?, integer(ctx.args.at(3))?);
    ctx.reply.ok();
    let Some(list) = ctx.space.edit::<List>(&key)? else { return Ok(()) };
    let len = list.len();
    let (from, count) = part(len, start, stop);
    if count == len {
        ctx.notify(&key, class::LIST, "ltrim");
        return Ok(());
    }
    list.trim(from, count, &ctx.env.limits);
    ctx.changed(&key, class::LIST, "ltrim", (len - count) as u64);
    ctx.delete_if_empty::<List>(&key);
    Ok(())
}
