//! The keyspace as one unit of execution sees it: the shards it holds, at one time, under one policy.
//!
//! A unit names its keys, the engine takes their shards, and the unit gets a [`Space`] over them. `now` is fixed for the
//! whole unit (an EXEC and a script included), so that a key cannot expire between two commands that see each other; the
//! clients that a unit serves when it is over have a time of their own. A key that has expired is deleted when a unit meets
//! it, in front of the unit's own effects; on a replica it is only hidden, because the primary's DEL will come.

use resp::error::{self, Error};
use smallvec::SmallVec;
use structures::entry::{Entry, Payload};
use structures::table::Found;
use value::{Hash, List, Set, StringRef, Value, Zset};

use crate::{DbIndex, Key, Shard, ShardId, ShardMap, UnixMillis};

/// What happens to a key that is met after its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnExpired {
    /// It is deleted, and the deletion is propagated (a primary).
    #[default]
    Delete,
    /// It is treated as absent but stays (a replica's clients, a pause, import mode's clients).
    Hide,
    /// It is treated as alive (the primary's stream on a replica, the AOF while loading).
    Obey,
}

/// What a command that writes a value says about the key's expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// The key has none afterwards.
    None,
    /// The key keeps the one that it has.
    Keep,
    /// The key expires then.
    At(UnixMillis),
}

/// How accesses are counted: the 24 bits that every entry keeps for eviction and OBJECT.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccessClock {
    /// Under an LFU policy a logarithmic counter and the minute of its last decay, else the second of the last access.
    pub lfu: bool,
    /// The unit's second (LRU) or minute (LFU), cut to its field's width.
    pub tick: u32,
    /// `lfu-log-factor`.
    pub log_factor: u32,
    /// `lfu-decay-time`, in minutes.
    pub decay_minutes: u32,
}

/// The count with which a new key starts under an LFU policy, so that it is not evicted at once.
pub const LFU_INITIAL: u32 = 5;

impl AccessClock {
    /// The clock of a unit that runs at `now`.
    pub fn at(now: UnixMillis, lfu: bool, log_factor: u32, decay_minutes: u32) -> Self {
        let seconds = now.0.max(0) / 1000;
        let tick = if lfu { (seconds / 60) as u32 & 0xffff } else { seconds as u32 & 0xff_ffff };
        AccessClock { lfu, tick, log_factor, decay_minutes }
    }

    /// The word of a new entry.
    pub fn fresh(&self) -> u32 {
        if self.lfu { self.tick << 8 | LFU_INITIAL } else { self.tick }
    }

    /// The word after one more access. `random` decides whether an LFU counter steps up.
    pub fn touched(&self, word: u32, random: u32) -> u32 {
        if !self.lfu {
            return self.tick;
        }
        let count = self.frequency(word);
        let base = count.saturating_sub(LFU_INITIAL);
        // One in base * factor + 1 accesses steps the counter: 255 stands for about a million hits at factor 10.
        let steps = u64::from(random) * u64::from(base * self.log_factor + 1) <= u64::from(u32::MAX);
        let count = if count < 255 && steps { count + 1 } else { count };
        self.tick << 8 | count
    }

    /// The LFU counter of a word, decayed to the present.
    pub fn frequency(&self, word: u32) -> u32 {
        let count = word & 0xff;
        if self.decay_minutes == 0 {
            return count;
        }
        let minutes = self.tick.wrapping_sub(word >> 8) & 0xffff;
        count.saturating_sub(minutes / self.decay_minutes)
    }

    /// The word of a key that was last accessed so many seconds ago, under an LRU policy.
    pub fn idle_since(&self, seconds: u64) -> u32 {
        let most = 0xff_ffff;
        self.tick.wrapping_sub(seconds.min(most) as u32) & most as u32
    }

    /// The word of a key with this counter, under an LFU policy.
    pub fn counted(&self, frequency: u8) -> u32 {
        self.tick << 8 | u32::from(frequency)
    }

    /// Seconds since the last access of a word written under an LRU policy.
    pub fn idle_seconds(&self, word: u32) -> u32 {
        self.tick.wrapping_sub(word) & 0xff_ffff
    }
}

/// Whether lookups leave traces in the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Lookup {
    /// An access moves the access clock.
    #[default]
    Touch,
    /// It does not (CLIENT NO-TOUCH).
    Peek,
}

/// Which notes a unit takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    /// [`Note::New`].
    pub new: bool,
    /// [`Note::Miss`].
    pub misses: bool,
}

/// Something that happened to a key on the way, which commands do not tell of themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// A key came into being.
    New,
    /// A key that a client wanted to read is not there.
    Miss,
}

