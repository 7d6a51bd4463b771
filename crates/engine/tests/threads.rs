//! The engine's locks with real threads, real memory order and real spinning: what shuttle's sequentially consistent
//! scheduler cannot show. Every count is exact, so a lost update, a lost wake-up or a second world shows.

use engine::background::{Background, Sleeper};
use engine::gate::Gate;
use engine::id::{ExecutorId, ShardId};
use engine::shard::{Shards, Turn};
use engine::ticket::{Parking, Ticket};
use std::sync::atomic::{AtomicU32, Ordering};

const SHARDS: u16 = 4;
const UNITS: u64 = 200_000;

/// One unit that adds 1 to two shards, with all the waiting that it takes.
fn unit(gate: &Gate, shards: &Shards<u64>, me: ExecutorId, id: u64, ids: &[ShardId], alone: &AtomicU32) {
    let sleeper = Sleeper::new();
    let ticket = || Ticket { id, wake: sleeper.clone() };
    let (mut turn, mut pass) = (None, None);
    loop {
        if !gate.enter(me, pass) {
            pass = Some(id);
            if gate.park(ticket()) == Parking::Parked {
                sleeper.sleep();
            }
            continue;
        }
        pass = None;
        match shards.try_acquire(ids, turn) {
            Ok(mut held) => {
                assert_eq!(alone.load(Ordering::SeqCst), 0, "a world unit is alone");
                held.iter_mut().for_each(|(_, count)| *count += 1);
                drop(held);
                return gate.leave(me);
            }
            Err(shard) => {
                gate.leave(me);
                turn = Some(Turn { shard, ticket: id });
                if shards.park(shard, ticket()) == Parking::Parked {
                    sleeper.sleep();
                }
            }
        }
    }
}

#[test]
fn nothing_is_lost_on_real_threads() {
    let (gate, alone) = (Gate::new(6), AtomicU32::new(0));
    let shards = Shards::new(usize::from(SHARDS), |_| 0u64);
    std::thread::scope(|scope| {
        let (gate, shards, alone) = (&gate, &shards, &alone);
        for me in 0..4u16 {
            scope.spawn(move || {
                for round in 0..UNITS {
                    let first = (round % u64::from(SHARDS - 1)) as u16;
                    let ids = [ShardId(first), ShardId(first + 1)];
                    unit(gate, shards, ExecutorId(me), u64::from(me), &ids, alone);
                }
            });
        }
        scope.spawn(move || {
            let mut background = Background::new(gate, shards, ExecutorId(4), 4);
            (0..UNITS).for_each(|round| *background.lock(ShardId((round % u64::from(SHARDS)) as u16)) += 1);
        });
        scope.spawn(move || {
            let sleeper = Sleeper::new();
            for _ in 0..UNITS / 20 {
                if gate.want_world(Ticket { id: 5, wake: sleeper.clone() }) == Parking::Parked {
                    sleeper.sleep();
                }
                let world = loop {
                    match gate.try_world(5) {
                        Some(world) => break world,
                        None => sleeper.sleep(),
                    }
                };
                alone.store(1, Ordering::SeqCst);
                shards.acquire_all(&world).iter_mut().for_each(|(_, count)| *count += 1);
                alone.store(0, Ordering::SeqCst);
            }
        });
    });
    let total: u64 =
        (0..SHARDS).map(|id| *shards.try_acquire(&[ShardId(id)], None).ok().unwrap().get(ShardId(id)).unwrap()).sum();
    assert_eq!(total, 4 * 2 * UNITS + UNITS + u64::from(SHARDS) * (UNITS / 20));
}
