//! What a command sees while it runs.
//!
//! A command is a function of the keys it declared, its arguments, the time and some randomness, giving a reply and
//! effects. It never sees a client, a socket, a thread, a lock, a clock or a file; what it may depend on besides its keys
//! is in [`Env`].
//!
//! ```ignore
//! pub fn lpush(ctx: &mut Context) -> Done {
//!     let key = ctx.key(1);
//!     let limits = ctx.env.limits;
//!     let list = ctx.space.edit_or_create::<List>(&key)?;
//!     for element in ctx.args.from(2) {
//!         list.push_front(element, &limits);
//!     }
//!     let len = list.len();
//!     ctx.changed(&key, class::LIST, "lpush", added);
//!     ctx.reply.integer(len as i64);
//!     Ok(())
//! }
//! ```
//!
//! A handler that answers an error has changed nothing: it looks before it changes.

use keyspace::{DbIndex, Deletion, Expiry, Key, Note, Space, Typed, UnixMillis, Wanted};
use resp::args::Args;
use resp::error::Error;
use resp::reply::Reply;
use value::Limits;

use crate::effects::{Effects, Event, class};
use crate::row::Row;
use crate::unpacked::Unpacked;

/// Why a handler stopped without a reply of its own.
#[derive(Debug)]
pub enum Stop {
    /// The client gets this error.
    Error(Error),
    /// The client waits; the command will be run again from the start when one of the keys has changed.
    Block(Block),
}

impl From<Error> for Stop {
    fn from(e: Error) -> Self {
        Stop::Error(e)
    }
}

/// What a handler answers: its reply is in [`Context::reply`], or there is a reason to stop.
pub type Done = Result<(), Stop>;

/// The handler of a data command.
pub type Handler = fn(&mut Context<'_, '_>) -> Done;

/// A wait for keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Indexes of the awaited keys in the command's arguments, in the order in which they are looked at.
    pub keys: std::ops::Range<usize>,
    /// When to give up; `None` waits for ever.
    pub deadline: Option<UnixMillis>,
    /// What the client gets then.
    pub on_timeout: OnTimeout,
}

/// The reply of a wait that was in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnTimeout {
    /// `*-1` (BLPOP, BLMPOP, BZPOPMIN …), `_` in RESP3.
    NullArray,
    /// `$-1` (BLMOVE, BRPOPLPUSH), `_` in RESP3.
    Null,
}

/// Settings and circumstances on which a command's result may depend.
#[derive(Clone, Debug)]
pub struct Env {
    /// Thresholds between encodings.
    pub limits: Limits,
    /// Longest string, in bytes (`proto-max-bulk-len`).
    pub max_string: usize,
    /// Enabled keyspace events, as bits of [`class`].
    pub notify: u32,
    /// Number of databases.
    pub databases: u16,
    /// Whether hash slots restrict commands.
    pub cluster: bool,
    /// Whether the command comes from our primary or from the AOF: it is obeyed, not judged.
    pub obey: bool,
    /// Whether only keys may be read that the arguments name (SORT's BY and GET): the user may not read every key.
    pub named_keys_only: bool,
    /// Whether a command that would block answers as after its timeout (MULTI, scripts, replication).
    pub deny_blocking: bool,
    /// Whether accesses are counted for an LFU policy (OBJECT FREQ) or an LRU one (OBJECT IDLETIME).
    pub lfu: bool,
    /// `lazyfree-lazy-user-del`: DEL acts as UNLINK.
    pub lazy_user_del: bool,
    /// `lazyfree-lazy-server-del`: values replaced by a command are freed in the background.
    pub lazy_server_del: bool,
    /// `lazyfree-lazy-expire`: expired keys are propagated as UNLINK.
    pub lazy_expire: bool,
    /// `lazyfree-lazy-user-flush`: FLUSHALL acts as FLUSHALL ASYNC.
    pub lazy_user_flush: bool,
    /// `sanitize-dump-payload` for this client: RESTORE walks the payload in depth.
    pub sanitize: bool,
    /// The newest RDB version that DUMP may write.
    pub rdb_version: u32,
    /// `rdb-version-check relaxed`: RESTORE reads payloads of versions that are not known.
    pub rdb_relaxed: bool,
    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION: RESTORE believes payloads without their checksum.
    pub skip_checksum: bool,
    /// What RESTORE would make of its payload, if that has been done already.
    pub unpacked: Option<Unpacked>,
}

impl Default for Env {
    fn default() -> Self {
        Env {
            limits: Limits::default(),
            max_string: 512 << 20,
            notify: 0,
            databases: 16,
            cluster: false,
            obey: false,
            named_keys_only: false,
            deny_blocking: false,
            lfu: false,
            lazy_user_del: true,
            lazy_server_del: true,
            lazy_expire: true,
            lazy_user_flush: true,
            sanitize: false,
            rdb_version: 80,
            rdb_relaxed: false,
            skip_checksum: false,
            unpacked: None,
        }
    }
}

impl Env {
    /// What the keyspace has to note for these events.
    pub fn wanted(&self) -> Wanted {
        Wanted { new: self.notify & class::NEW != 0, misses: self.notify & class::KEY_MISS != 0 }
    }
}

