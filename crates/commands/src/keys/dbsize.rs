//! DBSIZE: how many keys the database has; those that have expired but are not deleted yet are counted.

use command::context::{Context, Done};

pub(super) fn dbsize(ctx: &mut Context<'_, '_>) -> Done {
    let db = ctx.space.db;
    let len = ctx.space.shards_mut().map(|(_, shard)| shard.db(db).len()).sum();
    ctx.reply.length(len);
    Ok(())
}
