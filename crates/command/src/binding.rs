//! Which handler a row of the table has, and what it locks.
//!
//! Rows are plain data; handlers are bound to them by name in two lists: the data commands' in crate `commands`, the
//! control commands' in crate `node`. A test holds both lists and the table together.

use crate::context::Handler;

/// What a unit locks (`docs/engine.md` has the table).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// The shards of the keys that its key specification names.
    Keys,
    /// The whole keyspace, alone.
    World,
    /// The shards of its keys; the whole keyspace where a pattern among its arguments names further keys (SORT).
    Patterns,
    /// One shard after the other (SCAN).
    Cursor,
    /// The shard of the hash slot that the argument behind the subcommand is, in a cluster (CLUSTER COUNTKEYSINSLOT).
    Slot,
    /// Nothing.
    Free,
}

/// A data command's handler.
#[derive(Clone, Copy)]
pub struct Binding {
    /// The command's full name, lower case; a subcommand's with its parent's, `object|encoding`.
    pub name: &'static str,
    /// What it locks.
    pub class: Class,
    /// What it does.
    pub handler: Handler,
}

/// A command that locks its keys.
pub const fn keys(name: &'static str, handler: Handler) -> Binding {
    Binding { name, class: Class::Keys, handler }
}

/// A command that needs the whole keyspace.
pub const fn world(name: &'static str, handler: Handler) -> Binding {
    Binding { name, class: Class::World, handler }
}
