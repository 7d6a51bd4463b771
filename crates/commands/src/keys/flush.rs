//! FLUSHDB and FLUSHALL: every key of one database, or of all.
//!
//! The tables are detached at once whatever their size; ASYNC (the default, by `lazyfree-lazy-user-flush`) leaves freeing
//! them to the background, SYNC waits for it. Both are journalled even when there was nothing to delete. There are
//! no keyspace events.

use command::context::{Context, Done};
use keyspace::DbIndex;
use resp::error::{self, Error};

use crate::options::is;

pub(super) fn flushdb(ctx: &mut Context<'_, '_>) -> Done {
    let sync = wants_sync(ctx)?;
    let db = ctx.space.db;
    let removed = ctx.space.flush(db);
    finish(ctx, removed, sync)
}

pub(super) fn flushall(ctx: &mut Context<'_, '_>) -> Done {
    let sync = wants_sync(ctx)?;
    let databases = ctx.space.databases() as u16;
    let removed = (0..databases).map(|db| ctx.space.flush(DbIndex(db))).sum();
    finish(ctx, removed, sync)
}

fn wants_sync(ctx: &Context<'_, '_>) -> Result<bool, Error> {
    match ctx.args.get(1) {
        None => Ok(!ctx.env.lazy_user_flush),
        Some(_) if ctx.args.len() > 2 => Err(error::common::SYNTAX),
        Some(word) if is(word, "SYNC") => Ok(true),
        Some(word) if is(word, "ASYNC") => Ok(false),
        Some(_) => Err(error::common::SYNTAX),
    }
}

fn finish(ctx: &mut Context<'_, '_>, removed: usize, sync: bool) -> Done {
    if sync {
        ctx.space.detached.clear();
    }
    ctx.effects.dirty += removed as u64;
    ctx.effects.forced = true;
    ctx.reply.ok();
    Ok(())
}
