//! Files from an enemy: both programs end with a verdict, tell a place inside the file, and change nothing unasked.
//!
//! Good files of every type are damaged in a few places and checked. What the checker calls good must be what the
//! server's own reader takes, and what it refuses must be what that refuses: they are strict alike.

use std::ffi::OsString;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use rdb::decode::Options;
use rdb::{Acceptance, Checksum, Decoder, Form, Meta};
use structures::entry::Entry;
use value::{End, Hash, Limits, List, Set, Value, Zset};

use crate::console::tested;
use crate::{aof_files, snapshot};

/// A snapshot of every type in small and large encodings. Without a checksum damage is found by what is read.
fn snapshot_file(summed: bool) -> Vec<u8> {
    let large = Limits {
        hash_listpack_entries: 0,
        set_intset_entries: 0,
        set_listpack_entries: 0,
        zset_listpack_entries: 0,
        list_listpack_size: 3,
        list_compress_depth: 1,
        ..Limits::default()
    };
    let form = Form::COMMON;
    let mut bytes = Vec::new();
    form.header(&mut bytes);
    form.aux(&mut bytes, b"redis-ver", b"7.2.4");
    form.function(&mut bytes, b"#!lua name=f");
    for (db, limits) in [Limits::default(), large].iter().enumerate() {
        Form::select_db(&mut bytes, db as u64);
        Form::resize_db(&mut bytes, 6, 1);
        let (mut list, mut set, mut hash, mut zset) = (List::new(), Set::new(), Hash::new(), Zset::new());
        for i in 0..9 {
            let name = if i % 3 == 0 { i.to_string() } else { format!("element {i}{}", "x".repeat(i * 9)) };
            list.push(End::Back, [name.as_bytes()], limits);
            set.add(name.as_bytes(), limits);
            hash.set(name.as_bytes(), b"value", limits);
            zset.insert(name.as_bytes(), i as f64 / 3.0, limits);
        }
        let values: [Value; 4] = [list.into(), set.into(), hash.into(), zset.into()];
        for (i, value) in values.into_iter().enumerate() {
            let key = format!("key {i}");
            let entry = Entry::new_value(key.as_bytes(), value, None);
            form.record(&mut bytes, key.as_bytes(), &Meta::default(), entry.payload()).unwrap();
        }
        let entry = Entry::new_bytes(b"string", b"some text", false, None);
        let meta = Meta { expire: Some(999), ..Meta::default() };
        form.record(&mut bytes, b"string", &meta, entry.payload()).unwrap();
        form.record(&mut bytes, b"number", &Meta::default(), Entry::new_int(b"number", 77, None).payload()).unwrap();
    }
    Form::eof(&mut bytes);
    let mut sum = Checksum::new(summed);
    sum.update(&bytes);
    bytes.extend(sum.finish());
    bytes
}

fn log_file() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut command = |line: &str| resp::encode::command(&mut bytes, &line.split(' ').collect::<Vec<_>>());
    ["select 0", "set a b", "multi", "rpush l 1 2", "incr n", "exec"].iter().for_each(|line| command(line));
    bytes.extend(b"#TS:1700000000\r\n");
    resp::encode::command(&mut bytes, &["set", "binary", "\r\n*1\r\n"]);
    bytes.extend(b"#TS:1700000100\r\n");
    resp::encode::command(&mut bytes, &["del", "a"]);
    bytes
}

#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let byte = prop_oneof![any::<u8>(), Just(0), Just(0xff), Just(0x80), Just(0x81), Just(b'\n'), b'0'..=b'9'];
    let change = prop_oneof![
        4 => (any::<Index>(), byte).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (any::<Index>(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => any::<Index>().prop_map(Change::Cut),
        1 => (any::<Index>(), vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), 1u8..20).prop_map(|(at, count)| Change::Remove(at, count)),
    ];
    vec(change, 0..4)
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        let place = |at: &Index| at.index(bytes.len().max(1)).min(bytes.len());
        match change {
            Change::Set(at, byte) => {
                let at = place(at);
                bytes.get_mut(at).into_iter().for_each(|old| *old = *byte);
            }
            Change::Flip(at, bit) => {
                let at = place(at);
                bytes.get_mut(at).into_iter().for_each(|old| *old ^= 1 << bit);
            }
            Change::Cut(at) => bytes.truncate(place(at)),
            Change::Insert(at, new) => {
                let at = place(at);
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Remove(at, count) => {
                let at = place(at);
                bytes.drain(at..(at + usize::from(*count)).min(bytes.len()));
            }
        }
    }
    bytes
}

/// A folder with one file in it, checked by a program called with these words before or behind the file's name.
struct Checked {
    code: i32,
    text: String,
    after: Vec<u8>,
}

