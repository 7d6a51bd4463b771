//! MSETEX: several strings with one condition and one expiry.
//!
//! `MSETEX numkeys key value [key value ...] [NX|XX] [EX|PX|EXAT|PXAT time|KEEPTTL]`. The condition is on all keys
//! together: one that does not fulfil it, and nothing is written. Unlike SET, a time that has passed already does not
//! delete: the keys are written and expire at once.
//!
//! In the journal stands what every server knows: MSET, or a SET for each key.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;
use resp::error;
use smallvec::SmallVec;
use structures::number;

use super::options::{Condition, Lifetime, Options, Verb};
use crate::options::integer;

pub(super) fn msetex(ctx: &mut Context<'_, '_>) -> Done {
    let pairs = match integer(ctx.args.at(1)) {
        Ok(n @ 1..=0x7fff_ffff) => n as usize,
        _ => return Err(error::string::MSETEX_NUMKEYS.into()),
    };
    let end = 2 + pairs * 2;
    if end > ctx.args.len() {
        return Err(error::common::SYNTAX.into());
    }
    let options = Options::parse(&ctx.args, end, Verb::Msetex)?;
    let expire = options.expire_at(ctx)?;
    let wanted = match options.condition {
        Condition::Absent => Some(false),
        Condition::Present => Some(true),
        Condition::Always | Condition::Equal(_) => None,
    };
    if let Some(wanted) = wanted {
        for at in (2..end).step_by(2) {
            let key = ctx.key(at);
            if ctx.space.exists(&key) != wanted {
                ctx.reply.integer(0);
                return Ok(());
            }
        }
    }
    let expiry = match (expire, options.lifetime) {
        (Some(at), _) => Expiry::At(at),
        (None, Lifetime::Keep) => Expiry::Keep,
        (None, _) => Expiry::None,
    };
    for at in (2..end).step_by(2) {
        let key = ctx.key(at);
        ctx.space.set_string(&key, ctx.args.at(at + 1), expiry);
        ctx.changed(&key, class::STRING, "set", 1);
        if expire.is_some() {
            ctx.notify(&key, class::GENERIC, "expire");
        }
    }
    propagate(ctx, end, expiry);
    ctx.reply.integer(1);
    Ok(())
}

/// The journal is also read by servers without this command: it holds one SET for each key, or MSET when there is no expiry
/// to speak of.
fn propagate(ctx: &mut Context<'_, '_>, end: usize, expiry: Expiry) {
    let db = ctx.space.db;
    if expiry == Expiry::None {
        let words: SmallVec<[&[u8]; 16]> =
            std::iter::once(&b"MSET"[..]).chain((2..end).map(|at| ctx.args.at(at))).collect();
        ctx.effects.rewrite(db, &words);
        return;
    }
    for at in (2..end).step_by(2) {
        let (key, value) = (ctx.args.at(at), ctx.args.at(at + 1));
        match expiry {
            Expiry::At(time) => ctx.effects.rewrite(db, &[b"SET", key, value, b"PXAT", &number::int(time.0)]),
            _ => ctx.effects.rewrite(db, &[b"SET", key, value, b"KEEPTTL"]),
        }
    }
}
