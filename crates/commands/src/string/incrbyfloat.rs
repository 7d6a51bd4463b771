//! INCRBYFLOAT: a sum in 80-bit precision, stored as text with up to 17 digits after the point.
//!
//! The result is journalled, not the sum: `SET key <text> KEEPTTL`, so that a replica with other arithmetic has the same.
//!
//! Where we differ from Redis: a whole result is stored as an integer at once (`OBJECT ENCODING` says `int`), as Redis'
//! own replicas store it.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;
use resp::error;
use structures::extended::Extended;

pub(super) fn incrbyfloat(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let former = match ctx.space.peek_string(&key)? {
        Some(value) => value.with_bytes(Extended::parse).ok_or(error::common::NOT_FLOAT)?,
        None => Extended::from(0.0),
    };
    let by = Extended::parse(ctx.args.at(2)).ok_or(error::common::NOT_FLOAT)?;
    let sum = former.plus(by).filter(Extended::is_finite).ok_or(error::common::NAN_OR_INFINITY)?;
    let text = sum.to_text();
    ctx.space.set_string(&key, &text, Expiry::Keep);
    ctx.changed(&key, class::STRING, "incrbyfloat", 1);
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"SET", key.bytes, &text, b"KEEPTTL"]);
    ctx.reply.bulk(&text);
    Ok(())
}
