//! Where the entries of one database in one shard are: one table, or in cluster mode one for each hash slot.
//!
//! ```text
//!   alone:    hash ──► the table
//!   cluster:  hash = ………… seeded hash ………… │ slot (14 bits) ──► place = slot >> bits of the shard ──► its table
//!                                                               occupied  ▐▐ ▐   ▐   one bit a place
//! ```
//!
//! A slot is counted by looking at its table, listed by walking it, and given away by taking it out; nothing is indexed
//! twice. Walks over all keys go from table to table in the order of their places, so a position is the place above the
//! table's own 48 bits and means the same however the tables grow.
//!
//! Invariants:
//!
//! 1. `occupied` has the bit of every place that has a table; a table that a unit has emptied goes when the unit settles.
//! 2. `len` and `flagged` are the sums over all tables as they were when last settled; `touched` names those that have
//!    changed since, with what they had then.
//!
//! Costs: outside of a cluster one comparison an access. In a cluster a table that holds keys takes about 200 bytes more
//! than its entries, one that holds none a pointer's eight. The numbers of a database are sums kept up to date by the units
//! that change them. Valkey keeps a hash table for each slot, too, with a binary indexed tree over their sizes; here a
//! random key costs a walk over the occupied places of one shard, which are few.

use structures::entry::Entry;
use structures::table::{CURSOR_BITS, Found, Table};
use value::Value;

use crate::key::slot_of_hash;
use crate::{Key, ShardMap};

pub(crate) type KeyTable = Table<Entry<Value>>;

const POSITION_MASK: u64 = (1 << CURSOR_BITS) - 1;

/// See the head of this file.
#[derive(Default)]
pub(crate) struct Tables {
    /// All entries; in cluster mode none, ever.
    one: KeyTable,
    slots: Option<Box<Slots>>,
}

struct Slots {
    /// How many low bits of a slot name the shard.
    shift: u32,
    places: Box<[Option<Box<KeyTable>>]>,
    occupied: Box<[u64]>,
    len: usize,
    flagged: usize,
    touched: Vec<Touched>,
}

/// A table that may have changed since the numbers were last settled, and what it had then.
struct Touched {
    place: usize,
    len: usize,
    flagged: usize,
}

impl Tables {
    /// No entries, laid out as `map` asks for.
    pub fn new(map: ShardMap) -> Tables {
        let slots = map.is_by_slot().then(|| {
            let count = map.places();
            Box::new(Slots {
                shift: map.bits(),
                places: (0..count).map(|_| None).collect(),
                occupied: vec![0; count.div_ceil(64)].into(),
                len: 0,
                flagged: 0,
                touched: Vec::new(),
            })
        });
        Tables { one: Table::new(), slots }
    }

    /// The table in which a key with this hash is, if it is anywhere.
    #[inline]
    pub fn of(&self, hash: u64) -> &KeyTable {
        match &self.slots {
            None => &self.one,
            Some(slots) => slots.places[slots.place_of(hash)].as_deref().unwrap_or(&self.one),
        }
    }

    /// The same, to be changed.
    #[inline]
    pub fn of_mut(&mut self, hash: u64) -> &mut KeyTable {
        match &mut self.slots {
            None => &mut self.one,
            Some(slots) => slots.table_mut(slots.place_of(hash)),
        }
    }

