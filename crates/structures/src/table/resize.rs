//! Growth and shrinking, one segment at a time.
//!
//! ```text
//!  grow      1 → 2 → … → 28 → 32 → 40 → 48 → 56 buckets, then two segments of 32, one bit deeper
//!            entries that come in the order of their hashes (from a scan, from a snapshot of this very table) stand so close
//!            together that neither takes them: then as many bits deeper as it needs, with empty neighbours on the way
//!  shrink    below 60 % of the slots: first two neighbours into one if they fit, else to a smaller size
//! ```
//!
//! A new segment is filled before the old one is let go; both ends of every step are handed over to the watch beforehand, and
//! new buckets are born handed over. The thresholds lie so far apart that a quarter of a segment's entries must come or go
//! between a step and its reverse.

use super::bucket::{SLOTS, Word};
use super::segment::{LARGEST, SIZES, Segment, fitting, larger};
use super::snapshot::{Watch, hand_over};
use super::{CURSOR_BITS, Table, Tally, Thin, peek, prefetch};

/// The directory never gets deeper: a table of 2^32 segments does not fit any memory.
const DEEPEST: u32 = 32;

/// How many entries a segment of `n` buckets takes: from eight buckets on 15/16 of its slots.
#[inline]
fn limit(n: usize) -> usize {
    n * SLOTS - n * SLOTS / 16 * (n >= 8) as usize
}

/// Below this many entries a segment of `n` buckets shrinks.
#[inline]
fn low(n: usize) -> usize {
    n * SLOTS * 6 / 10
}

impl<E: Thin> Table<E> {
    /// The first segment.
    #[cold]
    pub(super) fn start(&mut self) {
        debug_assert!(self.segments.is_empty() && self.depth == 0);
        self.segments = Box::new([Segment::new(1, 0, self.parity)]);
        self.tallies = Box::new([Tally::EMPTY]);
        self.buckets = 1;
        self.deepest = 1;
    }

    #[inline]
    pub(super) fn has_room(&self, at: usize, segment: Segment) -> bool {
        (self.tallies[at].len as usize) < limit(segment.buckets())
    }

    /// Gives the segment at `at` (a first index) more room.
    #[cold]
    #[inline(never)]
    pub(super) fn grow<W: Watch<E>>(&mut self, at: usize, watch: &mut W) {
        let segment = self.segments[at];
        self.hand_over_segment(segment, watch);
        let mut n = larger(segment.buckets());
        while let Some(size) = n {
            let target = Segment::new(size, segment.depth(), self.parity);
            if self.distribute(&[at], &[target]).is_some() {
                self.install(at, target);
                self.release(segment);
                return;
            }
            // SAFETY: the target was never shown to anyone; the entries are still owned by the old segment.
            unsafe { target.free() };
            n = larger(size);
        }
        self.split(at);
    }

    /// Makes two segments of one that has been handed over.
    fn split(&mut self, at: usize) {
        let old = self.segments[at];
        let depth = old.depth() + 1;
        assert!(depth <= DEEPEST, "the hash does not spread the keys");
        let mut n = 32;
        loop {
            let targets = [Segment::new(n, depth, self.parity), Segment::new(n, depth, self.parity)];
            if let Some(tallies) = self.distribute(&[at], &targets) {
                let earliest = self.tallies[at].earliest;
                let mut at = at;
                if depth > self.depth {
                    self.deepen();
                    at *= 2;
                }
                for (target, mut tally) in targets.into_iter().zip(tallies) {
                    if tally.flagged > 0 {
                        tally.earliest = earliest;
                    }
                    self.tallies[at] = tally;
                    self.install(at, target);
                    at += self.span(target);
                }
                self.deepest += 2 * usize::from(depth == self.depth);
                self.release(old);
                return;
            }
            for target in targets {
                // SAFETY: the target was never shown to anyone; the entries are still owned by the old segment.
                unsafe { target.free() };
            }
            match larger(n) {
                Some(size) => n = size,
                None => return self.divide(at),
            }
        }
    }

