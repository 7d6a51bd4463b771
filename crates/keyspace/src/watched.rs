//! WATCH: who wants to know that a key has changed.
//!
//! EXEC fails when a watched key has been touched since WATCH. A client's [`WatchFlag`] is registered with every key it
//! watches, in the key's shard; whatever changes the key raises the flag under the shard's lock, and EXEC reads it while
//! it holds all watched shards, so that two transactions that watch each other's keys cannot both commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use smallvec::SmallVec;

use structures::hash::Map;

use crate::DbIndex;

/// Raised when any key that its client watches has been touched.
#[derive(Debug, Default)]
pub struct WatchFlag(AtomicBool);

impl WatchFlag {
    /// Says that a watched key was touched.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether a watched key was touched.
    pub fn raised(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

type Flags = SmallVec<[Arc<WatchFlag>; 1]>;

/// The watched keys of one shard.
#[derive(Default)]
pub struct Watched {
    keys: Map<(DbIndex, Box<[u8]>), Flags>,
    /// How many keys there are, readable without the lock.
    count: Arc<AtomicUsize>,
}

impl Watched {
    /// Whether nobody watches anything here; the only thing that an ordinary write asks.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many keys are watched, readable without the shard's lock.
    pub fn count(&self) -> Arc<AtomicUsize> {
        self.count.clone()
    }

    /// Registers `flag` with a key. A client that watches a key twice is registered once.
    pub fn watch(&mut self, db: DbIndex, key: &[u8], flag: &Arc<WatchFlag>) {
        let flags = self.keys.entry((db, key.into())).or_default();
        if !flags.iter().any(|f| Arc::ptr_eq(f, flag)) {
            flags.push(flag.clone());
        }
        self.count.store(self.keys.len(), Ordering::Relaxed);
    }

    /// Forgets a registration.
    pub fn unwatch(&mut self, db: DbIndex, key: &[u8], flag: &Arc<WatchFlag>) {
        let at = (db, key.into());
        if let Some(flags) = self.keys.get_mut(&at) {
            flags.retain(|f| !Arc::ptr_eq(f, flag));
            if flags.is_empty() {
                self.keys.remove(&at);
            }
        }
        self.count.store(self.keys.len(), Ordering::Relaxed);
    }

    /// Raises the flags of everybody who watches this key.
    pub fn touch(&mut self, db: DbIndex, key: &[u8]) {
        if let Some(flags) = self.keys.get(&(db, key.into())) {
            flags.iter().for_each(|f| f.raise());
        }
    }

    /// Raises the flags of every watched key of `db` for which `hit` holds (FLUSHDB, SWAPDB).
    pub fn touch_where(&mut self, mut hit: impl FnMut(DbIndex, &[u8]) -> bool) {
        for ((db, key), flags) in &self.keys {
            if hit(*db, key) {
                flags.iter().for_each(|f| f.raise());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_raises_only_the_flags_of_its_key() {
        let mut watched = Watched::default();
        let (a, b) = (Arc::new(WatchFlag::default()), Arc::new(WatchFlag::default()));
        watched.watch(DbIndex(0), b"k", &a);
        watched.watch(DbIndex(0), b"k", &a);
        watched.watch(DbIndex(1), b"k", &b);
        watched.touch(DbIndex(0), b"k");
        assert!(a.raised() && !b.raised());
        watched.unwatch(DbIndex(0), b"k", &a);
        watched.unwatch(DbIndex(1), b"k", &b);
        assert!(watched.is_empty());
        watched.touch(DbIndex(1), b"k");
        assert!(!b.raised());
    }
}
