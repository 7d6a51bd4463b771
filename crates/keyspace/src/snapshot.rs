//! What the keyspace owes a snapshot under way.
//!
//! A snapshot is the state at one cut. A walk hands entries over bucket by bucket; whatever is about to change before the
//! walk has reached it is handed over first, in its old state. Every bucket of every table carries one *handed over* bit
//! per snapshot; the bit is the truth, the walk only finds work.
//!
//! ```text
//!   small entry:     encoded at once, under the lock
//!   big collection:  noted ─► begun (its elements now carry the same bits, one level down) ─► walked in steps ─► ended
//!                                        └─ deleted or overwritten meanwhile: the value itself moves to the snapshot
//! ```
//!
//! `docs/snapshot.md` has the whole story.

use std::collections::VecDeque;

use structures::entry::{Entry, Payload, PayloadMut};
use structures::table::Watch;
use value::{Element, Value};

use crate::{Db, DbIndex, Shard};

/// Collections of more elements than this are walked in steps.
const BIG: usize = 1024;

/// One of the two snapshots that can be under way at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotId(pub u8);

/// Where a shard's entries go while a snapshot is under way. Lives in the shard, under its lock.
pub trait HandOver: Send {
    /// Takes the state of one entry. `db` is the number that the database had at the cut.
    fn hand_over(&mut self, db: DbIndex, entry: &Entry<Value>);

    /// The same, because the entry is about to change before the walk has reached it.
    fn hand_over_early(&mut self, db: DbIndex, entry: &Entry<Value>) {
        self.hand_over(db, entry);
    }

    /// Takes a whole database that was emptied (FLUSHALL, a full sync) before the walk had finished with it.
    fn take(&mut self, db: DbIndex, table: Db);
}

/// Where the elements of big collections go, one collection after the other.
pub trait BigSink {
    /// A collection of `len` elements begins; `value` tells its type. A list comes whole here, and nothing follows.
    fn begin(&mut self, db: DbIndex, key: &[u8], expire: Option<i64>, value: &Value, len: usize);

    /// One of its elements.
    fn element(&mut self, element: Element<'_>);

    /// All of them have come.
    fn end(&mut self);
}

/// The sinks of the snapshots under way in one shard.
pub(crate) type Sinks = [Option<Box<dyn HandOver>>; 2];

/// A big collection on its way into a snapshot.
pub(crate) struct Big {
    snapshot: u8,
    db: DbIndex,
    key: Box<[u8]>,
    hash: u64,
    expire: Option<i64>,
    len: usize,
    begun: bool,
    cursor: u64,
    /// The value, when it is no longer in its table.
    orphan: Option<Value>,
}

/// A big collection that was met and is to be begun before anything in its shard changes.
pub(crate) struct Noted {
    snapshot: u8,
    db: DbIndex,
    key: Box<[u8]>,
}

/// What a table's changes show to the snapshots: the sinks of its shard and the numbers it had at their cuts.
pub(crate) struct Observers<'a> {
    pub(crate) sinks: &'a mut Sinks,
    pub(crate) noted: &'a mut Vec<Noted>,
    pub(crate) at_cut: [DbIndex; 2],
    pub(crate) walking: u8,
}

impl Watch<Entry<Value>> for Observers<'_> {
    const ACTIVE_POSSIBLE: bool = true;

    fn active(&self) -> u8 {
        self.walking
    }

    fn hand_over(&mut self, snapshot: u8, entry: &Entry<Value>, _access: u16) {
        self.give(snapshot, entry, true);
    }
}

impl Observers<'_> {
    /// Gives an entry to a snapshot; `early` if a change makes it.
    pub(crate) fn give(&mut self, snapshot: u8, entry: &Entry<Value>, early: bool) {
        let db = self.at_cut[usize::from(snapshot)];
        if is_big(entry) {
            self.noted.push(Noted { snapshot, db, key: entry.key().into() });
        } else if let Some(sink) = &mut self.sinks[usize::from(snapshot)] {
            match early {
                true => sink.hand_over_early(db, entry),
                false => sink.hand_over(db, entry),
            }
        }
    }
}

fn is_big(entry: &Entry<Value>) -> bool {
    match entry.payload() {
        Payload::Value(Value::Raw(_)) => false,
        Payload::Value(value) => value.free_effort() > BIG,
        _ => false,
    }
}

/// How long a value is, in what [`BigSink::begin`] counts.
fn elements(value: &Value) -> usize {
    match value {
        Value::Raw(raw) => raw.len(),
        Value::List(list) => list.len(),
        Value::Set(set) => set.len(),
        Value::Hash(hash) => hash.len(),
        Value::Zset(zset) => zset.len(),
    }
}

impl Shard {
    /// Begins the big collections that were noted. To be called before anything in the shard changes.
    pub(crate) fn begin_noted(&mut self) {
        for Noted { snapshot, db, key } in std::mem::take(&mut self.noted) {
            let hash = self.map.hash(&key);
            let Some(part) = self.db_in_snapshot(snapshot, db) else { continue };
            let Some(found) = part.tables.of_mut(hash).find_mut(hash, &key, &mut ()) else { continue };
            let expire = found.get().expire();
            let PayloadMut::Value(value) = found.into_payload_mut() else { continue };
            let len = elements(value);
            // A list's nodes are shared with a copy of it; the other types are walked where they are.
            let orphan = if value.begin_snapshot(snapshot) { None } else { Some(value.clone()) };
            self.bigs.push_back(Big { snapshot, db, key, hash, expire, len, begun: false, cursor: 0, orphan });
        }
    }

