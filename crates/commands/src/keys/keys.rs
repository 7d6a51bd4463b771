//! KEYS: all keys that match a pattern, at one moment. It looks at every key of the database; SCAN is for those who would
//! rather not stop everybody else meanwhile.

use command::context::{Context, Done};
use keyspace::{OnExpired, View};
use structures::glob;

pub(super) fn keys(ctx: &mut Context<'_, '_>) -> Done {
    let pattern = ctx.args.at(1);
    let all = pattern == b"*";
    let (db, now, obey) = (ctx.space.db, ctx.space.now, ctx.space.on_expired == OnExpired::Obey);
    let at = ctx.reply.array_deferred();
    let mut count = 0;
    let reply = &mut *ctx.reply;
    let mut look = |view: View<'_>| {
        if (all || glob::matches(pattern, view.key())) && (obey || !view.is_expired(now)) {
            reply.bulk(view.key());
            count += 1;
        }
    };
    let map = ctx.space.map();
    match super::sort::pattern::slot(pattern).filter(|_| map.is_by_slot()) {
        // In a cluster all keys that a pattern with a hash tag can match are in one slot.
        Some(slot) => {
            let shard = ctx.space.shard_ref(map.of_slot(slot));
            shard.into_iter().flat_map(|shard| shard.db(db).slot_views(slot)).for_each(&mut look);
        }
        None => {
            for (_, shard) in ctx.space.shards_mut() {
                shard.db(db).views().for_each(&mut look);
            }
        }
    }
    ctx.reply.set_array_len(at, count);
    Ok(())
}