    /// Makes as many segments of one as its entries need, where they stand close together.
    #[cold]
    fn divide(&mut self, at: usize) {
        let old = self.segments[at];
        let mut entries = Vec::with_capacity(self.tallies[at].len as usize);
        self.each_hash(at, u64::BITS, |hash, word| {
            entries.push((hash, word));
            true
        });
        entries.sort_unstable_by_key(|&(hash, _)| hash);
        let mut parts = Vec::new();
        self.place_halves(&entries, old.depth(), &mut parts);
        let earliest = self.tallies[at].earliest;
        let mut at = at;
        let depth = parts.iter().map(|(segment, _)| segment.depth()).max().unwrap_or(0);
        while self.depth < depth {
            self.deepen();
            at *= 2;
        }
        for (segment, mut tally) in parts {
            if tally.flagged > 0 {
                tally.earliest = earliest;
            }
            self.tallies[at] = tally;
            self.install(at, segment);
            at += self.span(segment);
            self.deepest += usize::from(segment.depth() == self.depth);
        }
        self.release(old);
    }

    /// Puts entries, in the order of their hashes, into a new segment of this depth, or into several deeper ones.
    fn place(&self, entries: &[(u64, Word)], depth: u32, parts: &mut Vec<(Segment, Tally)>) {
        assert!(depth <= DEEPEST, "the hash does not spread the keys");
        let mut size = (entries.len() <= limit(LARGEST)).then(|| fitting(entries.len()));
        while let Some(n) = size {
            let target = Segment::new(n, depth, self.parity);
            let fits = entries.iter().all(|&(hash, word)| {
                let (home, tag) = target.home(hash);
                // SAFETY: the target is new and known to the caller only.
                unsafe { target.insert(home, tag, word, |_| ()) }.is_some()
            });
            if fits {
                let flagged = entries.iter().filter(|(_, word)| word.flag()).count() as u32;
                parts.push((target, Tally { len: entries.len() as u32, flagged, ..Tally::EMPTY }));
                return;
            }
            // SAFETY: the target was never shown to anyone; the entries are still owned by the old segment.
            unsafe { target.free() };
            size = larger(n);
        }
        self.place_halves(entries, depth, parts);
    }

    fn place_halves(&self, entries: &[(u64, Word)], depth: u32, parts: &mut Vec<(Segment, Tally)>) {
        let (low, high) = entries.split_at(entries.partition_point(|&(hash, _)| hash << depth >> 63 == 0));
        self.place(low, depth + 1, parts);
        self.place(high, depth + 1, parts);
    }

    /// Frees what the segment at `at` does not need any more, if it is worth it.
    #[inline]
    pub(super) fn shrink_after_remove<W: Watch<E>>(&mut self, at: usize, watch: &mut W) {
        let segment = self.segments[at];
        if (self.tallies[at].len as usize) < low(segment.buckets()) && segment.buckets() > 1 || self.len == 0 {
            self.shrink(at, watch);
        }
    }

    #[cold]
    #[inline(never)]
    fn shrink<W: Watch<E>>(&mut self, mut at: usize, watch: &mut W) {
        if self.len == 0 {
            self.vacate();
            return;
        }
        while let Some(first) = self.merge(at, watch) {
            at = first;
        }
        let segment = self.segments[at];
        let mut size = fitting(self.tallies[at].len as usize);
        while size < segment.buckets() {
            self.hand_over_segment(segment, watch);
            let target = Segment::new(size, segment.depth(), self.parity);
            if self.distribute(&[at], &[target]).is_some() {
                self.install(at, target);
                self.release(segment);
                return;
            }
            // SAFETY: the target was never shown to anyone; the entries are still owned by the old segment.
            unsafe { target.free() };
            size = larger(size).unwrap_or(LARGEST);
        }
    }

    /// Without entries: back to one bucket, which is kept for the next entry.
    fn vacate(&mut self) {
        if self.buckets > 1 {
            self.each_segment(|segment| {
                // SAFETY: the directory is replaced below; no entry is left.
                unsafe { segment.free() };
            });
            self.segments = Box::default();
            self.tallies = Box::default();
            self.depth = 0;
            self.start();
        }
    }

