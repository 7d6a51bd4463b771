//! Sorted sets: a listpack of members and scores in turn while small, a table with a counting tree when big.
//!
//! ```text
//!   listpack:   member score member score …      in order of scores, then of members
//!   skiplist:   structures::ranked::SortedSet    (the peer's name for the encoding; ours is a B+tree with counts)
//! ```
//!
//! A listpack becomes a tree when a member is added beyond `zset-max-listpack-entries` or one longer than
//! `zset-max-listpack-value`; [`Zset::compact`] goes the other way for results of ZUNIONSTORE and the like.
//!
//! Everything is expressed in *ranks*: a range of scores or of members is first turned into the range of ranks that it
//! covers ([`Zset::ranks_by_score`], [`Zset::ranks_by_lex`]); its length is the count; then [`Zset::range`] walks it from either end and
//! [`Zset::remove_range`] removes it.
//!
//! Costs: score O(1), the rest O(log n) and what is walked; a listpack O(n) within its limits.

use std::ops::Range;

use structures::dual::{Dual, DualMut, DualRef};
use structures::listpack::{self, Listpack, Pos};
use structures::number;
pub use structures::ranked::Change;
use structures::ranked::{self, Member, SortedSet, Unranked};

use crate::big::{self, Handed};
use crate::random::{Selection, below};
use crate::{Item, LexBound, Limits, ScoreBound};

/// A set of members with scores; see the module's page.
#[derive(Clone)]
pub struct Zset {
    repr: Repr,
}

type Repr = Dual<Listpack, Sorted>;

/// A sorted set with what it has handed over early to snapshots.
#[derive(Default)]
pub(crate) struct Sorted {
    set: SortedSet,
    handed: Handed<Member>,
}

impl Clone for Sorted {
    /// Copies the elements; no snapshot walks the copy.
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        for (member, score) in self.set.iter() {
            copy.set.insert(member, score, &mut ());
        }
        copy
    }
}

impl Default for Zset {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Zset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The score that an element of a listpack is. Listpacks from outside are checked to have scores in these places.
fn score_of(item: Item<'_>) -> f64 {
    match item {
        Item::Int(value) => value as f64,
        Item::Bytes(text) => number::parse_f64(text).unwrap_or(0.0),
    }
}

/// The bytes that a score is stored as; a listpack makes an integer of it where it is one.
fn text_of(score: f64) -> number::Text {
    // The sign of a zero is lost, as in the peer.
    if score == 0.0 { number::int(0) } else { number::double(score) }
}

fn find_packed(pack: &Listpack, member: &[u8]) -> Option<(Pos, f64)> {
    let pos = pack.first().and_then(|first| pack.find(first, member, 1))?;
    Some((pos, score_of(pack.get(pack.next(pos)?))))
}

fn pairs(pack: &Listpack) -> impl Iterator<Item = (Pos, Item<'_>, f64)> {
    let mut items = pack.iter();
    std::iter::from_fn(move || {
        let (pos, member) = items.next_entry()?;
        Some((pos, member, score_of(items.next()?)))
    })
}

fn insert_packed(pack: &mut Listpack, member: &[u8], score: f64) {
    let behind = pairs(pack)
        .find(|(_, other, other_score)| *other_score > score || (*other_score == score && &*other.text() > member))
        .map(|(pos, ..)| pos);
    let text = text_of(score);
    match behind {
        Some(pos) => {
            let pos = pack.insert_before(pos, text.as_bytes());
            pack.insert_before(pos, member);
        }
        None => {
            pack.push_back(member);
            pack.push_back(text.as_bytes());
        }
    }
}

impl Zset {
    /// An empty sorted set.
    pub fn new() -> Self {
        Self { repr: Repr::small(Listpack::new()) }
    }

    /// A sorted set over a listpack that was read from a file, if it has pairs of different members and scores in order. O(n).
    pub fn from_listpack(pack: Listpack) -> Option<Self> {
        let scores_are_good = pack.iter().skip(1).step_by(2).all(|score| match score {
            Item::Int(_) => true,
            Item::Bytes(text) => number::parse_f64(text).is_some(),
        });
        let good = pack.len().is_multiple_of(2)
            && scores_are_good
            && crate::all_differ(pack.iter().step_by(2))
            && pairs(&pack)
                .zip(pairs(&pack).skip(1))
                .all(|((_, a, x), (_, b, y))| x < y || (x == y && a.text()[..] < b.text()[..]));
        good.then_some(Self { repr: Repr::small(pack) })
    }

