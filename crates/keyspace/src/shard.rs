//! A shard: the group of keys behind one lock.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::counts::{Count, Counts};
use crate::key::slot_of_hash;
use crate::snapshot::{Big, Noted, Observers, Sinks};
use crate::tables::KeyTable;
use crate::watched::After;
use crate::{Db, DbIndex, HandOver, ShardMap, SnapshotId, UnixMillis, Waiting, Watched};

/// What one lock protects: the keys of one hash range in all databases, and who waits for or watches them.
pub struct Shard {
    pub(crate) map: ShardMap,
    pub(crate) dbs: Vec<Db>,
    /// Blocked clients by key.
    pub waiting: Waiting,
    /// Watched keys.
    pub watched: Watched,
    /// Journal offset at the end of the newest change here; replies that read this shard are held until it is durable.
    pub last_offset: u64,
    counts: Counts,
    pub(crate) sinks: Sinks,
    /// Big collections on their way into a snapshot, the one in progress first.
    pub(crate) bigs: VecDeque<Big>,
    /// Big collections that are to be begun before the next change.
    pub(crate) noted: Vec<Noted>,
}

impl Shard {
    /// An empty shard of `databases` databases, one of those of `map`.
    pub fn new(databases: usize, map: ShardMap) -> Self {
        let dbs = (0..databases).map(|_| Db::new(map)).collect();
        Shard {
            map,
            dbs,
            waiting: Waiting::default(),
            watched: Watched::default(),
            last_offset: 0,
            counts: Counts::new(databases),
            sinks: [None, None],
            bigs: VecDeque::new(),
            noted: Vec::new(),
        }
    }

    /// One database.
    pub fn db(&self, db: DbIndex) -> &Db {
        &self.dbs[db.index()]
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.dbs.len()
    }

    /// The numbers of keys by database, readable without the lock.
    pub fn counts(&self) -> Arc<[Count]> {
        self.counts.share()
    }

    /// Brings the numbers of keys up to date.
    #[inline]
    pub fn publish_counts(&mut self) {
        self.counts.publish(&mut self.dbs);
    }

    /// Exchanges two databases, with all that is registered in the snapshots under way.
    pub fn swap_dbs(&mut self, a: DbIndex, b: DbIndex) {
        self.dbs.swap(a.index(), b.index());
        self.counts.note(a);
        self.counts.note(b);
        self.publish_counts();
    }

    /// Empties a database and gives its former content away, to be freed elsewhere. What a snapshot still needs of it
    /// goes to the snapshot first.
    pub fn take_db(&mut self, db: DbIndex) -> Option<Db> {
        self.begin_noted();
        let mut old = std::mem::replace(&mut self.dbs[db.index()], Db::new(self.map));
        self.counts.note(db);
        self.publish_counts();
        self.orphan_all(&mut old);
        for k in 0..2 {
            if old.tables.walking() & (1 << k) != 0
                && let Some(sink) = &mut self.sinks[k]
            {
                let at_cut = old.at_cut[k];
                if old.tables.walking() & !(1 << k) == 0 {
                    sink.take(at_cut, old);
                    return None;
                }
                // Two snapshots want the same table: the first gets what it lacks now, the second the table.
                walk_rest(&mut old, k as u8, sink.as_mut());
                let other = 1 - k;
                let at_cut = old.at_cut[other];
                if let Some(sink) = &mut self.sinks[other] {
                    sink.take(at_cut, old);
                    return None;
                }
                return Some(old);
            }
        }
        Some(old)
    }

    /// Takes the keys of one slot of a database out, to be freed or kept elsewhere. What a snapshot still needs of them goes
    /// to the snapshot first, and who watches one of them is told. `None` when there is no key.
    pub fn take_slot(&mut self, db: DbIndex, slot: u16) -> Option<Db> {
        self.begin_noted();
        let part = &mut self.dbs[db.index()];
        let table = part.tables.take_slot(slot)?;
        let map = self.map;
        self.watched.touch_all(|of, key| {
            let hash = map.hash(key);
            let here = of == db && slot_of_hash(hash) == slot;
            here.then(|| (table.find(hash, key).is_some(), After::Gone))
        });
        let mut old = Db::new(self.map);
        (old.at_cut, old.in_snapshot) = (part.at_cut, part.in_snapshot);
        old.tables.put_slot(slot, table);
        self.counts.note(db);
        self.publish_counts();
        self.orphan_all(&mut old);
        for k in 0..2 {
            if let Some(sink) = &mut self.sinks[k] {
                walk_rest(&mut old, k as u8, sink.as_mut());
            }
        }
        old.in_snapshot = 0;
        Some(old)
    }

    /// Puts the keys of a slot that [`Shard::take_slot`] has taken out back, where there are none meanwhile.
    pub fn put_slot(&mut self, db: DbIndex, slot: u16, mut content: Db) {
        let part = &mut self.dbs[db.index()];
        debug_assert!(part.slot_len(slot) == 0, "nothing is lost");
        if let Some(table) = content.tables.take_slot(slot) {
            part.tables.put_slot(slot, table);
            self.counts.note(db);
            self.publish_counts();
        }
    }

    /// Gives an empty database other content, which is in no snapshot.
    pub fn put_db(&mut self, db: DbIndex, content: Db) {
        debug_assert!(self.dbs[db.index()].is_empty(), "nothing is lost");
        self.dbs[db.index()] = content;
        self.counts.note(db);
        self.publish_counts();
    }

