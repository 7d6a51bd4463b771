//! Quicklists: memory, sharing, compression, and behaviour against a vector.

use proptest::prelude::*;

use super::*;

fn elements(list: &Quicklist) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut cursor = list.cursor(0, false);
    while let Some(item) = cursor.next_item() {
        out.push(item.to_vec());
    }
    out
}

#[test]
fn a_million_small_elements_cost_little() {
    let mut list = Quicklist::new();
    let options = Options::default();
    let mut bytes = 0;
    for i in 0..1_000_000 {
        let element = format!("value:{i}");
        bytes += element.len() + 2;
        list.push(End::Back, element.as_bytes(), options);
    }
    assert_eq!(size_of::<Node>(), 16);
    // Nodes of 8 KiB waste at most their last element's room, and 0.7 % for what surrounds them.
    assert!(list.memory() < bytes + bytes / 50, "{} for {bytes}", list.memory());
    list.check();
}

#[test]
fn a_clone_shares_and_stays() {
    let options = Options { fill: 2, compress_depth: 0 };
    let mut list = Quicklist::new();
    for i in 0..10 {
        list.push(End::Back, format!("{i}").as_bytes(), options);
    }
    let kept = list.clone();
    list.remove_range(2, 5, options);
    list.replace(0, b"changed", options);
    list.pop(End::Back, options, |_| ());
    assert_eq!(elements(&kept).concat(), b"0123456789");
    assert_eq!(elements(&list).concat(), b"changed178");
}

#[test]
fn inner_nodes_are_compressed() {
    let options = Options { fill: -1, compress_depth: 1 };
    let mut list = Quicklist::new();
    for i in 0..2000 {
        list.push(End::Back, format!("a rather repetitive element {}", i / 10).as_bytes(), options);
    }
    let lzf = list.nodes().filter(|node| matches!(node, NodeView::Lzf { .. })).count();
    assert_eq!(lzf, list.node_count() - 2);
    assert_eq!(list.with(1000, |item| item.to_vec()).unwrap(), b"a rather repetitive element 100");
    list.check();
    while list.pop(End::Front, options, |_| ()).is_some() {
        list.check();
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<u8>),
    Pop(End),
    Insert(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    RemoveRange(usize, usize),
    RemoveEqual(Vec<u8>, usize, bool),
    Options(Options),
    Single,
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[ab]{0,2}".prop_map(String::into_bytes),
        4 => (-300i64..300).prop_map(|i| i.to_string().into_bytes()),
        2 => (b'a'..b'd', 50usize..200).prop_map(|(byte, len)| vec![byte; len]),
        1 => (b'a'..b'd', 4000usize..9000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Front), Just(End::Back)]
}

fn options() -> impl Strategy<Value = Options> {
    (prop_oneof![Just(-1), Just(-2), Just(-5), 0..4i32, Just(40)], 0u32..4)
        .prop_map(|(fill, compress_depth)| Options { fill, compress_depth })
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (end(), element()).prop_map(|(end, e)| Step::Push(end, e)),
        2 => end().prop_map(Step::Pop),
        3 => (0usize..60, element()).prop_map(|(i, e)| Step::Insert(i, e)),
        2 => (0usize..60, element()).prop_map(|(i, e)| Step::Replace(i, e)),
        1 => (0usize..60, 0usize..10).prop_map(|(i, n)| Step::RemoveRange(i, n)),
        1 => ("[ab]{0,2}".prop_map(String::into_bytes), 1usize..5, any::<bool>()).prop_map(|(e, n, r)| Step::RemoveEqual(e, n, r)),
        1 => options().prop_map(Step::Options),
        1 => Just(Step::Single),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 200 }, failure_persistence: None, ..Default::default() })]

    #[test]
    fn behaves_as_a_vector(first in options(), steps in proptest::collection::vec(step(), 0..80)) {
        let mut options = first;
        let mut list = Quicklist::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            match step {
                Step::Push(End::Front, e) => { list.push(End::Front, &e, options); model.insert(0, e); }
                Step::Push(End::Back, e) => { list.push(End::Back, &e, options); model.push(e); }
                Step::Pop(end) => {
                    let popped = list.pop(end, options, |item| item.to_vec());
                    let wanted = match end {
                        End::Front if model.is_empty() => None,
                        End::Front => Some(model.remove(0)),
                        End::Back => model.pop(),
                    };
                    prop_assert_eq!(popped, wanted);
                }
                Step::Insert(i, e) => {
                    let i = i.min(model.len());
                    list.insert(i, &e, options);
                    model.insert(i, e);
                }
                Step::Replace(i, e) => {
                    prop_assert_eq!(list.replace(i, &e, options), i < model.len());
                    if i < model.len() { model[i] = e; }
                }
                Step::RemoveRange(i, n) => {
                    let end = (i + n).min(model.len());
                    let wanted = end.saturating_sub(i);
                    prop_assert_eq!(list.remove_range(i, n, options), wanted);
                    if wanted > 0 { model.drain(i..end); }
                }
                Step::RemoveEqual(e, most, reverse) => {
                    let mut places: Vec<usize> = (0..model.len()).filter(|i| model[*i] == e).collect();
                    if reverse { places.reverse(); }
                    places.truncate(most);
                    prop_assert_eq!(list.remove_equal(&e, most, reverse, options), places.len());
                    places.sort_unstable();
                    for i in places.into_iter().rev() { model.remove(i); }
                }
                Step::Options(new) => options = new,
                Step::Single => if list.node_count() <= 1 {
                    list = match list.into_listpack() {
                        Ok(pack) => Quicklist::from_listpack(pack),
                        Err(list) => list,
                    };
                },
            }
            list.check();
            prop_assert_eq!(elements(&list), model.clone());
        }
        for i in 0..=model.len() {
            prop_assert_eq!(list.with(i, |item| item.to_vec()), model.get(i).cloned());
        }
        let mut backwards = Vec::new();
        let mut cursor = list.cursor(model.len().wrapping_sub(1), true);
        while let Some(item) = cursor.next_item() {
            backwards.push(item.to_vec());
        }
        backwards.reverse();
        prop_assert_eq!(backwards, model.clone());
        list.compress(options);
        prop_assert_eq!(elements(&list), model);
    }
}
