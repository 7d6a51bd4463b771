//! The one door through which entries change.
//!
//! Whatever changes an entry comes through here: it shows the old state to the snapshots under way, keeps the count of
//! keys with an expiry, and raises the flags of those who watch the key when it is told that the key has changed. What
//! to journal and which events to fire is not decided here but by the command, in its effects.

use resp::error::{self, Error};
use structures::entry::{Entry, Payload, PayloadMut};
use structures::number;
use structures::table::{FoundMut, Probe};
use value::{RawString, StringRef, Value};

use crate::snapshot::Observers;
use crate::space::string_of;
use crate::tables::KeyTable;
use crate::watched::After;
use crate::{AccessClock, DbIndex, Expiry, Key, Lookup, Note, OnExpired, Space, Typed, UnixMillis};

/// Strings up to this many bytes live inside their entry's allocation.
const EMBED_MAX: usize = 512;

/// How often RANDOMKEY draws before it answers a key that has expired.
const RANDOM_ATTEMPTS: u32 = 100;

/// A value that was freed here or is to be freed elsewhere takes at least this much work to be worth the trip.
const LAZY_FREE_EFFORT: usize = 64;

/// How the memory of a removed value is given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Deletion {
    /// On this thread, at once.
    Sync,
    /// In the background when the value is big.
    #[default]
    Lazy,
}

/// A value taken out of the keyspace, with its expiry.
pub struct Removed {
    entry: Entry<Value>,
}

impl Removed {
    /// When it would have expired.
    pub fn expire(&self) -> Option<UnixMillis> {
        self.entry.expire().map(UnixMillis)
    }
}

