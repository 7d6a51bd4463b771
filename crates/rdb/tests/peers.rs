//! Files of real servers hold for us what they hold for them, and files of ours hold the same for them.
//!
//! Equality is that of Valkey's DEBUG DIGEST, which it computes from what it has loaded and we from what we have read. (Redis writes
//! scores in another way into its digest; what it has loaded is seen in the file that it saves then.)

mod common;

use std::path::PathBuf;

use common::{Plain, entry, read};
use e2e::{Program, Server, absent, dataset};
use rdb::decode::Options;
use rdb::{Acceptance, Checksum, Content, Decoder, Event, Form, Meta, Version, dump};
use structures::entry::{Entry, Payload};
use value::digest::Digest;
use value::{Item, Limits, Value};

/// Digest and entries, with their databases, of a file.
fn load(bytes: &[u8], options: Options) -> (String, Vec<(u64, Entry<Value>)>) {
    let mut decoder = Decoder::new(options);
    let mut chunks = bytes.chunks(1 << 16);
    let mut entries = Vec::new();
    let mut db = 0;
    loop {
        let Some(event) = decoder.next().expect("the file is good") else {
            if decoder.is_done() {
                break;
            }
            match chunks.next() {
                Some(chunk) => decoder.feed(chunk),
                None => decoder.finish(),
            }
            continue;
        };
        match event {
            Event::SelectDb(index) => db = index,
            Event::Key(record) if !matches!(record.content, Content::Empty) => {
                entries.push((db, entry(record.key, record.content, record.expire)));
            }
            _ => {}
        }
    }
    (digest(&entries), entries)
}

fn digest(entries: &[(u64, Entry<Value>)]) -> String {
    let mut data = Digest::default();
    let mut db = None;
    for (index, entry) in entries {
        if db != Some(*index) {
            data.database(*index as u32);
            db = Some(*index);
        }
        let mut key = Digest::default();
        key.mix(entry.key());
        match entry.payload() {
            Payload::Int(value) => key.string(Item::Int(value)),
            Payload::Bytes { bytes, .. } => key.string(Item::Bytes(bytes)),
            Payload::Value(value) => key.value(value, 0),
        }
        if entry.expire().is_some() {
            key.expires();
        }
        data.add(&key.0);
    }
    data.to_string()
}

fn write(form: Form, entries: &[(u64, Entry<Value>)]) -> Vec<u8> {
    let mut out = Vec::new();
    form.header(&mut out);
    form.aux_int(&mut out, b"redis-bits", 64);
    let mut db = None;
    for (index, entry) in entries {
        if db != Some(*index) {
            Form::select_db(&mut out, *index);
            db = Some(*index);
        }
        let meta = Meta { expire: entry.expire(), ..Meta::default() };
        form.record(&mut out, entry.key(), &meta, entry.payload()).unwrap();
    }
    Form::eof(&mut out);
    let mut sum = Checksum::new(true);
    sum.update(&out);
    out.extend(sum.finish());
    out
}

fn saved(server: &Server) -> Vec<u8> {
    server.connect().expect("SAVE", "OK");
    std::fs::read(server.file("dump.rdb")).unwrap()
}

/// A server that has loaded this file.
fn with_file(program: &Program, bytes: &[u8], arguments: &[&str]) -> Server {
    let mut server = Server::prepare(program, arguments);
    std::fs::write(server.file("dump.rdb"), bytes).unwrap();
    server.boot();
    server
}

#[test]
fn files_of_peers_and_ours_agree() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-server");
    };
    for program in Program::peers() {
        for compressed in
            [&["--list-compress-depth", "1", "--list-max-listpack-size", "4"][..], &["--rdbcompression", "no"]]
        {
            let server = Server::start_program(&program, compressed);
            dataset::fill(&server);
            let bytes = saved(&server);
            let relaxed = Options { acceptance: Acceptance::Relaxed, ..Options::default() };
            let (ours, entries) = load(&bytes, relaxed);
            assert!(entries.len() > 50);
            if program == valkey {
                assert_eq!(ours, dataset::digest(&server));
            }
            let form = Form { version: Version::COMMON, compress: true };
            let back = write(form, &entries);
            for reader in Program::peers() {
                let server = with_file(&reader, &back, &[]);
                let what = format!("{reader:?} loaded what {program:?} had saved and we written");
                assert_eq!(load(&saved(&server), relaxed).0, ours, "{what}");
                if reader == valkey {
                    assert_eq!(dataset::digest(&server), ours, "{what}");
                }
            }
        }
    }
}

#[test]
fn fields_that_expire_agree_with_valkey() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-server");
    };
    let server = Server::start_program(&valkey, &[]);
    let mut client = server.connect();
    client.run("HSET h a 1 b 2 c 3");
    client.run("HPEXPIREAT h 33177117420000 FIELDS 2 a b");
    let bytes = saved(&server);
    assert!(bytes.starts_with(b"VALKEY080"));
    let (ours, entries) = load(&bytes, Options::default());
    assert_eq!(ours, dataset::digest(&server));
    let form = Form { version: Version::FIELD_EXPIRY, compress: true };
    let server = with_file(&valkey, &write(form, &entries), &[]);
    assert_eq!(dataset::digest(&server), ours);
    server.connect().expect(
        "HPEXPIRETIME h FIELDS 3 a b c",
        "1) (integer) 33177117420000\n2) (integer) 33177117420000\n3) (integer) -1",
    );
}

