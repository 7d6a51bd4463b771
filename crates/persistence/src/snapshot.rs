//! A snapshot: the whole keyspace as it was at one journal offset, without fork.
//!
//! ```text
//!   cut (behind the barrier, no I/O)      walk (one background thread, some microseconds per lock)          end
//!   ├─ offset, stream db, key counts ────►├─ shard 0: walk a few buckets ─ unlock ─ give the bytes away ─…─►├─ EOF, CRC
//!   └─ a sink in every shard              └─ shard 1 …                                                       └─ sinks out
//!                     meanwhile every change hands over what it is about to change (`keyspace::snapshot`)
//! ```
//!
//! The walk never waits for whoever takes its bytes longer than that takes them; it holds a shard only while it encodes.
//! Between two holds it lets whoever waits for the shard go first (`engine::background`).

use std::sync::Arc;

use engine::background::Background;
use keyspace::{Db, DbIndex, HandOver, Shard, ShardId, SnapshotId, WalkCursor};
use rdb::encode::Form;
use value::Value;

use crate::spool::{BigRecords, Spool};

/// Entries, or elements of a big collection, that are handed over in one hold of a shard.
const BUDGET: usize = 64;
/// The same for elements of big collections, which need no table lookups of their own.
const BIG_BUDGET: usize = 512;

/// What is noted at the cut.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Journal offset of the cut.
    pub offset: u64,
    /// Keys and keys with an expiry, by database.
    pub dbs: Vec<(usize, usize)>,
    /// When, in ms.
    pub unix_millis: i64,
}

/// A snapshot under way.
pub struct Snapshot {
    /// Its place in the tables' bits.
    pub id: SnapshotId,
    /// What was noted at the cut.
    pub cut: Cut,
    /// How it is written.
    pub form: Form,
    spool: Arc<Spool>,
}

impl Snapshot {
    /// Cuts. The caller has the world and shows every shard. `O(tables)`.
    pub fn cut<'s>(
        id: SnapshotId,
        form: Form,
        offset: u64,
        unix_millis: i64,
        databases: usize,
        shards: impl Iterator<Item = &'s mut Shard>,
    ) -> Self {
        let spool = Spool::new(form);
        let mut dbs = vec![(0, 0); databases];
        for shard in shards {
            for (i, counts) in dbs.iter_mut().enumerate() {
                let db = shard.db(DbIndex(i as u16));
                counts.0 += db.len();
                counts.1 += db.expires();
            }
            shard.begin_snapshot(id, spool.sink());
        }
        Snapshot { id, cut: Cut { offset, dbs, unix_millis }, form, spool }
    }

    /// The beginning of the file: header, auxiliary fields given by `aux`, and the sizes of the databases.
    pub fn head(&self, aux: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        self.form.header(&mut out);
        for (name, value) in aux {
            self.form.aux(&mut out, name, value);
        }
        for (i, (keys, expires)) in self.cut.dbs.iter().enumerate().filter(|(_, counts)| counts.0 > 0) {
            Form::select_db(&mut out, i as u64);
            Form::resize_db(&mut out, *keys as u64, *expires as u64);
        }
        out
    }

    /// Walks the whole keyspace and gives the bytes behind the head to `out`, chunk by chunk, with no lock held. Stops when
    /// `out` answers false (a full disk, a cancelled save), and then nothing more is owed to this snapshot. True at the end.
    pub fn walk(
        &self,
        background: &mut Background<'_, Shard>,
        shards: usize,
        out: &mut dyn FnMut(&[u8]) -> bool,
    ) -> bool {
        let complete = self.walk_all(background, shards, out);
        let mut sinks: Vec<Option<Box<dyn HandOver>>> = Vec::new();
        for id in 0..shards {
            sinks.push(background.lock(ShardId(id as u16)).end_snapshot(self.id));
        }
        drop(sinks);
        if !complete {
            while self.spool.take_detached().is_some() {}
            return false;
        }
        self.spool.drain().iter().all(|chunk| out(chunk))
    }

    fn walk_all(
        &self,
        background: &mut Background<'_, Shard>,
        shards: usize,
        out: &mut dyn FnMut(&[u8]) -> bool,
    ) -> bool {
        let mut bigs = BigRecords::new(self.form);
        let mut spent: Vec<Value> = Vec::new();
        for id in 0..shards {
            let mut cursor = WalkCursor::default();
            loop {
                let mut shard = background.lock(ShardId(id as u16));
                let bigs_done = shard.walk_bigs(self.id, BIG_BUDGET, &mut bigs, &mut spent);
                let done = bigs_done && shard.walk_snapshot(self.id, &mut cursor, BUDGET) && !shard.has_bigs(self.id);
                drop(shard);
                spent.clear();
                if !bigs.bytes.is_empty() {
                    if !out(&bigs.bytes) {
                        return false;
                    }
                    bigs.bytes.clear();
                }
                if !bigs.open && !self.spool.drain().iter().all(|chunk| out(chunk)) {
                    return false;
                }
                if done {
                    break;
                }
            }
        }
        while let Some((db, mut table)) = self.spool.take_detached() {
            if !self.walk_detached(db, &mut table, out) {
                return false;
            }
        }
        true
    }

    /// A database that left the keyspace: nobody else has it, so it needs no lock.
    fn walk_detached(&self, db: DbIndex, table: &mut Db, out: &mut dyn FnMut(&[u8]) -> bool) -> bool {
        let mut sink = self.spool.sink();
        let mut cursor = 0;
        while let Some(next) = table.walk_detached(self.id, cursor, BUDGET, |entry| sink.hand_over(db, entry)) {
            cursor = next;
            if !self.spool.drain().iter().all(|chunk| out(chunk)) {
                return false;
            }
        }
        drop(sink);
        self.spool.drain().iter().all(|chunk| out(chunk))
    }

    /// The most bytes that waited in memory at a time: what the snapshot has cost.
    pub fn extra_memory(&self) -> usize {
        self.spool.peak()
    }
}
