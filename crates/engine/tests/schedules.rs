//! The engine's locks under thousands of schedules.
//!
//! The files under test are compiled a second time here, with `crate::sync` being shuttle's locks and atomics: every
//! operation on one of them is a point at which another thread may go on, chosen at random or by PCT (few, well placed
//! preemptions). A schedule in which everybody waits is reported as a deadlock, one that goes in circles runs into the
//! limit of steps; so "no lost wake-up" and "nobody starves" are checked by every test that merely ends.
//!
//! Shuttle's atomics are sequentially consistent: it explores orders of operations, not weaker memory. That the fences and
//! orderings suffice is argued where they stand, and exercised with real threads by `tests/threads.rs`.
//!
//! The tests can fail. Each of these weakenings of a line or two was made, and was seen to fail the test named (most fail
//! several):
//!
//! | file | weakening | fails |
//! |---|---|---|
//! | shard | `park` does not look again | `parked_units_all_finish` |
//! | shard | `park` looks before it publishes `waiting` | `parked_units_all_finish` |
//! | shard | the look takes the lock and wakes nobody | `a_refused_newcomer_wakes_the_head` |
//! | shard | the look wakes only the looker, if it is the head | `parked_units_all_finish` |
//! | shard | a release of one shard wakes nobody | `parked_units_all_finish` |
//! | shard | a release of several shards wakes nobody | `transfers_conserve_the_sum` |
//! | shard | parking again leaves the entry `woken` | `parked_units_all_finish` |
//! | shard | acquiring leaves the ticket in the FIFO | `workers_with_leases_serve_every_client` |
//! | shard | `cancel` wakes nobody | `cancelled_tickets_hand_on_their_turn` |
//! | shard | failing at another shard keeps the turn | `transfers_conserve_the_sum` |
//! | shard | nothing is reserved | `barging_is_bounded` |
//! | shard | the limit is looked at only before the lock is taken | `a_refused_newcomer_wakes_the_head` |
//! | shard | a refused newcomer wakes nobody | `a_refused_newcomer_wakes_the_head` |
//! | gate | `enter` reads the flag before it sets its word | `the_world_excludes_everybody` |
//! | gate | `leave` does not look; or reads the flag before it clears its word | `workers_let_the_world_in` |
//! | gate | an `enter` that fails does not look | `workers_let_the_world_in` |
//! | gate | `want_world` does not look; or looks before it raises the flag | `workers_let_the_world_in` |
//! | gate | the world ignores running words; or another world | `the_world_excludes_everybody` |
//! | gate | the world ignores passes; none are given; or only when the gate opens | `parked_units_run_between_world_units` |
//! | gate | a pass is not used up at an open gate | `cancelled_tickets_open_the_gate` |
//! | gate | `try_world` leaves the wish `woken` | `workers_let_the_world_in` |
//! | gate | `park` reads the flag before it has the mutex | `background_threads_sleep_outside_the_gate` |
//! | gate | the gate opens although a world unit is queued | `the_world_excludes_everybody` |
//! | gate | `cancel` keeps the pass; or advances nothing | `cancelled_tickets_open_the_gate` |
//! | control | the epoch does not move; or moves before the value | `no_unit_outlives_its_control` |
//! | control | a reader takes the value before the epoch | `no_unit_outlives_its_control` |
//! | control | a copy and what it is a copy of are loaded one after the other | `a_new_worker_sees_the_newest_control` |
//! | shard | the end of a glance wakes nobody | `glances_wake_like_any_release` |
//! | background | it sleeps while it is entered | `background_threads_sleep_outside_the_gate` |
//! | background | it leaves before it releases | `the_world_finds_every_shard_free` |
//! | driver | the check is made before entering | `no_unit_outlives_its_control` |
#![forbid(unsafe_code)]

#[allow(dead_code)]
#[path = "../src/background.rs"]
mod background;
#[allow(dead_code)]
#[path = "../src/control.rs"]
mod control;
#[allow(dead_code)]
#[path = "../src/gate.rs"]
mod gate;
#[allow(dead_code)]
#[path = "../src/id.rs"]
mod id;
#[allow(dead_code)]
#[path = "../src/shard.rs"]
mod shard;
#[path = "schedules/sync.rs"]
mod sync;
#[allow(dead_code)]
#[path = "../src/ticket.rs"]
mod ticket;

