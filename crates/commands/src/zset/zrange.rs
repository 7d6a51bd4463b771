//! ZRANGE and its older kin, ZRANGESTORE: the members of a range, answered or stored.
//!
//! | verb | by | from |
//! |---|---|---|
//! | ZRANGE | rank, or BYSCORE, BYLEX | the lowest, or REV |
//! | ZREVRANGE | rank | the highest |
//! | ZRANGEBYSCORE, ZRANGEBYLEX | score, bytes | the lowest |
//! | ZREVRANGEBYSCORE, ZREVRANGEBYLEX | score, bytes | the highest: the greater end comes first |
//! | ZRANGESTORE | as ZRANGE, without WITHSCORES | |
//!
//! A negative offset of LIMIT gives nothing, a negative count everything.
//!
//! Where we differ from Valkey: there a negative offset counts from the far end of the range in a big set, and gives
//! nothing in a small one; here it gives nothing in either.

use command::context::{Context, Done};
use resp::args::Args;
use resp::error::{self, Error};
use value::Zset;

use super::range::{By, Span, Window};
use super::{begin, show, store};
use crate::options::{integer, is};

/// What a verb leaves open: `None` may be said by an option.
#[derive(Clone, Copy)]
struct Form {
    by: Option<By>,
    reverse: Option<bool>,
    store: bool,
}

/// A range with its options, as it is asked for.
struct Query<'a> {
    span: Span<'a>,
    reverse: bool,
    with_scores: bool,
    window: Window,
}

impl<'a> Query<'a> {
    /// Reads the arguments behind the key at `at`: two ends and options.
    fn parse(args: &Args<'a>, at: usize, form: Form) -> Result<Query<'a>, Error> {
        let Form { mut by, mut reverse, store } = form;
        let mut with_scores = false;
        let mut window = Window::ALL;
        let mut next = at + 3;
        while let Some(word) = args.get(next) {
            if !store && is(word, "WITHSCORES") {
                with_scores = true;
            } else if is(word, "LIMIT") && next + 2 < args.len() {
                window = Window { offset: integer(args.at(next + 1))?, count: integer(args.at(next + 2))? };
                next += 2;
            } else if reverse.is_none() && is(word, "REV") {
                reverse = Some(true);
            } else if by.is_none() && is(word, "BYLEX") {
                by = Some(By::Lex);
            } else if by.is_none() && is(word, "BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(error::common::SYNTAX);
            }
            next += 1;
        }
        let by = by.unwrap_or(By::Rank);
        let reverse = reverse.unwrap_or(false);
        if window.count != -1 && by == By::Rank {
            return Err(error::zset::LIMIT_NEEDS_BY);
        }
        if with_scores && by == By::Lex {
            return Err(error::zset::WITHSCORES_BYLEX);
        }
        let (from, to) = (args.at(at + 1), args.at(at + 2));
        let span = if reverse && by != By::Rank { Span::parse(by, to, from)? } else { Span::parse(by, from, to)? };
        let window = if by == By::Rank { Window::ALL } else { window };
        Ok(Query { span, reverse, with_scores, window })
    }

    /// The ranks that are asked for.
    fn ranks(&self, zset: &Zset) -> std::ops::Range<usize> {
        self.window.cut(self.span.ranks(zset, self.reverse), self.reverse)
    }
}

pub(super) fn zrange(ctx: &mut Context<'_, '_>) -> Done {
    answer_range(ctx, Form { by: None, reverse: None, store: false })
}

pub(super) fn zrevrange(ctx: &mut Context<'_, '_>) -> Done {
    answer_range(ctx, Form { by: Some(By::Rank), reverse: Some(true), store: false })
}

pub(super) fn zrangebyscore(ctx: &mut Context<'_, '_>) -> Done {
    answer_range(ctx, Form { by: Some(By::Score), reverse: Some(false), store: false })
}

pub(super) fn zrevrangebyscore(ctx: &mut Context<'_, '_>) -> Done {
    answer_range(ctx, Form { by: Some(By::Score), reverse: Some(true), store: false })
}

pub(super) fn zrangebylex(ctx: &mut Context<'_, '_>) -> Done {
    answer_range(ctx, Form { by: Some(By::Lex), reverse: Some(false), store: false })
}

pub(super) fn zrevrangebylex(ctx: &mut Context<'_, '_>) -> Done {
    answer_range(ctx, Form { by: Some(By::Lex), reverse: Some(true), store: false })
}

fn answer_range(ctx: &mut Context<'_, '_>, form: Form) -> Done {
    let query = Query::parse(&ctx.args, 1, form)?;
    let key = ctx.key(1);
    let Some(zset) = ctx.space.read::<Zset>(&key)? else {
        ctx.reply.empty_array();
        return Ok(());
    };
    let ranks = query.ranks(zset);
    let reply = &mut *ctx.reply;
    begin(reply, ranks.len(), query.with_scores);
    let members = zset.range(ranks);
    if query.reverse {
        members.rev().for_each(|(member, score)| show(reply, member, score, query.with_scores));
    } else {
        members.for_each(|(member, score)| show(reply, member, score, query.with_scores));
    }
    Ok(())
}

pub(super) fn zrangestore(ctx: &mut Context<'_, '_>) -> Done {
    let query = Query::parse(&ctx.args, 2, Form { by: None, reverse: None, store: true })?;
    let (target, source) = (ctx.key(1), ctx.key(2));
    let limits = &ctx.env.limits;
    let mut result = Zset::new();
    if let Some(zset) = ctx.space.read::<Zset>(&source)? {
        let ranks = query.ranks(zset);
        result.prepare(ranks.len(), 0, limits);
        for (member, score) in zset.range(ranks) {
            result.insert(&member.text(), score, limits);
        }
    }
    store(ctx, &target, result, "zrangestore");
    Ok(())
}
