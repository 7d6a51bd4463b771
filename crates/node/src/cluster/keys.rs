//! The keys of slots: how many there are, what becomes of them when their slot goes.
//!
//! A slot that a command gives away takes its keys along (they were migrated, or the command says that they go). A slot
//! that gossip alone gives to another node may be ours again a moment later, when the node that claims it turns out to
//! have come back from the dead; Redis deletes the keys at once. Here they are set *aside*: no longer served, not in DBSIZE,
//! counted in memory, and put back when the slot becomes this node's own again (`aside.rs`).

use std::cell::RefCell;

use ::cluster::{NodeId, Slot, SlotSet};
use engine::unit::{Scratch, Sink, Unit};
use keyspace::{DbIndex, Shard, View};
use rdb::Version;
use rdb::encode::Form;
use resp::log_text;
use structures::number;

use crate::execute::Core;
use crate::hooks::NodeHooks;
use crate::replication::Quiet;
use crate::server::LogLevel;

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

    /// Takes the keys of a slot, which this node has claimed, out of the keyspace without a word: nobody deletes them, they are
    /// only not ours to serve.
    pub(crate) fn set_aside(&mut self, slot: Slot, owner: Option<NodeId>) -> usize {
        let Some(node) = &self.server.cluster else { return 0 };
        let (map, now) = (self.server.engine.map, self.server.engine.now());
        let (mut count, mut garbage) = (0, Vec::new());
        let Some(shard) = self.lease.shard_mut(map.of_slot(slot.number())) else { return 0 };
        for db in (0..shard.databases() as u16).map(DbIndex) {
            if let Some(keys) = shard.take_slot(db, slot.number()) {
                count += keys.len();
                garbage.extend(node.aside.put(slot, db, keys, now, owner));
            }
        }
        self.server.host.free_dbs(garbage);
        count
    }

    /// Puts keys that were set aside back, for the slots that are this node's own again, and forgets those of slots that
    /// have keys already. Replicas and the append-only file are told, and a snapshot under way, which would be complete
    /// without them, is given up. The lease has the world.
    pub(crate) fn bring_back(&mut self, is_mine: impl Fn(Slot) -> bool) {
        let Some(node) = &self.server.cluster else { return };
        let map = self.server.engine.map;
        let (mut garbage, mut count) = (Vec::new(), 0);
        let mut scratch = Scratch::default();
        scratch.begin();
        let logs = self.server.journal.is_awake();
        let taken = node.aside.take_back(is_mine);
        if taken.is_empty() {
            return;
        }
        for (slot, db, keys) in taken {
            match self.lease.shard_mut(map.of_slot(slot.number())) {
                Some(shard) if shard.db(db).slot_len(slot.number()) == 0 => {
                    if logs {
                        keys.views().for_each(|view| log_restore(&mut scratch, db, &view));
                    }
                    count += keys.len();
                    shard.put_slot(db, slot.number(), keys);
                }
                _ => garbage.push(keys),
            }
        }
        self.server.host.free_dbs(garbage);
        if count == 0 {
            return node.aside.note_put_back(self.server.journal.end().0);
        }
        scratch.count_dirty(count as u64);
        let control = self.control();
        let mut unit =
            Unit::resume(self.lease.space(DbIndex(0)), &*self.server.journal, &mut scratch, &mut self.random);
        unit.unframed();
        let mut hooks = NodeHooks { server: self.server, control: &control, counters: self.counters };
        let committed = unit.commit(&mut hooks);
        self.hold(committed.hold);
        node.aside.note_put_back(self.server.journal.end().0);
        crate::saving::give_up(self.server);
        self.server.host.log(LogLevel::Notice, &log_text::cluster_node::put_back(count));
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

/// Logs a key with its value and its expiry, in place of whatever a replica has under its name.
fn log_restore(scratch: &mut Scratch, db: DbIndex, view: &View<'_>) {
    let mut payload = Vec::new();
    // Every value that can be held has a payload in the newest version.
    if rdb::dump::write(Form { version: Version::NEWEST, compress: true }, &mut payload, view.payload()).is_ok() {
        let at = number::int(view.expire().map_or(0, |at| at.0));
        scratch.log(db, &[b"RESTORE", view.key(), at.as_bytes(), &payload, b"ABSTTL", b"REPLACE"], false);
    }
}
