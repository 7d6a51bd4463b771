//! How does one unit get the whole keyspace to itself without climbing over every lock?
//!
//! Every executor has a word that says whether it runs units. A unit that wants the world raises a flag and waits for all
//! words to be 0; an executor that finds the flag raised does not start.
//!
//! ```text
//!   running:  [0] [1] [0] [1] …            a padded word per executor; enter = one store and one load
//!   wanted:   1                            a world unit is queued or runs: the gate is closed
//!   world:    [w4 woken] [w9]              FIFO of units that want the world
//!   parked:   [t1] [t5]                    units that found the gate closed
//!   passes:   {t2, t3}                     units parked during the last world unit, let in before the next one
//!
//!   enter:      running[me] = 1 ─► wanted?  no: in.  With a pass: in.  Else running[me] = 0, look, out.
//!   leave:      running[me] = 0 ─► wanted?  look: all words 0, no passes open ─► wake the head of `world`
//!   world ends: parked becomes passes, all of them are woken; the gate opens unless `world` has more
//! ```
//!
//! Invariants:
//!
//! 1. While a [`World`] exists, no executor is between `enter` and `leave`. The executor writes its word and then reads
//!    the flag, the world unit writes the flag and then reads the words, all sequentially consistent: one sees the other.
//! 2. **What may forbid a command (the control value of [`crate::control`]) is published only inside a `World` and read
//!    only between `enter` and `leave`. So a check made after `enter` holds until `leave`: no epoch is compared under the
//!    locks. A unit that parks, at a shard or here, has left first, and checks again when it is back.**
//! 3. Shards are held only between `enter` and `leave`; so the world unit finds all of them free.
//! 4. Nobody starves: a world unit waits for the units that run and for the passes of one cohort; a parked unit waits for
//!    the world units that were queued before the end of the next one. `wanted` is 0 exactly when no world unit is queued
//!    or runs, and then nobody is parked. All of this changes only under the mutex of the queues.
//! 5. No lost wake-up: a word is cleared before its executor takes the mutex to look; the world unit reads the words
//!    with the mutex held. So either it sees the 0, or the executor's look comes later and wakes it.
//!
//! An executor may stay entered over many units of one turn (a lease), if it reads [`Gate::world_wanted`] between two of
//! them and leaves when it is set. It never sleeps while it is entered: a unit for which it would wait may be parked here.
//!
//! Costs: enter is a sequentially consistent store and a load, leave the same. A world unit reads one word per executor.
//!
//! Redis gets all of this from having one thread. FLUSHALL, CONFIG SET, REPLICAOF and the cut of a snapshot are world units.

use crate::id::ExecutorId;
use crate::sync::{AtomicU32, Mutex, Ordering};
use crate::ticket::{Parking, Ticket};
use std::collections::{HashSet, VecDeque};

/// The gate through which every executor goes before it runs units.
pub struct Gate {
    running: Box<[Running]>,
    wanted: AtomicU32,
    queues: Mutex<Queues>,
}

/// Whether an executor runs units (1) or not (0).
#[repr(align(128))]
struct Running(AtomicU32);

#[derive(Default)]
struct Queues {
    world: VecDeque<Wish>,
    world_runs: bool,
    parked: VecDeque<Ticket>,
    passes: HashSet<u64>,
}

/// A queued world unit.
struct Wish {
    ticket: Ticket,
    /// It was told to try and has not come back yet.
    woken: bool,
}

impl Gate {
    /// A gate for this many executors.
    pub fn new(executors: usize) -> Self {
        Gate {
            running: (0..executors).map(|_| Running(AtomicU32::new(0))).collect(),
            wanted: AtomicU32::new(0),
            queues: Mutex::new(Queues::default()),
        }
    }

    /// Registers the executor as running, unless the gate is closed to it.
    ///
    /// `ticket` is that of the unit to be run if it has ever been parked here: it uses up the unit's pass. `false` means
    /// that the unit should [`park`](Gate::park).
    pub fn enter(&self, me: ExecutorId, ticket: Option<u64>) -> bool {
        let word = &self.running[me.index()].0;
        debug_assert_eq!(word.load(Ordering::Relaxed), 0, "an executor enters once");
        word.store(1, Ordering::SeqCst);
        let open = self.wanted.load(Ordering::SeqCst) == 0;
        let passed = ticket.is_some_and(|ticket| self.redeem(ticket));
        if open || passed {
            return true;
        }
        self.leave(me);
        false
    }

