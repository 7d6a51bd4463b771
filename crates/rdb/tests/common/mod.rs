//! What the tests of this crate share: a plain picture of values, and files read into it.

// Each test program uses a part of this.
#![allow(dead_code)]

use std::collections::BTreeMap;

use rdb::decode::Options;
use rdb::{Content, Decoder, Error, Event, Summed};
use structures::entry::{Entry, Payload};
use value::{Item, Value};

/// A value without its encoding.
#[derive(Clone, Debug, PartialEq)]
pub enum Plain {
    String(Vec<u8>),
    List(Vec<Vec<u8>>),
    Set(Vec<Vec<u8>>),
    Zset(Vec<(Vec<u8>, f64)>),
    Hash(BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>),
    Nothing(u64),
}

pub fn plain_value(value: &Value) -> Plain {
    let text = |item: Item<'_>| item.to_vec();
    match value {
        Value::Raw(raw) => Plain::String(raw.as_bytes().to_vec()),
        Value::List(list) => {
            let mut out = Vec::new();
            list.iter().for_each(usize::MAX, |item| out.push(item.to_vec()));
            Plain::List(out)
        }
        Value::Set(set) => {
            let mut out: Vec<_> = set.iter().map(text).collect();
            out.sort_unstable();
            Plain::Set(out)
        }
        Value::Zset(zset) => Plain::Zset(zset.iter().map(|(member, score)| (member.to_vec(), score)).collect()),
        Value::Hash(hash) => {
            Plain::Hash(hash.iter().map(|view| (view.field.to_vec(), (view.value.to_vec(), view.expire))).collect())
        }
    }
}

pub fn plain(content: &Content<'_>) -> Plain {
    match content {
        Content::Int(value) => Plain::String(value.to_string().into_bytes()),
        Content::Bytes(bytes) => Plain::String(bytes.to_vec()),
        Content::Value(value) => plain_value(value),
        Content::Empty => Plain::Nothing(0),
        Content::Skipped(count) => Plain::Nothing(*count),
    }
}

/// An entry with the content that was read.
pub fn entry(key: &[u8], content: Content<'_>, expire: Option<i64>) -> Entry<Value> {
    match content {
        Content::Int(value) => Entry::new_int(key, value, expire),
        Content::Bytes(bytes) => Entry::new_bytes(key, bytes, false, expire),
        Content::Value(value) => Entry::new_value(key, value, expire),
        Content::Empty | Content::Skipped(_) => Entry::new_bytes(key, b"", false, expire),
    }
}

pub fn plain_payload(payload: Payload<'_, Value>) -> Plain {
    match payload {
        Payload::Int(value) => Plain::String(value.to_string().into_bytes()),
        Payload::Bytes { bytes, .. } => Plain::String(bytes.to_vec()),
        Payload::Value(value) => plain_value(value),
    }
}

/// The keys of a file, with database, value and expiry.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    pub keys: BTreeMap<(u64, Vec<u8>), (Plain, Option<i64>)>,
    pub aux: BTreeMap<Vec<u8>, Vec<u8>>,
    pub functions: Vec<Vec<u8>>,
    pub encodings: BTreeMap<Vec<u8>, &'static str>,
    pub summed: Option<Summed>,
}

/// Reads a file in chunks of `chunk` bytes.
pub fn read(bytes: &[u8], chunk: usize, options: Options) -> Result<Read, Error> {
    let mut decoder = Decoder::new(options);
    let mut out = Read::default();
    let mut db = 0;
    let mut chunks = bytes.chunks(chunk.max(1));
    loop {
        let Some(event) = decoder.next()? else {
            if decoder.is_done() {
                return Ok(out);
            }
            assert!(decoder.wanted() > 0);
            match chunks.next() {
                Some(bytes) => decoder.feed(bytes),
                None => decoder.finish(),
            }
            continue;
        };
        match event {
            Event::SelectDb(index) => db = index,
            Event::Aux { name, value } => {
                out.aux.insert(name.to_vec(), value.to_vec());
            }
            Event::Function(code) => out.functions.push(code.to_vec()),
            Event::Key(record) => {
                if let Content::Value(value) = &record.content {
                    out.encodings.insert(record.key.to_vec(), value.encoding());
                }
                out.keys.insert((db, record.key.to_vec()), (plain(&record.content), record.expire));
            }
            Event::Eof(summed) => out.summed = Some(summed),
            _ => {}
        }
    }
}
