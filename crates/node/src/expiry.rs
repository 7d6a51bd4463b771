//! The active expiry cycle.
//!
//! Every segment of a table knows a lower bound of its earliest expiry, so the cycle visits only segments in which
//! something is due, and never samples: a key is deleted at most one cycle after its time, whatever share of the keys
//! expires. It goes shard by shard, deletes a bounded number of keys per lock hold, and is a background executor that
//! waits in line like every unit.

use std::sync::atomic::Ordering;

use command::context::Random;
use engine::background::Background;
use engine::id::ExecutorId;
use engine::unit::{Scratch, Unit};
use keyspace::{DbIndex, Key, ShardId, Space};
use smallvec::smallvec;

use crate::control::Pause;
use crate::hooks::NodeHooks;
use crate::server::Server;

/// Buckets looked at in one lock hold: a fraction of a millisecond even if all of their keys are due.
const PER_HOLD: usize = 16;

/// The cycle's place in the keyspace.
pub struct Expirer<'s> {
    server: &'s Server,
    me: usize,
    background: Background<'s, keyspace::Shard>,
    scratch: Scratch,
    random: Random,
    due: Vec<Box<[u8]>>,
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
        }
    }

    /// Deletes what is due, up to about `budget_nanos` of work; what is left comes next time.
    pub fn cycle(&mut self, budget_nanos: u64) {
        if !self.server.switches.active_expire.load(Ordering::Relaxed) {
            return;
        }
        let began = self.server.engine.clock().nanos();
        for shard in 0..self.server.engine.map.shards() {
            for db in 0..self.server.control.load().env.databases {
                let mut cursor = 0;
                while self.step(ShardId(shard as u16), DbIndex(db), &mut cursor) {
                    if self.server.engine.clock().nanos() - began > budget_nanos {
                        return;
                    }
                }
            }
        }
    }

    /// One lock hold: true when more may be due in the same place.
    fn step(&mut self, id: ShardId, db: DbIndex, cursor: &mut u64) -> bool {
        let mut shard = self.background.lock(id);
        // Behind the gate: what it says now holds until the shard is given back.
        let control = self.server.control.load();
        if control.is_replica()
            || control.config.replication.import_mode
            || control.pause != Pause::None
            || control.loading
        {
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
            unit.expire(&Key::new(key), &control.env);
        }
        let mut hooks = NodeHooks { server: self.server, control: &control, counters: &self.server.counters[self.me] };
        unit.commit(&mut hooks);
        *cursor != 0
    }
}
