//! Bytes from an enemy: nothing panics, nothing allocates what was only announced, and what is accepted is sound.
//!
//! The process may not use more than a few hundred megabytes of address space, so an allocation of an announced length ends it.

mod common;

use std::sync::Once;

use common::{entry, plain, plain_payload};
use proptest::prelude::*;
use rdb::decode::Options;
use rdb::{Acceptance, Content, Decoder, Event, Form, Meta, Version, dump};
use structures::crc64::crc64;
use structures::entry::{Entry, Payload};
use structures::intset::Intset;
use structures::listpack::Listpack;
use value::{End, Hash, Limits, List, Set, Value, Zset};

const ADDRESS_SPACE: u64 = 768 << 20;

fn confined() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let limit = rustix::process::Rlimit { current: Some(ADDRESS_SPACE), maximum: Some(ADDRESS_SPACE) };
        rustix::process::setrlimit(rustix::process::Resource::As, limit).unwrap();
    });
}

/// Reads a payload whatever its seal says; a value that is accepted must survive being used, written and read again.
fn judge(payload: &[u8], limits: &Limits) -> bool {
    let Ok(content) = dump::read(payload, limits, Acceptance::Relaxed, false) else { return false };
    if matches!(content, Content::Empty) {
        return false;
    }
    let wanted = plain(&content);
    let made = entry(b"k", content, None);
    use_it(&made);
    let form = Form { version: Version::NEWEST, compress: true };
    let mut again = Vec::new();
    dump::write(form, &mut again, made.payload()).unwrap();
    let read = dump::read(&again, limits, Acceptance::Strict, true).unwrap();
    assert_eq!(plain(&read), wanted);
    true
}

/// What commands would do with a value.
fn use_it(entry: &Entry<Value>) {
    let Payload::Value(value) = entry.payload() else { return };
    let (mut value, limits) = (value.clone(), Limits::default());
    assert!(!value.encoding().is_empty() && value.memory(0) > 0);
    match &mut value {
        Value::Raw(_) => {}
        Value::List(list) => {
            let len = list.len();
            list.push(End::Front, [&b"new"[..]], &limits);
            list.set(len / 2, b"other", &limits);
            list.remove_range(len / 2, 1, &limits);
            while list.pop(End::Back, &limits, |_| ()).is_some() {}
        }
        Value::Set(set) => {
            let members: Vec<_> = set.iter().map(|item| item.to_vec()).collect();
            set.add(b"a new member", &limits);
            members.iter().for_each(|member| assert!(set.remove(member)));
            assert!(set.len() <= 1);
        }
        Value::Hash(hash) => {
            let fields: Vec<_> = hash.iter().map(|view| view.field.to_vec()).collect();
            hash.set(b"a new field", &[b'x'; 100], &limits);
            fields.iter().for_each(|field| assert!(hash.remove(field)));
            assert!(hash.len() <= 1);
        }
        Value::Zset(zset) => {
            let members: Vec<_> = zset.iter().map(|(item, score)| (item.to_vec(), score)).collect();
            assert!(members.windows(2).all(|pair| pair[0].1 <= pair[1].1));
            zset.insert(&[b'n'; 100], 1.0, &limits);
            members.iter().for_each(|(member, score)| assert_eq!(zset.remove(member), Some(*score)));
        }
    }
}

fn sealed(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut payload = [&[kind], body, &[11, 0]].concat();
    let sum = crc64(0, &payload);
    payload.extend(sum.to_le_bytes());
    payload
}

fn blob(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Form::plain(&mut out, bytes);
    out
}

