//! Users: who may come in, and what they may do.
//!
//! ```text
//!   rules (SETUSER, `user` lines, the ACL file) ──► Users ──► User ──► Selector: bits of commands, patterns of keys and
//!                                                     │        │                  channels, databases
//!   AUTH name password ───────────────────────────────┘        └─ passwords, on or off
//!
//!   command + user ──► Users::check ──► allowed, or what is denied and where it stands
//! ```
//!
//! Rules are read once, when a user is changed; what a command costs is a look at bits. A user that may do everything, as
//! the default user may until somebody says otherwise, is one bit in [`Users`], and its commands are not looked at.
//!
//! [`Users`] is a value: a change makes another one, which is published together with the rest of what may forbid a command,
//! so that whoever is denied something by a new value was not allowed it by an old one in between. Nothing here knows a
//! client, a file or a clock; texts go in and out, byte for byte those of the peers.
//!
//! Invariants
//! 1. A user's bits are what its rules say: describing a user and applying that text to a new one gives an equal user.
//! 2. A rule that is refused changes nothing, and neither do those beside it.
//! 3. The default user cannot be removed; its id is always the same.
#![forbid(unsafe_code)]

mod check;
mod file;
mod log;
mod password;
mod rule;
mod selector;
mod user;
mod users;

pub use check::{Asked, Denied, Reason};
pub use file::{Declared, Misdeclared, lines};
pub use log::{AclLog, Entry, Place};
pub use password::PasswordHash;
pub use rule::{RuleError, Vocabulary};
pub use selector::Selector;
pub use user::{User, allows_channel};
pub use users::{Refused, UserId, Users};

/// The name of the user that every connection begins as.
pub const DEFAULT_USER: &[u8] = b"default";

#[cfg(test)]
mod testing;
