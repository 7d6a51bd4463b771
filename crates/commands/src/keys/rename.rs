//! RENAME and RENAMENX: another name for a value, which keeps its expiry.
//!
//! What the new name held is gone, except with RENAMENX, which leaves it alone and answers 0. A key may be renamed to
//! itself, which does nothing; but it must be there.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;

pub(super) fn rename(ctx: &mut Context<'_, '_>) -> Done {
    change_name(ctx, false)?;
    ctx.reply.ok();
    Ok(())
}

pub(super) fn renamenx(ctx: &mut Context<'_, '_>) -> Done {
    let done = change_name(ctx, true)?;
    ctx.reply.integer(i64::from(done));
    Ok(())
}

/// False when the new name is taken and must stay so.
fn change_name(ctx: &mut Context<'_, '_>, only_if_free: bool) -> Result<bool, error::Error> {
    let (from, to) = (ctx.key(1), ctx.key(2));
    if !ctx.space.exists(&from) {
        return Err(error::common::NO_SUCH_KEY);
    }
    if from.bytes == to.bytes {
        return Ok(false);
    }
    if ctx.space.exists(&to) && only_if_free {
        return Ok(false);
    }
    if let Some(value) = ctx.space.take(&from) {
        ctx.space.put(&to, value);
        ctx.changed(&from, class::GENERIC, "rename_from", 0);
        ctx.changed(&to, class::GENERIC, "rename_to", 1);
    }
    Ok(true)
}
