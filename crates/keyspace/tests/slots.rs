//! A node's keyspace: shards are groups of slots, and each slot's keys are together.

use std::collections::{BTreeMap, BTreeSet};

use keyspace::WalkCursor;
use keyspace::{Db, DbIndex, Deletion, Expiry, HandOver, Shard, ShardId, ShardMap, SnapshotId, Space, UnixMillis};
use parking_lot::Mutex;
use proptest::prelude::*;
use std::sync::Arc;
use structures::crc16;
use structures::entry::Entry;
use value::Value;

const DB: DbIndex = DbIndex(0);
const NOW: UnixMillis = UnixMillis(1_000_000);

struct Node {
    map: ShardMap,
    shards: Vec<Shard>,
}

impl Node {
    fn new(shards: usize) -> Node {
        let map = ShardMap::by_slot(shards);
        Node { map, shards: (0..shards).map(|_| Shard::new(2, map)).collect() }
    }

    fn space(&mut self) -> Space<'_> {
        let shards = self.shards.iter_mut().enumerate().map(|(at, shard)| (ShardId(at as u16), shard)).collect();
        Space::new(self.map, shards, DB, NOW)
    }

    fn set(&mut self, name: &str, expire: Option<i64>) {
        let expiry = expire.map_or(Expiry::None, |at| Expiry::At(UnixMillis(at)));
        let key = self.map.key(name.as_bytes());
        self.space().set_string(&key, b"v", expiry);
    }

    fn del(&mut self, name: &str) -> bool {
        let key = self.map.key(name.as_bytes());
        self.space().remove(&key, Deletion::Sync)
    }

    fn slot(&self, slot: u16) -> BTreeSet<String> {
        let db = self.shards[self.map.of_slot(slot).index()].db(DB);
        let names: BTreeSet<_> =
            db.slot_views(slot).map(|view| String::from_utf8_lossy(view.key()).into_owned()).collect();
        assert_eq!(names.len(), db.slot_len(slot));
        names
    }

    fn scanned(&self) -> Vec<String> {
        let mut names = Vec::new();
        for shard in &self.shards {
            let mut position = 0;
            loop {
                position =
                    shard.db(DB).scan(position, |view| names.push(String::from_utf8_lossy(view.key()).into_owned()));
                assert!(position >> self.map.position_bits() == 0, "positions have the bits that they say");
                if position == 0 {
                    break;
                }
            }
        }
        names
    }
}

