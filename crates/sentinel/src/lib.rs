//! Sentinel: who is the primary now, and who says so?
//!
//! One machine monitors groups of servers (a primary, its replicas, and the other Sentinels that watch the same
//! primary), agrees with the others about what is down, elects who acts, and carries a failover out. It owns no socket,
//! no clock, no thread, no file and no source of chance:
//!
//! ```text
//!     Event ──►┌───────────────────────────────────────────────────────────────┐──► Action
//!   Connected  │  link ── ping, INFO ──► down: SDOWN ─ ask others ─► ODOWN      │  Connect
//!   Reply      │   │                        │                                  │  Send
//!   Broken     │   └─ hello ─► who else     ▼                                  │  Close
//!   Resolved   │      watches, epochs     vote: one per epoch, majority        │  Resolve
//!   ScriptEnded│                            │                                  │  RunScript
//!   Saved      │                            ▼                                  │  Save
//!   Timer      │   failover: choose ─► promote ─► reconfigure ─► switch        │  Publish, Log
//!              └───────────────────────────────────────────────────────────────┘
//!      command(args) ──► reply      deadline() ──► when the next Timer is due
//! ```
//!
//! # The contract with a driver
//!
//! 1. Call [`Sentinel::handle`] with [`Event::Started`] once, with [`Event::Timer`] whenever [`Sentinel::deadline`] has
//!    passed, and with the other events as they happen. `now.mono_ms` never goes backwards.
//! 2. Execute the actions of an [`Outbox`] in their order. [`Action::Save`] is a barrier: it is done, durable, and
//!    reported by [`Event::Saved`] before anything behind it is executed and before the reply of the command that
//!    caused it is sent. If it fails, that reply is replaced by [`resp::error::sentinel::SAVE_FAILED`]. Votes rest on
//!    this: no other Sentinel hears of a vote that a crash could make us forget.
//! 3. Every [`Action::Connect`] brings a [`ConnId`] never used before. It ends with one [`Event::Broken`], or with our
//!    [`Action::Close`], after which nothing is reported about it any more.
//! 4. Every reply and every pushed message of a connection is one [`Event::Reply`], in order. Decode with bounded
//!    limits ([`REPLY_LIMITS`]) and report a stream that cannot be decoded as [`Broken::Other`].
//!
//! # What is better than in the original
//!
//! - A server that answers `NOAUTH` or `WRONGPASS` is alive: a wrong password is reported, never a reason to fail over.
//!   While passwords rotate, the former one is tried as well.
//! - A process that is dead counts as down after `dead-grace-ms` once a majority has seen the same (see `down.rs`).
//! - Groups whose addresses are reused do not mix (see `foreign.rs`).
//! - Before a replica is chosen, every candidate is asked for its offset again, and offsets are compared within one
//!   replication history only (see `select.rs`).
//! - A manual failover of a living primary hands over instead of cutting off (see `hand_over.rs`).
//! - No timer reads the wall clock, so setting it moves no deadline.
//!
//! Files: one noun or one part of the machine each; [`machine`] holds the state and the round of a tick.

#![forbid(unsafe_code)]

pub mod event;
pub mod machine;

mod address;
mod commands;
mod down;
mod failover;
mod foreign;
mod hand_over;
mod hello;
mod info;
mod instance;
mod link;
mod monitor;
mod notice;
mod orders;
mod refresh;
mod report;
mod reset;
mod scripts;
mod select;
mod settings;
mod text;
mod vote;

pub use event::{Action, Broken, ConnId, ConnKind, Event, Level, Now, Outbox, Own, ScriptEnd, ScriptId, World};
pub use machine::Sentinel;
pub use settings::seal::{is_cut, seal};

/// What a reply of another server may cost: the longest that we ask for is an INFO text.
pub const REPLY_LIMITS: resp::value::Limits = resp::value::Limits { depth: 8, text: 4 << 20, elements: 64 * 1024 };

/// The channel on which Sentinels make themselves known.
pub const HELLO_CHANNEL: &[u8] = b"__sentinel__:hello";