/// What a unit has counted; summed into the thread's counters when it is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpaceStats {
    /// Lookups that found a key.
    pub hits: u64,
    /// Lookups that found none.
    pub misses: u64,
    /// Keys deleted because their time had come.
    pub expired: u64,
}

/// One of the collection types, as [`Space::read`] and [`Space::edit`] are asked for it.
pub trait Typed: Sized {
    /// The collection inside a value, if the value is of this type.
    fn of(value: &Value) -> Option<&Self>;
    /// The same, to be changed.
    fn of_mut(value: &mut Value) -> Option<&mut Self>;
    /// An empty collection.
    fn empty() -> Self;
    /// The collection as a value.
    fn wrap(self) -> Value;
    /// Whether nothing is left in it.
    fn is_empty(&self) -> bool;
}

macro_rules! typed {
    ($($ty:ident),*) => {$(
        impl Typed for $ty {
            fn of(value: &Value) -> Option<&Self> {
                if let Value::$ty(v) = value { Some(v) } else { None }
            }
            fn of_mut(value: &mut Value) -> Option<&mut Self> {
                if let Value::$ty(v) = value { Some(v) } else { None }
            }
            fn empty() -> Self {
                $ty::new()
            }
            fn wrap(self) -> Value {
                Value::$ty(self)
            }
            fn is_empty(&self) -> bool {
                $ty::is_empty(self)
            }
        }
    )*};
}
typed!(List, Set, Hash, Zset);

/// An entry that was found: its key, its value, its expiry and its access word.
pub struct View<'s>(pub(crate) Found<'s, Entry<Value>>);

impl<'s> View<'s> {
    /// The key.
    pub fn key(&self) -> &'s [u8] {
        self.0.key()
    }

    /// Whether the key's time has come, for a unit that runs at `now`.
    pub fn is_expired(&self, now: UnixMillis) -> bool {
        self.0.flag() && self.0.expire().is_some_and(|at| now.is_past(at))
    }

    /// The value.
    pub fn payload(&self) -> Payload<'s, Value> {
        self.0.payload()
    }

    /// When the key expires.
    pub fn expire(&self) -> Option<UnixMillis> {
        self.0.expire().map(UnixMillis)
    }

    /// The 24-bit access word (see [`AccessClock`]).
    pub fn access(&self) -> u32 {
        word_of(&self.0)
    }

    /// The type's name, as TYPE answers it.
    pub fn type_name(&self) -> &'static str {
        match self.payload() {
            Payload::Int(_) | Payload::Bytes { .. } => "string",
            Payload::Value(v) => v.type_name(),
        }
    }

    /// The value as a string, or WRONGTYPE.
    pub fn string(&self) -> Result<StringRef<'s>, Error> {
        string_of(self.payload())
    }

    /// The value as a collection, or WRONGTYPE.
    pub fn collection<T: Typed + 's>(&self) -> Result<&'s T, Error> {
        match self.payload() {
            Payload::Value(v) => T::of(v).ok_or(error::common::WRONGTYPE),
            _ => Err(error::common::WRONGTYPE),
        }
    }

    /// The bytes of the entry's own allocation.
    pub fn allocation_size(&self) -> usize {
        self.0.allocation_size()
    }
}

fn word_of(found: &Found<'_, Entry<Value>>) -> u32 {
    u32::from(found.mark()) << 16 | u32::from(found.access())
}