#[path = "schedules/driver.rs"]
mod driver;

use background::Background;
use control::{Copied, Published};
use driver::{Node, explore, explore_times};
use id::ShardId;
use shard::{BARGE_LIMIT, Turn};
use std::sync::Arc;
use sync::{AtomicBool, AtomicU32, Mutex, Ordering};
use ticket::{Parking, Wake};

/// Units that move money between two shards, and units that look at all of it: the sum is the same at every look.
#[test]
fn transfers_conserve_the_sum() {
    explore(|| {
        let node = Node::new(3, 4, 100);
        let moves: [&[u16]; 3] = [&[0, 1], &[1, 2], &[0, 2]];
        node.threads(3, move |node, me| {
            for round in 0..2 {
                let set = moves[(usize::from(me.0) + round) % 3];
                node.unit(me, set, |held| {
                    let mut values: Vec<&mut i64> = held.iter_mut().map(|(_, value)| value).collect();
                    *values[0] -= 10;
                    shuttle::thread::yield_now();
                    *values[1] += 10;
                });
            }
            node.unit(me, &[0, 1, 2, 3], |held| assert_eq!(held.iter_mut().map(|(_, value)| *value).sum::<i64>(), 400));
        });
    });
}

/// Everybody wants the same shard, each several times: everybody gets it, and nothing is lost.
#[test]
fn parked_units_all_finish() {
    explore(|| {
        let node = Node::new(4, 1, 0);
        let done = node.threads(4, |node, me| {
            for _ in 0..3 {
                node.patient_unit(me, &[0], |held| {
                    let value = held.get_mut(ShardId(0)).unwrap();
                    let before = *value;
                    shuttle::thread::yield_now();
                    *value = before + 1;
                });
            }
        });
        assert_eq!(done.value(0), 12);
    });
}

/// Glances come between units that want the shard: whoever parks because of one is woken by its end.
#[test]
fn glances_wake_like_any_release() {
    explore(|| {
        let node = Node::new(2, 1, 0);
        let done = node.threads(2, |node, me| match me.0 {
            0 => (0..3).for_each(|_| node.shards.glance(ShardId(0), |_| shuttle::thread::yield_now())),
            _ => node.patient_unit(me, &[0], |held| *held.get_mut(ShardId(0)).unwrap() += 1),
        });
        assert_eq!(done.value(0), 1);
    });
}

/// A worker serves several clients: it parks a unit that fails, goes on, and comes back when it is woken. It keeps its
/// shards from one unit to the next while nobody else waits for them.
#[test]
fn workers_with_leases_serve_every_client() {
    explore(|| {
        let node = Node::new(2, 2, 0);
        let done = node.threads(2, |node, me| node.worker(me, &[&[0], &[0, 1], &[1], &[0]]));
        assert_eq!((done.value(0), done.value(1)), (6, 4));
    });
}

/// The same, with world units in between.
#[test]
fn workers_let_the_world_in() {
    explore(|| {
        let node = Node::new(3, 2, 0);
        let done = node.threads(3, |node, me| match me.0 {
            0 => {
                for _ in 0..2 {
                    node.world_unit(me, |node, world| {
                        let mut held = node.shards.acquire_all(world);
                        assert!(held.covers(&[ShardId(0), ShardId(1)]));
                        *held.get_mut(ShardId(1)).unwrap() += 100;
                    });
                }
            }
            _ => node.worker(me, &[&[0], &[0, 1]]),
        });
        assert_eq!((done.value(0), done.value(1)), (4, 202));
    });
}

