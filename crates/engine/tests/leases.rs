//! Leases under thousands of schedules: what a worker does between the gate and the shards.
//!
//! As in `schedules.rs` the files under test are compiled a second time with shuttle's locks and atomics; here `lease.rs`
//! is among them, over shards of the real keyspace, whose `last_offset` counts the units. The workers are those of a server
//! in its smallest form: they run units of their clients, put parked ones aside, end their turn, and sleep until a wake.
//!
//! The tests can fail. Each of these weakenings of `lease.rs` was made, and was seen to fail the test named:
//!
//! | weakening | fails |
//! |---|---|
//! | `enter` keeps what it has although the world is wanted | `a_kept_lease_gives_way` |
//! | `enter` of an entered lease does not use up the pass | `a_unit_that_wants_the_world_is_alone` |
//! | `enter` forgets that the unit wants the world | all |
//! | `take` keeps a contended shard | `a_kept_lease_gives_way` |
//! | `take` forgets in which queue the unit stands | all |
//! | `take_world` keeps the turn at a shard | `every_client_is_served` |
//! | `take_world` asks again at each try | all |
//! | `take_world` does not let go first | `a_kept_lease_gives_way` |
//! | `end_unit` keeps the world | `a_unit_that_wants_the_world_is_alone` |
//! | `release` does not leave the gate | all |
//! | `release` leaves the gate before it gives the shards back | `the_world_finds_every_shard_free` |
//! | `abandon` keeps the turn, the place at the gate, or the wish for the world | `who_has_gone_stands_in_nobodys_way` |
//!
//! And of `background.rs`:
//!
//! | weakening | fails |
//! |---|---|
//! | coming back for a shard stays entered when it is in vain, or parks before it gives up | `who_gives_up_stands_in_nobodys_way` |
//!
//! Three were made that no test can see, because the turn of a worker ends with a release: `take` that parks without letting
//! go, or that keeps the former shards while it tries others, and that keeps its turn when it finds the shard kept (a shard
//! with a queue is contended, and so is not kept).
#![forbid(unsafe_code)]

#[allow(dead_code)]
#[path = "../src/background.rs"]
mod background;
#[allow(dead_code)]
#[path = "../src/gate.rs"]
mod gate;
#[allow(dead_code)]
#[path = "../src/id.rs"]
mod id;
#[allow(dead_code)]
#[path = "../src/lease.rs"]
mod lease;
#[allow(dead_code)]
#[path = "../src/shard.rs"]
mod shard;
#[path = "schedules/sync.rs"]
mod sync;
#[allow(dead_code)]
#[path = "../src/ticket.rs"]
mod ticket;

use background::{Background, Sleeper};
use gate::Gate;
use id::{ExecutorId, ShardId};
use keyspace::{Shard, ShardMap, UnixMillis};
use lease::{Attempt, Lease, RUN, Taken};
use shard::{BARGE_LIMIT, Shards};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use ticket::Wake;

/// Random schedules per test, and as many again of PCT.
const SCHEDULES: usize = 1500;

/// What a lease is a hold on.
pub struct Engine {
    gate: Gate,
    shards: Shards<Shard>,
    map: ShardMap,
    /// Units that have begun.
    started: AtomicU32,
    /// Units that run.
    running: AtomicU32,
    /// A unit runs that is alone.
    alone: AtomicBool,
}

impl Engine {
    fn new(executors: usize, shards: usize) -> Arc<Self> {
        Arc::new(Engine {
            gate: Gate::new(executors),
            shards: Shards::new(shards, |_| Shard::new(1, ShardMap::new(1))),
            map: ShardMap::new(shards),
            started: AtomicU32::new(0),
            running: AtomicU32::new(0),
            alone: AtomicBool::new(false),
        })
    }

    /// Time stands still.
    pub fn now(&self) -> UnixMillis {
        UnixMillis(0)
    }

    /// How many units have run in a shard, when all is over.
    fn units(&self, shard: u16) -> u64 {
        let held = self.shards.try_acquire(&[ShardId(shard)], None);
        held.ok().and_then(|held| held.get(ShardId(shard)).map(|s| s.last_offset)).expect("every thread has ended")
    }
}

