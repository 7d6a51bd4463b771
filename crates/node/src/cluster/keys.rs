//! The keys of slots: how many there are, what becomes of them when their slot goes.
//!
//! A slot that a command gives away takes its keys along (they were migrated, or the command says that they go). A slot
//! that gossip alone gives to another node may be ours again a moment later, when the node that claims it turns out to
//! have come back from the dead; Redis deletes the keys at once. Here they are set *aside*: no longer served, not in DBSIZE,
//! counted in memory, and put back when the slot becomes this node's own again.

use std::cell::RefCell;
use std::collections::BTreeMap;

use ::cluster::{Slot, SlotSet};
use engine::unit::{Scratch, Sink, Unit};
use keyspace::{Db, DbIndex, Shard};
use parking_lot::Mutex;

use crate::execute::Core;
use crate::hooks::NodeHooks;
use crate::replication::Quiet;

/// What the machine may ask of the data, by a unit that is alone.
pub struct HeldKeys<'a>(RefCell<Vec<&'a mut Shard>>);

impl<'a> HeldKeys<'a> {
    /// The keys of the shards that a lease holds.
    pub fn of<'s>(core: &'a mut Core<'s>) -> Self {
        HeldKeys(RefCell::new(core.lease.all_shards().collect()))
    }
}

impl ::cluster::Keys for HeldKeys<'_> {
    fn count(&self, slot: Slot) -> u64 {
        // A shard that does not have the slot knows no key of it.
        let shards = self.0.borrow();
        let at = slot.index() % shards.len().max(1);
        shards.get(at).map_or(0, |shard| {
            (0..shard.databases() as u16).map(|db| shard.db(DbIndex(db)).slot_len(slot.number()) as u64).sum()
        })
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().iter().all(|shard| (0..shard.databases() as u16).all(|db| shard.db(DbIndex(db)).is_empty()))
    }
}

/// Keys that were set aside, by slot and database.
#[derive(Default)]
pub struct Aside(Mutex<BTreeMap<(u16, u16), Db>>);

impl Aside {
    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.0.lock().values().map(Db::len).sum()
    }

    /// The slots that have some.
    pub fn slots(&self) -> usize {
        let aside = self.0.lock();
        let mut slots: Vec<u16> = aside.keys().map(|(slot, _)| *slot).collect();
        slots.dedup();
        slots.len()
    }
}

impl Core<'_> {
    /// The slots in which there are keys. The lease has the world.
    pub(crate) fn held_slots(&mut self) -> SlotSet {
        let mut held = SlotSet::new();
        for (at, shard) in self.lease.all_shards().enumerate() {
            let id = keyspace::ShardId(at as u16);
            for db in (0..shard.databases() as u16).map(DbIndex) {
                shard.db(db).slots(id).filter_map(Slot::new).for_each(|slot| {
                    held.insert(slot);
                });
            }
        }
        held
    }

    /// Deletes the keys of a slot and answers how many there were. Whoever watches one of them is told; the deletions are
    /// logged one by one if they are to be, so that replicas and the append-only file follow; on a replica they never are.
    /// The lease has the world.
    pub(crate) fn drop_slot(&mut self, slot: Slot, logs: bool) -> usize {
        let control = self.control();
        let map = self.server.engine.map;
        let mut dropped = 0;
        for db in (0..control.env.databases).map(DbIndex) {
            let Some(shard) = self.lease.shard_mut(map.of_slot(slot.number())) else { continue };
            let names: Vec<Box<[u8]>> = shard.db(db).slot_views(slot.number()).map(|view| view.key().into()).collect();
            if names.is_empty() {
                continue;
            }
            dropped += names.len();
            self.delete_keys(&control, db, &names, logs);
        }
        dropped
    }

    /// Takes the keys of a slot out of the keyspace without a word: nobody deletes them, they are only not ours to serve.
    pub(crate) fn set_aside(&mut self, slot: Slot) -> usize {
        let Some(node) = &self.server.cluster else { return 0 };
        let map = self.server.engine.map;
        let mut count = 0;
        let Some(shard) = self.lease.shard_mut(map.of_slot(slot.number())) else { return 0 };
        for db in (0..shard.databases() as u16).map(DbIndex) {
            if let Some(keys) = shard.take_slot(db, slot.number()) {
                count += keys.len();
                node.aside.0.lock().insert((slot.number(), db.0), keys);
            }
        }
        count
    }

    /// Puts keys that were set aside back, for the slots that are this node's own again, and forgets those of slots that
    /// have keys already.
    pub(crate) fn bring_back(&mut self, is_mine: impl Fn(Slot) -> bool) {
        let Some(node) = &self.server.cluster else { return };
        let map = self.server.engine.map;
        let mut garbage = Vec::new();
        let mut aside = node.aside.0.lock();
        let back: Vec<(u16, u16)> =
            aside.keys().filter(|(slot, _)| Slot::new(*slot).is_some_and(&is_mine)).copied().collect();
        for (slot, db) in back {
            let Some(keys) = aside.remove(&(slot, db)) else { continue };
            match self.lease.shard_mut(map.of_slot(slot)) {
                Some(shard) if shard.db(DbIndex(db)).slot_len(slot) == 0 => shard.put_slot(DbIndex(db), slot, keys),
                _ => garbage.push(keys),
            }
        }
        self.server.host.free_dbs(garbage);
    }

    /// Up to `most` names of keys that a slot has in one database. The lease holds the slot's shard.
    pub(crate) fn slot_names(&mut self, db: DbIndex, slot: Slot, most: usize) -> Vec<Box<[u8]>> {
        let map = self.server.engine.map;
        match self.lease.shard_mut(map.of_slot(slot.number())) {
            Some(shard) => shard.db(db).slot_views(slot.number()).take(most).map(|view| view.key().into()).collect(),
            None => Vec::new(),
        }
    }

    fn delete_keys(&mut self, control: &crate::control::Control, db: DbIndex, names: &[Box<[u8]>], logs: bool) {
        // The unit in progress keeps what it has logged so far.
        let mut scratch = Scratch::default();
        let quiet = Quiet(&self.server.journal);
        let sink: &dyn Sink = match logs && !control.is_replica() && !self.applies {
            true => &*self.server.journal,
            false => &quiet,
        };
        let space = self.lease.space(db);
        let mut unit = Unit::begin(space, sink, &mut scratch, &mut self.random);
        unit.unframed();
        for name in names {
            unit.delete(&unit.space.key(name), &control.env);
        }
        let mut hooks = NodeHooks { server: self.server, control, counters: self.counters };
        let committed = unit.commit(&mut hooks);
        self.turn_hold = self.turn_hold.max(committed.hold);
    }
}