fn check(program: &str, bytes: &[u8], words: &[&str], answer: &str) -> Checked {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    let words = words.iter().map(|word| if *word == "FILE" { path.clone().into() } else { OsString::from(word) });
    let args: Vec<OsString> = std::iter::once(program.into()).chain(words).collect();
    let (code, text) = tested(answer, |console| match program {
        "check-rdb" => snapshot::run(console, &args, 1000),
        _ => aof_files::run(console, &args, 1000),
    });
    Checked { code, text, after: std::fs::read(&path).unwrap() }
}

/// What the server says of a snapshot when it loads one, save for what only its settings decide.
fn server_takes(bytes: &[u8]) -> bool {
    let mut decoder = Decoder::new(Options { acceptance: Acceptance::Relaxed, skip: true, ..Options::default() });
    let mut rest = Some(bytes);
    loop {
        match decoder.next().map(|event| event.is_some()) {
            Err(_) => return false,
            Ok(true) => {}
            Ok(false) if decoder.is_done() => return true,
            Ok(false) => match rest.take() {
                Some(bytes) => decoder.feed(bytes),
                None => decoder.finish(),
            },
        }
    }
}

/// The numbers that stand behind `[offset `.
fn offsets(text: &str) -> Vec<u64> {
    let numbers = text.split("[offset ").skip(1).filter_map(|rest| rest.split_once(']'));
    numbers.map(|(number, _)| number.parse().unwrap()).collect()
}

#[test]
fn the_files_are_good_before_they_are_damaged() {
    for summed in [true, false] {
        let good = check("check-rdb", &snapshot_file(summed), &["FILE", "--stats"], "");
        assert!(good.code == 0 && good.text.contains("[info] 12 keys read"), "{}", good.text);
    }
    let good = check("check-aof", &log_file(), &["FILE"], "");
    assert!(good.code == 0 && good.text.contains("diff=0"), "{}", good.text);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_snapshot_gets_the_servers_verdict(summed: bool, changes in changes(), stats in 0usize..4) {
        let bytes = changed(snapshot_file(summed), &changes);
        let words = [&["FILE"][..], &["FILE", "--stats"], &["FILE", "--stats", "--format", "info"],
            &["FILE", "--stats", "--format", "csv"]][stats];
        let checked = check("check-rdb", &bytes, words, "");
        prop_assert_eq!(checked.code, i32::from(!server_takes(&bytes)), "{}", checked.text);
        prop_assert_eq!(checked.text.contains("--- RDB ERROR DETECTED ---"), checked.code == 1);
        prop_assert_eq!(checked.text.contains("\\o/ RDB looks OK"), checked.code == 0);
        prop_assert!(offsets(&checked.text).iter().all(|offset| *offset <= bytes.len() as u64), "{}", checked.text);
        prop_assert!(checked.after == bytes);
    }

    #[test]
    fn a_log_is_mended_once_and_for_all(changes in changes(), preamble: bool) {
        let begins_with = if preamble { snapshot_file(false) } else { Vec::new() };
        let bytes = [begins_with, changed(log_file(), &changes)].concat();
        let looked = check("check-aof", &bytes, &["FILE"], "");
        prop_assert!(looked.after == bytes);
        let refused = check("check-aof", &bytes, &["--fix", "FILE"], "n\n");
        prop_assert!(refused.after == bytes);
        prop_assert_eq!(refused.code, looked.code);
        let mended = check("check-aof", &bytes, &["--fix", "FILE"], "y\n");
        prop_assert!(bytes.starts_with(&mended.after));
        if mended.code == 0 {
            prop_assert_eq!(check("check-aof", &mended.after, &["FILE"], "").code, 0);
        } else {
            prop_assert!(mended.after == bytes);
        }
        let earlier = check("check-aof", &bytes, &["--truncate-to-timestamp", "1700000050", "FILE"], "");
        prop_assert!(bytes.starts_with(&earlier.after));
    }

    #[test]
    fn any_bytes_get_a_verdict(bytes in vec(any::<u8>(), 0..200), header in 0usize..4) {
        let header: &[u8] = [&b""[..], b"REDIS0011", b"VALKEY080", b"file a seq 1 type i\n"][header];
        let bytes = [header, &bytes].concat();
        let snapshot = check("check-rdb", &bytes, &["FILE", "--stats"], "");
        prop_assert_eq!(snapshot.code, i32::from(!server_takes(&bytes)));
        let log = check("check-aof", &bytes, &["--fix", "FILE"], "y\n");
        prop_assert!(log.code == 0 || log.code == 1);
        prop_assert!(bytes.starts_with(&log.after));
    }
}

#[test]
fn names_that_are_no_files_are_told() {
    for program in ["check-rdb", "check-aof"] {
        for name in ["/", "/nowhere/at/all", ""] {
            let args = [OsString::from(program), Path::new(name).into()];
            let (code, _) = tested("", |console| match program {
                "check-rdb" => snapshot::run(console, &args, 0),
                _ => aof_files::run(console, &args, 0),
            });
            assert_eq!(code, 1, "{program} {name:?}");
        }
    }
}
