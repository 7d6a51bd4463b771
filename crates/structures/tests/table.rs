//! The table against a map: contents, scans, snapshots, flags and drops, through growth, splits, merges and shrinking.

use proptest::prelude::*;
use rand::{Rng, SeedableRng, rngs::SmallRng};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use structures::entry::{Entry, Payload};
use structures::hash::hash;
use structures::table::{Probe, Table, Watch};

type Plain = Entry<()>;

const CASES: u32 = if cfg!(miri) { 2 } else { 48 };

fn config() -> ProptestConfig {
    ProptestConfig { cases: CASES, failure_persistence: None, ..Default::default() }
}

fn key(number: u32) -> [u8; 4] {
    number.to_le_bytes()
}

fn number(key: &[u8]) -> u32 {
    u32::from_le_bytes(key.try_into().expect("four bytes"))
}

fn value(entry: &Plain) -> i64 {
    match entry.payload() {
        Payload::Int(value) => value,
        other => panic!("{other:?} is no integer"),
    }
}

/// Everything that two snapshots were given early.
#[derive(Default)]
struct Taken {
    active: u8,
    given: [Vec<(u32, i64)>; 2],
}

impl Watch<Plain> for Taken {
    const ACTIVE_POSSIBLE: bool = true;

    fn active(&self) -> u8 {
        self.active
    }

    fn hand_over(&mut self, snapshot: u8, entry: &Plain, _access: u16) {
        self.given[snapshot as usize].push((number(entry.key()), value(entry)));
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Set keys from a number on to a value.
    Set(u32, u32, i64),
    Remove(u32, u32),
    Flag(u32, u32, bool),
    /// Begin snapshot 0 or 1, or take its walk further by a budget; it ends when the walk does.
    Snapshot(u8, usize),
    Abandon(u8),
    /// Take the scan further by some calls.
    Scan(usize),
    Cycle(u64, usize),
}

fn step(keys: u32) -> impl Strategy<Value = Step> {
    let len = 1..keys / 4;
    prop_oneof![
        4 => (0..keys, len.clone(), any::<i64>()).prop_map(|(first, len, value)| Step::Set(first, len, value)),
        3 => (0..keys, len.clone()).prop_map(|(first, len)| Step::Remove(first, len)),
        1 => (0..keys, len, any::<bool>()).prop_map(|(first, len, flag)| Step::Flag(first, len, flag)),
        4 => (0..2u8, 1..keys as usize).prop_map(|(snapshot, budget)| Step::Snapshot(snapshot, budget)),
        1 => (0..2u8).prop_map(Step::Abandon),
        3 => (1..200usize).prop_map(Step::Scan),
        1 => (0..2000u64, 1..500usize).prop_map(|(now, budget)| Step::Cycle(now, budget)),
    ]
}

#[derive(Default)]
struct Running {
    cursor: u64,
    expected: BTreeMap<u32, i64>,
}

#[derive(Default)]
struct World {
    table: Table<Plain>,
    model: HashMap<u32, i64>,
    due: HashMap<u32, u64>,
    taken: Taken,
    snapshots: [Option<Running>; 2],
    /// A scan in progress: its cursor, what was there all the time, what was seen.
    scan: Option<(u64, HashSet<u32>, HashSet<u32>)>,
    cycle: u64,
}

impl World {
    fn apply(&mut self, step: Step) {
        match step {
            Step::Set(first, len, value) => (first..first + len).for_each(|number| self.set(number, value)),
            Step::Remove(first, len) => (first..first + len).for_each(|number| self.remove(number)),
            Step::Flag(first, len, flag) => (first..first + len).for_each(|number| self.flag(number, flag)),
            Step::Snapshot(k, budget) => self.snapshot(k, budget),
            Step::Abandon(k) => {
                if self.snapshots[k as usize].take().is_some() {
                    self.table.abandon_snapshot(k);
                    self.taken.active &= !(1 << k);
                    self.taken.given[k as usize].clear();
                }
            }
            Step::Scan(calls) => self.scan(calls),
            Step::Cycle(now, budget) => self.cycle(now, budget),
        }
    }

