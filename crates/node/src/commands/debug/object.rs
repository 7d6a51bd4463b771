//! DEBUG OBJECT, LISTPACK, QUICKLIST, HTSTATS, HTSTATS-KEY: how a value and a table are laid out.

use keyspace::{AccessClock, DbIndex, Lookup, OnExpired, View};
use rdb::Version;
use rdb::encode::Form;
use resp::error;
use structures::entry::Payload;
use structures::number;
use structures::quicklist::NodeView;
use value::list::ListStorage;
use value::set::SetStorage;
use value::{StringRef, Value};

use super::{Sub, sub};
use crate::commands::{Call, Done};

pub(super) const SUBS: &[Sub] = &[
    sub("object", "<key> [FAST]", "Tell how the value of a key is stored.", (3, 4), true, object),
    sub("listpack", "<key>", "Write the listpack of a value to the log.", (3, 3), true, listpack),
    sub("quicklist", "<key> [<0|1>]", "Write the nodes of a list to the log.", (3, 4), true, quicklist),
    sub("htstats", "<db> [FULL]", "Tell the tables of a database.", (3, 4), true, htstats),
    sub("htstats-key", "<key> [FULL]", "Tell the table of a value.", (3, 4), true, htstats_key),
];

/// A type byte before and a seal behind stand around a value that is dumped alone.
const DUMP_OVERHEAD: usize = 11;

/// Looks at a key, also at one whose time has come.
fn with_key<R>(call: &mut Call<'_, '_>, f: impl FnOnce(View<'_>) -> R) -> Result<R, error::Error> {
    let key = call.core.server.engine.map.key(call.args.at(2));
    let mut space = call.core.lease.space(call.client.db);
    space.on_expired = OnExpired::Obey;
    space.lookup = Lookup::Peek;
    space.peek(&key).map(f).ok_or(error::common::NO_SUCH_KEY)
}

fn encoding(view: &View<'_>) -> &'static str {
    let (len, expires) = (view.key().len(), view.expire().is_some());
    match view.payload() {
        Payload::Int(n) => value::string_encoding(len, expires, StringRef::Int(n), false),
        Payload::Bytes { bytes, raw } => value::string_encoding(len, expires, StringRef::Bytes(bytes), raw),
        Payload::Value(value) => value.encoding(),
    }
}

fn object(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let fast = call.args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"fast"));
    let now = call.core.lease.now();
    let memory = &control.config.memory;
    let lfu = control.env.lfu;
    let clock = AccessClock::at(now, lfu, memory.lfu_log_factor, memory.lfu_decay_time);
    let limits = control.env.limits;
    let compress = control.config.snapshot.rdbcompression;
    let text = with_key(call, |view| {
        // Where the entry is: it stays there as long as the value is changed in place.
        let mut text = format!("Value at:{:p} refcount:1 encoding:{}", view.key().as_ptr(), encoding(&view));
        if !fast {
            let mut dumped = Vec::new();
            let form = Form { version: Version::NEWEST, compress };
            // The newest version can hold every value.
            let written = rdb::dump::write(form, &mut dumped, view.payload());
            let length = if written.is_ok() { dumped.len() - DUMP_OVERHEAD } else { 0 };
            text += &format!(" serializedlength:{length}");
        }
        let access = view.access();
        if lfu {
            text += &format!(" lfu_freq:{} lfu_access_time_minutes:{}", clock.frequency(access), access >> 8);
        } else {
            text += &format!(" lru:{access} lru_seconds_idle:{}", clock.idle_seconds(access));
        }
        if let Payload::Value(Value::List(list)) = view.payload()
            && let ListStorage::Quicklist(quicklist) = list.storage()
        {
            let nodes = quicklist.node_count();
            text += &format!(
                " ql_nodes:{nodes} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{}",
                quicklist.len() as f64 / nodes as f64,
                limits.list_listpack_size,
                u8::from(limits.list_compress_depth != 0),
            );
            if !fast {
                let size: usize = quicklist.nodes().map(uncompressed).sum();
                text += &format!(" ql_uncompressed_size:{size}");
            }
        }
        text
    })?;
    call.client.out.status(&text);
    Ok(())
}