/// While one unit has the world nobody else runs, be it units, other world units, or background threads.
#[test]
fn the_world_excludes_everybody() {
    explore(|| {
        let node = Node::new(4, 2, 0);
        let inside = Arc::new(AtomicU32::new(0));
        node.threads(4, move |node, me| match me.0 {
            0 | 1 => {
                for _ in 0..2 {
                    node.world_unit(me, |_, _| {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "the world is mine alone");
                        shuttle::thread::yield_now();
                        assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1, "nobody came in");
                    });
                }
            }
            2 => {
                for shard in [0, 1] {
                    node.unit(me, &[shard], |_| {
                        inside.fetch_add(1, Ordering::SeqCst);
                        shuttle::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            }
            _ => {
                let mut background = Background::new(&node.gate, &node.shards, me, node.ticket_id());
                let locked = background.lock(ShardId(1));
                inside.fetch_add(1, Ordering::SeqCst);
                shuttle::thread::yield_now();
                inside.fetch_sub(1, Ordering::SeqCst);
                drop(locked);
            }
        });
    });
}

/// A background thread waits for a shard behind a parked unit, which waits at the gate, which a world unit has closed.
#[test]
fn background_threads_sleep_outside_the_gate() {
    explore(|| {
        let node = Node::new(4, 1, 0);
        let done = node.threads(4, |node, me| match me.0 {
            0 => node.world_unit(me, |_, _| ()),
            1 => {
                let mut background = Background::new(&node.gate, &node.shards, me, node.ticket_id());
                for _ in 0..2 {
                    *background.lock(ShardId(0)) += 1;
                }
            }
            _ => (0..2).for_each(|_| node.patient_unit(me, &[0], |held| *held.get_mut(ShardId(0)).unwrap() += 1)),
        });
        assert_eq!(done.value(0), 6);
    });
}

/// After a ticket has become the head, no more than the limit of other acquisitions go before it.
#[test]
fn barging_is_bounded() {
    explore(|| {
        let node = Node::new(3, 1, 0);
        let passed = Arc::new(AtomicU32::new(0));
        let parked = Arc::new(AtomicBool::new(false));
        node.threads(3, move |node, me| {
            if me.0 != 0 {
                // Newcomers without end, as it were: they never queue up, they just try again.
                for _ in 0..3 * BARGE_LIMIT {
                    if let Ok(_held) = node.shards.try_acquire(&[ShardId(0)], None)
                        && parked.load(Ordering::SeqCst)
                    {
                        passed.fetch_add(1, Ordering::SeqCst);
                    }
                }
                return;
            }
            let (sleeper, id) = (background::Sleeper::new(), node.ticket_id());
            let mut turn = None;
            let held = loop {
                let shard = match node.shards.try_acquire(&[ShardId(0)], turn) {
                    Ok(held) => break held,
                    Err(shard) => shard,
                };
                turn = Some(Turn { shard, ticket: id });
                let parking = node.shards.park(shard, ticket::Ticket { id, wake: sleeper.clone() });
                parked.store(true, Ordering::SeqCst);
                if parking == Parking::Parked {
                    sleeper.sleep();
                }
            };
            // The holder before whom it parked may be counted too.
            let passed = passed.load(Ordering::SeqCst);
            assert!(passed <= BARGE_LIMIT + 1, "{passed} went before the head");
            parked.store(false, Ordering::SeqCst);
            drop(held);
        });
    });
}

/// Two newcomers race for the last place before the head. The one that comes too late held the lock for a moment, in which
/// the head may have tried and gone back to sleep: so it has to wake it.
///
/// The winner and the head are one thread here, which makes the critical schedules less rare.
#[test]
fn a_refused_newcomer_wakes_the_head() {
    explore_times(4, || {
        let node = Node::new(2, 1, 0);
        let (sleeper, id) = (background::Sleeper::new(), node.ticket_id());
        let ticket = ticket::Ticket { id, wake: sleeper.clone() };
        let holder = node.shards.try_acquire(&[ShardId(0)], None);
        assert_eq!(node.shards.park(ShardId(0), ticket.clone()), Parking::Parked);
        drop(holder);
        sleeper.sleep();
        for _ in 1..BARGE_LIMIT {
            assert!(node.shards.try_acquire(&[ShardId(0)], None).is_ok());
        }
        let (passed, served) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(false)));
        node.threads(2, move |node, me| {
            if let Ok(_held) = node.shards.try_acquire(&[ShardId(0)], None)
                && !served.load(Ordering::SeqCst)
            {
                assert_eq!(passed.fetch_add(1, Ordering::SeqCst), 0, "there was one place left");
            }
            if me.0 != 0 {
                return;
            }
            let mut turn = Some(Turn { shard: ShardId(0), ticket: id });
            let held = loop {
                let shard = match node.shards.try_acquire(&[ShardId(0)], turn) {
                    Ok(held) => break held,
                    Err(shard) => shard,
                };
                turn = Some(Turn { shard, ticket: id });
                if node.shards.park(shard, ticket.clone()) == Parking::Parked {
                    sleeper.sleep();
                }
            };
            served.store(true, Ordering::SeqCst);
            drop(held);
        });
    });
}

