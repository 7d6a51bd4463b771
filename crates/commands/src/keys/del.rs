//! DEL and UNLINK: keys and their end.
//!
//! The two differ only in where a big value's memory is given back: UNLINK leaves it to the background, DEL does so when
//! `lazyfree-lazy-user-del` says it. A key whose time has come is not counted: it was not there any more.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Deletion;

pub(super) fn del(ctx: &mut Context<'_, '_>) -> Done {
    let deletion = if ctx.env.lazy_user_del { Deletion::Lazy } else { Deletion::Sync };
    remove(ctx, deletion)
}

pub(super) fn unlink(ctx: &mut Context<'_, '_>) -> Done {
    remove(ctx, Deletion::Lazy)
}

fn remove(ctx: &mut Context<'_, '_>, deletion: Deletion) -> Done {
    let mut removed = 0;
    for name in ctx.args.from(1) {
        let key = ctx.space.key(name);
        if ctx.space.remove(&key, deletion) {
            ctx.changed(&key, class::GENERIC, "del", 1);
            removed += 1;
        }
    }
    ctx.reply.integer(removed);
    Ok(())
}
