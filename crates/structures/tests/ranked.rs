//! The sorted set against an ordered map.

use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use structures::ranked::{Change, Member, SortedSet};
use structures::table::Watch;

const MEMBERS: u16 = if cfg!(miri) { 150 } else { 3000 };

#[derive(Clone, Debug)]
enum Step {
    /// Members from a number on, with scores that rise, fall, stay or jump.
    Add(u16, u16, i8, i8),
    Remove(u16, u16),
    RemoveRanks(u16, u16),
    RemoveScores(i16, i16),
    PopMin(u8),
    PopMax(u8),
    Snapshot(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let many = 1..MEMBERS / 4;
    prop_oneof![
        5 => (0..MEMBERS, many.clone(), -50..50i8, -1..2i8).prop_map(|(first, len, score, slope)| Step::Add(first, len, score, slope)),
        2 => (0..MEMBERS, many.clone()).prop_map(|(first, len)| Step::Remove(first, len)),
        1 => (0..MEMBERS, many.clone()).prop_map(|(rank, len)| Step::RemoveRanks(rank, len)),
        1 => (-200..200i16, 0..30i16).prop_map(|(min, len)| Step::RemoveScores(min, len)),
        1 => any::<u8>().prop_map(Step::PopMin),
        1 => any::<u8>().prop_map(Step::PopMax),
        2 => (1..MEMBERS).prop_map(Step::Snapshot),
    ]
}

fn name(number: u16) -> Vec<u8> {
    // Different lengths, and an order unlike that of the numbers.
    format!("{:x}", u32::from(number) * 7919 % 65537).into_bytes()
}

#[derive(Default)]
struct Taken {
    active: u8,
    given: Vec<(Vec<u8>, i64)>,
}

impl Watch<Member> for Taken {
    const ACTIVE_POSSIBLE: bool = true;

    fn active(&self) -> u8 {
        self.active
    }

    fn hand_over(&mut self, snapshot: u8, member: &Member, _access: u16) {
        assert_eq!(snapshot, 1);
        self.given.push((member.bytes().to_vec(), member.score() as i64));
    }
}

#[derive(Default)]
struct World {
    set: SortedSet,
    scores: HashMap<Vec<u8>, i64>,
    order: BTreeSet<(i64, Vec<u8>)>,
    taken: Taken,
    cursor: u64,
    expected: BTreeMap<Vec<u8>, i64>,
}

impl World {
    fn forget(&mut self, bytes: &[u8]) -> Option<i64> {
        let score = self.scores.remove(bytes)?;
        self.order.remove(&(score, bytes.to_vec()));
        Some(score)
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Add(first, len, score, slope) => {
                for index in 0..len {
                    let (bytes, score) =
                        (name(first + index), i64::from(score) + i64::from(slope) * i64::from(index / 2));
                    let change = self.set.insert(&bytes, score as f64, &mut self.taken);
                    let expected = match self.forget(&bytes) {
                        None => Change::Added,
                        Some(old) if old == score => Change::Same,
                        Some(old) => Change::Updated { old: old as f64 },
                    };
                    assert_eq!(change, expected);
                    self.order.insert((score, bytes.clone()));
                    self.scores.insert(bytes, score);
                }
            }
            Step::Remove(first, len) => {
                for number in first..first + len {
                    let bytes = name(number);
                    let removed = self.set.remove(&bytes, &mut self.taken);
                    assert_eq!(removed, self.forget(&bytes).map(|score| score as f64));
                }
            }
            Step::RemoveRanks(rank, len) => self.remove_range(rank.into(), usize::from(rank) + usize::from(len)),
            Step::RemoveScores(min, len) => {
                let (min, max) = (f64::from(min), f64::from(min + len));
                let ranks = self.set.ranks_by_score(Bound::Excluded(min), Bound::Included(max));
                self.remove_range(ranks.start, ranks.end);
            }
            Step::PopMin(times) => {
                for _ in 0..times {
                    let popped = self
                        .set
                        .pop_min(&mut self.taken)
                        .map(|member| (member.score() as i64, member.bytes().to_vec()));
                    assert_eq!(popped, self.order.first().cloned());
                    popped.map(|(_, bytes)| self.forget(&bytes));
                }
            }
            Step::PopMax(times) => {
                for _ in 0..times {
                    let popped = self
                        .set
                        .pop_max(&mut self.taken)
                        .map(|member| (member.score() as i64, member.bytes().to_vec()));
                    assert_eq!(popped, self.order.last().cloned());
                    popped.map(|(_, bytes)| self.forget(&bytes));
                }
            }
            Step::Snapshot(budget) => self.snapshot(budget.into()),
        }
    }

