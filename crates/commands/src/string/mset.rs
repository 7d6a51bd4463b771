//! MSET and MSETNX: several strings written at one moment.
//!
//! MSETNX writes all of them or, when a single one of the keys exists, none. A key that is named twice gets the later
//! value.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;
use resp::error;

pub(super) fn mset(ctx: &mut Context<'_, '_>) -> Done {
    check_pairs(ctx)?;
    store(ctx);
    ctx.reply.ok();
    Ok(())
}

pub(super) fn msetnx(ctx: &mut Context<'_, '_>) -> Done {
    check_pairs(ctx)?;
    let free = (1..ctx.args.len()).step_by(2).all(|at| {
        let key = ctx.key(at);
        !ctx.space.exists(&key)
    });
    if free {
        store(ctx);
    }
    ctx.reply.integer(i64::from(free));
    Ok(())
}

fn check_pairs(ctx: &Context<'_, '_>) -> Done {
    if ctx.args.len().is_multiple_of(2) {
        return Err(error::common::wrong_arity(ctx.row.fullname).into());
    }
    Ok(())
}

fn store(ctx: &mut Context<'_, '_>) {
    for at in (1..ctx.args.len()).step_by(2) {
        let key = ctx.key(at);
        ctx.space.set_string(&key, ctx.args.at(at + 1), Expiry::None);
        ctx.changed(&key, class::STRING, "set", 1);
    }
}
