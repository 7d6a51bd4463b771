//! SREM: members out of a set.

use command::context::{Context, Done};
use command::effects::class;
use value::Set;

pub(super) fn srem(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let Some(set) = ctx.space.edit::<Set>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let mut removed = 0;
    for member in ctx.args.from(2) {
        removed += u64::from(set.remove(member));
    }
    let emptied = set.is_empty();
    if removed > 0 {
        ctx.changed(&key, class::SET, "srem", removed);
    }
    if emptied {
        ctx.delete_if_empty::<Set>(&key);
    }
    ctx.reply.integer(removed as i64);
    Ok(())
}
