//! GET: the value of a string.

use command::context::{Context, Done};
use value::StringRef;

pub(super) fn get(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    match ctx.space.read_string(&key)? {
        Some(StringRef::Bytes(bytes)) => ctx.reply.bulk(bytes),
        Some(StringRef::Int(n)) => ctx.reply.bulk_int(n),
        None => ctx.reply.null(),
    }
    Ok(())
}
