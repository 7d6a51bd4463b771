//! The wire protocol, RESP2 and RESP3, in both directions, without any I/O.
//!
//! ```text
//!   client ──bytes──► request::Parser ──ranges──► args::Args ──► a command
//!   client ◄─bytes── reply::Reply ◄──────────────────────────── a command
//!
//!   we ask another server:   encode ──bytes──►      value::Decoder ◄──bytes── it answers
//! ```
//!
//! Nothing here owns a socket or a clock. Bytes go in, ranges or values come out; a caller that has
//! half a request keeps its buffer and asks again later.

#![forbid(unsafe_code)]

pub mod args;
pub mod double;
pub mod encode;
pub mod error;
pub mod inline;
pub mod integer;
pub mod log_text;
pub mod reply;
pub mod request;
pub mod value;

pub use args::{ArgRange, Args, OwnedArgs};
pub use error::Error;
pub use reply::{Proto, Reply};
pub use request::{Parsed, Parser, RequestKind, RequestLimits};
pub use value::{Decoder, Value};