    /// The count of members.
    pub fn len(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(pack) => pack.len() / 2,
            DualRef::Big(sorted) => sorted.set.len(),
        }
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `listpack` or `skiplist`.
    pub fn encoding(&self) -> &'static str {
        match self.repr.get() {
            DualRef::Small(_) => "listpack",
            DualRef::Big(_) => "skiplist",
        }
    }

    // --- conversions

    /// Converts to a tree at once if `count` members to come, the longest of `longest` bytes, would not fit a listpack, as ZADD
    /// does.
    pub fn prepare(&mut self, count: usize, longest: usize, limits: &Limits) {
        if matches!(self.repr.get(), DualRef::Small(_))
            && (count > limits.zset_listpack_entries || longest > limits.zset_listpack_value)
        {
            self.become_table();
        }
    }

    /// A set of these members, as a tree.
    pub fn from_unranked(members: Unranked) -> Zset {
        let mut sorted = Box::<Sorted>::default();
        sorted.set = members.rank();
        Zset { repr: Repr::big(sorted) }
    }

    fn become_table(&mut self) -> &mut Sorted {
        if let DualRef::Small(pack) = self.repr.get() {
            let mut sorted = Box::<Sorted>::default();
            for (_, member, score) in pairs(pack) {
                sorted.set.insert(&member.text(), score, &mut ());
            }
            self.repr = Repr::big(sorted);
        }
        match self.repr.get_mut() {
            DualMut::Big(sorted) => sorted,
            DualMut::Small(_) => unreachable!("the set was converted right above"),
        }
    }

    /// Makes a tree a listpack if that is within the limits. For the results of ZUNIONSTORE and the like. O(n).
    pub fn compact(&mut self, limits: &Limits) {
        let DualRef::Big(sorted) = self.repr.get() else { return };
        if sorted.set.len() > limits.zset_listpack_entries
            || sorted.set.iter().any(|(member, _)| member.len() > limits.zset_listpack_value)
        {
            return;
        }
        let mut pack = Listpack::new();
        for (member, score) in sorted.set.iter() {
            pack.push_back(member);
            pack.push_back(text_of(score).as_bytes());
        }
        self.repr = Repr::small(pack);
    }

    /// Brings a sorted set that was read from a file into an encoding within the limits.
    pub fn settle(&mut self, limits: &Limits) {
        match self.repr.get() {
            DualRef::Small(pack) => {
                if pack.len() / 2 > limits.zset_listpack_entries
                    || pack.iter().step_by(2).any(|member| member.len() > limits.zset_listpack_value)
                {
                    self.become_table();
                }
            }
            DualRef::Big(_) => self.compact(limits),
        }
    }

    // --- single members

