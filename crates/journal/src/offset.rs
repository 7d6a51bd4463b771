//! Positions in the replication stream.

use std::fmt;

pub use keyspace::DbIndex;

/// A position in the stream: how many bytes stand before it since the history began.
///
/// The offset that INFO shows and REPLCONF ACK carries is this number. PSYNC and the backlog's first byte are told as
/// the number of the *next* byte, counted from 1: [`ReplOffset::next_byte`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ReplOffset(pub u64);

impl ReplOffset {
    /// The number of the byte that follows this position, counted from 1, as PSYNC asks for it.
    pub fn next_byte(self) -> u64 {
        self.0.saturating_add(1)
    }

    /// The position before byte `number`, counted from 1; `None` for numbers that PSYNC cannot mean.
    pub fn before_byte(number: i64) -> Option<Self> {
        u64::try_from(number).ok()?.checked_sub(1).map(ReplOffset)
    }
}

impl fmt::Display for ReplOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
