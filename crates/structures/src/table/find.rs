//! Lookups and changes of single entries.
//!
//! A lookup compares the tags of the home bucket, follows the pointers whose tags agree, and goes on to the other places of the
//! home only when their spill bits say that there is something. What is found is shown through a small guard that knows the
//! slot, so that the access word and the flag are at hand without a second lookup.

use super::bucket::{Bucket, Word};
use super::segment::{PLACES, Segment};
use super::snapshot::{Watch, hand_over};
use super::{OWN_BITS, Table, Thin, peek};
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// An entry of a table, to be read.
pub struct Found<'a, E: Thin> {
    bucket: &'a Bucket,
    slot: usize,
    entry: ManuallyDrop<E>,
}

impl<'a, E: Thin> Found<'a, E> {
    /// # Safety
    /// The slot is in use in a bucket of a table of `E` that is borrowed for `'a`.
    #[inline]
    pub(super) unsafe fn new(bucket: &'a Bucket, slot: usize) -> Found<'a, E> {
        // SAFETY: the caller's promise.
        Found { bucket, slot, entry: unsafe { peek(bucket.word(slot)) } }
    }

    /// The access word.
    #[inline]
    pub fn access(&self) -> u16 {
        self.bucket.word(self.slot).access()
    }

    /// Writes the access word. Readers that share the table may do so at the same time: one of them wins.
    #[inline]
    pub fn set_access(&self, access: u16) {
        self.bucket.set_word(self.slot, self.bucket.word(self.slot).with_access(access));
    }

    #[inline]
    pub fn flag(&self) -> bool {
        self.bucket.word(self.slot).flag()
    }

    /// The entry's allocation. What it holds stays in place and unchanged for all of `'a`, longer than this guard lives: so the
    /// owner of `E` may write accessors that lend from it for `'a`.
    #[inline]
    pub fn raw(&self) -> NonNull<u8> {
        self.bucket.word(self.slot).pointer()
    }
}

impl<E: Thin> Deref for Found<'_, E> {
    type Target = E;

    #[inline]
    fn deref(&self) -> &E {
        &self.entry
    }
}

/// An entry of a table, to be changed, replaced or removed.
///
/// The table counts the entry as absent from the first [`get_mut`](FoundMut::get_mut) until the guard is dropped: a guard that is
/// forgotten leaks the entry and harms nothing.
pub struct FoundMut<'a, E: Thin> {
    table: &'a mut Table<E>,
    at: usize,
    segment: Segment,
    index: usize,
    slot: usize,
    lent: bool,
    entry: ManuallyDrop<E>,
}

