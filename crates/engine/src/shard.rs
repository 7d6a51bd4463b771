//! How can many threads share shards when none of them may sleep on a lock?
//!
//! A thread that slept on a shard would serve none of its other clients, and a slow command on one shard would soon have
//! stopped every thread. So a thread tries; if a shard stays taken, the *unit* waits and the thread goes on.
//!
//! ```text
//!   Shards ── slot 0 ┬ data: Mutex<T>          only ever tried (the world, which is alone, excepted)
//!             slot 1 ├ waiting: 2              length of the FIFO, read without a lock
//!             …      ├ barges: 0..=8           acquisitions by others since the head became the head
//!                    └ fifo: [t7 woken][t9]    parked units in the order in which they came
//!
//!   release:  unlock ─ fence ─ waiting > 0?  wake the head, once; the shard is now reserved for it
//!   park:     enqueue ─ fence ─ free after all?  then it is the head's turn: Retry, or wake the head
//! ```
//!
//! Invariants:
//!
//! 1. No lost wake-up: while a shard is free and its FIFO is not empty, the head has been woken, or a thread stands
//!    between unlocking and waking it. The parker writes `waiting` and then reads the lock, the releaser writes the lock
//!    and then reads `waiting`, each with a sequentially consistent fence between, so one of them sees the other. The
//!    parker's own look takes the lock for a moment; that counts as an acquisition, and its release wakes like any other.
//! 2. A wake is sent once per turn of a head: again only after the head has parked again, having found the shard taken.
//! 3. While units wait, at most [`BARGE_LIMIT`] acquisitions by units without a ticket pass the head; then such units
//!    fail at once and queue up behind it. A unit *with* a ticket has waited already and is not bound by reservations:
//!    otherwise two units, each the head of one shard and wanting the other's, would wait for each other for ever.
//! 4. A ticket is in at most one FIFO. Whoever fails at another shard than the one it has its [`Turn`] in gives that
//!    turn up, and the next in line is woken. So nobody reserves a shard while waiting for another.
//! 5. Sets are taken in ascending order and never waited for while something is held.
//!
//! A unit can thus be passed over again and again only by units that hold tickets of other shards; the caller bounds that
//! by sending a unit that was parked a few times through the gate ([`crate::gate`]), where it is alone.
//!
//! Costs: an uncontended acquisition and release is one compare-and-swap each and one fence per set; parking is a short
//! mutex and O(1) but for `cancel`, which is O(tickets of the shard).
//!
//! Redis has one thread and no locks; what is kept from there is the order: a client that came first is served first, but
//! for the bounded barging that keeps a shard busy while its next user's thread is being told.

use crate::gate::World;
use crate::id::ShardId;
use crate::sync::{AtomicU32, Mutex, MutexGuard, Ordering, SPINS, fence, spin_loop};
use crate::ticket::{Parking, Ticket};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// How many acquisitions by units without a ticket may pass the head of a shard's FIFO.
pub const BARGE_LIMIT: u32 = 8;

/// A power-of-two number of values, each behind a lock of its own.
pub struct Shards<T> {
    slots: Box<[Slot<T>]>,
}

/// One shard; a pair of cache lines to itself, so that neighbours do not slow each other down.
#[repr(align(128))]
struct Slot<T> {
    data: Mutex<T>,
    waiting: AtomicU32,
    barges: AtomicU32,
    fifo: Mutex<VecDeque<Entry>>,
}

/// A ticket in a FIFO.
struct Entry {
    ticket: Ticket,
    /// The ticket was told that it is its turn and has not come back yet.
    woken: bool,
}

/// A unit's place in a shard's FIFO, kept by the unit from [`Shards::park`] until it has acquired or is cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The shard in whose FIFO the ticket is.
    pub shard: ShardId,
    /// The ticket's number.
    pub ticket: u64,
}

impl<T> Shards<T> {
    /// `count` shards, a power of two, each filled by `make`.
    pub fn new(count: usize, mut make: impl FnMut(ShardId) -> T) -> Self {
        assert!(count.is_power_of_two() && count <= 1 << 15, "the number of shards is a power of two up to 32768");
        let slots = (0..count as u16).map(|id| Slot {
            data: Mutex::new(make(ShardId(id))),
            waiting: AtomicU32::new(0),
            barges: AtomicU32::new(0),
            fifo: Mutex::new(VecDeque::new()),
        });
        Shards { slots: slots.collect() }
    }

