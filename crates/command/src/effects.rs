//! What a unit did, as data.
//!
//! Journal, AOF, replicas, WATCH, keyspace notifications and blocked clients all read this one record, so they cannot
//! disagree. A handler says three things: *that* it changed something ([`Context::changed`](crate::context::Context::changed)),
//! *what to propagate* when that is not the command as it was typed, and nothing else; the rest follows.
//!
//! ```text
//!   before: DEL of keys that had expired      (the keyspace notes them, the engine puts them first)
//!   main:   the command verbatim | rewritten as one or more commands | nothing
//! ```
//!
//! A unit without a change propagates nothing, unless it is forced to (`FLUSHALL` of an empty server).

use std::ops::Range;

use keyspace::DbIndex;
use resp::encode;

/// Classes of keyspace events, with the bits of `notify-keyspace-events`.
pub mod class {
    /// `K`: events go to `__keyspace@<db>__` channels.
    pub const KEYSPACE: u32 = 1 << 0;
    /// `E`: events go to `__keyevent@<db>__` channels.
    pub const KEYEVENT: u32 = 1 << 1;
    /// `g`: DEL, EXPIRE, RENAME and the like.
    pub const GENERIC: u32 = 1 << 2;
    /// `$`
    pub const STRING: u32 = 1 << 3;
    /// `l`
    pub const LIST: u32 = 1 << 4;
    /// `s`
    pub const SET: u32 = 1 << 5;
    /// `h`
    pub const HASH: u32 = 1 << 6;
    /// `z`
    pub const ZSET: u32 = 1 << 7;
    /// `x`
    pub const EXPIRED: u32 = 1 << 8;
    /// `e`
    pub const EVICTED: u32 = 1 << 9;
    /// `t`
    pub const STREAM: u32 = 1 << 10;
    /// `m`
    pub const KEY_MISS: u32 = 1 << 11;
    /// `d`
    pub const MODULE: u32 = 1 << 12;
    /// `n`
    pub const NEW: u32 = 1 << 13;
}

/// What takes the command's place in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Propagate {
    /// The command as it was typed, if anything changed.
    #[default]
    Verbatim,
    /// The commands given to [`Effects::rewrite`].
    Rewritten,
    /// Nothing, whatever changed.
    Nothing,
}

/// A keyspace event to be published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// One of [`class`].
    pub class: u32,
    /// Its name, e.g. `lpush`.
    pub name: &'static str,
    /// The database of the key.
    pub db: DbIndex,
    /// The key.
    pub key: Box<[u8]>,
}

/// One command to be journalled, encoded.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Record {
    db: DbIndex,
    bytes: Range<usize>,
    stream_only: bool,
}

/// The record of one command's effects. Reused from command to command; empty ones own no memory.
#[derive(Default, Debug)]
pub struct Effects {
    /// How many changes there were: what `rdb_changes_since_last_save` counts.
    pub dirty: u64,
    /// What to journal in the place of the command.
    pub propagate: Propagate,
    /// Whether to journal even though nothing changed.
    pub forced: bool,
    /// Keyspace events in the order in which they happened.
    pub events: Vec<Event>,
    /// Keys for which a blocked client waits and that have changed, in order.
    pub ready: Vec<(DbIndex, Box<[u8]>)>,
    /// Lines for the log, of commands that have failed too.
    pub log: Vec<String>,
    records: Vec<Record>,
    encoded: Vec<u8>,
}

impl Effects {
    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.propagate = Propagate::Verbatim;
        self.forced = false;
        self.events.clear();
        self.ready.clear();
        self.records.clear();
        self.encoded.clear();
    }

    /// Whether the command left no trace.
    pub fn is_empty(&self) -> bool {
        self.dirty == 0 && !self.forced && self.events.is_empty() && self.ready.is_empty() && self.records.is_empty()
    }

    /// Puts a command in the place of the typed one. Called again, it adds a further one behind.
    pub fn rewrite(&mut self, db: DbIndex, args: &[&[u8]]) {
        self.propagate = Propagate::Rewritten;
        self.record(db, args, false);
    }

    /// Adds a command that only replicas get, not the AOF (PUBLISH).
    pub fn replicate(&mut self, db: DbIndex, args: &[&[u8]]) {
        self.propagate = Propagate::Rewritten;
        self.forced = true;
        self.record(db, args, true);
    }

    /// Propagates nothing for this command.
    pub fn nothing(&mut self) {
        self.propagate = Propagate::Nothing;
    }

    /// The rewritten commands: database, encoded bytes, and whether only replicas get them.
    pub fn records(&self) -> impl Iterator<Item = (DbIndex, &[u8], bool)> {
        self.records.iter().map(|r| (r.db, &self.encoded[r.bytes.clone()], r.stream_only))
    }

    fn record(&mut self, db: DbIndex, args: &[&[u8]], stream_only: bool) {
        let start = self.encoded.len();
        encode::command(&mut self.encoded, args);
        self.records.push(Record { db, bytes: start..self.encoded.len(), stream_only });
    }
}
