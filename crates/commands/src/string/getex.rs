//! GETEX: a string, and a new expiry for its key.
//!
//! It is a write only as far as the expiry changes: without options, or when PERSIST finds nothing to forget, nothing is
//! journalled. A time that has passed already deletes the key, after its value was answered.

use command::context::{Context, Done};
use command::effects::class;
use structures::number;

use super::answer;
use super::options::{Lifetime, Options, Verb};
use crate::options::expired_already;

pub(super) fn getex(ctx: &mut Context<'_, '_>) -> Done {
    let options = Options::parse(&ctx.args, 2, Verb::Getex)?;
    let expire = options.expire_at(ctx)?;
    let key = ctx.key(1);
    let value = ctx.space.read_string(&key)?;
    let found = value.is_some();
    answer(ctx.reply, value);
    if !found {
        return Ok(());
    }
    let db = ctx.space.db;
    match (expire, options.lifetime) {
        (Some(at), Lifetime::Until(time, _)) if !time.unit.is_relative() && expired_already(ctx, at) => {
            ctx.expire(&key);
        }
        (Some(at), _) => {
            ctx.space.set_expire(&key, Some(at));
            ctx.changed(&key, class::GENERIC, "expire", 1);
            ctx.effects.rewrite(db, &[b"PEXPIREAT", key.bytes, &number::int(at.0)]);
        }
        (None, Lifetime::Persist) if ctx.space.expire_of(&key).is_some() => {
            ctx.space.set_expire(&key, None);
            ctx.changed(&key, class::GENERIC, "persist", 1);
            ctx.effects.rewrite(db, &[b"PERSIST", key.bytes]);
        }
        _ => {}
    }
    Ok(())
}
