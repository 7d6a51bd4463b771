//! SUNION, SUNIONSTORE: the members that are in any of several sets.

use command::context::{Context, Done};
use value::{Limits, Set};

use super::{Sets, answer_all, gather, store};

pub(super) fn sunion(ctx: &mut Context<'_, '_>) -> Done {
    let sets = gather(ctx.space, ctx.args.from(1).iter())?;
    if let [Some(set)] = sets[..] {
        answer_all(ctx.reply, set);
        return Ok(());
    }
    let mut result = Set::new();
    let intsets = sets.iter().flatten().all(|set| set.encoding() == "intset");
    if !intsets {
        // A result that is only answered needs no compact form: a table finds what is there already faster.
        result.prepare(b"", usize::MAX, &ctx.env.limits);
    }
    unite(&mut result, &sets, &ctx.env.limits);
    answer_all(ctx.reply, &result);
    Ok(())
}

pub(super) fn sunionstore(ctx: &mut Context<'_, '_>) -> Done {
    let target = ctx.key(1);
    let limits = &ctx.env.limits;
    let sets = gather(ctx.space, ctx.args.from(2).iter())?;
    let mut result = Set::new();
    unite(&mut result, &sets, limits);
    drop(sets);
    store(ctx, &target, result, "sunionstore");
    Ok(())
}

fn unite(result: &mut Set, sets: &Sets<'_>, limits: &Limits) {
    for set in sets.iter().flatten() {
        for member in set.iter() {
            result.add(&member.text(), limits);
        }
    }
}
