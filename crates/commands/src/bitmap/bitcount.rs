//! BITCOUNT: how many bits are set in a string, or in a range of it.

use command::context::{Context, Done};
use structures::bits;

use super::range::Given;

pub(super) fn bitcount(ctx: &mut Context<'_, '_>) -> Done {
    let given = Given::parse(&ctx.args, 2)?;
    let key = ctx.key(1);
    let value = ctx.space.read_string(&key)?;
    let count = value.map_or(0, |value| {
        value.with_bytes(|text| match given {
            None => bits::count(text),
            Some(given) if given.is_reversed() => 0,
            Some(given) => given.bits(text.len()).map_or(0, |(first, last)| bits::count_range(text, first, last)),
        })
    });
    ctx.reply.integer(count as i64);
    Ok(())
}
