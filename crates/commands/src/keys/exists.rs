//! EXISTS and TOUCH: how many of the keys are there; a key that is named twice counts twice.
//!
//! TOUCH is an access, also for a client that has said CLIENT NO-TOUCH; EXISTS is none.

use command::context::{Context, Done};
use keyspace::Lookup;

pub(super) fn exists(ctx: &mut Context<'_, '_>) -> Done {
    let mut found = 0;
    for name in ctx.args.from(1) {
        found += i64::from(ctx.space.find_untouched(&ctx.space.key(name)).is_some());
    }
    ctx.reply.integer(found);
    Ok(())
}

pub(super) fn touch(ctx: &mut Context<'_, '_>) -> Done {
    let lookup = std::mem::replace(&mut ctx.space.lookup, Lookup::Touch);
    let mut found = 0;
    for name in ctx.args.from(1) {
        found += i64::from(ctx.space.find(&ctx.space.key(name)).is_some());
    }
    ctx.space.lookup = lookup;
    ctx.reply.integer(found);
    Ok(())
}
