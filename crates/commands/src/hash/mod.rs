//! Hashes: fields with values under one key.
//!
//! A hash is a listpack while it is small and a table when it is big; what a command answers does not depend on it, but for
//! the order of fields, which is that of their coming in the former and none in the latter.

use command::binding::{Binding, keys};
use command::context::Context;
use keyspace::Key;
use resp::reply::Reply;
use value::{Hash, Item};

mod hdel;
mod hget;
mod hgetall;
mod hgetdel;
mod hincrby;
mod hrandfield;
mod hscan;
mod hset;

pub(crate) const TABLE: &[Binding] = &[
    keys("hdel", hdel::hdel),
    keys("hexists", hget::hexists),
    keys("hget", hget::hget),
    keys("hgetall", hgetall::hgetall),
    keys("hgetdel", hgetdel::hgetdel),
    keys("hincrby", hincrby::hincrby),
    keys("hincrbyfloat", hincrby::hincrbyfloat),
    keys("hkeys", hgetall::hkeys),
    keys("hlen", hget::hlen),
    keys("hmget", hget::hmget),
    keys("hmset", hset::hmset),
    keys("hrandfield", hrandfield::hrandfield),
    keys("hscan", hscan::hscan),
    keys("hset", hset::hset),
    keys("hsetnx", hset::hsetnx),
    keys("hstrlen", hget::hstrlen),
    keys("hvals", hgetall::hvals),
];

/// Answers a field's name or value.
#[inline]
fn answer(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(n) => reply.bulk_int(n),
    }
}

/// Answers a value, or null where there is none.
fn answer_or_null(reply: &mut Reply, item: Option<Item<'_>>) {
    match item {
        Some(item) => answer(reply, item),
        None => reply.null(),
    }
}

/// The value of a field as it is before a change.
fn present<R>(
    ctx: &mut Context<'_, '_>,
    key: &Key<'_>,
    field: &[u8],
    f: impl FnOnce(Item<'_>) -> R,
) -> Result<Option<R>, resp::error::Error> {
    let Some(view) = ctx.space.peek(key) else { return Ok(None) };
    Ok(view.collection::<Hash>()?.get(field).map(f))
}
