//! The data commands: one folder per type, one file per verb, and beside each file its literate spec (`get.rs`, `get.md`).
//!
//! A handler is a function of the keys that its row declares, its arguments, the time and some randomness; it answers into
//! [`Context::reply`](command::context::Context) and records its effects. It knows no client, no socket, no lock, no clock.
//!
//! Invariants, held by the laws in crate `conformance`:
//!
//! 1. A handler that answers an error has changed nothing.
//! 2. It touches no key that its key specification does not name.
//! 3. What it propagates, executed on a copy of the keyspace as it was, gives the keyspace as it is.
#![forbid(unsafe_code)]

mod bitmap;
mod hash;
mod keys;
mod list;
mod options;
mod set;
mod string;
#[cfg(test)]
mod testing;
mod zset;

use command::binding::{Binding, Class};
use resp::args::Args;

pub use keys::scan::Walk;

/// The handlers of all data commands, type by type.
pub const TABLE: &[&[Binding]] =
    &[bitmap::TABLE, hash::TABLE, keys::TABLE, list::TABLE, set::TABLE, string::TABLE, zset::TABLE];

/// The handler of a command, by its full name.
pub fn find(name: &str) -> Option<&'static Binding> {
    TABLE.iter().flat_map(|list| list.iter()).find(|b| b.name == name)
}

/// What a command with these arguments locks: [`Class::Patterns`] is decided here.
pub fn class_of(class: Class, args: &Args<'_>) -> Class {
    match class {
        Class::Patterns if keys::sort::names_further_keys(args) => Class::World,
        Class::Patterns => Class::Keys,
        class => class,
    }
}
