//! What is written is what is read, for every type in every encoding, whole or in steps, in chunks of any size.

mod common;

use common::{Plain, entry, plain, plain_payload, read};
use proptest::prelude::*;
use rdb::decode::Options;
use rdb::{Acceptance, Checksum, Content, Form, Meta, Summed, Version, dump};
use structures::entry::{Entry, Payload};
use structures::listpack::Listpack;
use value::{Element, End, Hash, Limits, List, RawString, Set, Value, Zset};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[a-d]{0,3}".prop_map(String::into_bytes),
        2 => any::<i64>().prop_map(|value| value.to_string().into_bytes()),
        2 => (-200i64..200).prop_map(|value| value.to_string().into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => (any::<u8>(), 0usize..3000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

/// Limits under which each encoding is common.
fn limits() -> impl Strategy<Value = Limits> {
    (0usize..20, 0usize..80, -5i32..5, 0u32..3).prop_map(|(entries, value, fill, depth)| Limits {
        hash_listpack_entries: entries,
        hash_listpack_value: value,
        set_intset_entries: entries,
        set_listpack_entries: entries,
        set_listpack_value: value,
        zset_listpack_entries: entries,
        zset_listpack_value: value,
        list_listpack_size: fill,
        list_compress_depth: depth,
        ..Limits::default()
    })
}

fn made(kind: u8, parts: &[(Vec<u8>, Vec<u8>, Option<i64>)], limits: &Limits) -> Entry<Value> {
    let value = match kind {
        0 => {
            let text = parts.first().map_or(&b""[..], |part| &part.0);
            return match structures::number::parse_i64(text) {
                Some(value) => Entry::new_int(b"k", value, None),
                None => Entry::new_bytes(b"k", text, false, None),
            };
        }
        1 => Value::from(RawString::from_bytes(&parts.iter().flat_map(|part| part.0.clone()).collect::<Vec<_>>())),
        2 => {
            let mut list = List::new();
            parts.iter().for_each(|part| list.push(End::Back, [&part.0[..]], limits));
            list.push(End::Back, [&b"last"[..]], limits);
            Value::from(list)
        }
        3 | 4 => {
            let mut set = Set::new();
            for (i, part) in parts.iter().enumerate() {
                // Sets of integers, too.
                let member = if kind == 3 { part.0.clone() } else { (i * 1000).to_string().into_bytes() };
                set.add(&member, limits);
            }
            set.add(b"1", limits);
            Value::from(set)
        }
        5 => {
            let mut zset = Zset::new();
            for part in parts {
                zset.insert(&part.0, part.1.len() as f64 * 0.37 - 20.0, limits);
            }
            zset.insert(b"infinite", f64::INFINITY, limits);
            Value::from(zset)
        }
        _ => {
            let mut hash = Hash::new();
            for (field, value, expire) in parts {
                hash.set(field, value, limits);
                if kind == 7 && expire.is_some() {
                    hash.set_expire(field, *expire);
                }
            }
            hash.set(b"field", b"value", limits);
            Value::from(hash)
        }
    };
    Entry::new_value(b"k", value, None)
}

fn file(form: Form, records: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    form.header(&mut out);
    form.aux_int(&mut out, b"ctime", 1_700_000_000);
    form.function(&mut out, b"#!lua name=l\n");
    Form::select_db(&mut out, 3);
    Form::resize_db(&mut out, 1, 0);
    records(&mut out);
    Form::eof(&mut out);
    let mut sum = Checksum::new(true);
    sum.update(&out);
    out.extend(sum.finish());
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..Default::default() })]

    #[test]
    fn files_survive(
        kind in 0u8..8,
        parts in proptest::collection::vec((bytes(), bytes(), proptest::option::of(0i64..4_000_000_000_000)), 0..40),
        limits in limits(),
        reading in limits(),
        compress: bool,
        chunk in prop_oneof![1usize..40, Just(usize::MAX)],
        meta in (any::<Option<i64>>(), any::<Option<u64>>(), any::<Option<u8>>()),
        key in bytes(),
    ) {
        let entry = made(kind, &parts, &limits);
        let wanted = plain_payload(entry.payload());
        let form = Form { version: Form::needed(entry.payload()), compress };
        let meta = Meta { expire: meta.0, idle: meta.1, freq: meta.2 };
        let bytes = file(form, |out| form.record(out, &key, &meta, entry.payload()).unwrap());
        prop_assert_eq!(&bytes[..6], if form.version == Version::COMMON { b"REDIS0" } else { b"VALKEY" });
        let options = Options { limits: reading, ..Options::default() };
        let got = read(&bytes, chunk, options).unwrap();
        prop_assert_eq!(got.keys.get(&(3, key)), Some(&(wanted, meta.expire)));
        prop_assert_eq!(got.aux.get(&b"ctime"[..]).map(Vec::as_slice), Some(&b"1700000000"[..]));
        prop_assert_eq!(got.functions.len(), 1);
        prop_assert_eq!(got.summed, Some(Summed::Good));
    }

    #[test]
    fn payloads_survive(
        kind in 0u8..8,
        parts in proptest::collection::vec((bytes(), bytes(), proptest::option::of(0i64..4_000_000_000_000)), 0..40),
        limits in limits(),
        compress: bool,
    ) {
        let made = made(kind, &parts, &limits);
        let form = Form { version: Version::NEWEST, compress };
        let mut payload = Vec::new();
        dump::write(form, &mut payload, made.payload()).unwrap();
        let content = dump::read(&payload, &limits, Acceptance::Strict, true).unwrap();
        prop_assert_eq!(plain(&content), plain_payload(made.payload()));
        // What was read once has settled: its encoding does not change any more.
        let first = entry(b"k", content, None);
        let mut second = Vec::new();
        dump::write(form, &mut second, first.payload()).unwrap();
        let again = entry(b"k", dump::read(&second, &limits, Acceptance::Strict, true).unwrap(), None);
        if let (Payload::Value(a), Payload::Value(b)) = (first.payload(), again.payload()) {
            prop_assert_eq!(a.encoding(), b.encoding());
        }
        for at in [0, payload.len() / 2, payload.len() - 1] {
            let mut bad = payload.clone();
            bad[at] ^= 1;
            prop_assert_eq!(dump::read(&bad, &limits, Acceptance::Strict, true).unwrap_err(), dump::Refused::Seal);
        }
    }

    #[test]
    fn steps_write_what_one_call_writes(kind in 2u8..8, parts in proptest::collection::vec((bytes(), bytes(), any::<Option<u32>>()), 0..60)) {
        let tables = Limits {
            hash_listpack_entries: 0, set_intset_entries: 0, set_listpack_entries: 0, zset_listpack_entries: 0,
            list_listpack_size: 2, ..Limits::default()
        };
        let parts: Vec<_> = parts.into_iter().map(|(a, b, expire)| (a, b, expire.map(i64::from))).collect();
        let entry = made(kind, &parts, &tables);
        let Payload::Value(value) = entry.payload() else { return Ok(()) };
        let form = Form { version: Version::NEWEST, compress: true };
        let meta = Meta { expire: Some(5), ..Meta::default() };
        let bytes = file(form, |out| match value {
            Value::List(list) => match list.storage() {
                value::list::ListStorage::Quicklist(quick) => {
                    form.begin_list(out, b"k", &meta, quick.node_count());
                    quick.nodes().for_each(|node| form.node(out, node));
                }
                value::list::ListStorage::Listpack(_) => form.record(out, b"k", &meta, entry.payload()).unwrap(),
            },
            Value::Set(set) => {
                form.begin_set(out, b"k", &meta, set.len());
                set.iter().for_each(|item| form.element(out, Element::Member(&item.text()), false));
            }
            Value::Zset(zset) => {
                form.begin_zset(out, b"k", &meta, zset.len());
                zset.iter().for_each(|(item, score)| form.element(out, Element::Scored(&item.text(), score), false));
            }
            Value::Hash(hash) => {
                let expiring = hash.expiring() > 0;
                form.begin_hash(out, b"k", &meta, hash.len(), expiring).unwrap();
                hash.iter().for_each(|view| form.element(out, Element::Field(view), expiring));
            }
            Value::Raw(_) => {}
        });
        let got = read(&bytes, 1000, Options::default()).unwrap();
        prop_assert_eq!(got.keys.get(&(3, b"k".to_vec())), Some(&(plain_payload(entry.payload()), Some(5))));
    }
}

