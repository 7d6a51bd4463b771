//! What a command is: the metadata of all commands, where their keys are, and their lookup by name.
//!
//! ```text
//!   table ── rows of every command and subcommand, one file per group
//!     │
//!   row ──── what a row holds           keyspec ── the keys, channels and databases among the arguments
//!     │                                 traits ─── how the server treats it, beside its flags
//!     │
//!   registry ── name ► RowId ► Row
//! ```
//!
//! Nothing here runs a command or knows a client.

#![forbid(unsafe_code)]

pub mod binding;
pub mod context;
pub mod effects;
pub mod keyspec;
pub mod registry;
pub mod row;
pub mod table;
pub mod traits;
pub mod unpacked;

pub use keyspec::{InvalidKeys, KeyAt, KeyFlags, Keys};
pub use registry::{Lookup, Mode, Registry, RowId};
pub use row::{Categories, Flags, Group, Row};
