//! Snapshots of a table that goes on changing.
//!
//! A snapshot begins by flipping one parity bit: from now on no bucket counts as handed over. A walk visits the buckets in hash
//! order, in steps as small as the caller likes, gives their entries and sets their bits. Between the steps the table may change;
//! then whatever is about to change is handed over first, through [`Watch`]. So each entry that was there at the begin is given
//! exactly once, in the state it had at the begin, and nothing that came later is given.
//!
//! 1. The walk's cursor only finds work; the bit of the bucket is the truth.
//! 2. New buckets are born handed over: a resize hands over what it empties.
//! 3. When no snapshot is active all bits equal the parity.
//! 4. Access words written by readers hand nothing over: a snapshot sees the access word of the moment.

use super::bucket::Bucket;
use super::segment::Segment;
use super::{CURSOR_BITS, Table, Thin, peek};

/// Who must see entries before they change. `()` is the watch of a table that no snapshot walks.
pub trait Watch<E> {
    /// False lets the compiler leave out every check.
    const ACTIVE_POSSIBLE: bool;

    /// The snapshots (bit `k`: snapshot `k`, of two) that are walking this very table.
    fn active(&self) -> u8;

    /// Takes note of an entry as it is; afterwards it changes, moves or goes.
    fn hand_over(&mut self, snapshot: u8, entry: &E, access: u16);
}

impl<E> Watch<E> for () {
    const ACTIVE_POSSIBLE: bool = false;

    #[inline]
    fn active(&self) -> u8 {
        0
    }

    fn hand_over(&mut self, _snapshot: u8, _entry: &E, _access: u16) {}
}

impl<E, W: Watch<E>> Watch<E> for &mut W {
    const ACTIVE_POSSIBLE: bool = W::ACTIVE_POSSIBLE;

    #[inline]
    fn active(&self) -> u8 {
        (**self).active()
    }

    fn hand_over(&mut self, snapshot: u8, entry: &E, access: u16) {
        (**self).hand_over(snapshot, entry, access);
    }
}

/// Hands the entries of a bucket over to every active snapshot that has not seen them, before they change.
#[inline]
pub(super) fn hand_over<E: Thin, W: Watch<E>>(bucket: &mut Bucket, parity: u8, watch: &mut W) {
    if W::ACTIVE_POSSIBLE {
        let pending = (bucket.handed() ^ parity) & watch.active();
        if pending != 0 {
            hand_over_pending(bucket, pending, watch);
        }
    }
}

#[cold]
#[inline(never)]
fn hand_over_pending<E: Thin, W: Watch<E>>(bucket: &mut Bucket, pending: u8, watch: &mut W) {
    bucket.set_handed(bucket.handed() ^ pending);
    for snapshot in (0..2).filter(|snapshot| pending >> snapshot & 1 == 1) {
        each_entry::<E>(bucket, |entry, access| watch.hand_over(snapshot, entry, access));
    }
}

fn each_entry<E: Thin>(bucket: &Bucket, mut f: impl FnMut(&E, u16)) {
    for slot in 0..bucket.len() {
        let word = bucket.word(slot);
        // SAFETY: the slot is in use, and the bucket is borrowed for as long as the copy lives.
        let entry = unsafe { peek::<E>(word) };
        f(&entry, word.access());
    }
}

impl<E: Thin> Table<E> {
    /// Begins snapshot `k` (0 or 1): from now on the [`Watch`] given to every change must have bit `k` active. O(1).
    pub fn begin_snapshot(&mut self, k: u8) {
        assert!(k < 2 && self.walking >> k & 1 == 0, "a table takes part in snapshots 0 and 1, once at a time");
        debug_assert!(self.is_handed_over(k));
        self.parity ^= 1 << k;
        self.walking |= 1 << k;
    }

    /// Visits buckets from `cursor` on (0 at first) that snapshot `k` has not got, gives their entries with their access
    /// words, and answers the next cursor, or `None` at the end. A visited bucket and each entry count one; the walk pauses
    /// when `budget` is reached.
    pub fn walk(&mut self, k: u8, cursor: u64, budget: usize, mut f: impl FnMut(&E, u16)) -> Option<u64> {
        debug_assert!(self.walking >> k & 1 == 1);
        if self.segments.is_empty() {
            return None;
        }
        let mut done = 0;
        let mut position = cursor;
        while position >> CURSOR_BITS == 0 {
            let hash = position << (64 - CURSOR_BITS);
            let at = self.directory_index(hash);
            let segment = self.segments[at];
            let first = self.first_index(at, segment);
            for index in segment.home(hash).0..segment.buckets() {
                if done >= budget {
                    return Some(self.position(first, segment, index));
                }
                // SAFETY: the segment is alive, and the table is borrowed mutably.
                let bucket = unsafe { segment.bucket_mut(index) };
                done += 1;
                if (bucket.handed() ^ self.parity) >> k & 1 == 1 {
                    bucket.set_handed(bucket.handed() ^ 1 << k);
                    done += bucket.len();
                    each_entry(bucket, &mut f);
                }
            }
            position = self.position(first, segment, segment.buckets());
        }
        None
    }

    /// Ends snapshot `k` after its walk has come to the end.
    pub fn end_snapshot(&mut self, k: u8) {
        debug_assert!(self.is_handed_over(k), "the walk of snapshot {k} has not come to its end");
        self.walking &= !(1 << k);
    }

    /// Gives up snapshot `k` wherever its walk is. O(buckets), without a look at entries.
    pub fn abandon_snapshot(&mut self, k: u8) {
        let parity = self.parity;
        self.each_segment(|segment| {
            for index in 0..segment.buckets() {
                // SAFETY: the segment is alive, and the table is borrowed mutably.
                let bucket = unsafe { segment.bucket_mut(index) };
                bucket.set_handed(bucket.handed() & !(1 << k) | parity & 1 << k);
            }
        });
        self.walking &= !(1 << k);
    }

    /// The snapshots (bit `k`: snapshot `k`) between begin and end.
    pub fn walking(&self) -> u8 {
        self.walking
    }

    /// Whether nothing is left to hand over to snapshot `k`. O(buckets).
    pub fn is_handed_over(&self, k: u8) -> bool {
        let mut handed = true;
        self.each_segment(|segment| {
            // SAFETY: the segment is alive, and `&self` keeps it unchanged.
            handed &= (0..segment.buckets())
                .all(|index| (unsafe { segment.bucket(index) }.handed() ^ self.parity) >> k & 1 == 0);
        });
        handed
    }

    pub(super) fn each_segment(&self, mut f: impl FnMut(Segment)) {
        let mut at = 0;
        while at < self.segments.len() {
            let segment = self.segments[at];
            at += self.span(segment);
            f(segment);
        }
    }
}
