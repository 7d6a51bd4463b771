//! TYPE: what kind of value a key holds, or `none`.

use command::context::{Context, Done};

pub(super) fn r#type(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let name = ctx.space.find_untouched(&key).map_or("none", |view| view.type_name());
    ctx.reply.status(name);
    Ok(())
}
