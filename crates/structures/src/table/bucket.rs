//! A bucket: one cache line of the table.
//!
//! ```text
//!  byte  0        1 … 7          8 … 15     …      56 … 63
//!       ┌────────┬──────────────┬──────────┬─────┬──────────┐
//!       │control │ tags of 0…6  │ slot 0   │  …  │ slot 6   │
//!       └────────┴──────────────┴──────────┴─────┴──────────┘
//!  control, from the low bit:  handed over A, handed over B │ spill 1, 2, 3 │ count (3 bits)
//!  slot, from the low bit:     flag │ spill code (2 bits) │ pointer (bits 3 … 47) │ access word (16 bits)
//! ```
//!
//! Slots are packed: the first `count` are in use. A tag is eight bits of the entry's hash, so that a lookup compares seven
//! entries with a few instructions and follows (nearly) only the right pointer. The spill *code* of a slot says in which of the
//! four places of its home the entry is (0: at home); the spill *bits* of a bucket say which places hold entries of this home.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// Entries in one bucket.
pub(super) const SLOTS: usize = 7;

const HANDED: u64 = 0b11;
const SPILL_SHIFT: u32 = 2;
const COUNT_SHIFT: u32 = 5;
const COUNT_ONE: u64 = 1 << COUNT_SHIFT;

const FLAG: usize = 1;
const CODE_SHIFT: u32 = 1;
const CODE: usize = 0b11 << CODE_SHIFT;
const POINTER: usize = 0x0000_ffff_ffff_fff8;
const ACCESS_SHIFT: u32 = 48;

/// What a slot holds: a pointer with its tags. The pointer keeps its provenance.
#[derive(Clone, Copy)]
pub(super) struct Word(*mut u8);

impl Word {
    /// A word without access, flag and spill code.
    #[inline]
    pub(super) fn new(pointer: NonNull<u8>) -> Word {
        assert_eq!(pointer.addr().get() & !POINTER, 0, "an entry lies at a multiple of eight below 2^48");
        Word(pointer.as_ptr())
    }

    #[inline]
    pub(super) fn pointer(self) -> NonNull<u8> {
        let pointer = self.0.map_addr(|address| address & POINTER);
        debug_assert!(!pointer.is_null());
        // SAFETY: a word in use was made from a `NonNull` whose address has only bits of `POINTER`.
        unsafe { NonNull::new_unchecked(pointer) }
    }

    /// The same tags around another pointer.
    #[inline]
    pub(super) fn with_pointer(self, pointer: NonNull<u8>) -> Word {
        let tags = self.0.addr() & !POINTER;
        Word(Word::new(pointer).0.map_addr(|address| address | tags))
    }

    #[inline]
    pub(super) fn code(self) -> usize {
        (self.0.addr() & CODE) >> CODE_SHIFT
    }

    #[inline]
    pub(super) fn with_code(self, code: usize) -> Word {
        Word(self.0.map_addr(|address| address & !CODE | code << CODE_SHIFT))
    }

    #[inline]
    pub(super) fn flag(self) -> bool {
        self.0.addr() & FLAG != 0
    }

    #[inline]
    pub(super) fn with_flag(self, flag: bool) -> Word {
        Word(self.0.map_addr(|address| address & !FLAG | flag as usize))
    }

    #[inline]
    pub(super) fn access(self) -> u16 {
        (self.0.addr() >> ACCESS_SHIFT) as u16
    }

    #[inline]
    pub(super) fn with_access(self, access: u16) -> Word {
        Word(self.0.map_addr(|address| address & ((1 << ACCESS_SHIFT) - 1) | (access as usize) << ACCESS_SHIFT))
    }
}

#[repr(C, align(64))]
pub(super) struct Bucket {
    meta: u64,
    /// Atomic because readers that share the table write access words; every access is relaxed, thus a plain load or store.
    slots: [AtomicPtr<u8>; SLOTS],
}

impl Bucket {
    #[inline]
    pub(super) fn len(&self) -> usize {
        (self.meta as u8 >> COUNT_SHIFT) as usize
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.len() == SLOTS
    }

    /// The slots in use whose tag is `tag`.
    #[inline]
    pub(super) fn matches(&self, tag: u8) -> Matches {
        const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
        let differing = self.meta ^ (u64::from(tag) * 0x0101_0101_0101_0100);
        // The high bit of a byte stays set where the byte was zero, that is where the tags are equal.
        let equal = !(((differing & LOW) + LOW) | differing | LOW);
        let in_use = u64::MAX >> (8 * (SLOTS - self.len()));
        Matches(equal & in_use & !0xff)
    }

    #[inline]
    pub(super) fn tag(&self, slot: usize) -> u8 {
        (self.meta >> (8 * (slot + 1))) as u8
    }

    #[inline]
    fn set_tag(&mut self, slot: usize, tag: u8) {
        let shift = 8 * (slot + 1);
        self.meta = self.meta & !(0xff << shift) | u64::from(tag) << shift;
    }

    #[inline]
    pub(super) fn word(&self, slot: usize) -> Word {
        Word(self.slots[slot].load(Relaxed))
    }

    /// Overwrites a slot, the tag stays.
    #[inline]
    pub(super) fn set_word(&self, slot: usize, word: Word) {
        self.slots[slot].store(word.0, Relaxed);
    }