impl Space<'_> {
    /// Changes a collection in place; absent keys stay absent. One probe of the table, two where keys expire.
    pub fn edit<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<&mut T>, Error> {
        if self.drop_expired(key).is_none() {
            return Ok(None);
        }
        self.edit_alive(key)
    }

    /// Changes a collection in place, or a new empty one. The command must leave something in it, or call
    /// [`Space::remove_if_empty`]. One probe of the table, two where keys expire.
    pub fn edit_or_create<T: Typed>(&mut self, key: &Key<'_>) -> Result<&mut T, Error> {
        if self.drop_expired(key).is_none() || self.wanted.new && !self.alive(key) {
            self.insert_value(key, T::empty().wrap(), Expiry::None);
        }
        let access = self.access();
        let (table, mut observers) = self.change(key);
        let found = match table.probe(key.hash, key.bytes, &mut observers) {
            Probe::Found(mut found) => {
                access.note(&mut found);
                found
            }
            Probe::Vacant(vacant) => {
                let entry = Entry::new_value(key.bytes, T::empty().wrap(), None);
                let mut found = vacant.insert(entry, &mut observers);
                access.begin(&mut found);
                found
            }
        };
        match found.into_payload_mut() {
            PayloadMut::Value(v) => T::of_mut(v).ok_or(error::common::WRONGTYPE),
            _ => Err(error::common::WRONGTYPE),
        }
    }

    fn edit_alive<T: Typed>(&mut self, key: &Key<'_>) -> Result<Option<&mut T>, Error> {
        let access = self.access();
        let (table, mut observers) = self.change(key);
        let Some(mut found) = table.find_mut(key.hash, key.bytes, &mut observers) else { return Ok(None) };
        access.note(&mut found);
        match found.into_payload_mut() {
            PayloadMut::Value(v) => T::of_mut(v).map(Some).ok_or(error::common::WRONGTYPE),
            _ => Err(error::common::WRONGTYPE),
        }
    }

    /// Stores a string: canonical integers as integers, short strings inside the entry, long ones beside it.
    /// Whatever was under the key is gone.
    pub fn set_string(&mut self, key: &Key<'_>, bytes: &[u8], expiry: Expiry) {
        let new = match number::parse_i64(bytes) {
            Some(n) => New::Int(n),
            None if bytes.len() > EMBED_MAX => New::Value(Value::Raw(RawString::from_bytes(bytes))),
            None => New::Bytes(bytes, false),
        };
        self.replace(key, new, expiry);
    }

    /// Stores a grown string, reported as `raw` (APPEND, SETRANGE, SETBIT).
    pub fn set_raw(&mut self, key: &Key<'_>, raw: RawString, expiry: Expiry) {
        if raw.len() <= EMBED_MAX {
            self.replace(key, New::Bytes(raw.as_bytes(), true), expiry);
        } else {
            self.replace(key, New::Value(Value::Raw(raw)), expiry);
        }
    }

    /// Stores an integer.
    pub fn set_int(&mut self, key: &Key<'_>, n: i64, expiry: Expiry) {
        self.replace(key, New::Int(n), expiry);
    }

    /// Stores any value; whatever was under the key is gone.
    pub fn insert_value(&mut self, key: &Key<'_>, value: Value, expiry: Expiry) {
        self.replace(key, New::Value(value), expiry);
    }

    /// Changes a string's bytes. The closure gets the present bytes as a growable buffer; the result is stored as `raw`.
    /// `O(length)` for strings inside the entry, `O(change)` for grown ones. An absent key is made.
    pub fn edit_string<R>(&mut self, key: &Key<'_>, f: impl FnOnce(&mut RawString) -> R) -> Result<R, Error> {
        let mut grown = RawString::new();
        let mut expiry = Expiry::None;
        if self.alive(key) {
            let access = self.access();
            let (table, mut observers) = self.change(key);
            if let Some(mut found) = table.find_mut(key.hash, key.bytes, &mut observers) {
                expiry = Expiry::Keep;
                access.note(&mut found);
                grown = match found.into_payload_mut() {
                    PayloadMut::Value(Value::Raw(raw)) => return Ok(f(raw)),
                    PayloadMut::Value(_) => return Err(error::common::WRONGTYPE),
                    PayloadMut::Int(n) => RawString::from_bytes(n.to_string().as_bytes()),
                    PayloadMut::Bytes { bytes, .. } => RawString::from_bytes(bytes),
                };
            }
        }
        let result = f(&mut grown);
        self.set_raw(key, grown, expiry);
        Ok(result)
    }

    /// The integer under a key, changed in place with one probe of the table; `None` when the key is absent, has expired
    /// (which the caller's next look at it settles), or its encoding is not `int`.
    pub fn edit_int(&mut self, key: &Key<'_>, f: impl FnOnce(i64) -> Result<i64, Error>) -> Option<Result<i64, Error>> {
        let (now, policy, access) = (self.now, self.on_expired, self.access());
        let (table, mut observers) = self.change(key);
        let mut found = table.find_mut(key.hash, key.bytes, &mut observers)?;
        if policy != OnExpired::Obey && found.flag() && found.get().expire().is_some_and(|at| now.is_past(at)) {
            // It is not there any more; what comes next under this name tells its end.
            return None;
        }
        let Payload::Int(n) = found.get().payload() else { return None };
        let result = f(n);
        if let Ok(new) = result {
            access.note(&mut found);
            found.get_mut().set_int(new);
        }
        Some(result)
    }

    /// The string under a key as it is before a change: like [`Space::read_string`], but without counting a hit.
    pub fn peek_string(&mut self, key: &Key<'_>) -> Result<Option<StringRef<'_>>, Error> {
        match self.peek(key) {
            Some(view) => string_of(view.payload()).map(Some),
            None => Ok(None),
        }
    }

    /// Sets or clears the expiry of a key that is there. False when there is no such key.
    pub fn set_expire(&mut self, key: &Key<'_>, expire: Option<UnixMillis>) -> bool {
        if !self.alive(key) {
            return false;
        }
        let (table, mut observers) = self.change(key);
        let Some(mut found) = table.find_mut(key.hash, key.bytes, &mut observers) else { return false };
        found.get_mut().set_expire(expire.map(|at| at.0));
        found.set_flag(expire.is_some());
        if let Some(at) = expire {
            found.due(at.0.max(0) as u64);
        }
        true
    }

    /// Sets what is known of a key's accesses, as [`AccessClock`](crate::AccessClock) has it. False when there is no such key.
    pub fn set_access(&mut self, key: &Key<'_>, word: u32) -> bool {
        let db = self.db;
        let (table, mut observers) = self.shard(key).parts(db, key.hash);
        let Some(mut found) = table.find_mut(key.hash, key.bytes, &mut observers) else { return false };
        found.set_access(word as u16);
        found.get_mut().set_mark((word >> 16) as u8);
        true
    }

    /// Removes a key. False when there is none, or it has expired (then it is gone as well).
    pub fn remove(&mut self, key: &Key<'_>, deletion: Deletion) -> bool {
        if !self.alive(key) {
            return false;
        }
        match self.take_entry(key) {
            Some(entry) => {
                self.discard(key, entry, deletion);
                true
            }
            None => false,
        }
    }

    /// Removes a key and gives its value away, to be stored under another name or in another database.
    pub fn take(&mut self, key: &Key<'_>) -> Option<Removed> {
        if !self.alive(key) {
            return None;
        }
        let mut entry = self.take_entry(key)?;
        let db = self.db;
        let shard = self.shard(key);
        let at_cut = shard.db(db).at_cut;
        if shard.is_walked(at_cut, key.bytes)
            && let Payload::Value(value) = entry.payload()
        {
            // A snapshot goes on with the value itself; the key's new name gets a copy.
            let copy = value.clone();
            if let Some(value) = entry.set_value(copy) {
                shard.orphan(at_cut, key.bytes, value);
            }
        }
        Some(Removed { entry })
    }

    /// A copy of a value with its expiry, to be stored under another name or in another database.
    pub fn duplicate(&mut self, key: &Key<'_>) -> Option<Removed> {
        let view = self.peek(key)?;
        let expire = view.expire().map(|at| at.0);
        let entry = match view.payload() {
            Payload::Int(n) => Entry::new_int(key.bytes, n, expire),
            Payload::Bytes { bytes, raw } => Entry::new_bytes(key.bytes, bytes, raw, expire),
            Payload::Value(value) => Entry::new_value(key.bytes, value.clone(), expire),
        };
        Some(Removed { entry })
    }

    /// Stores a value that was taken or copied, as a new key; whatever was under the key is gone. The expiry comes with it.
    pub fn put(&mut self, key: &Key<'_>, removed: Removed) {
        let mut entry = removed.entry;
        let expire = entry.expire();
        if let Some(old) = self.take_entry(key) {
            self.discard(key, old, Deletion::Lazy);
        }
        entry.rename(key.bytes);
        let access = self.access();
        let (table, mut observers) = self.change(key);
        let mut found = table.insert(key.hash, entry, &mut observers);
        access.begin(&mut found);
        found.set_flag(expire.is_some());
        if let Some(at) = expire {
            found.due(at.max(0) as u64);
        }
        drop(found);
        if self.wanted.new {
            self.notes.push((Note::New, self.db, key.bytes.into()));
        }
    }

    /// Removes the key when its collection has become empty; true if it did.
    pub fn remove_if_empty<T: Typed>(&mut self, key: &Key<'_>) -> bool {
        let empty = match self.peek(key).map(|view| view.payload()) {
            Some(Payload::Value(v)) => T::of(v).is_some_and(T::is_empty),
            _ => false,
        };
        empty && self.remove(key, Deletion::Sync)
    }

    /// Says that a key has changed: whoever watches it will know.
    pub fn touch(&mut self, key: &Key<'_>) {
        let db = self.db;
        let shard = self.shard(key);
        if !shard.watched.is_empty() {
            let exists = shard.dbs[db.index()].tables.of(key.hash).find(key.hash, key.bytes).is_some();
            shard.watched.touch(db, key.bytes, exists);
        }
    }

    /// Whether a blocked client waits for this key.
    pub fn awaited(&mut self, key: &Key<'_>) -> bool {
        let db = self.db;
        let shard = self.shard(key);
        !shard.waiting.is_empty() && shard.waiting.has(db, key.bytes)
    }

    /// Deletes a key whose time has come.
    pub(crate) fn expire_now(&mut self, key: &Key<'_>) {
        if let Some(entry) = self.take_entry(key) {
            self.discard(key, entry, Deletion::Lazy);
            self.touch(key);
            self.stats.expired += 1;
            self.expired.push((self.db, key.bytes.into()));
        }
    }

    fn take_entry(&mut self, key: &Key<'_>) -> Option<Entry<Value>> {
        let (table, mut observers) = self.change(key);
        table.remove(key.hash, key.bytes, &mut observers)
    }

    /// Overwrites or makes the entry of a key with one probe of the table. A key whose time had come is replaced as one
    /// that is not there: it leaves no expiry behind, and its end is told first.
    fn replace(&mut self, key: &Key<'_>, new: New<'_>, expiry: Expiry) {
        let (db, now, policy, access) = (self.db, self.now, self.on_expired, self.access());
        let mut over = false;
        let (table, mut observers) = self.change(key);
        let (mut found, old, expire, made) = match table.probe(key.hash, key.bytes, &mut observers) {
            Probe::Found(mut found) => {
                let present = found.get().expire();
                over = policy != OnExpired::Obey && present.is_some_and(|at| now.is_past(at));
                let expire = after(expiry, present.filter(|_| !over));
                access.note(&mut found);
                let entry = found.get_mut();
                let old = match new {
                    New::Int(n) => entry.set_int(n),
                    New::Bytes(bytes, raw) => entry.set_bytes(bytes, raw),
                    New::Value(value) => entry.set_value(value),
                };
                if expire != present {
                    entry.set_expire(expire);
                }
                (found, old, expire, false)
            }
            Probe::Vacant(vacant) => {
                let expire = after(expiry, None);
                let entry = match new {
                    New::Int(n) => Entry::new_int(key.bytes, n, expire),
                    New::Bytes(bytes, raw) => Entry::new_bytes(key.bytes, bytes, raw, expire),
                    New::Value(value) => Entry::new_value(key.bytes, value, expire),
                };
                let mut found = vacant.insert(entry, &mut observers);
                access.begin(&mut found);
                (found, None, expire, true)
            }
        };
        found.set_flag(expire.is_some());
        if let Some(at) = expire {
            found.due(at.max(0) as u64);
        }
        drop(found);
        if let Some(old) = old {
            self.discard_value(key, old, Deletion::Lazy);
        }
        if over && policy == OnExpired::Delete {
            self.stats.expired += 1;
            self.expired.push((db, key.bytes.into()));
        }
        if (made || over) && self.wanted.new {
            self.notes.push((Note::New, db, key.bytes.into()));
        }
    }

    /// What an access by this unit leaves in an entry.
    fn access(&mut self) -> Access {
        let coin = if self.clock.lfu { self.flip() } else { 0 };
        Access { clock: self.clock, coin, moves: self.lookup == Lookup::Touch }
    }

    /// The table in which a key is about to change; what snapshots still need of it has been shown to them.
    fn change(&mut self, key: &Key<'_>) -> (&mut KeyTable, Observers<'_>) {
        let db = self.db;
        let shard = self.shard(key);
        if shard.in_snapshot() {
            shard.before_change(db, key.hash, key.bytes);
        }
        shard.parts(db, key.hash)
    }

    fn discard(&mut self, key: &Key<'_>, entry: Entry<Value>, deletion: Deletion) {
        if let Some(value) = entry.into_value() {
            self.discard_value(key, value, deletion);
        }
    }

    fn discard_value(&mut self, key: &Key<'_>, value: Value, deletion: Deletion) {
        let db = self.db;
        let shard = self.shard(key);
        let at_cut = shard.db(db).at_cut;
        let Some(value) = shard.orphan(at_cut, key.bytes, value) else { return };
        if deletion == Deletion::Lazy && value.free_effort() > LAZY_FREE_EFFORT {
            self.garbage.push(value);
        }
    }

    /// Moves all that is in a database elsewhere to be freed, and raises the flags of those who watched any of it.
    /// The unit must hold every shard.
    pub fn flush(&mut self, db: DbIndex) -> usize {
        let mut removed = 0;
        for (_, shard) in &mut self.shards {
            let part = &shard.dbs[db.index()];
            removed += part.len();
            if part.is_empty() {
                continue;
            }
            let (map, tables) = (self.map, &part.tables);
            shard.watched.touch_all(|d, key| (d == db).then(|| (tables.find(&map.key(key)).is_some(), After::Gone)));
            self.detached.extend(shard.take_db(db));
        }
        removed
    }

    /// Exchanges two databases, and raises the flags of those who watched a key that is in either. The unit must hold
    /// every shard.
    pub fn swap_dbs(&mut self, a: DbIndex, b: DbIndex) {
        let (map, now) = (self.map, self.now);
        for (_, shard) in &mut self.shards {
            if !shard.watched.is_empty() {
                let dbs = &shard.dbs;
                let state = |db: DbIndex, key: &[u8]| match dbs[db.index()].tables.find(&map.key(key)) {
                    None => After::Gone,
                    Some(found) if found.expire().is_some_and(|at| at < now.0) => After::Stale,
                    Some(_) => After::Live,
                };
                shard.watched.touch_all(|db, key| match db {
                    _ if db == a => Some((state(a, key) != After::Gone, state(b, key))),
                    _ if db == b => Some((state(b, key) != After::Gone, state(a, key))),
                    _ => None,
                });
            }
            shard.swap_dbs(a, b);
        }
    }

    /// The keys of a database for which clients wait and that are there now (after SWAPDB).
    pub fn awaited_keys(&self, db: DbIndex) -> Vec<Box<[u8]>> {
        let mut keys = Vec::new();
        for (_, shard) in &self.shards {
            let tables = &shard.dbs[db.index()].tables;
            let here = shard.waiting.keys().filter(|(of, _)| *of == db).map(|(_, key)| key);
            keys.extend(here.filter(|key| tables.find(&self.key(key)).is_some()).map(Box::from));
        }
        keys
    }

    /// A key of the selected database, every one with the same probability; expired ones are deleted on the way. Where they
    /// may not be deleted, one of them is the answer if there seems to be nothing else. The unit must hold every shard.
    pub fn random_key(&mut self, coin: &mut impl FnMut() -> u64) -> Option<Box<[u8]>> {
        let (db, now) = (self.db, self.now);
        for attempt in 1.. {
            let total: usize = self.shards.iter().map(|(_, shard)| shard.dbs[db.index()].len()).sum();
            if total == 0 {
                return None;
            }
            let mut place = ((u128::from(coin()) * total as u128) >> 64) as usize;
            let (_, shard) = self.shards.iter().find(|(_, shard)| {
                let len = shard.dbs[db.index()].len();
                let here = place < len;
                place = place.saturating_sub(len);
                here
            })?;
            let view = shard.dbs[db.index()].random(coin)?;
            let name: Box<[u8]> = view.key().into();
            let answer = match self.on_expired {
                OnExpired::Delete => !view.is_expired(now),
                OnExpired::Hide => !view.is_expired(now) || attempt >= RANDOM_ATTEMPTS,
                OnExpired::Obey => true,
            };
            if answer {
                return Some(name);
            }
            self.exists(&self.key(&name));
        }
        None
    }
}

/// One access by a command that writes.
#[derive(Clone, Copy)]
struct Access {
    clock: AccessClock,
    coin: u32,
    moves: bool,
}

impl Access {
    /// Moves the access clock of an entry that was there.
    fn note(self, found: &mut FoundMut<'_, Entry<Value>>) {
        if self.moves {
            let word = u32::from(found.get().mark()) << 16 | u32::from(found.access());
            Self::write(found, self.clock.touched(word, self.coin));
        }
    }

    /// Starts the access clock of a new entry.
    fn begin(self, found: &mut FoundMut<'_, Entry<Value>>) {
        Self::write(found, self.clock.fresh());
    }

    fn write(found: &mut FoundMut<'_, Entry<Value>>, word: u32) {
        let high = (word >> 16) as u8;
        if found.get().mark() != high {
            found.get_mut().set_mark(high);
        }
        found.set_access(word as u16);
    }
}

/// What is put under a key.
enum New<'n> {
    Int(i64),
    Bytes(&'n [u8], bool),
    Value(Value),
}

fn after(expiry: Expiry, present: Option<i64>) -> Option<i64> {
    match expiry {
        Expiry::None => None,
        Expiry::Keep => present,
        Expiry::At(at) => Some(at.0),
    }
}
