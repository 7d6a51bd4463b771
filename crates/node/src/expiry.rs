//! The active expiry cycle.
//!
//! Every segment of a table knows a lower bound of its earliest expiry, so the cycle visits only segments in which
//! something is due, and never samples: a key is deleted at most one cycle after its time, whatever share of the keys
//! expires. It goes shard by shard and deletes a bounded number of keys per lock hold. It runs on the control thread, which
//! must not sleep behind a slow unit: a shard that stays taken is passed over until the next cycle.

use std::ops::Bound;
use std::sync::atomic::Ordering;

use command::context::Random;
use command::row::Row;
use engine::background::Background;
use engine::id::ExecutorId;
use engine::unit::{Scratch, Unit};
use keyspace::{DbIndex, Key, OnExpired, ShardId, Space};
use resp::args::Args;
use smallvec::smallvec;

use crate::hooks::NodeHooks;
use crate::replication::Quiet;
use crate::server::Server;

/// Buckets looked at in one lock hold: a fraction of a millisecond even if all of their keys are due.
const PER_HOLD: usize = 16;

/// How often a cycle comes back to shards that are taken, all together, with 50 µs in between.
const NAPS: u32 = 100;

/// How many keys of a replica's own clients are looked at in one cycle.
const MOST_OWN: usize = 64;

/// Remembers the keys that a client of a writable replica has given an expiry.
pub(crate) fn note_own(server: &Server, space: &Space<'_>, row: &Row, args: Args<'_>) {
    for at in row.keys_of(&args).into_iter().flatten() {
        let name = args.at(at.index as usize);
        if space.glance(&space.key(name)).is_some_and(|view| view.expire().is_some()) {
            server.replication.own_expiring.lock().insert((space.db, name.into()));
        }
    }
}

/// The cycle's place in the keyspace.
pub struct Expirer<'s> {
    server: &'s Server,
    me: usize,
    background: Background<'s, keyspace::Shard>,
    scratch: Scratch,
    random: Random,
    due: Vec<Box<[u8]>>,
    /// What is left of this cycle's naps.
    naps: u32,
    /// The last key of a replica's own clients that was looked at.
    own_at: Option<(DbIndex, Box<[u8]>)>,
}

impl<'s> Expirer<'s> {
    /// The cycle as executor `me`, which no other thread uses.
    pub fn new(server: &'s Server, me: usize) -> Self {
        let ticket = crate::execute::EXECUTOR_TICKETS + me as u64;
        Expirer {
            server,
            me,
            background: Background::new(&server.engine.gate, &server.engine.shards, ExecutorId(me as u16), ticket),
            scratch: Scratch::default(),
            random: Random::new(server.host.entropy()),
            due: Vec::new(),
            naps: 0,
            own_at: None,
        }
    }

    /// Deletes what is due, up to about `budget_nanos` of work; what is left comes next time.
    pub fn cycle(&mut self, budget_nanos: u64) {
        if !self.server.switches.active_expire.load(Ordering::Relaxed) {
            return;
        }
        self.naps = NAPS;
        self.own_keys();
        let began = self.server.engine.clock().nanos();
        let databases = self.server.control.load().env.databases;
        for shard in 0..self.server.engine.map.shards() {
            for db in 0..databases {
                // Nearly every place is empty, and a lock for each of them would keep an idle server awake.
                if self.server.engine.expires_in(ShardId(shard as u16), DbIndex(db)) == 0 {
                    continue;
                }
                let mut cursor = 0;
                while self.step(ShardId(shard as u16), DbIndex(db), &mut cursor) {
                    if self.server.engine.clock().nanos() - began > budget_nanos {
                        return;
                    }
                }
            }
        }
    }

    /// Deletes what is due of the keys that clients of this replica have given an expiry, and forgets the others that will
    /// not be: those without one, and all when this is no replica any more.
    fn own_keys(&mut self) {
        let after = self.own_at.take().map_or(Bound::Unbounded, Bound::Excluded);
        let names: Vec<_> = {
            let own = self.server.replication.own_expiring.lock();
            own.range((after, Bound::Unbounded)).take(MOST_OWN).cloned().collect()
        };
        for (db, name) in &names {
            if !self.own_key(*db, &self.server.engine.map.key(name)) {
                self.server.replication.own_expiring.lock().remove(&(*db, name.clone()));
            }
        }
        self.own_at = names.into_iter().next_back();
    }

    /// Looks at one of them; false when it need not be looked at again.
    fn own_key(&mut self, db: DbIndex, key: &Key<'_>) -> bool {
        let id = self.server.engine.map.of(key.hash);
        let Some(mut shard) = self.background.try_lock(id, &mut self.naps) else { return true };
        let control = self.server.control.load();
        if !control.is_replica() {
            return false;
        }
        let now = self.server.engine.now();
        let mut space = Space::new(self.server.engine.map, smallvec![(id, &mut *shard)], db, now);
        space.on_expired = OnExpired::Obey;
        let Some(at) = space.peek(key).and_then(|view| view.expire()) else { return false };
        if !now.is_past(at.0) {
            return true;
        }
        space.on_expired = OnExpired::Delete;
        let quiet = Quiet(&self.server.journal);
        let mut unit = Unit::begin(space, &quiet, &mut self.scratch, &mut self.random);
        unit.expire(key, &control.env);
        let counters = &self.server.counters[self.me];
        unit.commit(&mut NodeHooks { server: self.server, control: &control, counters });
        false
    }

    /// One lock hold: true when more may be due in the same place, and can be had.
    fn step(&mut self, id: ShardId, db: DbIndex, cursor: &mut u64) -> bool {
        let Some(mut shard) = self.background.try_lock(id, &mut self.naps) else { return false };
        // Behind the gate: what it says now holds until the shard is given back.
        let control = self.server.control.load();
        if control.is_replica() || control.config.replication.import_mode || control.keeps_still() || control.loading {
            return false;
        }
        let now = self.server.engine.now();
        if shard.db(db).expires() == 0 {
            return false;
        }
        self.due.clear();
        *cursor = shard.due(db, now, *cursor, PER_HOLD, &mut self.due);
        if self.due.is_empty() {
            return *cursor != 0;
        }
        let space = Space::new(self.server.engine.map, smallvec![(id, &mut *shard)], db, now);
        let mut unit = Unit::begin(space, &*self.server.journal, &mut self.scratch, &mut self.random);
        unit.unframed();
        for key in &self.due {
            unit.expire(&unit.space.key(key), &control.env);
        }
        let mut hooks = NodeHooks { server: self.server, control: &control, counters: &self.server.counters[self.me] };
        unit.commit(&mut hooks);
        *cursor != 0
    }
}
