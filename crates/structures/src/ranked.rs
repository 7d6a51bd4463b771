//! The sorted set: members with scores, found by member, by score, by rank.
//!
//! The question: how to answer ZSCORE with one lookup and ZRANK, ZRANGE and ZCOUNT in O(log n), with little memory around
//! each member.
//!
//! ```text
//!  table of members (owner)                 B+tree with counts (order)
//!  ┌──────────────┐                         ┌──────────────────────────────┐
//!  │ hash buckets │──► ┌───────┬─────────┐  │ first element, count, child… │
//!  └──────────────┘    │ score │ member  │  └───┬─────────┬────────────────┘
//!                      └───────┴─────────┘      ▼         ▼
//!                           ▲               ┌────────┐ ┌────────┐
//!                           └───────────────│ scores │ │ scores │
//!                                           │ members│ │ members│
//!                                           └────────┘ └────────┘
//! ```
//!
//! Invariants
//! 1. Table and tree hold the same members; the score in a member equals the score beside its pointer in the tree.
//! 2. A member enters the tree after the table owns it and leaves the tree before the table lets it go; it never moves in memory.
//! 3. The order is that of scores, then of bytes; 0 and -0 are equal; NaN never enters.
//! 4. All changes pass the table, so a [`Watch`] sees every member before it changes and a snapshot can walk a huge set step by
//!    step.
//!
//! Costs per member, beside its bytes: 9 in the member, about 11 in the table, 17 in the tree when members come in order (leaves
//! are 98 % full), 21 when they come at random, up to 24 when scores go on changing at random.
//! Redis keeps a skiplist with spans and a hash table: 32 bytes of levels and back pointer on average, the score, an allocation
//! for the element, and a dictionary entry.

mod member;
mod node;
mod tree;

pub use member::Member;
pub use tree::Elements;

use crate::hash::hash;
use crate::table::{Found, Probe, Table, Watch};
use member::Pointer;
use node::{Cut, LEAF};
use std::ops::{Bound, Range};
use tree::Tree;

/// What became of an element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    Added,
    Updated {
        /// The score before.
        old: f64,
    },
    /// The member had this score already.
    Same,
}

/// A sorted set; see the module's text.
pub struct SortedSet {
    // Declared before the table: it goes first.
    tree: Tree,
    table: Table<Member>,
}

impl Default for SortedSet {
    fn default() -> Self {
        SortedSet::new()
    }
}

/// Members that are not in order yet: how a big set is read from a file. The order is made at the end, in one sweep, where the
/// tree grows at its end only, instead of a search through the tree for every member.
#[derive(Default)]
pub struct Unranked {
    table: Table<Member>,
}

impl Unranked {
    /// No members.
    pub fn new() -> Unranked {
        Unranked { table: Table::new() }
    }

    /// Adds a member, whose score is not NaN; false, and nothing is changed, when it is there. O(1).
    pub fn add(&mut self, member: &[u8], score: f64) -> bool {
        assert!(!score.is_nan());
        match self.table.probe(hash(member), member, &mut ()) {
            Probe::Found(_) => false,
            Probe::Vacant(vacant) => {
                vacant.insert(Member::new(score, member), &mut ());
                true
            }
        }
    }

    /// The set. O(n log n), and 16 bytes a member meanwhile.
    pub fn rank(self) -> SortedSet {
        let mut order: Vec<(f64, Pointer)> = self.table.iter().map(|found| (found.score(), found.pointer())).collect();
        order.sort_unstable_by(|(a, left), (b, right)| {
            // SAFETY: the table owns the members, and nobody changes it.
            let bytes = || unsafe { left.bytes().cmp(right.bytes()) };
            a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal).then_with(bytes)
        });
        let mut set = SortedSet { tree: Tree::new(), table: self.table };
        for (score, pointer) in order {
            // SAFETY: the table owns the member, and only `remove_member` takes it out.
            unsafe { set.tree.insert(score, pointer) };
        }
        set
    }
}

