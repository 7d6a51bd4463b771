//! Which shards a command needs, and how it comes by them.
//!
//! The key specifications name the keys, the keys their shards. If clients wait for one of the keys that the command may
//! write, serving them may need the shards of their other keys: the command is *widened* by those before it runs. What
//! stays taken parks the command (`engine::lease`).

use command::binding::Class;
use command::keyspec::KeyFlags;
use command::row::Row;
use engine::lease::Taken;
use keyspace::ShardId;
use resp::args::Args;
use resp::error::Error;
use session::Client;
use structures::number;

use crate::execute::{Core, Shards};

impl Core<'_> {
    /// The shards of a command, ascending.
    pub(crate) fn plan(&self, row: &Row, class: Class, args: Args<'_>) -> Result<Shards, Error> {
        let map = self.server.engine.map;
        let mut shards = Shards::new();
        match class {
            Class::World | Class::Free => {}
            _ if map.shards() == 1 => shards.push(ShardId(0)),
            Class::Slot => {
                let slot = args.get(2).and_then(number::parse_i64).and_then(|n| u16::try_from(n).ok());
                shards.extend(slot.filter(|_| map.is_by_slot()).map(|slot| map.of_slot(slot)));
            }
            Class::Keys | Class::Patterns | Class::Cursor => match row.keys_of(&args) {
                Ok(keys) => {
                    shards.extend(keys.iter().map(|at| map.of_key(args.at(at.index as usize))));
                    shards.sort_unstable();
                    shards.dedup();
                }
                // Its arguments make no sense; what is wrong with them the command itself says best.
                Err(_) => shards.extend((0..map.shards() as u16).map(ShardId)),
            },
        }
        Ok(shards)
    }

    /// Takes the shards, and those of every blocked client that the commands may serve: when the unit has run, whoever can
    /// be served must be servable under the locks held, or a third client could steal the element in between.
    pub(crate) fn take(&mut self, client: &mut Client, shards: &mut Shards, commands: &[(&Row, Args<'_>)]) -> Taken {
        let taken = self.take_wide(client, shards, commands);
        if taken == Taken::Yes && self.meets_frozen(client.db, commands) {
            self.lease.abandon(&mut client.attempt);
            self.lease.end_unit();
            return Taken::Parked;
        }
        taken
    }

    fn take_wide(&mut self, client: &mut Client, shards: &mut Shards, commands: &[(&Row, Args<'_>)]) -> Taken {
        for _ in 0..2 {
            match self.lease.take(shards, &mut client.attempt) {
                Taken::Yes => {}
                other => return other,
            }
            if !self.widen(client.db, shards, commands) {
                return Taken::Yes;
            }
            self.lease.end_unit();
            match self.lease.enter(&mut client.attempt) {
                Taken::Yes => {}
                other => return other,
            }
        }
        match self.lease.take(shards, &mut client.attempt) {
            Taken::Yes if !self.widen(client.db, shards, commands) => Taken::Yes,
            Taken::Yes => self.lease.take_world(&mut client.attempt),
            other => other,
        }
    }

    /// Adds the shards of the clients that wait for keys which these commands may write. True when more are needed than
    /// are held.
    fn widen(&mut self, db: keyspace::DbIndex, shards: &mut Shards, commands: &[(&Row, Args<'_>)]) -> bool {
        let map = self.server.engine.map;
        if map.shards() == 1 || self.lease.world().is_some() {
            return false;
        }
        let nobody = shards.iter().all(|id| self.lease.shard_mut(*id).is_none_or(|s| s.waiting.is_empty()));
        if nobody {
            return false;
        }
        let mut keys: Vec<(keyspace::DbIndex, Box<[u8]>)> = Vec::new();
        for (row, args) in commands {
            for at in row.keys_of(args).into_iter().flatten() {
                if !at.flags.contains(KeyFlags::RO) {
                    keys.push((db, args.at(at.index as usize).into()));
                }
            }
        }
        let mut more = false;
        let mut next = 0;
        while next < keys.len() {
            let (db, key) = keys[next].clone();
            next += 1;
            let Some(shard) = self.lease.shard_mut(map.of_key(&key)) else { continue };
            for waiter in shard.waiting.of(db, &key) {
                for touched in &waiter.touches {
                    let id = map.of_key(touched);
                    if !shards.contains(&id) {
                        shards.push(id);
                        more = true;
                    }
                    if !keys.iter().any(|(d, k)| *d == waiter.db && k == touched) {
                        keys.push((waiter.db, touched.clone()));
                    }
                }
            }
        }
        shards.sort_unstable();
        more
    }
}
