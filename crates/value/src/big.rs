//! A table of elements that a snapshot can walk while it changes.
//!
//! Question: a hash of ten million fields is written to a snapshot in many small steps, between which commands go on changing
//! it; how does the snapshot still get each field once, as it was at the cut? [`Table`] answers for itself: before a bucket
//! changes, its elements are shown to a [`Watch`]. Here that watch is beside the table: it keeps *copies* of what was shown
//! too early, until the snapshot's next step fetches them. So commands need not know of snapshots, and the memory
//! is bounded by what commands change while the walk is under way.
//!
//! Two snapshots, 0 and 1, can be under way at once.

use structures::blob::Blob;
use structures::entry::{Entry, Payload};
use structures::hash::hash;
use structures::ranked::Member;
use structures::table::{Found, FoundMut, Probe, Table, Thin, Watch};

/// A field of a hash with its value and, if it has one, its expiry.
pub(crate) type Field = Entry<()>;

/// An element of a table that can be copied for a snapshot.
pub(crate) trait Element: Thin {
    fn copy(&self) -> Self;
    /// Bytes of the element's allocation.
    fn memory(&self) -> usize;
}

impl Element for Blob {
    fn copy(&self) -> Self {
        self.clone()
    }

    fn memory(&self) -> usize {
        self.allocation_size()
    }
}

impl Element for Member {
    fn copy(&self) -> Self {
        Member::new(self.score(), self.bytes())
    }

    fn memory(&self) -> usize {
        self.allocation_size()
    }
}

impl Element for Field {
    fn copy(&self) -> Self {
        match self.payload() {
            Payload::Int(value) => Entry::new_int(self.key(), value, self.expire()),
            Payload::Bytes { bytes, raw } => Entry::new_bytes(self.key(), bytes, raw, self.expire()),
            Payload::Value(()) => Entry::new_value(self.key(), (), self.expire()),
        }
    }

    fn memory(&self) -> usize {
        self.allocation_size()
    }
}

/// What was handed over before its turn.
pub(crate) struct Handed<E> {
    active: u8,
    early: [Vec<E>; 2],
}

impl<E> Default for Handed<E> {
    fn default() -> Self {
        Self { active: 0, early: [Vec::new(), Vec::new()] }
    }
}

impl<E> Handed<E> {
    pub(crate) fn begin(&mut self, snapshot: u8) {
        self.active |= 1 << snapshot;
    }

    pub(crate) fn end(&mut self, snapshot: u8) {
        self.active &= !(1 << snapshot);
        self.early[usize::from(snapshot)] = Vec::new();
    }

    /// The elements that were handed over since the last call.
    pub(crate) fn take(&mut self, snapshot: u8) -> Vec<E> {
        std::mem::take(&mut self.early[usize::from(snapshot)])
    }
}

impl<E: Element> Watch<E> for Handed<E> {
    const ACTIVE_POSSIBLE: bool = true;

    fn active(&self) -> u8 {
        self.active
    }

    fn hand_over(&mut self, snapshot: u8, entry: &E, _access: u16) {
        self.early[usize::from(snapshot)].push(entry.copy());
    }
}

/// A table with what it has handed over early; see the module's page.
pub(crate) struct Big<E: Element> {
    pub(crate) table: Table<E>,
    handed: Handed<E>,
}

impl<E: Element> Default for Big<E> {
    fn default() -> Self {
        Self { table: Table::new(), handed: Handed::default() }
    }
}

impl<E: Element> Clone for Big<E> {
    /// Copies the elements; no snapshot walks the copy.
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        for found in &self.table {
            copy.insert_new(found.copy());
        }
        copy
    }
}

