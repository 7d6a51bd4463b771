//! Bitmaps: strings seen as bits. Bit 0 is the most significant bit of the first byte.

use command::binding::{Binding, keys};
use command::context::Context;
use resp::error::{self, Error};
use structures::number;

mod bitcount;
mod bitfield;
mod bitop;
mod bitpos;
mod range;
mod setbit;

pub(crate) const TABLE: &[Binding] = &[
    keys("bitcount", bitcount::bitcount),
    keys("bitfield", bitfield::bitfield),
    keys("bitfield_ro", bitfield::bitfield_ro),
    keys("bitop", bitop::bitop),
    keys("bitpos", bitpos::bitpos),
    keys("getbit", setbit::getbit),
    keys("setbit", setbit::setbit),
];

/// The offset of a bit that an argument names, counted in units of `width` bits. It lies within the longest string, unless
/// a primary or the AOF says otherwise.
fn offset(ctx: &Context<'_, '_>, text: &[u8], width: u32) -> Result<u64, Error> {
    let bit = number::parse_i64(text).and_then(|n| n.checked_mul(i64::from(width)));
    let bit = bit.and_then(|n| u64::try_from(n).ok()).ok_or(error::bitmap::BIT_OFFSET)?;
    if !ctx.env.obey && bit / 8 >= ctx.env.max_string as u64 {
        return Err(error::bitmap::BIT_OFFSET);
    }
    Ok(bit)
}