/// A client dies while its ticket is queued, is woken, or tries: whoever stands behind it still gets its turn.
#[test]
fn cancelled_tickets_hand_on_their_turn() {
    explore(|| {
        let node = Node::new(4, 1, 0);
        let victim = Arc::new(Mutex::new(None));
        let done = node.threads(4, move |node, me| match me.0 {
            0 => {
                // Parks if it can, and never comes back.
                let id = node.ticket_id();
                if node.shards.try_acquire(&[ShardId(0)], None).is_err() {
                    let ticket = ticket::Ticket { id, wake: Arc::new(Deaf) };
                    let _ = node.shards.park(ShardId(0), ticket);
                }
                *victim.lock() = Some(Turn { shard: ShardId(0), ticket: id });
            }
            1 => loop {
                let turn = victim.lock().take();
                match turn {
                    Some(turn) => break node.shards.cancel(turn),
                    None => shuttle::thread::yield_now(),
                }
            },
            _ => (0..2).for_each(|_| node.patient_unit(me, &[0], |held| *held.get_mut(ShardId(0)).unwrap() += 1)),
        });
        assert_eq!(done.value(0), 4);
    });
}

/// The same at the gate: a dead world unit, a dead parked unit, and a dead unit that had a pass.
#[test]
fn cancelled_tickets_open_the_gate() {
    explore(|| {
        let node = Node::new(5, 1, 0);
        let dying = Arc::new(Mutex::new(Vec::new()));
        let done = node.threads(5, move |node, me| match me.0 {
            0 => {
                let id = node.ticket_id();
                let _ = node.gate.want_world(ticket::Ticket { id, wake: Arc::new(Deaf) });
                dying.lock().push(id);
            }
            1 => {
                let id = node.ticket_id();
                let entered = node.gate.enter(me, None);
                if entered {
                    node.gate.leave(me);
                } else {
                    let _ = node.gate.park(ticket::Ticket { id, wake: Arc::new(Deaf) });
                }
                dying.lock().push(id);
            }
            2 => {
                let mut buried = 0;
                while buried < 2 {
                    let id = dying.lock().pop();
                    match id {
                        Some(id) => {
                            node.gate.cancel(id);
                            buried += 1;
                        }
                        None => shuttle::thread::yield_now(),
                    }
                }
            }
            3 => node.world_unit(me, |_, _| ()),
            _ => (0..2).for_each(|_| node.unit(me, &[0], |held| *held.get_mut(ShardId(0)).unwrap() += 1)),
        });
        assert_eq!(done.value(0), 2);
    });
}

/// World units come without end: a unit that parks at the gate runs before the second of them.
#[test]
fn parked_units_run_between_world_units() {
    explore(|| {
        let node = Node::new(3, 1, 0);
        let worlds = Arc::new(AtomicU32::new(0));
        node.threads(3, move |node, me| {
            if me.0 != 0 {
                (0..4).for_each(|_| {
                    node.world_unit(me, |_, _| {
                        worlds.fetch_add(1, Ordering::SeqCst);
                    })
                });
                return;
            }
            let (sleeper, id) = (background::Sleeper::new(), node.ticket_id());
            let mut pass = None;
            let mut seen = None;
            while !node.gate.enter(me, pass) {
                pass = Some(id);
                if node.gate.park(ticket::Ticket { id, wake: sleeper.clone() }) == Parking::Parked {
                    seen.get_or_insert_with(|| worlds.load(Ordering::SeqCst));
                    sleeper.sleep();
                }
            }
            if let Some(seen) = seen {
                assert!(worlds.load(Ordering::SeqCst) - seen <= 1, "a parked unit waits for one world unit at most");
            }
            node.gate.leave(me);
        });
    });
}