fn name() -> impl Strategy<Value = String> {
    // Few slots with many keys, and many with few.
    prop_oneof![
        (0u8..4, 0u16..200).prop_map(|(tag, n)| format!("{{t{tag}}}{n}")),
        (0u16..300).prop_map(|n| format!("k{n}"))
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn like_a_map_of_sets(shards in 0u32..5, steps in proptest::collection::vec((name(), 0u8..5), 0..600)) {
        let mut node = Node::new(1 << shards);
        let mut naive: BTreeMap<String, bool> = BTreeMap::new();
        for (name, what) in steps {
            match what {
                0 => prop_assert_eq!(node.del(&name), naive.remove(&name).is_some()),
                1 => {
                    node.set(&name, Some(NOW.0 + 5));
                    naive.insert(name, true);
                }
                _ => {
                    node.set(&name, None);
                    naive.insert(name, false);
                }
            }
        }
        let count = |node: &Node| -> (usize, usize) {
            node.shards.iter().fold((0, 0), |(keys, expires), shard| {
                let shared = &shard.counts()[0];
                assert_eq!((shared.keys(), shared.expires()), (shard.db(DB).len(), shard.db(DB).expires()));
                (keys + shard.db(DB).len(), expires + shard.db(DB).expires())
            })
        };
        prop_assert_eq!(count(&node), (naive.len(), naive.values().filter(|expires| **expires).count()));
        let mut by_slot: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
        for name in naive.keys() {
            by_slot.entry(crc16::slot(name.as_bytes())).or_default().insert(name.clone());
        }
        let held: BTreeSet<u16> =
            node.shards.iter().enumerate().flat_map(|(at, shard)| shard.db(DB).slots(ShardId(at as u16))).collect();
        prop_assert_eq!(&held, &by_slot.keys().copied().collect::<BTreeSet<_>>());
        for (slot, names) in &by_slot {
            prop_assert_eq!(&node.slot(*slot), names);
        }
        let mut scanned = node.scanned();
        scanned.sort_unstable();
        prop_assert_eq!(scanned, naive.keys().cloned().collect::<Vec<_>>(), "an unchanged keyspace is scanned once");
        let mut coin = 1u64;
        let mut draw = || { coin = coin.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407); coin };
        for _ in 0..5 {
            let drawn = node.space().random_key(&mut draw).map(|name| String::from_utf8_lossy(&name).into_owned());
            prop_assert_eq!(drawn.is_none(), naive.is_empty());
            prop_assert!(drawn.is_none_or(|name| naive.contains_key(&name)));
        }
        // What is due comes once, whatever the budget.
        let mut due = Vec::new();
        for shard in &mut node.shards {
            let mut cursor = 0;
            loop {
                cursor = shard.due(DB, UnixMillis(NOW.0 + 10), cursor, 3, &mut due);
                if cursor == 0 { break; }
            }
        }
        let due: BTreeSet<String> = due.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        prop_assert_eq!(due, naive.iter().filter(|(_, e)| **e).map(|(name, _)| name.clone()).collect::<BTreeSet<_>>());
        // A slot that leaves takes its keys along, and only those.
        if let Some((slot, names)) = by_slot.iter().next() {
            let at = node.map.of_slot(*slot).index();
            let before = count(&node).0;
            let taken = node.shards[at].take_slot(DB, *slot).expect("it has keys");
            prop_assert_eq!(taken.len(), names.len());
            prop_assert_eq!(count(&node).0, before - names.len());
            prop_assert!(node.slot(*slot).is_empty());
            node.shards[at].put_slot(DB, *slot, taken);
            prop_assert_eq!(&node.slot(*slot), names);
            prop_assert_eq!(count(&node).0, before);
        }
    }

    #[test]
    fn a_snapshot_has_the_state_of_its_cut(
        before in proptest::collection::btree_set(name(), 0..200),
        steps in proptest::collection::vec((name(), 0u8..4), 0..200),
        budget in 1usize..20,
        flush in any::<bool>(),
    ) {
        let mut node = Node::new(2);
        before.iter().for_each(|name| node.set(name, None));
        let given = Arc::new(Mutex::new(Vec::new()));
        let detached = Arc::new(Mutex::new(Vec::new()));
        for shard in &mut node.shards {
            shard.begin_snapshot(SnapshotId(0), Box::new(Gather(given.clone(), detached.clone())));
        }
        let mut cursors = [WalkCursor::default(), WalkCursor::default()];
        let mut done = [false; 2];
        for (at, (name, what)) in steps.iter().enumerate() {
            match what {
                0 => { node.del(name); }
                1 => {
                    let slot = crc16::slot(name.as_bytes());
                    let shard = node.map.of_slot(slot).index();
                    drop(node.shards[shard].take_slot(DB, slot));
                }
                _ => node.set(name, None),
            }
            done[at % 2] |= node.shards[at % 2].walk_snapshot(SnapshotId(0), &mut cursors[at % 2], budget);
        }
        if flush {
            node.space().flush(DB);
        }
        for (shard, cursor) in node.shards.iter_mut().zip(&mut cursors) {
            while !shard.walk_snapshot(SnapshotId(0), cursor, budget) {}
            shard.end_snapshot(SnapshotId(0));
        }
        for mut db in detached.lock().drain(..) {
            let db: &mut Db = &mut db;
            let mut cursor = 0;
            while let Some(next) = db.walk_detached(SnapshotId(0), cursor, budget, |entry| {
                given.lock().push(String::from_utf8_lossy(entry.key()).into_owned());
            }) {
                cursor = next;
            }
        }
        let mut given = given.lock().clone();
        given.sort_unstable();
        prop_assert_eq!(given, before.into_iter().collect::<Vec<_>>(), "each once");
    }
}

struct Gather(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<Db>>>);

impl HandOver for Gather {
    fn hand_over(&mut self, _db: DbIndex, entry: &Entry<Value>) {
        self.0.lock().push(String::from_utf8_lossy(entry.key()).into_owned());
    }

    fn take(&mut self, _db: DbIndex, table: Db) {
        self.1.lock().push(table);
    }
}
