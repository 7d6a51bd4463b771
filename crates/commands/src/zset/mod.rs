//! Sorted sets: members in the order of their scores, and among equal scores in that of their bytes.
//!
//! Every range, by rank, by score or by bytes, becomes a range of ranks first ([`range`]); what is counted, answered,
//! removed or stored is then the same. Verbs that wait (BZPOPMIN and its kind) are those that do not, run again when a key
//! has changed: see [`zpop`].

use command::binding::{Binding, keys};
use command::context::Context;
use command::effects::class;
use keyspace::{Expiry, Key};
use resp::reply::Reply;
use value::{Item, Value, Zset};

mod algebra;
mod range;
mod zadd;
mod zcount;
mod zmpop;
mod zpop;
mod zrandmember;
mod zrange;
mod zrank;
mod zrem;
mod zscan;
mod zscore;
mod zunion;

pub(crate) const TABLE: &[Binding] = &[
    keys("bzmpop", zmpop::bzmpop),
    keys("bzpopmax", zpop::bzpopmax),
    keys("bzpopmin", zpop::bzpopmin),
    keys("zadd", zadd::zadd),
    keys("zcard", zscore::zcard),
    keys("zcount", zcount::zcount),
    keys("zdiff", zunion::zdiff),
    keys("zdiffstore", zunion::zdiffstore),
    keys("zincrby", zadd::zincrby),
    keys("zinter", zunion::zinter),
    keys("zintercard", zunion::zintercard),
    keys("zinterstore", zunion::zinterstore),
    keys("zlexcount", zcount::zlexcount),
    keys("zmpop", zmpop::zmpop),
    keys("zmscore", zscore::zmscore),
    keys("zpopmax", zpop::zpopmax),
    keys("zpopmin", zpop::zpopmin),
    keys("zrandmember", zrandmember::zrandmember),
    keys("zrange", zrange::zrange),
    keys("zrangebylex", zrange::zrangebylex),
    keys("zrangebyscore", zrange::zrangebyscore),
    keys("zrangestore", zrange::zrangestore),
    keys("zrank", zrank::zrank),
    keys("zrem", zrem::zrem),
    keys("zremrangebylex", zrem::zremrangebylex),
    keys("zremrangebyrank", zrem::zremrangebyrank),
    keys("zremrangebyscore", zrem::zremrangebyscore),
    keys("zrevrange", zrange::zrevrange),
    keys("zrevrangebylex", zrange::zrevrangebylex),
    keys("zrevrangebyscore", zrange::zrevrangebyscore),
    keys("zrevrank", zrank::zrevrank),
    keys("zscan", zscan::zscan),
    keys("zscore", zscore::zscore),
    keys("zunion", zunion::zunion),
    keys("zunionstore", zunion::zunionstore),
];

/// Answers a member.
#[inline]
fn answer(reply: &mut Reply, member: Item<'_>) {
    match member {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(n) => reply.bulk_int(n),
    }
}

/// Begins an array of `count` members: with scores, RESP2 has them in turn, RESP3 in pairs.
fn begin(reply: &mut Reply, count: usize, with_scores: bool) {
    reply.array(if with_scores && !reply.is_resp3() { 2 * count } else { count });
}

/// Answers one member of such an array.
#[inline]
fn show(reply: &mut Reply, member: Item<'_>, score: f64, with_scores: bool) {
    if !with_scores {
        return answer(reply, member);
    }
    if reply.is_resp3() {
        reply.array(2);
    }
    answer(reply, member);
    reply.double(score);
}

/// Stores a result and answers its size. An empty result is no key at all.
fn store(ctx: &mut Context<'_, '_>, target: &Key<'_>, result: Zset, event: &'static str) {
    let len = result.len();
    if len == 0 {
        ctx.delete(target);
    } else {
        ctx.space.insert_value(target, Value::Zset(result), Expiry::None);
        ctx.changed(target, class::ZSET, event, 1);
    }
    ctx.reply.length(len);
}