    /// The score of `member`.
    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self.repr.get() {
            DualRef::Small(pack) => find_packed(pack, member).map(|(_, score)| score),
            DualRef::Big(sorted) => sorted.set.score(member),
        }
    }

    /// Adds a member or changes its score, which is not NaN.
    pub fn insert(&mut self, member: &[u8], score: f64, limits: &Limits) -> Change {
        assert!(!score.is_nan(), "a score is a number");
        if let DualMut::Small(pack) = self.repr.get_mut() {
            if let Some((pos, old)) = find_packed(pack, member) {
                if old == score {
                    return Change::Same;
                }
                pack.remove_from(pos, 2);
                insert_packed(pack, member, score);
                return Change::Updated { old };
            }
            if pack.len() / 2 < limits.zset_listpack_entries
                && member.len() <= limits.zset_listpack_value
                && crate::has_room(pack, member.len())
            {
                insert_packed(pack, member, score);
                return Change::Added;
            }
        }
        let Sorted { set, handed } = self.become_table();
        set.insert(member, score, handed)
    }

    /// Removes a member and answers its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let (pos, score) = find_packed(pack, member)?;
                pack.remove_from(pos, 2);
                Some(score)
            }
            DualMut::Big(sorted) => sorted.set.remove(member, &mut sorted.handed),
        }
    }

    /// The rank of a member, from 0 for the lowest.
    pub fn rank(&self, member: &[u8]) -> Option<usize> {
        match self.repr.get() {
            DualRef::Small(pack) => {
                let (pos, _) = find_packed(pack, member)?;
                pairs(pack).position(|(other, ..)| other == pos)
            }
            DualRef::Big(sorted) => sorted.set.rank(member),
        }
    }

    // --- ranges

    /// The ranks of the members with scores from `min` to `max`.
    pub fn ranks_by_score(&self, min: ScoreBound, max: ScoreBound) -> Range<usize> {
        match self.repr.get() {
            DualRef::Small(pack) => {
                ranks_packed(pack, |_, score| min.is_before(score), |_, score| max.is_behind(score))
            }
            DualRef::Big(sorted) => sorted.set.ranks_by_score(min.as_std(), max.as_std()),
        }
    }

    /// The ranks of the members from `min` to `max`, in a set whose scores are all equal; in any other set some range.
    pub fn ranks_by_lex(&self, min: LexBound<'_>, max: LexBound<'_>) -> Range<usize> {
        let (Some(from), Some(to)) = (min.as_min(), max.as_max()) else { return 0..0 };
        match self.repr.get() {
            DualRef::Small(pack) => {
                ranks_packed(pack, |member, _| min.is_before(&member.text()), |member, _| max.is_behind(&member.text()))
            }
            DualRef::Big(sorted) => sorted.set.ranks_by_lex(from, to),
        }
    }

    /// The members of these ranks, as far as they exist, from either end.
    pub fn range(&self, ranks: Range<usize>) -> Elements<'_> {
        Elements {
            walk: match self.repr.get() {
                DualRef::Small(pack) => Walk::Packed(pack.range(ranks.start * 2..ranks.end.min(self.len()) * 2)),
                DualRef::Big(sorted) => Walk::Table(sorted.set.range(ranks)),
            },
        }
    }

    /// All members in order.
    pub fn iter(&self) -> Elements<'_> {
        self.range(0..self.len())
    }

    /// Removes the members of these ranks, in order, each shown to `f`; answers how many.
    pub fn remove_range(&mut self, ranks: Range<usize>, mut f: impl FnMut(Item<'_>, f64)) -> usize {
        let before = self.len();
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let end = ranks.end.min(before);
                if ranks.start < end {
                    let mut items = pack.range(2 * ranks.start..2 * end);
                    while let (Some(member), Some(score)) = (items.next(), items.next()) {
                        f(member, score_of(score));
                    }
                    pack.remove_range(2 * ranks.start, 2 * (end - ranks.start));
                }
            }
            DualMut::Big(sorted) => sorted
                .set
                .remove_range(ranks, &mut sorted.handed, |member| f(Item::Bytes(member.bytes()), member.score())),
        }
        before - self.len()
    }

    /// Lends the lowest member to `f` and removes it.
    pub fn pop_min<R>(&mut self, f: impl FnOnce(Item<'_>, f64) -> R) -> Option<R> {
        self.pop(0, f)
    }

    /// Lends the highest member to `f` and removes it.
    pub fn pop_max<R>(&mut self, f: impl FnOnce(Item<'_>, f64) -> R) -> Option<R> {
        self.pop(self.len().checked_sub(1)?, f)
    }

    fn pop<R>(&mut self, rank: usize, f: impl FnOnce(Item<'_>, f64) -> R) -> Option<R> {
        let mut f = Some(f);
        let mut result = None;
        self.remove_range(rank..rank + 1, |member, score| result = f.take().map(|f| f(member, score)));
        result
    }

    // --- many, in no order

    /// Shows members to `f` and answers the next cursor, as ZSCAN does: a table about `count` of them, a listpack all at once
    /// with cursor 0.
    pub fn scan(&self, cursor: u64, count: usize, mut f: impl FnMut(Item<'_>, f64)) -> u64 {
        match self.repr.get() {
            DualRef::Small(_) => {
                self.iter().for_each(|(member, score)| f(member, score));
                0
            }
            DualRef::Big(sorted) => big::scan(sorted.set.members(), cursor, count, |found| {
                f(Item::Bytes(found.bytes()), found.score());
            }),
        }
    }

    /// A member, every one with the same probability.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<(Item<'_>, f64)> {
        if self.is_empty() {
            return None;
        }
        match self.repr.get() {
            DualRef::Small(_) => {
                let rank = below(rng, self.len());
                self.range(rank..rank + 1).next()
            }
            DualRef::Big(sorted) => {
                sorted.set.random(&mut || rng()).map(|found| (Item::Bytes(found.bytes()), found.score()))
            }
        }
    }

    /// Shows `count` different members chosen at random, all if there are fewer, in no particular order.
    pub fn sample<'a>(&'a self, count: usize, rng: &mut dyn FnMut() -> u64, mut f: impl FnMut(Item<'a>, f64)) {
        match self.repr.get() {
            DualRef::Small(_) => {
                let mut selection = Selection::new(self.len(), count);
                self.iter().filter(|_| selection.next(rng)).for_each(|(member, score)| f(member, score));
            }
            DualRef::Big(sorted) => big::sample(sorted.set.members(), count, rng, |found| {
                f(Item::Bytes(found.bytes()), found.score());
            }),
        }
    }

    // --- for codecs, snapshots and statistics

    /// The listpack, unless the set is a tree; see [`Zset::iter`].
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.repr.get() {
            DualRef::Small(pack) => Some(pack),
            DualRef::Big(_) => None,
        }
    }

    /// The bytes allocated; those of a tree's members are estimated from `samples` of them, 0 looks at all.
    pub fn memory(&self, samples: usize) -> usize {
        match self.repr.get() {
            DualRef::Small(pack) => pack.memory(),
            DualRef::Big(sorted) => {
                size_of::<Sorted>() + sorted.set.memory() + big::elements_memory(sorted.set.members(), samples)
            }
        }
    }

    /// The allocations to free, roughly: what decides about lazy freeing.
    pub fn free_effort(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(_) => 1,
            DualRef::Big(sorted) => sorted.set.len(),
        }
    }

    pub(crate) fn sorted(&mut self) -> Option<&mut Sorted> {
        match self.repr.get_mut() {
            DualMut::Small(_) => None,
            DualMut::Big(sorted) => Some(sorted),
        }
    }
}

