//! TTL, PTTL, EXPIRETIME, PEXPIRETIME: when a key ends; PERSIST: that it does not.
//!
//! -2 stands for no key, -1 for a key without an end. Seconds are rounded to the nearest.

use command::context::{Context, Done};
use command::effects::class;

pub(super) fn ttl(ctx: &mut Context<'_, '_>) -> Done {
    let now = ctx.now().0;
    answer(ctx, now, 1000)
}

pub(super) fn pttl(ctx: &mut Context<'_, '_>) -> Done {
    let now = ctx.now().0;
    answer(ctx, now, 1)
}

pub(super) fn expiretime(ctx: &mut Context<'_, '_>) -> Done {
    answer(ctx, 0, 1000)
}

pub(super) fn pexpiretime(ctx: &mut Context<'_, '_>) -> Done {
    answer(ctx, 0, 1)
}

/// Answers the time from `base` to the end of the key, in units of `millis` milliseconds.
fn answer(ctx: &mut Context<'_, '_>, base: i64, millis: i64) -> Done {
    let key = ctx.key(1);
    let answer = match ctx.space.find_untouched(&key).map(|view| view.expire()) {
        None => -2,
        Some(None) => -1,
        Some(Some(at)) => at.0.saturating_sub(base).max(0).saturating_add(millis / 2) / millis,
    };
    ctx.reply.integer(answer);
    Ok(())
}

pub(super) fn persist(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let expires = ctx.space.expire_of(&key).is_some();
    if expires {
        ctx.space.set_expire(&key, None);
        ctx.changed(&key, class::GENERIC, "persist", 1);
    }
    ctx.reply.integer(i64::from(expires));
    Ok(())
}
