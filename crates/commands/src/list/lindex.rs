//! LLEN, LINDEX, LSET: the length of a list, and one element by its index.
//!
//! Whether the key is there, and a list, is judged before the index is read.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use value::List;

use super::answer;
use crate::options::integer;

pub(super) fn llen(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let len = ctx.space.read::<List>(&key)?.map_or(0, List::len);
    ctx.reply.length(len);
    Ok(())
}

pub(super) fn lindex(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let Some(list) = ctx.space.read::<List>(&key)? else {
        ctx.reply.null();
        return Ok(());
    };
    let index = list.resolve(integer(ctx.args.at(2))?);
    if index.and_then(|index| list.get(index, |item| answer(ctx.reply, item))).is_none() {
        ctx.reply.null();
    }
    Ok(())
}

pub(super) fn lset(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let list = ctx.space.edit::<List>(&key)?.ok_or(error::common::NO_SUCH_KEY)?;
    let index = list.resolve(integer(ctx.args.at(2))?).filter(|&index| index < list.len());
    let index = index.ok_or(error::common::INDEX_OUT_OF_RANGE)?;
    list.set(index, ctx.args.at(3), &ctx.env.limits);
    ctx.changed(&key, class::LIST, "lset", 1);
    ctx.reply.ok();
    Ok(())
}