    /// How many shards there are.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// Takes all of `ids` (ascending, distinct) or none, waiting at most a few microseconds.
    ///
    /// The executor has entered the gate. `turn` is the unit's place in a FIFO if it has been parked; it is used up by
    /// success. On failure the shard that was taken is returned: then the place is kept if it is in that very shard, and
    /// given up otherwise; the caller parks there ([`Shards::park`]) or cancels.
    pub fn try_acquire(&self, ids: &[ShardId], turn: Option<Turn>) -> Result<Held<'_, T>, ShardId> {
        debug_assert!(ids.is_sorted_by(|a, b| a < b), "sets of shards are ascending");
        let mut held = Held { shards: self, guards: SmallVec::new() };
        let mut spins = SPINS;
        let mut turn_taken = false;
        for &id in ids {
            let here = turn.is_some_and(|turn| turn.shard == id);
            let Some(guard) = self.slots[id.index()].take(turn.map(|turn| turn.ticket), here, &mut spins) else {
                drop(held);
                if let Some(turn) = turn
                    && !here
                    && !turn_taken
                {
                    self.cancel(turn);
                }
                return Err(id);
            };
            turn_taken |= here;
            held.guards.push((id, guard));
        }
        if let Some(turn) = turn
            && !turn_taken
        {
            self.cancel(turn);
        }
        Ok(held)
    }

    /// Queues a unit that found `id` taken, or renews its place there; the unit holds nothing and has left the gate.
    ///
    /// After `Parked` the wake will come when it is the unit's turn. After `Retry` the ticket is queued all the same, and
    /// the unit tries again at once with its [`Turn`].
    pub fn park(&self, id: ShardId, ticket: Ticket) -> Parking {
        let slot = &self.slots[id.index()];
        let number = ticket.id;
        {
            let mut fifo = slot.fifo.lock();
            match fifo.iter_mut().find(|entry| entry.ticket.id == number) {
                Some(entry) => entry.woken = false,
                None => fifo.push_back(Entry { ticket, woken: false }),
            }
            slot.waiting.store(fifo.len() as u32, Ordering::SeqCst);
        }
        match slot.next_if_free() {
            Some(head) if head.id == number => Parking::Retry,
            Some(head) => {
                head.call();
                Parking::Parked
            }
            None => Parking::Parked,
        }
    }

    /// Takes a dead unit's ticket out of its FIFO, so that its turn goes to the next; without effect if it is not there.
    pub fn cancel(&self, turn: Turn) {
        let slot = &self.slots[turn.shard.index()];
        if slot.remove(turn.ticket)
            && let Some(head) = slot.next_if_free()
        {
            head.call();
        }
    }

    /// Takes every shard; `World` says that nobody else runs.
    ///
    /// The caller gives the shards back before it ends the world.
    pub fn acquire_all(&self, _: &World<'_>) -> Held<'_, T> {
        // Only a parker's look can be in the way, and that is over in nanoseconds.
        let guards = self.slots.iter().enumerate().map(|(at, slot)| (ShardId(at as u16), slot.data.lock()));
        Held { shards: self, guards: guards.collect() }
    }

    /// Shows a shard for a moment if it is free and nobody waits for it: for hints to the processor, not for commands.
    /// As an acquisition it is over in nanoseconds, and its release wakes like any other.
    pub fn glance(&self, id: ShardId, f: impl FnOnce(&T)) {
        let slot = &self.slots[id.index()];
        if slot.waiting.load(Ordering::Relaxed) != 0 {
            return;
        }
        if let Some(guard) = slot.data.try_lock() {
            f(&guard);
            drop(guard);
            fence(Ordering::SeqCst);
            slot.after_unlock();
        }
    }

    /// How many units wait for a shard; for INFO.
    pub fn waiting(&self, id: ShardId) -> usize {
        self.slots[id.index()].waiting.load(Ordering::Relaxed) as usize
    }
}

