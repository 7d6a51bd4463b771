//! Commands on keys of any type: whether they are there, what they are called, when they end, what they hold.

use command::binding::{Binding, Class, keys, world};
use command::context::Context;
use keyspace::DbIndex;
use resp::error::{self, Error};

use crate::options::int32;

mod copy;
mod dbsize;
mod del;
mod dump;
mod exists;
mod expire;
mod flush;
#[expect(clippy::module_inception, reason = "a file is named after its command, and this one is KEYS")]
mod keys;
mod memory;
mod r#move;
mod object;
mod randomkey;
mod rename;
mod restore;
pub(crate) mod scan;
pub(crate) mod sort;
mod swapdb;
mod ttl;
mod r#type;

pub(crate) const TABLE: &[Binding] = &[
    keys("copy", copy::copy),
    world("dbsize", dbsize::dbsize),
    keys("del", del::del),
    keys("dump", dump::dump),
    keys("exists", exists::exists),
    keys("expire", expire::expire),
    keys("expireat", expire::expireat),
    keys("expiretime", ttl::expiretime),
    world("flushall", flush::flushall),
    world("flushdb", flush::flushdb),
    world("keys", keys::keys),
    keys("memory|usage", memory::usage),
    keys("move", r#move::r#move),
    keys("object|encoding", object::encoding),
    keys("object|freq", object::freq),
    Binding { name: "object|help", class: Class::Free, handler: object::help },
    keys("object|idletime", object::idletime),
    keys("object|refcount", object::refcount),
    keys("persist", ttl::persist),
    keys("pexpire", expire::pexpire),
    keys("pexpireat", expire::pexpireat),
    keys("pexpiretime", ttl::pexpiretime),
    keys("pttl", ttl::pttl),
    world("randomkey", randomkey::randomkey),
    keys("rename", rename::rename),
    keys("renamenx", rename::renamenx),
    keys("restore", restore::restore),
    keys("restore-asking", restore::restore),
    Binding { name: "scan", class: Class::Cursor, handler: scan::scan },
    Binding { name: "sort", class: Class::Patterns, handler: sort::sort },
    Binding { name: "sort_ro", class: Class::Patterns, handler: sort::sort_ro },
    world("swapdb", swapdb::swapdb),
    keys("touch", exists::touch),
    keys("ttl", ttl::ttl),
    keys("type", r#type::r#type),
    keys("unlink", del::unlink),
];

/// The database that an argument names.
fn database(ctx: &Context<'_, '_>, arg: &[u8]) -> Result<DbIndex, Error> {
    existing(ctx, int32(arg)?)
}

fn existing(ctx: &Context<'_, '_>, number: i32) -> Result<DbIndex, Error> {
    match u16::try_from(number) {
        Ok(number) if number < ctx.env.databases => Ok(DbIndex(number)),
        _ => Err(error::common::DB_OUT_OF_RANGE),
    }
}