/// Good payloads of every type.
fn corpus() -> Vec<Vec<u8>> {
    let tables = Limits {
        hash_listpack_entries: 0,
        set_intset_entries: 0,
        set_listpack_entries: 0,
        zset_listpack_entries: 0,
        list_listpack_size: 3,
        list_compress_depth: 1,
        ..Limits::default()
    };
    let mut out = Vec::new();
    for limits in [Limits::default(), tables] {
        let (mut list, mut set, mut hash, mut zset) = (List::new(), Set::new(), Hash::new(), Zset::new());
        let mut expiring = Hash::new();
        for i in 0..12 {
            let name = if i % 3 == 0 { i.to_string() } else { format!("element {i} {}", "x".repeat(i * 3)) };
            list.push(End::Back, [name.as_bytes()], &limits);
            set.add(name.as_bytes(), &limits);
            hash.set(name.as_bytes(), b"value", &limits);
            expiring.set(name.as_bytes(), b"7", &limits);
            expiring.set_expire(name.as_bytes(), (i % 2 == 0).then_some(33_177_117_420_000));
            zset.insert(name.as_bytes(), i as f64 / 3.0, &limits);
        }
        list.push(End::Back, [&[b'y'; 9000][..]], &limits);
        for value in [Value::from(list), set.into(), hash.into(), expiring.into(), zset.into()] {
            let entry = Entry::new_value(b"k", value, None);
            for compress in [false, true] {
                let mut payload = Vec::new();
                dump::write(Form { version: Version::NEWEST, compress }, &mut payload, entry.payload()).unwrap();
                out.push(payload);
            }
        }
    }
    let ziplist = b"\x16\x00\x00\x00\x13\x00\x00\x00\x04\x00\x00\x01a\x03\xf2\x02\x02bb\x04\xf3\xff";
    let quick = [&b"\x02"[..], &blob(ziplist), &blob(ziplist)].concat();
    let ex: Listpack = [&b"a"[..], b"1", b"0", b"b", b"2", b"33177117420000"].into_iter().collect();
    let ints: Intset = [1i64, 300, 70_000].into_iter().collect();
    out.extend([
        sealed(0, b"\x05hello"),
        sealed(0, b"\xc2\x01\x02\x03\x04"),
        sealed(0, b"\xc3\x05\x0a\x00a\xe0\x00\x00"),
        sealed(1, b"\x02\x01a\xc0\x05"),
        sealed(3, b"\x02\x01a\x043.25\x01b\xfe"),
        sealed(9, &blob(b"\x02\x03foo\x03\x00bar\x05hello\x05\x01world?\xff")),
        sealed(10, &blob(ziplist)),
        sealed(11, &blob(ints.as_bytes())),
        sealed(12, &blob(ziplist)),
        sealed(13, &blob(ziplist)),
        sealed(14, &quick),
        [&[24][..], &5i64.to_le_bytes(), b"\x02\x00\x01a\x01b\x03\x01c\x01d", &[12, 0], &[0; 8]].concat(),
        [&[25][..], &5i64.to_le_bytes(), &blob(ex.as_bytes()), &[12, 0], &[0; 8]].concat(),
    ]);
    out
}

#[test]
fn the_corpus_is_good() {
    confined();
    for payload in corpus() {
        assert!(
            judge(&payload, &Limits::default()),
            "type {} was refused: {:?}",
            payload[0],
            dump::read(&payload, &Limits::default(), Acceptance::Relaxed, false)
        );
    }
}

/// A change to a payload.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Insert(prop::sample::Index, Vec<u8>),
    Copy(prop::sample::Index, prop::sample::Index, u8),
    Kind(u8),
}

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => (index(), prop_oneof![any::<u8>(), Just(0), Just(0xFF), Just(0x80), Just(0x81), Just(0xC3), Just(0xFE)])
            .prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (index(), 0u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        1 => index().prop_map(Change::Cut),
        1 => (index(), proptest::collection::vec(any::<u8>(), 1..12)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (index(), index(), 1u8..20).prop_map(|(from, to, len)| Change::Copy(from, to, len)),
        1 => (0u8..27).prop_map(Change::Kind),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Change::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
            }
            Change::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Change::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Copy(from, to, len) => {
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                let piece: Vec<u8> = bytes[from..].iter().copied().take(usize::from(*len)).collect();
                let end = (to + piece.len()).min(bytes.len());
                bytes[to..end].copy_from_slice(&piece[..end - to]);
            }
            Change::Kind(kind) => bytes[0] = *kind,
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn damaged_payloads_are_refused_or_sound(
        base in any::<prop::sample::Index>(),
        changes in proptest::collection::vec(change(), 1..5),
        small: bool,
    ) {
        confined();
        let corpus = corpus();
        let payload = changed(corpus[base.index(corpus.len())].clone(), &changes);
        let tight = Limits { hash_listpack_entries: 3, set_listpack_entries: 3, zset_listpack_entries: 3, set_intset_entries: 2, ..Limits::default() };
        let limits = if small { tight } else { Limits::default() };
        judge(&payload, &limits);
    }

    #[test]
    fn damaged_files_are_refused_or_sound(
        changes in proptest::collection::vec(change(), 1..6),
        chunk in 1usize..300,
        magic in 0u8..3,
        skip: bool,
    ) {
        confined();
        let header = [&b"REDIS0011"[..], b"VALKEY080", b"REDIS0012"][usize::from(magic)];
        let mut file = header.to_vec();
        let form = Form { version: Version::NEWEST, compress: false };
        form.aux(&mut file, b"redis-ver", b"7.2.4");
        form.function(&mut file, b"#!lua name=f\n");
        Form::select_db(&mut file, 0);
        Form::resize_db(&mut file, 5, 1);
        if magic == 1 {
            // A slot import and a module's data.
            file.extend(b"\xf3\x28");
            file.extend([b'n'; 40]);
            file.extend(b"\x01\x05\x07\xf7\x81\x00\x00\x00\x00\x00\x00\x04\x01\x02\x00\x01\x05\x04\x00\x00\x00\x00\x00\x00\x00\x00\x05\x02hi\x00");
        }
        for payload in corpus().iter().step_by(3) {
            let entry_kind = payload[0];
            if entry_kind < 22 {
                let meta = Meta { expire: Some(33_177_117_420_000), idle: Some(3), freq: None };
                let entry = Entry::new_int(b"n", 5, None);
                form.record(&mut file, b"n", &meta, entry.payload()).unwrap();
                file.push(entry_kind);
                file.extend(b"\x03key");
                file.extend(&payload[1..payload.len() - 10]);
            }
        }
        // A stream of the first version.
        file.extend(b"\x0f\x03str\x01\x10");
        file.extend([0; 16]);
        file.extend(blob(Listpack::new().as_bytes()));
        file.extend(b"\x00\x00\x00\x01\x05group\x00\x00\x01");
        file.extend([0; 24]);
        file.extend(b"\x01\x01\x08consumer");
        file.extend([0; 8]);
        file.extend(b"\x01");
        file.extend([0; 16]);
        Form::eof(&mut file);
        file.extend([0; 8]);
        let end = file.len();
        let good = run(&file, chunk, skip);
        prop_assert_eq!(good, if skip { Ok(end as u64) } else { Err(()) });
        let head = if changes.len() > 3 { 0 } else { 9 };
        let damaged = [file[..head].to_vec(), changed(file[head..].to_vec(), &changes)].concat();
        let _ = run(&damaged, chunk, skip);
    }

    #[test]
    fn noise_is_refused_or_sound(bytes in proptest::collection::vec(any::<u8>(), 0..200), kind in 0u8..27, chunk in 1usize..50) {
        confined();
        judge(&[&[kind][..], &bytes].concat(), &Limits::default());
        let _ = run(&[b"REDIS0011", &bytes[..]].concat(), chunk, true);
        let _ = run(&bytes, chunk, false);
    }
}

