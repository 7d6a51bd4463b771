//! ZRANK, ZREVRANK: where a member stands, counted from the lowest score or from the highest; with its score if wanted.
//!
//! A member that is not there is a null; where the score was asked for, a null array.

use command::context::{Context, Done};
use resp::error;
use value::Zset;

use crate::options::is;

pub(super) fn zrank(ctx: &mut Context<'_, '_>) -> Done {
    rank(ctx, false)
}

pub(super) fn zrevrank(ctx: &mut Context<'_, '_>) -> Done {
    rank(ctx, true)
}

fn rank(ctx: &mut Context<'_, '_>, reverse: bool) -> Done {
    let with_score = match ctx.args.get(3) {
        _ if ctx.args.len() > 4 => return Err(error::common::wrong_arity(ctx.row.fullname).into()),
        None => false,
        Some(word) if is(word, "WITHSCORE") => true,
        Some(_) => return Err(error::common::SYNTAX.into()),
    };
    let (key, member) = (ctx.key(1), ctx.args.at(2));
    let found = ctx.space.read::<Zset>(&key)?.and_then(|zset| {
        let rank = zset.rank(member)?;
        let rank = if reverse { zset.len() - 1 - rank } else { rank };
        let score = if with_score { zset.score(member)? } else { 0.0 };
        Some((rank, score))
    });
    match found {
        Some((rank, score)) if with_score => {
            ctx.reply.array(2);
            ctx.reply.length(rank);
            ctx.reply.double(score);
        }
        Some((rank, _)) => ctx.reply.length(rank),
        None if with_score => ctx.reply.null_array(),
        None => ctx.reply.null(),
    }
    Ok(())
}
