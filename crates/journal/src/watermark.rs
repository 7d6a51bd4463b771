//! How far has the stream got, and who waits for it?
//!
//! ```text
//!   level: 1,200      a number that only grows
//!   waits: 1,250 → (owner, token) · 1,300 → … · 1,300 → …
//! ```
//!
//! One watermark per level: applied (in the journal), written (handed to the operating system), fsynced; replication keeps
//! one for what enough replicas have acknowledged. Replies under `appendfsync always`, WAIT and WAITAOF wait here, and so
//! does a reader that has read everything, for the next byte.
//!
//! No lost call: who waits puts itself in the list, publishes the earliest offset waited for, and then looks at the level;
//! who advances raises the level and then looks at the earliest offset. Both sequentially consistent, so one sees the other.
//!
//! Costs: advancing past nobody is an atomic maximum and a load; waiting is a short lock and O(log waiters).

use crate::offset::ReplOffset;
use crate::sync::{AtomicU64, Mutex, Ordering};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Somebody who waits for a level. Called without locks held, from the thread that advanced; short, and never blocking.
pub trait Reached: Send + Sync {
    /// The offset that was waited for under this token has been reached, or the levels began anew: look again.
    fn reached(&self, token: u64);
}

/// A level and those who wait for it.
pub struct Watermark {
    level: AtomicU64,
    /// The earliest offset in `waits`, plus one; 0 when nobody waits.
    earliest: AtomicU64,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next: u64,
    list: BTreeMap<(ReplOffset, u64), (Arc<dyn Reached>, u64)>,
}

/// The name of a wait, by which it can be withdrawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WaitId(ReplOffset, u64);

impl Watermark {
    /// A level that stands at `at`.
    pub fn new(at: ReplOffset) -> Self {
        Watermark { level: AtomicU64::new(at.0), earliest: AtomicU64::new(0), waits: Mutex::new(Waits::default()) }
    }

    /// How far the level is.
    pub fn get(&self) -> ReplOffset {
        ReplOffset(self.level.load(Ordering::SeqCst))
    }

    /// Raises the level to `to`, if it is below, and calls everybody who waited for that.
    pub fn advance(&self, to: ReplOffset) {
        self.level.fetch_max(to.0, Ordering::SeqCst);
        let earliest = self.earliest.load(Ordering::SeqCst);
        if earliest != 0 && earliest <= to.0.saturating_add(1) {
            self.call_reached();
        }
    }

    /// Sets the level to `to`, be it lower, and calls everybody: what they waited for belongs to another history now.
    pub fn reset(&self, to: ReplOffset) {
        let all = {
            let mut waits = self.waits.lock();
            self.level.store(to.0, Ordering::SeqCst);
            self.earliest.store(0, Ordering::SeqCst);
            std::mem::take(&mut waits.list)
        };
        all.into_values().for_each(|(owner, token)| owner.reached(token));
    }

    /// Asks to be called once when the level has reached `offset`; `None` if it has already, and no call will come.
    pub fn wait(&self, offset: ReplOffset, owner: Arc<dyn Reached>, token: u64) -> Option<WaitId> {
        let mut waits = self.waits.lock();
        let id = WaitId(offset, waits.next);
        waits.next += 1;
        waits.list.insert((id.0, id.1), (owner, token));
        self.publish_earliest(&waits);
        if self.get() < offset {
            return Some(id);
        }
        waits.list.remove(&(id.0, id.1));
        self.publish_earliest(&waits);
        None
    }

    /// Withdraws a wait; its call may be under way already.
    pub fn cancel(&self, id: WaitId) {
        let mut waits = self.waits.lock();
        waits.list.remove(&(id.0, id.1));
        self.publish_earliest(&waits);
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waits.lock().list.len()
    }

    fn publish_earliest(&self, waits: &Waits) {
        let earliest = waits.list.first_key_value().map_or(0, |((offset, _), _)| offset.0.saturating_add(1));
        self.earliest.store(earliest, Ordering::SeqCst);
    }

    fn call_reached(&self) {
        let reached = {
            let mut waits = self.waits.lock();
            let later = match self.get().0.checked_add(1) {
                Some(next) => waits.list.split_off(&(ReplOffset(next), 0)),
                None => BTreeMap::new(),
            };
            let reached = std::mem::replace(&mut waits.list, later);
            self.publish_earliest(&waits);
            reached
        };
        reached.into_values().for_each(|(owner, token)| owner.reached(token));
    }
}
