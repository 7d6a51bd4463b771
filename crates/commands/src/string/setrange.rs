//! SETRANGE: bytes written over a string from an offset on.
//!
//! The string grows with zero bytes as far as it must. Writing nothing changes nothing: it makes no key, and does not
//! even pad.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;

use super::check_length;
use crate::options::integer;

pub(super) fn setrange(ctx: &mut Context<'_, '_>) -> Done {
    let offset = u64::try_from(integer(ctx.args.at(2))?).map_err(|_| error::string::OFFSET_OUT_OF_RANGE)?;
    let key = ctx.key(1);
    let bytes = ctx.args.at(3);
    let former = ctx.space.peek_string(&key)?.map_or(0, |value| value.len());
    if bytes.is_empty() {
        ctx.reply.length(former);
        return Ok(());
    }
    check_length(ctx, offset, bytes.len())?;
    let offset = offset as usize;
    ctx.space.edit_string(&key, |string| string.write_at(offset, bytes))?;
    ctx.changed(&key, class::STRING, "setrange", 1);
    ctx.reply.length(former.max(offset + bytes.len()));
    Ok(())
}
