//! A keyspace that nobody sees yet.
//!
//! ```text
//!   snapshot ─► Apart (the link's own, no lock) ──┐ world held
//!   the shards that clients read ─────────────────┴─► exchanged, database by database
//! ```
//!
//! What a primary sends is loaded here, so that loading takes no lock and half a snapshot is nowhere to be seen: when the
//! link breaks, it is dropped. The exchange costs a step per shard and database, whatever is in them.

use keyspace::{Db, DbIndex, Shard, ShardId, ShardMap, Space, UnixMillis};

/// See the head of this file.
pub struct Apart {
    map: ShardMap,
    shards: Vec<Shard>,
}

impl Apart {
    /// Nothing yet. `map` and `databases` are those of the keyspace that it is to replace.
    pub fn new(map: ShardMap, databases: usize) -> Self {
        Apart { map, shards: (0..map.shards()).map(|_| Shard::new(databases, map)).collect() }
    }

    /// All of it, as a unit's view.
    pub fn space(&mut self, db: DbIndex, now: UnixMillis) -> Space<'_> {
        let shards = self.shards.iter_mut().enumerate().map(|(at, shard)| (ShardId(at as u16), shard)).collect();
        Space::new(self.map, shards, db, now)
    }

    /// Puts it in place. The databases of `seen`, which has every shard, are empty.
    pub fn install(mut self, seen: &mut Space<'_>) {
        for (id, shard) in seen.shards_mut() {
            for (db, table) in dbs(&mut self.shards[id.index()]) {
                shard.put_db(db, table);
            }
        }
    }

    /// Takes out the keys of every slot, of a keyspace that is laid out by slots.
    pub fn take_slots(mut self) -> Vec<(u16, DbIndex, Db)> {
        let mut taken = Vec::new();
        for (at, shard) in self.shards.iter_mut().enumerate() {
            for db in (0..shard.databases() as u16).map(DbIndex) {
                let slots: Vec<u16> = shard.db(db).slots(ShardId(at as u16)).collect();
                taken.extend(slots.into_iter().filter_map(|slot| Some((slot, db, shard.take_slot(db, slot)?))));
            }
        }
        taken
    }

    /// It is of no use: what is to be freed.
    pub fn give_up(mut self) -> Vec<Db> {
        self.shards.iter_mut().flat_map(|shard| dbs(shard).collect::<Vec<_>>()).map(|(_, db)| db).collect()
    }
}

/// The databases of a shard that have keys, taken out.
fn dbs(shard: &mut Shard) -> impl Iterator<Item = (DbIndex, Db)> {
    (0..shard.databases() as u16).map(DbIndex).filter_map(|db| {
        if shard.db(db).is_empty() {
            return None;
        }
        Some((db, shard.take_db(db)?))
    })
}

#[cfg(test)]
mod tests {
    use keyspace::{DbIndex, Expiry, ShardMap, UnixMillis};

    use super::Apart;

    #[test]
    fn what_was_loaded_apart_is_there_after_the_exchange() {
        let map = ShardMap::new(4);
        let (mut seen, mut new) = (Apart::new(map, 2), Apart::new(map, 2));
        for n in 0..100 {
            let name = format!("k{n}");
            new.space(DbIndex(1), UnixMillis(0)).set_int(&map.key(name.as_bytes()), n, Expiry::None);
        }
        let count = |apart: &mut Apart, db| {
            let space = apart.space(DbIndex(db), UnixMillis(0));
            (0..100).filter(|n| space.glance(&space.key(format!("k{n}").as_bytes())).is_some()).count()
        };
        assert_eq!((count(&mut seen, 1), count(&mut new, 1)), (0, 100));
        new.install(&mut seen.space(DbIndex(0), UnixMillis(0)));
        assert_eq!((count(&mut seen, 0), count(&mut seen, 1)), (0, 100));
        assert_eq!(seen.give_up().len(), 4);
    }
}
