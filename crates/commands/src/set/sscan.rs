//! SSCAN: the members of a set, a few at a time.
//!
//! A set in a compact encoding is answered whole, with cursor 0, whatever COUNT says. An absent set is answered before the
//! options are read.

use command::context::{Context, Done};
use structures::number;
use value::Set;

use super::answer;
use crate::keys::scan::{ScanOptions, Scanned, cursor};

pub(super) fn sscan(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let cursor = cursor(ctx.args.at(2))?;
    let Some(set) = ctx.space.read::<Set>(&key)? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.empty_array();
        return Ok(());
    };
    let options = ScanOptions::parse(&ctx.args, 3, Scanned::Set)?;
    let reply = &mut *ctx.reply;
    // The cursor stands before the members but is known behind them.
    let mut members = resp::reply::Reply::new(reply.proto);
    let mut count = 0;
    let next = set.scan(cursor, options.count, |member| {
        if options.matches(&member.text()) {
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
