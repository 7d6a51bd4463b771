//! Slots, one and many.

use std::fmt;

/// How many slots a cluster has.
pub const SLOTS: usize = structures::crc16::SLOTS as usize;

/// A hash slot, below [`SLOTS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u16);

impl Slot {
    pub fn new(number: usize) -> Option<Slot> {
        u16::try_from(number).ok().filter(|n| usize::from(*n) < SLOTS).map(Slot)
    }

    /// The slot of a key.
    pub fn of_key(key: &[u8]) -> Slot {
        Slot(structures::crc16::slot(key))
    }

    /// A decimal number below [`SLOTS`].
    pub fn parse(text: &str) -> Option<Slot> {
        text.parse().ok().and_then(Slot::new)
    }

    pub fn all() -> impl Iterator<Item = Slot> {
        (0..structures::crc16::SLOTS).map(Slot)
    }

    pub fn number(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

const WORDS: usize = SLOTS / 64;

/// A set of slots, a bit each.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotSet(Box<[u64; WORDS]>);

impl Default for SlotSet {
    fn default() -> Self {
        SlotSet(Box::new([0; WORDS]))
    }
}

impl SlotSet {
    /// All slots.
    pub fn full() -> Self {
        SlotSet(Box::new([u64::MAX; WORDS]))
    }

    /// Whether the slot was not in it.
    pub fn insert(&mut self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        let new = self.0[word] & bit == 0;
        self.0[word] |= bit;
        new
    }

    /// Whether the slot was in it.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        let old = self.0[word] & bit != 0;
        self.0[word] &= !bit;
        old
    }

    pub fn contains(&self, slot: Slot) -> bool {
        let (word, bit) = place(slot);
        self.0[word] & bit != 0
    }

    /// O(size of the set's words).
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// In ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Slot> + '_ {
        Slot::all().filter(|slot| self.contains(*slot))
    }

    /// Stretches of slots that follow each other, first and last, in ascending order.
    pub fn ranges(&self) -> Vec<(Slot, Slot)> {
        ranges(self.iter())
    }

    pub fn union(&mut self, other: &SlotSet) {
        self.0.iter_mut().zip(other.0.iter()).for_each(|(own, theirs)| *own |= theirs);
    }
}

fn place(slot: Slot) -> (usize, u64) {
    (slot.number() / 64, 1 << (slot.number() % 64))
}

/// The stretches of ascending slots.
pub(crate) fn ranges(slots: impl Iterator<Item = Slot>) -> Vec<(Slot, Slot)> {
    let mut ranges: Vec<(Slot, Slot)> = Vec::new();
    for slot in slots {
        match ranges.last_mut() {
            Some((_, last)) if last.number() + 1 == slot.number() => *last = slot,
            _ => ranges.push((slot, slot)),
        }
    }
    ranges
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = SlotSet::default();
        slots.into_iter().for_each(|slot| {
            set.insert(slot);
        });
        set
    }
}

/// As the manager's tables show it: `[0-5460],[5462]`.
impl fmt::Display for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (first, last)) in self.ranges().into_iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match first == last {
                true => write!(f, "{comma}[{first}]")?,
                false => write!(f, "{comma}[{first}-{last}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn sets_print_as_tables_show_them() {
        let set = |numbers: &[usize]| -> SlotSet { numbers.iter().map(|n| Slot::new(*n).unwrap()).collect() };
        assert_eq!(set(&[]).to_string(), "");
        assert_eq!(set(&[7]).to_string(), "[7]");
        assert_eq!(set(&[0, 1, 2, 4, 16383]).to_string(), "[0-2],[4],[16383]");
        assert_eq!(SlotSet::full().to_string(), "[0-16383]");
        assert_eq!(Slot::parse("16384"), None);
        assert_eq!(Slot::parse("-1"), None);
        assert_eq!(Slot::of_key(b"foo").number(), 12182);
    }

    proptest! {
        #[test]
        fn a_set_is_a_set(edits in prop::collection::vec((0usize..200, any::<bool>()), 0..100)) {
            let (mut set, mut model) = (SlotSet::default(), BTreeSet::new());
            for (number, inserts) in edits {
                let slot = Slot::new(number * 81).unwrap();
                match inserts {
                    true => prop_assert_eq!(set.insert(slot), model.insert(slot)),
                    false => prop_assert_eq!(set.remove(slot), model.remove(&slot)),
                }
            }
            prop_assert_eq!(set.len(), model.len());
            prop_assert!(set.iter().eq(model.iter().copied()));
            let ranges = set.ranges();
            prop_assert!(ranges.iter().all(|(first, last)| first <= last));
            prop_assert_eq!(ranges.iter().map(|(a, b)| b.number() - a.number() + 1).sum::<usize>(), set.len());
        }
    }
}