/// What a client wants done, once.
#[derive(Clone, Copy)]
enum Work {
    /// A unit over these shards.
    Shards(&'static [u16]),
    /// A unit that is alone.
    World,
    /// A unit over these shards that is told to wait the first time it is looked at, as by a pause.
    Paused(&'static [u16]),
    /// A unit that is given up when it has been parked: its client has gone.
    Dies(&'static [u16]),
    /// The same of a unit that wants to be alone.
    DiesAlone,
}

struct Client {
    work: Work,
    attempt: Attempt,
    ticket: u64,
}

enum After {
    Done,
    Parked,
    Paused,
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

/// Runs the unit of a client, or parks it.
fn unit(engine: &Engine, lease: &mut Lease<'_>, client: &mut Client) -> After {
    let (ids, world): (Vec<ShardId>, bool) = match client.work {
        Work::Shards(ids) | Work::Paused(ids) | Work::Dies(ids) => (ids.iter().map(|id| ShardId(*id)).collect(), false),
        Work::World | Work::DiesAlone => (Vec::new(), true),
    };
    loop {
        let taken = if world { lease.take_world(&mut client.attempt) } else { lease.enter(&mut client.attempt) };
        match taken {
            Taken::Yes => {}
            Taken::Again => continue,
            Taken::Parked => return After::Parked,
        }
        if let Work::Paused(ids) = client.work {
            client.work = Work::Shards(ids);
            lease.abandon(&mut client.attempt);
            lease.end_unit();
            return After::Paused;
        }
        match lease.take(&ids, &mut client.attempt) {
            Taken::Yes => break,
            Taken::Again => continue,
            Taken::Parked => return After::Parked,
        }
    }
    let alone = lease.world().is_some();
    engine.started.fetch_add(1, Ordering::SeqCst);
    let others = engine.running.fetch_add(1, Ordering::SeqCst);
    assert!(!engine.alone.load(Ordering::SeqCst), "a unit beside one that is alone");
    if alone {
        assert_eq!(others, 0, "it is not alone");
        engine.alone.store(true, Ordering::SeqCst);
    }
    for id in &ids {
        let shard = lease.shard_mut(*id).expect("the shard was taken");
        let before = shard.last_offset;
        shuttle::thread::yield_now();
        shard.last_offset = before + 1;
    }
    engine.alone.store(false, Ordering::SeqCst);
    engine.running.fetch_sub(1, Ordering::SeqCst);
    lease.end_unit();
    assert!(lease.world().is_none(), "the world is given back at once");
    client.attempt.succeed();
    After::Done
}

/// One I/O thread (those with even numbers take the turn for one pipeline) with one client for each piece of work. It ends when all is done; or, if it is told so, at its second
/// sleep, with clients parked.
fn worker(engine: &Engine, me: u16, work: &[Work], ends_early: bool) {
    let inbox = Arc::new(Inbox { woken: Mutex::new(VecDeque::new()), sleeper: Sleeper::new() });
    let mut lease = Lease::new(engine, ExecutorId(me), inbox.clone());
    let mut ready: VecDeque<Client> = VecDeque::new();
    for (number, work) in work.iter().enumerate() {
        let ticket = u64::from(me) * 100 + number as u64 + 1;
        ready.push_back(Client { work: *work, attempt: Attempt::new(ticket), ticket });
    }
    let mut parked: BTreeMap<u64, Client> = BTreeMap::new();
    let mut sleeps = 0;
    loop {
        let mut paused = Vec::new();
        if me.is_multiple_of(2) {
            lease.begin_run();
        }
        while let Some(mut client) = ready.pop_front() {
            match unit(engine, &mut lease, &mut client) {
                After::Done => {}
                After::Paused => paused.push(client),
                After::Parked if matches!(client.work, Work::Dies(_) | Work::DiesAlone) => {
                    lease.abandon(&mut client.attempt);
                }
                After::Parked => drop(parked.insert(client.ticket, client)),
            }
        }
        lease.end_run();
        lease.release();
        ready.extend(paused);
        if ready.is_empty() {
            if parked.is_empty() {
                return;
            }
            sleeps += 1;
            if ends_early && sleeps == 2 {
                parked.values_mut().for_each(|client| lease.abandon(&mut client.attempt));
                return;
            }
            inbox.sleeper.sleep();
        }
        // A wake may be for a client that has gone.
        ready.extend(std::mem::take(&mut *inbox.woken.lock()).into_iter().filter_map(|id| parked.remove(&id)));
    }
}

/// Runs workers, one for each list, under many schedules; then `check`.
fn explore(shards: usize, workers: &'static [&'static [Work]], check: fn(&Engine)) {
    explore_with(shards, workers, |_| (), check);
}

/// The same with a further thread, the last executor, that does `beside`.
fn explore_with(shards: usize, workers: &'static [&'static [Work]], beside: fn(&Engine), check: fn(&Engine)) {
    let scenario = move || {
        let engine = Engine::new(workers.len() + 1, shards);
        let mut threads: Vec<_> = (0..workers.len())
            .map(|me| {
                let engine = engine.clone();
                shuttle::thread::spawn(move || worker(&engine, me as u16, workers[me], false))
            })
            .collect();
        let last = engine.clone();
        threads.push(shuttle::thread::spawn(move || beside(&last)));
        threads.into_iter().for_each(|thread| thread.join().expect("a thread that panics ends the schedule"));
        check(&engine);
    };
    shuttle::check_random(scenario, SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 4);
}

use Work::{Dies, DiesAlone, Paused, World};

const ONE: Work = Work::Shards(&[0]);
const OTHER: Work = Work::Shards(&[1]);
const BOTH: Work = Work::Shards(&[0, 1]);

/// With one shard a lease keeps it for a whole turn, and gives way when somebody waits.
#[test]
fn one_shard_is_shared_by_leases_that_keep_it() {
    explore(1, &[&[ONE, ONE, ONE], &[ONE, ONE], &[ONE]], |engine| assert_eq!(engine.units(0), 6));
    // A unit that was parked finds the shard kept by one that came after it, and its own place still in the queue.
    const WORK: &[&[Work]] =
        &[&[ONE, Paused(&[0]), Paused(&[0]), ONE], &[ONE, Paused(&[0]), ONE], &[ONE; 12], &[ONE; 3]];
    explore(1, WORK, |engine| assert_eq!(engine.units(0), 22));
}

/// However long a turn is: who waits is let in between two units, or after those that a pipeline may have in a row.
#[test]
fn a_kept_lease_gives_way() {
    let scenario = |world: bool, shards: usize| {
        let engine = Engine::new(2, shards);
        let (long, other) = (engine.clone(), engine.clone());
        let turn = shuttle::thread::spawn(move || worker(&long, 0, &[ONE; 2 * RUN as usize], false));
        let sleeper = Sleeper::new();
        let mut lease = Lease::new(&other, ExecutorId(1), sleeper.clone());
        let (mut attempt, mut since) = (Attempt::new(1000), None);
        loop {
            let taken = match world {
                true => lease.take_world(&mut attempt),
                false => match lease.enter(&mut attempt) {
                    Taken::Yes => lease.take(&[ShardId(0)], &mut attempt),
                    not => not,
                },
            };
            match taken {
                Taken::Yes => break,
                Taken::Again => continue,
                Taken::Parked => {
                    since.get_or_insert(other.started.load(Ordering::SeqCst));
                    sleeper.sleep();
                }
            }
        }
        if let Some(since) = since {
            let passed = other.started.load(Ordering::SeqCst) - since;
            // The unit that runs, one that has looked already, and those that may overtake a head of a queue.
            let run = if shards > 1 { RUN } else { 0 };
            let most = if world { 2 } else { 2 + BARGE_LIMIT + run };
            assert!(passed <= most, "{passed} units have begun since");
        }
        lease.release();
        turn.join().expect("a thread that panics ends the schedule");
    };
    for (world, shards) in [(false, 1), (true, 1), (false, 2), (true, 2)] {
        shuttle::check_random(move || scenario(world, shards), SCHEDULES);
        shuttle::check_pct(move || scenario(world, shards), SCHEDULES, 4);
    }
}

/// Whoever is alone finds every shard free: a lease gives its shards back before it leaves the gate.
#[test]
fn the_world_finds_every_shard_free() {
    let beside = |engine: &Engine| {
        let sleeper = Sleeper::new();
        let mut parking = engine.gate.want_world(ticket::Ticket { id: 1000, wake: sleeper.clone() });
        loop {
            if parking == ticket::Parking::Parked {
                sleeper.sleep();
            }
            if let Some(_world) = engine.gate.try_world(1000) {
                break assert!(engine.shards.try_acquire(&[ShardId(0), ShardId(1)], None).is_ok());
            }
            parking = ticket::Parking::Parked;
        }
    };
    explore_with(2, &[&[BOTH, BOTH]], beside, |engine| assert_eq!(engine.units(0), 2));
}

/// Nobody is forgotten between two shards, and nobody runs in a shard beside another.
#[test]
fn every_client_is_served() {
    explore(2, &[&[ONE, BOTH, OTHER], &[BOTH, ONE], &[OTHER, BOTH]], |engine| {
        assert_eq!((engine.units(0), engine.units(1)), (5, 5));
    });
}

/// Units that are alone come from several threads, between others, on leases that are kept and on such that are not.
#[test]
fn a_unit_that_wants_the_world_is_alone() {
    explore(1, &[&[ONE, World, ONE], &[ONE, World], &[ONE]], |engine| assert_eq!(engine.units(0), 4));
    explore(2, &[&[ONE, World, BOTH], &[World, OTHER], &[BOTH]], |engine| {
        assert_eq!((engine.units(0), engine.units(1)), (3, 3));
    });
}

/// Who is told to wait behind the gate gives up what it has, its places included.
#[test]
fn a_paused_unit_stands_in_nobodys_way() {
    explore(2, &[&[Paused(&[0]), World, BOTH], &[Paused(&[0, 1]), ONE], &[World, OTHER]], |engine| {
        assert_eq!((engine.units(0), engine.units(1)), (4, 3));
    });
}

/// Clients go while they wait for a shard, for the gate, or for the world; their turns are handed on.
#[test]
fn who_has_gone_stands_in_nobodys_way() {
    const WORK: &[&[Work]] = &[&[Dies(&[0]), ONE, DiesAlone], &[Dies(&[0, 1]), BOTH, World], &[DiesAlone, ONE]];
    explore(2, WORK, |engine| assert!(engine.units(0) >= 3 && engine.units(1) >= 1));
}

/// A thread that sleeps where it waits (expiry, a snapshot) gets its shard among leases, and among units that are alone.
#[test]
fn background_threads_get_through() {
    let beside = |engine: &Engine| {
        let mut background = Background::new(&engine.gate, &engine.shards, ExecutorId(2), 1000);
        for _ in 0..3 {
            let mut shard = background.lock(ShardId(0));
            assert!(!engine.alone.load(Ordering::SeqCst));
            shard.last_offset += 1;
        }
    };
    explore_with(1, &[&[ONE, World, ONE], &[ONE, ONE]], beside, |engine| assert_eq!(engine.units(0), 7));
}

/// A thread that has other things to do (the control thread) comes back a few times and gives up: it leaves no place behind
/// that others would wait for, at the shard or at the gate.
#[test]
fn who_gives_up_stands_in_nobodys_way() {
    let beside = |engine: &Engine| {
        let mut background = Background::new(&engine.gate, &engine.shards, ExecutorId(2), 1000);
        let mut naps = 2;
        for _ in 0..4 {
            if let Some(shard) = background.try_lock(ShardId(0), &mut naps) {
                assert!(!engine.alone.load(Ordering::SeqCst));
                drop(shard);
            }
        }
    };
    explore_with(1, &[&[ONE, World, ONE], &[World, ONE]], beside, |engine| assert_eq!(engine.units(0), 3));
}

/// A worker ends while its clients are parked, as all do at the end of the server: those who go on are not held up.
#[test]
fn the_end_of_a_worker_frees_its_places() {
    let scenario = || {
        let engine = Engine::new(3, 2);
        let (first, second, third) = (engine.clone(), engine.clone(), engine.clone());
        let threads = [
            shuttle::thread::spawn(move || worker(&first, 0, &[World, BOTH, ONE, World], true)),
            shuttle::thread::spawn(move || worker(&second, 1, &[BOTH, World, BOTH], false)),
            shuttle::thread::spawn(move || {
                let mut background = Background::new(&third.gate, &third.shards, ExecutorId(2), 1000);
                (0..2).for_each(|_| background.lock(ShardId(1)).last_offset += 1);
            }),
        ];
        threads.into_iter().for_each(|thread| thread.join().expect("a thread that panics ends the schedule"));
        assert!(engine.units(1) >= 4);
    };
    shuttle::check_random(scenario, SCHEDULES);
    shuttle::check_pct(scenario, SCHEDULES, 4);
}
