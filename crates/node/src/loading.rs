//! Loading: a file's events become keys.
//!
//! ```text
//!   start          `Control::loading` is set, and clients are told so; the world is given back after every piece
//!   full sync      into a keyspace of its own (`replication::apart`), which takes the place of the other in one step
//!   DEBUG RELOAD   the command's own world is held from the first byte to the last: nobody sees half of it
//! ```
//!
//! A primary that starts leaves out the keys of a snapshot whose time has come. Whoever knows that their deletion will be
//! told keeps them: a replica, the base of an append-only file, a reload. Replicas that go on where the snapshot was cut have
//! such keys, so their deletions are the first that the journal holds.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use engine::unit::{Sink, UnitLog};
use journal::{History, ReplId, ReplOffset};
use keyspace::{DbIndex, Expiry, Space, UnixMillis};
use rdb::decode::Options;
use rdb::{Acceptance, Content, Damage, Decoder, Event};
use resp::log_text;

use crate::execute::Core;
use crate::replication::apart::Apart;
use crate::server::{LogLevel, Server, replication_id};

/// Empty keys that are named in the log; the others are only counted.
const EMPTY_TOLD: u64 = 10;

/// How a snapshot file is loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct How {
    /// Keys whose time has come are loaded: their deletion will be told.
    pub keep_expired: bool,
    /// It comes from our primary: whatever can be read is accepted, whatever version it names.
    pub from_primary: bool,
    /// What was here goes, as soon as the file's version is accepted.
    pub flush: bool,
    /// Keys are here already, and no key of the file may be one of them.
    pub no_duplicates: bool,
    /// It is a primary's start: replicas may go on from the position in the file, and are told what has expired since.
    pub goes_on: bool,
}

/// How far a load is, and what the last one found. Read by INFO.
#[derive(Debug, Default)]
pub struct Progress {
    /// When it began, in seconds.
    pub since: AtomicI64,
    /// Bytes to be loaded; 0 when nobody knows.
    pub total: AtomicU64,
    /// Bytes loaded.
    pub loaded: AtomicU64,
    /// What the file says of the memory that its data took.
    pub used_mem: AtomicU64,
    /// Keys that the last snapshot file held.
    pub last_keys: AtomicU64,
    /// Keys of the last snapshot file that were left out because their time had come.
    pub last_expired: AtomicU64,
}

impl Progress {
    /// A load of so many bytes begins.
    pub fn begin(&self, seconds: i64, total: u64) {
        self.since.store(seconds, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        self.loaded.store(0, Ordering::Relaxed);
        self.used_mem.store(0, Ordering::Relaxed);
    }

    /// So many bytes more were loaded.
    pub fn advance(&self, bytes: u64) {
        self.loaded.fetch_add(bytes, Ordering::Relaxed);
    }

    fn note(&self, told: &Told) {
        self.last_keys.store(told.keys, Ordering::Relaxed);
        self.last_expired.store(told.expired, Ordering::Relaxed);
    }
}

/// What a loaded file has told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Keys that were loaded.
    pub keys: u64,
    /// Keys that had expired and were left out.
    pub expired: u64,
    /// Keys of collections without elements, which old bugs wrote.
    pub empty: u64,
    /// `repl-id`, 40 hex digits.
    pub repl_id: Option<Vec<u8>>,
    /// `repl-offset`.
    pub repl_offset: Option<u64>,
    /// `repl-stream-db`.
    pub stream_db: Option<u16>,
    /// The file is the base of an AOF.
    pub aof_base: bool,
    /// `cluster-slot-states`: the slots that are on their way.
    pub open_slots: Option<Vec<u8>>,
}

/// A snapshot file on its way into the keyspace.
pub struct Loader {
    decoder: Decoder,
    db: DbIndex,
    told: Told,
    how: How,
    /// The position in the file has become that of the journal.
    adopted: bool,
    lazy_expire: bool,
}

