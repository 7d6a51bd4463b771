//! Sets: members without order, and what several sets have in common or apart.
//!
//! The algebra borrows all its sets at once. A lookup may delete an expired key, so each key is looked up first, which
//! settles what is there, and then all are borrowed together: [`gather`].

use command::binding::{Binding, keys};
use command::context::Context;
use command::effects::class;
use keyspace::{Expiry, Key, Space};
use resp::error::Error;
use resp::reply::Reply;
use smallvec::SmallVec;
use value::{Item, Set, Value};

mod sadd;
mod sdiff;
mod sinter;
mod sismember;
mod smembers;
mod smove;
mod spop;
mod srandmember;
mod srem;
mod sscan;
mod sunion;

pub(crate) const TABLE: &[Binding] = &[
    keys("sadd", sadd::sadd),
    keys("scard", smembers::scard),
    keys("sdiff", sdiff::sdiff),
    keys("sdiffstore", sdiff::sdiffstore),
    keys("sinter", sinter::sinter),
    keys("sintercard", sinter::sintercard),
    keys("sinterstore", sinter::sinterstore),
    keys("sismember", sismember::sismember),
    keys("smembers", smembers::smembers),
    keys("smismember", sismember::smismember),
    keys("smove", smove::smove),
    keys("spop", spop::spop),
    keys("srandmember", srandmember::srandmember),
    keys("srem", srem::srem),
    keys("sscan", sscan::sscan),
    keys("sunion", sunion::sunion),
    keys("sunionstore", sunion::sunionstore),
];

/// The sets of one algebra, absent ones included; most commands name a few.
type Sets<'s> = SmallVec<[Option<&'s Set>; 8]>;

/// The sets under these keys, in their order.
fn gather<'s, 'k>(space: &'s mut Space<'_>, names: impl Iterator<Item = &'k [u8]> + Clone) -> Result<Sets<'s>, Error> {
    let mut there: SmallVec<[bool; 8]> = SmallVec::new();
    for name in names.clone() {
        there.push(space.read::<Set>(&space.key(name))?.is_some());
    }
    let space = &*space;
    let borrow = |(name, there)| if there { space.read_again::<Set>(&space.key(name)) } else { None };
    Ok(names.zip(there).map(borrow).collect())
}

/// Answers a member.
#[inline]
fn answer(reply: &mut Reply, member: Item<'_>) {
    match member {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(n) => reply.bulk_int(n),
    }
}

/// Answers all members.
fn answer_all(reply: &mut Reply, set: &Set) {
    reply.set(set.len());
    set.iter().for_each(|member| answer(reply, member));
}

/// Stores the result of an algebra and answers its size. An empty result is no key at all.
fn store(ctx: &mut Context<'_, '_>, target: &Key<'_>, result: Set, event: &'static str) {
    let len = result.len();
    if len == 0 {
        ctx.delete(target);
    } else {
        ctx.space.insert_value(target, Value::Set(result), Expiry::None);
        ctx.changed(target, class::SET, event, 1);
    }
    ctx.reply.length(len);
}
