//! Visiting many entries: SCAN, random elements, samples for eviction, iteration.

use super::bucket::SLOTS;
use super::find::Found;
use super::segment::{LARGEST, PLACES};
use super::{CURSOR_BITS, Table, Thin};

impl<E: Thin> Table<E> {
    /// Visits the entries of one home bucket and answers the next cursor, 0 at the end. Begin with 0.
    ///
    /// A cursor is a position in hash space below 2^48; cursors of a scan only rise. An entry that is in the table from the first
    /// call to the last is visited at least once, however the table grows or shrinks between the calls; it is visited again only
    /// when its home bucket grew over the cursor. Any number is a valid cursor.
    pub fn scan<'a>(&'a self, cursor: u64, mut f: impl FnMut(Found<'a, E>)) -> u64 {
        let hash = cursor << (64 - CURSOR_BITS);
        let at = self.directory_index(hash);
        let Some(&segment) = self.segments.get(at) else { return 0 };
        let (home, _) = segment.home(hash);
        // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
        let spills = unsafe { segment.bucket(home) }.spills() | 1;
        for code in (0..PLACES).filter(|code| spills >> code & 1 == 1) {
            // SAFETY: as above.
            let bucket = unsafe { segment.bucket(segment.place(home, code)) };
            for slot in (0..bucket.len()).filter(|&slot| bucket.word(slot).code() == code) {
                // SAFETY: the slot is in use.
                f(unsafe { Found::new(bucket, slot) });
            }
        }
        let next = self.position(self.first_index(at, segment), segment, home + 1);
        next & ((1 << CURSOR_BITS) - 1)
    }

    /// An entry, every one with the same probability. Expected O(1): it draws a slot until it hits one in use.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<Found<'_, E>> {
        if self.is_empty() {
            return None;
        }
        // With a directory of one word the segment may be tiny; otherwise slots of absent buckets are drawn, too, so that
        // segments of different sizes and depths get their share.
        let range = if self.depth == 0 { self.segments[0].buckets() } else { LARGEST };
        for _ in 0..1000 {
            let draw = rng();
            let at = self.directory_index(draw);
            let segment = self.segments[at];
            let index = (((draw << self.depth >> 32) * range as u64) >> 32) as usize;
            if self.first_index(at, segment) != at || index >= segment.buckets() {
                continue;
            }
            // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
            let bucket = unsafe { segment.bucket(index) };
            let slot = ((rng() >> 32) as usize * SLOTS) >> 32;
            if slot < bucket.len() {
                // SAFETY: the slot is in use.
                return Some(unsafe { Found::new(bucket, slot) });
            }
        }
        // A nearly empty table: whatever comes next behind a random position.
        let mut found = None;
        self.visit_from(rng() >> (64 - CURSOR_BITS), |entry| {
            found = Some(entry);
            false
        });
        found
    }

    /// Shows `n` entries (all of them if there are fewer) that stand together behind the position that `draw`, a random number,
    /// gives. Nothing but buckets is read unless `f` looks into the entries: access word and flag are in the slot.
    pub fn sample<'a>(&'a self, draw: u64, n: usize, mut f: impl FnMut(Found<'a, E>)) {
        let mut left = n.min(self.len);
        if left > 0 {
            self.visit_from(draw >> (64 - CURSOR_BITS), |entry| {
                f(entry);
                left -= 1;
                left > 0
            });
        }
    }

    /// Visits buckets from a position on, over the end, once around, until `f` answers false.
    fn visit_from<'a>(&'a self, position: u64, mut f: impl FnMut(Found<'a, E>) -> bool) {
        if self.segments.is_empty() {
            return;
        }
        let hash = position << (64 - CURSOR_BITS);
        let mut at = self.first_index(self.directory_index(hash), self.segments[self.directory_index(hash)]);
        let mut segment = self.segments[at];
        let start = (at, segment.home(hash).0);
        let mut index = start.1;
        loop {
            // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
            let bucket = unsafe { segment.bucket(index) };
            for slot in 0..bucket.len() {
                // SAFETY: the slot is in use.
                if !f(unsafe { Found::new(bucket, slot) }) {
                    return;
                }
            }
            index += 1;
            if index == segment.buckets() {
                at = (at + self.span(segment)) % self.segments.len();
                segment = self.segments[at];
                index = 0;
            }
            if (at, index) == start {
                return;
            }
        }
    }

    /// All entries, in no order that means anything.
    pub fn iter(&self) -> Iter<'_, E> {
        Iter { table: self, at: 0, index: 0, slot: 0, left: self.len }
    }
}

/// Iterator over the entries of a table.
pub struct Iter<'a, E: Thin> {
    table: &'a Table<E>,
    at: usize,
    index: usize,
    slot: usize,
    left: usize,
}

impl<'a, E: Thin> Iterator for Iter<'a, E> {
    type Item = Found<'a, E>;

    fn next(&mut self) -> Option<Found<'a, E>> {
        while let Some(&segment) = self.table.segments.get(self.at) {
            // SAFETY: a segment of the directory is alive, and the table is borrowed for `'a`.
            let bucket = unsafe { segment.bucket(self.index) };
            if self.slot < bucket.len() {
                self.slot += 1;
                self.left = self.left.saturating_sub(1);
                // SAFETY: the slot is in use.
                return Some(unsafe { Found::new(bucket, self.slot - 1) });
            }
            self.slot = 0;
            self.index += 1;
            if self.index == segment.buckets() {
                self.index = 0;
                self.at += self.table.span(segment);
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<'a, E: Thin> IntoIterator for &'a Table<E> {
    type Item = Found<'a, E>;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}

/// Takes the entries out of a table, one by one. Buckets are freed at the end.
pub struct IntoIter<E: Thin> {
    table: Table<E>,
    at: usize,
    index: usize,
}

impl<E: Thin> Iterator for IntoIter<E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        while let Some(&segment) = self.table.segments.get(self.at) {
            // SAFETY: the segment is alive, and the table is ours.
            let bucket = unsafe { segment.bucket_mut(self.index) };
            if bucket.len() > 0 {
                let (_, word) = bucket.swap_remove(bucket.len() - 1);
                self.table.len -= 1;
                // SAFETY: the slot owned the entry and is not in use any more.
                return Some(unsafe { E::from_raw(word.pointer()) });
            }
            self.index += 1;
            if self.index == segment.buckets() {
                self.index = 0;
                self.at += self.table.span(segment);
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.table.len, Some(self.table.len))
    }
}

impl<E: Thin> IntoIterator for Table<E> {
    type Item = E;
    type IntoIter = IntoIter<E>;

    fn into_iter(self) -> IntoIter<E> {
        IntoIter { table: self, at: 0, index: 0 }
    }
}
