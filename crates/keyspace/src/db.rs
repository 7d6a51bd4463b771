//! One database inside one shard.

use structures::entry::{Entry, Payload};
use value::Value;

use crate::tables::Tables;
use crate::{DbIndex, ShardMap, SnapshotId, View};

/// How far the place of a table stands above a position inside it, in the cursors of [`Db::walk_detached`].
const PLACE_SHIFT: u32 = structures::table::CURSOR_BITS;

/// The keys of one database that are in one shard.
pub struct Db {
    pub(crate) tables: Tables,
    /// The number that this database had when each snapshot was cut; SWAPDB moves the table, not this.
    pub(crate) at_cut: [DbIndex; 2],
    /// The snapshots that this database is part of, as bits; set from the cut to the snapshot's end.
    pub(crate) in_snapshot: u8,
}

impl Db {
    /// An empty database of one of `map`'s shards.
    pub fn new(map: ShardMap) -> Self {
        Db { tables: Tables::new(map), at_cut: [DbIndex(0); 2], in_snapshot: 0 }
    }

    /// How many keys there are, logically expired ones included.
    pub fn len(&self) -> usize {
        self.tables.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// How many keys have an expiry.
    pub fn expires(&self) -> usize {
        self.tables.flagged()
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
        let (from, position) = ((cursor >> PLACE_SHIFT) as usize, cursor & ((1 << PLACE_SHIFT) - 1));
        let (at, table) = self.tables.walked_by(id.0, from)?;
        let position = if at == from { position } else { 0 };
        if let Some(next) = table.walk(id.0, position, budget, |entry, _| f(entry)) {
            return Some((at as u64) << PLACE_SHIFT | next);
        }
        table.end_snapshot(id.0);
        Some((at as u64 + 1) << PLACE_SHIFT)
    }

    /// Every entry, in the table's order.
    pub fn iter(&self) -> impl Iterator<Item = structures::table::Found<'_, Entry<Value>>> {
        self.tables.iter().flat_map(|table| table.iter())
    }

    /// Shows every entry, in the table's order.
    pub fn views(&self) -> impl Iterator<Item = View<'_>> {
        self.tables.iter().flat_map(|table| table.iter()).map(View)
    }

    /// Shows the entries at a position of the table and answers the next position, 0 at the end. Begin with 0; positions
    /// have [`ShardMap::position_bits`] bits, and any number is one. A key that is there from the first call to the last is shown at
    /// least once.
    pub fn scan<'d>(&'d self, position: u64, mut f: impl FnMut(View<'d>)) -> u64 {
        self.tables.scan(position, |found| f(View(found)))
    }

    /// An entry, every one with the same probability.
    pub fn random(&self, coin: &mut impl FnMut() -> u64) -> Option<View<'_>> {
        self.tables.random(coin).map(View)
    }

    /// Asks for the memory in which a key with this hash begins to be looked up.
    #[inline]
    pub fn fetch_bucket(&self, hash: u64) {
        self.tables.of(hash).prefetch(hash);
    }

    /// Asks for the entries that a lookup of this hash compares; when [`Db::fetch_bucket`] has had its time.
    #[inline]
    pub fn fetch_entry(&self, hash: u64) {
        self.tables.of(hash).prefetch_entry(hash);
    }

    /// Asks for the values of those entries where they stand elsewhere; when [`Db::fetch_entry`] has had its time.
    #[inline]
    pub fn fetch_value(&self, hash: u64) {
        self.tables.of(hash).candidates(hash, |entry| {
            if let Payload::Value(Value::Raw(string)) = entry.payload() {
                string.prefetch();
            }
        });
    }

    /// The bytes of the table itself, entries not counted.
    pub fn overhead(&self) -> usize {
        self.tables.memory()
    }

    /// How many keys a slot of this shard has; 0 outside of a cluster. O(1).
    pub fn slot_len(&self, slot: u16) -> usize {
        self.tables.slot(slot).map_or(0, |table| table.len())
    }

    /// The entries of a slot of this shard.
    pub fn slot_views(&self, slot: u16) -> impl Iterator<Item = View<'_>> {
        self.tables.slot(slot).into_iter().flat_map(|table| table.iter()).map(View)
    }

    /// The slots that have keys; `shard` is the shard's number. Ascending.
    pub fn slots(&self, shard: crate::ShardId) -> impl Iterator<Item = u16> {
        self.tables.occupied_slots(shard.0)
    }
}
