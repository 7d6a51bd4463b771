//! An executor's hold on the engine: entered at the gate, and perhaps some shards.
//!
//! A lease may stay open over many units of one turn. With one shard (`threads 1`) it keeps that shard from the first
//! command of a turn to the last, so that a pipeline pays for the lock once; with several it gives them back after each
//! unit, or, within a pipeline ([`Lease::begin_run`]), when a unit needs others. Between two units it looks whether somebody
//! waits for what it has, and gives way; in a pipeline after a few units only, because a hand-over to another thread costs more
//! than all of them.
//!
//! A unit that cannot have what it needs is *parked*: the lease lets go of everything, and the unit's [`Attempt`] remembers
//! its place in the queue. When its wake comes the unit starts from the beginning, its checks included.

use std::sync::Arc;

use keyspace::{DbIndex, Shard, Space, UnixMillis};
use smallvec::SmallVec;

use crate::Engine;
use crate::gate::World;
use crate::id::{ExecutorId, ShardId};
use crate::shard::{Held, Turn};
use crate::ticket::{Parking, Ticket, Wake};

/// After so many times in a shard's queue a unit goes through the barrier, where nobody can pass it.
const PARKED_ENOUGH: u32 = 3;

/// A unit's attempts to get what it needs; kept by the unit while it is parked.
#[derive(Debug, Default)]
pub struct Attempt {
    ticket: u64,
    turn: Option<Turn>,
    at_gate: bool,
    wants_world: bool,
    parked: u32,
}

impl Attempt {
    /// Whether the unit stands in a queue, so that a wake will come for it.
    pub fn is_queued(&self) -> bool {
        self.turn.is_some() || self.at_gate || self.wants_world
    }

    /// The unit has run; the next one of the same owner starts afresh.
    pub fn succeed(&mut self) {
        *self = Attempt::new(self.ticket);
    }

    /// The first attempt of a unit. `ticket` is unique among the units that may be parked at the same time.
    pub fn new(ticket: u64) -> Self {
        Attempt { ticket, ..Attempt::default() }
    }
}

/// So many units of a pipeline may have a shard in a row while somebody waits for it.
pub const RUN: u32 = 32;

/// The answer to a unit that asks for shards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use]
pub enum Taken {
    /// It has them.
    Yes,
    /// It is queued; its wake will come.
    Parked,
    /// Something has changed: begin again, checks included.
    Again,
}

/// See the head of this file.
pub struct Lease<'e> {
    engine: &'e Engine,
    me: ExecutorId,
    wake: Arc<dyn Wake>,
    held: Option<Held<'e, Shard>>,
    world: Option<World<'e>>,
    entered: bool,
    now: UnixMillis,
    units: u32,
    /// How many more units of the pipeline in progress may keep contended shards; `None` outside of a pipeline.
    run: Option<u32>,
}

/// While a lease keeps its shards, `now` is read again after so many units.
const UNITS_PER_CLOCK: u32 = 16;

impl<'e> Lease<'e> {
    /// The lease of one executor; it holds nothing yet. `wake` brings back its parked units.
    pub fn new(engine: &'e Engine, me: ExecutorId, wake: Arc<dyn Wake>) -> Self {
        Lease { engine, me, wake, held: None, world: None, entered: false, now: UnixMillis(0), units: 0, run: None }
    }

    /// Enters the gate. What may forbid a command is read after this, and holds until the lease lets go.
    pub fn enter(&mut self, attempt: &mut Attempt) -> Taken {
        if self.world.is_some() {
            return Taken::Yes;
        }
        if attempt.wants_world {
            return self.take_world(attempt);
        }
        if self.entered && self.engine.gate.world_wanted() {
            self.release();
        }
        if self.entered {
            if attempt.at_gate {
                self.engine.gate.redeem(attempt.ticket);
                attempt.at_gate = false;
            }
            return Taken::Yes;
        }
        loop {
            if self.engine.gate.enter(self.me, attempt.at_gate.then_some(attempt.ticket)) {
                attempt.at_gate = false;
                self.entered = true;
                return Taken::Yes;
            }
            attempt.at_gate = true;
            if self.engine.gate.park(self.ticket(attempt)) == Parking::Parked {
                return Taken::Parked;
            }
        }
    }

    /// Takes shards, in ascending order; the lease has entered.
    pub fn take(&mut self, ids: &[ShardId], attempt: &mut Attempt) -> Taken {
        if self.world.is_some() {
            if let Some(turn) = attempt.turn.take() {
                self.engine.shards.cancel(turn);
            }
            return Taken::Yes;
        }
        debug_assert!(self.entered, "shards are taken behind the gate");
        if let Some(held) = &self.held {
            if held.covers(ids) && (self.run.is_some_and(|left| left > 0) || !held.contended()) {
                self.run = self.run.map(|left| left.saturating_sub(1));
                if let Some(turn) = attempt.turn.take() {
                    self.engine.shards.cancel(turn);
                }
                self.tick();
                return Taken::Yes;
            }
            self.held = None;
        }
        if attempt.parked >= PARKED_ENOUGH {
            return self.take_world(attempt);
        }
        match self.engine.shards.try_acquire(ids, attempt.turn) {
            Ok(held) => {
                // Whoever has overtaken others that wait has had its share.
                let overtakes = attempt.turn.take().is_none() && held.contended();
                self.run = self.run.map(|_| if overtakes { 0 } else { RUN });
                self.held = Some(held);
                self.units = 0;
                self.now = self.engine.now();
                Taken::Yes
            }
            Err(id) => {
                self.release();
                attempt.parked += 1;
                attempt.turn = Some(Turn { shard: id, ticket: attempt.ticket });
                match self.engine.shards.park(id, self.ticket(attempt)) {
                    Parking::Parked => Taken::Parked,
                    Parking::Retry => Taken::Again,
                }
            }
        }
    }

