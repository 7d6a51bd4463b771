//! SMOVE: a member from one set to another.
//!
//! A member that the target has already is removed from the source all the same; that is one change, not two. From a set
//! to itself nothing moves, and the answer is whether the member is there. What is under the target matters only if there
//! is a source.

use command::context::{Context, Done};
use command::effects::class;
use value::Set;

pub(super) fn smove(ctx: &mut Context<'_, '_>) -> Done {
    let (source, target) = (ctx.key(1), ctx.key(2));
    let member = ctx.args.at(3);
    let Some(view) = ctx.space.peek(&source) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    view.collection::<Set>()?;
    if let Some(view) = ctx.space.peek(&target) {
        view.collection::<Set>()?;
    }
    let moved = match ctx.space.edit::<Set>(&source)? {
        Some(set) if source.bytes == target.bytes => {
            ctx.reply.integer(i64::from(set.contains(member)));
            return Ok(());
        }
        Some(set) => set.remove(member),
        None => false,
    };
    if moved {
        ctx.changed(&source, class::SET, "srem", 1);
        ctx.delete_if_empty::<Set>(&source);
        if ctx.space.edit_or_create::<Set>(&target)?.add(member, &ctx.env.limits) {
            ctx.changed(&target, class::SET, "sadd", 1);
        }
    }
    ctx.reply.integer(i64::from(moved));
    Ok(())
}
