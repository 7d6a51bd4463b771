//! A replica's side of replication, as machines without I/O.
//!
//! ```text
//!   bytes of the primary ─► Link ─┬─ Send …            handshake: PING, AUTH, REPLCONF, PSYNC
//!                                 ├─ Full · Payload … · Loaded      a snapshot, of known length or up to a mark
//!                                 └─ Stream … ─► Cutter ─► units: a command, or MULTI … EXEC whole
//! ```
//!
//! - [`link`]: the conversation, from the first PING to the stream.
//! - [`stream`]: the stream, cut into what is applied at once or not at all.
//!
//! Whoever drives them owns the socket, the clock and the file.
#![forbid(unsafe_code)]

pub mod link;
pub mod stream;
