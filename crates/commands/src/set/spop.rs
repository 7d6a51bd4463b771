//! SPOP: random members out of a set.
//!
//! Chance is not repeated on replicas: what is journalled is the SREM of the members that were drawn, or the end of the
//! key when a count has taken all of them.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use smallvec::SmallVec;
use structures::number;
use value::Set;

use super::{answer, answer_all};

/// Members in one journalled SREM.
const BATCH: usize = 1024;

/// A member's text; most fit without an allocation.
type Text = SmallVec<[u8; 32]>;

pub(super) fn spop(ctx: &mut Context<'_, '_>) -> Done {
    match ctx.args.len() {
        2 => pop_one(ctx),
        3 => pop_many(ctx),
        _ => Err(error::common::SYNTAX.into()),
    }
}

fn pop_one(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let Some(set) = ctx.space.edit::<Set>(&key)? else {
        ctx.reply.null();
        return Ok(());
    };
    let drawn = set.pop(&mut || ctx.random.draw(), |member| Text::from_slice(&member.text()));
    let Some(member) = drawn else { return Ok(()) };
    ctx.changed(&key, class::SET, "spop", 1);
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"SREM", key.bytes, &member]);
    ctx.reply.bulk(&member);
    ctx.delete_if_empty::<Set>(&key);
    Ok(())
}

fn pop_many(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let db = ctx.space.db;
    let count = number::parse_i64(ctx.args.at(2)).and_then(|n| usize::try_from(n).ok());
    let count = count.ok_or(error::common::MUST_BE_POSITIVE)?;
    let Some(set) = ctx.space.edit::<Set>(&key)?.filter(|_| count > 0) else {
        ctx.reply.set(0);
        return Ok(());
    };
    let len = set.len();
    if count >= len {
        answer_all(ctx.reply, set);
        ctx.changed(&key, class::SET, "spop", len as u64);
        ctx.space.remove(&key, ctx.deletion());
        ctx.notify(&key, class::GENERIC, "del");
        let verb: &[u8] = if ctx.env.lazy_server_del { b"UNLINK" } else { b"DEL" };
        ctx.effects.rewrite(db, &[verb, key.bytes]);
        return Ok(());
    }
    let mut drawn: Vec<Text> = Vec::with_capacity(count);
    ctx.reply.set(count);
    set.sample(count, &mut || ctx.random.draw(), |member| {
        answer(ctx.reply, member);
        drawn.push(Text::from_slice(&member.text()));
    });
    for member in &drawn {
        set.remove(member);
    }
    ctx.changed(&key, class::SET, "spop", count as u64);
    let mut command: Vec<&[u8]> = Vec::with_capacity(count.min(BATCH) + 2);
    for members in drawn.chunks(BATCH) {
        command.clear();
        command.extend([b"SREM", key.bytes]);
        command.extend(members.iter().map(|member| &member[..]));
        ctx.effects.rewrite(db, &command);
    }
    Ok(())
}