    /// Joins the segment at `at` with its neighbour of the same depth if both together are small, and answers the first index.
    fn merge<W: Watch<E>>(&mut self, at: usize, watch: &mut W) -> Option<usize> {
        let segment = self.segments[at];
        if segment.depth() == 0 {
            return None;
        }
        let other_at = at ^ self.span(segment);
        let other = self.segments[other_at];
        let len = (self.tallies[at].len + self.tallies[other_at].len) as usize;
        if other.depth() != segment.depth() || len * 10 > 48 * 56 {
            return None;
        }
        self.hand_over_segment(segment, watch);
        self.hand_over_segment(other, watch);
        let depth = segment.depth() - 1;
        let (first, second) = (at.min(other_at), at.max(other_at));
        let mut n = Some(fitting(len));
        while let Some(size) = n {
            let target = Segment::new(size, depth, self.parity);
            if let Some([mut tally, _]) = self.distribute(&[first, second], &[target]) {
                tally.earliest = self.tallies[first].earliest.min(self.tallies[second].earliest);
                self.deepest -= 2 * usize::from(segment.depth() == self.depth);
                self.tallies[first] = tally;
                self.tallies[second] = Tally::EMPTY;
                self.install(first, target);
                self.release(segment);
                self.release(other);
                return Some(self.flatten(first));
            }
            // SAFETY: the target was never shown to anyone; the entries are still owned by the old segments.
            unsafe { target.free() };
            n = larger(size);
        }
        None
    }

    /// Copies the entries of the segments at `sources` (neighbours, in order) into `targets` (one or two neighbours that cover
    /// the same hashes), and answers their tallies without bounds; `None` if they do not fit.
    fn distribute(&self, sources: &[usize], targets: &[Segment]) -> Option<[Tally; 2]> {
        let mut tallies = [Tally::EMPTY; 2];
        let depth = targets[0].depth();
        let needed = depth + targets[0].bits();
        for &at in sources {
            let fits = self.each_hash(at, needed, |hash, word| {
                let which = if targets.len() == 2 { (hash << (depth - 1) >> 63) as usize } else { 0 };
                tallies[which].len += 1;
                tallies[which].flagged += word.flag() as u32;
                let (home, tag) = targets[which].home(hash);
                // SAFETY: the targets are new and known to the caller only.
                let place = unsafe { targets[which].insert(home, tag, word, |_| ()) };
                place.is_some()
            });
            if !fits {
                return None;
            }
        }
        Some(tallies)
    }

    /// Calls `f` with every entry of the segment at `at` and its hash, of which at least the top `needed` bits are right;
    /// stops and answers false when `f` does.
    fn each_hash(&self, at: usize, needed: u32, mut f: impl FnMut(u64, Word) -> bool) -> bool {
        let segment = self.segments[at];
        let prefix = self.prefix(at);
        let known = segment.depth() + segment.bits();
        // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
        let bucket = |index: usize| unsafe { segment.bucket(index) };
        let fetch = |index: usize| {
            if index < segment.buckets() {
                (0..bucket(index).len()).for_each(|slot| prefetch(bucket(index).word(slot).pointer().as_ptr()));
            }
        };
        if needed > known {
            (0..3).for_each(fetch);
        }
        for index in 0..segment.buckets() {
            if needed > known {
                fetch(index + 3);
            }
            for slot in 0..bucket(index).len() {
                let word = bucket(index).word(slot);
                let hash = if needed > known {
                    // SAFETY: the slot is in use, and `&self` keeps its entry.
                    unsafe { peek::<E>(word) }.hash()
                } else {
                    let home = segment.home_of(index, word.code());
                    prefix | segment.fraction(home, bucket(index).tag(slot)) << (64 - known)
                };
                if !f(hash, word) {
                    return false;
                }
            }
        }
        true
    }

    fn hand_over_segment<W: Watch<E>>(&mut self, segment: Segment, watch: &mut W) {
        if W::ACTIVE_POSSIBLE && watch.active() != 0 {
            for index in 0..segment.buckets() {
                // SAFETY: the segment is alive, and the table is borrowed mutably.
                hand_over::<E, W>(unsafe { segment.bucket_mut(index) }, self.parity, watch);
            }
        }
    }