/// Reads a file; where it ended, or that it is damaged.
fn run(bytes: &[u8], chunk: usize, skip: bool) -> Result<u64, ()> {
    let mut decoder = Decoder::new(Options { acceptance: Acceptance::Relaxed, skip, ..Options::default() });
    let mut chunks = bytes.chunks(chunk);
    loop {
        let mut failure = None;
        let next = decoder.next().unwrap_or_else(|error| {
            failure = Some(error);
            None
        });
        if let Some(event) = next {
            if let Event::Key(record) = event {
                use_it(&entry(record.key, record.content, record.expire));
            }
            continue;
        }
        if let Some(error) = failure {
            assert!(error.offset <= bytes.len() as u64, "{error}");
            assert!(!error.to_string().is_empty());
            return Err(());
        }
        if decoder.is_done() {
            return Ok(decoder.offset());
        }
        match chunks.next() {
            Some(chunk) => decoder.feed(chunk),
            None => decoder.finish(),
        }
    }
}

#[test]
fn announced_lengths_are_not_believed() {
    confined();
    let huge = b"\x81\x00\x00\x00\xff\xff\xff\xff\xff";
    let big = b"\x80\xff\xff\xff\xff";
    for length in [&huge[..], big] {
        for kind in 0..=22 {
            for tail in
                [&b""[..], b"\x01a", b"\x01a\x01b", b"\xc3\x05\x81\x00\x00\x00\x7f\xff\xff\xff\xff\x00a\xe0\x00\x00"]
            {
                let body = [length, tail].concat();
                assert!(!judge(&sealed(kind, &body), &Limits::default()));
                let file = [&b"VALKEY080"[..], &[kind, 1, b'k'], &body, tail].concat();
                assert_eq!(run(&file, 7, true), Err(()));
            }
        }
        for opcode in 243..=255 {
            let file = [&b"VALKEY080"[..], &[opcode], length, length].concat();
            assert_eq!(run(&file, 7, true), Err(()), "opcode {opcode}");
        }
    }
}

/// The payloads with which Valkey's own suite tries to break it: texts like "\x0D\x1B…" in its files.
#[test]
fn the_payloads_of_the_peers_suite_do_no_harm() {
    confined();
    let Some(peers) = std::env::var_os("RUBELLITE_PEERS") else { return };
    let file = std::path::Path::new(&peers).join("suite/tests/integration/corrupt-dump.tcl");
    let Ok(text) = std::fs::read_to_string(file) else { return };
    let mut seen = 0;
    for quoted in text.split('"').filter(|text| text.starts_with("\\x")) {
        let mut payload = Vec::new();
        let mut rest = quoted.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            let hex = rest.get(2..4).and_then(|hex| std::str::from_utf8(hex).ok());
            match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                Some(value) if rest.starts_with(b"\\x") => {
                    payload.push(value);
                    rest = &rest[4..];
                }
                _ => {
                    payload.push(byte);
                    rest = tail;
                }
            }
        }
        judge(&payload, &Limits::default());
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}

#[test]
fn what_was_read_equals_what_is_written() {
    for payload in corpus() {
        let limits = Limits::default();
        let content = dump::read(&payload, &limits, Acceptance::Relaxed, false).unwrap();
        let wanted = plain(&content);
        assert_eq!(plain_payload(entry(b"k", content, None).payload()), wanted);
    }
}
