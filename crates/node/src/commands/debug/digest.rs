//! DEBUG DIGEST, DIGEST-VALUE: 20 bytes that tell whether two servers hold the same data. The definition is the peers' (see
//! `value::digest`), so they compare across products. Keys whose time has come but that are still there count.

use keyspace::{DbIndex, Lookup, OnExpired};
use structures::entry::Payload;
use value::digest::Digest;
use value::{Item, Value};

use super::{MANY, Sub, sub};
use crate::commands::{Call, Done};

pub(super) const SUBS: &[Sub] = &[
    sub("digest", "", "Tell a hash of all data, the same for equal data whatever holds it.", (2, 2), true, digest),
    sub("digest-value", "<key> [<key> ...]", "Tell a hash of the values of these keys.", (2, MANY), true, digest_value),
];

fn add(digest: &mut Digest, payload: Payload<'_, Value>, expires: bool, now: i64) {
    match payload {
        Payload::Int(n) => digest.string(Item::Int(n)),
        Payload::Bytes { bytes, .. } => digest.string(Item::Bytes(bytes)),
        Payload::Value(value) => digest.value(value, now),
    }
    if expires {
        digest.expires();
    }
}

fn digest(call: &mut Call<'_, '_>) -> Done {
    let now = call.core.lease.now().0;
    let databases = call.core.control().env.databases;
    let mut all = Digest::default();
    for db in (0..databases).map(DbIndex) {
        if call.core.lease.all_shards().all(|shard| shard.db(db).is_empty()) {
            continue;
        }
        all.database(u32::from(db.0));
        for shard in call.core.lease.all_shards() {
            for found in shard.db(db).iter() {
                let mut key = Digest::default();
                key.mix(found.key());
                add(&mut key, found.payload(), found.expire().is_some(), now);
                all.add(&key.0);
            }
        }
    }
    call.client.out.status(&all.to_string());
    Ok(())
}

fn digest_value(call: &mut Call<'_, '_>) -> Done {
    let now = call.core.lease.now().0;
    let names = call.args.from(2);
    call.client.out.array(names.len());
    for name in names.iter() {
        let mut digest = Digest::default();
        let mut space = call.core.lease.space(call.client.db);
        space.on_expired = OnExpired::Obey;
        space.lookup = Lookup::Peek;
        if let Some(view) = space.peek(&space.key(name)) {
            add(&mut digest, view.payload(), view.expire().is_some(), now);
        }
        call.client.out.status(&digest.to_string());
    }
    Ok(())
}
