//! ZUNION, ZINTER, ZDIFF, their forms that store, and ZINTERCARD.
//!
//! ```text
//!   ZUNION      numkeys key … [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX] [WITHSCORES]
//!   ZUNIONSTORE target numkeys key … [WEIGHTS weight …] [AGGREGATE SUM|MIN|MAX]
//!   ZDIFF       numkeys key … [WITHSCORES]
//!   ZINTERCARD  numkeys key … [LIMIT n]                        0: no limit
//! ```
//!
//! The types of the inputs are judged before the options. A stored result replaces whatever the target was, and may be
//! one of the inputs.

use command::context::{Context, Done};
use resp::args::Args;
use resp::error::{self, Error};
use structures::number;
use value::Zset;

use super::algebra::{Aggregate, Inputs, difference, gather, intersect, intersection, union};
use super::{begin, show, store};
use crate::options::{integer, is};

/// Which of the verbs it is, as far as options differ.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// Union and intersection.
    Weighted,
    /// Difference.
    Bare,
    /// ZINTERCARD.
    Card,
}

/// The options behind the keys.
#[derive(Default)]
struct Options {
    aggregate: Aggregate,
    with_scores: bool,
    limit: usize,
}

/// How many keys there are, by the argument at `at`.
fn numkeys(ctx: &Context<'_, '_>, at: usize) -> Result<usize, Error> {
    let given = integer(ctx.args.at(at))?;
    let count = usize::try_from(given).ok().filter(|&n| n > 0);
    let count = count.ok_or_else(|| error::zset::needs_input_key(ctx.row.fullname))?;
    if count > ctx.args.len() - at - 1 {
        return Err(error::common::SYNTAX);
    }
    Ok(count)
}

impl Options {
    /// Reads the arguments from `at` on; weights go into the inputs.
    fn parse(
        args: &Args<'_>,
        mut at: usize,
        verb: Verb,
        stores: bool,
        inputs: &mut Inputs<'_>,
    ) -> Result<Options, Error> {
        let mut options = Options::default();
        while let Some(word) = args.get(at) {
            let left = args.len() - at - 1;
            if verb == Verb::Weighted && left >= inputs.len() && is(word, "WEIGHTS") {
                for (input, weight) in inputs.iter_mut().zip(args.from(at + 1)) {
                    input.weight = number::parse_f64(weight).ok_or(error::zset::WEIGHT_NOT_FLOAT)?;
                }
                at += 1 + inputs.len();
            } else if verb == Verb::Weighted && left >= 1 && is(word, "AGGREGATE") {
                options.aggregate = match args.at(at + 1) {
                    how if is(how, "SUM") => Aggregate::Sum,
                    how if is(how, "MIN") => Aggregate::Min,
                    how if is(how, "MAX") => Aggregate::Max,
                    _ => return Err(error::common::SYNTAX),
                };
                at += 2;
            } else if !stores && verb != Verb::Card && is(word, "WITHSCORES") {
                options.with_scores = true;
                at += 1;
            } else if verb == Verb::Card && left >= 1 && is(word, "LIMIT") {
                let limit = number::parse_i64(args.at(at + 1)).and_then(|n| usize::try_from(n).ok());
                options.limit = limit.ok_or(error::common::LIMIT_NEGATIVE)?;
                at += 2;
            } else {
                return Err(error::common::SYNTAX);
            }
        }
        Ok(options)
    }
}

/// Reads keys and options of which the number of keys is at `at`.
fn inputs<'s>(ctx: &'s mut Context<'_, '_>, at: usize, verb: Verb) -> Result<(Inputs<'s>, Options), Error> {
    let count = numkeys(ctx, at)?;
    let args = ctx.args;
    let mut inputs = gather(ctx.space, args.from(at + 1).iter().take(count))?;
    let options = Options::parse(&args, at + 1 + count, verb, at == 2, &mut inputs)?;
    Ok((inputs, options))
}

pub(super) fn zunion(ctx: &mut Context<'_, '_>) -> Done {
    let limits = ctx.env.limits;
    let (inputs, options) = inputs(ctx, 1, Verb::Weighted)?;
    let result = union(inputs, options.aggregate, &limits);
    answer_result(ctx, &result, options.with_scores);
    Ok(())
}

pub(super) fn zinter(ctx: &mut Context<'_, '_>) -> Done {
    let limits = ctx.env.limits;
    let (inputs, options) = inputs(ctx, 1, Verb::Weighted)?;
    let result = intersection(inputs, options.aggregate, &limits);
    answer_result(ctx, &result, options.with_scores);
    Ok(())
}

pub(super) fn zdiff(ctx: &mut Context<'_, '_>) -> Done {
    let limits = ctx.env.limits;
    let (inputs, options) = inputs(ctx, 1, Verb::Bare)?;
    let result = difference(inputs, &limits);
    answer_result(ctx, &result, options.with_scores);
    Ok(())
}