    /// Takes one shard if nobody has it or waits for it; the lease has entered. Nothing is parked.
    pub fn try_take(&mut self, id: ShardId) -> bool {
        if self.world.is_some() || self.covers(&[id]) {
            return true;
        }
        self.held = self.engine.shards.try_acquire(&[id], None).ok();
        if self.held.is_some() {
            self.units = 0;
            self.now = self.engine.now();
        }
        self.held.is_some()
    }

    /// Takes the whole keyspace, alone.
    pub fn take_world(&mut self, attempt: &mut Attempt) -> Taken {
        if self.world.is_some() {
            return Taken::Yes;
        }
        self.release();
        if let Some(turn) = attempt.turn.take() {
            self.engine.shards.cancel(turn);
        }
        if !attempt.wants_world {
            attempt.wants_world = true;
            if self.engine.gate.want_world(self.ticket(attempt)) == Parking::Parked {
                return Taken::Parked;
            }
        }
        let Some(world) = self.engine.gate.try_world(attempt.ticket) else { return Taken::Parked };
        attempt.wants_world = false;
        self.held = Some(self.engine.shards.acquire_all(&world));
        self.world = Some(world);
        self.now = self.engine.now();
        Taken::Yes
    }

    /// The engine.
    pub fn engine(&self) -> &'e Engine {
        self.engine
    }

    /// Gives the shards back, staying entered.
    pub fn drop_shards(&mut self) {
        self.held = None;
    }

    /// The world, if this lease has it: what publishing a new control value asks for.
    pub fn world(&self) -> Option<&World<'e>> {
        self.world.as_ref()
    }

    /// Whether the lease holds all of these.
    pub fn covers(&self, ids: &[ShardId]) -> bool {
        self.held.as_ref().is_some_and(|held| held.covers(ids))
    }

    /// One shard that the lease holds.
    pub fn shard_mut(&mut self, id: ShardId) -> Option<&mut Shard> {
        self.held.as_mut()?.get_mut(id)
    }

    /// Every shard that the lease holds.
    pub fn all_shards(&mut self) -> impl Iterator<Item = &mut Shard> {
        self.held.iter_mut().flat_map(|held| held.iter_mut().map(|(_, shard)| shard))
    }

    /// The shards held, as the keyspace of a unit. Fixes the unit's `now`.
    pub fn space(&mut self, db: DbIndex) -> Space<'_> {
        let shards: SmallVec<[_; 4]> = match &mut self.held {
            Some(held) => held.iter_mut().collect(),
            None => SmallVec::new(),
        };
        Space::new(self.engine.map, shards, db, self.now)
    }

    /// Brings the numbers of keys of the shards held up to date: what this unit has changed counts from now on.
    pub fn publish_counts(&mut self) {
        for (_, shard) in self.held.iter_mut().flat_map(Held::iter_mut) {
            shard.publish_counts();
        }
    }

    /// The time of the unit in progress.
    pub fn now(&self) -> UnixMillis {
        self.now
    }

    /// Ends a unit: the world is given back at once, single shards unless the lease keeps the only one or those of a pipeline.
    pub fn end_unit(&mut self) {
        if self.world.is_some() || self.engine.map.shards() > 1 && self.run.is_none() {
            self.release();
        }
    }

    /// The units up to [`Lease::end_run`] are one client's pipeline, one right after the other: what one of them has had is
    /// kept for the next. (The only shard is kept in any case.)
    pub fn begin_run(&mut self) {
        self.run = (self.engine.map.shards() > 1).then_some(RUN);
    }

    /// The pipeline is over, or has to wait.
    pub fn end_run(&mut self) {
        self.run = None;
        self.end_unit();
    }

    /// Lets go of everything.
    pub fn release(&mut self) {
        self.held = None;
        if self.world.take().is_none() && self.entered {
            self.engine.gate.leave(self.me);
        }
        self.entered = false;
    }

    /// Forgets the places of a unit that will not come back (its client is gone).
    pub fn abandon(&mut self, attempt: &mut Attempt) {
        if let Some(turn) = attempt.turn.take() {
            self.engine.shards.cancel(turn);
        }
        if attempt.at_gate || attempt.wants_world {
            self.engine.gate.cancel(attempt.ticket);
        }
        *attempt = Attempt::new(attempt.ticket);
    }

    fn tick(&mut self) {
        self.units += 1;
        if self.units >= UNITS_PER_CLOCK {
            self.units = 0;
            self.now = self.engine.now();
        }
    }

    fn ticket(&self, attempt: &Attempt) -> Ticket {
        Ticket { id: attempt.ticket, wake: self.wake.clone() }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.release();
    }
}
