//! ZRANDMEMBER: random members, with their scores if wanted.
//!
//! Without a count one member, or null; with a positive one so many different members, all if there are fewer; with a
//! negative one so many draws, in which a member may come again.

use command::context::{Context, Done};
use resp::error;
use value::Zset;

use super::{answer, begin, show};
use crate::options::{integer, is};

pub(super) fn zrandmember(ctx: &mut Context<'_, '_>) -> Done {
    if ctx.args.len() > 2 {
        return many(ctx);
    }
    let key = ctx.key(1);
    match ctx.space.read::<Zset>(&key)?.and_then(|zset| zset.random(&mut || ctx.random.draw())) {
        Some((member, _)) => answer(ctx.reply, member),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn many(ctx: &mut Context<'_, '_>) -> Done {
    let count = integer(ctx.args.at(2))?;
    if count == i64::MIN {
        return Err(error::common::out_of_range_between(-i64::MAX, i64::MAX).into());
    }
    let with_scores = match ctx.args.get(3) {
        None => false,
        Some(word) if is(word, "WITHSCORES") && ctx.args.len() == 4 => true,
        Some(_) => return Err(error::common::SYNTAX.into()),
    };
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(error::common::OUT_OF_RANGE.into());
    }
    let key = ctx.key(1);
    let Some(zset) = ctx.space.read::<Zset>(&key)? else {
        ctx.reply.empty_array();
        return Ok(());
    };
    let reply = &mut *ctx.reply;
    let mut draw = || ctx.random.draw();
    let asked = count.unsigned_abs() as usize;
    let times = if count < 0 { asked } else { asked.min(zset.len()) };
    begin(reply, times, with_scores);
    if count < 0 {
        for _ in 0..times {
            let Some((member, score)) = zset.random(&mut draw) else { break };
            show(reply, member, score, with_scores);
        }
    } else if times == zset.len() {
        zset.iter().for_each(|(member, score)| show(reply, member, score, with_scores));
    } else {
        zset.sample(times, &mut draw, |member, score| show(reply, member, score, with_scores));
    }
    Ok(())
}
