//! SDIFF, SDIFFSTORE: the members of the first set that are in none of the others.
//!
//! There are two ways, and the one with less to do by a rough count is taken:
//!
//! ```text
//!   look up:   each member of the first set in each of the others, bigger ones first      O(first × sets)
//!   subtract:  all members of all others from a copy of the first set                     O(all members)
//! ```

use command::context::{Context, Done};
use value::{Item, Limits, Set};

use super::{Sets, answer, answer_all, gather, store};

pub(super) fn sdiff(ctx: &mut Context<'_, '_>) -> Done {
    let mut sets = gather(ctx.space, ctx.args.from(1).iter())?;
    let reply = &mut *ctx.reply;
    match Way::of(&mut sets) {
        Way::Nothing => reply.set(0),
        Way::LookUp => {
            let header = reply.deferred();
            let mut count = 0;
            look_up(&sets, |member| {
                answer(reply, member);
                count += 1;
            });
            reply.set_set_len(header, count);
        }
        Way::Subtract => {
            let mut result = Set::new();
            result.prepare(b"", usize::MAX, &ctx.env.limits);
            subtract(&mut result, &sets, &ctx.env.limits);
            answer_all(reply, &result);
        }
    }
    Ok(())
}

pub(super) fn sdiffstore(ctx: &mut Context<'_, '_>) -> Done {
    let target = ctx.key(1);
    let limits = &ctx.env.limits;
    let mut sets = gather(ctx.space, ctx.args.from(2).iter())?;
    let mut result = Set::new();
    match Way::of(&mut sets) {
        Way::Nothing => {}
        Way::LookUp => look_up(&sets, |member| {
            result.add(&member.text(), limits);
        }),
        Way::Subtract => subtract(&mut result, &sets, limits),
    }
    drop(sets);
    store(ctx, &target, result, "sdiffstore");
    Ok(())
}

/// How a difference is computed.
enum Way {
    Nothing,
    LookUp,
    Subtract,
}

impl Way {
    /// Chooses the way, and puts the sets to be subtracted into the order that suits it.
    fn of(sets: &mut Sets<'_>) -> Way {
        let Some((&Some(first), others)) = sets.split_first() else { return Way::Nothing };
        if others.iter().flatten().any(|set| std::ptr::eq(*set, first)) {
            return Way::Nothing;
        }
        let there = sets.iter().flatten();
        let (count, members) = there.fold((0, 0), |(count, members), set| (count + 1, members + set.len()));
        if first.len() * count / 2 > members {
            return Way::Subtract;
        }
        sets[1..].sort_by_key(|set| std::cmp::Reverse(set.map_or(0, Set::len)));
        Way::LookUp
    }
}

fn look_up(sets: &Sets<'_>, mut f: impl FnMut(Item<'_>)) {
    let Some((Some(first), others)) = sets.split_first() else { return };
    for member in first.iter() {
        let text = member.text();
        if !others.iter().flatten().any(|set| set.contains(&text)) {
            f(member);
        }
    }
}

fn subtract(result: &mut Set, sets: &Sets<'_>, limits: &Limits) {
    let Some((Some(first), others)) = sets.split_first() else { return };
    for member in first.iter() {
        result.add(&member.text(), limits);
    }
    for set in others.iter().flatten() {
        for member in set.iter() {
            result.remove(&member.text());
        }
        if result.is_empty() {
            break;
        }
    }
}