#[test]
fn fields_that_expire_need_a_late_version() {
    let mut hash = Hash::new();
    hash.set(b"f", b"v", &Limits::default());
    hash.set_expire(b"f", Some(7));
    let entry = Entry::new_value(b"k", Value::from(hash), None);
    let mut out = Vec::new();
    assert!(Form::COMMON.record(&mut out, b"k", &Meta::default(), entry.payload()).is_err());
    assert!(dump::write(Form::COMMON, &mut out, entry.payload()).is_err());
    assert!(out.is_empty());
    dump::write(Form { version: Version::NEWEST, compress: false }, &mut out, entry.payload()).unwrap();
    assert_eq!(out[0], 22);
    assert_eq!(&out[out.len() - 10..out.len() - 8], [80, 0]);
}

#[test]
fn what_stands_before_a_key_is_of_that_key_alone() {
    let mut hash = Hash::new();
    hash.set(b"f", b"v", &Limits::default());
    let entries = [
        Entry::new_int(b"int", 5, Some(1)),
        Entry::new_bytes(b"bytes", b"x", false, Some(2)),
        Entry::new_value(b"hash", Value::from(hash), Some(3)),
    ];
    let bytes = file(Form::COMMON, |out| {
        for (i, entry) in entries.iter().enumerate() {
            let meta = Meta { expire: entry.expire(), idle: Some(1), freq: Some(2) };
            Form::COMMON.record(out, entry.key(), &meta, entry.payload()).unwrap();
            Form::COMMON.record(out, &[b'a' + i as u8], &Meta::default(), entry.payload()).unwrap();
        }
    });
    for chunk in [1, 1000] {
        let got = read(&bytes, chunk, Options::default()).unwrap();
        let expiries: Vec<_> = got.keys.iter().map(|((_, key), (_, expire))| (key.as_slice(), *expire)).collect();
        let wanted: [(&[u8], _); 6] =
            [(b"a", None), (b"b", None), (b"bytes", Some(2)), (b"c", None), (b"hash", Some(3)), (b"int", Some(1))];
        assert_eq!(expiries, wanted);
    }
}