    /// Adds an entry behind the others and answers its slot.
    #[inline]
    pub(super) fn push(&mut self, tag: u8, word: Word) -> usize {
        let slot = self.len();
        debug_assert!(slot < SLOTS);
        self.set_tag(slot, tag);
        self.set_word(slot, word);
        self.meta += COUNT_ONE;
        slot
    }

    /// Takes an entry out; the last one fills the hole.
    #[inline]
    pub(super) fn swap_remove(&mut self, slot: usize) -> (u8, Word) {
        let last = self.lend(slot);
        (self.tag(last), self.word(last))
    }

    /// Takes an entry out as `swap_remove`, but lets its tag and word stand behind the entries in use, at the answered slot,
    /// until `give_back` counts it again.
    #[inline]
    pub(super) fn lend(&mut self, slot: usize) -> usize {
        let last = self.len() - 1;
        let (tag, word) = (self.tag(slot), self.word(slot));
        let (last_tag, last_word) = (self.tag(last), self.word(last));
        self.set_tag(slot, last_tag);
        self.set_word(slot, last_word);
        self.set_tag(last, tag);
        self.set_word(last, word);
        self.meta -= COUNT_ONE;
        last
    }

    #[inline]
    pub(super) fn give_back(&mut self) {
        debug_assert!(!self.is_full());
        self.meta += COUNT_ONE;
    }

    /// The spill bits: bit `code` (1 … 3) is set when an entry of this home is at place `code`.
    #[inline]
    pub(super) fn spills(&self) -> u32 {
        (self.meta as u32 >> SPILL_SHIFT & 0b111) << 1
    }

    #[inline]
    pub(super) fn set_spill(&mut self, code: usize, spill: bool) {
        let shift = SPILL_SHIFT as usize + code - 1;
        self.meta = self.meta & !(1 << shift) | u64::from(spill) << shift;
    }

    /// Whether an entry in use stands here as spill `code` of another bucket.
    pub(super) fn has_code(&self, code: usize) -> bool {
        (0..self.len()).any(|slot| self.word(slot).code() == code)
    }

    /// The handed-over bits as they are stored: to be compared with the table's parity.
    #[inline]
    pub(super) fn handed(&self) -> u8 {
        (self.meta & HANDED) as u8
    }

    #[inline]
    pub(super) fn set_handed(&mut self, handed: u8) {
        self.meta = self.meta & !HANDED | u64::from(handed) & HANDED;
    }
}

/// The slots of a bucket that a tag picked.
pub(super) struct Matches(u64);

impl Iterator for Matches {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let slot = (self.0.trailing_zeros() / 8) as usize - 1;
        self.0 &= self.0 - 1;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty() -> Bucket {
        Bucket { meta: 0, slots: Default::default() }
    }

    fn word(address: usize) -> Word {
        Word(std::ptr::without_provenance_mut(address))
    }

    #[test]
    fn a_bucket_is_one_line() {
        assert_eq!(size_of::<Bucket>(), 64);
    }

    #[test]
    fn tags_pick_slots() {
        let mut bucket = empty();
        for (slot, tag) in [0u8, 7, 0, 255, 128, 7, 0].into_iter().enumerate() {
            assert_eq!(bucket.matches(0).filter(|&slot| bucket.tag(slot) != 0).count(), 0);
            assert_eq!(bucket.push(tag, word(8 * (slot + 1))), slot);
        }
        assert!(bucket.is_full());
        assert_eq!(bucket.matches(0).collect::<Vec<_>>(), [0, 2, 6]);
        assert_eq!(bucket.matches(7).collect::<Vec<_>>(), [1, 5]);
        assert_eq!(bucket.matches(255).collect::<Vec<_>>(), [3]);
        assert_eq!(bucket.matches(1).count(), 0);
        assert_eq!(bucket.swap_remove(0).1.pointer().addr().get(), 8);
        assert_eq!(bucket.matches(0).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(bucket.word(0).pointer().addr().get(), 56);
    }

    #[test]
    fn parts_of_a_word_do_not_touch_each_other() {
        let full = word(0x7fff_1234_5678).with_code(3).with_flag(true).with_access(0xbeef);
        assert_eq!((full.code(), full.flag(), full.access()), (3, true, 0xbeef));
        assert_eq!(full.pointer().addr().get(), 0x7fff_1234_5678);
        let less = full.with_code(1).with_flag(false).with_access(1);
        assert_eq!((less.code(), less.flag(), less.access()), (1, false, 1));
        let other = full.with_pointer(NonNull::without_provenance(std::num::NonZero::new(64).unwrap()));
        assert_eq!((other.code(), other.flag(), other.access(), other.pointer().addr().get()), (3, true, 0xbeef, 64));
    }

    #[test]
    fn parts_of_the_control_byte_do_not_touch_each_other() {
        let mut bucket = empty();
        bucket.push(9, word(8));
        bucket.set_handed(0b10);
        bucket.set_spill(1, true);
        bucket.set_spill(3, true);
        assert_eq!((bucket.len(), bucket.handed(), bucket.spills(), bucket.tag(0)), (1, 0b10, 0b1010, 9));
        bucket.set_spill(3, false);
        bucket.set_handed(0b01);
        assert_eq!((bucket.len(), bucket.handed(), bucket.spills(), bucket.tag(0)), (1, 0b01, 0b0010, 9));
    }
}