    /// Gives a value that has left its table to the snapshot that is not done with it. What nobody wants comes back.
    pub(crate) fn orphan(&mut self, at_cut: [DbIndex; 2], key: &[u8], value: Value) -> Option<Value> {
        let mut owners = self
            .bigs
            .iter_mut()
            .filter(|big| big.orphan.is_none() && *big.key == *key && at_cut[usize::from(big.snapshot)] == big.db);
        let Some(owner) = owners.next() else { return Some(value) };
        debug_assert!(owners.next().is_none(), "one snapshot at a time walks a value");
        owner.orphan = Some(value);
        None
    }

    /// Whether a snapshot has still to walk the value under this key.
    pub(crate) fn is_walked(&self, at_cut: [DbIndex; 2], key: &[u8]) -> bool {
        self.bigs
            .iter()
            .any(|big| big.orphan.is_none() && *big.key == *key && at_cut[usize::from(big.snapshot)] == big.db)
    }

    /// Whether big collections are left for snapshot `id`.
    pub fn has_bigs(&self, id: SnapshotId) -> bool {
        self.noted.iter().any(|noted| noted.snapshot == id.0) || self.bigs.iter().any(|big| big.snapshot == id.0)
    }

    /// Walks the big collections that snapshot `id` has still to get, about `budget` elements. True when none is left.
    /// Values that are done with and no longer in the keyspace are put into `spent`, to be freed without the lock.
    pub fn walk_bigs(&mut self, id: SnapshotId, budget: usize, sink: &mut dyn BigSink, spent: &mut Vec<Value>) -> bool {
        self.begin_noted();
        let Some(at) = self.bigs.iter().position(|big| big.snapshot == id.0) else { return true };
        let Some(mut big) = self.bigs.remove(at) else { return true };
        let mut orphan = big.orphan.take();
        let is_orphan = orphan.is_some();
        let value = match &mut orphan {
            Some(value) => Some(value),
            None => self.db_in_snapshot(id.0, big.db).and_then(|part| {
                match part.tables.of_mut(big.hash).find_mut(big.hash, &big.key, &mut ())?.into_payload_mut() {
                    PayloadMut::Value(value) => Some(value),
                    _ => None,
                }
            }),
        };
        let value = value.expect("a big collection under way is in its table or an orphan");
        if !big.begun {
            sink.begin(big.db, &big.key, big.expire, value, big.len);
            big.begun = true;
        }
        let next = value.walk_snapshot(id.0, big.cursor, budget, |element| sink.element(element));
        if next.is_none() {
            value.end_snapshot(id.0);
            sink.end();
        }
        match next {
            Some(cursor) => {
                big.cursor = cursor;
                big.orphan = orphan;
                // The record in progress stays first: the elements of two collections must not mix.
                self.bigs.push_front(big);
                false
            }
            None => {
                if is_orphan {
                    spent.extend(orphan);
                }
                !self.bigs.iter().any(|big| big.snapshot == id.0)
            }
        }
    }

    /// Takes the big collections under way out of a database that is about to leave the keyspace.
    pub(crate) fn orphan_all(&mut self, part: &mut Db) {
        for big in self
            .bigs
            .iter()
            .filter(|big| big.orphan.is_none())
            .map(|big| (big.db, big.snapshot, big.hash, big.key.clone()))
            .collect::<Vec<_>>()
        {
            let (db, snapshot, hash, key) = big;
            if part.in_snapshot & (1 << snapshot) != 0
                && part.at_cut[usize::from(snapshot)] == db
                && let Some(entry) = part.tables.of_mut(hash).remove(hash, &key, &mut ())
                && let Some(value) = entry.into_value()
            {
                self.orphan(part.at_cut, &key, value);
            }
        }
    }

    /// Gives up the big collections of a snapshot that ends.
    pub(crate) fn abandon_bigs(&mut self, id: SnapshotId) {
        self.noted.retain(|noted| noted.snapshot != id.0);
        let (ended, others) = std::mem::take(&mut self.bigs).into_iter().partition(|big| big.snapshot == id.0);
        self.bigs = others;
        let ended: VecDeque<Big> = ended;
        for big in ended.into_iter().filter(|big| big.orphan.is_none()) {
            for part in &mut self.dbs {
                if part.at_cut[usize::from(id.0)] == big.db
                    && let Some(found) = part.tables.of_mut(big.hash).find_mut(big.hash, &big.key, &mut ())
                    && let PayloadMut::Value(value) = found.into_payload_mut()
                {
                    value.abandon_snapshot(id.0);
                }
            }
        }
    }

    fn db_in_snapshot(&mut self, snapshot: u8, at_cut: DbIndex) -> Option<&mut Db> {
        self.dbs
            .iter_mut()
            .find(|db| db.in_snapshot & (1 << snapshot) != 0 && db.at_cut[usize::from(snapshot)] == at_cut)
    }
}
