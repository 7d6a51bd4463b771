//! A segment: up to 56 buckets that own one contiguous part of the hash space.
//!
//! ```text
//!  hash  ┌─ depth ─┬──── bits ────┬─────────────┐
//!        │ prefix  │   fraction   │             │      bits = 8 + ⌊log2 n⌋, so 13 from 32 buckets on
//!        └─────────┴──────────────┴─────────────┘
//!  home bucket = fraction · n >> bits        tag = low byte of the fraction
//! ```
//!
//! The home grows with the fraction, so the buckets are in hash order at any `n`, not only at powers of two. A home covers at
//! most 256 fractions, so home and tag together give the fraction back: entries move between segments of different `n`
//! without a look at their keys, as long as no bit is needed that the fraction does not have.
//!
//! An entry whose home is full goes to one of three other places of that home: the next bucket, the one half a segment further,
//! the one three quarters further (all modulo `n`). If all four are full, entries are pushed on, each to another of *its*
//! places, until there is room. The spill code in the slot tells which place this is, thus the home; the spill bits of the home tell which places a
//! lookup must see. Both are exact at any time.
//!
//! The handle is one word: the address of the buckets, `n` in its six low bits, `64 - bits` and the depth in its two high bytes.

use super::bucket::{Bucket, SLOTS, Word};
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

/// The sizes of segments, in buckets: the size classes of jemalloc, so that no allocation is rounded up.
pub(super) const SIZES: [u8; 19] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56];

/// Buckets of the biggest segment.
pub(super) const LARGEST: usize = 56;

/// Places of one home.
pub(super) const PLACES: usize = 4;

#[derive(Clone, Copy)]
pub(super) struct Segment(*mut Bucket);

const BUCKETS: usize = 63;
const ADDRESS: usize = 0x0000_ffff_ffff_ffc0;

impl Segment {
    /// Allocates `n` empty buckets (a member of `SIZES`) that count as handed over under `parity`.
    pub(super) fn new(n: usize, depth: u32, parity: u8) -> Segment {
        debug_assert!(SIZES.contains(&(n as u8)));
        let layout = Segment::layout(n);
        // SAFETY: the layout has a size above zero.
        let base = unsafe { alloc_zeroed(layout) }.cast::<Bucket>();
        if base.is_null() {
            handle_alloc_error(layout);
        }
        assert_eq!(base.addr() & !ADDRESS, 0);
        let shift = 64 - (8 + n.ilog2()) as usize;
        let segment = Segment(base.map_addr(|address| address | n | shift << 48 | (depth as usize) << 56));
        if parity != 0 {
            for index in 0..n {
                // SAFETY: the index is below `n`, and nobody else knows the segment. Zeroed memory is an empty bucket.
                unsafe { segment.bucket_mut(index) }.set_handed(parity);
            }
        }
        segment
    }

    fn layout(n: usize) -> Layout {
        Layout::array::<Bucket>(n).expect("a segment is small")
    }

