//! Loading: a file's events become keys.
//!
//! At start nobody else runs, so the loader holds the world from the first byte to the last. Keys whose time has come are
//! left out, as on every primary.

use keyspace::{DbIndex, Expiry, Key, Space, UnixMillis};
use rdb::decode::Options;
use rdb::{Acceptance, Content, Decoder, Event};
use resp::log_text;

use crate::execute::Core;
use crate::replication::apart::Apart;
use crate::server::Server;

/// What a loaded file has told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Keys that were loaded.
    pub keys: u64,
    /// Keys that had expired and were left out.
    pub expired: u64,
    /// `repl-id`, 40 hex digits.
    pub repl_id: Option<Vec<u8>>,
    /// `repl-offset`.
    pub repl_offset: Option<u64>,
    /// `repl-stream-db`.
    pub stream_db: Option<u16>,
    /// The file is the base of an AOF.
    pub aof_base: bool,
}

/// A snapshot file on its way into the keyspace.
pub struct Loader {
    decoder: Decoder,
    db: DbIndex,
    told: Told,
    keep_expired: bool,
}

impl Loader {
    /// A loader under the present configuration. `keep_expired`: the file is a primary's, whose DELs will come.
    pub fn new(core: &mut Core<'_>, keep_expired: bool) -> Self {
        let control = core.control();
        let options = Options {
            limits: control.env.limits,
            // What a primary sends is in its own version, and is refused only where it cannot be read.
            acceptance: match control.config.snapshot.rdb_version_check {
                _ if keep_expired => Acceptance::Relaxed,
                config::directives::snapshot::RdbVersionCheck::Strict => Acceptance::Strict,
                config::directives::snapshot::RdbVersionCheck::Relaxed => Acceptance::Relaxed,
            },
            checksum: control.config.snapshot.rdbchecksum,
            skip: false,
        };
        Loader { decoder: Decoder::new(options), db: DbIndex(0), told: Told::default(), keep_expired }
    }

    /// Takes the next bytes of the file. The lease has the world. The error says where the file is damaged, and how.
    pub fn feed(&mut self, core: &mut Core<'_>, chunk: &[u8]) -> Result<(), String> {
        self.decoder.feed(chunk);
        self.step(&mut core.lease.space(self.db))
    }

    /// Takes the next bytes of the file into a keyspace that is this executor's own.
    pub fn feed_apart(&mut self, server: &Server, apart: &mut Apart, chunk: &[u8]) -> Result<(), String> {
        self.decoder.feed(chunk);
        self.step(&mut apart.space(self.db, server.engine.now()))
    }

    /// The file has ended.
    pub fn finish_apart(mut self, server: &Server, apart: &mut Apart) -> Result<Told, String> {
        self.decoder.finish();
        self.step(&mut apart.space(self.db, server.engine.now()))?;
        Ok(self.told)
    }

    /// How many keys the file has told of so far.
    pub fn keys(&self) -> u64 {
        self.told.keys + self.told.expired
    }

    /// The file has ended.
    pub fn finish(mut self, core: &mut Core<'_>) -> Result<Told, String> {
        self.decoder.finish();
        self.step(&mut core.lease.space(self.db))?;
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

    /// What the file has told, once it is done.
    pub fn told(self) -> Told {
        self.told
    }

    fn step(&mut self, space: &mut Space<'_>) -> Result<(), String> {
        let now = space.now;
        let databases = space.databases();
        loop {
            let event = match self.decoder.next() {
                Ok(Some(event)) => event,
                Ok(None) => return Ok(()),
                Err(e) => return Err(log_text::snapshot::damaged(e.offset, &e.to_string())),
            };
            match event {
                Event::SelectDb(db) => {
                    if db >= databases as u64 {
                        return Err(log_text::snapshot::damaged(
                            0,
                            &format!(
                                "Data file was created with a server configured to handle more than {databases} databases"
                            ),
                        ));
                    }
                    self.db = DbIndex(db as u16);
                    space.select(self.db);
                }
                Event::Aux { name, value } => note(&mut self.told, name, value),
                Event::Key(record) => {
                    if !self.keep_expired && record.expire.is_some_and(|at| at < now.0) {
                        self.told.expired += 1;
                        continue;
                    }
                    let key = Key::new(record.key);
                    let expiry = record.expire.map_or(Expiry::None, |at| Expiry::At(UnixMillis(at)));
                    match record.content {
                        Content::Int(n) => space.set_int(&key, n, expiry),
                        Content::Bytes(bytes) => space.set_string(&key, bytes, expiry),
                        Content::Value(value) => space.insert_value(&key, value, expiry),
                        Content::Empty | Content::Skipped(_) => continue,
                    }
                    self.told.keys += 1;
                }
                _ => {}
            }
        }
    }
}

fn note(told: &mut Told, name: &[u8], value: &[u8]) {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
    match name {
        b"repl-id" => told.repl_id = Some(value.to_vec()),
        b"repl-offset" => told.repl_offset = number,
        b"repl-stream-db" => told.stream_db = number.map(|n| n as u16),
        b"aof-base" => told.aof_base = number == Some(1),
        _ => {}
    }
}