    fn set(&mut self, number: u32, value: i64) {
        let key = key(number);
        match self.table.probe(hash(&key), &key, &mut self.taken) {
            Probe::Found(mut found) => {
                if value % 2 == 0 {
                    found.get_mut().set_int(value);
                } else {
                    // Long enough to need another allocation, and back.
                    found.get_mut().set_bytes(&[0; 50], false);
                    found.get_mut().set_int(value);
                }
            }
            Probe::Vacant(vacant) => {
                let found = vacant.insert(Entry::new_int(&key, value, None), &mut self.taken);
                assert!(!found.flag() && found.access() == 0);
            }
        }
        self.model.insert(number, value);
    }

    fn remove(&mut self, number: u32) {
        let key = key(number);
        let removed = self.table.remove(hash(&key), &key, &mut self.taken);
        assert_eq!(removed.map(|entry| value(&entry)), self.model.remove(&number));
        self.due.remove(&number);
        if let Some((_, steady, _)) = &mut self.scan {
            steady.remove(&number);
        }
    }

    fn flag(&mut self, number: u32, flag: bool) {
        let key = key(number);
        if let Some(mut found) = self.table.find_mut(hash(&key), &key, &mut self.taken) {
            found.set_flag(flag);
            if flag {
                let due = u64::from(number % 1500);
                found.due(due);
                self.due.insert(number, due);
            } else {
                self.due.remove(&number);
            }
        }
    }

    fn snapshot(&mut self, k: u8, budget: usize) {
        let Some(running) = &mut self.snapshots[k as usize] else {
            self.table.begin_snapshot(k);
            self.taken.active |= 1 << k;
            let expected = self.model.iter().map(|(&key, &value)| (key, value)).collect();
            self.snapshots[k as usize] = Some(Running { cursor: 0, expected });
            return;
        };
        let given = &mut self.taken.given[k as usize];
        let before = given.len();
        let next =
            self.table.walk(k, running.cursor, budget, |entry, _| given.push((number(entry.key()), value(entry))));
        assert!(given.len() - before <= budget + 7);
        if let Some(cursor) = next {
            assert!(cursor > running.cursor);
            running.cursor = cursor;
            return;
        }
        self.table.end_snapshot(k);
        self.taken.active &= !(1 << k);
        let given = std::mem::take(given);
        let expected = self.snapshots[k as usize].take().expect("running").expected;
        assert_eq!(given.len(), expected.len(), "as many as there were");
        assert_eq!(given.into_iter().collect::<BTreeMap<_, _>>(), expected, "as they were");
    }

    fn scan(&mut self, calls: usize) {
        let (mut cursor, steady, mut seen) =
            self.scan.take().unwrap_or_else(|| (0, self.model.keys().copied().collect(), HashSet::new()));
        for _ in 0..calls {
            let next = self.table.scan(cursor, |found| {
                seen.insert(number(found.key()));
            });
            if next == 0 {
                assert!(steady.is_subset(&seen), "the scan missed {:?}", steady.difference(&seen));
                return;
            }
            assert!(next > cursor && next < 1 << 48);
            cursor = next;
        }
        self.scan = Some((cursor, steady, seen));
    }

    fn cycle(&mut self, now: u64, budget: usize) {
        let due = &self.due;
        let mut shown = Vec::new();
        let start = self.cycle;
        self.cycle = self.table.next_flagged(start, now, budget, |entry| {
            let number = number(entry.key());
            shown.push(number);
            due[&number]
        });
        if start == 0 && self.cycle == 0 {
            let missed = due.iter().find(|&(number, &due)| due <= now && !shown.contains(number));
            assert_eq!(missed, None);
        }
    }