impl<'a, E: Thin> FoundMut<'a, E> {
    #[inline]
    fn new(table: &'a mut Table<E>, place: Place) -> FoundMut<'a, E> {
        let Place { at, segment, index, slot } = place;
        // SAFETY: the place was found in this table, which is borrowed mutably.
        let entry = unsafe { peek(segment.bucket(index).word(slot)) };
        FoundMut { table, at, segment, index, slot, lent: false, entry }
    }

    #[inline]
    fn word(&self) -> Word {
        // SAFETY: the place is of this table, which is borrowed mutably.
        unsafe { self.segment.bucket(self.index) }.word(self.slot)
    }

    #[inline]
    fn set_word(&mut self, word: Word) {
        // SAFETY: as in `word`.
        unsafe { self.segment.bucket(self.index) }.set_word(self.slot, word);
    }

    #[inline]
    pub fn get(&self) -> &E {
        &self.entry
    }

    /// The entry to change; it may move to another allocation. Its key must stay the same.
    #[inline]
    pub fn get_mut(&mut self) -> &mut E {
        if !self.lent {
            self.lent = true;
            // SAFETY: as in `word`; the slot is in use.
            self.slot = unsafe { self.segment.bucket_mut(self.index) }.lend(self.slot);
            self.table.tallies[self.at].len -= 1;
            self.table.len -= 1;
        }
        &mut self.entry
    }

    /// Puts another entry with the same key in place; access word and flag stay.
    #[inline]
    pub fn replace(&mut self, entry: E) -> E {
        debug_assert!(entry.key() == self.get().key());
        std::mem::replace(self.get_mut(), entry)
    }

    #[inline]
    pub fn access(&self) -> u16 {
        self.word().access()
    }

    #[inline]
    pub fn set_access(&mut self, access: u16) {
        self.set_word(self.word().with_access(access));
    }

    #[inline]
    pub fn flag(&self) -> bool {
        self.word().flag()
    }

    /// Sets or clears the flag. With a flag that counts for [`Table::next_flagged`] comes a [`due`](FoundMut::due).
    #[inline]
    pub fn set_flag(&mut self, flag: bool) {
        let word = self.word();
        if word.flag() != flag {
            self.set_word(word.with_flag(flag));
            self.table.count_flag(self.at, flag);
        }
    }

    /// Notes that this flagged entry is due at `at`: the lower bound of its segment sinks to that if it was above.
    #[inline]
    pub fn due(&mut self, at: u64) {
        let earliest = &mut self.table.tallies[self.at].earliest;
        *earliest = at.min(*earliest);
    }

    /// Takes the entry out. May shrink its segment, whose entries are then handed over to `watch` first.
    pub fn remove<W: Watch<E>>(mut self, watch: &mut W) -> E {
        self.set_flag(false);
        self.restore();
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used as a guard again and not dropped, so the table reference is read once.
        let table: &mut Table<E> = unsafe { std::ptr::read(&this.table) };
        // SAFETY: the slot is in use, and the table is borrowed mutably.
        let (_, word) = unsafe { this.segment.remove(this.index, this.slot) };
        table.tallies[this.at].len -= 1;
        table.len -= 1;
        table.shrink_after_remove(this.at, watch);
        // SAFETY: the slot owned the entry and is gone.
        unsafe { E::from_raw(word.pointer()) }
    }

    #[inline]
    fn restore(&mut self) {
        if self.lent {
            self.lent = false;
            // SAFETY: the entry is given back to the slot and not used after that.
            let pointer = unsafe { ManuallyDrop::take(&mut self.entry) }.into_raw();
            self.set_word(self.word().with_pointer(pointer));
            // SAFETY: as in `word`; the slot behind those in use is the lent one, and it owns an entry again.
            unsafe { self.segment.bucket_mut(self.index) }.give_back();
            self.table.tallies[self.at].len += 1;
            self.table.len += 1;
        }
    }
}

impl<E: Thin> Drop for FoundMut<'_, E> {
    #[inline]
    fn drop(&mut self) {
        self.restore();
    }
}

/// What a lookup that may become an insertion has met.
pub enum Probe<'a, E: Thin> {
    Found(FoundMut<'a, E>),
    Vacant(Vacant<'a, E>),
}

/// The place of a key that is absent.
pub struct Vacant<'a, E: Thin> {
    table: &'a mut Table<E>,
    hash: u64,
}

impl<'a, E: Thin> Vacant<'a, E> {
    /// Puts the entry of the probed key in.
    pub fn insert<W: Watch<E>>(self, entry: E, watch: &mut W) -> FoundMut<'a, E> {
        self.table.insert(self.hash, entry, watch)
    }
}

#[derive(Clone, Copy)]
struct Place {
    /// The first directory index of the segment.
    at: usize,
    segment: Segment,
    /// The bucket.
    index: usize,
    slot: usize,
}

