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

use crate::records::Records;
use crate::spool::{BigRecords, Spool};

/// Entries, or elements of a big collection, that are handed over in one hold of a shard.
const BUDGET: usize = 64;
/// The same for elements of big collections, which need no table lookups of their own.
const BIG_BUDGET: usize = 512;
/// Bytes gathered by [`write_alone`] before they are given away.
const WRITE: usize = 256 * 1024;

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
    pub form: Records,
    spool: Arc<Spool>,
}

/// Whoever takes the bytes of a snapshot. No lock is held in its functions. They answer false to give the snapshot up.
pub trait Consumer {
    /// The next bytes.
    fn take(&mut self, bytes: &[u8]) -> bool;

    /// So many keys more have been passed, now or long ago.
    fn passed(&mut self, keys: u64) -> bool;
}

impl Snapshot {
    /// Cuts. The caller has the world and shows every shard. `O(tables)`.
    pub fn cut<'s>(
        id: SnapshotId,
        form: Records,
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

    /// The beginning of the file: header, auxiliary fields given by `aux`, and the sizes of the databases. A file of
    /// commands has none.
    pub fn head(&self, aux: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut out = Vec::new();
        let Records::Rdb(form) = self.form else { return out };
        form.header(&mut out);
        for (name, value) in aux {
            form.aux(&mut out, name, value);
        }
        for (i, (keys, expires)) in self.cut.dbs.iter().enumerate().filter(|(_, counts)| counts.0 > 0) {
            Form::select_db(&mut out, i as u64);
            Form::resize_db(&mut out, *keys as u64, *expires as u64);
        }
        out
    }

    /// What is known of it while it is walked.
    pub fn spool(&self) -> Arc<Spool> {
        self.spool.clone()
    }

    /// How many keys it holds.
    pub fn keys(&self) -> u64 {
        self.cut.dbs.iter().map(|counts| counts.0 as u64).sum()
    }

    /// Walks the whole keyspace and gives the bytes behind the head to `out`, chunk by chunk. Stops when `out` answers false
    /// (a full disk, a cancelled save), and then nothing more is owed to this snapshot. True at the end.
    pub fn walk(&self, background: &mut Background<'_, Shard>, shards: usize, out: &mut dyn Consumer) -> bool {
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
        self.spool.drain().iter().all(|chunk| out.take(chunk)) && !self.spool.is_unwritable()
    }

    fn walk_all(&self, background: &mut Background<'_, Shard>, shards: usize, out: &mut dyn Consumer) -> bool {
        let mut passed = 0;
        let mut bigs = BigRecords::new(self.spool.clone());
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
                    if !out.take(&bigs.bytes) {
                        return false;
                    }
                    bigs.bytes.clear();
                }
                if !bigs.open && !self.spool.drain().iter().all(|chunk| out.take(chunk)) {
                    return false;
                }
                let records = self.spool.records();
                if !out.passed(records - passed) {
                    return false;
                }
                passed = records;
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
    fn walk_detached(&self, db: DbIndex, table: &mut Db, out: &mut dyn Consumer) -> bool {
        let mut sink = self.spool.sink();
        let mut cursor = 0;
        while let Some(next) = table.walk_detached(self.id, cursor, BUDGET, |entry| sink.hand_over(db, entry)) {
            cursor = next;
            if !self.spool.drain().iter().all(|chunk| out.take(chunk)) {
                return false;
            }
        }
        drop(sink);
        self.spool.drain().iter().all(|chunk| out.take(chunk))
    }
}

/// Shows every shard to a function, until that answers false.
pub type Shards<'s> = &'s mut dyn FnMut(&mut dyn FnMut(&mut Shard) -> bool) -> bool;

/// Writes the whole keyspace at once: the caller has the world and shows all shards, as often as it is asked. For commands
/// that stop everything anyway; snapshots under way are not disturbed. `out` answers false to give up. True at the end.
pub fn write_alone(
    form: Form,
    databases: usize,
    shards: Shards<'_>,
    out: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<bool, rdb::encode::TooNew> {
    let mut bytes = Vec::new();
    let mut written = Ok(());
    for db in (0..databases).map(|i| DbIndex(i as u16)) {
        let (mut keys, mut expires) = (0, 0);
        shards(&mut |shard| {
            keys += shard.db(db).len();
            expires += shard.db(db).expires();
            true
        });
        if keys == 0 {
            continue;
        }
        Form::select_db(&mut bytes, u64::from(db.0));
        Form::resize_db(&mut bytes, keys as u64, expires as u64);
        let complete = shards(&mut |shard| {
            for found in shard.db(db).iter() {
                let record = Records::Rdb(form).record(&mut bytes, found.key(), found.expire(), found.payload());
                written = written.and(record);
                if bytes.len() >= WRITE {
                    if !out(&bytes) {
                        return false;
                    }
                    bytes.clear();
                }
            }
            true
        });
        if !complete {
            return Ok(false);
        }
    }
    written.map(|()| out(&bytes))
}
