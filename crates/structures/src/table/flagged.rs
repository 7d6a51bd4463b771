//! The flagged entries and when they are due: what an expiry cycle needs.
//!
//! A segment knows how many of its entries carry the flag and a lower bound of when the first of them is due. The bound sinks
//! when an entry says so ([`FoundMut::due`](super::FoundMut::due)) and never rises by itself: a visit recomputes it. So a
//! bound that is too low costs one visit in vain, never a missed entry.

use super::{CURSOR_BITS, Table, Thin, peek};

impl<E: Thin> Table<E> {
    #[inline]
    pub(super) fn count_flag(&mut self, at: usize, flag: bool) {
        let tally = &mut self.tallies[at];
        if flag {
            tally.flagged += 1;
            self.flagged += 1;
        } else {
            tally.flagged -= 1;
            self.flagged -= 1;
            if tally.flagged == 0 {
                tally.earliest = u64::MAX;
            }
        }
    }

    /// Visits the segments from `cursor` on (0 at first) that have flagged entries and whose bound is at most `now`, shows their
    /// flagged entries, and answers the next cursor, 0 at the end.
    ///
    /// `f` answers when the entry is due; the least answer of a segment becomes its bound. For an entry that the caller is certain
    /// to remove it answers `u64::MAX`. A visited bucket costs one of `budget`, a skipped segment one, too; a segment begun
    /// is finished.
    pub fn next_flagged(&mut self, cursor: u64, now: u64, budget: usize, mut f: impl FnMut(&E) -> u64) -> u64 {
        if self.flagged == 0 {
            return 0;
        }
        let mut spent = 0;
        let mut at = self.directory_index(cursor << (64 - CURSOR_BITS));
        while at < self.segments.len() {
            if spent >= budget {
                return self.prefix(at) >> (64 - CURSOR_BITS);
            }
            let segment = self.segments[at];
            at = self.first_index(at, segment);
            spent += 1;
            if self.tallies[at].flagged > 0 && self.tallies[at].earliest <= now {
                spent += segment.buckets() - 1;
                let mut earliest = u64::MAX;
                for index in 0..segment.buckets() {
                    // SAFETY: a segment of the directory is alive, and the table is borrowed mutably.
                    let bucket = unsafe { segment.bucket(index) };
                    for slot in (0..bucket.len()).filter(|&slot| bucket.word(slot).flag()) {
                        // SAFETY: the slot is in use.
                        let entry = unsafe { peek::<E>(bucket.word(slot)) };
                        earliest = earliest.min(f(&entry));
                    }
                }
                self.tallies[at].earliest = earliest;
            }
            at += self.span(segment);
        }
        0
    }

    /// The lower bound of when a flagged entry is due, over all segments. O(segments).
    pub fn earliest(&self) -> u64 {
        self.tallies.iter().map(|tally| tally.earliest).min().unwrap_or(u64::MAX)
    }
}
