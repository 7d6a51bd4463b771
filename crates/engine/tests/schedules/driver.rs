//! What a server does with the engine's locks, in its smallest form: threads that run units, park them, and come back.

use crate::background::Sleeper;
use crate::gate::{Gate, World};
use crate::id::{ExecutorId, ShardId};
use crate::shard::{Held, Shards, Turn};
use crate::sync::{AtomicU64, Mutex, Ordering};
use crate::ticket::{Parking, Ticket, Wake};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Random schedules per test, and as many again of PCT.
const SCHEDULES: usize = 3000;

/// After this many parkings a unit asks for the world.
const PATIENCE: u32 = 3;

/// Runs `scenario` under many schedules.
pub fn explore(scenario: impl Fn() + Send + Sync + 'static) {
    explore_times(1, scenario);
}

/// Runs a small scenario, whose critical schedules are rare, under `times` as many.
pub fn explore_times(times: usize, scenario: impl Fn() + Send + Sync + 'static) {
    let scenario = Arc::new(scenario);
    let again = scenario.clone();
    shuttle::check_random(move || scenario(), times * SCHEDULES);
    shuttle::check_pct(move || again(), times * SCHEDULES, 4);
}

/// A server's locks.
pub struct Node {
    pub gate: Gate,
    pub shards: Shards<i64>,
    tickets: AtomicU64,
}

impl Node {
    pub fn new(executors: usize, shards: usize, value: i64) -> Arc<Self> {
        let shards = Shards::new(shards.next_power_of_two(), |_| value);
        Arc::new(Node { gate: Gate::new(executors), shards, tickets: AtomicU64::new(1) })
    }

    /// Runs `body` on this many executors and waits for them.
    pub fn threads<F>(self: Arc<Self>, count: u16, body: F) -> Arc<Self>
    where
        F: Fn(&Node, ExecutorId) + Clone + Send + 'static,
    {
        let spawn = |me| {
            let (node, body) = (self.clone(), body.clone());
            shuttle::thread::spawn(move || body(&node, ExecutorId(me)))
        };
        let threads: Vec<_> = (0..count).map(spawn).collect();
        threads.into_iter().for_each(|thread| thread.join().expect("a thread that panics ends the schedule"));
        self
    }

    /// A shard's value when all is over.
    pub fn value(&self, shard: u16) -> i64 {
        let held = self.shards.try_acquire(&[ShardId(shard)], None);
        held.ok().and_then(|held| held.get(ShardId(shard)).copied()).expect("every thread has ended")
    }

    /// A number that no other unit has.
    pub fn ticket_id(&self) -> u64 {
        self.tickets.fetch_add(1, Ordering::SeqCst)
    }

