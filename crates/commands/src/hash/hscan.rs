//! HSCAN: the fields of a hash, a few at a time.
//!
//! A listpack is answered whole, whatever COUNT says. Cursors, MATCH and the guarantee are those of SCAN.

use command::context::{Context, Done};
use resp::reply::Reply;
use structures::number;
use value::Hash;

use super::answer;
use crate::keys::scan::{ScanOptions, Scanned, cursor};

pub(super) fn hscan(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let cursor = cursor(ctx.args.at(2))?;
    let Some(hash) = ctx.space.read::<Hash>(&key)? else {
        ctx.reply.array(2);
        ctx.reply.bulk(b"0");
        ctx.reply.empty_array();
        return Ok(());
    };
    let options = ScanOptions::parse(&ctx.args, 3, Scanned::Hash)?;
    // The next cursor stands before the fields, but is known only behind them.
    let reply = &mut *ctx.reply;
    let mut fields = Reply::new(reply.proto);
    let mut shown = 0;
    let next = hash.scan(cursor, options.count, |view| {
        if view.field.with_bytes(|name| options.matches(name)) {
            answer(&mut fields, view.field);
            shown += 1;
            if !options.bare {
                answer(&mut fields, view.value);
                shown += 1;
            }
        }
    });
    reply.array(2);
    reply.bulk(&number::unsigned(next));
    reply.array(shown);
    reply.raw(&fields.buf);
    Ok(())
}
