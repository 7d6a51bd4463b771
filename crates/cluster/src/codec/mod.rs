//! The packets of the bus as bytes.
//!
//! ```text
//!   0    4      8   10   12    14    16       24      32     40     80     2128      2168 2214 …  2246  2248  2250  2252  2253   2256
//!   RCmb length ver port type  count current  config  offset sender slots  replicaof ip   ext     port2 bport flags state mflags data
//!        u32    u16 u16  u16   u16   epoch    epoch          name   bitmap name           count
//!
//!   0    4      8   10   12             16
//!   RCmb length ver      type | 0x8000  data        the light header, of messages that need no more
//! ```
//!
//! All numbers are big-endian. Lengths and counts come from strangers: nothing is indexed by them, nothing is reserved
//! for them before the bytes are there, and a packet whose parts do not add up to its length is refused whole. Reading a
//! packet costs its bytes once; what is kept of it is at most a small multiple of its length.
//!
//! - [`frame`]: packets in a stream of bytes, with limits;
//! - [`header`]: the full header; [`gossip`]: what a node says about others; [`extension`]: what it says about itself
//!   beyond the header; [`packet`]: whole packets of all types;
//! - [`flags`]: the bits that describe a node; [`cursor`]: reading without indexing.

pub(crate) mod cursor;
pub(crate) mod extension;
pub(crate) mod flags;
pub(crate) mod frame;
pub(crate) mod gossip;
pub(crate) mod header;
pub(crate) mod packet;

pub(crate) use extension::Extensions;
pub(crate) use flags::Flags;
pub(crate) use frame::Framer;
pub(crate) use gossip::Gossip;
pub(crate) use header::Header;
pub(crate) use packet::{Body, Kind, Packet};
