//! One database inside one shard.

use structures::entry::{Entry, Payload};
use structures::table::Table;
use value::Value;

use crate::{DbIndex, SnapshotId, View};

/// How many bits the positions of [`Db::scan`] have.
pub const POSITION_BITS: u32 = structures::table::CURSOR_BITS;

/// The keys of one database that are in one shard.
#[derive(Default)]
pub struct Db {
    pub(crate) table: Table<Entry<Value>>,
    /// The number that this database had when each snapshot was cut; SWAPDB moves the table, not this.
    pub(crate) at_cut: [DbIndex; 2],
    /// The snapshots that this database is part of, as bits; set from the cut to the snapshot's end.
    pub(crate) in_snapshot: u8,
}

impl Db {
    /// How many keys there are, logically expired ones included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// How many keys have an expiry.
    pub fn expires(&self) -> usize {
        self.table.flagged()
    }

    /// Walks a database that has left the keyspace, from `cursor` on (0 at first), about `budget` entries; answers the next
    /// cursor, or `None` at the end.
    pub fn walk_detached(
        &mut self,
        id: SnapshotId,
        cursor: u64,
        budget: usize,
        mut f: impl FnMut(&Entry<Value>),
    ) -> Option<u64> {
        let next = self.table.walk(id.0, cursor, budget, |entry, _| f(entry));
        if next.is_none() {
            self.table.end_snapshot(id.0);
        }
        next
    }

    /// Every entry, in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = structures::table::Found<'_, Entry<Value>>> {
        self.table.iter()
    }

    /// Shows every entry, in the table's order.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.table.iter().map(View)
    }

    /// Shows the entries at a position of the table and answers the next position, 0 at the end. Begin with 0; positions
    /// have [`POSITION_BITS`] bits, and any number is one. A key that is there from the first call to the last is shown at
    /// least once.
    pub fn scan<'d>(&'d self, position: u64, mut f: impl FnMut(View<'d>)) -> u64 {
        self.table.scan(position, |found| f(View(found)))
    }

    /// An entry, every one with the same probability.
    pub fn random(&self, coin: &mut impl FnMut() -> u64) -> Option<View<'_>> {
        self.table.random(coin).map(View)
    }

    /// Asks for the memory in which a key with this hash begins to be looked up.
    #[inline]
    pub fn fetch_bucket(&self, hash: u64) {
        self.table.prefetch(hash);
    }

    /// Asks for the entries that a lookup of this hash compares; when [`Db::fetch_bucket`] has had its time.
    #[inline]
    pub fn fetch_entry(&self, hash: u64) {
        self.table.prefetch_entry(hash);
    }

    /// Asks for the values of those entries where they stand elsewhere; when [`Db::fetch_entry`] has had its time.
    #[inline]
    pub fn fetch_value(&self, hash: u64) {
        self.table.candidates(hash, |entry| {
            if let Payload::Value(Value::Raw(string)) = entry.payload() {
                string.prefetch();
            }
        });
    }

    /// The bytes of the table itself, entries not counted.
    pub fn overhead(&self) -> usize {
        self.table.memory()
    }
}
