//! Listpacks: their bytes, hostile bytes, and behaviour against a vector.

use proptest::prelude::*;

use super::*;

fn texts(pack: &Listpack) -> Vec<Vec<u8>> {
    pack.iter().map(|item| item.to_vec()).collect()
}

#[test]
fn the_handle_is_one_word() {
    assert_eq!(size_of::<Listpack>(), 8);
    assert_eq!(size_of::<Option<Listpack>>(), 8);
}

#[test]
fn the_bytes_are_those_of_the_format() {
    let pack: Listpack =
        [Item::from(b"hello"), Item::from(b"127"), Item::from(b"-1"), Item::Int(300_000)].into_iter().collect();
    let mut wanted = vec![0; HEADER];
    wanted.extend(b"\x85hello\x06");
    wanted.extend(b"\x7f\x01");
    wanted.extend(b"\xdf\xff\x02");
    wanted.extend(b"\xf2\xe0\x93\x04\x04");
    wanted.push(END);
    wanted[0] = wanted.len() as u8;
    wanted[4] = 4;
    assert_eq!(pack.as_bytes(), wanted);
}

#[test]
fn every_integer_width_survives() {
    for shift in 0..64 {
        for value in [1i64 << shift, (1i64 << shift).wrapping_sub(1), (1i64 << shift).wrapping_neg(), !(1i64 << shift)]
        {
            let pack: Listpack = [value].into_iter().collect();
            assert_eq!(Listpack::validate(pack.as_bytes()), Ok(()));
            assert!(matches!(pack.index(0), Some(Item::Int(read)) if read == value), "{value}");
            assert!(matches!(pack.index(-1), Some(Item::Int(read)) if read == value), "{value}");
        }
    }
}

#[test]
fn every_text_width_survives() {
    for len in [0, 1, 62, 63, 64, 126, 127, 4094, 4095, 4096, 16_381, 16_384, 2_097_160] {
        let text = vec![b'x'; len];
        let pack: Listpack = [&text, &b"tail".to_vec()].into_iter().collect();
        assert_eq!(Listpack::validate(pack.as_bytes()), Ok(()));
        assert_eq!(texts(&pack), [text, b"tail".to_vec()]);
        assert_eq!(pack.iter().next().unwrap().len(), len);
    }
}

#[test]
fn the_count_saturates_and_comes_back() {
    let mut pack = Listpack::new();
    for i in 0..65_540 {
        pack.push_back(i % 100);
    }
    assert_eq!((pack.len(), pack.told_count()), (65_540, COUNT_UNKNOWN));
    assert_eq!(Listpack::validate(pack.as_bytes()), Ok(()));
    pack.remove_range(10, 6);
    assert_eq!((pack.len(), pack.told_count()), (65_534, 65_534));
    assert_eq!(Listpack::validate(pack.as_bytes()), Ok(()));
}

