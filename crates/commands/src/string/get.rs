//! GET and STRLEN: the value of a string, and its length.

use command::context::{Context, Done};

use super::answer;

pub(super) fn get(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    answer(ctx.reply, ctx.space.read_string(&key)?);
    Ok(())
}

pub(super) fn strlen(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let len = ctx.space.read_string(&key)?.map_or(0, |value| value.len());
    ctx.reply.length(len);
    Ok(())
}
