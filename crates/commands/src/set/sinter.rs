//! SINTER, SINTERSTORE, SINTERCARD: the members that are in all of several sets.
//!
//! The members of the smallest set are looked for in the others, smaller ones first. A key that is absent makes the
//! intersection empty, but the keys behind it must be sets all the same.

use command::context::{Context, Done};
use resp::error::{self, Error};
use smallvec::SmallVec;
use structures::number;
use value::{Item, Set};

use super::{Sets, answer, gather, store};
use crate::options::is;

pub(super) fn sinter(ctx: &mut Context<'_, '_>) -> Done {
    let sets = gather(ctx.space, ctx.args.from(1).iter())?;
    let reply = &mut *ctx.reply;
    let header = reply.deferred();
    let mut count = 0;
    intersect(&sets, |member| {
        answer(reply, member);
        count += 1;
        true
    });
    reply.set_set_len(header, count);
    Ok(())
}

pub(super) fn sinterstore(ctx: &mut Context<'_, '_>) -> Done {
    let target = ctx.key(1);
    let limits = &ctx.env.limits;
    let sets = gather(ctx.space, ctx.args.from(2).iter())?;
    let mut result = Set::new();
    intersect(&sets, |member| result.add(&member.text(), limits));
    result.compact(limits);
    drop(sets);
    store(ctx, &target, result, "sinterstore");
    Ok(())
}

pub(super) fn sintercard(ctx: &mut Context<'_, '_>) -> Done {
    let args = ctx.args;
    let at_least = |arg: &[u8], least: i64, e: Error| {
        number::parse_i64(arg).filter(|&n| n >= least).and_then(|n| usize::try_from(n).ok()).ok_or(e)
    };
    let numkeys = at_least(args.at(1), 1, error::set::NUMKEYS_NOT_POSITIVE)?;
    if numkeys > args.len() - 2 {
        return Err(error::set::NUMKEYS_TOO_BIG.into());
    }
    let mut limit = 0;
    let mut at = 2 + numkeys;
    while let Some(word) = args.get(at) {
        match args.get(at + 1) {
            Some(arg) if is(word, "LIMIT") => limit = at_least(arg, 0, error::set::LIMIT_NEGATIVE)?,
            _ => return Err(error::common::SYNTAX.into()),
        }
        at += 2;
    }
    let sets = gather(ctx.space, args.from(2).iter().take(numkeys))?;
    let mut count = 0;
    intersect(&sets, |_| {
        count += 1;
        count != limit
    });
    ctx.reply.length(count);
    Ok(())
}

/// Shows the members of the intersection to `f` as long as it answers true.
fn intersect(sets: &Sets<'_>, mut f: impl FnMut(Item<'_>) -> bool) {
    let there: Option<SmallVec<[&Set; 8]>> = sets.iter().copied().collect();
    let Some(mut sets) = there else { return };
    sets.sort_by_key(|set| set.len());
    sets.dedup_by(|a, b| std::ptr::eq(*a, *b));
    let Some((smallest, others)) = sets.split_first() else { return };
    for member in smallest.iter() {
        let text = member.text();
        if others.iter().all(|set| set.contains(&text)) && !f(member) {
            return;
        }
    }
}