#[test]
fn strings_in_pieces() {
    let form = Form { compress: false, ..Form::COMMON };
    let big = vec![b'x'; 100_000];
    let bytes = file(form, |out| {
        form.begin_string(out, b"big", &Meta::default(), big.len());
        big.chunks(777).for_each(|piece| out.extend_from_slice(piece));
    });
    let got = read(&bytes, 4096, Options::default()).unwrap();
    assert_eq!(got.keys[&(3, b"big".to_vec())].0, Plain::String(big));
}

#[test]
fn elements_twice_are_refused() {
    let form = Form::COMMON;
    let twice: Listpack = [&b"a"[..], b"1", b"a", b"2"].into_iter().collect();
    for (kind, body) in [
        (2u8, &b"\x02\x01a\x01a"[..]),
        (4, b"\x02\x01a\x011\x01a\x012"),
        (5, b"\x02\x01a\0\0\0\0\0\0\0\0\x01a\0\0\0\0\0\0\0\0"),
        (3, b"\x02\x01a\x011\x01a\x012"),
    ] {
        let bytes = file(form, |out| {
            out.extend([kind, 1, b'k']);
            out.extend(body);
        });
        let error = read(&bytes, usize::MAX, Options::default()).unwrap_err();
        assert_eq!(error.damage, rdb::Damage::Duplicate(rdb::Kind(kind)), "type {kind}");
    }
    for kind in [16u8, 17, 20] {
        let bytes = file(form, |out| {
            out.extend([kind, 1, b'k']);
            Form::plain(out, twice.as_bytes());
        });
        let error = read(&bytes, usize::MAX, Options::default()).unwrap_err();
        assert_eq!(error.damage, rdb::Damage::Structure(rdb::Kind(kind)), "type {kind}");
    }
}

#[test]
fn a_collection_without_elements_is_no_key() {
    for kind in [1u8, 2, 3, 4, 5, 14, 18] {
        let bytes = file(Form::COMMON, |out| out.extend([kind, 1, b'k', 0]));
        let got = read(&bytes, 3, Options::default()).unwrap();
        assert_eq!(got.keys[&(3, b"k".to_vec())].0, Plain::Nothing(0));
        let mut payload = vec![kind, 0, 11, 0];
        let sum = structures::crc64::crc64(0, &payload);
        payload.extend(sum.to_le_bytes());
        assert!(matches!(dump::read(&payload, &Limits::default(), Acceptance::Strict, true), Ok(Content::Empty)));
    }
}
