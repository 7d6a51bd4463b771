//! Blocked clients: who waits for which key, and who may answer them.
//!
//! A client that BLPOP, BLMOVE, BZMPOP … could not serve at once becomes a [`WaitEntry`], registered in the shard of each
//! key that it names. Five parties may want to end the wait: the unit that makes a key ready, the timeout, CLIENT UNBLOCK,
//! CLIENT KILL or a lost connection, and a change of role. Each must win one compare-exchange on the entry's state; only
//! the winner replies. What the losers leave in other shards are tombstones, dropped by the next visitor and at the latest
//! by the owner when it leaves the wait.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use resp::args::OwnedArgs;
use resp::reply::Proto;

use structures::hash::Map;

use crate::{DbIndex, UnixMillis};

/// Who has ended a wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum WaitState {
    /// Nobody yet.
    Waiting,
    /// A unit that made one of its keys ready.
    Claimed,
    /// The clock.
    TimedOut,
    /// CLIENT UNBLOCK, a change of role, a lost slot.
    Unblocked,
    /// The connection is gone.
    Killed,
}

/// One blocked client.
#[derive(Debug)]
pub struct WaitEntry {
    /// The client's id.
    pub client: u64,
    /// The client's thread, to which the reply is sent.
    pub thread: usize,
    /// The database that was selected.
    pub db: DbIndex,
    /// The whole command; it is run again when a key is ready.
    pub args: OwnedArgs,
    /// The keys it waits for, in the order in which it names them.
    pub keys: Vec<Box<[u8]>>,
    /// Every key that running the command again may touch, the destination included.
    pub touches: Vec<Box<[u8]>>,
    /// The form of the reply.
    pub proto: Proto,
    /// When it blocked.
    pub since: UnixMillis,
    /// When it gives up.
    pub deadline: Option<UnixMillis>,
    state: AtomicU8,
}

impl WaitEntry {
    /// A client that begins to wait.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        client: u64,
        thread: usize,
        db: DbIndex,
        args: OwnedArgs,
        keys: Vec<Box<[u8]>>,
        touches: Vec<Box<[u8]>>,
        proto: Proto,
        since: UnixMillis,
        deadline: Option<UnixMillis>,
    ) -> Arc<Self> {
        let state = AtomicU8::new(WaitState::Waiting as u8);
        Arc::new(WaitEntry { client, thread, db, args, keys, touches, proto, since, deadline, state })
    }

    /// Whether nobody has ended the wait yet.
    pub fn is_waiting(&self) -> bool {
        self.state.load(Ordering::Acquire) == WaitState::Waiting as u8
    }

    /// Whether it was ended by this party.
    pub fn ended_by(&self, who: WaitState) -> bool {
        self.state.load(Ordering::Acquire) == who as u8
    }

    /// Gives a claim back: the command found nothing for this client after all. Whoever lost to the claim in the meantime
    /// tries again at its next turn.
    pub fn release(&self) {
        let _ = self.state.compare_exchange(
            WaitState::Claimed as u8,
            WaitState::Waiting as u8,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }

    /// Tries to end the wait as `who`; true for exactly one caller.
    pub fn end(&self, who: WaitState) -> bool {
        debug_assert_ne!(who, WaitState::Waiting);
        self.state.compare_exchange(WaitState::Waiting as u8, who as u8, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// The clients that wait for each key, those who came first in front.
type Queues = Map<(DbIndex, Box<[u8]>), VecDeque<Arc<WaitEntry>>>;

/// The blocked clients of one shard.
#[derive(Default)]
pub struct Waiting {
    keys: Queues,
}

impl Waiting {
    /// Whether nobody waits here; the only thing that an ordinary write asks.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Registers a client with one of its keys, behind those who came before.
    pub fn wait(&mut self, db: DbIndex, key: &[u8], entry: &Arc<WaitEntry>) {
        let queue = self.keys.entry((db, key.into())).or_default();
        if !queue.iter().any(|e| Arc::ptr_eq(e, entry)) {
            queue.push_back(entry.clone());
        }
    }

    /// Whether somebody still waits for this key.
    pub fn has(&self, db: DbIndex, key: &[u8]) -> bool {
        !self.is_empty() && self.keys.get(&(db, key.into())).is_some_and(|queue| queue.iter().any(|e| e.is_waiting()))
    }

    /// Those who wait for this key, in the order in which they blocked; drops tombstones on the way.
    pub fn of(&mut self, db: DbIndex, key: &[u8]) -> Vec<Arc<WaitEntry>> {
        let at = (db, key.into());
        let Some(queue) = self.keys.get_mut(&at) else { return Vec::new() };
        queue.retain(|e| e.is_waiting());
        if queue.is_empty() {
            self.keys.remove(&at);
            return Vec::new();
        }
        queue.iter().cloned().collect()
    }

    /// Forgets a client at one of its keys.
    pub fn leave(&mut self, db: DbIndex, key: &[u8], entry: &WaitEntry) {
        let at = (db, key.into());
        if let Some(queue) = self.keys.get_mut(&at) {
            queue.retain(|e| !std::ptr::eq(&**e, entry));
            if queue.is_empty() {
                self.keys.remove(&at);
            }
        }
    }

    /// Every key that somebody waits for (FLUSHALL, SWAPDB, DEBUG).
    pub fn keys(&self) -> impl Iterator<Item = (DbIndex, &[u8])> {
        self.keys.keys().map(|(db, key)| (*db, &**key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(client: u64) -> Arc<WaitEntry> {
        let args = OwnedArgs::from_slices(&["BLPOP", "k", "0"]);
        WaitEntry::new(client, 0, DbIndex(0), args, vec![(*b"k").into()], vec![], Proto::Resp2, UnixMillis(0), None)
    }

    #[test]
    fn only_one_party_ends_a_wait() {
        let e = entry(1);
        assert!(e.end(WaitState::TimedOut));
        assert!(!e.end(WaitState::Claimed));
        assert!(!e.is_waiting());
    }

    #[test]
    fn clients_come_in_the_order_of_blocking_and_tombstones_go() {
        let mut waiting = Waiting::default();
        let (a, b, c) = (entry(1), entry(2), entry(3));
        for e in [&a, &b, &c] {
            waiting.wait(DbIndex(0), b"k", e);
        }
        assert!(b.end(WaitState::Killed));
        let ids: Vec<u64> = waiting.of(DbIndex(0), b"k").iter().map(|e| e.client).collect();
        assert_eq!(ids, [1, 3]);
        waiting.leave(DbIndex(0), b"k", &a);
        assert!(c.end(WaitState::Claimed));
        assert!(!waiting.has(DbIndex(0), b"k"));
        assert!(waiting.of(DbIndex(0), b"k").is_empty());
        assert!(waiting.is_empty());
    }
}