    fn remove_range(&mut self, start: usize, end: usize) {
        let mut removed = Vec::new();
        self.set.remove_range(start..end, &mut self.taken, |member| {
            removed.push((member.score() as i64, member.bytes().to_vec()))
        });
        let expected: Vec<_> = self.order.iter().take(end).skip(start).cloned().collect();
        assert_eq!(removed, expected);
        for (_, bytes) in removed {
            self.forget(&bytes);
        }
    }

    fn snapshot(&mut self, budget: usize) {
        if self.taken.active == 0 {
            self.set.begin_snapshot(1);
            self.taken.active = 2;
            self.cursor = 0;
            self.expected = self.scores.clone().into_iter().collect();
            return;
        }
        let given = &mut self.taken.given;
        match self
            .set
            .walk(1, self.cursor, budget, |member| given.push((member.bytes().to_vec(), member.score() as i64)))
        {
            Some(cursor) => self.cursor = cursor,
            None => {
                self.set.end_snapshot(1);
                self.taken.active = 0;
                let given = std::mem::take(&mut self.taken.given);
                assert_eq!(given.len(), self.expected.len());
                assert_eq!(given.into_iter().collect::<BTreeMap<_, _>>(), self.expected);
            }
        }
    }

    fn compare(&self) {
        self.set.check();
        let order: Vec<(&[u8], f64)> = self.order.iter().map(|(score, bytes)| (&bytes[..], *score as f64)).collect();
        assert!(self.set.iter().eq(order.iter().copied()));
        assert!(self.set.iter().rev().eq(order.iter().rev().copied()));
        for (rank, (bytes, score)) in order.iter().enumerate() {
            assert_eq!((self.set.rank(bytes), self.set.score(bytes)), (Some(rank), Some(*score)));
        }
        for score in -60..60 {
            let (low, high) = (f64::from(score), f64::from(score + score % 7));
            for (min, max) in [
                (Bound::Included(low), Bound::Included(high)),
                (Bound::Excluded(low), Bound::Excluded(high)),
                (Bound::Unbounded, Bound::Excluded(high)),
                (Bound::Included(low), Bound::Unbounded),
            ] {
                let ranks = self.set.ranks_by_score(min, max);
                let expected = order
                    .iter()
                    .filter(|(_, score)| match min {
                        Bound::Included(min) => *score >= min,
                        Bound::Excluded(min) => *score > min,
                        Bound::Unbounded => true,
                    })
                    .filter(|(_, score)| match max {
                        Bound::Included(max) => *score <= max,
                        Bound::Excluded(max) => *score < max,
                        Bound::Unbounded => true,
                    });
                assert!(self.set.range(ranks).eq(expected.copied()));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 48 }, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_sorted_set_is_an_ordered_map(steps in prop::collection::vec(step(), 1..50)) {
        let mut world = World::default();
        for step in steps {
            world.apply(step);
        }
        world.compare();
        while world.taken.active != 0 {
            world.snapshot(50);
        }
        let all = world.set.len();
        world.remove_range(0, all);
        world.compare();
    }

    #[test]
    fn equal_scores_are_in_order_of_bytes(
        words in prop::collection::btree_set(prop::collection::vec(0..4u8, 0..6), 0..if cfg!(miri) { 90 } else { 600 }),
        bounds in prop::collection::vec((prop::collection::vec(0..4u8, 0..6), prop::collection::vec(0..4u8, 0..6), 0..5u8), 20),
    ) {
        let mut set = SortedSet::new();
        let mut shuffled: Vec<_> = words.iter().collect();
        shuffled.shuffle(&mut SmallRng::seed_from_u64(3));
        for word in shuffled {
            set.insert(word, 1.0, &mut ());
        }
        set.check();
        for (min, max, kind) in bounds {
            let (min, max): (Bound<&[u8]>, Bound<&[u8]>) = match kind {
                0 => (Bound::Included(&min), Bound::Included(&max)),
                1 => (Bound::Excluded(&min), Bound::Excluded(&max)),
                2 => (Bound::Unbounded, Bound::Included(&max)),
                3 => (Bound::Excluded(&min), Bound::Unbounded),
                _ => (Bound::Unbounded, Bound::Unbounded),
            };
            let expected: Vec<&[u8]> = words
                .iter()
                .map(|word| &word[..])
                .filter(|word| match min { Bound::Included(min) => *word >= min, Bound::Excluded(min) => *word > min, _ => true })
                .filter(|word| match max { Bound::Included(max) => *word <= max, Bound::Excluded(max) => *word < max, _ => true })
                .collect();
            let ranks = set.ranks_by_lex(min, max);
            prop_assert_eq!(ranks.len(), expected.len());
            prop_assert!(set.range(ranks).map(|(bytes, _)| bytes).eq(expected));
        }
    }
}

fn bytes_per_member(numbers: impl Iterator<Item = u32>) -> f64 {
    let mut set = SortedSet::new();
    for number in numbers {
        set.insert(&number.to_le_bytes(), number.into(), &mut ());
    }
    set.check();
    (set.memory() - set.members().memory()) as f64 / set.len() as f64
}

#[test]
fn leaves_are_well_filled() {
    if cfg!(miri) {
        return;
    }
    let count = 20_000;
    let mut random: Vec<u32> = (0..count).collect();
    random.shuffle(&mut SmallRng::seed_from_u64(5));
    // 16.2 bytes at best, half a byte for inner nodes.
    assert!(bytes_per_member(0..count) < 17.3);
    assert!(bytes_per_member((0..count).rev()) < 17.3);
    assert!(bytes_per_member(random.into_iter()) < 22.0);
}

#[test]
fn iterators_meet() {
    let mut set = SortedSet::new();
    for number in 0..200u8 {
        set.insert(&[number], number.into(), &mut ());
    }
    let mut elements = set.range(10..190);
    assert_eq!(elements.len(), 180);
    assert_eq!(elements.next(), Some((&[10][..], 10.0)));
    assert_eq!(elements.next_back(), Some((&[189][..], 189.0)));
    assert_eq!(elements.nth(100), Some((&[111][..], 111.0)));
    assert_eq!(elements.nth_back(70), Some((&[118][..], 118.0)));
    let rest: Vec<_> =
        std::iter::from_fn(|| elements.next().and_then(|front| Some((front.0, elements.next_back()?.0)))).collect();
    assert_eq!(rest, [(&[112][..], &[117][..]), (&[113], &[116]), (&[114], &[115])]);
    assert_eq!((elements.next(), elements.next_back(), elements.len()), (None, None, 0));
    assert_eq!(set.range(190..500).len(), 10);
    assert_eq!(set.range(500..600).next(), None);
    assert_eq!(set.range(0..200).nth(500), None);
}

#[test]
fn zeros_are_equal_and_infinities_are_ends() {
    let mut set = SortedSet::new();
    set.insert(b"a", 0.0, &mut ());
    assert_eq!(set.insert(b"a", -0.0, &mut ()), Change::Same);
    set.insert(b"b", f64::NEG_INFINITY, &mut ());
    set.insert(b"c", f64::INFINITY, &mut ());
    assert_eq!(set.ranks_by_score(Bound::Included(-0.0), Bound::Included(0.0)), 1..2);
    assert_eq!(set.ranks_by_score(Bound::Included(f64::NEG_INFINITY), Bound::Included(f64::INFINITY)), 0..3);
    assert_eq!(set.ranks_by_score(Bound::Included(5.0), Bound::Included(1.0)).len(), 0);
    set.check();
}

#[test]
fn random_elements_and_scans_come_from_the_set() {
    let mut set = SortedSet::new();
    let mut rng = SmallRng::seed_from_u64(9);
    assert!(set.random(&mut || 0).is_none());
    for number in 0..100u8 {
        set.insert(&[number], number.into(), &mut ());
    }
    let found = set.random(&mut || rng.random()).expect("not empty");
    assert_eq!(found.bytes(), [found.score() as u8]);
    let (mut cursor, mut seen) = (0, 0);
    loop {
        cursor = set.scan(cursor, |_| seen += 1);
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(seen, 100);
}

#[test]
fn members_in_no_order_are_ranked_at_the_end() {
    use structures::ranked::{SortedSet, Unranked};
    const MEMBERS: u32 = if cfg!(miri) { 300 } else { 10_000 };
    let (mut unranked, mut one_by_one) = (Unranked::new(), SortedSet::new());
    for n in 0..MEMBERS {
        let mixed = n.wrapping_mul(0x9E37_79B1);
        // Many share a score, so that the bytes decide; 0 and -0 are one.
        let score = if mixed % 7 == 0 { -0.0 } else { f64::from(mixed % 100) };
        assert!(unranked.add(&mixed.to_be_bytes(), score));
        assert!(!unranked.add(&mixed.to_be_bytes(), 1.0));
        one_by_one.insert(&mixed.to_be_bytes(), score, &mut ());
    }
    let ranked = unranked.rank();
    ranked.check();
    assert!(ranked.iter().eq(one_by_one.iter()));
    drop(Unranked::new().rank());
}
