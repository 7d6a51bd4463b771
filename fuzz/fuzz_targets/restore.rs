//! Payloads of RESTORE, whatever their seal says; what is accepted must survive being written and read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rdb::{Acceptance, Content, Form, Version, dump};
use value::{Limits, Value};

fuzz_target!(|payload: &[u8]| {
    let limits = Limits::default();
    let Ok(Content::Value(value)) = dump::read(payload, &limits, Acceptance::Relaxed, false) else { return };
    let (kind, len) = (value.type_name(), len(&value));
    let entry = rdb_entry(value);
    let mut again = Vec::new();
    let form = Form { version: Version::NEWEST, compress: true };
    dump::write(form, &mut again, entry.payload()).expect("the newest version holds everything");
    match dump::read(&again, &limits, Acceptance::Strict, true) {
        Ok(Content::Value(value)) => assert_eq!((value.type_name(), self::len(&value)), (kind, len)),
        // A string that was compressed may stand as it is now.
        Ok(_) => assert_eq!(kind, "string"),
        Err(refused) => panic!("{refused:?}"),
    }
});

fn rdb_entry(value: Value) -> structures::entry::Entry<Value> {
    structures::entry::Entry::new_value(b"key", value, None)
}

fn len(value: &Value) -> usize {
    match value {
        Value::Raw(raw) => raw.len(),
        Value::List(list) => list.len(),
        Value::Set(set) => set.len(),
        Value::Hash(hash) => hash.len(),
        Value::Zset(zset) => zset.len(),
    }
}
