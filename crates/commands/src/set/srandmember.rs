//! SRANDMEMBER: random members of a set, which stay in it.
//!
//! A positive count draws different members, at most all; a negative one draws that many times, so that members may come
//! again. The answer to a count is an array in either protocol, because of the latter.

use command::context::{Context, Done};
use resp::error;
use value::Set;

use super::answer;
use crate::options::integer;

pub(super) fn srandmember(ctx: &mut Context<'_, '_>) -> Done {
    match ctx.args.len() {
        2 => one(ctx),
        3 => many(ctx),
        _ => Err(error::common::SYNTAX.into()),
    }
}

fn one(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    match ctx.space.read::<Set>(&key)?.and_then(|set| set.random(&mut || ctx.random.draw())) {
        Some(member) => answer(ctx.reply, member),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn many(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let count = integer(ctx.args.at(2))?;
    if count == i64::MIN {
        return Err(error::common::out_of_range_between(-i64::MAX, i64::MAX).into());
    }
    let Some(set) = ctx.space.read::<Set>(&key)? else {
        ctx.reply.empty_array();
        return Ok(());
    };
    let reply = &mut *ctx.reply;
    let mut draw = || ctx.random.draw();
    let times = count.unsigned_abs() as usize;
    if count < 0 {
        reply.array(times);
        for _ in 0..times {
            let Some(member) = set.random(&mut draw) else { break };
            answer(reply, member);
        }
        return Ok(());
    }
    let times = times.min(set.len());
    reply.array(times);
    if times == set.len() {
        set.iter().for_each(|member| answer(reply, member));
    } else {
        set.sample(times, &mut draw, |member| answer(reply, member));
    }
    Ok(())
}
