//! Where the records of one snapshot meet.
//!
//! ```text
//!   shard's sink ── encoded under the shard's lock, 64 KiB at a time ──┐
//!   shard's sink ──────────────────────────────────────────────────────┼─► queue ─► drain ─► whoever writes the file
//!   walk of a big collection ── in steps, without a break ─────────────┘
//! ```
//!
//! Every chunk begins by selecting its database, so chunks may be put together in any order. A record in an RDB file is one
//! piece, so while a big collection is under way the other chunks wait here; what waits is the snapshot's extra memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use keyspace::{BigSink, Db, DbIndex, HandOver};
use parking_lot::Mutex;
use rdb::encode::{Form, Meta};
use structures::entry::{Entry, Payload};
use value::{Element, Value};

/// A sink gives its chunk away when it has grown to this.
const CHUNK: usize = 64 * 1024;

/// The meeting place; shared by the sinks of all shards and the walk.
pub struct Spool {
    form: Form,
    /// `maxmemory-policy` in force at the cut: which access words are written.
    access: Access,
    queue: Mutex<Queue>,
    waiting: AtomicUsize,
    most: AtomicUsize,
    records: AtomicU64,
}

/// Which of a key's access statistics are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Access {
    /// None.
    #[default]
    None,
}

#[derive(Default)]
struct Queue {
    chunks: Vec<Vec<u8>>,
    detached: Vec<(DbIndex, Db)>,
}

impl Spool {
    /// An empty spool.
    pub fn new(form: Form) -> Arc<Self> {
        Arc::new(Spool {
            form,
            access: Access::None,
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            records: AtomicU64::new(0),
        })
    }

    /// A sink for one shard.
    pub fn sink(self: &Arc<Self>) -> Box<Sink> {
        Box::new(Sink { spool: self.clone(), chunk: Vec::new(), db: None, records: 0 })
    }

    /// Takes the chunks that wait.
    pub fn drain(&self) -> Vec<Vec<u8>> {
        let chunks = std::mem::take(&mut self.queue.lock().chunks);
        self.waiting.fetch_sub(chunks.iter().map(Vec::len).sum(), Ordering::Relaxed);
        chunks
    }

    /// Takes a database that left the keyspace before the walk had finished with it.
    pub fn take_detached(&self) -> Option<(DbIndex, Db)> {
        self.queue.lock().detached.pop()
    }

    /// The most bytes that have waited at a time.
    pub fn peak(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// How many keys have been handed over.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    fn push(&self, chunk: Vec<u8>) {
        let waiting = self.waiting.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len();
        self.most.fetch_max(waiting, Ordering::Relaxed);
        self.queue.lock().chunks.push(chunk);
    }
}

/// Encodes what a shard hands over. Lives in the shard.
pub struct Sink {
    spool: Arc<Spool>,
    chunk: Vec<u8>,
    db: Option<DbIndex>,
    records: u64,
}

impl Sink {
    fn select(&mut self, db: DbIndex) {
        if self.db != Some(db) {
            self.db = Some(db);
            Form::select_db(&mut self.chunk, u64::from(db.0));
        }
    }

    fn flush(&mut self) {
        if !self.chunk.is_empty() {
            self.spool.push(std::mem::take(&mut self.chunk));
        }
        self.db = None;
        self.spool.records.fetch_add(std::mem::take(&mut self.records), Ordering::Relaxed);
    }
}

impl HandOver for Sink {
    fn hand_over(&mut self, db: DbIndex, entry: &Entry<Value>) {
        self.select(db);
        let Access::None = self.spool.access;
        let meta = Meta { expire: entry.expire(), ..Meta::default() };
        let form = self.spool.form;
        if form.record(&mut self.chunk, entry.key(), &meta, entry.payload()).is_ok() {
            self.records += 1;
        }
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    fn take(&mut self, db: DbIndex, table: Db) {
        self.spool.queue.lock().detached.push((db, table));
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Encodes big collections, one after the other. The walk owns it.
pub struct BigRecords {
    form: Form,
    expiring: bool,
    /// Bytes of the record in progress, or of several that have been finished.
    pub bytes: Vec<u8>,
    /// Whether a record has begun and not ended: nothing else may be written before the rest of it.
    pub open: bool,
    /// How many collections have been written.
    pub records: u64,
}

impl BigRecords {
    /// Nothing begun yet.
    pub fn new(form: Form) -> Self {
        BigRecords { form, expiring: false, bytes: Vec::new(), open: false, records: 0 }
    }
}

impl BigSink for BigRecords {
    fn begin(&mut self, db: DbIndex, key: &[u8], expire: Option<i64>, value: &Value, len: usize) {
        Form::select_db(&mut self.bytes, u64::from(db.0));
        let meta = Meta { expire, ..Meta::default() };
        self.open = true;
        self.records += 1;
        self.expiring = false;
        match value {
            Value::Set(_) => self.form.begin_set(&mut self.bytes, key, &meta, len),
            Value::Zset(_) => self.form.begin_zset(&mut self.bytes, key, &meta, len),
            Value::Hash(_) => {
                let begun = self.form.begin_hash(&mut self.bytes, key, &meta, len, false);
                debug_assert!(begun.is_ok(), "fields without expiry can be written in every version");
            }
            Value::List(_) | Value::Raw(_) => {
                let written = self.form.record(&mut self.bytes, key, &meta, Payload::Value(value));
                debug_assert!(written.is_ok(), "lists and strings can be written in every version");
            }
        }
    }

    fn element(&mut self, element: Element<'_>) {
        self.form.element(&mut self.bytes, element, self.expiring);
    }

    fn end(&mut self) {
        self.open = false;
    }
}