    /// Collects keys whose time has come, going on from `cursor` (0 at first), about `budget` buckets' worth of work.
    /// Answers the next cursor, 0 at the end. The caller deletes all that it got.
    pub fn due(&mut self, db: DbIndex, now: UnixMillis, cursor: u64, budget: usize, out: &mut Vec<Box<[u8]>>) -> u64 {
        let tables = &mut self.dbs[db.index()].tables;
        tables.next_flagged(cursor, now.0.max(0) as u64, budget, |entry| match entry.expire() {
            Some(at) if now.is_past(at) => {
                out.push(entry.key().into());
                u64::MAX
            }
            Some(at) => at.max(0) as u64,
            None => u64::MAX,
        })
    }

    /// Begins a snapshot: from now on every entry present is owed to `sink` in its present state.
    /// `O(tables)`, no entry is looked at.
    pub fn begin_snapshot(&mut self, id: SnapshotId, sink: Box<dyn HandOver>) {
        debug_assert!(self.sinks[usize::from(id.0)].is_none(), "a snapshot's place is free when another takes it");
        for (i, db) in self.dbs.iter_mut().enumerate() {
            if db.is_empty() {
                continue;
            }
            db.tables.iter_mut().filter(|table| !table.is_empty()).for_each(|table| table.begin_snapshot(id.0));
            db.in_snapshot |= 1 << id.0;
            db.at_cut[usize::from(id.0)] = DbIndex(i as u16);
        }
        self.sinks[usize::from(id.0)] = Some(sink);
    }

    /// Hands over up to about `budget` entries that are still owed. True when nothing is owed any more.
    pub fn walk_snapshot(&mut self, id: SnapshotId, cursor: &mut WalkCursor, budget: usize) -> bool {
        let k = usize::from(id.0);
        let mut left = budget;
        loop {
            // SWAPDB may have moved tables since the last step, so each step looks for one that still walks.
            let at = cursor.table;
            let walked = self.dbs.iter_mut().find_map(|db| {
                let from = at.filter(|(table, _)| *table == db.at_cut[k]).map_or(0, |(_, place)| place);
                let at_cut = db.at_cut;
                db.tables.walked_by(id.0, from).map(|(place, table)| (at_cut, place, table))
            });
            let Some((at_cut, place, table)) = walked else { return true };
            if at != Some((at_cut[k], place)) {
                *cursor = WalkCursor { table: Some((at_cut[k], place)), position: 0 };
            }
            let walking = table.walking();
            let mut observers = Observers { sinks: &mut self.sinks, noted: &mut self.noted, at_cut, walking };
            let mut taken = 0;
            let next = table.walk(id.0, cursor.position, left, |entry, _| {
                taken += 1;
                observers.give(id.0, entry, false);
            });
            match next {
                Some(position) => cursor.position = position,
                None => {
                    table.end_snapshot(id.0);
                    cursor.position = 0;
                    cursor.table = Some((at_cut[k], place + 1));
                }
            }
            // A big collection among them is begun at once, and walked before the table's walk goes on.
            left = left.saturating_sub(taken.max(1));
            if left == 0 || !self.noted.is_empty() {
                self.begin_noted();
                return false;
            }
        }
    }

    /// Ends a snapshot, finished or cancelled, and gives its sink back.
    pub fn end_snapshot(&mut self, id: SnapshotId) -> Option<Box<dyn HandOver>> {
        for db in &mut self.dbs {
            for table in db.tables.iter_mut().filter(|table| table.walking() & (1 << id.0) != 0) {
                table.abandon_snapshot(id.0);
            }
            db.in_snapshot &= !(1 << id.0);
        }
        self.abandon_bigs(id);
        self.sinks[usize::from(id.0)].take()
    }

    /// The table in which a key with this hash is or will be, to be changed, and those who must see it first.
    #[inline]
    pub(crate) fn parts(&mut self, db: DbIndex, hash: u64) -> (&mut KeyTable, Observers<'_>) {
        self.counts.note(db);
        let db = &mut self.dbs[db.index()];
        let table = db.tables.of_mut(hash);
        let (at_cut, walking) = (db.at_cut, table.walking());
        let observers = Observers { sinks: &mut self.sinks, noted: &mut self.noted, at_cut, walking };
        (table, observers)
    }

    /// Whether a snapshot is under way here.
    pub(crate) fn in_snapshot(&self) -> bool {
        self.sinks.iter().any(Option::is_some)
    }

    /// Shows a key's bucket to the snapshots before the key changes, and begins the big collections in it.
    pub(crate) fn before_change(&mut self, db: DbIndex, hash: u64, key: &[u8]) {
        let (table, mut observers) = self.parts(db, hash);
        drop(table.find_mut(hash, key, &mut observers));
        self.begin_noted();
    }
}

/// Where a snapshot's walk of one shard is.
#[derive(Default, Debug)]
pub struct WalkCursor {
    /// The database's number at the cut, and the table's place in it.
    table: Option<(DbIndex, usize)>,
    position: u64,
}

fn walk_rest(db: &mut Db, snapshot: u8, sink: &mut dyn HandOver) {
    let at_cut = db.at_cut[usize::from(snapshot)];
    for table in db.tables.iter_mut().filter(|table| table.walking() >> snapshot & 1 == 1) {
        walk_table(table, snapshot, at_cut, sink);
    }
}

fn walk_table(table: &mut KeyTable, snapshot: u8, at_cut: DbIndex, sink: &mut dyn HandOver) {
    let mut position = 0;
    while let Some(next) = table.walk(snapshot, position, usize::MAX, |entry, _| sink.hand_over(at_cut, entry)) {
        position = next;
    }
    table.end_snapshot(snapshot);
}
