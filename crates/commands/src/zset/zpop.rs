//! ZPOPMIN, ZPOPMAX, BZPOPMIN, BZPOPMAX: the members with the lowest or the highest scores, removed and answered.
//!
//! ```text
//!   ZPOPMIN key          [member, score]                     flat in either protocol
//!   ZPOPMIN key count    members with scores                 in pairs in RESP3
//!   BZPOPMIN key … t     [key, member, score]                waits for the first key that has a member
//! ```
//!
//! Those that wait are journalled as those that do not.

use command::context::{Context, Done, OnTimeout};
use command::effects::class;
use keyspace::Key;
use resp::error;
use resp::reply::Reply;
use structures::number;
use value::Zset;

use super::{answer, begin};
use crate::options::deadline;

/// An end of a sorted set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extreme {
    Min,
    Max,
}

impl Extreme {
    /// The command that pops from here.
    pub(super) fn verb(self) -> &'static [u8] {
        if self == Extreme::Min { b"ZPOPMIN" } else { b"ZPOPMAX" }
    }
}

pub(super) fn zpopmin(ctx: &mut Context<'_, '_>) -> Done {
    pop(ctx, Extreme::Min)
}

pub(super) fn zpopmax(ctx: &mut Context<'_, '_>) -> Done {
    pop(ctx, Extreme::Max)
}

fn pop(ctx: &mut Context<'_, '_>, from: Extreme) -> Done {
    let count = match ctx.args.get(2) {
        _ if ctx.args.len() > 3 => return Err(error::common::SYNTAX.into()),
        None => None,
        Some(arg) => {
            let count = number::parse_i64(arg).and_then(|n| usize::try_from(n).ok());
            Some(count.ok_or(error::common::MUST_BE_POSITIVE)?)
        }
    };
    let key = ctx.key(1);
    let Some(zset) = ctx.space.edit::<Zset>(&key)?.filter(|_| count != Some(0)) else {
        ctx.reply.empty_array();
        return Ok(());
    };
    let reply = &mut *ctx.reply;
    let taken = match count {
        None => {
            reply.array(2);
            pop_flat(zset, from, reply);
            1
        }
        Some(count) => {
            let taken = count.min(zset.len());
            begin(reply, taken, true);
            let pairs = reply.is_resp3();
            pop_many(zset, from, taken, reply, pairs)
        }
    };
    let emptied = zset.is_empty();
    popped(ctx, &key, from, taken, emptied);
    Ok(())
}

pub(super) fn bzpopmin(ctx: &mut Context<'_, '_>) -> Done {
    pop_or_wait(ctx, Extreme::Min)
}

pub(super) fn bzpopmax(ctx: &mut Context<'_, '_>) -> Done {
    pop_or_wait(ctx, Extreme::Max)
}

fn pop_or_wait(ctx: &mut Context<'_, '_>, from: Extreme) -> Done {
    let last = ctx.args.len() - 1;
    let deadline = deadline(ctx, ctx.args.at(last))?;
    for index in 1..last {
        let key = ctx.key(index);
        let Some(zset) = ctx.space.edit::<Zset>(&key)? else { continue };
        ctx.reply.array(3);
        ctx.reply.bulk(key.bytes);
        pop_flat(zset, from, ctx.reply);
        let emptied = zset.is_empty();
        popped(ctx, &key, from, 1, emptied);
        let db = ctx.space.db;
        ctx.effects.rewrite(db, &[from.verb(), key.bytes]);
        return Ok(());
    }
    ctx.block(1..last, deadline, OnTimeout::NullArray)
}

/// Pops one member and answers it with its score, both in the array that was begun.
fn pop_flat(zset: &mut Zset, from: Extreme, reply: &mut Reply) {
    let f = |member: value::Item<'_>, score| {
        answer(reply, member);
        reply.double(score);
    };
    match from {
        Extreme::Min => zset.pop_min(f),
        Extreme::Max => zset.pop_max(f),
    };
}

/// Pops `count` members, which the set has, and answers each with its score, as an array of its own if `pairs`.
pub(super) fn pop_many(zset: &mut Zset, from: Extreme, count: usize, reply: &mut Reply, pairs: bool) -> usize {
    let len = zset.len();
    let mut one = |(member, score)| {
        if pairs {
            reply.array(2);
        }
        answer(reply, member);
        reply.double(score);
    };
    let ranks = match from {
        Extreme::Min => {
            zset.range(0..count).for_each(&mut one);
            0..count
        }
        Extreme::Max => {
            zset.range(len - count..len).rev().for_each(&mut one);
            len - count..len
        }
    };
    zset.remove_range(ranks, |_, _| {})
}

/// Says that `count` members were popped, and removes the key when that was all; `emptied` says so.
pub(super) fn popped(ctx: &mut Context<'_, '_>, key: &Key<'_>, from: Extreme, count: usize, emptied: bool) {
    let event = if from == Extreme::Min { "zpopmin" } else { "zpopmax" };
    ctx.changed(key, class::ZSET, event, count as u64);
    if emptied {
        ctx.delete_if_empty::<Zset>(key);
    }
}
