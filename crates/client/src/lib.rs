//! A small client: one connection, blocking, RESP2 and RESP3, over TCP or a Unix socket.
//!
//! It answers the question "what did the server say?" for the command line tool, the load generator
//! and the tests, and nothing more: no pool, no topology, no retries.
//!
//! ```text
//!   queue ──► output ──flush──► socket ──► input ──Decoder──► Value ──┬── reply() : answers, in order
//!                                                                     └── pushes  : what nobody asked for
//! ```
//!
//! Invariants
//! 1. [`Client::reply`] returns answers only; RESP3 pushes that arrive between them are laid aside in
//!    the order in which they came ([`Client::take_push`]). [`Client::next_value`] returns both kinds.
//! 2. In RESP2 a published message is an ordinary array: telling it from an answer is the caller's work.
//! 3. After any error the connection is of no more use, except after [`Error::TimedOut`]: then what
//!    was received so far is kept and the call may be repeated.
//!
//! Costs: one system call per [`Client::flush`] and one per 64 KiB received. A value owns its bytes.
//!
//! Deliberately absent: TLS, which comes with the server's.

#![forbid(unsafe_code)]

mod address;
mod connection;
mod error;
mod stream;

pub use address::{Address, Family};
pub use connection::{Client, Options};
pub use error::{Error, os_text};
pub use resp::Value;
pub use stream::Stream;
