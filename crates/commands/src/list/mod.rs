//! Lists: elements pushed and popped at two ends, and clients that wait for them.
//!
//! An element is lent as an [`Item`], an integer where the encoding holds one; answering it makes text of it in the
//! reply's own buffer. Verbs that wait (BLPOP and its kind) are those that do not, run again when a key has changed:
//! see [`blpop`].

use command::binding::{Binding, keys};
use command::context::Context;
use command::effects::class;
use keyspace::Key;
use resp::error::{self, Error};
use resp::reply::Reply;
use value::{End, Item, List};

use crate::options::is;

mod blpop;
mod lindex;
mod linsert;
mod lmove;
mod lmpop;
mod lpos;
mod lrange;
mod lrem;
mod ltrim;
mod pop;
mod push;

pub(crate) const TABLE: &[Binding] = &[
    keys("blmove", lmove::blmove),
    keys("blmpop", lmpop::blmpop),
    keys("blpop", blpop::blpop),
    keys("brpop", blpop::brpop),
    keys("brpoplpush", lmove::brpoplpush),
    keys("lindex", lindex::lindex),
    keys("linsert", linsert::linsert),
    keys("llen", lindex::llen),
    keys("lmove", lmove::lmove),
    keys("lmpop", lmpop::lmpop),
    keys("lpop", pop::lpop),
    keys("lpos", lpos::lpos),
    keys("lpush", push::lpush),
    keys("lpushx", push::lpushx),
    keys("lrange", lrange::lrange),
    keys("lrem", lrem::lrem),
    keys("lset", lindex::lset),
    keys("ltrim", ltrim::ltrim),
    keys("rpop", pop::rpop),
    keys("rpoplpush", lmove::rpoplpush),
    keys("rpush", push::rpush),
    keys("rpushx", push::rpushx),
];

/// Answers an element.
#[inline]
fn answer(reply: &mut Reply, item: Item<'_>) {
    match item {
        Item::Bytes(bytes) => reply.bulk(bytes),
        Item::Int(n) => reply.bulk_int(n),
    }
}

/// LEFT or RIGHT, as an end.
fn side(arg: &[u8]) -> Result<End, Error> {
    if is(arg, "LEFT") {
        Ok(End::Front)
    } else if is(arg, "RIGHT") {
        Ok(End::Back)
    } else {
        Err(error::common::SYNTAX)
    }
}

/// The part of a list of `len` elements that lies between two indices of the wire, both included: where it begins, and
/// how many elements it has.
fn part(len: usize, start: i64, stop: i64) -> (usize, usize) {
    let from_front = |index: i64| if index < 0 { index.saturating_add_unsigned(len as u64) } else { index };
    let start = from_front(start).max(0);
    let stop = from_front(stop).min(len as i64 - 1);
    if start > stop { (0, 0) } else { (start as usize, (stop - start) as usize + 1) }
}

/// Says that `count` elements were popped from an end, and removes the key when that was all; `emptied` says so.
fn popped(ctx: &mut Context<'_, '_>, key: &Key<'_>, end: End, count: usize, emptied: bool) {
    let event = if end == End::Front { "lpop" } else { "rpop" };
    ctx.changed(key, class::LIST, event, count as u64);
    if emptied {
        ctx.delete_if_empty::<List>(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_to_the_list() {
        assert_eq!(part(5, 0, -1), (0, 5));
        assert_eq!(part(5, -100, 100), (0, 5));
        assert_eq!(part(5, 1, 1), (1, 1));
        assert_eq!(part(5, -2, -1), (3, 2));
        assert_eq!(part(5, 3, 2), (0, 0));
        assert_eq!(part(5, 5, 9), (0, 0));
        assert_eq!(part(5, 0, -6), (0, 0));
        assert_eq!(part(5, i64::MIN, i64::MAX), (0, 5));
        assert_eq!(part(5, i64::MAX, i64::MIN), (0, 0));
    }
}
