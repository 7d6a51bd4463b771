//! MOVE: a key from the selected database to another, with its expiry; nothing happens when that has the key already.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;

use super::database;

pub(super) fn r#move(ctx: &mut Context<'_, '_>) -> Done {
    let to = database(ctx, ctx.args.at(2))?;
    if to == ctx.space.db {
        return Err(error::common::SAME_OBJECT.into());
    }
    let key = ctx.key(1);
    let moves = ctx.space.exists(&key) && !ctx.in_db(to, |ctx| ctx.space.exists(&key));
    if moves && let Some(value) = ctx.space.take(&key) {
        ctx.in_db(to, |ctx| ctx.space.put(&key, value));
        ctx.changed(&key, class::GENERIC, "move_from", 0);
        ctx.in_db(to, |ctx| ctx.changed(&key, class::GENERIC, "move_to", 1));
    }
    ctx.reply.integer(i64::from(moves));
    Ok(())
}