impl Loader {
    /// A loader of what our primary sends.
    pub fn of_primary(core: &mut Core<'_>) -> Self {
        Self::new(core, How { keep_expired: true, from_primary: true, ..How::default() })
    }

    /// A loader under the present configuration.
    pub fn new(core: &mut Core<'_>, how: How) -> Self {
        let control = core.control();
        let options = Options {
            limits: control.env.limits,
            // What a primary sends is in its own version, and is refused only where it cannot be read.
            acceptance: match control.config.snapshot.rdb_version_check {
                _ if how.from_primary => Acceptance::Relaxed,
                config::directives::snapshot::RdbVersionCheck::Strict => Acceptance::Strict,
                config::directives::snapshot::RdbVersionCheck::Relaxed => Acceptance::Relaxed,
            },
            checksum: control.config.snapshot.rdbchecksum,
            skip: false,
        };
        Loader {
            decoder: Decoder::new(options),
            db: DbIndex(0),
            told: Told::default(),
            how,
            adopted: false,
            lazy_expire: control.env.lazy_expire,
        }
    }

    /// Takes the next bytes of the file. The lease has the world. The error says where the file is damaged, and how.
    pub fn feed(&mut self, core: &mut Core<'_>, chunk: &[u8]) -> Result<(), String> {
        self.decoder.feed(chunk);
        self.step(core.server, &mut core.lease.space(self.db))
    }

    /// Takes the next bytes of the file into a keyspace that is this executor's own.
    pub fn feed_apart(&mut self, server: &Server, apart: &mut Apart, chunk: &[u8]) -> Result<(), String> {
        self.decoder.feed(chunk);
        self.step(server, &mut apart.space(self.db, server.engine.now()))
    }

    /// The file has ended.
    pub fn finish_apart(mut self, server: &Server, apart: &mut Apart) -> Result<Told, String> {
        self.decoder.finish();
        self.step(server, &mut apart.space(self.db, server.engine.now()))?;
        server.loading.note(&self.told);
        Ok(self.told)
    }

    /// The file has ended.
    pub fn finish(mut self, core: &mut Core<'_>) -> Result<Told, String> {
        self.decoder.finish();
        self.step(core.server, &mut core.lease.space(self.db))?;
        self.go_on(core.server);
        core.server.loading.note(&self.told);
        Ok(self.told)
    }

    /// Whether the end of the snapshot has been read; what was fed behind it is in [`Loader::rest`].
    pub fn is_done(&self) -> bool {
        self.decoder.is_done()
    }

    /// What was fed behind the end of the snapshot.
    pub fn rest(&self) -> &[u8] {
        self.decoder.rest()
    }

    /// Keys that the file has told of so far.
    pub fn keys(&self) -> u64 {
        self.told.keys + self.told.expired
    }

