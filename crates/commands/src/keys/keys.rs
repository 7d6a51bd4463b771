//! KEYS: all keys that match a pattern, at one moment. It looks at every key of the database; SCAN is for those who would
//! rather not stop everybody else meanwhile.

use command::context::{Context, Done};
use keyspace::OnExpired;
use structures::glob;

pub(super) fn keys(ctx: &mut Context<'_, '_>) -> Done {
    let pattern = ctx.args.at(1);
    let all = pattern == b"*";
    let (db, now, obey) = (ctx.space.db, ctx.space.now, ctx.space.on_expired == OnExpired::Obey);
    let at = ctx.reply.array_deferred();
    let mut count = 0;
    for (_, shard) in ctx.space.shards_mut() {
        for view in shard.db(db).views() {
            if (all || glob::matches(pattern, view.key())) && (obey || !view.is_expired(now)) {
                ctx.reply.bulk(view.key());
                count += 1;
            }
        }
    }
    ctx.reply.set_array_len(at, count);
    Ok(())
}