    fn compare(&self, keys: u32) {
        self.table.check();
        assert_eq!((self.table.len(), self.table.flagged()), (self.model.len(), self.due.len()));
        assert!(self.table.earliest() <= self.due.values().copied().min().unwrap_or(u64::MAX));
        for number in 0..keys * 2 {
            let key = key(number);
            let found = self.table.find(hash(&key), &key);
            assert_eq!(found.as_ref().map(|found| value(found)), self.model.get(&number).copied());
            if let Some(found) = found {
                assert_eq!(found.flag(), self.due.contains_key(&number));
                assert_eq!(found.payload(), Payload::Int(self.model[&number]));
            }
        }
        let all: HashMap<u32, i64> = self.table.iter().map(|found| (number(found.key()), value(&found))).collect();
        assert_eq!(all, self.model);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_small_table_is_a_map(steps in prop::collection::vec(step(60), 1..60)) {
        let mut world = World::default();
        for step in steps {
            world.apply(step);
            world.table.check();
        }
        world.compare(60);
    }

    #[test]
    fn a_table_is_a_map(steps in prop::collection::vec(step(if cfg!(miri) { 600 } else { 6000 }), 1..60)) {
        let mut world = World::default();
        for step in steps {
            world.apply(step);
        }
        world.compare(if cfg!(miri) { 600 } else { 6000 });
        // Whatever runs comes to its end.
        for k in 0..2 {
            while world.snapshots[k as usize].is_some() {
                world.snapshot(k, 100);
            }
        }
        while world.scan.is_some() {
            world.scan(1000);
        }
        let keys: Vec<u32> = world.model.keys().copied().collect();
        keys.into_iter().for_each(|number| world.remove(number));
        world.compare(10);
        prop_assert!(world.table.memory() <= 64 + 24);
    }
}

fn filled(numbers: std::ops::Range<u32>) -> Table<Plain> {
    let mut table = Table::new();
    for number in numbers {
        table.insert(hash(&key(number)), Entry::new_int(&key(number), number.into(), None), &mut ());
    }
    table
}

#[test]
fn entries_are_dropped_once() {
    let count = if cfg!(miri) { 100 } else { 3000 };
    let token = Rc::new(());
    let fill = || {
        let mut table = Table::new();
        for number in 0..count {
            let entry = Entry::new_value(&key(number), token.clone(), None);
            table.insert(hash(&key(number)), entry, &mut ());
        }
        table
    };
    let mut table = fill();
    assert_eq!(Rc::strong_count(&token), 1 + count as usize);
    drop(table.remove(hash(&key(3)), &key(3), &mut ()));
    assert_eq!(Rc::strong_count(&token), count as usize);
    table.clear();
    assert_eq!((Rc::strong_count(&token), table.len(), table.memory()), (1, 0, 0));
    drop(fill());
    assert_eq!(Rc::strong_count(&token), 1);
    let mut entries = fill().into_iter();
    let some: Vec<_> = entries.by_ref().take(10).collect();
    assert_eq!(entries.size_hint().0, count as usize - 10);
    drop(entries);
    assert_eq!(Rc::strong_count(&token), 11);
    drop(some);
    assert_eq!(Rc::strong_count(&token), 1);
}

#[test]
fn a_forgotten_guard_leaks_its_entry_only() {
    if cfg!(miri) {
        return;
    }
    let mut table = filled(0..50);
    let mut guard = table.find_mut(hash(&key(7)), &key(7), &mut ()).expect("present");
    guard.get_mut().set_bytes(&[1; 100], false);
    std::mem::forget(guard);
    assert!(table.find(hash(&key(7)), &key(7)).is_none());
    assert_eq!((table.len(), table.iter().count()), (49, 49));
    for number in (0..50).filter(|&number| number != 7) {
        assert!(table.remove(hash(&key(number)), &key(number), &mut ()).is_some());
    }
    assert!(table.is_empty());
}

#[test]
fn readers_write_access_words() {
    let table = filled(0..100);
    for number in 0..100u16 {
        let key = key(number.into());
        table.find(hash(&key), &key).expect("present").set_access(number * 600);
    }
    for number in 0..100u16 {
        let key = key(number.into());
        let found = table.find(hash(&key), &key).expect("present");
        assert_eq!((found.access(), found.flag(), value(&found)), (number * 600, false, number.into()));
    }
}

#[test]
fn memory_comes_back() {
    let count = if cfg!(miri) { 500 } else { 20_000 };
    let mut table = filled(0..count);
    let full = table.memory();
    for number in 0..count * 9 / 10 {
        table.remove(hash(&key(number)), &key(number), &mut ());
    }
    table.check();
    assert!(table.memory() < full / 5, "{} of {full} bytes for a tenth", table.memory());
}

#[test]
fn a_scan_of_a_table_at_rest_sees_each_entry_once() {
    for count in [0, 1, 7, 30, 200, if cfg!(miri) { 500 } else { 5000 }] {
        let table = filled(0..count);
        let (mut seen, mut cursor, mut last) = (Vec::new(), 0, None);
        loop {
            let next = table.scan(cursor, |found| seen.push((number(found.key()), hash(found.key()))));
            assert!(last.is_none_or(|last| last < next) || next == 0);
            last = Some(next);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(seen.len(), count as usize);
        let distinct: HashSet<_> = seen.iter().map(|&(number, _)| number).collect();
        assert_eq!(distinct.len(), count as usize);
    }
    // Any number is a cursor.
    let table = filled(0..100);
    for cursor in [1, u64::MAX, 1 << 47, (1 << 48) - 1] {
        table.scan(cursor, |_| ());
    }
}

#[test]
fn random_entries_are_uniform() {
    if cfg!(miri) {
        return;
    }
    let mut rng = SmallRng::seed_from_u64(1);
    for count in [1, 5, 40, 150, 700] {
        let table = filled(0..count);
        let mut hits = vec![0u32; count as usize];
        let rounds = 400 * count;
        for _ in 0..rounds {
            let found = table.random(&mut || rng.random()).expect("not empty");
            hits[number(found.key()) as usize] += 1;
        }
        // Six standard deviations of a binomial with mean 400.
        assert!(hits.iter().all(|hits| (280..520).contains(hits)), "{count}: {hits:?}");
    }
    assert!(Table::<Plain>::new().random(&mut || 0).is_none());
    // Far sparser than a table gets by itself, with the draws of a broken generator.
    let table = filled(0..20);
    assert!(table.random(&mut || u64::MAX).is_some());
}

#[test]
fn samples_are_distinct_and_complete() {
    let table = filled(0..500);
    for (draw, n) in [(0, 5), (u64::MAX, 16), (1 << 63, 500), (12345 << 40, 1000)] {
        let mut seen = HashSet::new();
        table.sample(draw, n, |found| assert!(seen.insert(number(found.key()))));
        assert_eq!(seen.len(), n.min(500));
    }
}

#[test]
fn tables_cross_threads() {
    fn crosses<T: Send + Sync>(_: &T) {}
    crosses(&filled(0..1));
}

/// A scan gives keys in the order of their hashes, and whoever copies them inserts them so: they all fall into one end of
/// the hash space first.
#[test]
fn entries_may_come_in_the_order_of_their_hashes() {
    const KEYS: u32 = if cfg!(miri) { 300 } else { 50_000 };
    let mut numbers: Vec<u32> = (0..KEYS).collect();
    numbers.sort_unstable_by_key(|&n| hash(&key(n)));
    for reversed in [false, true] {
        if reversed {
            numbers.reverse();
        }
        let mut table = Table::<Plain>::new();
        for (count, &n) in numbers.iter().enumerate() {
            let mut found = table.insert(hash(&key(n)), Entry::new_int(&key(n), i64::from(n), None), &mut ());
            found.set_flag(n % 3 == 0);
            drop(found);
            if count % 1000 == 0 {
                table.check();
            }
        }
        table.check();
        assert_eq!(table.len(), KEYS as usize);
        assert_eq!(table.flagged(), numbers.iter().filter(|&&n| n % 3 == 0).count());
        assert!(numbers.iter().all(|&n| table.find(hash(&key(n)), &key(n)).is_some()));
        assert!(table.memory() <= KEYS as usize * 16 + 4096, "{} bytes for {KEYS} entries", table.memory());
        for &n in &numbers {
            assert!(table.remove(hash(&key(n)), &key(n), &mut ()).is_some());
        }
        table.check();
    }
}
