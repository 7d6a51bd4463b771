//! Sets: an intset while all members are integers, a listpack while small, a hash table when big.
//!
//! ```text
//!   intset ──── a member that is no integer ───► listpack ──── too many, or one too long ───► hashtable
//!      └────────────────── more than set-max-intset-entries ──────────────────────────────────────▲
//! ```
//!
//! Nothing converts back, but for [`Set::compact`].
//!
//! Costs: hash table O(1); the compact encodings O(n) within their limits, a look-up in an intset O(log n).

use structures::blob::Blob;
use structures::dual::{Dual, DualMut, DualRef, SmallSet, SmallSetMut, SmallSetRef};
use structures::intset::Intset;
use structures::listpack::{self, Listpack};
use structures::number;
use structures::table;

use crate::big::{self, Big};
use crate::random::{Selection, below};
use crate::{Item, Limits};

/// A set of members; see the module's page.
#[derive(Clone)]
pub struct Set {
    repr: Repr,
}

type Repr = Dual<SmallSet, Big<Blob>>;

/// The encoding, to be read.
enum As<'a> {
    Ints(&'a Intset),
    Packed(&'a Listpack),
    Table(&'a Big<Blob>),
}

/// The encoding, to be changed.
enum AsMut<'a> {
    Ints(&'a mut Intset),
    Packed(&'a mut Listpack),
    Table(&'a mut Big<Blob>),
}

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl From<Intset> for Set {
    fn from(ints: Intset) -> Self {
        Self { repr: Repr::small(ints.into()) }
    }
}

impl Set {
    /// An empty set; its first member chooses the encoding.
    pub fn new() -> Self {
        Intset::new().into()
    }

    /// A set over a listpack that was read from a file, if its members differ. O(n).
    pub fn from_listpack(pack: Listpack) -> Option<Self> {
        crate::all_differ(pack.iter()).then_some(Self { repr: Repr::small(pack.into()) })
    }

    fn view(&self) -> As<'_> {
        match self.repr.get() {
            DualRef::Big(big) => As::Table(big),
            DualRef::Small(small) => match small.get() {
                SmallSetRef::Ints(ints) => As::Ints(ints),
                SmallSetRef::Pack(pack) => As::Packed(pack),
            },
        }
    }

    fn view_mut(&mut self) -> AsMut<'_> {
        match self.repr.get_mut() {
            DualMut::Big(big) => AsMut::Table(big),
            DualMut::Small(small) => match small.get_mut() {
                SmallSetMut::Ints(ints) => AsMut::Ints(ints),
                SmallSetMut::Pack(pack) => AsMut::Packed(pack),
            },
        }
    }

    /// The count of members.
    pub fn len(&self) -> usize {
        match self.view() {
            As::Ints(ints) => ints.len(),
            As::Packed(pack) => pack.len(),
            As::Table(big) => big.len(),
        }
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `intset`, `listpack` or `hashtable`.
    pub fn encoding(&self) -> &'static str {
        match self.view() {
            As::Ints(_) => "intset",
            As::Packed(_) => "listpack",
            As::Table(_) => "hashtable",
        }
    }

    // --- conversions

    /// Chooses the encoding for `count` members to come, of which `first` is the first, as SADD does: an empty set begins in
    /// the encoding that could hold them, and a set that could not hold `count` members becomes a table at once.
    pub fn prepare(&mut self, first: &[u8], count: usize, limits: &Limits) {
        if self.is_empty() {
            self.repr = if count <= limits.set_intset_entries && number::parse_i64(first).is_some() {
                Repr::small(Intset::new().into())
            } else if count <= limits.set_listpack_entries {
                Repr::small(Listpack::new().into())
            } else {
                Repr::big(Box::default())
            };
            return;
        }
        let full = match self.view() {
            As::Ints(_) => count > limits.set_intset_entries,
            As::Packed(_) => count > limits.set_listpack_entries,
            As::Table(_) => false,
        };
        if full {
            self.become_table();
        }
    }

    fn become_table(&mut self) -> &mut Big<Blob> {
        if !matches!(self.view(), As::Table(_)) {
            let mut big = Box::<Big<Blob>>::default();
            for member in self.iter() {
                big.insert_new(Blob::new(&member.text()));
            }
            self.repr = Repr::big(big);
        }
        match self.view_mut() {
            AsMut::Table(big) => big,
            _ => unreachable!("the set was converted right above"),
        }
    }

    /// Makes the set an intset if all its members are integers and the limit allows it. For the results of SINTERSTORE, which
    /// are collected before it is known what they are. O(n).
    pub fn compact(&mut self, limits: &Limits) {
        if matches!(self.view(), As::Ints(_)) || self.len() > limits.intset_entries() {
            return;
        }
        let ints: Option<Vec<i64>> = self.iter().map(|member| member.int()).collect();
        if let Some(mut ints) = ints {
            ints.sort_unstable();
            self.repr = Repr::small(ints.into_iter().collect::<Intset>().into());
        }
    }

    /// Brings a set that was read from a file into an encoding within the limits.
    pub fn settle(&mut self, limits: &Limits) {
        let over = match self.view() {
            As::Ints(ints) => ints.len() > limits.set_intset_entries,
            As::Packed(pack) => pack.len() > limits.set_listpack_entries,
            As::Table(_) => false,
        };
        if over {
            self.become_table();
        }
    }

    // --- members

    /// Whether `member` is in the set.
    pub fn contains(&self, member: &[u8]) -> bool {
        match self.view() {
            As::Ints(ints) => number::parse_i64(member).is_some_and(|value| ints.contains(value)),
            As::Packed(pack) => pack.first().and_then(|first| pack.find(first, member, 0)).is_some(),
            As::Table(big) => big.find(member).is_some(),
        }
    }

    /// Adds `member`; answers whether it was new.
    pub fn add(&mut self, member: &[u8], limits: &Limits) -> bool {
        // What `prepare` has chosen for more members than one stays.
        if self.is_empty() && matches!(self.view(), As::Ints(_)) {
            self.prepare(member, 1, limits);
        }
        match self.view_mut() {
            AsMut::Table(big) => big.upsert(member, |_| (), || Blob::new(member)),
            AsMut::Ints(ints) => {
                if let Some(value) = number::parse_i64(member) {
                    let new = ints.insert(value);
                    if ints.len() > limits.intset_entries() {
                        self.become_table();
                    }
                    return new;
                }
                let longest = |value: Option<i64>| value.map_or(0, number::int_len);
                if ints.len() < limits.set_listpack_entries
                    && member.len() <= limits.set_listpack_value
                    && longest(ints.min()).max(longest(ints.max())) <= limits.set_listpack_value
                {
                    let mut pack: Listpack = ints.iter().collect();
                    pack.push_back(member);
                    self.repr = Repr::small(pack.into());
                } else {
                    self.become_table().insert_new(Blob::new(member));
                }
                true
            }
            AsMut::Packed(pack) => {
                if pack.first().and_then(|first| pack.find(first, member, 0)).is_some() {
                    return false;
                }
                if pack.len() < limits.set_listpack_entries
                    && member.len() <= limits.set_listpack_value
                    && crate::has_room(pack, member.len())
                {
                    pack.push_back(member);
                } else {
                    self.become_table().insert_new(Blob::new(member));
                }
                true
            }
        }
    }

    /// Removes `member`; answers whether it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self.view_mut() {
            AsMut::Ints(ints) => number::parse_i64(member).is_some_and(|value| ints.remove(value)),
            AsMut::Packed(pack) => match pack.first().and_then(|first| pack.find(first, member, 0)) {
                Some(pos) => {
                    pack.remove(pos);
                    true
                }
                None => false,
            },
            AsMut::Table(big) => big.remove(member).is_some(),
        }
    }

    // --- many

    /// The members: of an intset in ascending order, of a listpack in order of insertion.
    pub fn iter(&self) -> Members<'_> {
        Members {
            walk: match self.view() {
                As::Ints(ints) => Walk::Ints(ints, 0),
                As::Packed(pack) => Walk::Packed(pack.iter()),
                As::Table(big) => Walk::Table(big.table.iter()),
            },
        }
    }

    /// Shows members to `f` and answers the next cursor, as SSCAN does: a table about `count` of them, the compact encodings
    /// all at once with cursor 0.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(Item<'_>)) -> u64 {
        match self.view() {
            As::Table(big) => big::scan(&big.table, cursor, count, |found| f(Item::Bytes(found.bytes()))),
            _ => {
                self.iter().for_each(f);
                0
            }
        }
    }

    /// A member, every one with the same probability.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<Item<'_>> {
        if self.is_empty() {
            return None;
        }
        match self.view() {
            As::Ints(ints) => ints.get(below(rng, ints.len())).map(Item::Int),
            As::Packed(pack) => pack.index(below(rng, pack.len()) as isize),
            As::Table(big) => big.random(rng).map(|found| Item::Bytes(found.bytes())),
        }
    }

    /// Shows `count` different members chosen at random, all if there are fewer, in no particular order.
    pub fn sample<'a>(&'a self, count: usize, rng: &mut dyn FnMut() -> u64, mut f: impl FnMut(Item<'a>)) {
        match self.view() {
            As::Table(big) => big::sample(&big.table, count, rng, |found| f(Item::Bytes(found.bytes()))),
            _ => {
                let mut selection = Selection::new(self.len(), count);
                self.iter().filter(|_| selection.next(rng)).for_each(f);
            }
        }
    }

    /// Lends a random member to `f` and removes it.
    pub fn pop<R>(&mut self, rng: &mut dyn FnMut() -> u64, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let member = self.random(rng)?;
        let result = f(member);
        let text = member.to_vec();
        self.remove(&text);
        Some(result)
    }

    // --- for codecs, snapshots and statistics

    /// How the set is stored.
    pub fn storage(&self) -> SetStorage<'_> {
        match self.view() {
            As::Ints(ints) => SetStorage::Intset(ints),
            As::Packed(pack) => SetStorage::Listpack(pack),
            As::Table(_) => SetStorage::Table,
        }
    }

    /// The bytes allocated; those of a table's members are estimated from `samples` of them, 0 looks at all.
    pub fn memory(&self, samples: usize) -> usize {
        match self.view() {
            As::Ints(ints) => ints.memory(),
            As::Packed(pack) => pack.memory(),
            As::Table(big) => big.memory(samples),
        }
    }

    /// The allocations to free, roughly: what decides about lazy freeing.
    pub fn free_effort(&self) -> usize {
        match self.view() {
            As::Table(big) => big.len(),
            _ => 1,
        }
    }

    pub(crate) fn big(&mut self) -> Option<&mut Big<Blob>> {
        match self.view_mut() {
            AsMut::Table(big) => Some(big),
            _ => None,
        }
    }
}

