//! Traits: what the server asks about a command where it judges it, and no client is told.
//!
//! Flags are names that clients see in `COMMAND INFO`. Some commands are treated in a way of their own that no flag tells: a
//! transaction is judged by what is in it, PING answers an error while nothing can be saved. Those facts stand in the command's
//! row, beside its flags, so that whoever judges asks for a trait and knows no command by its name.

use crate::row::bits;

bits! {
    /// See the head of this file.
    Traits(u8) {
        /// Carries out what has been queued, and is judged as all of that together.
        RUNS_QUEUE = 0, "";
        /// A client of RESP2 may say it while it is subscribed.
        WHILE_SUBSCRIBED = 1, "";
        /// Answers for the server's health: refused, as a write is, while nothing can be saved.
        TELLS_HEALTH = 2, "";
        /// Reads keys whose names it makes from patterns, which no key spec finds.
        READS_BY_PATTERN = 3, "";
        /// Its third argument is a payload, which may be unpacked before it runs.
        UNPACKS = 4, "";
    }
}

/// The directive that says who may use a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// `enable-debug-command`.
    Debug,
    /// `enable-module-command`.
    Modules,
}
