//! HDEL: fields removed; the key goes with the last one.

use command::context::{Context, Done};
use command::effects::class;
use value::Hash;

pub(super) fn hdel(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let Some(hash) = ctx.space.edit::<Hash>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let removed = ctx.args.from(2).iter().filter(|field| hash.remove(field)).count();
    let emptied = hash.is_empty();
    if removed > 0 {
        ctx.changed(&key, class::HASH, "hdel", removed as u64);
    }
    if emptied {
        ctx.delete_if_empty::<Hash>(&key);
    }
    ctx.reply.length(removed);
    Ok(())
}
