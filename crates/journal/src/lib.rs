//! The journal: every change, once, as the bytes that a replica is sent.
//!
//! ```text
//!   units ──append──► [block][block][linked value][open block…]        offsets grow to the right, for ever
//!                      ▲ start        ▲ a reader       ▲ end
//!                      │              │                └ applied: what replies may wait for at least
//!                      │              └ replicas and the AOF writer are positions, not buffers
//!                      └ the backlog's size behind the end, or the oldest hold
//! ```
//!
//! The bytes are the replication stream itself, so an offset is a PSYNC offset; the AOF's increments, the backlog of
//! partial resyncs, WAIT and WAITAOF are readings of this one log.
//!
//! - [`mod@unit`]: what one unit appends, and how it is framed.
//! - `tail`: the bytes kept in memory, and where units end in them.
//! - `log`: the log as its users see it: append, read, hold, sleep, wake.
//! - [`history`]: replication ids, and who may continue from where.
//! - [`watermark`]: levels that offsets reach (applied, written, fsynced), and who waits for them.
//!
//! The crate does no I/O, knows no clock and makes no random ids.
#![forbid(unsafe_code)]

pub mod history;
mod log;
pub mod offset;
mod sync;
mod tail;
pub mod unit;
pub mod watermark;

pub use history::{History, ReplId};
pub use log::{Backlog, Hold, Journal, Reader};
pub use offset::{DbIndex, ReplOffset};
pub use tail::{Boundary, Chunk, ReadError};
pub use unit::{Kind, Piece, Unit};
pub use watermark::{Reached, Watermark};