impl<E: Element> Big<E> {
    pub(crate) fn find(&self, key: &[u8]) -> Option<Found<'_, E>> {
        self.table.find(hash(key), key)
    }

    pub(crate) fn find_mut(&mut self, key: &[u8]) -> Option<FoundMut<'_, E>> {
        self.table.find_mut(hash(key), key, &mut self.handed)
    }

    /// Inserts an element whose key is absent.
    pub(crate) fn insert_new(&mut self, element: E) -> FoundMut<'_, E> {
        self.table.insert(element.hash(), element, &mut self.handed)
    }

    /// Shows the element of `key`, if it is there, to `f`; else inserts what `make` makes, and answers true.
    pub(crate) fn upsert(&mut self, key: &[u8], f: impl FnOnce(FoundMut<'_, E>), make: impl FnOnce() -> E) -> bool {
        match self.table.probe(hash(key), key, &mut self.handed) {
            Probe::Found(found) => {
                f(found);
                false
            }
            Probe::Vacant(vacant) => {
                vacant.insert(make(), &mut self.handed);
                true
            }
        }
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> Option<E> {
        self.table.remove(hash(key), key, &mut self.handed)
    }

    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    pub(crate) fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<Found<'_, E>> {
        self.table.random(&mut || rng())
    }

    /// Bytes of the table and of the elements, the latter estimated from `samples` of them; 0 looks at all.
    pub(crate) fn memory(&self, samples: usize) -> usize {
        size_of::<Self>() + self.table.memory() + elements_memory(&self.table, samples)
    }

    pub(crate) fn begin_snapshot(&mut self, snapshot: u8) {
        self.table.begin_snapshot(snapshot);
        self.handed.begin(snapshot);
    }

    pub(crate) fn walk_snapshot(
        &mut self,
        snapshot: u8,
        cursor: u64,
        budget: usize,
        mut f: impl FnMut(&E),
    ) -> Option<u64> {
        self.handed.take(snapshot).iter().for_each(&mut f);
        self.table.walk(snapshot, cursor, budget, |element, _| f(element))
    }

    pub(crate) fn end_snapshot(&mut self, snapshot: u8) {
        self.table.end_snapshot(snapshot);
        self.handed.end(snapshot);
    }

    pub(crate) fn abandon_snapshot(&mut self, snapshot: u8) {
        self.table.abandon_snapshot(snapshot);
        self.handed.end(snapshot);
    }
}

/// Bytes of the elements' own allocations, estimated from `samples` of them; 0 looks at all.
pub(crate) fn elements_memory<E: Element>(table: &Table<E>, samples: usize) -> usize {
    let len = table.len();
    let looked = if samples == 0 { len } else { samples.min(len) };
    let sum: usize = table.iter().take(looked).map(|found| found.memory()).sum();
    if looked == 0 { 0 } else { (sum as u128 * len as u128 / looked as u128) as usize }
}

/// Scans a table as SCAN does: whole buckets until `count` elements were shown, or ten times `count` buckets were visited.
/// Answers the next cursor, 0 at the end.
pub(crate) fn scan<E: Thin>(table: &Table<E>, cursor: u64, count: usize, mut f: impl FnMut(Found<'_, E>)) -> u64 {
    let mut shown = 0;
    let mut cursor = cursor;
    for _ in 0..=count.saturating_mul(10) {
        cursor = table.scan(cursor, |found| {
            shown += 1;
            f(found);
        });
        if cursor == 0 || shown >= count {
            break;
        }
    }
    cursor
}

/// Shows `count` different elements chosen at random, all if there are fewer.
pub(crate) fn sample<'a, E: Thin>(
    table: &'a Table<E>,
    count: usize,
    rng: &mut dyn FnMut() -> u64,
    mut f: impl FnMut(Found<'a, E>),
) {
    if count.saturating_mul(3) >= table.len() {
        let mut selection = crate::random::Selection::new(table.len(), count);
        for found in table {
            if selection.is_done() {
                break;
            }
            if selection.next(rng) {
                f(found);
            }
        }
        return;
    }
    let mut seen = std::collections::HashSet::with_capacity(count);
    while seen.len() < count {
        let Some(found) = table.random(&mut || rng()) else { return };
        if seen.insert(found.raw()) {
            f(found);
        }
    }
}
