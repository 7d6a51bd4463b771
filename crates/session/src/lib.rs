//! One client's protocol state.
//!
//! ```text
//!   socket ──► input ──► parser ──► command ──► output ──► socket        (the socket itself is the runtime's)
//!                                      │           └─ held until the journal has reached the marks in it
//!                                      ├─ MULTI queue, WATCH flag
//!                                      ├─ subscriptions
//!                                      └─ waiting (blocked, parked, paused)
//! ```
//!
//! A [`Client`] belongs to one I/O thread and is touched by no other. What others must see of it (CLIENT LIST, CLIENT KILL,
//! INFO) is in its [`ClientCard`], a small shared record of atomics; what others must tell it comes as a message to its
//! thread's [`Mailbox`].
#![forbid(unsafe_code)]

mod card;
mod client;
mod mailbox;
mod multi;

pub use card::{Cards, ClientCard, ClientKind, Flag};
pub use client::{Client, OnTimeoutReply, ReplyMode, Waiting};
pub use mailbox::{Letter, Mailbox, Notify};
pub use multi::{Multi, Queued, WatchSet};