    fn step(&mut self, server: &Server, space: &mut Space<'_>) -> Result<(), String> {
        let now = space.now;
        let databases = space.databases();
        loop {
            let event = match self.decoder.next() {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(e) => {
                    let version = self.decoder.header().map_or(0, |header| header.version.0);
                    return Err(describe(&e, version));
                }
            };
            match event {
                Event::Header(_) if self.how.flush => {
                    (0..databases as u16).for_each(|db| {
                        space.flush(DbIndex(db));
                    });
                    server.host.free_dbs(std::mem::take(&mut space.detached));
                }
                Event::SelectDb(db) => {
                    if db >= databases as u64 {
                        let what = log_text::snapshot::databases(databases);
                        return Err(log_text::snapshot::damaged(self.decoder.offset(), &what));
                    }
                    self.db = DbIndex(db as u16);
                    space.select(self.db);
                }
                Event::Aux { name, value } => note(server, &mut self.told, name, value),
                Event::Key(record) => {
                    if !self.how.keep_expired && record.expire.is_some_and(|at| at < now.0) {
                        self.told.expired += 1;
                        if self.how.goes_on {
                            let (db, key) = (self.db, record.key.to_vec());
                            self.tell_expired(server, db, &key);
                        }
                        continue;
                    }
                    let key = space.key(record.key);
                    if self.how.no_duplicates && space.peek(&key).is_some() {
                        let what = log_text::snapshot::duplicate(&record.key.escape_ascii().to_string());
                        return Err(log_text::snapshot::damaged(self.decoder.offset(), &what));
                    }
                    let expiry = record.expire.map_or(Expiry::None, |at| Expiry::At(UnixMillis(at)));
                    match record.content {
                        Content::Int(n) => space.set_int(&key, n, expiry),
                        Content::Bytes(bytes) => space.set_string(&key, bytes, expiry),
                        Content::Value(value) => space.insert_value(&key, value, expiry),
                        Content::Empty | Content::Skipped(_) => {
                            self.told.empty += 1;
                            if self.told.empty <= EMPTY_TOLD {
                                let name = record.key.escape_ascii().to_string();
                                server.host.log(LogLevel::Notice, &log_text::snapshot::empty_key(&name));
                            }
                            continue;
                        }
                    }
                    self.told.keys += 1;
                }
                _ => {}
            }
        }
    }
}

impl Loader {
    /// The position that the file names, before its first key, becomes that of the journal, if replicas may go on from there.
    /// A restarted server has a new id; the one it finds becomes the second.
    fn go_on(&mut self, server: &Server) {
        if !self.how.goes_on || std::mem::replace(&mut self.adopted, true) {
            return;
        }
        let (Some(id), Some(offset)) = (&self.told.repl_id, self.told.repl_offset) else { return };
        let Some(id) = ReplId::parse(id) else { return };
        let mut history = History::new(id);
        history.shift(replication_id(&*server.host), ReplOffset(offset));
        server.journal.restart(history, ReplOffset(offset), self.told.stream_db.map(journal::DbIndex));
    }

    fn tell_expired(&mut self, server: &Server, db: DbIndex, key: &[u8]) {
        self.go_on(server);
        if server.journal.is_awake() {
            let verb: &[u8] = if self.lazy_expire { b"UNLINK" } else { b"DEL" };
            let mut log = UnitLog::default();
            log.push(db, &[verb, key]);
            Sink::append(&*server.journal, &log);
        }
    }
}

/// Everything that is in the keyspace goes. The lease has the world.
pub(crate) fn flush(core: &mut Core<'_>) {
    let databases = core.control().env.databases;
    let mut space = core.lease.space(DbIndex(0));
    for db in 0..databases {
        space.flush(DbIndex(db));
    }
    let gone = std::mem::take(&mut space.detached);
    core.server.host.free_dbs(gone);
}

/// What is wrong with a file, in the words that people search for.
fn describe(e: &rdb::Error, version: u16) -> String {
    let what = match &e.damage {
        Damage::Version(version) => return log_text::snapshot::unknown_version(u32::from(*version)),
        Damage::Type(_) => return log_text::snapshot::UNKNOWN_TYPE.to_owned(),
        Damage::Foreign(byte) => return log_text::snapshot::foreign_type(*byte, version),
        Damage::Checksum { .. } => log_text::snapshot::wrong_checksum(&e.damage.to_string()),
        other => other.to_string(),
    };
    log_text::snapshot::damaged(e.offset, &what)
}

fn note(server: &Server, told: &mut Told, name: &[u8], value: &[u8]) {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
    match name {
        b"repl-id" => told.repl_id = Some(value.to_vec()),
        b"repl-offset" => told.repl_offset = number,
        b"repl-stream-db" => told.stream_db = number.map(|n| n as u16),
        b"used-mem" => server.loading.used_mem.store(number.unwrap_or(0), Ordering::Relaxed),
        b"cluster-slot-states" => told.open_slots = Some(value.to_vec()),
        b"aof-base" => told.aof_base = number == Some(1),
        _ => {}
    }
}