/// How a set is stored, to be written.
#[derive(Clone, Copy, Debug)]
pub enum SetStorage<'a> {
    /// A sorted array of integers.
    Intset(&'a Intset),
    /// All members in one listpack.
    Listpack(&'a Listpack),
    /// A hash table; see [`Set::iter`].
    Table,
}

/// The members of a set.
pub struct Members<'a> {
    walk: Walk<'a>,
}

enum Walk<'a> {
    Ints(&'a Intset, usize),
    Packed(listpack::Iter<'a>),
    Table(table::Iter<'a, Blob>),
}

impl<'a> Iterator for Members<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.walk {
            Walk::Ints(ints, at) => {
                let value = ints.get(*at)?;
                *at += 1;
                Some(Item::Int(value))
            }
            Walk::Packed(items) => items.next(),
            Walk::Table(found) => found.next().map(|found| Item::Bytes(found.bytes())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::random::test_rng;

    fn members(set: &Set) -> BTreeSet<Vec<u8>> {
        let all: Vec<_> = set.iter().map(|member| member.to_vec()).collect();
        let different: BTreeSet<_> = all.iter().cloned().collect();
        assert_eq!(all.len(), different.len());
        different
    }

    fn set_of(texts: &[&str], limits: &Limits) -> Set {
        let mut set = Set::new();
        for text in texts {
            set.add(text.as_bytes(), limits);
        }
        set
    }

    #[test]
    fn encodings_change_where_the_peer_changes_them() {
        let limits =
            Limits { set_intset_entries: 3, set_listpack_entries: 4, set_listpack_value: 5, ..Limits::default() };
        assert_eq!(set_of(&["1", "2", "3"], &limits).encoding(), "intset");
        assert_eq!(set_of(&["1", "2", "3", "4"], &limits).encoding(), "hashtable");
        assert_eq!(set_of(&["1", "2", "3", "x"], &limits).encoding(), "listpack");
        assert_eq!(set_of(&["a", "b", "c", "d"], &limits).encoding(), "listpack");
        assert_eq!(set_of(&["a", "b", "c", "d", "e"], &limits).encoding(), "hashtable");
        assert_eq!(set_of(&["a", "longer"], &limits).encoding(), "hashtable");
        assert_eq!(set_of(&["123456", "a"], &limits).encoding(), "hashtable");
        assert_eq!(set_of(&["01"], &limits).encoding(), "listpack");
        let none = Limits { set_intset_entries: 0, set_listpack_entries: 0, ..Limits::default() };
        assert_eq!(set_of(&["1"], &none).encoding(), "hashtable");
        let mut set = Set::new();
        set.prepare(b"1", 4, &limits);
        assert_eq!(set.encoding(), "listpack");
        let mut set = set_of(&["a", "12", "3"], &limits);
        set.remove(b"a");
        set.compact(&limits);
        assert_eq!(set.encoding(), "intset");
    }

    fn member() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            (-20i64..20).prop_map(|i| i.to_string().into_bytes()),
            any::<i64>().prop_map(|i| i.to_string().into_bytes()),
            "[a-d]{0,3}".prop_map(String::into_bytes),
            "[a-d]{60,70}".prop_map(String::into_bytes),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

        #[test]
        fn behaves_as_a_set(
            tiny: bool,
            integers: bool,
            steps in proptest::collection::vec((0u8..8, member()), 0..150),
            seed: u64,
        ) {
            let limits = if tiny {
                Limits { set_intset_entries: 4, set_listpack_entries: 8, set_listpack_value: 4, ..Limits::default() }
            } else {
                Limits::default()
            };
            let mut rng = test_rng(seed);
            let mut set = Set::new();
            let mut model = BTreeSet::new();
            for (step, member) in steps {
                let member = if integers { (member.len() as i64 - 3).to_string().into_bytes() } else { member };
                match step {
                    0..=4 => prop_assert_eq!(set.add(&member, &limits), model.insert(member.clone())),
                    5 => prop_assert_eq!(set.remove(&member), model.remove(&member)),
                    6 => {
                        let popped = set.pop(&mut rng, |member| member.to_vec());
                        prop_assert_eq!(popped.is_some(), !model.is_empty());
                        if let Some(popped) = popped { prop_assert!(model.remove(&popped)); }
                    }
                    _ => set.compact(&limits),
                }
                prop_assert_eq!(set.contains(&member), model.contains(&member));
                prop_assert_eq!(members(&set), model.clone());
                prop_assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
            }
            let mut scanned = BTreeSet::new();
            let mut cursor = 0;
            loop {
                cursor = set.scan(cursor, 3, |member| { scanned.insert(member.to_vec()); });
                if cursor == 0 { break; }
            }
            prop_assert_eq!(&scanned, &model);
            for count in [0, 1, 3, model.len(), model.len() + 1] {
                let mut chosen = BTreeSet::new();
                set.sample(count, &mut rng, |member| assert!(chosen.insert(member.to_vec())));
                prop_assert_eq!(chosen.len(), count.min(model.len()));
                prop_assert!(chosen.is_subset(&model));
            }
            let random = set.random(&mut rng).map(|member| member.to_vec());
            prop_assert_eq!(random.is_some(), !model.is_empty());
            prop_assert!(random.is_none_or(|member| model.contains(&member)));
            prop_assert_eq!(members(&set.clone()), model);
        }
    }
}