/// The bytes of a node when it is not compressed.
fn uncompressed(node: NodeView<'_>) -> usize {
    match node {
        NodeView::Packed(pack) => pack.byte_len(),
        NodeView::Plain(bytes) => bytes.len(),
        NodeView::Lzf { len, .. } => len,
    }
}

/// Writes lines to the log.
fn print(call: &Call<'_, '_>, lines: &[String]) {
    lines.iter().for_each(|line| call.core.server.host.log(crate::server::LogLevel::Warning, line));
}

fn listpack(call: &mut Call<'_, '_>) -> Done {
    let lines = with_key(call, |view| {
        let pack = match view.payload() {
            Payload::Value(Value::Hash(hash)) => hash.listpack(),
            Payload::Value(Value::Zset(zset)) => zset.listpack(),
            Payload::Value(Value::List(list)) => match list.storage() {
                ListStorage::Listpack(pack) => Some(pack),
                ListStorage::Quicklist(_) => None,
            },
            Payload::Value(Value::Set(set)) => match set.storage() {
                SetStorage::Listpack(pack) => Some(pack),
                _ => None,
            },
            _ => None,
        };
        pack.map(|pack| {
            let head = format!("{{total bytes {}}} {{num entries {}}}", pack.byte_len(), pack.len());
            let elements = pack.iter().map(|item| item.text().escape_ascii().to_string());
            std::iter::once(head).chain(elements).collect::<Vec<_>>()
        })
    })?;
    let lines = lines.ok_or(error::debug::NOT_LISTPACK)?;
    print(call, &lines);
    call.client.out.status("Listpack structure written to the log");
    Ok(())
}

fn quicklist(call: &mut Call<'_, '_>) -> Done {
    let lines = with_key(call, |view| match view.payload() {
        Payload::Value(Value::List(list)) => match list.storage() {
            ListStorage::Quicklist(list) => {
                let nodes = list.nodes().map(|node| format!("{{node: {} bytes}}", uncompressed(node)));
                let head = format!("{{count: {}}} {{nodes: {}}}", list.len(), list.node_count());
                Some(std::iter::once(head).chain(nodes).collect::<Vec<_>>())
            }
            ListStorage::Listpack(_) => None,
        },
        _ => None,
    })?;
    let lines = lines.ok_or(error::debug::NOT_QUICKLIST)?;
    print(call, &lines);
    call.client.out.status("Quicklist structure written to the log");
    Ok(())
}

/// The numbers of all tables of a database together. There is one table for each shard, and none for expiries alone.
fn htstats(call: &mut Call<'_, '_>) -> Done {
    let db = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    if !(0..i64::from(call.core.control().env.databases)).contains(&db) {
        return Err(error::debug::DATABASE);
    }
    let db = DbIndex(db as u16);
    let (mut keys, mut expires, mut bytes) = (0, 0, 0);
    for shard in call.core.lease.all_shards() {
        keys += shard.db(db).len();
        expires += shard.db(db).expires();
        bytes += shard.db(db).overhead();
    }
    let text = format!(
        "[Dictionary HT]\nHash table 0 stats (main hash table):\n table size: {}\n number of elements: {keys}\n bytes: \
         {bytes}\n[Expires HT]\nHash table 0 stats (main hash table):\n number of elements: {expires}\n",
        // Slots of eight bytes, as the peers count them.
        bytes / size_of::<usize>(),
    );
    call.client.out.verbatim(b"txt", text.as_bytes());
    Ok(())
}

fn htstats_key(call: &mut Call<'_, '_>) -> Done {
    let text = with_key(call, |view| match view.payload() {
        Payload::Value(value) if matches!(value.encoding(), "hashtable" | "skiplist") => {
            let elements = match value {
                Value::Hash(hash) => hash.len(),
                Value::Set(set) => set.len(),
                Value::Zset(zset) => zset.len(),
                _ => 0,
            };
            let bytes = value.memory(0);
            Some(format!(
                "Hash table 0 stats (main hash table):\n number of elements: {elements}\n bytes: {bytes}\n rehashing \
                 index: -1\n"
            ))
        }
        _ => None,
    })?;
    let text = text.ok_or(error::debug::NOT_HASHTABLE)?;
    call.client.out.verbatim(b"txt", text.as_bytes());
    Ok(())
}
