//! LRANGE: the elements between two indices, both included.

use command::context::{Context, Done};
use value::List;

use super::{answer, part};
use crate::options::integer;

pub(super) fn lrange(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let (start, stop) = (integer(ctx.args.at(2))?, integer(ctx.args.at(3))?);
    let Some(list) = ctx.space.read::<List>(&key)? else {
        ctx.reply.empty_array();
        return Ok(());
    };
    let (from, count) = part(list.len(), start, stop);
    let reply = &mut *ctx.reply;
    reply.array(count);
    list.iter_from(from, false).for_each(count, |item| answer(reply, item));
    Ok(())
}
