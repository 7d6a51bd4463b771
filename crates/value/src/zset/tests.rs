//! Sorted sets against a sorted vector.

use proptest::prelude::*;

use super::*;
use crate::random::test_rng;

type Model = Vec<(Vec<u8>, f64)>;

fn elements<'a>(items: impl Iterator<Item = (Item<'a>, f64)>) -> Model {
    items.map(|(member, score)| (member.to_vec(), score)).collect()
}

/// The ranks of the elements that are `inside`.
fn ranks(model: &Model, inside: impl Fn(&[u8], f64) -> bool) -> Vec<usize> {
    (0..model.len()).filter(|i| inside(&model[*i].0, model[*i].1)).collect()
}

fn sort(model: &mut Model) {
    model.sort_by(|(a, x), (b, y)| x.partial_cmp(y).unwrap().then_with(|| a.cmp(b)));
}

#[test]
fn encodings_change_where_the_peer_changes_them() {
    let limits = Limits { zset_listpack_entries: 2, zset_listpack_value: 5, ..Limits::default() };
    let mut zset = Zset::new();
    assert_eq!(zset.insert(b"a", 1.0, &limits), Change::Added);
    assert_eq!(zset.insert(b"b", 1.0, &limits), Change::Added);
    assert_eq!(zset.insert(b"b", 2.5, &limits), Change::Updated { old: 1.0 });
    assert_eq!(zset.insert(b"b", 2.5, &limits), Change::Same);
    assert_eq!(zset.encoding(), "listpack");
    zset.insert(b"c", 0.0, &limits);
    assert_eq!((zset.encoding(), zset.len()), ("skiplist", 3));
    zset.remove(b"a");
    zset.compact(&limits);
    assert_eq!(zset.encoding(), "listpack");
    let mut zset = Zset::new();
    zset.insert(b"longer", 1.0, &limits);
    assert_eq!(zset.encoding(), "skiplist");
    let mut zset = Zset::new();
    zset.prepare(3, 1, &limits);
    assert_eq!(zset.encoding(), "skiplist");
}

#[test]
fn scores_are_stored_as_the_peer_stores_them() {
    let mut zset = Zset::new();
    for (member, score) in [("i", 3.0), ("f", 1.5), ("n", f64::NEG_INFINITY), ("z", -0.0)] {
        zset.insert(member.as_bytes(), score, &Limits::default());
    }
    let wanted: Listpack = [
        Item::from(b"n"),
        Item::from(b"-inf"),
        Item::from(b"z"),
        Item::Int(0),
        Item::from(b"f"),
        Item::from(b"1.5"),
        Item::from(b"i"),
        Item::Int(3),
    ]
    .into_iter()
    .collect();
    assert_eq!(zset.listpack().unwrap().as_bytes(), wanted.as_bytes());
}

#[test]
fn listpacks_of_others_are_checked() {
    let from = |items: &[&[u8]]| Zset::from_listpack(items.iter().copied().collect());
    assert!(from(&[b"b", b"1", b"a", b"2", b"c", b"2"]).is_some());
    assert!(from(&[b"b", b"1", b"c", b"2", b"a", b"2"]).is_none());
    assert!(from(&[b"b", b"2", b"c", b"1"]).is_none());
    assert!(from(&[b"b", b"1", b"b", b"2"]).is_none());
    assert!(from(&[b"b", b"nan"]).is_none());
    assert!(from(&[b"b", b"x"]).is_none());
    assert!(from(&[b"b"]).is_none());
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-c]{0,2}".prop_map(String::into_bytes),
        3 => (-9i64..20).prop_map(|i| i.to_string().into_bytes()),
        1 => "[a-d]{60,70}".prop_map(String::into_bytes),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (-4i32..4).prop_map(f64::from),
        2 => (-40i32..40).prop_map(|i| f64::from(i) / 8.0),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0), Just(1e300)],
    ]
}

