//! Hashes: a listpack of fields and values in turn while small, a hash table when big.
//!
//! ```text
//!   listpack:   field value field value …
//!   hashtable:  one allocation per field: field, expiry if it has one, value        (a `structures::entry::Entry`)
//! ```
//!
//! A listpack becomes a table when a field is added beyond `hash-max-listpack-entries`, when a field or value is longer than
//! `hash-max-listpack-value`, and when a field gets an expiry, which a listpack has no room for. Nothing converts back.
//!
//! *Expiry of fields.* The table flags fields that expire and knows when the first is due, so an expiry cycle visits only
//! where something may be due. A hash does not know the time: reading shows expired fields like others, with their expiry, and
//! the caller, who has `now`, leaves them out.
//!
//! Costs: hash table O(1); a listpack O(n) within its limits.

use structures::dual::{Dual, DualMut, DualRef};
use structures::entry::{Entry, Payload};
use structures::listpack::{self, Listpack, Pos};
use structures::table;
use structures::table::Found;

use crate::big::{self, Big, Field};
use crate::random::{Selection, below};
use crate::{Item, Limits};

/// A map of fields to values; see the module's page.
#[derive(Clone)]
pub struct Hash {
    repr: Repr,
}

type Repr = Dual<Listpack, Big<Field>>;

/// A field as reading shows it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldView<'a> {
    /// The field's name.
    pub field: Item<'a>,
    /// Its value.
    pub value: Item<'a>,
    /// When it expires, in milliseconds of Unix time.
    pub expire: Option<i64>,
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|view| (view.field, view.value))).finish()
    }
}

fn value_of<'a>(payload: Payload<'a, ()>) -> Item<'a> {
    match payload {
        Payload::Int(value) => Item::Int(value),
        Payload::Bytes { bytes, .. } => Item::Bytes(bytes),
        Payload::Value(()) => Item::Bytes(b""),
    }
}

fn view_of<'a>(found: &Found<'a, Field>) -> FieldView<'a> {
    FieldView { field: Item::Bytes(found.key()), value: value_of(found.payload()), expire: found.expire() }
}

/// The bound of [`table::Table::next_flagged`] is unsigned; times before 1970 are due at once.
fn due(expire: i64) -> u64 {
    u64::try_from(expire).unwrap_or(0)
}

impl Hash {
    /// An empty hash.
    pub fn new() -> Self {
        Self { repr: Repr::small(Listpack::new()) }
    }

    /// A hash over a listpack that was read from a file, if it has pairs and their fields differ. O(n).
    pub fn from_listpack(pack: Listpack) -> Option<Self> {
        let good = pack.len().is_multiple_of(2) && crate::all_differ(pack.iter().step_by(2));
        good.then_some(Self { repr: Repr::small(pack) })
    }

