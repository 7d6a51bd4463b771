//! MGET: several strings at one moment. A key of another type reads as absent, not as an error.

use command::context::{Context, Done};

use super::answer;

pub(super) fn mget(ctx: &mut Context<'_, '_>) -> Done {
    ctx.reply.array(ctx.args.len() - 1);
    for name in ctx.args.from(1) {
        answer(ctx.reply, ctx.space.read_string(&ctx.space.key(name)).unwrap_or(None));
    }
    Ok(())
}
