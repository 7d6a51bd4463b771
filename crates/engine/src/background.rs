//! How does a thread without clients (a snapshot's walk, expiry, slot deletion) get a shard?
//!
//! It has nothing else to do, so it may sleep ([`Background::lock`]). First it comes back a few times, which favours everybody else: a shard that
//! is reserved for a thread which the processor has not got round to yet is a stall for all clients of that shard. Only
//! when that has been in vain for some milliseconds it waits in the same queues as every unit, so that it does not starve.
//!
//! ```text
//!   lock:  enter ─► take the shard ─► Locked          (both tried up to NAPS times, with a nap between)
//!            │ closed   │ taken
//!            ▼          ▼
//!          park at    leave, park in the
//!          the gate   shard's FIFO          asleep, and *not* entered
//! ```
//!
//! A thread that has something else to do, the control thread in its expiry cycle, only comes back a few times
//! ([`Background::try_lock`]): in a queue it would be deaf to signals and timers for as long as a slow unit runs, and a pass
//! that some other unit of its own had got at the gate would never be redeemed.
//!
//! It never sleeps while it is entered. The head of the shard's FIFO may be a unit that waits at the closed gate, the gate
//! be closed by a world unit that waits for everybody to leave: one sleeper who is entered closes the circle.

use crate::gate::Gate;
use crate::id::{ExecutorId, ShardId};
use crate::shard::{Held, Shards, Turn};
use crate::sync::{Condvar, NAPS, SleepMutex, nap};
use crate::ticket::{Parking, Ticket, Wake};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError};

/// Lets one thread sleep until a wake.
pub struct Sleeper {
    woken: SleepMutex<bool>,
    changed: Condvar,
}

impl Sleeper {
    /// A sleeper without a wake.
    pub fn new() -> Arc<Self> {
        Arc::new(Sleeper::default())
    }

    /// Sleeps until a wake that no earlier call has taken.
    pub fn sleep(&self) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            woken = self.changed.wait(woken).unwrap_or_else(PoisonError::into_inner);
        }
        *woken = false;
    }
}

impl Default for Sleeper {
    fn default() -> Self {
        Sleeper { woken: SleepMutex::new(false), changed: Condvar::new() }
    }
}

impl Sleeper {
    /// Sleeps for a moment, or until a wake, which is kept.
    fn nap(&self) {
        let woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        if !*woken {
            nap(&self.changed, woken);
        }
    }
}

impl Wake for Sleeper {
    fn wake(&self, _: u64) {
        *self.woken.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_one();
    }
}

/// A background thread's way to shards.
pub struct Background<'a, T> {
    gate: &'a Gate,
    shards: &'a Shards<T>,
    me: ExecutorId,
    ticket: u64,
    sleeper: Arc<Sleeper>,
}

impl<'a, T> Background<'a, T> {
    /// For one thread, which is executor `me`; `ticket` is a number that no unit uses.
    pub fn new(gate: &'a Gate, shards: &'a Shards<T>, me: ExecutorId, ticket: u64) -> Self {
        Background { gate, shards, me, ticket, sleeper: Sleeper::new() }
    }

    /// Waits for a shard, and for the gate.
    pub fn lock(&mut self, id: ShardId) -> Locked<'_, 'a, T> {
        if let Some(held) = self.come_back(id, &mut { NAPS }) {
            return Locked { held: Some(held), id, owner: self };
        }
        let (mut turn, mut pass) = (None, None);
        loop {
            if !self.gate.enter(self.me, pass) {
                pass = Some(self.ticket);
                self.sleep_if(self.gate.park(self.ticket()));
                continue;
            }
            pass = None;
            match self.shards.try_acquire(&[id], turn) {
                Ok(held) => return Locked { held: Some(held), id, owner: self },
                Err(taken) => {
                    self.gate.leave(self.me);
                    turn = Some(Turn { shard: taken, ticket: self.ticket });
                    self.sleep_if(self.shards.park(taken, self.ticket()));
                }
            }
        }
    }

    /// Comes back for a shard while `naps` last, one for each time it was in vain, and never queues: for a thread that has
    /// other things to do. What is left of `naps` is for its next shard.
    pub fn try_lock(&mut self, id: ShardId, naps: &mut u32) -> Option<Locked<'_, 'a, T>> {
        let held = self.come_back(id, naps)?;
        Some(Locked { held: Some(held), id, owner: self })
    }

    /// Enters and takes the shard, if both can be had before `naps` are used up.
    fn come_back(&self, id: ShardId, naps: &mut u32) -> Option<Held<'a, T>> {
        loop {
            if self.gate.enter(self.me, None) {
                if let Ok(held) = self.shards.try_acquire(&[id], None) {
                    return Some(held);
                }
                self.gate.leave(self.me);
            }
            *naps = naps.checked_sub(1)?;
            self.sleeper.nap();
        }
    }

    fn ticket(&self) -> Ticket {
        Ticket { id: self.ticket, wake: self.sleeper.clone() }
    }

    fn sleep_if(&self, parking: Parking) {
        if parking == Parking::Parked {
            self.sleeper.sleep();
        }
    }
}

/// A shard held by a background thread; dropping it releases the shard and leaves the gate.
pub struct Locked<'b, 'a, T> {
    held: Option<Held<'a, T>>,
    id: ShardId,
    owner: &'b Background<'a, T>,
}

impl<T> Locked<'_, '_, T> {
    /// Whether somebody waits for this shard or for the world: a good moment to let go.
    pub fn contended(&self) -> bool {
        self.held.as_ref().is_some_and(Held::contended) || self.owner.gate.world_wanted()
    }
}

impl<T> Deref for Locked<'_, '_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.held.as_ref().and_then(|held| held.get(self.id)).expect("held until dropped")
    }
}

impl<T> DerefMut for Locked<'_, '_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.held.as_mut().and_then(|held| held.get_mut(self.id)).expect("held until dropped")
    }
}

impl<T> Drop for Locked<'_, '_, T> {
    fn drop(&mut self) {
        self.held = None;
        self.owner.gate.leave(self.owner.me);
    }
}