    /// The count of fields.
    pub fn len(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(pack) => pack.len() / 2,
            DualRef::Big(big) => big.len(),
        }
    }

    /// Whether there are no fields.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `listpack` or `hashtable`.
    pub fn encoding(&self) -> &'static str {
        match self.repr.get() {
            DualRef::Small(_) => "listpack",
            DualRef::Big(_) => "hashtable",
        }
    }

    // --- conversions

    /// Converts to a table at once if the pairs to come, fields and values in turn, would not fit a listpack, as HSET does.
    pub fn prepare<'a, I>(&mut self, pairs: I, limits: &Limits)
    where
        I: IntoIterator<Item = &'a [u8]>,
        I::IntoIter: Clone,
    {
        let DualRef::Small(pack) = self.repr.get() else { return };
        let parts = pairs.into_iter();
        let fields = parts.clone().count() / 2;
        let bytes: usize = parts.clone().map(<[u8]>::len).sum();
        let too_long = parts.into_iter().any(|part| part.len() > limits.hash_listpack_value);
        if fields > limits.hash_listpack_entries || too_long || !crate::has_room(pack, bytes) {
            self.become_table();
        }
    }

    fn become_table(&mut self) -> &mut Big<Field> {
        if let DualRef::Small(_) = self.repr.get() {
            let mut big = Box::<Big<Field>>::default();
            for view in self.iter() {
                big.insert_new(Entry::new_bytes(&view.field.text(), &view.value.text(), false, None));
            }
            self.repr = Repr::big(big);
        }
        match self.repr.get_mut() {
            DualMut::Big(big) => big,
            DualMut::Small(_) => unreachable!("the hash was converted right above"),
        }
    }

    /// Brings a hash that was read from a file into an encoding within the limits.
    pub fn settle(&mut self, limits: &Limits) {
        let DualRef::Small(pack) = self.repr.get() else { return };
        if pack.len() / 2 > limits.hash_listpack_entries
            || pack.iter().any(|part| part.len() > limits.hash_listpack_value)
        {
            self.become_table();
        }
    }

    // --- single fields

    fn find_packed(pack: &Listpack, field: &[u8]) -> Option<Pos> {
        pack.first().and_then(|first| pack.find(first, field, 1))
    }

    /// The value of `field`.
    pub fn get(&self, field: &[u8]) -> Option<Item<'_>> {
        self.view(field).map(|view| view.value)
    }

    /// The value of `field` with its expiry.
    pub fn view(&self, field: &[u8]) -> Option<FieldView<'_>> {
        match self.repr.get() {
            DualRef::Small(pack) => {
                let pos = Self::find_packed(pack, field)?;
                let value = pack.get(pack.next(pos)?);
                Some(FieldView { field: pack.get(pos), value, expire: None })
            }
            DualRef::Big(big) => big.find(field).map(|found| view_of(&found)),
        }
    }

    /// Whether there is such a field.
    pub fn contains(&self, field: &[u8]) -> bool {
        match self.repr.get() {
            DualRef::Small(pack) => Self::find_packed(pack, field).is_some(),
            DualRef::Big(big) => big.find(field).is_some(),
        }
    }

    /// Sets a field, as HSET does: an expiry that it had is gone. Answers whether the field is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.put(field, value, false, limits)
    }

    /// Sets a field, as HINCRBY does: an expiry that it had stays. Answers whether the field is new.
    pub fn update(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        self.put(field, value, true, limits)
    }

    fn put(&mut self, field: &[u8], value: &[u8], keep_expire: bool, limits: &Limits) -> bool {
        if let DualMut::Small(pack) = self.repr.get_mut() {
            let fits = field.len() <= limits.hash_listpack_value
                && value.len() <= limits.hash_listpack_value
                && crate::has_room(pack, field.len() + value.len());
            if fits {
                if let Some(pos) = Self::find_packed(pack, field) {
                    let pos = pack.next(pos).expect("fields and values come in pairs");
                    pack.replace(pos, value);
                    return false;
                }
                pack.push_back(field);
                pack.push_back(value);
                if pack.len() / 2 > limits.hash_listpack_entries {
                    self.become_table();
                }
                return true;
            }
        }
        self.become_table().upsert(
            field,
            |mut found| {
                if !keep_expire && found.flag() {
                    found.get_mut().set_expire(None);
                    found.set_flag(false);
                }
                found.get_mut().set_bytes(value, false);
            },
            || Entry::new_bytes(field, value, false, None),
        )
    }

    /// Removes a field; answers whether it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match self.repr.get_mut() {
            DualMut::Small(pack) => match Self::find_packed(pack, field) {
                Some(pos) => {
                    pack.remove_from(pos, 2);
                    true
                }
                None => false,
            },
            DualMut::Big(big) => big.remove(field).is_some(),
        }
    }

    // --- expiry of fields

    /// Sets or takes away the expiry of a field, in milliseconds of Unix time; answers whether there is such a field.
    pub fn set_expire(&mut self, field: &[u8], expire: Option<i64>) -> bool {
        if let DualRef::Small(pack) = self.repr.get() {
            if Self::find_packed(pack, field).is_none() {
                return false;
            }
            if expire.is_none() {
                return true;
            }
        }
        let Some(mut found) = self.become_table().find_mut(field) else { return false };
        found.get_mut().set_expire(expire);
        found.set_flag(expire.is_some());
        if let Some(expire) = expire {
            found.due(due(expire));
        }
        true
    }

    /// The count of fields that have an expiry.
    pub fn expiring(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(_) => 0,
            DualRef::Big(big) => big.table.flagged(),
        }
    }

    /// A time before which no field expires, if any field does; it may be earlier than the first. O(n / 270).
    pub fn earliest_expire(&self) -> Option<i64> {
        match self.repr.get() {
            DualRef::Big(big) if big.table.flagged() > 0 => i64::try_from(big.table.earliest()).ok(),
            _ => None,
        }
    }

    /// Removes fields whose expiry is at or before `now`, up to about `most`, each shown to `f` first; answers how many.
    pub fn remove_expired(&mut self, now: i64, most: usize, mut f: impl FnMut(FieldView<'_>)) -> usize {
        let DualMut::Big(big) = self.repr.get_mut() else { return 0 };
        let mut gone: Vec<Vec<u8>> = Vec::new();
        let mut cursor = 0;
        loop {
            cursor = big.table.next_flagged(cursor, due(now), 64, |field| match field.expire() {
                Some(expire) if expire <= now && gone.len() < most => {
                    gone.push(field.key().to_vec());
                    u64::MAX
                }
                Some(expire) => due(expire),
                None => u64::MAX,
            });
            if cursor == 0 || gone.len() >= most {
                break;
            }
        }
        for name in &gone {
            if let Some(field) = big.remove(name) {
                f(FieldView { field: Item::Bytes(name), value: value_of(field.payload()), expire: field.expire() });
            }
        }
        gone.len()
    }

    // --- many

    /// The fields: of a listpack in order of insertion.
    pub fn iter(&self) -> Fields<'_> {
        Fields {
            walk: match self.repr.get() {
                DualRef::Small(pack) => Walk::Packed(pack.iter()),
                DualRef::Big(big) => Walk::Table(big.table.iter()),
            },
        }
    }

    /// Shows fields to `f` and answers the next cursor, as HSCAN does: a table about `count` of them, a listpack all at once
    /// with cursor 0.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(FieldView<'_>)) -> u64 {
        match self.repr.get() {
            DualRef::Small(_) => {
                self.iter().for_each(f);
                0
            }
            DualRef::Big(big) => big::scan(&big.table, cursor, count, |found| f(view_of(&found))),
        }
    }

    /// A field, every one with the same probability.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<FieldView<'_>> {
        if self.is_empty() {
            return None;
        }
        match self.repr.get() {
            DualRef::Small(pack) => {
                let pos = pack.seek(2 * below(rng, pack.len() / 2) as isize)?;
                Some(FieldView { field: pack.get(pos), value: pack.get(pack.next(pos)?), expire: None })
            }
            DualRef::Big(big) => big.random(rng).map(|found| view_of(&found)),
        }
    }

    /// Shows `count` different fields chosen at random, all if there are fewer, in no particular order.
    pub fn sample<'a>(&'a self, count: usize, rng: &mut dyn FnMut() -> u64, mut f: impl FnMut(FieldView<'a>)) {
        match self.repr.get() {
            DualRef::Small(_) => {
                let mut selection = Selection::new(self.len(), count);
                self.iter().filter(|_| selection.next(rng)).for_each(f);
            }
            DualRef::Big(big) => big::sample(&big.table, count, rng, |found| f(view_of(&found))),
        }
    }

    // --- for codecs, snapshots and statistics

    /// The listpack, unless the hash is a table; see [`Hash::iter`].
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.repr.get() {
            DualRef::Small(pack) => Some(pack),
            DualRef::Big(_) => None,
        }
    }

    /// The bytes allocated; those of a table's fields are estimated from `samples` of them, 0 looks at all.
    pub fn memory(&self, samples: usize) -> usize {
        match self.repr.get() {
            DualRef::Small(pack) => pack.memory(),
            DualRef::Big(big) => big.memory(samples),
        }
    }

    /// The allocations to free, roughly: what decides about lazy freeing.
    pub fn free_effort(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(_) => 1,
            DualRef::Big(big) => big.len(),
        }
    }

    pub(crate) fn big(&mut self) -> Option<&mut Big<Field>> {
        match self.repr.get_mut() {
            DualMut::Small(_) => None,
            DualMut::Big(big) => Some(big),
        }
    }
}

