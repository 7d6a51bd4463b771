//! BITPOS: the first bit that is set, or clear, in a string or a range of it; -1 when there is none.
//!
//! Behind its end a string goes on with zeros as far as one looks, so there is always a clear bit, at the latest the first
//! one behind the end; unless the range was given an end, beyond which nobody looks. An empty range has no bits of either kind.

use command::context::{Context, Done};
use resp::error;
use structures::bits;

use super::range::Given;
use crate::options::integer;

pub(super) fn bitpos(ctx: &mut Context<'_, '_>) -> Done {
    let on = match integer(ctx.args.at(2))? {
        0 => false,
        1 => true,
        _ => return Err(error::bitmap::BIT_ARGUMENT.into()),
    };
    let given = Given::parse(&ctx.args, 3)?;
    let key = ctx.key(1);
    let position = match ctx.space.read_string(&key)? {
        None => (!on).then_some(0),
        Some(value) => value.with_bytes(|text| {
            let range = match given {
                Some(given) => given.bits(text.len()),
                None => (text.len() as u64 * 8).checked_sub(1).map(|last| (0, last)),
            };
            let (first, last) = range?;
            let behind = (!on && !given.is_some_and(|given| given.has_end())).then_some(last + 1);
            bits::position(text, on, first, last).or(behind)
        }),
    };
    ctx.reply.integer(position.map_or(-1, |bit| bit as i64));
    Ok(())
}
