//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT: when a key ends.
//!
//! The four differ in unit and in what the time is counted from; all are journalled as PEXPIREAT, their options kept.
//! A time that is not in the future, negative ones included, ends the key at once. Conditions: NX (it has no expiry), XX
//! (it has one), GT and LT (the new one is later or earlier, where no expiry counts as never).

use command::context::{Context, Done};
use command::effects::class;
use keyspace::UnixMillis;
use resp::args::Args;
use resp::error::{self, Error};
use smallvec::SmallVec;
use structures::number;

use crate::options::{expired_already, integer, is};

pub(super) fn expire(ctx: &mut Context<'_, '_>) -> Done {
    let now = ctx.now();
    set(ctx, now, 1000)
}

pub(super) fn pexpire(ctx: &mut Context<'_, '_>) -> Done {
    let now = ctx.now();
    set(ctx, now, 1)
}

pub(super) fn expireat(ctx: &mut Context<'_, '_>) -> Done {
    set(ctx, UnixMillis(0), 1000)
}

pub(super) fn pexpireat(ctx: &mut Context<'_, '_>) -> Done {
    set(ctx, UnixMillis(0), 1)
}

/// The conditions that were named; NX excludes the others, GT and LT each other.
#[derive(Clone, Copy, Default)]
struct Conditions {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Conditions {
    fn parse(args: &Args<'_>) -> Result<Self, Error> {
        let mut named = Conditions::default();
        for word in args.from(3) {
            match word {
                _ if is(word, "NX") => named.nx = true,
                _ if is(word, "XX") => named.xx = true,
                _ if is(word, "GT") => named.gt = true,
                _ if is(word, "LT") => named.lt = true,
                _ => return Err(error::keys::unsupported_option(word)),
            }
        }
        if named.nx && (named.xx || named.gt || named.lt) {
            return Err(error::keys::EXPIRE_NX_WITH_OTHERS);
        }
        if named.gt && named.lt {
            return Err(error::keys::EXPIRE_GT_AND_LT);
        }
        Ok(named)
    }

    fn hold(self, new: UnixMillis, present: Option<UnixMillis>) -> bool {
        let later = present.is_some_and(|at| new > at);
        let earlier = present.is_none_or(|at| new < at);
        !(self.nx && present.is_some() || self.xx && present.is_none() || self.gt && !later || self.lt && !earlier)
    }
}

/// Sets the expiry to the argument, in units of `millis` milliseconds, from `base` on.
fn set(ctx: &mut Context<'_, '_>, base: UnixMillis, millis: i64) -> Done {
    let conditions = Conditions::parse(&ctx.args)?;
    let amount = integer(ctx.args.at(2))?;
    let at = amount.checked_mul(millis).and_then(|n| n.checked_add(base.0));
    let at = UnixMillis(at.ok_or_else(|| error::common::invalid_expire(ctx.row.fullname))?.max(0));
    let key = ctx.key(1);
    let Some(present) = ctx.space.peek(&key).map(|view| view.expire()) else {
        ctx.reply.integer(0);
        return Ok(());
    };
    if !conditions.hold(at, present) {
        ctx.reply.integer(0);
        return Ok(());
    }
    ctx.reply.integer(1);
    if expired_already(ctx, at) {
        ctx.expire(&key);
        return Ok(());
    }
    ctx.space.set_expire(&key, Some(at));
    ctx.changed(&key, class::GENERIC, "expire", 1);
    if base.0 != 0 || millis != 1 {
        let (db, text) = (ctx.space.db, number::int(at.0));
        let mut words: SmallVec<[&[u8]; 6]> = ctx.args.iter().collect();
        words[0] = b"PEXPIREAT";
        words[2] = &text;
        ctx.effects.rewrite(db, &words);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_expiry_counts_as_never() {
        let holds = |option: &str, new: i64, present: Option<i64>| {
            let mut conditions = Conditions::default();
            match option {
                "nx" => conditions.nx = true,
                "xx" => conditions.xx = true,
                "gt" => conditions.gt = true,
                "lt" => conditions.lt = true,
                _ => {}
            }
            conditions.hold(UnixMillis(new), present.map(UnixMillis))
        };
        for (option, without, earlier, same, later) in [
            ("", true, true, true, true),
            ("nx", true, false, false, false),
            ("xx", false, true, true, true),
            ("gt", false, false, false, true),
            ("lt", true, true, false, false),
        ] {
            let got = [
                holds(option, 5, None),
                holds(option, 4, Some(5)),
                holds(option, 5, Some(5)),
                holds(option, 6, Some(5)),
            ];
            assert_eq!(got, [without, earlier, same, later], "{option}");
        }
    }
}