impl<T> Slot<T> {
    /// Takes the lock, pausing as long as `spins` lasts; `here`: the ticket is in this shard's FIFO.
    fn take(&self, ticket: Option<u64>, here: bool, spins: &mut u32) -> Option<MutexGuard<'_, T>> {
        loop {
            if ticket.is_none() && self.reserved() {
                return None;
            }
            if let Some(guard) = self.data.try_lock() {
                return self.admit(guard, ticket, here);
            }
            if *spins == 0 {
                return None;
            }
            *spins -= 1;
            spin_loop();
        }
    }

    /// Whether only units with a ticket may take the shard now.
    fn reserved(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0 && self.barges.load(Ordering::Relaxed) >= BARGE_LIMIT
    }

    /// The lock is ours; is it also our turn? `barges` is changed only by whoever holds the lock, or when nobody waits.
    fn admit<'a>(&'a self, guard: MutexGuard<'a, T>, ticket: Option<u64>, here: bool) -> Option<MutexGuard<'a, T>> {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return Some(guard);
        }
        match ticket {
            Some(ticket) if here => {
                self.remove(ticket);
            }
            Some(_) => {}
            None if self.reserved() => {
                drop(guard);
                fence(Ordering::SeqCst);
                self.after_unlock();
                return None;
            }
            None => {
                let barges = self.barges.load(Ordering::Relaxed);
                self.barges.store(barges + 1, Ordering::Relaxed);
            }
        }
        Some(guard)
    }

    /// Takes a ticket out of the FIFO. A new head starts with all its barges before it.
    fn remove(&self, ticket: u64) -> bool {
        let mut fifo = self.fifo.lock();
        let Some(at) = fifo.iter().position(|entry| entry.ticket.id == ticket) else { return false };
        fifo.remove(at);
        self.waiting.store(fifo.len() as u32, Ordering::SeqCst);
        if at == 0 {
            self.barges.store(0, Ordering::Relaxed);
        }
        true
    }

    /// The second half of a release, after the unlock and a fence: whoever waits is told.
    fn after_unlock(&self) {
        if self.waiting.load(Ordering::SeqCst) != 0
            && let Some(head) = self.next()
        {
            head.call();
        }
    }

    /// The head of the FIFO, unless it has been told already; it counts as told from now on.
    fn next(&self) -> Option<Ticket> {
        let mut fifo = self.fifo.lock();
        let head = fifo.front_mut()?;
        (!std::mem::replace(&mut head.woken, true)).then(|| head.ticket.clone())
    }

    /// After a change of the FIFO: the head, if the shard is free and it has not been told. If the shard is taken, its
    /// holder's release will see the changed FIFO.
    fn next_if_free(&self) -> Option<Ticket> {
        fence(Ordering::SeqCst);
        drop(self.data.try_lock()?);
        fence(Ordering::SeqCst);
        self.next()
    }
}

/// Shards taken by one executor, ascending. Dropping it releases them and wakes whoever is next.
#[must_use]
pub struct Held<'a, T> {
    shards: &'a Shards<T>,
    guards: SmallVec<[(ShardId, MutexGuard<'a, T>); 4]>,
}

impl<'a, T> Held<'a, T> {
    /// The data of a shard, if it is held.
    pub fn get_mut(&mut self, id: ShardId) -> Option<&mut T> {
        let at = self.position(id).ok()?;
        Some(&mut self.guards[at].1)
    }

    /// The data of a shard, if it is held.
    pub fn get(&self, id: ShardId) -> Option<&T> {
        let at = self.position(id).ok()?;
        Some(&self.guards[at].1)
    }

    /// Every held shard, ascending; for units that need several at once.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (ShardId, &mut T)> {
        self.guards.iter_mut().map(|(id, guard)| (*id, &mut **guard))
    }

    /// The held shards, ascending.
    pub fn ids(&self) -> impl Iterator<Item = ShardId> + '_ {
        self.guards.iter().map(|(id, _)| *id)
    }

    /// Whether a shard is held.
    pub fn contains(&self, id: ShardId) -> bool {
        self.position(id).is_ok()
    }

    /// Whether all of `ids` are held.
    pub fn covers(&self, ids: &[ShardId]) -> bool {
        ids.iter().all(|&id| self.contains(id))
    }

    /// Whether a unit waits for one of these shards: who keeps them over several units should release between two.
    pub fn contended(&self) -> bool {
        self.guards.iter().any(|(id, _)| self.shards.waiting(*id) != 0)
    }

    /// Adds one more shard if it is free this moment; `false` leaves everything as it is.
    ///
    /// Nothing is waited for, so the order of shards does not matter here. It passes a reservation: what a script has
    /// done so far would otherwise have to be rolled back.
    pub fn try_extend(&mut self, id: ShardId) -> bool {
        let Err(at) = self.position(id) else { return true };
        let Some(guard) = self.shards.slots[id.index()].data.try_lock() else { return false };
        self.guards.insert(at, (id, guard));
        true
    }

    /// Where a shard is in the list, or would have to be.
    fn position(&self, id: ShardId) -> Result<usize, usize> {
        if self.guards.len() == self.shards.count() {
            return Ok(id.index());
        }
        self.guards.binary_search_by_key(&id, |(id, _)| *id)
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        // Nearly every unit has one shard.
        if let [(id, _)] = self.guards[..] {
            self.guards.clear();
            fence(Ordering::SeqCst);
            return self.shards.slots[id.index()].after_unlock();
        }
        let ids: SmallVec<[ShardId; 4]> = self.ids().collect();
        self.guards.clear();
        fence(Ordering::SeqCst);
        for id in ids {
            self.shards.slots[id.index()].after_unlock();
        }
    }
}
