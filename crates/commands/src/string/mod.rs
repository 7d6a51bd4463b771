//! Strings: bytes under a key, and the numbers and ranges that they are taken for.
//!
//! A string that is a canonical 64-bit integer is kept as the integer, so most handlers see a [`StringRef`] with two
//! cases and answer without making text of it.

use command::binding::{Binding, keys};
use command::context::Context;
use resp::error::{self, Error};
use resp::reply::Reply;
use value::StringRef;

mod append;
mod get;
mod getdel;
mod getex;
mod getrange;
mod incr;
mod incrbyfloat;
mod lcs;
mod mget;
mod mset;
mod msetex;
mod options;
mod set;
mod setrange;

pub(crate) const TABLE: &[Binding] = &[
    keys("append", append::append),
    keys("decr", incr::decr),
    keys("decrby", incr::decrby),
    keys("delifeq", getdel::delifeq),
    keys("get", get::get),
    keys("getdel", getdel::getdel),
    keys("getex", getex::getex),
    keys("getrange", getrange::getrange),
    keys("getset", set::getset),
    keys("incr", incr::incr),
    keys("incrby", incr::incrby),
    keys("incrbyfloat", incrbyfloat::incrbyfloat),
    keys("lcs", lcs::lcs),
    keys("mget", mget::mget),
    keys("mset", mset::mset),
    keys("msetex", msetex::msetex),
    keys("msetnx", mset::msetnx),
    keys("psetex", set::psetex),
    keys("set", set::set),
    keys("setex", set::setex),
    keys("setnx", set::setnx),
    keys("setrange", setrange::setrange),
    keys("strlen", get::strlen),
    keys("substr", getrange::getrange),
];

/// Answers a string, or null.
pub(crate) fn answer(reply: &mut Reply, value: Option<StringRef<'_>>) {
    match value {
        Some(StringRef::Bytes(bytes)) => reply.bulk(bytes),
        Some(StringRef::Int(n)) => reply.bulk_int(n),
        None => reply.null(),
    }
}

/// Refuses a string that would become longer than `proto-max-bulk-len`, unless a primary or the AOF says so.
pub(crate) fn check_length(ctx: &Context<'_, '_>, former: u64, more: usize) -> Result<(), Error> {
    let total = former.saturating_add(more as u64);
    if !ctx.env.obey && total > ctx.env.max_string as u64 {
        return Err(error::string::TOO_LONG);
    }
    Ok(())
}
