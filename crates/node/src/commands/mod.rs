//! The control commands: those that see a client, the configuration or the server. One file per container or subject.
//!
//! A control handler answers into its client's output, or gives an error; what it wants propagated it logs with
//! [`Core::log`]. It runs behind the gate, and alone when its class is [`Class::World`].

use ::command::binding::Class;
use ::command::row::Row;
use resp::args::Args;
use resp::error::Error;
use session::Client;

use crate::busy::Meanwhile;
use crate::execute::Core;

pub mod acl;
pub mod client;
pub mod cluster;
pub mod command;
pub mod commandlog;
pub mod config;
pub mod connection;
pub mod debug;
pub mod help;
pub mod memory;
pub mod migrate;
pub mod monitor;
pub mod multi;
pub mod persistence;
pub mod pubsub;
pub mod replication;
pub mod script;
pub mod sentinel;
pub mod server;

/// The Redis version whose commands we have; clients take from it what they may use.
pub const COMPATIBLE_VERSION: &str = "7.2.4";

/// One call of a control command.
pub struct Call<'c, 's> {
    /// The executor.
    pub core: &'c mut Core<'s>,
    /// Who called.
    pub client: &'c mut Client,
    /// The arguments, the command's name first.
    pub args: Args<'c>,
    /// The command's row.
    pub row: &'static Row,
    /// What it may let happen for others while it runs (see [`crate::busy`]).
    pub meanwhile: &'c mut dyn Meanwhile,
}

/// What a control handler gives: its reply is in the client's output.
pub type Done = Result<(), Error>;

/// The handler of a control command.
pub type ControlHandler = fn(&mut Call<'_, '_>) -> Done;

/// A control command's handler, and what it locks.
#[derive(Clone, Copy)]
pub struct ControlBinding {
    /// The command's full name.
    pub name: &'static str,
    /// What it locks.
    pub class: Class,
    /// What it does.
    pub handler: ControlHandler,
}

/// A command that needs no shard.
pub(crate) const fn free(name: &'static str, handler: ControlHandler) -> ControlBinding {
    ControlBinding { name, class: Class::Free, handler }
}

/// A command that needs the shards of its keys.
pub(crate) const fn keys(name: &'static str, handler: ControlHandler) -> ControlBinding {
    ControlBinding { name, class: Class::Keys, handler }
}

/// A command that runs alone.
pub(crate) const fn world(name: &'static str, handler: ControlHandler) -> ControlBinding {
    ControlBinding { name, class: Class::World, handler }
}

/// All control commands.
pub const TABLE: &[&[ControlBinding]] = &[
    acl::TABLE,
    client::TABLE,
    cluster::TABLE,
    command::TABLE,
    commandlog::TABLE,
    config::TABLE,
    connection::TABLE,
    debug::TABLE,
    memory::TABLE,
    migrate::TABLE,
    monitor::TABLE,
    multi::TABLE,
    persistence::TABLE,
    pubsub::TABLE,
    replication::TABLE,
    script::TABLE,
    sentinel::TABLE,
    server::TABLE,
];

/// The binding of a command, by its full name.
pub fn find(name: &str) -> Option<&'static ControlBinding> {
    TABLE.iter().flat_map(|list| list.iter()).find(|b| b.name == name)
}
