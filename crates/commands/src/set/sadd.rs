//! SADD: members into a set, which is made if it is absent.
//!
//! The count of all members to come, new or not, chooses the encoding before the first is added, so that a big SADD does
//! not build a listpack only to convert it.

use command::context::{Context, Done};
use command::effects::class;
use value::Set;

pub(super) fn sadd(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let limits = &ctx.env.limits;
    let members = ctx.args.from(2);
    let set = ctx.space.edit_or_create::<Set>(&key)?;
    set.prepare(members.at(0), members.len(), limits);
    let mut added = 0;
    for member in members {
        added += u64::from(set.add(member, limits));
    }
    if added > 0 {
        ctx.changed(&key, class::SET, "sadd", added);
    }
    ctx.reply.integer(added as i64);
    Ok(())
}