    /// Points the directory words of `target`, the first of which is `at`, to it.
    fn install(&mut self, at: usize, target: Segment) {
        let span = self.span(target);
        self.segments[at..at + span].fill(target);
        self.buckets += target.buckets();
    }

    /// Frees a segment that is out of the directory and whose entries another one owns.
    fn release(&mut self, segment: Segment) {
        self.buckets -= segment.buckets();
        // SAFETY: it stands in the directory no more.
        unsafe { segment.free() };
    }

    /// Doubles the directory.
    fn deepen(&mut self) {
        self.segments = self.segments.iter().flat_map(|&segment| [segment, segment]).collect();
        self.tallies = self.tallies.iter().flat_map(|&tally| [tally, Tally::EMPTY]).collect();
        self.depth += 1;
        self.deepest = 0;
    }

    /// Halves the directory while no segment needs its full depth; answers where index `at` is now.
    fn flatten(&mut self, mut at: usize) -> usize {
        while self.deepest == 0 && self.depth > 0 {
            self.segments = self.segments.iter().step_by(2).copied().collect();
            self.tallies = self.tallies.iter().step_by(2).copied().collect();
            self.depth -= 1;
            at /= 2;
            self.deepest = self.segments.iter().filter(|segment| segment.depth() == self.depth).count();
        }
        at
    }

    /// The cursor position where bucket `index` of the segment whose first index is `at` begins; `index` may be `n`.
    pub(super) fn position(&self, at: usize, segment: Segment, index: usize) -> u64 {
        let prefix = self.prefix(at) >> (64 - CURSOR_BITS);
        prefix + (segment.first_fraction(index) << (CURSOR_BITS - segment.depth() - segment.bits()))
    }

    /// Panics if the structure contradicts itself. O(entries); for tests.
    #[doc(hidden)]
    pub fn check(&self) {
        assert_eq!(self.segments.len(), if self.buckets == 0 { 0 } else { 1 << self.depth });
        let (mut at, mut len, mut flagged, mut buckets, mut deepest) = (0, 0, 0, 0, 0);
        while at < self.segments.len() {
            let segment = self.segments[at];
            assert!(SIZES.contains(&(segment.buckets() as u8)));
            let span = self.span(segment);
            assert_eq!(at % span, 0);
            assert!(self.segments[at..at + span].iter().all(|other| other.base() == segment.base()));
            let (mut segment_len, mut segment_flagged) = (0, 0);
            for index in 0..segment.buckets() {
                // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
                let bucket = unsafe { segment.bucket(index) };
                assert_eq!(bucket.handed() & !self.walking, self.parity & !self.walking);
                for code in 1..4 {
                    // SAFETY: as above.
                    let spill = unsafe { segment.bucket(segment.place(index, code)) }.has_code(code);
                    assert_eq!(bucket.spills() >> code & 1 == 1, spill);
                }
                for slot in 0..bucket.len() {
                    let word = bucket.word(slot);
                    // SAFETY: the slot is in use, and `&self` keeps its entry.
                    let hash = unsafe { peek::<E>(word) }.hash();
                    assert_eq!(self.first_index(self.directory_index(hash), segment), at);
                    assert_eq!(segment.home(hash), (segment.home_of(index, word.code()), bucket.tag(slot)));
                    segment_len += 1;
                    segment_flagged += word.flag() as usize;
                }
            }
            assert_eq!(self.tallies[at].len as usize, segment_len);
            assert_eq!(self.tallies[at].flagged as usize, segment_flagged);
            len += segment_len;
            flagged += segment_flagged;
            buckets += segment.buckets();
            deepest += (segment.depth() == self.depth) as usize;
            at += span;
        }
        assert_eq!((len, flagged, buckets), (self.len, self.flagged, self.buckets));
        assert_eq!(deepest, self.deepest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_and_its_reverse_are_far_apart() {
        for n in SIZES.map(usize::from) {
            assert!(limit(n) <= n * SLOTS);
            assert!(fitting(limit(n)) > n || n == LARGEST, "what has grown from {n} does not shrink to {n}");
            assert!(low(n) * 10 <= limit(n) * 7, "at {n}");
        }
    }
}
