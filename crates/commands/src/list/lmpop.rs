//! LMPOP, BLMPOP: elements from an end of the first of several lists that has any; BLMPOP waits if none has.
//!
//! Both are journalled as LPOP or RPOP of the key that they found, with the count of what there was.

use command::context::{Context, Done, OnTimeout};
use resp::args::Args;
use resp::error::{self, Error};
use structures::number;
use value::{End, List};

use super::{pop, popped, side};
use crate::options::{deadline, is};

/// What is to be popped: the arguments from the number of keys on.
struct Wanted {
    keys: std::ops::Range<usize>,
    end: End,
    count: usize,
}

impl Wanted {
    /// Reads the arguments, of which the one at `at` is the number of keys.
    fn parse(args: &Args<'_>, at: usize) -> Result<Wanted, Error> {
        let positive =
            |arg, e: Error| number::parse_i64(arg).and_then(|n| usize::try_from(n).ok()).filter(|&n| n > 0).ok_or(e);
        let numkeys = positive(args.at(at), error::common::NUMKEYS_NOT_POSITIVE)?;
        let place = numkeys.saturating_add(at + 1);
        let end = side(args.get(place).ok_or(error::common::SYNTAX)?)?;
        let count = match (args.get(place + 1), args.get(place + 2)) {
            (None, _) => 1,
            (Some(word), Some(count)) if is(word, "COUNT") => positive(count, error::common::COUNT_NOT_POSITIVE)?,
            _ => return Err(error::common::SYNTAX),
        };
        if args.len() > place + 3 {
            return Err(error::common::SYNTAX);
        }
        Ok(Wanted { keys: at + 1..place, end, count })
    }
}

pub(super) fn lmpop(ctx: &mut Context<'_, '_>) -> Done {
    let wanted = Wanted::parse(&ctx.args, 1)?;
    if !pop_first(ctx, &wanted)? {
        ctx.reply.null_array();
    }
    Ok(())
}

pub(super) fn blmpop(ctx: &mut Context<'_, '_>) -> Done {
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
        let Some(list) = ctx.space.edit::<List>(&key)? else { continue };
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        let count = pop::move_to_reply(list, wanted.end, wanted.count, ctx.reply, &ctx.env.limits);
        let emptied = list.is_empty();
        popped(ctx, &key, wanted.end, count, emptied);
        let db = ctx.space.db;
        let verb: &[u8] = if wanted.end == End::Front { b"LPOP" } else { b"RPOP" };
        ctx.effects.rewrite(db, &[verb, key.bytes, &number::unsigned(count as u64)]);
        return Ok(true);
    }
    Ok(false)
}
