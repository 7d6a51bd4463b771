//! A set of hash slots: the bitmap that travels in every packet.
//!
//! ```text
//!   byte 0        byte 1                byte 2047
//!   ┌76543210┐┌fedcba98┐   …   bit s is byte s/8, bit s%8; 2048 bytes, as on the wire
//! ```
//!
//! Costs: membership is one load; union, difference and counting walk 2 KiB. Redis uses the same layout.

use crate::id::Slot;
use std::fmt;

/// How many bytes the bitmap has.
pub const BYTES: usize = Slot::COUNT / 8;

/// Some of the 16384 slots.
#[derive(Clone, PartialEq, Eq)]
pub struct SlotSet(Box<[u8; BYTES]>);

impl SlotSet {
    /// No slot.
    pub fn new() -> SlotSet {
        SlotSet(Box::new([0; BYTES]))
    }

    /// The set that this bitmap is.
    pub fn from_bytes(bytes: &[u8; BYTES]) -> SlotSet {
        SlotSet(Box::new(*bytes))
    }

    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    pub fn contains(&self, slot: Slot) -> bool {
        self.0[slot.index() / 8] & (1 << (slot.index() % 8)) != 0
    }

    /// Puts a slot in; tells whether it was new.
    pub fn insert(&mut self, slot: Slot) -> bool {
        let new = !self.contains(slot);
        self.0[slot.index() / 8] |= 1 << (slot.index() % 8);
        new
    }

    /// Takes a slot out; tells whether it was there.
    pub fn remove(&mut self, slot: Slot) -> bool {
        let was = self.contains(slot);
        self.0[slot.index() / 8] &= !(1 << (slot.index() % 8));
        was
    }

    /// Takes out every slot that is in `other`.
    pub fn subtract(&mut self, other: &SlotSet) {
        for (byte, other) in self.0.iter_mut().zip(other.0.iter()) {
            *byte &= !other;
        }
    }

    pub fn len(&self) -> usize {
        self.0.iter().map(|byte| byte.count_ones() as usize).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&byte| byte == 0)
    }

    /// The slots, in order.
    pub fn iter(&self) -> impl Iterator<Item = Slot> {
        let bits = self.0.iter().enumerate().filter(|(_, byte)| **byte != 0);
        bits.flat_map(|(at, &byte)| {
            (0..8u16).filter(move |bit| byte & (1 << bit) != 0).filter_map(move |bit| {
                let base = u16::try_from(at * 8).ok()?;
                Slot::new(base + bit)
            })
        })
    }

    /// The slots as ranges, both ends included, in order.
    pub fn ranges(&self) -> Vec<(Slot, Slot)> {
        let mut ranges: Vec<(Slot, Slot)> = Vec::new();
        for slot in self.iter() {
            match ranges.last_mut() {
                Some((_, last)) if last.number() + 1 == slot.number() => *last = slot,
                _ => ranges.push((slot, slot)),
            }
        }
        ranges
    }
}

impl Default for SlotSet {
    fn default() -> Self {
        SlotSet::new()
    }
}

impl FromIterator<Slot> for SlotSet {
    fn from_iter<I: IntoIterator<Item = Slot>>(slots: I) -> Self {
        let mut set = SlotSet::new();
        for slot in slots {
            set.insert(slot);
        }
        set
    }
}

impl fmt::Debug for SlotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ranges().iter().map(|(a, b)| (a.number(), b.number()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn like_a_set_of_numbers(numbers in proptest::collection::vec((0u16..16384, any::<bool>()), 0..200)) {
            let (mut set, mut naive) = (SlotSet::new(), BTreeSet::new());
            for (number, put) in numbers {
                let slot = Slot::new(number).unwrap();
                if put {
                    prop_assert_eq!(set.insert(slot), naive.insert(slot));
                } else {
                    prop_assert_eq!(set.remove(slot), naive.remove(&slot));
                }
            }
            prop_assert_eq!(set.len(), naive.len());
            prop_assert_eq!(set.is_empty(), naive.is_empty());
            prop_assert!(set.iter().eq(naive.iter().copied()));
            let spread = set.ranges().into_iter().flat_map(|(a, b)| (a.number()..=b.number()).filter_map(Slot::new));
            prop_assert!(spread.eq(naive.iter().copied()));
            prop_assert_eq!(SlotSet::from_bytes(set.as_bytes()), set);
        }
    }

    #[test]
    fn the_layout_is_the_wires() {
        let set: SlotSet = [0, 9, 16383].into_iter().filter_map(Slot::new).collect();
        assert_eq!((set.as_bytes()[0], set.as_bytes()[1], set.as_bytes()[2047]), (1, 2, 0x80));
    }
}
