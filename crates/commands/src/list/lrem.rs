//! LREM: the elements that equal a value, so many of them from the front, or from the back if the count is negative; all
//! of them if it is 0.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use value::List;

use crate::options::integer;

pub(super) fn lrem(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let count = integer(ctx.args.at(2))?;
    if count == i64::MIN {
        return Err(error::common::out_of_range_between(-i64::MAX, i64::MAX).into());
    }
    let Some(list) = ctx.space.edit::<List>(&key)? else {
        ctx.reply.integer(0);
        return Ok(());
    };
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let removed = list.remove_equal(ctx.args.at(3), most, count < 0, &ctx.env.limits);
    if removed > 0 {
        ctx.changed(&key, class::LIST, "lrem", removed as u64);
        ctx.delete_if_empty::<List>(&key);
    }
    ctx.reply.length(removed);
    Ok(())
}
