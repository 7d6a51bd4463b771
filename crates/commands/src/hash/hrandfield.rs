//! HRANDFIELD: random fields, with their values if wanted.
//!
//! ```text
//!   no count      one field, or null
//!   count ≥ 0     so many different fields, all if there are fewer
//!   count < 0     so many draws: a field may come again
//! ```
//!
//! With values, RESP3 gets pairs within the array, RESP2 fields and values in turn.

use command::context::{Context, Done};
use resp::error;
use resp::reply::Reply;
use value::{FieldView, Hash};

use super::{answer, answer_or_null};
use crate::options::{integer, is};

pub(super) fn hrandfield(ctx: &mut Context<'_, '_>) -> Done {
    if ctx.args.len() > 2 {
        return many(ctx);
    }
    let key = ctx.key(1);
    let found = ctx.space.read::<Hash>(&key)?.and_then(|hash| hash.random(&mut || ctx.random.draw()));
    answer_or_null(ctx.reply, found.map(|view| view.field));
    Ok(())
}

fn many(ctx: &mut Context<'_, '_>) -> Done {
    let count = integer(ctx.args.at(2))?;
    if count == i64::MIN {
        return Err(error::common::out_of_range_between(-i64::MAX, i64::MAX).into());
    }
    let with_values = match ctx.args.get(3) {
        None => false,
        Some(word) if is(word, "WITHVALUES") && ctx.args.len() == 4 => true,
        Some(_) => return Err(error::common::SYNTAX.into()),
    };
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(error::common::OUT_OF_RANGE.into());
    }
    let key = ctx.key(1);
    let Some(hash) = ctx.space.read::<Hash>(&key)? else {
        ctx.reply.empty_array();
        return Ok(());
    };
    let reply = &mut *ctx.reply;
    let mut draw = || ctx.random.draw();
    let asked = count.unsigned_abs() as usize;
    let times = if count < 0 { asked } else { asked.min(hash.len()) };
    let flat = with_values && !reply.is_resp3();
    reply.array(if flat { 2 * times } else { times });
    if count < 0 {
        for _ in 0..times {
            let Some(view) = hash.random(&mut draw) else { break };
            show(reply, view, with_values);
        }
    } else if times == hash.len() {
        hash.iter().for_each(|view| show(reply, view, with_values));
    } else {
        hash.sample(times, &mut draw, |view| show(reply, view, with_values));
    }
    Ok(())
}

fn show(reply: &mut Reply, view: FieldView<'_>, with_value: bool) {
    if with_value && reply.is_resp3() {
        reply.array(2);
    }
    answer(reply, view.field);
    if with_value {
        answer(reply, view.value);
    }
}