impl std::fmt::Debug for Unranked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} members", self.table.len())
    }
}

impl SortedSet {
    pub fn new() -> SortedSet {
        SortedSet { tree: Tree::new(), table: Table::new() }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of table and tree, without the members' own allocations. O(n / 63).
    pub fn memory(&self) -> usize {
        self.table.memory() + self.tree.memory()
    }

    /// The members in no order: for random elements, scans and iteration where order does not matter.
    pub fn members(&self) -> &Table<Member> {
        &self.table
    }

    /// The member with its score.
    #[inline]
    pub fn find(&self, member: &[u8]) -> Option<Found<'_, Member>> {
        self.table.find(hash(member), member)
    }

    #[inline]
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|found| found.score())
    }

    /// Adds a member or changes its score, which is not NaN. O(log n).
    pub fn insert<W: Watch<Member>>(&mut self, member: &[u8], score: f64, watch: &mut W) -> Change {
        assert!(!score.is_nan());
        match self.table.probe(hash(member), member, watch) {
            Probe::Found(mut found) => {
                let old = found.get().score();
                if old == score {
                    return Change::Same;
                }
                let pointer = found.get().pointer();
                found.get_mut().set_score(score);
                drop(found);
                if !self.tree.update_in_place(old, pointer, score) {
                    self.tree.remove(old, pointer);
                    // SAFETY: the table owns the member, and only `remove_member` takes it out.
                    unsafe { self.tree.insert(score, pointer) };
                }
                Change::Updated { old }
            }
            Probe::Vacant(vacant) => {
                let pointer = vacant.insert(Member::new(score, member), watch).get().pointer();
                // SAFETY: as above.
                unsafe { self.tree.insert(score, pointer) };
                Change::Added
            }
        }
    }

    /// Takes a member out and answers its score. O(log n).
    pub fn remove<W: Watch<Member>>(&mut self, member: &[u8], watch: &mut W) -> Option<f64> {
        let found = self.table.find_mut(hash(member), member, watch)?;
        let score = found.get().score();
        self.tree.remove(score, found.get().pointer());
        found.remove(watch);
        Some(score)
    }

    /// The rank of a member, from 0 for the lowest. O(log n).
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        Some(self.tree.count_before(&Cut::Element { score, bytes: member, after: false }))
    }

    /// The ranks of the elements with scores between two bounds; its length is the count. O(log n).
    pub fn ranks_by_score(&self, min: Bound<f64>, max: Bound<f64>) -> Range<usize> {
        let start = match min {
            Bound::Unbounded => 0,
            Bound::Included(score) => self.tree.count_before(&Cut::Score { score, after: false }),
            Bound::Excluded(score) => self.tree.count_before(&Cut::Score { score, after: true }),
        };
        let end = match max {
            Bound::Unbounded => self.len(),
            Bound::Included(score) => self.tree.count_before(&Cut::Score { score, after: true }),
            Bound::Excluded(score) => self.tree.count_before(&Cut::Score { score, after: false }),
        };
        start..end.max(start)
    }

    /// The ranks of the elements with bytes between two bounds, in a set whose scores are all equal; in any other set some
    /// range. O(log n).
    pub fn ranks_by_lex(&self, min: Bound<&[u8]>, max: Bound<&[u8]>) -> Range<usize> {
        let start = match min {
            Bound::Unbounded => 0,
            Bound::Included(bytes) => self.tree.count_before(&Cut::Lex { bytes, after: false }),
            Bound::Excluded(bytes) => self.tree.count_before(&Cut::Lex { bytes, after: true }),
        };
        let end = match max {
            Bound::Unbounded => self.len(),
            Bound::Included(bytes) => self.tree.count_before(&Cut::Lex { bytes, after: true }),
            Bound::Excluded(bytes) => self.tree.count_before(&Cut::Lex { bytes, after: false }),
        };
        start..end.max(start)
    }

    /// The elements of these ranks (as far as they exist) with bytes and score, from both ends. O(log n) to begin.
    pub fn range(&self, ranks: Range<usize>) -> Elements<'_> {
        self.tree.range(ranks)
    }

    /// All elements in order.
    pub fn iter(&self) -> Elements<'_> {
        self.range(0..self.len())
    }

    /// Takes the elements of these ranks out, in order, and gives them to `f`. O(log n + k).
    pub fn remove_range<W: Watch<Member>>(&mut self, ranks: Range<usize>, watch: &mut W, mut f: impl FnMut(Member)) {
        let mut left = ranks.end.min(self.len()).saturating_sub(ranks.start);
        while left > 0 {
            let mut run = [(0, Pointer::NONE); LEAF];
            let mut next = 0;
            let table = &self.table;
            let n = self.tree.take_run(ranks.start, left, &mut |_, pointer| {
                // SAFETY: the table still owns the member.
                let hash = hash(unsafe { pointer.bytes() });
                table.prefetch(hash);
                run[next] = (hash, pointer);
                next += 1;
            });
            for &(hash, pointer) in &run[..n] {
                f(self.remove_member(hash, pointer, watch));
            }
            left -= n;
        }
    }

    /// Takes the lowest element out.
    pub fn pop_min<W: Watch<Member>>(&mut self, watch: &mut W) -> Option<Member> {
        self.pop(0, watch)
    }

    /// Takes the highest element out.
    pub fn pop_max<W: Watch<Member>>(&mut self, watch: &mut W) -> Option<Member> {
        self.pop(self.len().checked_sub(1)?, watch)
    }

    fn pop<W: Watch<Member>>(&mut self, rank: usize, watch: &mut W) -> Option<Member> {
        let mut popped = None;
        self.tree.take_run(rank, 1, &mut |_, pointer| popped = Some(pointer));
        let pointer = popped?;
        // SAFETY: the table still owns the member.
        let hash = hash(unsafe { pointer.bytes() });
        Some(self.remove_member(hash, pointer, watch))
    }

    /// Takes a member out of the table that is out of the tree.
    fn remove_member<W: Watch<Member>>(&mut self, hash: u64, pointer: Pointer, watch: &mut W) -> Member {
        // SAFETY: the table still owns the member, and the bytes are not used after it is out.
        let bytes = unsafe { pointer.bytes() };
        self.table.remove(hash, bytes, watch).expect("table and tree hold the same members")
    }

    /// An element, every one with the same probability.
    pub fn random(&self, rng: &mut impl FnMut() -> u64) -> Option<Found<'_, Member>> {
        self.table.random(rng)
    }

    /// See [`Table::scan`].
    pub fn scan(&self, cursor: u64, f: impl FnMut(Found<'_, Member>)) -> u64 {
        self.table.scan(cursor, f)
    }

    /// See [`Table::begin_snapshot`].
    pub fn begin_snapshot(&mut self, k: u8) {
        self.table.begin_snapshot(k);
    }

    /// See [`Table::walk`].
    pub fn walk(&mut self, k: u8, cursor: u64, budget: usize, mut f: impl FnMut(&Member)) -> Option<u64> {
        self.table.walk(k, cursor, budget, |member, _| f(member))
    }

    /// See [`Table::end_snapshot`].
    pub fn end_snapshot(&mut self, k: u8) {
        self.table.end_snapshot(k);
    }

    /// See [`Table::abandon_snapshot`].
    pub fn abandon_snapshot(&mut self, k: u8) {
        self.table.abandon_snapshot(k);
    }

    /// Panics if the structure contradicts itself. O(n); for tests.
    #[doc(hidden)]
    pub fn check(&self) {
        self.table.check();
        self.tree.check();
        assert_eq!(self.table.len(), self.tree.len());
        for (bytes, score) in self.iter() {
            assert_eq!(self.score(bytes).map(f64::to_bits), Some(score.to_bits()));
        }
    }
}

impl std::fmt::Debug for SortedSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter().map(|(bytes, score)| (bytes.escape_ascii().to_string(), score))).finish()
    }
}