pub(crate) fn view_of_field(field: &Field) -> FieldView<'_> {
    FieldView { field: Item::Bytes(field.key()), value: value_of(field.payload()), expire: field.expire() }
}

/// The fields of a hash.
pub struct Fields<'a> {
    walk: Walk<'a>,
}

enum Walk<'a> {
    Packed(listpack::Iter<'a>),
    Table(table::Iter<'a, Field>),
}

impl<'a> Iterator for Fields<'a> {
    type Item = FieldView<'a>;

    fn next(&mut self) -> Option<FieldView<'a>> {
        match &mut self.walk {
            Walk::Packed(items) => Some(FieldView { field: items.next()?, value: items.next()?, expire: None }),
            Walk::Table(found) => found.next().map(|found| view_of(&found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::random::test_rng;

    type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

    fn fields(hash: &Hash) -> Model {
        let all: Vec<_> = hash.iter().map(|view| (view.field.to_vec(), (view.value.to_vec(), view.expire))).collect();
        let different: Model = all.iter().cloned().collect();
        assert_eq!(all.len(), different.len());
        different
    }

    #[test]
    fn encodings_change_where_the_peer_changes_them() {
        let limits = Limits { hash_listpack_entries: 2, hash_listpack_value: 5, ..Limits::default() };
        let mut hash = Hash::new();
        hash.set(b"a", b"1", &limits);
        hash.set(b"b", b"2", &limits);
        hash.set(b"b", b"33", &limits);
        assert_eq!(hash.encoding(), "listpack");
        hash.set(b"c", b"2", &limits);
        assert_eq!((hash.encoding(), hash.len()), ("hashtable", 3));
        let mut hash = Hash::new();
        hash.set(b"a", b"longer", &limits);
        assert_eq!(hash.encoding(), "hashtable");
        let mut hash = Hash::new();
        hash.prepare([&b"a"[..], b"1", b"b", b"2", b"a", b"3"], &limits);
        assert_eq!(hash.encoding(), "hashtable");
        let mut hash = Hash::new();
        hash.set(b"a", b"1", &limits);
        assert!(hash.set_expire(b"a", None) && !hash.set_expire(b"b", Some(5)));
        assert_eq!(hash.encoding(), "listpack");
        assert!(hash.set_expire(b"a", Some(5)));
        assert_eq!((hash.encoding(), hash.expiring()), ("hashtable", 1));
    }

    #[test]
    fn listpacks_of_others_are_checked() {
        let pack = |items: &[&[u8]]| items.iter().copied().collect::<Listpack>();
        assert!(Hash::from_listpack(pack(&[b"a", b"1", b"b", b"1"])).is_some());
        assert!(Hash::from_listpack(pack(&[b"a", b"1", b"a", b"2"])).is_none());
        assert!(Hash::from_listpack(pack(&[b"a"])).is_none());
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            4 => "[a-d]{0,2}".prop_map(String::into_bytes),
            4 => (-9i64..9).prop_map(|i| i.to_string().into_bytes()),
            1 => "[a-d]{60,150}".prop_map(String::into_bytes),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

        #[test]
        fn behaves_as_a_map(
            tiny: bool,
            steps in proptest::collection::vec((0u8..9, text(), text(), -50i64..50), 0..150),
            seed: u64,
        ) {
            let limits = if tiny {
                Limits { hash_listpack_entries: 3, hash_listpack_value: 8, ..Limits::default() }
            } else {
                Limits { hash_listpack_value: 200, ..Limits::default() }
            };
            let mut rng = test_rng(seed);
            let mut hash = Hash::new();
            let mut model = Model::new();
            for (step, field, value, time) in steps {
                match step {
                    0..=3 => {
                        let old = model.insert(field.clone(), (value.clone(), None));
                        prop_assert_eq!(hash.set(&field, &value, &limits), old.is_none());
                    }
                    4 => {
                        let expire = model.get(&field).and_then(|(_, expire)| *expire);
                        let old = model.insert(field.clone(), (value.clone(), expire));
                        prop_assert_eq!(hash.update(&field, &value, &limits), old.is_none());
                    }
                    5 => prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
                    6 | 7 => {
                        let expire = (time > 0).then_some(time - 10);
                        prop_assert_eq!(hash.set_expire(&field, expire), model.contains_key(&field));
                        if let Some(entry) = model.get_mut(&field) { entry.1 = expire; }
                    }
                    _ => {
                        let mut gone = Vec::new();
                        let count = hash.remove_expired(time, 100, |view| gone.push(view.field.to_vec()));
                        prop_assert_eq!(count, gone.len());
                        for name in gone {
                            let (_, expire) = model.remove(&name).unwrap();
                            prop_assert!(expire.unwrap() <= time);
                        }
                        prop_assert!(model.values().all(|(_, expire)| expire.is_none_or(|at| at > time)));
                    }
                }
                prop_assert_eq!(hash.get(&field).map(|value| value.to_vec()), model.get(&field).map(|(value, _)| value.clone()));
                prop_assert_eq!(hash.contains(&field), model.contains_key(&field));
                prop_assert_eq!(fields(&hash), model.clone());
                prop_assert_eq!(hash.expiring(), model.values().filter(|(_, expire)| expire.is_some()).count());
                let earliest = model.values().filter_map(|(_, expire)| *expire).min();
                prop_assert_eq!(hash.earliest_expire().is_some(), earliest.is_some());
                prop_assert!(hash.earliest_expire() <= earliest.map(|at| at.max(0)));
            }
            let mut scanned = Model::new();
            let mut cursor = 0;
            loop {
                cursor = hash.scan(cursor, 3, |view| {
                    scanned.insert(view.field.to_vec(), (view.value.to_vec(), view.expire));
                });
                if cursor == 0 { break; }
            }
            prop_assert_eq!(&scanned, &model);
            for count in [0, 1, 3, model.len(), model.len() + 1] {
                let mut chosen = BTreeMap::new();
                hash.sample(count, &mut rng, |view| assert!(chosen.insert(view.field.to_vec(), view.value.to_vec()).is_none()));
                prop_assert_eq!(chosen.len(), count.min(model.len()));
                prop_assert!(chosen.iter().all(|(field, value)| model[field].0 == *value));
            }
            prop_assert_eq!(hash.random(&mut rng).is_some(), !model.is_empty());
            prop_assert_eq!(fields(&hash.clone()), model);
        }
    }
}
