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
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use keyspace::{BigSink, Db, DbIndex, HandOver};
use parking_lot::Mutex;
use structures::entry::Entry;
use value::{Element, Value};

use crate::records::{Progress, Records};

/// A sink gives its chunk away when it has grown to this.
const CHUNK: usize = 64 * 1024;

/// The meeting place; shared by the sinks of all shards and the walk.
pub struct Spool {
    form: Records,
    queue: Mutex<Queue>,
    waiting: AtomicUsize,
    most: AtomicUsize,
    records: AtomicU64,
    copied: AtomicU64,
    unwritable: AtomicBool,
}

#[derive(Default)]
struct Queue {
    chunks: Vec<Vec<u8>>,
    detached: Vec<(DbIndex, Db)>,
}

impl Spool {
    /// An empty spool.
    pub fn new(form: Records) -> Arc<Self> {
        Arc::new(Spool {
            form,
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            records: AtomicU64::new(0),
            copied: AtomicU64::new(0),
            unwritable: AtomicBool::new(false),
        })
    }

    /// A sink for one shard.
    pub fn sink(self: &Arc<Self>) -> Box<Sink> {
        Box::new(Sink { spool: self.clone(), chunk: Vec::new(), db: None })
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

    /// Bytes that were encoded because a change came before the walk: what a forked child would have had copied.
    pub fn copied(&self) -> u64 {
        self.copied.load(Ordering::Relaxed)
    }

    /// Whether a key could not be written, so that the snapshot is worth nothing.
    pub fn is_unwritable(&self) -> bool {
        self.unwritable.load(Ordering::Relaxed)
    }

    /// Counts a key, written or not.
    fn note(&self, written: bool) {
        self.records.fetch_add(1, Ordering::Relaxed);
        if !written {
            self.unwritable.store(true, Ordering::Relaxed);
        }
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
}

impl Sink {
    fn select(&mut self, db: DbIndex) {
        if self.db != Some(db) {
            self.db = Some(db);
            self.spool.form.select_db(&mut self.chunk, u64::from(db.0));
        }
    }

    fn flush(&mut self) {
        if !self.chunk.is_empty() {
            self.spool.push(std::mem::take(&mut self.chunk));
        }
        self.db = None;
    }
}

impl HandOver for Sink {
    fn hand_over(&mut self, db: DbIndex, entry: &Entry<Value>) {
        self.select(db);
        let written = self.spool.form.record(&mut self.chunk, entry.key(), entry.expire(), entry.payload());
        self.spool.note(written.is_ok());
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    fn hand_over_early(&mut self, db: DbIndex, entry: &Entry<Value>) {
        let copied = entry.key().len() + entry.allocation_size();
        self.spool.copied.fetch_add(copied as u64, Ordering::Relaxed);
        self.hand_over(db, entry);
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
    spool: Arc<Spool>,
    progress: Progress,
    /// Bytes of the record in progress, or of several that have been finished.
    pub bytes: Vec<u8>,
    /// Whether a record has begun and not ended: nothing else may be written before the rest of it.
    pub open: bool,
}

impl BigRecords {
    /// Nothing begun yet.
    pub fn new(spool: Arc<Spool>) -> Self {
        BigRecords { spool, progress: Progress::default(), bytes: Vec::new(), open: false }
    }
}

impl BigSink for BigRecords {
    fn begin(&mut self, db: DbIndex, key: &[u8], expire: Option<i64>, value: &Value, len: usize) {
        let form = self.spool.form;
        form.select_db(&mut self.bytes, u64::from(db.0));
        self.open = true;
        let begun = form.begin(&mut self.bytes, key, expire, value, len);
        self.spool.note(begun.is_ok());
        self.progress = begun.unwrap_or_default();
    }

    fn element(&mut self, element: Element<'_>) {
        self.spool.form.element(&mut self.bytes, element, &mut self.progress);
    }

    fn end(&mut self) {
        self.spool.form.end(&mut self.bytes, &mut self.progress);
        self.open = false;
    }
}
