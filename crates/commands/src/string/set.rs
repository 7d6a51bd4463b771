//! SET and the commands that it has absorbed: SETNX, SETEX, PSETEX, GETSET.
//!
//! SET replaces whatever is under the key, of any type, and forgets its expiry unless told to keep it. Three things are
//! easily overlooked:
//!
//! - A time that has passed already (EXAT, PXAT) deletes the key instead of storing a value that nobody can read.
//! - GET answers the former value, and so wants a string there; with NX it still answers the value that was in the way.
//! - In the journal a time is always absolute: `SET k v EX 10` becomes `SET k v PXAT <ms>`. GET is left out, and so is
//!   IFEQ, which has been decided, and which Redis does not know: `SET k v`.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::{Expiry, Key};
use resp::error::Error;
use smallvec::SmallVec;
use structures::number;
use value::StringRef;

use super::answer;
use super::options::{Condition, Lifetime, Options, Verb};
use crate::options::{Time, TimeUnit, expired_already};

pub(super) fn set(ctx: &mut Context<'_, '_>) -> Done {
    let options = Options::parse(&ctx.args, 3, Verb::Set)?;
    let value = ctx.args.at(2);
    let done = store(ctx, value, &options)?;
    if !options.get {
        if done { ctx.reply.ok() } else { ctx.reply.null() }
    }
    Ok(())
}

pub(super) fn setnx(ctx: &mut Context<'_, '_>) -> Done {
    let value = ctx.args.at(2);
    let done = store(ctx, value, &Options { condition: Condition::Absent, ..Options::NONE })?;
    ctx.reply.integer(i64::from(done));
    Ok(())
}

pub(super) fn setex(ctx: &mut Context<'_, '_>) -> Done {
    set_for(ctx, TimeUnit::Ex)
}

pub(super) fn psetex(ctx: &mut Context<'_, '_>) -> Done {
    set_for(ctx, TimeUnit::Px)
}

fn set_for(ctx: &mut Context<'_, '_>, unit: TimeUnit) -> Done {
    let lifetime = Lifetime::Until(Time { unit, amount: ctx.args.at(2) }, 2);
    let value = ctx.args.at(3);
    store(ctx, value, &Options { lifetime, ..Options::NONE })?;
    ctx.reply.ok();
    Ok(())
}

pub(super) fn getset(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let value = ctx.args.at(2);
    answer(ctx.reply, ctx.space.read_string(&key)?);
    ctx.space.set_string(&key, value, Expiry::None);
    ctx.changed(&key, class::STRING, "set", 1);
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"SET", key.bytes, value]);
    Ok(())
}

/// Stores `value` under the conditions; false when one of them does not hold. With GET the answer is the former value.
fn store(ctx: &mut Context<'_, '_>, value: &[u8], options: &Options<'_>) -> Result<bool, Error> {
    let key = ctx.key(1);
    let expire = options.expire_at(ctx)?;
    if options.get {
        answer(ctx.reply, ctx.space.read_string(&key)?);
    }
    if !holds(ctx, &key, options.condition)? {
        return Ok(false);
    }
    if let Some(at) = expire
        && expired_already(ctx, at)
    {
        ctx.expire(&key);
        return Ok(true);
    }
    let expiry = match (expire, options.lifetime) {
        (Some(at), _) => Expiry::At(at),
        (None, Lifetime::Keep) => Expiry::Keep,
        (None, _) => Expiry::None,
    };
    ctx.space.set_string(&key, value, expiry);
    ctx.changed(&key, class::STRING, "set", 1);
    if expire.is_some() {
        ctx.notify(&key, class::GENERIC, "expire");
    }
    propagate(ctx, value, options, expire.map(|at| at.0));
    Ok(true)
}

fn holds(ctx: &mut Context<'_, '_>, key: &Key<'_>, condition: Condition<'_>) -> Result<bool, Error> {
    Ok(match condition {
        Condition::Always => true,
        Condition::Absent => !ctx.space.exists(key),
        Condition::Present => ctx.space.exists(key),
        Condition::Equal(wanted) => match ctx.space.peek_string(key)? {
            Some(present) => present == StringRef::Bytes(wanted),
            None => false,
        },
    })
}

fn propagate(ctx: &mut Context<'_, '_>, value: &[u8], options: &Options<'_>, expire: Option<i64>) {
    let (db, key) = (ctx.space.db, ctx.args.at(1));
    let compares = matches!(options.condition, Condition::Equal(_));
    if let Some(at) = expire {
        if matches!(options.lifetime, Lifetime::Until(time, _) if time.unit == TimeUnit::PxAt) && !compares {
            return;
        }
        // The name stays as it was typed when nothing but the time has to be replaced.
        let name = if ctx.row.name() == "set" && ctx.args.len() == 5 { ctx.args.at(0) } else { b"SET" };
        ctx.effects.rewrite(db, &[name, key, value, b"PXAT", &number::int(at)]);
    } else if options.get || compares {
        let mut words: SmallVec<[&[u8]; 8]> = SmallVec::from_slice(&[ctx.args.at(0), key, value]);
        match options.condition {
            Condition::Always | Condition::Equal(_) => {}
            Condition::Absent => words.push(b"NX"),
            Condition::Present => words.push(b"XX"),
        }
        if options.lifetime == Lifetime::Keep {
            words.push(b"KEEPTTL");
        }
        ctx.effects.rewrite(db, &words);
    }
}
