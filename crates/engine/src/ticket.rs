//! What a parked unit leaves behind: a number and somebody to tell.
//!
//! A ticket stands in at most one shard's FIFO and in at most one queue of the gate. A wake is a hint, not a grant: the
//! unit tries again and may find itself parked once more. A wake may also arrive for a ticket that was cancelled in the
//! meantime, so [`Wake::wake`] ignores numbers it no longer knows.

use std::sync::Arc;

/// Brings a parked unit back to the thread that owns it.
///
/// Called without any lock of the engine held, from any thread; it must be short and must not block.
pub trait Wake: Send + Sync {
    /// Says that the unit with this ticket should try again.
    fn wake(&self, ticket: u64);
}

/// A parked unit: its number, unique in the process for as long as it is parked, and its owner.
#[derive(Clone)]
pub struct Ticket {
    /// The unit's number.
    pub id: u64,
    /// Whom to tell when the unit should try again.
    pub wake: Arc<dyn Wake>,
}

impl Ticket {
    /// Tells the owner to try again.
    pub fn call(self) {
        self.wake.wake(self.id);
    }
}

/// The answer to a wish to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Parking {
    /// The ticket is queued; a wake will come.
    Parked,
    /// What was waited for seems to be free: try again now. The ticket may or may not still be queued.
    Retry,
}