/// Randomness for commands: SPOP, SRANDMEMBER, HRANDFIELD, RANDOMKEY. Seeded by the runtime, so a simulation can repeat it.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that repeats itself for equal seeds.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits (splitmix64).
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.draw()) * n as u128) >> 64) as usize
    }
}

/// A command at work.
pub struct Context<'a, 's> {
    /// The command's row in the table.
    pub row: &'static Row,
    /// The arguments, the command's name first.
    pub args: Args<'a>,
    /// The shards it holds.
    pub space: &'a mut Space<'s>,
    /// Where its reply goes.
    pub reply: &'a mut Reply,
    /// Where its effects go.
    pub effects: &'a mut Effects,
    /// What else its result depends on.
    pub env: &'a Env,
    /// Where its randomness comes from.
    pub random: &'a mut Random,
}

impl<'a> Context<'a, '_> {
    /// The key at an index of the arguments.
    pub fn key(&self, index: usize) -> Key<'a> {
        self.space.key(self.args.at(index))
    }

    /// The unit's time.
    pub fn now(&self) -> UnixMillis {
        self.space.now
    }

    /// Says that a key has changed, `by` so many changes, and with which event: watchers, blocked clients,
    /// notifications, `dirty` and the journal follow from it.
    pub fn changed(&mut self, key: &Key<'_>, class: u32, event: &'static str, by: u64) {
        self.space.touch(key);
        self.effects.dirty += by;
        self.notify(key, class, event);
        self.awaken(key);
    }

    /// Records a keyspace event without a change of its own.
    pub fn notify(&mut self, key: &Key<'_>, class: u32, event: &'static str) {
        self.gather_notes();
        if self.env.notify & class != 0 {
            let db = self.space.db;
            self.effects.events.push(Event { class, name: event, db, key: key.bytes.into() });
        }
    }

    /// Makes events of what the keyspace has noted since the last one: keys that are new, keys that were missed.
    pub fn gather_notes(&mut self) {
        for (note, db, key) in self.space.notes.drain(..) {
            let (class, name) = match note {
                Note::New => (class::NEW, "new"),
                Note::Miss => (class::KEY_MISS, "keymiss"),
            };
            self.effects.events.push(Event { class, name, db, key });
        }
    }

    /// Notes that a key for which clients wait may be served now.
    pub fn awaken(&mut self, key: &Key<'_>) {
        if self.space.awaited(key) {
            self.effects.ready.push((self.space.db, key.bytes.into()));
        }
    }

    /// Removes a key and records the `del` event; false when there was none.
    pub fn delete(&mut self, key: &Key<'_>) -> bool {
        let removed = self.space.remove(key, self.deletion());
        if removed {
            self.changed(key, class::GENERIC, "del", 1);
        }
        removed
    }

    /// Deletes a key that a command has given an expiry in the past: it ends as if its time had just come. The deletion
    /// takes the command's place in the journal. False when there was no key.
    pub fn expire(&mut self, key: &Key<'_>) -> bool {
        let deletion = if self.env.lazy_expire { Deletion::Lazy } else { Deletion::Sync };
        let removed = self.space.remove(key, deletion);
        if removed {
            self.space.stats.expired += 1;
            self.changed(key, class::EXPIRED, "expired", 1);
            let verb: &[u8] = if self.env.lazy_expire { b"UNLINK" } else { b"DEL" };
            self.effects.rewrite(self.space.db, &[verb, key.bytes]);
        }
        removed
    }

    /// Removes the key when its collection has become empty, with its `del` event but no further change counted.
    pub fn delete_if_empty<T: Typed>(&mut self, key: &Key<'_>) -> bool {
        let removed = self.space.remove_if_empty::<T>(key);
        if removed {
            self.notify(key, class::GENERIC, "del");
        }
        removed
    }

    /// How replaced and deleted values are freed.
    pub fn deletion(&self) -> Deletion {
        if self.env.lazy_server_del { Deletion::Lazy } else { Deletion::Sync }
    }

    /// Answers with a wait, or with what a wait in vain gives where waiting is forbidden.
    pub fn block(&mut self, keys: std::ops::Range<usize>, deadline: Option<UnixMillis>, on_timeout: OnTimeout) -> Done {
        if self.env.deny_blocking {
            match on_timeout {
                OnTimeout::NullArray => self.reply.null_array(),
                OnTimeout::Null => self.reply.null(),
            }
            return Ok(());
        }
        Err(Stop::Block(Block { keys, deadline, on_timeout }))
    }

    /// Stores a string and records what SET records.
    pub fn store_string(&mut self, key: &Key<'_>, bytes: &[u8], expiry: Expiry) {
        self.space.set_string(key, bytes, expiry);
    }

    /// Runs `f` with another database selected.
    pub fn in_db<R>(&mut self, db: DbIndex, f: impl FnOnce(&mut Self) -> R) -> R {
        let former = self.space.select(db);
        let result = f(self);
        self.space.select(former);
        result
    }
}
