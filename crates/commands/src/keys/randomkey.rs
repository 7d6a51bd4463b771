//! RANDOMKEY: a key, every one with the same probability, or null when there is none.

use command::context::{Context, Done};

pub(super) fn randomkey(ctx: &mut Context<'_, '_>) -> Done {
    let random = &mut *ctx.random;
    match ctx.space.random_key(&mut || random.draw()) {
        Some(key) => ctx.reply.bulk(&key),
        None => ctx.reply.null(),
    }
    Ok(())
}