fn limits(tiny: bool) -> Limits {
    if tiny {
        Limits { zset_listpack_entries: 5, zset_listpack_value: 8, ..Limits::default() }
    } else {
        Limits { zset_listpack_value: 100, ..Limits::default() }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn behaves_as_a_sorted_vector(
        tiny: bool,
        steps in proptest::collection::vec((0u8..10, member(), score(), 0usize..8, 0usize..4), 0..120),
        seed: u64,
    ) {
        let limits = limits(tiny);
        let mut rng = test_rng(seed);
        let mut zset = Zset::new();
        let mut model = Model::new();
        for (step, member, score, a, b) in steps {
            match step {
                0..=5 => {
                    let wanted = match model.iter_mut().find(|(other, _)| *other == member) {
                        Some((_, old)) if *old == score => Change::Same,
                        Some((_, old)) => Change::Updated { old: std::mem::replace(old, score) },
                        None => { model.push((member.clone(), score)); Change::Added }
                    };
                    sort(&mut model);
                    prop_assert_eq!(zset.insert(&member, score, &limits), wanted);
                }
                6 => {
                    let at = model.iter().position(|(other, _)| *other == member);
                    prop_assert_eq!(zset.remove(&member), at.map(|at| model.remove(at).1));
                }
                7 => {
                    let mut gone = Model::new();
                    let count = zset.remove_range(a..a + b, |member, score| gone.push((member.to_vec(), score)));
                    let end = (a + b).min(model.len());
                    let wanted: Model = if a < end { model.drain(a..end).collect() } else { Model::new() };
                    prop_assert_eq!(count, wanted.len());
                    prop_assert_eq!(gone, wanted);
                }
                8 => {
                    let popped = if a % 2 == 0 {
                        (zset.pop_min(|m, s| (m.to_vec(), s)), (!model.is_empty()).then(|| model.remove(0)))
                    } else {
                        (zset.pop_max(|m, s| (m.to_vec(), s)), model.pop())
                    };
                    prop_assert_eq!(popped.0, popped.1);
                }
                _ => zset.compact(&limits),
            }
            prop_assert_eq!(elements(zset.iter()), model.clone());
            prop_assert_eq!((zset.len(), zset.is_empty()), (model.len(), model.is_empty()));
            let at = model.iter().position(|(other, _)| *other == member);
            prop_assert_eq!(zset.rank(&member), at);
            prop_assert_eq!(zset.score(&member), at.map(|at| model[at].1));
        }
        for a in 0..=model.len() + 1 {
            for b in [a, a + 1, a + 3, usize::MAX / 2] {
                let wanted: Model = model.iter().skip(a).take(b - a).cloned().collect();
                prop_assert_eq!(elements(zset.range(a..b)), wanted.clone());
                let wanted: Model = wanted.into_iter().rev().collect();
                prop_assert_eq!(elements(zset.range(a..b).rev()), wanted);
            }
        }
        let mut scanned = Model::new();
        let mut cursor = 0;
        loop {
            cursor = zset.scan(cursor, 3, |member, score| scanned.push((member.to_vec(), score)));
            if cursor == 0 { break; }
        }
        sort(&mut scanned);
        scanned.dedup();
        prop_assert_eq!(&scanned, &model);
        for count in [0, 1, 3, model.len() + 1] {
            let mut chosen = Model::new();
            zset.sample(count, &mut rng, |member, score| chosen.push((member.to_vec(), score)));
            sort(&mut chosen);
            chosen.dedup();
            prop_assert_eq!(chosen.len(), count.min(model.len()));
            prop_assert!(chosen.iter().all(|pair| model.contains(pair)));
        }
        prop_assert_eq!(zset.random(&mut rng).is_some(), !model.is_empty());
        prop_assert_eq!(elements(zset.clone().iter()), model);
    }

    #[test]
    fn ranges_are_those_of_a_filter(
        tiny: bool,
        same: bool,
        pairs in proptest::collection::vec((member(), score()), 0..20),
        min: (prop::sample::Index, bool),
        max: (prop::sample::Index, bool),
        extra in (member(), score(), member(), score()),
    ) {
        let limits = limits(tiny);
        let mut zset = Zset::new();
        let mut model = Model::new();
        for (member, score) in pairs {
            let score = if same { 1.0 } else { score };
            zset.insert(&member, score, &limits);
            model.retain(|(other, _)| *other != member);
            model.push((member, score));
        }
        sort(&mut model);
        let at = |index: prop::sample::Index, member: &Vec<u8>, score: f64| {
            let mut all = model.clone();
            all.push((member.clone(), score));
            all[index.index(all.len())].clone()
        };
        let (low_member, low) = at(min.0, &extra.0, extra.1);
        let (high_member, high) = at(max.0, &extra.2, extra.3);


        let (from, to) = (ScoreBound { value: low, exclusive: min.1 }, ScoreBound { value: high, exclusive: max.1 });
        let wanted = ranks(&model, |_, score| {
            (if from.exclusive { score > low } else { score >= low })
                && (if to.exclusive { score < high } else { score <= high })
        });
        prop_assert_eq!(zset.ranks_by_score(from, to).collect::<Vec<_>>(), wanted);

        if same {
            let bound = |member: &'_ Vec<u8>, exclusive: bool| -> Vec<u8> {
                [if exclusive { b"(" } else { b"[" }, &member[..]].concat()
            };
            let (from_text, to_text) = (bound(&low_member, min.1), bound(&high_member, max.1));
            let (from, to) = (LexBound::parse(&from_text).unwrap(), LexBound::parse(&to_text).unwrap());
            let wanted = ranks(&model, |member, _| {
                (if min.1 { member > &low_member[..] } else { member >= &low_member[..] })
                    && (if max.1 { member < &high_member[..] } else { member <= &high_member[..] })
            });
            prop_assert_eq!(zset.ranks_by_lex(from, to).collect::<Vec<_>>(), wanted);
            prop_assert_eq!(zset.ranks_by_lex(LexBound::NegInf, LexBound::PosInf), 0..model.len());
            prop_assert!(zset.ranks_by_lex(LexBound::PosInf, LexBound::NegInf).is_empty());
            prop_assert!(zset.ranks_by_lex(LexBound::PosInf, to).is_empty());
            prop_assert!(zset.ranks_by_lex(from, LexBound::NegInf).is_empty());
        }
    }
}
