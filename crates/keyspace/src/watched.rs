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

/// A client's watch of one key.
struct Watch {
    flag: Arc<WatchFlag>,
    /// The key's time had come already when WATCH was called: that it is deleted now changes nothing for the client.
    stale: bool,
}

type Watches = SmallVec<[Watch; 1]>;

/// What stands under a watched key after a database was emptied or exchanged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// No key.
    Gone,
    /// A key whose time has come.
    Stale,
    /// A key.
    Live,
}

/// The watched keys of one shard.
#[derive(Default)]
pub struct Watched {
    keys: Map<(DbIndex, Box<[u8]>), Watches>,
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
    /// `stale`: the key is there, but its time has come.
    pub fn watch(&mut self, db: DbIndex, key: &[u8], flag: &Arc<WatchFlag>, stale: bool) {
        let watches = self.keys.entry((db, key.into())).or_default();
        if !watches.iter().any(|w| Arc::ptr_eq(&w.flag, flag)) {
            watches.push(Watch { flag: flag.clone(), stale });
        }
        self.count.store(self.keys.len(), Ordering::Relaxed);
    }

    /// Whether the key's time had come already when this client began to watch it, or what stands there now.
    pub fn is_stale(&self, db: DbIndex, key: &[u8], flag: &Arc<WatchFlag>) -> bool {
        let watches = self.keys.get(&(db, key.into()));
        watches.into_iter().flatten().any(|w| w.stale && Arc::ptr_eq(&w.flag, flag))
    }

    /// Forgets a registration.
    pub fn unwatch(&mut self, db: DbIndex, key: &[u8], flag: &Arc<WatchFlag>) {
        let at = (db, key.into());
        if let Some(watches) = self.keys.get_mut(&at) {
            watches.retain(|w| !Arc::ptr_eq(&w.flag, flag));
            if watches.is_empty() {
                self.keys.remove(&at);
            }
        }
        self.count.store(self.keys.len(), Ordering::Relaxed);
    }

    /// Raises the flags of everybody who watches this key, which `exists` or not after the change.
    pub fn touch(&mut self, db: DbIndex, key: &[u8], exists: bool) {
        for watch in self.keys.get_mut(&(db, key.into())).into_iter().flatten() {
            if watch.stale && !exists {
                watch.stale = false;
            } else {
                watch.flag.raise();
            }
        }
    }

    /// Raises the flags of watched keys after FLUSHDB or SWAPDB. `what` tells of a key whether it was there, and what is
    /// there now; `None` when its database was not concerned.
    pub fn touch_all(&mut self, mut what: impl FnMut(DbIndex, &[u8]) -> Option<(bool, After)>) {
        for ((db, key), watches) in &mut self.keys {
            let Some((was, after)) = what(*db, key) else { continue };
            if !was && after == After::Gone {
                continue;
            }
            for watch in watches {
                match after {
                    After::Gone if watch.stale => watch.stale = false,
                    After::Stale if watch.stale => {}
                    After::Stale if !was => watch.stale = true,
                    _ => watch.flag.raise(),
                }
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
        watched.watch(DbIndex(0), b"k", &a, false);
        watched.watch(DbIndex(0), b"k", &a, false);
        watched.watch(DbIndex(1), b"k", &b, false);
        watched.touch(DbIndex(0), b"k", true);
        assert!(a.raised() && !b.raised());
        watched.unwatch(DbIndex(0), b"k", &a);
        watched.unwatch(DbIndex(1), b"k", &b);
        assert!(watched.is_empty());
        watched.touch(DbIndex(1), b"k", true);
        assert!(!b.raised());
    }
}