impl<E: Thin> Table<E> {
    /// The entry of `key`, whose hash is `hash`.
    #[inline]
    pub fn find(&self, hash: u64, key: &[u8]) -> Option<Found<'_, E>> {
        let (segment, index, slot) = self.locate(hash, key)?;
        // SAFETY: the slot was found in this table, borrowed for the lifetime of the answer.
        Some(unsafe { Found::new(segment.bucket(index), slot) })
    }

    /// The entry of `key` to be changed; its bucket is handed over to `watch` first.
    #[inline]
    pub fn find_mut<W: Watch<E>>(&mut self, hash: u64, key: &[u8], watch: &mut W) -> Option<FoundMut<'_, E>> {
        let place = self.locate_mut(hash, key, watch)?;
        Some(FoundMut::new(self, place))
    }

    /// The entry of `key` to be changed, or the place where it can be inserted.
    #[inline]
    pub fn probe<W: Watch<E>>(&mut self, hash: u64, key: &[u8], watch: &mut W) -> Probe<'_, E> {
        match self.locate_mut(hash, key, watch) {
            Some(place) => Probe::Found(FoundMut::new(self, place)),
            None => Probe::Vacant(Vacant { table: self, hash }),
        }
    }

    /// Inserts an entry whose key is absent. Hands over to `watch` what moves or gets a new neighbour.
    pub fn insert<W: Watch<E>>(&mut self, hash: u64, entry: E, watch: &mut W) -> FoundMut<'_, E> {
        debug_assert!(self.locate(hash, entry.key()).is_none(), "the key is present already");
        debug_assert_eq!(hash >> OWN_BITS, entry.hash() >> OWN_BITS);
        let word = Word::new(entry.into_raw());
        let parity = self.parity;
        let place = loop {
            let index = self.directory_index(hash);
            let Some(&segment) = self.segments.get(index) else {
                self.start();
                continue;
            };
            let at = self.first_index(index, segment);
            if self.has_room(at, segment) {
                let (home, tag) = segment.home(hash);
                // SAFETY: the segment is alive, and the table is borrowed mutably.
                let inserted =
                    unsafe { segment.insert(home, tag, word, |bucket| hand_over::<E, W>(bucket, parity, watch)) };
                if let Some((index, slot)) = inserted {
                    break Place { at, segment, index, slot };
                }
            }
            self.grow(at, watch);
        };
        self.tallies[place.at].len += 1;
        self.len += 1;
        FoundMut::new(self, place)
    }

    /// Takes the entry of `key` out.
    pub fn remove<W: Watch<E>>(&mut self, hash: u64, key: &[u8], watch: &mut W) -> Option<E> {
        Some(self.find_mut(hash, key, watch)?.remove(watch))
    }

    #[inline]
    fn locate_mut<W: Watch<E>>(&mut self, hash: u64, key: &[u8], watch: &mut W) -> Option<Place> {
        let (segment, index, slot) = self.locate(hash, key)?;
        let at = self.first_index(self.directory_index(hash), segment);
        // SAFETY: the segment is alive, and the table is borrowed mutably.
        hand_over::<E, W>(unsafe { segment.bucket_mut(index) }, self.parity, watch);
        Some(Place { at, segment, index, slot })
    }

    #[inline]
    fn locate(&self, hash: u64, key: &[u8]) -> Option<(Segment, usize, usize)> {
        let segment = *self.segments.get(self.directory_index(hash))?;
        let (home, tag) = segment.home(hash);
        // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
        let bucket = unsafe { segment.bucket(home) };
        if let Some(slot) = slot_of::<E>(bucket, tag, key) {
            return Some((segment, home, slot));
        }
        let spills = bucket.spills();
        if spills == 0 {
            return None;
        }
        self.locate_spilled(segment, home, tag, key, spills)
    }

    fn locate_spilled(
        &self,
        segment: Segment,
        home: usize,
        tag: u8,
        key: &[u8],
        spills: u32,
    ) -> Option<(Segment, usize, usize)> {
        for code in (1..PLACES).filter(|code| spills >> code & 1 == 1) {
            let index = segment.place(home, code);
            // SAFETY: as in `locate`.
            if let Some(slot) = slot_of::<E>(unsafe { segment.bucket(index) }, tag, key) {
                return Some((segment, index, slot));
            }
        }
        None
    }
}

#[inline]
fn slot_of<E: Thin>(bucket: &Bucket, tag: u8, key: &[u8]) -> Option<usize> {
    bucket.matches(tag).find(|&slot| {
        // SAFETY: the slot is in use, and the bucket is borrowed for as long as the copy lives.
        let entry = unsafe { peek::<E>(bucket.word(slot)) };
        entry.key() == key
    })
}
