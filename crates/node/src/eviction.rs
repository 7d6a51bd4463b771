//! Making room when the data have reached `maxmemory`.
//!
//! ```text
//!   command ─► gate ─► used > maxmemory? ─► a shard at random ─► some of its keys ─► the one to miss least ─► gone
//!                           ▲                                                                                  │
//!                           └────────────────────── until it fits, or time is up ◄─────────────────────────────┘
//! ```
//!
//! Every command of a client first makes room if there is too little. It looks at `maxmemory-samples` keys of each database
//! of one shard and evicts the best of them by the policy; then it goes to another shard. Only shards that nobody has are
//! taken, so it waits for no one, and each eviction is a unit of its own: other threads run in between.
//!
//! A command is refused (-OOM) only when nothing can be evicted. When `maxmemory-eviction-tenacity`'s time is over it runs
//! although memory is short: the next one goes on, or the clock. Values that are freed in the background count as freed already.
//!
//! The peers keep the best candidates of earlier looks in a pool; we do not, as keys of several shards would have to be
//! looked up again under other locks. With ten samples the choice is about as good as theirs with five.

use config::directives::memory::MaxmemoryPolicy;
use engine::id::ShardId;
use engine::lease::Taken;
use engine::unit::Unit;
use keyspace::{AccessClock, Db, DbIndex, View};

use crate::control::Control;
use crate::execute::{Core, Errand};
use crate::hooks::NodeHooks;
use crate::stats::add;

/// Shards that are tried before giving up, for each that there is.
const ROUNDS: usize = 2;

/// How many more keys than asked for may be looked at in search of some that expire.
const EXTRA_LOOKS: usize = 8;

/// Evictions between two looks at the clock.
const PER_CLOCK: usize = 16;

/// What became of an attempt on one shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Attempt {
    /// A key is gone, and so many bytes more will be freed in the background.
    Evicted(u64),
    /// Somebody else has the shard.
    Busy,
    /// No key of it may go.
    Nothing,
}

/// What a key counts: the higher, the sooner it goes.
type Score = u64;

/// Elements looked at to estimate what a value will free.
const SAMPLES_OF_GARBAGE: usize = 5;

impl Core<'_> {
    /// Makes room if the data take more than they may. True when they still do and nothing can give way, so that what
    /// needs memory is to be refused. The lease has entered the gate; the shards that it held it may have no more.
    pub(crate) fn is_out_of_memory(&mut self, control: &Control) -> bool {
        let memory = &control.config.memory;
        let used = self.server.host.used_memory() as u64;
        if memory.maxmemory == 0 || control.is_replica() || used <= memory.maxmemory || self.used() <= memory.maxmemory
        {
            return false;
        }
        let may_evict = memory.maxmemory_policy != MaxmemoryPolicy::Noeviction
            && !control.config.replication.import_mode
            && !control.keeps_still()
            && !control.loading;
        !may_evict || !self.evict(control)
    }

    /// Makes room when no command does: after `maxmemory` was lowered, or behind one whose time was over.
    pub(crate) fn make_room(&mut self) {
        let control = self.control();
        if control.config.memory.maxmemory == 0 || self.used() <= control.config.memory.maxmemory {
            return;
        }
        let mut attempt = self.new_attempt(Errand::InPassing);
        if self.lease.enter(&mut attempt) == Taken::Yes {
            let control = self.control();
            self.is_out_of_memory(&control);
            self.lease.release();
        } else {
            // It tries again by the clock, and perhaps need not: a pass that nobody redeems would shut world units out.
            self.lease.abandon(&mut attempt);
        }
    }

    /// Memory that counts. What replicas have yet to be sent does not, beyond the size that the backlog may have: evicting
    /// would only make it longer.
    fn used(&self) -> u64 {
        (self.server.host.used_memory() as u64).saturating_sub(crate::memory::stream_beyond_backlog(self.server))
    }

    /// Evicts until the data fit or the time is over. False when there was nothing to evict.
    fn evict(&mut self, control: &Control) -> bool {
        let limit = control.config.memory.maxmemory;
        let budget = patience(control.config.memory.maxmemory_eviction_tenacity);
        let (begin, shards) = (self.server.engine.clock().nanos(), self.server.engine.map.shards());
        let (mut later, mut vain, mut evicted, mut busy) = (0, 0, 0, false);
        while self.used().saturating_sub(later) > limit {
            // After a number of vain tries at random, every shard in turn, so that none is overlooked.
            let id = if vain < shards { self.random.below(shards) } else { vain % shards };
            match self.evict_from(control, ShardId(id as u16)) {
                Attempt::Evicted(bytes) => {
                    (vain, evicted, later, busy) = (0, evicted + 1, later + bytes, false);
                    let elapsed = || self.server.engine.clock().nanos() - begin;
                    if evicted % PER_CLOCK == 0 && budget.is_some_and(|most| elapsed() > most) {
                        break;
                    }
                }
                other => {
                    vain += 1;
                    busy |= other == Attempt::Busy;
                    if vain >= ROUNDS * shards {
                        return busy;
                    }
                }
            }
        }
        true
    }

    /// Evicts one key of a shard.
    fn evict_from(&mut self, control: &Control, id: ShardId) -> Attempt {
        if !self.lease.try_take(id) {
            return Attempt::Busy;
        }
        let now = self.lease.now();
        let memory = &control.config.memory;
        let clock = AccessClock::at(now, control.env.lfu, memory.lfu_log_factor, memory.lfu_decay_time);
        let (policy, samples) = (memory.maxmemory_policy, memory.maxmemory_samples as usize);
        let Some(shard) = self.lease.shard_mut(id) else { return Attempt::Busy };
        let random = &mut self.random;
        let mut best: Option<(Score, DbIndex, Box<[u8]>)> = None;
        for db in (0..shard.databases()).map(|n| DbIndex(n as u16)) {
            sample(shard.db(db), only_volatile(policy), samples, &mut || random.draw(), |view| {
                let score = score(policy, &clock, view);
                if best.as_ref().is_none_or(|(least, _, _)| score > *least) {
                    best = Some((score, db, view.key().into()));
                }
            });
        }
        let Some((_, db, name)) = best else { return Attempt::Nothing };
        let mut unit = Unit::begin(self.lease.space(db), &*self.server.journal, &mut self.scratch, &mut self.random);
        unit.unframed();
        unit.evict(&unit.space.key(&name), &control.env, control.config.lazyfree.lazy_eviction);
        let later = unit.space.garbage.iter().map(|value| value.memory(SAMPLES_OF_GARBAGE) as u64).sum();
        add(&self.counters.evicted, 1);
        let mut hooks = NodeHooks { server: self.server, control, counters: self.counters };
        let committed = unit.commit(&mut hooks);
        self.hold(committed.hold);
        Attempt::Evicted(later)
    }
}

