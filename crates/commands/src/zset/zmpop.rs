//! ZMPOP, BZMPOP: members from an end of the first of several sorted sets that has any; BZMPOP waits if none has.
//!
//! The answer is the key and an array of pairs, in either protocol. Both are journalled as ZPOPMIN or ZPOPMAX of the key
//! that they found, with the count of what there was.

use command::context::{Context, Done, OnTimeout};
use resp::args::Args;
use resp::error::{self, Error};
use structures::number;
use value::Zset;

use super::zpop::{Extreme, pop_many, popped};
use crate::options::{deadline, is};

/// What is to be popped: the arguments from the number of keys on.
struct Wanted {
    keys: std::ops::Range<usize>,
    from: Extreme,
    count: usize,
}

impl Wanted {
    /// Reads the arguments, of which the one at `at` is the number of keys.
    fn parse(args: &Args<'_>, at: usize) -> Result<Wanted, Error> {
        let positive =
            |arg, e: Error| number::parse_i64(arg).and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0).ok_or(e);
        let numkeys = positive(args.at(at), error::common::NUMKEYS_NOT_POSITIVE)?;
        let place = numkeys.saturating_add(at + 1);
        let from = match args.get(place) {
            Some(word) if is(word, "MIN") => Extreme::Min,
            Some(word) if is(word, "MAX") => Extreme::Max,
            _ => return Err(error::common::SYNTAX),
        };
        let count = match (args.get(place + 1), args.get(place + 2)) {
            (None, _) => 1,
            (Some(word), Some(count)) if is(word, "COUNT") => positive(count, error::common::COUNT_NOT_POSITIVE)?,
            _ => return Err(error::common::SYNTAX),
        };
        if args.len() > place + 3 {
            return Err(error::common::SYNTAX);
        }
        Ok(Wanted { keys: at + 1..place, from, count })
    }
}

pub(super) fn zmpop(ctx: &mut Context<'_, '_>) -> Done {
    let wanted = Wanted::parse(&ctx.args, 1)?;
    if !pop_first(ctx, &wanted)? {
        ctx.reply.null_array();
    }
    Ok(())
}

pub(super) fn bzmpop(ctx: &mut Context<'_, '_>) -> Done {
    let wanted = Wanted::parse(&ctx.args, 2)?;
    let deadline = deadline(ctx, ctx.args.at(1))?;
    if pop_first(ctx, &wanted)? {
        return Ok(());
    }
    ctx.block(wanted.keys, deadline, OnTimeout::NullArray)
}

/// Pops from the first key that is there; false if none is.
fn pop_first(ctx: &mut Context<'_, '_>, wanted: &Wanted) -> Result<bool, Error> {
    for index in wanted.keys.clone() {
        let key = ctx.key(index);
        let Some(zset) = ctx.space.edit::<Zset>(&key)? else { continue };
        let count = wanted.count.min(zset.len());
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        ctx.reply.array(count);
        pop_many(zset, wanted.from, count, ctx.reply, true);
        let emptied = zset.is_empty();
        popped(ctx, &key, wanted.from, count, emptied);
        let db = ctx.space.db;
        ctx.effects.rewrite(db, &[wanted.from.verb(), key.bytes, &number::unsigned(count as u64)]);
        return Ok(true);
    }
    Ok(false)
}
