//! How a snapshot walks a big collection while commands go on changing it.
//!
//! ```text
//!   begin_snapshot(k) ─► walk_snapshot(k, cursor, …) ─► … ─► None ─► end_snapshot(k)
//!         true                    │ elements as they were at begin, each exactly once, in no order
//!         false: small, or no table: write it whole at once          (or abandon_snapshot(k) at any time)
//! ```
//!
//! Between the steps the value may be changed in any way. It must not be dropped: whoever deletes or overwrites it hands it to
//! the snapshot whole. A list is walked by a clone of it, which shares the list's nodes; so it needs no such steps.
//!
//! `k` is 0 or 1: two snapshots may walk a value at once.

use crate::Value;
use crate::hash::{FieldView, view_of_field};

/// An element of a collection, as a snapshot gets it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Element<'a> {
    /// A member of a set.
    Member(&'a [u8]),
    /// A field of a hash.
    Field(FieldView<'a>),
    /// A member of a sorted set.
    Scored(&'a [u8], f64),
}

impl Value {
    /// Begins snapshot `k` of this value. False if there is nothing to walk: the value is not a table, and its present
    /// state can be taken at once.
    pub fn begin_snapshot(&mut self, k: u8) -> bool {
        match self {
            Self::Set(set) => set.big().map(|big| big.begin_snapshot(k)).is_some(),
            Self::Hash(hash) => hash.big().map(|big| big.begin_snapshot(k)).is_some(),
            Self::Zset(zset) => zset.sorted().map(|sorted| sorted.begin_snapshot(k)).is_some(),
            Self::Raw(_) | Self::List(_) => false,
        }
    }

    /// Shows elements that snapshot `k` has not got to `f`: first those that were about to change since the last step, then
    /// those from `cursor` on (0 at first) until `budget` is spent. Answers the next cursor, or `None` when all were shown.
    pub fn walk_snapshot(&mut self, k: u8, cursor: u64, budget: usize, mut f: impl FnMut(Element<'_>)) -> Option<u64> {
        match self {
            Self::Set(set) => set.big()?.walk_snapshot(k, cursor, budget, |blob| f(Element::Member(blob.bytes()))),
            Self::Hash(hash) => {
                hash.big()?.walk_snapshot(k, cursor, budget, |field| f(Element::Field(view_of_field(field))))
            }
            Self::Zset(zset) => zset
                .sorted()?
                .walk_snapshot(k, cursor, budget, |member| f(Element::Scored(member.bytes(), member.score()))),
            Self::Raw(_) | Self::List(_) => None,
        }
    }

    /// Ends snapshot `k` when its walk has come to the end, before any further change.
    pub fn end_snapshot(&mut self, k: u8) {
        match self {
            Self::Set(set) => set.big().into_iter().for_each(|big| big.end_snapshot(k)),
            Self::Hash(hash) => hash.big().into_iter().for_each(|big| big.end_snapshot(k)),
            Self::Zset(zset) => zset.sorted().into_iter().for_each(|sorted| sorted.end_snapshot(k)),
            Self::Raw(_) | Self::List(_) => {}
        }
    }

    /// Gives snapshot `k` up wherever its walk is. O(n / 7).
    pub fn abandon_snapshot(&mut self, k: u8) {
        match self {
            Self::Set(set) => set.big().into_iter().for_each(|big| big.abandon_snapshot(k)),
            Self::Hash(hash) => hash.big().into_iter().for_each(|big| big.abandon_snapshot(k)),
            Self::Zset(zset) => zset.sorted().into_iter().for_each(|sorted| sorted.abandon_snapshot(k)),
            Self::Raw(_) | Self::List(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{Hash, Limits, Set, Zset};

    /// Name, and value or score as text.
    type State = BTreeMap<Vec<u8>, Vec<u8>>;

    const TABLES: Limits = Limits {
        hash_listpack_entries: 0,
        hash_listpack_value: 64,
        set_intset_entries: 0,
        set_listpack_entries: 0,
        set_listpack_value: 64,
        zset_listpack_entries: 0,
        zset_listpack_value: 64,
        list_listpack_size: -2,
        list_compress_depth: 0,
        stream_node_bytes: 0,
        stream_node_entries: 0,
    };

    fn pair(element: Element<'_>) -> (Vec<u8>, Vec<u8>) {
        match element {
            Element::Member(member) => (member.to_vec(), Vec::new()),
            Element::Field(view) => (view.field.to_vec(), view.value.to_vec()),
            Element::Scored(member, score) => (member.to_vec(), score.to_string().into_bytes()),
        }
    }

    fn change(value: &mut Value, name: u16, number: u8) {
        let name = format!("element:{name}");
        let name = name.as_bytes();
        let remove = number.is_multiple_of(4);
        match value {
            Value::Set(set) if remove => drop(set.remove(name)),
            Value::Set(set) => drop(set.add(name, &TABLES)),
            Value::Hash(hash) if remove => drop(hash.remove(name)),
            Value::Hash(hash) => drop(hash.set(name, number.to_string().as_bytes(), &TABLES)),
            Value::Zset(zset) if remove => drop(zset.remove(name)),
            Value::Zset(zset) => drop(zset.insert(name, f64::from(number), &TABLES)),
            _ => {}
        }
    }

    fn state(value: &Value) -> State {
        match value {
            Value::Set(set) => set.iter().map(|member| (member.to_vec(), Vec::new())).collect(),
            Value::Hash(hash) => hash.iter().map(|view| pair(Element::Field(view))).collect(),
            Value::Zset(zset) => zset.iter().map(|(m, s)| (m.to_vec(), s.to_string().into_bytes())).collect(),
            _ => State::new(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_snapshot_gets_each_element_once_as_it_was(
            kind in 0u8..3,
            before in proptest::collection::vec((0u16..600, any::<u8>()), 1..800),
            during in proptest::collection::vec((0u16..1200, any::<u8>()), 0..1500),
            budget in 1usize..200,
        ) {
            let mut value = match kind {
                0 => Value::from(Set::new()),
                1 => Value::from(Hash::new()),
                _ => Value::from(Zset::new()),
            };
            change(&mut value, 0, 1);
            before.iter().for_each(|(name, number)| change(&mut value, *name, *number));
            let wanted = [state(&value), State::new()];
            prop_assert!(value.begin_snapshot(0));
            // The second snapshot begins in the middle of the first.
            let (first, second) = during.split_at(during.len() / 2);
            let mut got = [Vec::new(), Vec::new()];
            let mut cursors = [Some(0), None];
            let step = |value: &mut Value, cursors: &mut [Option<u64>; 2], got: &mut [Vec<_>; 2]| {
                for k in 0..2u8 {
                    let k_index = usize::from(k);
                    if let Some(cursor) = cursors[k_index] {
                        cursors[k_index] = value.walk_snapshot(k, cursor, budget, |e| got[k_index].push(pair(e)));
                        if cursors[k_index].is_none() {
                            value.end_snapshot(k);
                        }
                    }
                }
            };
            for (i, (name, number)) in first.iter().enumerate() {
                change(&mut value, *name, *number);
                if i % 20 == 0 { step(&mut value, &mut cursors, &mut got); }
            }
            let wanted = [wanted[0].clone(), state(&value)];
            prop_assert!(value.begin_snapshot(1));
            cursors[1] = Some(0);
            for (i, (name, number)) in second.iter().enumerate() {
                change(&mut value, *name, *number);
                if i % 20 == 0 { step(&mut value, &mut cursors, &mut got); }
            }
            while cursors != [None, None] {
                step(&mut value, &mut cursors, &mut got);
            }
            for (got, wanted) in got.into_iter().zip(wanted) {
                prop_assert_eq!(got.len(), wanted.len());
                prop_assert_eq!(got.into_iter().collect::<State>(), wanted);
            }
        }

        #[test]
        fn a_snapshot_can_be_given_up(names in proptest::collection::vec(0u16..600, 1..600), steps in 0usize..4) {
            let mut value = Value::from(Set::new());
            for name in &names { change(&mut value, *name, 1); }
            value.begin_snapshot(0);
            let mut cursor = Some(0);
            for _ in 0..steps {
                cursor = cursor.and_then(|cursor| value.walk_snapshot(0, cursor, 20, |_| ()));
            }
            value.abandon_snapshot(0);
            for name in &names { change(&mut value, *name, 0); }
            prop_assert!(state(&value).is_empty());
            prop_assert!(value.begin_snapshot(0));
        }
    }
}