    /// The entry of a key.
    pub fn find(&self, key: &Key<'_>) -> Option<Found<'_, Entry<Value>>> {
        self.of(key.hash).find(key.hash, key.bytes)
    }

    /// Brings the sums up to date, and frees tables that hold nothing any more.
    pub fn settle(&mut self) {
        if let Some(slots) = &mut self.slots {
            slots.settle();
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        match &self.slots {
            None => self.one.len(),
            Some(slots) => slots.touched.iter().fold(slots.len, |sum, t| sum - t.len + slots.at(t.place).len()),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Entries with an expiry.
    pub fn flagged(&self) -> usize {
        match &self.slots {
            None => self.one.flagged(),
            Some(slots) => {
                slots.touched.iter().fold(slots.flagged, |sum, t| sum - t.flagged + slots.at(t.place).flagged())
            }
        }
    }

    /// Every table that there is, by place.
    pub fn iter(&self) -> impl Iterator<Item = &KeyTable> {
        let alone = self.slots.is_none().then_some(&self.one);
        let by_slot = self.slots.iter().flat_map(|slots| slots.places().filter_map(|at| slots.places[at].as_deref()));
        alone.into_iter().chain(by_slot)
    }

    /// The same, to be walked by a snapshot: the numbers of entries must stay as they are.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut KeyTable> {
        let (one, slots) = (&mut self.one, &mut self.slots);
        let alone = slots.is_none().then_some(one);
        let by_slot = slots.iter_mut().flat_map(|slots| slots.places.iter_mut().filter_map(Option::as_deref_mut));
        alone.into_iter().chain(by_slot)
    }

    /// The snapshots that are walking any of the tables.
    pub fn walking(&self) -> u8 {
        match &self.slots {
            None => self.one.walking(),
            Some(_) => self.iter().fold(0, |bits, table| bits | table.walking()),
        }
    }

    /// The first table from a place on that snapshot `k` has still to walk, and its place.
    pub fn walked_by(&mut self, k: u8, from: usize) -> Option<(usize, &mut KeyTable)> {
        let wanted = |table: &KeyTable| table.walking() >> k & 1 == 1;
        match &mut self.slots {
            None => (from == 0 && wanted(&self.one)).then_some((0, &mut self.one)),
            Some(slots) => {
                let at = slots.places().skip_while(|at| *at < from).find(|at| wanted(slots.at(*at)))?;
                Some((at, slots.places[at].as_deref_mut()?))
            }
        }
    }

    /// Shows the entries at a position, and answers the next position, 0 at the end.
    pub fn scan<'t>(&'t self, position: u64, mut f: impl FnMut(Found<'t, Entry<Value>>)) -> u64 {
        let Some(slots) = &self.slots else { return self.one.scan(position, f) };
        let place = (position >> CURSOR_BITS) as usize;
        let Some(at) = slots.next_place(place) else { return 0 };
        let inner = if at == place { position & POSITION_MASK } else { 0 };
        match slots.at(at).scan(inner, &mut f) {
            0 => slots.next_place(at + 1).map_or(0, |next| (next as u64) << CURSOR_BITS),
            next => (at as u64) << CURSOR_BITS | next,
        }
    }

    /// Shows the flagged entries of segments in which some may be due (see `Table::next_flagged`), over all tables.
    pub fn next_flagged(
        &mut self,
        cursor: u64,
        now: u64,
        budget: usize,
        mut f: impl FnMut(&Entry<Value>) -> u64,
    ) -> u64 {
        let Some(slots) = &mut self.slots else { return self.one.next_flagged(cursor, now, budget, f) };
        let mut place = (cursor >> CURSOR_BITS) as usize;
        let mut inner = cursor & POSITION_MASK;
        let mut left = budget;
        while let Some(at) = slots.next_place(place) {
            if left == 0 {
                return (at as u64) << CURSOR_BITS;
            }
            left -= 1;
            if at != place {
                inner = 0;
            }
            let Some(table) = slots.places[at].as_deref_mut() else { break };
            // A table whose first bound lies ahead costs one look, however many entries it has.
            let mut seen = 0;
            let next = table.next_flagged(inner, now, left.max(1), |entry| {
                seen += 1;
                f(entry)
            });
            if next != 0 {
                return (at as u64) << CURSOR_BITS | next;
            }
            left = left.saturating_sub(seen);
            (place, inner) = (at + 1, 0);
        }
        0
    }

    /// An entry, every one with the same probability.
    pub fn random(&self, coin: &mut impl FnMut() -> u64) -> Option<Found<'_, Entry<Value>>> {
        let Some(slots) = &self.slots else { return self.one.random(coin) };
        let mut at = ((u128::from(coin()) * self.len() as u128) >> 64) as usize;
        for place in slots.places() {
            let table = slots.at(place);
            if at < table.len() {
                return table.random(coin);
            }
            at -= table.len();
        }
        None
    }

    /// Bytes of the tables themselves.
    pub fn memory(&self) -> usize {
        match &self.slots {
            None => self.one.memory(),
            Some(slots) => {
                let own = slots.places.len() * size_of::<Option<Box<KeyTable>>>();
                self.iter().fold(own, |sum, table| sum + size_of::<KeyTable>() + table.memory())
            }
        }
    }

    /// The table of a slot that is in this shard; `None` when it has no key, or there are no slots.
    pub fn slot(&self, slot: u16) -> Option<&KeyTable> {
        let slots = self.slots.as_ref()?;
        slots.places.get(usize::from(slot) >> slots.shift)?.as_deref()
    }

    /// Takes the table of a slot out.
    pub fn take_slot(&mut self, slot: u16) -> Option<Box<KeyTable>> {
        let slots = self.slots.as_mut()?;
        slots.settle();
        let place = usize::from(slot) >> slots.shift;
        let table = slots.places.get_mut(place)?.take()?;
        slots.occupied[place / 64] &= !(1 << (place % 64));
        slots.len -= table.len();
        slots.flagged -= table.flagged();
        Some(table)
    }

    /// Puts a table in the place of a slot that has no keys.
    pub fn put_slot(&mut self, slot: u16, table: Box<KeyTable>) {
        let Some(slots) = self.slots.as_mut() else { return };
        slots.settle();
        let place = usize::from(slot) >> slots.shift;
        slots.len += table.len();
        slots.flagged += table.flagged();
        slots.occupied[place / 64] |= 1 << (place % 64);
        slots.places[place] = Some(table);
    }

    /// Slots of this shard that have keys; `shard` is its number.
    pub fn occupied_slots(&self, shard: u16) -> impl Iterator<Item = u16> {
        self.slots.iter().flat_map(move |slots| {
            let held = slots.places().filter(|at| !slots.at(*at).is_empty());
            held.map(move |at| (at << slots.shift) as u16 | shard)
        })
    }
}

impl Slots {
    #[inline]
    fn place_of(&self, hash: u64) -> usize {
        usize::from(slot_of_hash(hash)) >> self.shift
    }

    fn at(&self, place: usize) -> &KeyTable {
        static NONE: std::sync::OnceLock<KeyTable> = std::sync::OnceLock::new();
        self.places[place].as_deref().unwrap_or_else(|| NONE.get_or_init(Table::new))
    }

    fn table_mut(&mut self, place: usize) -> &mut KeyTable {
        if self.touched.last().is_none_or(|last| last.place != place)
            && !self.touched.iter().any(|touched| touched.place == place)
        {
            // A unit that goes over many slots (a load) settles now and then.
            if self.touched.len() >= 16 {
                self.settle();
            }
            let (len, flagged) = self.places[place].as_ref().map_or((0, 0), |table| (table.len(), table.flagged()));
            self.touched.push(Touched { place, len, flagged });
            self.occupied[place / 64] |= 1 << (place % 64);
        }
        self.places[place].get_or_insert_default()
    }

    fn settle(&mut self) {
        for Touched { place, len, flagged } in self.touched.drain(..) {
            let Some(table) = &self.places[place] else { continue };
            self.len = self.len - len + table.len();
            self.flagged = self.flagged - flagged + table.flagged();
            if table.is_empty() && table.walking() == 0 {
                self.places[place] = None;
                self.occupied[place / 64] &= !(1 << (place % 64));
            }
        }
    }

    /// The first occupied place from `from` on.
    fn next_place(&self, from: usize) -> Option<usize> {
        let mut word = from / 64;
        let mut bits = self.occupied.get(word)? & (!0 << (from % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        Some(word * 64 + bits.trailing_zeros() as usize)
    }

    /// All occupied places, ascending.
    fn places(&self) -> impl Iterator<Item = usize> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let at = self.next_place(from)?;
            from = at + 1;
            Some(at)
        })
    }
}