pub(crate) fn string_of(payload: Payload<'_, Value>) -> Result<StringRef<'_>, Error> {
    match payload {
        Payload::Int(n) => Ok(StringRef::Int(n)),
        Payload::Bytes { bytes, .. } => Ok(StringRef::Bytes(bytes)),
        Payload::Value(Value::Raw(raw)) => Ok(StringRef::Bytes(raw.as_bytes())),
        Payload::Value(_) => Err(error::common::WRONGTYPE),
    }
}

/// The shards that a unit holds.
pub struct Space<'a> {
    pub(crate) shards: SmallVec<[(ShardId, &'a mut Shard); 4]>,
    pub(crate) map: ShardMap,
    /// The selected database: every key below is looked up in it.
    pub db: DbIndex,
    /// The unit's time.
    pub now: UnixMillis,
    /// What happens to expired keys.
    pub on_expired: OnExpired,
    /// Whether this server decides when a key ends (a primary that imports nothing): an expiry in the past then deletes at
    /// once; elsewhere it is written like any other, and the deletion comes as a command.
    pub ends_keys: bool,
    /// Whether lookups leave traces; CLIENT NO-TOUCH turns it off.
    pub lookup: Lookup,
    /// How accesses are counted.
    pub clock: AccessClock,
    /// A source of coins for the LFU counter.
    pub coin: u32,
    /// What was counted.
    pub stats: SpaceStats,
    /// Keys that were met after their time and deleted, in order; the engine propagates them in front of the unit.
    pub expired: SmallVec<[(DbIndex, Box<[u8]>); 1]>,
    /// Which notes are wanted: none, unless somebody listens to these events.
    pub wanted: Wanted,
    /// The notes of the command in progress, in order.
    pub notes: Vec<(Note, DbIndex, Box<[u8]>)>,
    /// Removed values that are too big to be freed here.
    pub garbage: Vec<Value>,
    /// Whole databases that were emptied.
    pub detached: Vec<crate::Db>,
}

impl Drop for Space<'_> {
    fn drop(&mut self) {
        for (_, shard) in &mut self.shards {
            shard.publish_counts();
        }
    }
}

impl<'a> Space<'a> {
    /// A view of the given shards, which must be in ascending order.
    pub fn new(map: ShardMap, shards: SmallVec<[(ShardId, &'a mut Shard); 4]>, db: DbIndex, now: UnixMillis) -> Self {
        debug_assert!(shards.is_sorted_by(|a, b| a.0 < b.0), "shards are held in ascending order");
        Space {
            shards,
            map,
            db,
            now,
            on_expired: OnExpired::Delete,
            ends_keys: true,
            lookup: Lookup::Touch,
            clock: AccessClock::at(now, false, 10, 1),
            coin: 0x9e37_79b9,
            stats: SpaceStats::default(),
            expired: SmallVec::new(),
            wanted: Wanted::default(),
            notes: Vec::new(),
            garbage: Vec::new(),
            detached: Vec::new(),
        }
    }

    /// Selects another database and returns the former one.
    pub fn select(&mut self, db: DbIndex) -> DbIndex {
        std::mem::replace(&mut self.db, db)
    }

    /// How many databases there are.
    pub fn databases(&self) -> usize {
        self.shards.first().map_or(0, |(_, s)| s.databases())
    }

    /// Names a key.
    #[inline]
    pub fn key<'k>(&self, bytes: &'k [u8]) -> Key<'k> {
        self.map.key(bytes)
    }

    /// The map of keys to shards.
    pub fn map(&self) -> ShardMap {
        self.map
    }

    /// Whether the unit holds the shard of this key.
    pub fn holds(&self, key: &Key<'_>) -> bool {
        self.position(self.map.of(key.hash)).is_some()
    }

    fn position(&self, id: ShardId) -> Option<usize> {
        if self.shards.len() == self.map.shards() {
            return Some(id.index());
        }
        self.shards.iter().position(|(held, _)| *held == id)
    }

    /// The place of a key's shard among those held. A unit that touches a key outside the shards it planned for has a
    /// wrong key specification: that is our fault, and going on could corrupt what another thread is changing.
    fn position_of(&self, key: &Key<'_>) -> usize {
        let Some(at) = self.position(self.map.of(key.hash)) else {
            panic!(
                "a command touched {:?}, which its key specification does not name",
                key.bytes.escape_ascii().to_string()
            );
        };
        at
    }

    pub(crate) fn shard(&mut self, key: &Key<'_>) -> &mut Shard {
        let at = self.position_of(key);
        self.shards[at].1
    }

    /// Every shard held, for commands that work on the whole keyspace.
    pub fn shards_mut(&mut self) -> impl Iterator<Item = (ShardId, &mut Shard)> {
        self.shards.iter_mut().map(|(id, shard)| (*id, &mut **shard))
    }

    /// One shard held, to be looked at.
    pub fn shard_ref(&self, id: ShardId) -> Option<&Shard> {
        let at = self.position(id)?;
        Some(&*self.shards[at].1)
    }

    /// One shard held.
    pub fn shard_mut(&mut self, id: ShardId) -> Option<&mut Shard> {
        let at = self.position(id)?;
        Some(self.shards[at].1)
    }

    /// Looks a key up for a client that reads it. An expired key is absent (see [`OnExpired`]); a hit moves the access
    /// clock, a miss is noted.
    pub fn find(&mut self, key: &Key<'_>) -> Option<View<'_>> {
        let alive = self.drop_expired(key).is_some();
        let coin = if self.clock.lfu { self.flip() } else { 0 };
        let (db, clock, touch) = (self.db, self.clock, self.lookup == Lookup::Touch);
        let at = self.position_of(key);
        let found =
            if alive { self.shards[at].1.dbs[db.index()].tables.of(key.hash).find(key.hash, key.bytes) } else { None };
        match &found {
            Some(found) => {
                self.stats.hits += 1;
                if touch {
                    let word = clock.touched(word_of(found), coin);
                    found.set_access(word as u16);
                    let high = (word >> 16) as u8;
                    // The high byte stands in the entry; it moves about every 18 hours (LRU) or 4 hours (LFU).
                    if found.mark() != high {
                        found.touch_mark(high);
                    }
                }
            }
            None => {
                self.stats.misses += 1;
                if self.wanted.misses {
                    self.notes.push((Note::Miss, db, key.bytes.into()));
                }
            }
        }
        found.map(View)
    }

    /// Looks a key up for a client that reads it, but not its value (EXISTS, TTL, TYPE): counted, yet no access.
    pub fn find_untouched(&mut self, key: &Key<'_>) -> Option<View<'_>> {
        let lookup = std::mem::replace(&mut self.lookup, Lookup::Peek);
        let found = self.find(key).is_some();
        self.lookup = lookup;
        if found { self.peek(key) } else { None }
    }

    /// Looks a key up without a trace: no statistics, no access clock. An expired key is absent.
    pub fn peek(&mut self, key: &Key<'_>) -> Option<View<'_>> {
        self.drop_expired(key)?;
        let (db, at) = (self.db, self.position_of(key));
        self.shards[at].1.dbs[db.index()].tables.of(key.hash).find(key.hash, key.bytes).map(View)
    }

    /// Looks a key up without a trace and without deleting anything, so that several values can be borrowed at once.
    pub fn glance(&self, key: &Key<'_>) -> Option<View<'_>> {
        let at = self.position_of(key);
        let view = View(self.shards[at].1.dbs[self.db.index()].tables.of(key.hash).find(key.hash, key.bytes)?);
        (self.on_expired == OnExpired::Obey || !view.is_expired(self.now)).then_some(view)
    }

    /// Whether the key is there and its time has not come. No trace.
    pub fn exists(&mut self, key: &Key<'_>) -> bool {
        self.alive(key)
    }

    /// Reads a string.
    pub fn read_string(&mut self, key: &Key<'_>) -> Result<Option<StringRef<'_>>, Error> {
        self.find(key).map(|view| view.string()).transpose()
    }

    /// Reads a collection.
    pub fn read<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<&T>, Error> {
        self.find(key).map(|view| view.collection::<T>()).transpose()
    }

    /// A collection that this unit has found under this key already. It needs no change of the keyspace, so that several can
    /// be borrowed at once; what became of an expired key was settled when it was found to be absent.
    pub fn read_again<T: Typed>(&self, key: &Key<'_>) -> Option<&T> {
        let at = self.position_of(key);
        match self.shards[at].1.dbs[self.db.index()].tables.of(key.hash).find(key.hash, key.bytes)?.payload() {
            Payload::Value(value) => T::of(value),
            _ => None,
        }
    }

    /// When a key expires; `None` for a key without expiry or no key.
    pub fn expire_of(&mut self, key: &Key<'_>) -> Option<UnixMillis> {
        self.peek(key)?.expire()
    }

    /// Whether the key can be seen; deletes it when its time has come and the policy says so.
    pub(crate) fn alive(&mut self, key: &Key<'_>) -> bool {
        let (db, at) = (self.db, self.position_of(key));
        self.drop_expired(key).is_some()
            && self.shards[at].1.dbs[db.index()].tables.of(key.hash).find(key.hash, key.bytes).is_some()
    }

    /// `None`: the key's time has come, and it is absent for this unit; then it is deleted if the policy says so.
    pub(crate) fn drop_expired(&mut self, key: &Key<'_>) -> Option<()> {
        let (db, now, policy) = (self.db, self.now, self.on_expired);
        let at = self.position_of(key);
        let table = self.shards[at].1.dbs[db.index()].tables.of(key.hash);
        // Only a table with expiring keys pays for a look of its own; the second one then hits the cache.
        if table.flagged() == 0 || policy == OnExpired::Obey {
            return Some(());
        }
        let Some(found) = table.find(key.hash, key.bytes) else { return Some(()) };
        if !found.flag() || found.expire().is_none_or(|at| !now.is_past(at)) {
            return Some(());
        }
        if policy == OnExpired::Delete {
            self.expire_now(key);
        }
        None
    }

    /// Whether the key is there but its time has come. Changes nothing.
    pub fn is_expired(&mut self, key: &Key<'_>) -> bool {
        let (db, now) = (self.db, self.now);
        let found = self.shard(key).dbs[db.index()].tables.of(key.hash).find(key.hash, key.bytes);
        found.is_some_and(|found| found.flag() && found.expire().is_some_and(|at| now.is_past(at)))
    }

    pub(crate) fn flip(&mut self) -> u32 {
        // xorshift32: only the LFU counter's coin, no one can gain from guessing it.
        let mut x = self.coin;
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.coin = x;
        x
    }
}