    /// Frees the buckets, not what they point to.
    ///
    /// # Safety
    /// No copy of this handle is used again.
    pub(super) unsafe fn free(self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.base().cast(), Segment::layout(self.buckets())) }
    }

    #[inline]
    pub(super) fn base(self) -> *mut Bucket {
        self.0.map_addr(|address| address & ADDRESS)
    }

    #[inline]
    pub(super) fn buckets(self) -> usize {
        self.0.addr() & BUCKETS
    }

    #[inline]
    pub(super) fn depth(self) -> u32 {
        (self.0.addr() >> 56) as u32
    }

    /// The low bits of a hash that take no part in the fraction, once the prefix is shifted out.
    #[inline]
    fn shift(self) -> u32 {
        (self.0.addr() >> 48) as u32 & 0xff
    }

    /// The number of bits in a fraction.
    #[inline]
    pub(super) fn bits(self) -> u32 {
        64 - self.shift()
    }

    /// Home bucket and tag of a hash that belongs to this segment.
    #[inline]
    pub(super) fn home(self, hash: u64) -> (usize, u8) {
        let fraction = (hash << self.depth()) >> self.shift();
        (((fraction * self.buckets() as u64) >> self.bits()) as usize, fraction as u8)
    }

    /// The first fraction whose home is `home`; for `home == n` the end of the segment.
    #[inline]
    pub(super) fn first_fraction(self, home: usize) -> u64 {
        ((home as u64) << self.bits()).div_ceil(self.buckets() as u64)
    }

    /// The fraction of an entry, from its home and its tag.
    #[inline]
    pub(super) fn fraction(self, home: usize, tag: u8) -> u64 {
        let first = self.first_fraction(home);
        first + u64::from(tag.wrapping_sub(first as u8))
    }

    #[inline]
    fn offset(self, code: usize) -> usize {
        let n = self.buckets();
        match code {
            0 => 0,
            1 => 1,
            2 => n / 2,
            _ => n * 3 / 4,
        }
    }

    /// The bucket that is place `code` of `home`.
    #[inline]
    pub(super) fn place(self, home: usize, code: usize) -> usize {
        let n = self.buckets();
        let index = home + self.offset(code);
        if index >= n { index - n } else { index }
    }

    /// The home whose place `code` is bucket `index`.
    #[inline]
    pub(super) fn home_of(self, index: usize, code: usize) -> usize {
        let n = self.buckets();
        let offset = self.offset(code);
        if index >= offset { index - offset } else { index + n - offset }
    }

    /// # Safety
    /// The segment is alive, `index` is below its buckets, and no bucket of it is borrowed mutably for as long as `'a`.
    #[inline]
    pub(super) unsafe fn bucket<'a>(self, index: usize) -> &'a Bucket {
        debug_assert!(index < self.buckets());
        // SAFETY: `new` made `n` buckets at the base; the rest is the caller's promise.
        unsafe { &*self.base().add(index) }
    }

    /// # Safety
    /// The segment is alive, `index` is below its buckets, and this bucket is not borrowed otherwise for as long as `'a`.
    #[inline]
    pub(super) unsafe fn bucket_mut<'a>(self, index: usize) -> &'a mut Bucket {
        debug_assert!(index < self.buckets());
        // SAFETY: `new` made `n` buckets at the base; the rest is the caller's promise.
        unsafe { &mut *self.base().add(index) }
    }

    /// Adds an entry of `home`; `touch` is called with each bucket before its entries change. Answers where the entry is now,
    /// or `None`, with nothing changed, when there is no room for it.
    ///
    /// # Safety
    /// The segment is alive and no bucket of it is borrowed.
    #[inline]
    pub(super) unsafe fn insert(
        self,
        home: usize,
        tag: u8,
        word: Word,
        mut touch: impl FnMut(&mut Bucket),
    ) -> Option<(usize, usize)> {
        // SAFETY: a home is below the number of buckets; the borrow ends with this block.
        let bucket = unsafe { self.bucket_mut(home) };
        if !bucket.is_full() {
            touch(bucket);
            return Some((home, bucket.push(tag, word.with_code(0))));
        }
        // SAFETY: as promised by the caller.
        unsafe { self.spill(home, tag, word, touch) }
    }

    /// # Safety
    /// As for `insert`.
    #[inline(never)]
    unsafe fn spill(
        self,
        home: usize,
        tag: u8,
        word: Word,
        mut touch: impl FnMut(&mut Bucket),
    ) -> Option<(usize, usize)> {
        let mut code = self.roomy_place(home, 1);
        if code == 0 {
            // SAFETY: as promised by the caller.
            code = unsafe { self.make_room(home, &mut touch) }?;
        }
        let index = self.place(home, code);
        // SAFETY: places are below the number of buckets; one bucket is borrowed at a time.
        let slot = unsafe {
            let bucket = self.bucket_mut(index);
            touch(bucket);
            bucket.push(tag, word.with_code(code))
        };
        if code != 0 {
            // SAFETY: as above.
            unsafe { self.bucket_mut(home) }.set_spill(code, true);
        }
        Some((index, slot))
    }

    /// The first place of `home` with room, from `first` on; 0 if there is none but perhaps the home itself.
    fn roomy_place(self, home: usize, first: usize) -> usize {
        (first..PLACES)
            // SAFETY: places are below the number of buckets; nothing is borrowed mutably here.
            .find(|&code| !unsafe { self.bucket(self.place(home, code)) }.is_full())
            .unwrap_or(0)
    }

    /// Makes room in one of the four full places of `home` by moving entries, each to another of its own places, and answers
    /// which place has room now. The search is breadth first over buckets, so it finds the shortest chain of moves if there is
    /// any.
    ///
    /// # Safety
    /// As for `insert`.
    #[inline(never)]
    unsafe fn make_room(self, home: usize, touch: &mut impl FnMut(&mut Bucket)) -> Option<usize> {
        let mut queue = [Step::default(); LARGEST];
        let (mut len, mut next, mut seen) = (0, 0, 0u64);
        for code in 0..PLACES {
            let index = self.place(home, code);
            if seen >> index & 1 == 0 {
                seen |= 1 << index;
                queue[len] = Step { index: index as u8, code: code as u8, ..Step::default() };
                len += 1;
            }
        }
        let roots = len;
        while next < len {
            let index = usize::from(queue[next].index);
            for slot in 0..SLOTS {
                // SAFETY: queued indexes are places, below the number of buckets, and full; nothing is borrowed mutably here.
                let other_home = self.home_of(index, unsafe { self.bucket(index) }.word(slot).code());
                for code in 0..PLACES {
                    let target = self.place(other_home, code);
                    if seen >> target & 1 == 1 {
                        continue;
                    }
                    seen |= 1 << target;
                    queue[len] = Step { index: target as u8, code: code as u8, from: next as u8, slot: slot as u8 };
                    // SAFETY: as above.
                    if !unsafe { self.bucket(target) }.is_full() {
                        // SAFETY: the chain ends in a bucket with room; the caller's promise covers the rest.
                        return Some(unsafe { self.follow(&queue, len, roots, touch) });
                    }
                    len += 1;
                }
            }
            next += 1;
        }
        None
    }

    /// Moves entries along the chain that ends at `queue[at]`, the last one first, and answers the code of the root, where there
    /// is room then.
    ///
    /// # Safety
    /// As for `insert`; the last bucket has room and the others are full.
    unsafe fn follow(
        self,
        queue: &[Step; LARGEST],
        mut at: usize,
        roots: usize,
        touch: &mut impl FnMut(&mut Bucket),
    ) -> usize {
        while at >= roots {
            let [index, code, from, slot] = queue[at].parts();
            let source = usize::from(queue[from].index);
            // SAFETY: indexes are below the number of buckets, differ, and one bucket is borrowed at a time.
            unsafe {
                touch(self.bucket_mut(index));
                touch(self.bucket_mut(source));
                let home = self.home_of(source, self.bucket(source).word(slot).code());
                let (tag, word) = self.remove(source, slot);
                self.bucket_mut(index).push(tag, word.with_code(code));
                if code != 0 {
                    self.bucket_mut(home).set_spill(code, true);
                }
            }
            at = from;
        }
        queue[at].code.into()
    }

    /// Takes an entry out.
    ///
    /// # Safety
    /// The segment is alive, no bucket of it is borrowed, and the slot is in use.
    #[inline]
    pub(super) unsafe fn remove(self, index: usize, slot: usize) -> (u8, Word) {
        // SAFETY: the caller's promise.
        let bucket = unsafe { self.bucket_mut(index) };
        let (tag, word) = bucket.swap_remove(slot);
        let code = word.code();
        if code != 0 && !bucket.has_code(code) {
            // SAFETY: homes are below the number of buckets; `bucket` is not used any more.
            unsafe { self.bucket_mut(self.home_of(index, code)) }.set_spill(code, false);
        }
        (tag, word)
    }
}