    /// Uses up the pass of a unit whose executor is entered already; `false` if it has none.
    ///
    /// The executor of an open lease calls this for every unit that was parked here, before it runs it.
    pub fn redeem(&self, ticket: u64) -> bool {
        self.queues.lock().passes.remove(&ticket)
    }

    /// The executor runs nothing any more and holds no shard.
    pub fn leave(&self, me: ExecutorId) {
        self.running[me.index()].0.store(0, Ordering::SeqCst);
        if self.wanted.load(Ordering::SeqCst) != 0 {
            self.look();
        }
    }

    /// Whether a world unit waits: an executor with a lease leaves before its next unit. Cheap, and may be late.
    pub fn world_wanted(&self) -> bool {
        self.wanted.load(Ordering::Relaxed) != 0
    }

    /// Queues a unit that found the gate closed. After `Parked` the wake comes with a pass; after `Retry` the gate is open
    /// to it.
    pub fn park(&self, ticket: Ticket) -> Parking {
        let mut queues = self.queues.lock();
        if self.wanted.load(Ordering::SeqCst) == 0 || queues.passes.contains(&ticket.id) {
            return Parking::Retry;
        }
        if !queues.parked.iter().any(|parked| parked.id == ticket.id) {
            queues.parked.push_back(ticket);
        }
        Parking::Parked
    }

    /// Queues a world unit and closes the gate. `Retry`: [`try_world`](Gate::try_world) should succeed at once.
    ///
    /// The caller's own executor has left.
    pub fn want_world(&self, ticket: Ticket) -> Parking {
        let mut queues = self.queues.lock();
        let id = ticket.id;
        if !queues.world.iter().any(|wish| wish.ticket.id == id) {
            queues.world.push_back(Wish { ticket, woken: false });
        }
        self.wanted.store(1, Ordering::SeqCst);
        match self.due(&mut queues) {
            Some(head) if head.id == id => Parking::Retry,
            Some(head) => {
                drop(queues);
                head.call();
                Parking::Parked
            }
            None => Parking::Parked,
        }
    }

    /// Starts the world unit with this ticket if it is the first in the queue and nobody runs; otherwise a wake will come.
    pub fn try_world(&self, ticket: u64) -> Option<World<'_>> {
        let mut queues = self.queues.lock();
        let head = queues.world.front_mut().filter(|wish| wish.ticket.id == ticket)?;
        head.woken = false;
        self.due(&mut queues)?;
        queues.world.pop_front();
        queues.world_runs = true;
        Some(World { gate: self })
    }

    /// Takes a dead unit's ticket out of every queue, and gives back its pass.
    pub fn cancel(&self, ticket: u64) {
        let mut queues = self.queues.lock();
        queues.passes.remove(&ticket);
        queues.parked.retain(|parked| parked.id != ticket);
        queues.world.retain(|wish| wish.ticket.id != ticket);
        self.advance(queues, false);
    }

    /// Wakes the head of the world queue if nothing is in its way.
    fn look(&self) {
        let mut queues = self.queues.lock();
        let head = self.due(&mut queues);
        drop(queues);
        if let Some(head) = head {
            head.call();
        }
    }

    /// The first world unit, if it may start and has not been told; it counts as told from now on.
    fn due(&self, queues: &mut Queues) -> Option<Ticket> {
        let clear = !queues.world_runs && queues.passes.is_empty();
        let head = queues.world.front_mut()?;
        if !clear || head.woken || self.running.iter().any(|word| word.0.load(Ordering::SeqCst) != 0) {
            return None;
        }
        head.woken = true;
        Some(head.ticket.clone())
    }

    /// After a world unit has ended or a ticket has gone: opens the gate if nobody wants the world, lets in the parked
    /// units if it opened or if a world unit `ended`, and wakes the next world unit if it may start.
    fn advance(&self, mut queues: crate::sync::MutexGuard<'_, Queues>, ended: bool) {
        let open = queues.world.is_empty() && !queues.world_runs;
        if open {
            self.wanted.store(0, Ordering::SeqCst);
        }
        let mut woken = Vec::new();
        if open || ended {
            woken.extend(std::mem::take(&mut queues.parked));
            queues.passes.extend(woken.iter().map(|ticket| ticket.id));
        }
        woken.extend(self.due(&mut queues));
        drop(queues);
        for ticket in woken {
            ticket.call();
        }
    }
}

/// Nobody else runs. Ends when dropped.
#[must_use]
pub struct World<'a> {
    gate: &'a Gate,
}

impl Drop for World<'_> {
    fn drop(&mut self) {
        let mut queues = self.gate.queues.lock();
        queues.world_runs = false;
        self.gate.advance(queues, true);
    }
}