/// Units come without end: once the world is wanted, each executor starts one more at most.
#[test]
fn the_world_waits_for_running_units_only() {
    explore(|| {
        let node = Node::new(3, 2, 0);
        let started = Arc::new(AtomicU32::new(0));
        node.threads(3, move |node, me| {
            if me.0 != 0 {
                (0..6).for_each(|_| {
                    node.unit(me, &[me.0 - 1], |_| {
                        started.fetch_add(1, Ordering::SeqCst);
                    })
                });
                return;
            }
            let (sleeper, id) = (background::Sleeper::new(), node.ticket_id());
            let mut parking = node.gate.want_world(ticket::Ticket { id, wake: sleeper.clone() });
            let before = started.load(Ordering::SeqCst);
            loop {
                if parking == Parking::Parked {
                    sleeper.sleep();
                }
                if let Some(_world) = node.gate.try_world(id) {
                    break assert!(started.load(Ordering::SeqCst) - before <= 2, "no new unit passes the world");
                }
                parking = Parking::Parked;
            }
        });
    });
}

/// A background thread lets go of its shard before it leaves, so a world unit finds everything free.
#[test]
fn the_world_finds_every_shard_free() {
    explore(|| {
        let node = Node::new(2, 2, 0);
        node.threads(2, |node, me| match me.0 {
            0 => node.world_unit(me, |node, _| {
                assert!(node.shards.try_acquire(&[ShardId(0), ShardId(1)], None).is_ok());
            }),
            _ => {
                let mut background = Background::new(&node.gate, &node.shards, me, node.ticket_id());
                (0..3).for_each(|_| *background.lock(ShardId(1)) += 1);
            }
        });
    });
}

/// When the publication of a new control value has returned, no unit that was decided under the old one still runs.
#[test]
fn no_unit_outlives_its_control() {
    explore(|| {
        let node = Node::new(3, 2, 0);
        let writable = Arc::new(Published::new(true));
        let answered = Arc::new(AtomicBool::new(false));
        node.threads(3, move |node, me| {
            if me.0 == 0 {
                node.world_unit(me, |_, world| writable.publish(world, Arc::new(false)));
                answered.store(true, Ordering::SeqCst);
                return;
            }
            let mut reader = writable.reader();
            for _ in 0..3 {
                node.checked_unit(
                    me,
                    &[me.0 - 1, 1][usize::from(me.0 == 2)..],
                    || **reader.get(&writable),
                    |held| {
                        assert!(!answered.load(Ordering::SeqCst), "a write after the answer that forbade it");
                        shuttle::thread::yield_now();
                        held.iter_mut().for_each(|(_, value)| *value += 1);
                        assert!(!answered.load(Ordering::SeqCst), "a write after the answer that forbade it");
                    },
                );
            }
        });
    });
}

/// A worker that starts while a new control value is published does not take the former one for it.
#[test]
fn a_new_worker_sees_the_newest_control() {
    explore(|| {
        let node = Node::new(2, 1, 0);
        let writable = Arc::new(Published::new(true));
        let answered = Arc::new(AtomicBool::new(false));
        node.threads(2, move |node, me| {
            if me.0 == 0 {
                node.world_unit(me, |_, world| writable.publish(world, Arc::new(false)));
                answered.store(true, Ordering::SeqCst);
                return;
            }
            let mut copied = Copied::new(&writable);
            for _ in 0..2 {
                node.checked_unit(
                    me,
                    &[0],
                    || **copied.get(&writable),
                    |_| assert!(!answered.load(Ordering::SeqCst), "a write after the answer that forbade it"),
                );
            }
        });
    });
}

/// The wake of a client that has gone.
struct Deaf;

impl Wake for Deaf {
    fn wake(&self, _: u64) {}
}