    /// One unit, by a thread that has nothing else to do; after some parkings it takes the world.
    pub fn unit(&self, me: ExecutorId, shards: &[u16], run: impl FnOnce(&mut Held<'_, i64>)) {
        self.attempt(me, shards, PATIENCE, || true, run);
    }

    /// One unit that never asks for the world.
    pub fn patient_unit(&self, me: ExecutorId, shards: &[u16], run: impl FnOnce(&mut Held<'_, i64>)) {
        self.attempt(me, shards, u32::MAX, || true, run);
    }

    /// One unit that runs only if `check`, made after each entry, allows it.
    pub fn checked_unit(
        &self,
        me: ExecutorId,
        shards: &[u16],
        check: impl FnMut() -> bool,
        run: impl FnOnce(&mut Held<'_, i64>),
    ) {
        self.attempt(me, shards, u32::MAX, check, run);
    }

    fn attempt(
        &self,
        me: ExecutorId,
        shards: &[u16],
        patience: u32,
        mut check: impl FnMut() -> bool,
        run: impl FnOnce(&mut Held<'_, i64>),
    ) {
        let ids: Vec<ShardId> = shards.iter().map(|&shard| ShardId(shard)).collect();
        let (sleeper, id) = (Sleeper::new(), self.ticket_id());
        let ticket = || Ticket { id, wake: sleeper.clone() };
        let (mut turn, mut pass, mut parkings) = (None, None, 0);
        loop {
            if parkings > patience {
                turn.into_iter().for_each(|turn| self.shards.cancel(turn));
                return self.world_unit(me, |node, world| run(&mut node.shards.acquire_all(world)));
            }
            if !self.gate.enter(me, pass) {
                pass = Some(id);
                if self.gate.park(ticket()) == Parking::Parked {
                    sleeper.sleep();
                }
                continue;
            }
            pass = None;
            if !check() {
                self.gate.leave(me);
                turn.into_iter().for_each(|turn| self.shards.cancel(turn));
                return;
            }
            match self.shards.try_acquire(&ids, turn) {
                Ok(mut held) => {
                    run(&mut held);
                    drop(held);
                    return self.gate.leave(me);
                }
                Err(shard) => {
                    self.gate.leave(me);
                    turn = Some(Turn { shard, ticket: id });
                    parkings += 1;
                    if self.shards.park(shard, ticket()) == Parking::Parked {
                        sleeper.sleep();
                    }
                }
            }
        }
    }

    /// One unit that has the world to itself.
    pub fn world_unit(&self, _: ExecutorId, run: impl FnOnce(&Node, &World<'_>)) {
        let (sleeper, id) = (Sleeper::new(), self.ticket_id());
        let mut parking = self.gate.want_world(Ticket { id, wake: sleeper.clone() });
        loop {
            if parking == Parking::Parked {
                sleeper.sleep();
            }
            if let Some(world) = self.gate.try_world(id) {
                return run(self, &world);
            }
            parking = Parking::Parked;
        }
    }

    /// A worker: one client per set of shards, each with one unit that adds 1 to all of them. Between units it keeps
    /// what it holds, unless somebody waits for it or for the world.
    pub fn worker(&self, me: ExecutorId, clients: &[&[u16]]) {
        let inbox = Arc::new(Inbox { woken: Mutex::new(VecDeque::new()), sleeper: Sleeper::new() });
        let mut ready: VecDeque<Client> = clients
            .iter()
            .map(|shards| Client {
                id: self.ticket_id(),
                shards: shards.iter().map(|&shard| ShardId(shard)).collect(),
                turn: None,
                at_gate: false,
            })
            .collect();
        let mut parked: BTreeMap<u64, Client> = BTreeMap::new();
        while !ready.is_empty() || !parked.is_empty() {
            if ready.is_empty() {
                inbox.sleeper.sleep();
            }
            ready.extend(std::mem::take(&mut *inbox.woken.lock()).into_iter().filter_map(|id| parked.remove(&id)));
            self.turn(me, &inbox, &mut ready, &mut parked);
        }
    }

    /// One turn of a worker's loop.
    fn turn(
        &self,
        me: ExecutorId,
        inbox: &Arc<Inbox>,
        ready: &mut VecDeque<Client>,
        parked: &mut BTreeMap<u64, Client>,
    ) {
        let mut lease: Option<Held<'_, i64>> = None;
        let mut entered = false;
        let mut waits = Vec::new();
        while let Some(mut client) = ready.pop_front() {
            if entered && (self.gate.world_wanted() || lease.as_ref().is_some_and(Held::contended)) {
                lease = None;
                self.gate.leave(me);
                entered = false;
            }
            if entered {
                if client.at_gate {
                    self.gate.redeem(client.id);
                }
            } else if !self.gate.enter(me, client.at_gate.then_some(client.id)) {
                client.at_gate = true;
                waits.push((client, None));
                continue;
            }
            (entered, client.at_gate) = (true, false);
            if !lease.as_ref().is_some_and(|held| held.covers(&client.shards)) {
                lease = None;
                match self.shards.try_acquire(&client.shards, client.turn) {
                    Ok(held) => lease = Some(held),
                    Err(shard) => {
                        client.turn = Some(Turn { shard, ticket: client.id });
                        waits.push((client, Some(shard)));
                        continue;
                    }
                }
            } else if let Some(turn) = client.turn.take() {
                self.shards.cancel(turn);
            }
            let held = lease.as_mut().expect("taken above");
            for &shard in &client.shards {
                *held.get_mut(shard).expect("covered") += 1;
            }
        }
        drop(lease);
        if entered {
            self.gate.leave(me);
        }
        for (client, shard) in waits {
            let ticket = Ticket { id: client.id, wake: inbox.clone() };
            let parking = match shard {
                Some(shard) => self.shards.park(shard, ticket),
                None => self.gate.park(ticket),
            };
            match parking {
                Parking::Parked => drop(parked.insert(client.id, client)),
                Parking::Retry => ready.push_back(client),
            }
        }
    }
}

/// A client of a worker.
struct Client {
    id: u64,
    shards: Vec<ShardId>,
    turn: Option<Turn>,
    at_gate: bool,
}

/// Where a worker's wakes arrive.
struct Inbox {
    woken: Mutex<VecDeque<u64>>,
    sleeper: Arc<Sleeper>,
}

impl Wake for Inbox {
    fn wake(&self, ticket: u64) {
        self.woken.lock().push_back(ticket);
        self.sleeper.wake(ticket);
    }
}
