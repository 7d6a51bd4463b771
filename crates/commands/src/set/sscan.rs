//! SSCAN: the members of a set, a few at a time.
//!
//! A set in a compact encoding is answered whole, with cursor 0, whatever COUNT says. An absent set is answered before the
//! options are read.

use command::context::{Context, Done};
use resp::args::Args;
use resp::error::{self, Error};
use structures::{glob, number};
use value::Set;

use super::answer;
use crate::options::{integer, is};

/// The options of SSCAN.
struct Options<'a> {
    count: usize,
    pattern: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, Error> {
        let mut options = Options { count: 10, pattern: None };
        let mut at = 3;
        while let Some(word) = args.get(at) {
            match args.get(at + 1) {
                Some(count) if is(word, "COUNT") => {
                    let count = integer(count)?;
                    options.count = usize::try_from(count).ok().filter(|&n| n > 0).ok_or(error::common::SYNTAX)?;
                }
                Some(pattern) if is(word, "MATCH") => options.pattern = Some(pattern).filter(|&p| p != b"*"),
                _ if is(word, "NOVALUES") => return Err(error::keys::NOVALUES_ONLY_HSCAN),
                _ if is(word, "NOSCORES") => return Err(error::keys::NOSCORES_ONLY_ZSCAN),
                _ => return Err(error::common::SYNTAX),
            }
            at += 2;
        }
        Ok(options)
    }
}

pub(super) fn sscan(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let cursor = number::parse_u64(ctx.args.at(2)).ok_or(error::keys::INVALID_CURSOR)?;
    let Some(set) = ctx.space.read::<Set>(&key)? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.empty_array();
        return Ok(());
    };
    let options = Options::parse(&ctx.args)?;
    let reply = &mut *ctx.reply;
    // The cursor stands before the members but is known behind them.
    let mut members = resp::reply::Reply::new(reply.proto);
    let mut count = 0;
    let next = set.scan(cursor, options.count, |member| {
        if options.pattern.is_none_or(|pattern| glob::matches(pattern, &member.text())) {
            answer(&mut members, member);
            count += 1;
        }
    });
    reply.array(2);
    reply.bulk(&number::unsigned(next));
    reply.array(count);
    reply.raw(&members.buf);
    Ok(())
}