/// A bucket that a search for room has met, and the move that would put an entry into it: the one in `slot` of the bucket of
/// step `from`, which then is at its place `code`.
#[derive(Clone, Copy, Default)]
struct Step {
    index: u8,
    code: u8,
    from: u8,
    slot: u8,
}

impl Step {
    /// Index, code, from, slot.
    fn parts(self) -> [usize; 4] {
        [self.index, self.code, self.from, self.slot].map(usize::from)
    }
}

/// The next larger size, if there is one.
pub(super) fn larger(n: usize) -> Option<usize> {
    SIZES.iter().map(|&size| size.into()).find(|&size| size > n)
}

/// The smallest size that holds `count` entries with some room to spare.
pub(super) fn fitting(count: usize) -> usize {
    SIZES.iter().map(|&size| size.into()).find(|&size: &usize| count * 10 <= size * 56).unwrap_or(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_in_hash_order_and_fractions_come_back() {
        for n in SIZES {
            let segment = Segment::new(n.into(), 3, 0);
            let mut previous = 0;
            for fraction in 0..1u64 << segment.bits() {
                let hash = 0b101 << 61 | fraction << (61 - segment.bits());
                let (home, tag) = segment.home(hash);
                assert!(home == previous || home == previous + 1);
                assert!((segment.first_fraction(home)..segment.first_fraction(home + 1)).contains(&fraction));
                assert_eq!(segment.fraction(home, tag), fraction);
                previous = home;
            }
            assert_eq!(previous + 1, n.into());
            for home in 0..n.into() {
                for code in 0..PLACES {
                    assert_eq!(segment.home_of(segment.place(home, code), code), home);
                }
            }
            // SAFETY: the last use.
            unsafe { segment.free() };
        }
    }

    #[test]
    fn sizes_are_found() {
        assert_eq!(larger(1), Some(2));
        assert_eq!(larger(28), Some(32));
        assert_eq!(larger(LARGEST), None);
        assert_eq!(fitting(0), 1);
        assert_eq!(fitting(5), 1);
        assert_eq!(fitting(6), 2);
        assert_eq!(fitting(10_000), LARGEST);
    }
}