pub(super) fn zunionstore(ctx: &mut Context<'_, '_>) -> Done {
    let limits = ctx.env.limits;
    let (inputs, options) = inputs(ctx, 2, Verb::Weighted)?;
    let result = union(inputs, options.aggregate, &limits);
    let target = ctx.key(1);
    store(ctx, &target, result, "zunionstore");
    Ok(())
}

pub(super) fn zinterstore(ctx: &mut Context<'_, '_>) -> Done {
    let limits = ctx.env.limits;
    let (inputs, options) = inputs(ctx, 2, Verb::Weighted)?;
    let result = intersection(inputs, options.aggregate, &limits);
    let target = ctx.key(1);
    store(ctx, &target, result, "zinterstore");
    Ok(())
}

pub(super) fn zdiffstore(ctx: &mut Context<'_, '_>) -> Done {
    let limits = ctx.env.limits;
    let (inputs, _) = inputs(ctx, 2, Verb::Bare)?;
    let result = difference(inputs, &limits);
    let target = ctx.key(1);
    store(ctx, &target, result, "zdiffstore");
    Ok(())
}

pub(super) fn zintercard(ctx: &mut Context<'_, '_>) -> Done {
    let (inputs, options) = inputs(ctx, 1, Verb::Card)?;
    let mut count = 0;
    intersect(inputs, Aggregate::Sum, |_, _| {
        count += 1;
        count != options.limit
    });
    ctx.reply.length(count);
    Ok(())
}

fn answer_result(ctx: &mut Context<'_, '_>, result: &Zset, with_scores: bool) {
    let reply = &mut *ctx.reply;
    begin(reply, result.len(), with_scores);
    result.iter().for_each(|(member, score)| show(reply, member, score, with_scores));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use crate::testing::Keyspace;

    type Model = BTreeMap<u8, i32>;

    fn fill(s: &mut Keyspace, key: &str, model: &Model) {
        for (member, score) in model {
            s.run(&format!("ZADD {key} {score} m{member}"));
        }
    }

    /// The reply to WITHSCORES that has these members.
    fn text(model: &Model) -> String {
        let mut all: Vec<(i32, String)> = model.iter().map(|(m, &score)| (score, format!("m{m}"))).collect();
        all.sort();
        let all: Vec<String> = all.iter().map(|(score, m)| format!("\"{m}\" \"{score}\"")).collect();
        format!("[{}]", all.join(" "))
    }

    fn inputs() -> impl Strategy<Value = Vec<(Model, i32)>> {
        prop::collection::vec((prop::collection::btree_map(0..30u8, -9..9i32, 0..20), -3..4i32), 1..4)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn results_are_those_of_a_naive_algebra(inputs in inputs(), how in 0..3usize, small: bool) {
            let mut s = Keyspace::new();
            if small {
                s.env.limits.zset_listpack_entries = 4;
            }
            let (word, f): (&str, fn(i32, i32) -> i32) =
                [("SUM", (|a, b| a + b) as fn(i32, i32) -> i32), ("MIN", i32::min), ("MAX", i32::max)][how];
            let mut keys = String::new();
            let mut weights = String::new();
            for (i, (model, weight)) in inputs.iter().enumerate() {
                fill(&mut s, &format!("k{i}"), model);
                keys += &format!(" k{i}");
                weights += &format!(" {weight}");
            }
            let mut union = Model::new();
            for (model, weight) in &inputs {
                for (&member, score) in model {
                    let score = score * weight;
                    union.entry(member).and_modify(|so_far| *so_far = f(*so_far, score)).or_insert(score);
                }
            }
            let in_all = |member: &u8| inputs.iter().all(|(model, _)| model.contains_key(member));
            let inter: Model = union.clone().into_iter().filter(|(member, _)| in_all(member)).collect();
            let in_others = |member: &u8| inputs[1..].iter().any(|(model, _)| model.contains_key(member));
            let diff: Model = inputs[0].0.clone().into_iter().filter(|(member, _)| !in_others(member)).collect();
            let n = inputs.len();
            for (verb, wanted) in [("ZUNION", &union), ("ZINTER", &inter)] {
                let options = format!("{n}{keys} WEIGHTS{weights} AGGREGATE {word}");
                // A zero may have a sign, which is not told apart here.
                let reply = s.run(&format!("{verb} {options} WITHSCORES")).replace("\"-0\"", "\"0\"");
                prop_assert_eq!(reply, text(wanted));
                prop_assert_eq!(s.run(&format!("{verb}STORE t {options}")), wanted.len().to_string());
                let stored = s.run("ZRANGE t 0 -1 WITHSCORES").replace("\"-0\"", "\"0\"");
                prop_assert_eq!(stored, text(wanted));
            }
            prop_assert_eq!(s.run(&format!("ZDIFF {n}{keys} WITHSCORES")), text(&diff));
            prop_assert_eq!(s.run(&format!("ZINTERCARD {n}{keys}")), inter.len().to_string());
            let limited = inter.len().min(2).to_string();
            prop_assert_eq!(s.run(&format!("ZINTERCARD {n}{keys} LIMIT 2")), limited);
        }
    }
}
