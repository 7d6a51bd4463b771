//! What can be configured, and how it is read, shown, changed and written back.
//!
//! ```text
//!   redis.conf ─┐                      ┌─ CONFIG GET     query
//!   stdin ──────┼─► load ─► Config ────┼─ CONFIG SET     change ─► next Config + names that changed
//!   --port 7000 ┘            │ Arc     └─ CONFIG REWRITE rewrite ─► new file text
//!   command_line             ▼
//!                     config.network.port        plain typed fields, read without locks or lookups
//! ```
//!
//! Every directive is declared once, in the file of its subject under [`directives`]: field, type, default,
//! names, what values it takes, what it is allowed to do at run time, whether it has an effect. The struct
//! that the server reads and the table that the texts are derived from come out of the same declaration.
//!
//! Invariants
//! 1. The crate is pure: text in, text out. Files, the working directory and globs of `include` are reached
//!    through [`Surroundings`], which the caller implements.
//! 2. A [`Config`] is a value. A change makes another one or fails as a whole, so several directives set
//!    together are set atomically, and an error while they take effect is answered by keeping the old value.
//! 3. What [`query`] shows, [`change`] accepts and yields the same value; what [`rewrite()`] writes, [`load()`] reads
//!    back as the same configuration.
//! 4. No text panics or allocates more than a constant times its length.
//!
//! Costs: a look-up by name scans some 250 names, which only administrators' commands and start-up do.
//!
//! Where we differ from the peers: `threads` (see [`directives::threads`]), the default of
//! `enable-debug-command`, and directives that are known but have no effect; `docs/compatibility.md` lists those,
//! and a test holds that list and the table together.

#![forbid(unsafe_code)]

#[macro_use]
mod directive;
#[macro_use]
mod kind;

pub mod change;
pub mod command_line;
pub mod directives;
mod glob;
pub mod load;
pub mod notify;
pub mod query;
pub mod reason;
pub mod rewrite;
mod words;

pub use change::{Origin, Refusal, SetError, Update, set};
pub use command_line::CommandLine;
pub use directive::{Directive, Effect, Flags};
pub use directives::Config;
pub use kind::{Endpoint, OutputBufferLimit, OutputBufferLimits, SavePoint, Seed, Share, ShutdownFlags, parse_bytes};
pub use load::{Declared, Line, LineError, Loaded, Mode, Surroundings, load, parse_lines};
pub use notify::Notify;
pub use query::get;
pub use reason::Reason;
pub use rewrite::{Generated, rewrite};