#[test]
fn hostile_bytes_are_refused() {
    let pack: Listpack = [Item::from(b"hello"), Item::Int(5), Item::from(&[b'y'; 100])].into_iter().collect();
    let good = pack.as_bytes();
    assert!(Listpack::from_bytes(good).is_ok());
    assert_eq!(Listpack::validate(&good[..good.len() - 1]), Err(Corrupt));
    assert_eq!(Listpack::validate(&[]), Err(Corrupt));
    for (at, byte) in [(0, 7), (4, 9), (6, 0xF0), (6, 0xFF), (6, 0xBF), (12, 0x85), (12, 7), (13, 0xF9)] {
        let mut bad = good.to_vec();
        bad[at] = byte;
        assert_eq!(Listpack::validate(&bad), Err(Corrupt), "byte {at} = {byte:#x}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    InsertBefore(usize, Vec<u8>),
    InsertAfter(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    RemoveRange(usize, usize),
    RemoveMany(Vec<bool>),
    Split(usize),
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        "[a-c]{0,3}".prop_map(String::into_bytes),
        any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        (-5000i64..5000).prop_map(|value| value.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..200),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => text().prop_map(Step::PushBack),
        1 => text().prop_map(Step::PushFront),
        1 => (0usize..40, text()).prop_map(|(i, t)| Step::InsertBefore(i, t)),
        1 => (0usize..40, text()).prop_map(|(i, t)| Step::InsertAfter(i, t)),
        1 => (0usize..40, text()).prop_map(|(i, t)| Step::Replace(i, t)),
        1 => (0usize..40, 0usize..5).prop_map(|(i, n)| Step::RemoveRange(i, n)),
        1 => proptest::collection::vec(any::<bool>(), 0..8).prop_map(Step::RemoveMany),
        1 => (0usize..40).prop_map(Step::Split),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

    #[test]
    fn behaves_as_a_vector(steps in proptest::collection::vec(step(), 0..60), probe in text()) {
        let mut pack = Listpack::new();
        let mut model: Vec<Vec<u8>> = Vec::new();
        for step in steps {
            match step {
                Step::PushBack(text) => { pack.push_back(&text); model.push(text); }
                Step::PushFront(text) => { pack.push_front(&text); model.insert(0, text); }
                Step::InsertBefore(i, text) => if i < model.len() {
                    let pos = pack.seek(i as isize).unwrap();
                    let new = pack.insert_before(pos, &text);
                    prop_assert!(pack.get(new) == *text);
                    model.insert(i, text);
                },
                Step::InsertAfter(i, text) => if i < model.len() {
                    let pos = pack.seek(i as isize - model.len() as isize).unwrap();
                    let new = pack.insert_after(pos, &text);
                    prop_assert!(pack.get(new) == *text);
                    model.insert(i + 1, text);
                },
                Step::Replace(i, text) => if i < model.len() {
                    let pos = pack.seek(i as isize).unwrap();
                    pack.replace(pos, &text);
                    model[i] = text;
                },
                Step::RemoveRange(i, n) => {
                    pack.remove_range(i, n);
                    if i < model.len() { model.drain(i..(i + n).min(model.len())); }
                }
                Step::RemoveMany(which) => {
                    let mut places = Vec::new();
                    let mut entries = pack.iter();
                    let mut i = 0;
                    while let Some((pos, _)) = entries.next_entry() {
                        if which.get(i) == Some(&true) { places.push(pos); }
                        i += 1;
                    }
                    pack.remove_many(&places);
                    let mut i = 0;
                    model.retain(|_| { i += 1; which.get(i - 1) != Some(&true) });
                }
                Step::Split(i) => {
                    let tail = pack.split_off(i);
                    let model_tail = if i < model.len() { model[i..].to_vec() } else { Vec::new() };
                    prop_assert_eq!(texts(&tail), model_tail);
                    prop_assert_eq!(Listpack::validate(tail.as_bytes()), Ok(()));
                    prop_assert_eq!(pack.len() + tail.len(), model.len());
                    pack.append(&tail);
                }
            }
            prop_assert_eq!(Listpack::validate(pack.as_bytes()), Ok(()));
            prop_assert_eq!(texts(&pack), model.clone());
        }
        let mut backwards: Vec<_> = pack.iter().rev().map(|item| item.to_vec()).collect();
        backwards.reverse();
        prop_assert_eq!(&backwards, &model);
        for i in 0..model.len() {
            prop_assert_eq!(pack.index(i as isize).unwrap().to_vec(), model[i].clone());
            prop_assert_eq!(pack.index(i as isize - model.len() as isize).unwrap().to_vec(), model[i].clone());
        }
        prop_assert!(pack.index(model.len() as isize).is_none());
        prop_assert!(pack.index(-1 - model.len() as isize).is_none());
        for needle in model.iter().chain([&probe]) {
            let found = pack.first().and_then(|first| pack.find(first, needle, 0));
            let wanted = model.iter().position(|text| text == needle);
            prop_assert_eq!(found, wanted.and_then(|i| pack.seek(i as isize)));
            let found = pack.first().and_then(|first| pack.find(first, needle, 1));
            let wanted = model.iter().step_by(2).position(|text| text == needle);
            prop_assert_eq!(found, wanted.and_then(|i| pack.seek(2 * i as isize)));
        }
    }

    #[test]
    fn damaged_bytes_never_panic(items in proptest::collection::vec(text(), 0..8), damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let pack: Listpack = items.iter().collect();
        let mut bytes = pack.as_bytes().to_vec();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(pack) = Listpack::from_bytes(&bytes) {
            let count = pack.iter().count();
            prop_assert_eq!(count, pack.len());
            prop_assert_eq!(count, pack.iter().rev().count());
        }
    }
}
