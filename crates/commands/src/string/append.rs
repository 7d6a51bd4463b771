//! APPEND: bytes behind a string, which is made if it is absent.
//!
//! A string that is made so is stored as SET would store it, as an integer if it is one; appending to a string that is
//! there leaves it as grown bytes.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;

use super::check_length;

pub(super) fn append(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let more = ctx.args.at(2);
    let len = match ctx.space.peek_string(&key)?.map(|value| value.len()) {
        None => {
            ctx.space.set_string(&key, more, Expiry::None);
            more.len()
        }
        Some(former) => {
            check_length(ctx, former as u64, more.len())?;
            ctx.space.edit_string(&key, |string| string.extend(more))?;
            former + more.len()
        }
    };
    ctx.changed(&key, class::STRING, "append", 1);
    ctx.reply.length(len);
    Ok(())
}
