//! How fast files are written and read: `cargo run --release -p rdb --example speed`.
//!
//! Values are random digits (which do not compress well) or words (which do); sizes are those of the decoded data.

use std::time::Instant;

use rdb::decode::Options;
use rdb::{Checksum, Content, Decoder, Event, Form, Meta};
use structures::entry::{Entry, Payload};
use value::{End, Hash, Limits, List, Value, Zset};

const KEYS: u64 = 1_000_000;

fn noise(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn text(len: usize, words: bool, state: &mut u64) -> Vec<u8> {
    let mut out = Vec::new();
    while out.len() < len {
        if words {
            out.extend_from_slice([&b"lorem "[..], b"ipsum ", b"dolor ", b"sit "][noise(state) as usize % 4]);
        } else {
            out.extend_from_slice(&noise(state).to_le_bytes());
        }
    }
    out.truncate(len);
    out
}

fn run(name: &str, compress: bool, entries: &[Entry<Value>], data: usize) {
    let form = Form { compress, ..Form::COMMON };
    let start = Instant::now();
    let mut file = Vec::new();
    let mut sum = Checksum::new(true);
    let mut out = Vec::new();
    form.header(&mut out);
    for entry in entries {
        form.record(&mut out, entry.key(), &Meta::default(), entry.payload()).expect("nothing here is new");
        if out.len() > 1 << 16 {
            sum.update(&out);
            file.extend_from_slice(&out);
            out.clear();
        }
    }
    Form::eof(&mut out);
    sum.update(&out);
    file.extend_from_slice(&out);
    file.extend_from_slice(&sum.finish());
    let written = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let mut decoder = Decoder::new(Options::default());
    let mut chunks = file.chunks(1 << 18);
    let (mut keys, mut bytes) = (0, 0);
    loop {
        let Some(event) = decoder.next().expect("the file is good") else {
            if decoder.is_done() {
                break;
            }
            decoder.feed(chunks.next().unwrap_or_default());
            continue;
        };
        if let Event::Key(record) = event {
            keys += 1;
            bytes += record.key.len()
                + match record.content {
                    Content::Bytes(bytes) => bytes.len(),
                    _ => 8,
                };
        }
    }
    let read = start.elapsed().as_secs_f64();
    assert_eq!(keys, entries.len());
    let mb = |seconds: f64| data as f64 / seconds / 1e6;
    println!(
        "{name:32} file {:6.1} MB  write {:7.0} MB/s {:5.2} Mkeys/s   read {:7.0} MB/s {:5.2} Mkeys/s  ({bytes})",
        file.len() as f64 / 1e6,
        mb(written),
        keys as f64 / written / 1e6,
        mb(read),
        keys as f64 / read / 1e6,
    );
}

fn main() {
    let mut state = 88_172_645_463_325_252;
    for (len, words) in [(16, false), (100, false), (100, true), (1000, false), (1000, true)] {
        let count = KEYS / (1 + len as u64 / 300);
        let mut data = 0;
        let entries: Vec<_> = (0..count)
            .map(|i| {
                let key = format!("key:{i:012}");
                data += key.len() + len;
                Entry::new_bytes(key.as_bytes(), &text(len, words, &mut state), false, None)
            })
            .collect();
        for compress in [false, true] {
            let name = format!(
                "strings {len} {}{}",
                if words { "words" } else { "noise" },
                if compress { ", lzf" } else { "" }
            );
            run(&name, compress, &entries, data);
        }
    }
    let limits = Limits::default();
    let mut data = 0;
    let small: Vec<Entry<Value>> = (0..KEYS / 10)
        .map(|i| {
            let mut hash = Hash::new();
            for field in 0..10 {
                hash.set(format!("field:{field}").as_bytes(), &text(20, true, &mut state), &limits);
                data += 27;
            }
            Entry::new_value(format!("hash:{i}").as_bytes(), Value::from(hash), None)
        })
        .collect();
    run("small hashes", false, &small, data);
    run("small hashes, lzf", true, &small, data);
    drop(small);
    let (mut hash, mut zset, mut list) = (Hash::new(), Zset::new(), List::new());
    for i in 0..KEYS {
        let name = format!("element:{i:010}");
        hash.set(name.as_bytes(), b"value of this", &limits);
        zset.insert(name.as_bytes(), noise(&mut state) as f64, &limits);
        list.push(End::Back, [name.as_bytes()], &limits);
    }
    let n = KEYS as usize;
    for (name, value, data) in [
        ("one big hash", Value::from(hash), n * 31),
        ("one big sorted set", Value::from(zset), n * 26),
        ("one big list", Value::from(list), n * 18),
    ] {
        let entry = Entry::new_value(b"big", value, None);
        assert!(matches!(entry.payload(), Payload::Value(_)));
        run(name, false, &[entry], data);
    }
}