/// How long one command may evict, in nanoseconds; `None` without end.
fn patience(tenacity: u32) -> Option<u64> {
    const SLOT: u64 = 50_000;
    match tenacity {
        0..=10 => Some(SLOT * u64::from(tenacity)),
        11..=99 => Some((500_000.0 * 1.15f64.powi(tenacity as i32 - 10)) as u64),
        _ => None,
    }
}

fn only_volatile(policy: MaxmemoryPolicy) -> bool {
    use MaxmemoryPolicy as P;
    matches!(policy, P::VolatileLru | P::VolatileLfu | P::VolatileRandom | P::VolatileTtl)
}

fn score(policy: MaxmemoryPolicy, clock: &AccessClock, view: &View<'_>) -> Score {
    use MaxmemoryPolicy as P;
    match policy {
        P::VolatileLru | P::AllkeysLru => u64::from(clock.idle_seconds(view.access())),
        P::VolatileLfu | P::AllkeysLfu => 255 - u64::from(clock.frequency(view.access()).min(255)),
        P::VolatileTtl => u64::MAX - view.expire().map_or(u64::MAX, |at| at.0.max(0) as u64),
        P::VolatileRandom | P::AllkeysRandom | P::Noeviction => 0,
    }
}

/// Shows some keys of a database, chosen at random; at least one if there is any that counts.
fn sample(db: &Db, volatile: bool, count: usize, coin: &mut impl FnMut() -> u64, mut f: impl FnMut(&View<'_>)) {
    let counting = if volatile { db.expires() } else { db.len() };
    if counting == 0 {
        return;
    }
    let mut shown = 0;
    for _ in 0..if volatile { count * EXTRA_LOOKS } else { count } {
        if let Some(view) = db.random(coin)
            && (!volatile || view.expire().is_some())
        {
            f(&view);
            shown += 1;
            if shown == count {
                return;
            }
        }
    }
    // Few keys among many expire: the next ones from somewhere on.
    let mut position = coin();
    for _ in 0..2 {
        while shown == 0 {
            position = db.scan(position, |view| {
                if view.expire().is_some() {
                    f(&view);
                    shown += 1;
                }
            });
            if position == 0 {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use engine::background::Sleeper;
    use engine::id::ExecutorId;
    use engine::lease::{Attempt as LeaseAttempt, Lease};

    use super::*;
    use crate::testing::{Node, Peer};

    fn short_of_memory(policy: &str) -> (Node, Peer) {
        let mut node = Node::start(&format!("maxmemory 1000\nmaxmemory-policy {policy}"));
        let a = node.connect();
        for n in 0..20 {
            node.say(a, &format!("SET k{n} v"));
            node.say(a, &format!("SET e{n} v EX 100"));
        }
        // It is never enough, and the test's clock stands still: everything goes that may go.
        node.notes.memory.store(2000, Ordering::Relaxed);
        (node, a)
    }

    #[test]
    fn room_that_is_not_needed_any_more_leaves_nothing_at_the_gate() {
        let (mut node, _) = short_of_memory("allkeys-lru");
        let mut others = Lease::new(&node.server.engine, ExecutorId(1), Sleeper::new());
        let mut attempt = LeaseAttempt::new(1 << 40);
        assert_eq!(others.take_world(&mut attempt), Taken::Yes);
        node.pass(100);
        node.notes.memory.store(10, Ordering::Relaxed);
        others.release();
        attempt.succeed();
        node.pass(100);
        assert_eq!(others.take_world(&mut attempt), Taken::Yes, "nobody is waited for");
    }

    #[test]
    fn what_the_policy_names_goes_before_commands_are_refused() {
        for (policy, rest) in [("noeviction", 40), ("volatile-lru", 20), ("volatile-ttl", 20), ("allkeys-lfu", 0)] {
            let (mut node, a) = short_of_memory(policy);
            assert!(node.say(a, "SET x y").starts_with("-OOM "), "{policy}");
            assert_eq!(node.say(a, "DBSIZE"), format!(":{rest}\r\n"), "{policy}");
            let stats = node.say(a, "INFO stats");
            assert!(stats.contains(&format!("\r\nevicted_keys:{}\r\n", 40 - rest)), "{policy}");
            node.notes.memory.store(10, Ordering::Relaxed);
            assert_eq!(node.say(a, "SET x y"), "+OK\r\n", "{policy}");
        }
    }

    #[test]
    fn evictions_are_told_and_happen_without_commands() {
        let (mut node, a) = short_of_memory("allkeys-random");
        let b = node.connect();
        node.notes.memory.store(10, Ordering::Relaxed);
        node.say(a, "CONFIG SET notify-keyspace-events Ee");
        node.say(b, "SUBSCRIBE __keyevent@0__:evicted");
        node.notes.memory.store(2000, Ordering::Relaxed);
        node.pass(100);
        assert_eq!(node.heard(b).matches("$7\r\nmessage\r\n").count(), 40);
    }

    #[test]
    fn patience_grows_with_tenacity() {
        assert_eq!(patience(0), Some(0));
        assert_eq!(patience(10), Some(500_000));
        assert!(patience(50) > patience(11));
        assert_eq!(patience(100), None);
    }

    #[test]
    fn keys_that_expire_are_found_among_many() {
        use keyspace::{Expiry, Shard, ShardMap, Space, UnixMillis};
        use smallvec::smallvec;
        let mut shard = Shard::new(1, ShardMap::new(1));
        let mut space =
            Space::new(ShardMap::new(1), smallvec![(ShardId(0), &mut shard)], DbIndex(0), UnixMillis(1_000));
        for n in 0..5000 {
            space.set_string(&space.key(format!("k{n}").as_bytes()), b"v", Expiry::None);
        }
        space.set_string(&space.key(b"short"), b"v", Expiry::At(UnixMillis(9_000)));
        drop(space);
        let mut random = command::context::Random::new(7);
        let mut seen: Vec<Vec<u8>> = Vec::new();
        sample(shard.db(DbIndex(0)), true, 5, &mut || random.draw(), |view| seen.push(view.key().to_vec()));
        assert!(!seen.is_empty() && seen.iter().all(|key| key == b"short"), "{seen:?}");
        let mut some = 0;
        sample(shard.db(DbIndex(0)), false, 5, &mut || random.draw(), |_| some += 1);
        assert_eq!(some, 5);
    }

    #[test]
    fn policies_prefer_what_they_say() {
        use keyspace::{Expiry, Shard, ShardMap, Space, UnixMillis};
        use smallvec::smallvec;
        let mut shard = Shard::new(1, ShardMap::new(1));
        let at = |shard: &mut Shard, now: i64, f: &mut dyn FnMut(&mut Space<'_>)| {
            let mut space =
                Space::new(ShardMap::new(1), smallvec![(ShardId(0), &mut *shard)], DbIndex(0), UnixMillis(now));
            f(&mut space);
        };
        at(&mut shard, 1_000, &mut |s| s.set_string(&s.key(b"old"), b"v", Expiry::At(UnixMillis(900_000))));
        at(&mut shard, 200_000, &mut |s| s.set_string(&s.key(b"new"), b"v", Expiry::At(UnixMillis(800_000))));
        let clock = AccessClock::at(UnixMillis(300_000), false, 10, 1);
        let of = |policy, name: &[u8]| {
            let view = shard.db(DbIndex(0)).views().find(|view| view.key() == name).expect("it is there");
            score(policy, &clock, &view)
        };
        assert!(of(MaxmemoryPolicy::AllkeysLru, b"old") > of(MaxmemoryPolicy::AllkeysLru, b"new"));
        assert!(of(MaxmemoryPolicy::VolatileTtl, b"new") > of(MaxmemoryPolicy::VolatileTtl, b"old"));
    }
}
