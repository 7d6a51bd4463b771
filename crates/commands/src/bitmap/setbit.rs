//! SETBIT and GETBIT: one bit.
//!
//! SETBIT answers what the bit was. It makes the string as long as it must be, and is a change when the string grew or
//! the bit is another now. Beyond the end of a string all bits are 0.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use structures::{bits, number};

use super::offset;

pub(super) fn setbit(ctx: &mut Context<'_, '_>) -> Done {
    let bit = offset(ctx, ctx.args.at(2), 1)?;
    let on = match number::parse_i64(ctx.args.at(3)) {
        Some(n @ 0..=1) => n == 1,
        _ => return Err(error::bitmap::BIT_VALUE.into()),
    };
    let key = ctx.key(1);
    let wanted = (bit / 8) as usize + 1;
    let (before, grew) = ctx.space.edit_string(&key, |string| {
        let grew = string.len() < wanted;
        if grew {
            string.resize(wanted);
        }
        (bits::set(string.as_bytes_mut(), bit, on), grew)
    })?;
    if grew || before != on {
        ctx.changed(&key, class::STRING, "setbit", 1);
    }
    ctx.reply.integer(i64::from(before));
    Ok(())
}

pub(super) fn getbit(ctx: &mut Context<'_, '_>) -> Done {
    let bit = offset(ctx, ctx.args.at(2), 1)?;
    let key = ctx.key(1);
    let value = ctx.space.read_string(&key)?;
    let on = value.is_some_and(|value| value.with_bytes(|text| bits::get(text, bit)));
    ctx.reply.integer(i64::from(on));
    Ok(())
}