impl Sorted {
    pub(crate) fn begin_snapshot(&mut self, snapshot: u8) {
        self.set.begin_snapshot(snapshot);
        self.handed.begin(snapshot);
    }

    pub(crate) fn walk_snapshot(
        &mut self,
        snapshot: u8,
        cursor: u64,
        budget: usize,
        mut f: impl FnMut(&Member),
    ) -> Option<u64> {
        self.handed.take(snapshot).iter().for_each(&mut f);
        self.set.walk(snapshot, cursor, budget, f)
    }

    pub(crate) fn end_snapshot(&mut self, snapshot: u8) {
        self.set.end_snapshot(snapshot);
        self.handed.end(snapshot);
    }

    pub(crate) fn abandon_snapshot(&mut self, snapshot: u8) {
        self.set.abandon_snapshot(snapshot);
        self.handed.end(snapshot);
    }
}

/// The ranks from the first pair that `begins` a range up to the first behind it that is not `within` it.
fn ranks_packed(
    pack: &Listpack,
    begins: impl Fn(Item<'_>, f64) -> bool,
    within: impl Fn(Item<'_>, f64) -> bool,
) -> Range<usize> {
    let mut start = 0;
    let mut items = pairs(pack).skip_while(|(_, member, score)| {
        let before = !begins(*member, *score);
        start += usize::from(before);
        before
    });
    let count = items.by_ref().take_while(|(_, member, score)| within(*member, *score)).count();
    drop(items);
    start..start + count
}

/// Members with their scores in order, from either end.
pub struct Elements<'a> {
    walk: Walk<'a>,
}

enum Walk<'a> {
    Packed(listpack::Iter<'a>),
    Table(ranked::Elements<'a>),
}

impl<'a> Iterator for Elements<'a> {
    type Item = (Item<'a>, f64);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.walk {
            Walk::Packed(items) => Some((items.next()?, score_of(items.next()?))),
            Walk::Table(elements) => elements.next().map(|(member, score)| (Item::Bytes(member), score)),
        }
    }
}

impl DoubleEndedIterator for Elements<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match &mut self.walk {
            Walk::Packed(items) => {
                let score = score_of(items.next_back()?);
                Some((items.next_back()?, score))
            }
            Walk::Table(elements) => elements.next_back().map(|(member, score)| (Item::Bytes(member), score)),
        }
    }
}

#[cfg(test)]
mod tests;