#[test]
fn fields_that_expire_are_read_from_redis() {
    let Some(redis) = Program::redis() else { return absent("RUBELLITE_PEERS names no folder with bin/redis-server") };
    let server = Server::start_program(&redis, &[]);
    let mut client = server.connect();
    if client.run("HSET small a 1 b 2 c 3").is_error()
        || client.run("HPEXPIREAT small 33177117420000 FIELDS 1 b").is_error()
    {
        return absent("this Redis has no fields that expire");
    }
    client.run("CONFIG SET hash-max-listpack-entries 2");
    client.run("HSET big a 1 b 2 c 3");
    client.run("HPEXPIREAT big 33177117420000 FIELDS 1 b");
    client.run("HPEXPIREAT big 33177117410000 FIELDS 1 c");
    let bytes = saved(&server);
    let strict = read(&bytes, usize::MAX, Options::default()).unwrap_err();
    assert!(matches!(strict.damage, rdb::Damage::Version(12..)));
    let got = read(&bytes, 7, Options { acceptance: Acceptance::Relaxed, ..Options::default() }).unwrap();
    let hash = |fields: [(&str, &str, Option<i64>); 3]| {
        Plain::Hash(fields.map(|(f, v, e)| (f.as_bytes().to_vec(), (v.as_bytes().to_vec(), e))).into_iter().collect())
    };
    let (b, c) = (Some(33_177_117_420_000), Some(33_177_117_410_000));
    assert_eq!(got.keys[&(0, b"small".to_vec())].0, hash([("a", "1", None), ("b", "2", b), ("c", "3", None)]));
    assert_eq!(got.keys[&(0, b"big".to_vec())].0, hash([("a", "1", None), ("b", "2", b), ("c", "3", c)]));
}

#[test]
fn payloads_go_both_ways() {
    for program in Program::peers() {
        let server = Server::start_program(&program, &[]);
        dataset::fill(&server);
        let bytes = saved(&server);
        let (_, entries) = load(&bytes, Options { acceptance: Acceptance::Relaxed, ..Options::default() });
        let mut client = server.connect();
        let mut seen = 0;
        for (_, entry) in entries.iter().filter(|(db, _)| *db == 0).take(200) {
            let theirs = client.call(&[b"DUMP", entry.key()]).unwrap();
            let theirs = theirs.bytes().expect("the key is there");
            let read = dump::read(theirs, &Limits::default(), Acceptance::Relaxed, true).unwrap();
            assert_eq!(common::plain(&read), common::plain_payload(entry.payload()));
            let mut ours = Vec::new();
            dump::write(Form::COMMON, &mut ours, entry.payload()).unwrap();
            let reply = client.call(&[b"RESTORE", &b"copy"[..], b"0", &ours, b"REPLACE"]).unwrap();
            assert_eq!(reply.to_string(), "OK");
            let digests =
                [entry.key(), b"copy"].map(|key| client.call(&[b"DEBUG", &b"DIGEST-VALUE"[..], key]).unwrap());
            if entry.expire().is_none() {
                assert_eq!(digests[0], digests[1]);
            }
            seen += 1;
        }
        assert!(seen > 20);
    }
}

fn asset(name: &str) -> Option<Vec<u8>> {
    let peers = PathBuf::from(std::env::var_os("RUBELLITE_PEERS")?);
    std::fs::read(peers.join("suite/tests/assets").join(name)).ok()
}

#[test]
fn old_files_agree() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-server");
    };
    for name in [
        "encodings.rdb",
        "encodings-rdb12.rdb",
        "encodings-rdb987.rdb",
        "hash-ziplist.rdb",
        "hash-zipmap.rdb",
        "zset-ziplist.rdb",
        "list-quicklist.rdb",
        "corrupt_empty_keys.rdb",
        "scriptbackup.rdb",
    ] {
        let Some(bytes) = asset(name) else { return absent("RUBELLITE_PEERS holds no files of old versions") };
        let server = with_file(&valkey, &bytes, &["--rdb-version-check", "relaxed"]);
        let relaxed = Options { acceptance: Acceptance::Relaxed, ..Options::default() };
        assert_eq!(load(&bytes, relaxed).0, dataset::digest(&server), "{name}");
    }
}

#[test]
fn damaged_files_are_refused_with_the_place() {
    let relaxed = Options { acceptance: Acceptance::Relaxed, ..Options::default() };
    for (name, damage, offsets) in [
        ("corrupt_ziplist.rdb", rdb::Damage::Structure(rdb::Kind::HASH_ZIPLIST), 10..1000),
        ("encodings-rdb75-unknown-types.rdb", rdb::Damage::Foreign(150), 9..100),
        ("encodings-rdb987-unknown-types.rdb", rdb::Damage::Type(150), 9..100),
    ] {
        let Some(bytes) = asset(name) else { return absent("RUBELLITE_PEERS holds no damaged files") };
        let error = read(&bytes, 10, relaxed).unwrap_err();
        assert_eq!(error.damage, damage, "{name}");
        assert!(offsets.contains(&error.offset), "{name}: {error}");
    }
}
