//! ZADD, ZINCRBY: members with scores, added or moved.
//!
//! ```text
//!   ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member …
//!            NX: only new members    XX: only members that are there
//!            GT, LT: a member that is there only gets a greater, a lesser score
//! ```
//!
//! What counts as a change is a member that is new or whose score has become another; a call without any is no change at
//! all: no event, nothing in the journal. With INCR the answer is the new score, or null when an option forbade it.

use command::context::{Context, Done};
use command::effects::class;
use resp::args::Args;
use resp::error::{self, Error};
use smallvec::SmallVec;
use structures::number;
use value::{Change, Limits, Zset};

use crate::options::is;

/// The options of ZADD, and where the pairs begin.
#[derive(Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_present: bool,
    only_greater: bool,
    only_less: bool,
    count_changes: bool,
    increment: bool,
    pairs: usize,
}

impl Options {
    fn parse(args: &Args<'_>, increment: bool) -> Result<Options, Error> {
        let mut options = Options { increment, pairs: 2, ..Options::default() };
        while let Some(word) = args.get(options.pairs) {
            match word {
                // No option begins like a number, so most calls compare no words.
                [b'0'..=b'9' | b'-' | b'+' | b'.', ..] => break,
                _ if is(word, "NX") => options.only_new = true,
                _ if is(word, "XX") => options.only_present = true,
                _ if is(word, "CH") => options.count_changes = true,
                _ if is(word, "INCR") => options.increment = true,
                _ if is(word, "GT") => options.only_greater = true,
                _ if is(word, "LT") => options.only_less = true,
                _ => break,
            }
            options.pairs += 1;
        }
        let words = args.len() - options.pairs;
        if words == 0 || !words.is_multiple_of(2) {
            return Err(error::common::SYNTAX);
        }
        if options.only_new && options.only_present {
            return Err(error::zset::XX_AND_NX);
        }
        let (gt, lt) = (options.only_greater, options.only_less);
        if (gt || lt) && options.only_new || gt && lt {
            return Err(error::zset::GT_LT_NX);
        }
        if options.increment && words > 2 {
            return Err(error::zset::INCR_ONE_PAIR);
        }
        Ok(options)
    }

    /// Whether what happens to a member does not depend on its present score.
    fn is_plain(&self) -> bool {
        !(self.only_new || self.only_present || self.only_greater || self.only_less || self.increment)
    }

    /// The score that a member is to get; `None` where an option forbids it.
    fn score(&self, given: f64, present: Option<f64>) -> Result<Option<f64>, Error> {
        let Some(present) = present else { return Ok(Some(given).filter(|_| !self.only_present)) };
        if self.only_new {
            return Ok(None);
        }
        let score = if self.increment { present + given } else { given };
        if score.is_nan() {
            return Err(error::zset::SCORE_NAN);
        }
        let forbidden = self.only_less && score >= present || self.only_greater && score <= present;
        Ok(Some(score).filter(|_| !forbidden))
    }
}

/// What has become of the members.
#[derive(Default)]
struct Tally {
    added: usize,
    updated: usize,
}

impl Tally {
    fn note(&mut self, change: Change) {
        match change {
            Change::Added => self.added += 1,
            Change::Updated { .. } => self.updated += 1,
            Change::Same => {}
        }
    }
}

pub(super) fn zadd(ctx: &mut Context<'_, '_>) -> Done {
    add(ctx, false)
}

pub(super) fn zincrby(ctx: &mut Context<'_, '_>) -> Done {
    add(ctx, true)
}

fn add(ctx: &mut Context<'_, '_>, increment: bool) -> Done {
    let options = Options::parse(&ctx.args, increment)?;
    let pairs = ctx.args.from(options.pairs);
    let mut scores: SmallVec<[f64; 16]> = SmallVec::new();
    let mut longest = 0;
    for at in (0..pairs.len()).step_by(2) {
        scores.push(number::parse_f64(pairs.at(at)).ok_or(error::common::NOT_FLOAT)?);
        longest = longest.max(pairs.at(at + 1).len());
    }
    let key = ctx.key(1);
    let limits: &Limits = &ctx.env.limits;
    let zset = if options.only_present {
        // An absent key stays so.
        let Some(zset) = ctx.space.edit::<Zset>(&key)? else {
            if options.increment {
                ctx.reply.null()
            } else {
                ctx.reply.integer(0)
            }
            return Ok(());
        };
        zset
    } else {
        ctx.space.edit_or_create::<Zset>(&key)?
    };
    // With INCR there is one pair, so an error comes before any change.
    let mut tally = Tally::default();
    let mut result = None;
    zset.prepare(scores.len(), longest, limits);
    for (i, &given) in scores.iter().enumerate() {
        let member = pairs.at(2 * i + 1);
        result = if options.is_plain() { Some(given) } else { options.score(given, zset.score(member))? };
        if let Some(score) = result {
            tally.note(zset.insert(member, score, limits));
        }
    }
    let changes = tally.added + tally.updated;
    if changes > 0 {
        ctx.changed(&key, class::ZSET, if options.increment { "zincr" } else { "zadd" }, changes as u64);
    }
    match result {
        Some(score) if options.increment => ctx.reply.double(score),
        None if options.increment => ctx.reply.null(),
        _ => ctx.reply.length(if options.count_changes { changes } else { tally.added }),
    }
    Ok(())
}
