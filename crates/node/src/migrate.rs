//! MIGRATE: keys that are on their way to another server.
//!
//! ```text
//!   command: values encoded, keys frozen ─► Host::migrate_later ─► a thread of the host talks to the target
//!                      │                                                │
//!        units that name a frozen key                                   ▼
//!        wait; all others go on                   end of a turn: what was acknowledged is deleted (DEL in
//!                                                 the journal), keys thawed, the client answered
//! ```
//!
//! Redis stands still for as long as the target takes. Here nothing is held while the bytes travel: no shard, no gate, no
//! I/O thread; so two servers that migrate into each other serve each other's RESTORE. What must not happen is that a write
//! falls between the value that was sent and its deletion. Therefore the keys are *frozen*: a unit that names one is put
//! aside like one that meets a pause, and so is a unit that may write without naming keys (FLUSHALL, SWAPDB, a transaction
//! with one of these). Other units that take the world only read, and find the keys as they were.
//!
//! Invariants
//! 1. A key is frozen and looked for under the lock of its shard. So whoever has the shard and finds the key thawed may go
//!    on, and whoever finds it frozen is told when it has thawed ([`crate::server::Server::recheck`]).
//! 2. A migration begun is ended, whatever becomes of its client: the thread that began it keeps it until then.
//! 3. While writes are paused nothing is deleted; the migration waits as any write does. On a replica nothing is deleted at
//!    all: the keys are its primary's now.
//!
//! Inside a transaction there is no later: EXEC sends and waits, as Redis does.
//!
//! Costs: a unit that migrates nothing pays one load of a word that is seldom written.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use command::keyspec::KeyFlags;
use command::row::{Flags, Row};
use engine::lease::Taken;
use engine::unit::{Call as UnitCall, Unit};
use keyspace::DbIndex;
use parking_lot::Mutex;
use resp::args::{Args, OwnedArgs};
use resp::error::{self, Error};
use resp::reply::{Proto, Reply};
use session::Letter;

use crate::control::Pause;
use crate::execute::{Core, Shards};
use crate::hooks::NodeHooks;
use crate::replication::Quiet;
use crate::server::Bound;

/// What the host is to say to the target.
#[derive(Clone, Debug)]
pub struct Order {
    /// The target as it was named.
    pub host: Vec<u8>,
    /// Its port as it was named.
    pub port: Vec<u8>,
    /// How long connecting, and each read and write, may take.
    pub timeout: Duration,
    /// AUTH, encoded; empty if the target asks for none.
    pub auth: Vec<u8>,
    /// The database there.
    pub db: i64,
    /// One command for each key, encoded: RESTORE, or EXISTS.
    pub requests: Vec<u8>,
    /// How many.
    pub keys: usize,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct Sent {
    /// For each key in order, as far as replies came: whether the target has it.
    pub acknowledged: Vec<bool>,
    /// What the client is told.
    pub result: Result<(), Error>,
}

/// The keys on their way.
#[derive(Debug, Default)]
pub struct Frozen {
    count: AtomicUsize,
    keys: Mutex<Vec<(DbIndex, Box<[u8]>)>>,
}

impl Frozen {
    /// Whether there is none; one load.
    pub fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }

    fn freeze(&self, db: DbIndex, names: &[Box<[u8]>]) {
        let mut keys = self.keys.lock();
        keys.extend(names.iter().map(|name| (db, name.clone())));
        self.count.store(keys.len(), Ordering::Release);
    }

    fn thaw(&self, db: DbIndex, names: &[Box<[u8]>]) {
        let mut keys = self.keys.lock();
        keys.retain(|(of, name)| *of != db || !names.contains(name));
        self.count.store(keys.len(), Ordering::Release);
    }

    fn holds(&self, db: DbIndex, name: &[u8]) -> bool {
        self.keys.lock().iter().any(|(of, key)| *of == db && **key == *name)
    }
}

/// A migration under way.
pub(crate) struct Migration {
    client: u64,
    db: DbIndex,
    names: Vec<Box<[u8]>>,
    copies: bool,
    sent: OnceLock<Sent>,
}

/// A migration that can begin: the values are encoded.
pub(crate) struct Prepared {
    /// What is to be said.
    pub(crate) order: Order,
    /// The keys, in the order of the RESTOREs.
    pub(crate) names: Vec<Box<[u8]>>,
    /// The keys stay here as well.
    pub(crate) copies: bool,
}

impl Core<'_> {
    /// Whether a unit has to wait because a key that it names, or that a client whom it may serve names, is on its way. The
    /// unit has its shards.
    pub(crate) fn meets_frozen(&mut self, db: DbIndex, commands: &[(&Row, Args<'_>)]) -> bool {
        let server = self.server;
        if server.frozen.is_empty() || self.applies {
            return false;
        }
        if self.lease.world().is_some() && commands.iter().any(|(row, _)| row.has(Flags::WRITE)) {
            return true;
        }
        let map = server.engine.map;
        let mut keys: Vec<(DbIndex, Box<[u8]>)> = Vec::new();
        for (row, args) in commands {
            for at in row.keys_of(args).into_iter().flatten() {
                let name = args.at(at.index as usize);
                if server.frozen.holds(db, name) {
                    return true;
                }
                if !at.flags.contains(KeyFlags::RO) {
                    keys.push((db, name.into()));
                }
            }
        }
        let mut next = 0;
        while let Some((db, name)) = keys.get(next).cloned() {
            next += 1;
            let Some(shard) = self.lease.shard_mut(map.of_key(&name)) else { continue };
            for waiter in shard.waiting.of(db, &name) {
                for touched in &waiter.touches {
                    if server.frozen.holds(waiter.db, touched) {
                        return true;
                    }
                    if !keys.iter().any(|(d, k)| *d == waiter.db && k == touched) {
                        keys.push((waiter.db, touched.clone()));
                    }
                }
            }
        }
        false
    }

    /// Begins a migration for a client, who waits. The unit has the shards of the keys.
    pub(crate) fn begin_migration(&mut self, client: u64, db: DbIndex, prepared: Prepared) {
        let Prepared { order, names, copies } = prepared;
        if !copies {
            self.server.frozen.freeze(db, &names);
        }
        let migration = Arc::new(Migration { client, db, names, copies, sent: OnceLock::new() });
        self.migrations.push(migration.clone());
        let mailbox = self.server.mailboxes[self.me].clone();
        self.server.host.migrate_later(
            order,
            Box::new(move |sent| {
                let _ = migration.sent.set(sent);
                // Any letter makes the thread turn, and look at its migrations at the end.
                mailbox.post(Letter::Progress);
            }),
        );
    }

    /// Ends the migrations whose target has answered.
    pub(crate) fn end_migrations(&mut self) {
        if self.migrations.iter().all(|migration| migration.sent.get().is_none()) {
            return;
        }
        let mut attempt = std::mem::take(&mut self.migrate_attempt);
        let mut migrations = std::mem::take(&mut self.migrations);
        let (mut thawed, mut parked) = (false, false);
        migrations.retain(|migration| {
            let Some(sent) = migration.sent.get().filter(|_| !parked) else { return true };
            let mut shards: Shards = migration.names.iter().map(|name| self.server.engine.map.of_key(name)).collect();
            shards.sort_unstable();
            shards.dedup();
            loop {
                let taken = match self.lease.enter(&mut attempt) {
                    Taken::Yes => self.lease.take(&shards, &mut attempt),
                    other => other,
                };
                match taken {
                    Taken::Yes => break,
                    Taken::Again => {}
                    Taken::Parked => {
                        parked = true;
                        return true;
                    }
                }
            }
            if self.control().pause != Pause::None && !migration.copies {
                self.lease.abandon(&mut attempt);
                return true;
            }
            self.end_migration(migration, sent);
            attempt.succeed();
            thawed |= !migration.copies;
            false
        });
        self.lease.release();
        self.migrations.append(&mut migrations);
        self.migrate_attempt = attempt;
        if thawed {
            self.server.recheck();
        }
    }

    fn end_migration(&mut self, migration: &Migration, sent: &Sent) {
        let control = self.control();
        let mut result = sent.result.clone();
        let mut offset = 0;
        if !migration.copies {
            if control.is_replica() {
                result = Err(error::client::UNBLOCKED_ROLE_CHANGE);
            } else {
                self.begin_unit();
                self.delete(migration.db, &acknowledged(&migration.names, sent));
                let quiet = Quiet(&self.server.journal);
                let sink = Self::sink(&self.server.journal, &quiet, &control);
                let space = self.lease.space(migration.db);
                let unit = Unit::resume(space, sink, &mut self.scratch, &mut self.random);
                let mut hooks = NodeHooks { server: self.server, control: &control, counters: self.counters };
                let committed = unit.commit(&mut hooks);
                self.hold(committed.hold);
                offset = committed.end.unwrap_or(0);
            }
            self.server.frozen.thaw(migration.db, &migration.names);
        }
        let letter = Letter::Answered { client: migration.client, error: result.err(), offset };
        self.server.mailboxes[self.me].post(letter);
    }

    /// Sends keys and waits for the target: a transaction has nothing else to do meanwhile.
    pub(crate) fn migrate_now(&mut self, db: DbIndex, prepared: &Prepared) -> Result<(), Error> {
        let sent = self.server.host.migrate(prepared.order.clone());
        if !prepared.copies {
            self.delete(db, &acknowledged(&prepared.names, &sent));
        }
        sent.result
    }

    /// Deletes keys as DEL does, as part of the unit in progress.
    fn delete(&mut self, db: DbIndex, names: &[&[u8]]) {
        let server = self.server;
        let Some(id) = server.registry.by_fullname(b"del") else { return };
        let Bound::Data(handler, _) = server.bound[id.index()] else { return };
        if names.is_empty() {
            return;
        }
        let control = self.control();
        let words: Vec<&[u8]> = std::iter::once(&b"DEL"[..]).chain(names.iter().copied()).collect();
        let args = OwnedArgs::from_slices(&words);
        let quiet = Quiet(&server.journal);
        let sink = Self::sink(&server.journal, &quiet, &control);
        let mut unit = Unit::resume(self.lease.space(db), sink, &mut self.scratch, &mut self.random);
        let call = UnitCall { row: server.registry.row(id), handler, args: args.as_args(), env: &control.env_no_block };
        let blocked = unit.call(&call, &mut Reply::new(Proto::Resp2));
        debug_assert!(blocked.is_ok(), "DEL waits for nothing");
        unit.suspend(&mut NodeHooks { server, control: &control, counters: self.counters });
    }
}

fn acknowledged<'n>(names: &'n [Box<[u8]>], sent: &Sent) -> Vec<&'n [u8]> {
    names.iter().zip(&sent.acknowledged).filter(|(_, has)| **has).map(|(name, _)| &**name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Node, Peer};

    const MOVE: &str = "MIGRATE host 7000 k 0 100";

    fn answer(node: &mut Node, acknowledged: &[bool], result: Result<(), Error>) {
        let (order, done) = node.notes.migrations.lock().pop().expect("a migration has begun");
        assert_eq!(order.keys, acknowledged.len());
        done(Sent { acknowledged: acknowledged.to_vec(), result });
        node.settle();
    }

    /// One or several threads; the second client is on another thread if there is one.
    fn both(test: impl Fn(Node, Peer, Peer)) {
        for (threads, shards) in [(1, 1), (2, 8)] {
            let mut node = Node::with_threads("", threads, shards);
            let (a, b) = (node.connect(), node.connect_to(threads - 1, "127.0.0.1:7000"));
            node.say(a, "SET k v");
            test(node, a, b);
        }
    }

    #[test]
    fn a_key_on_its_way_is_neither_read_nor_written() {
        both(|mut node, a, b| {
            assert_eq!(node.say(a, MOVE), "");
            assert_eq!(node.say(b, "GET other"), "$-1\r\n", "others go on");
            for command in ["GET k", "SET k w", "DEL k", "FLUSHALL", MOVE] {
                let c = node.connect_to(b.thread, "127.0.0.1:7100");
                assert_eq!(node.say(c, command), "", "{command}");
                node.close(c);
            }
            node.send(b, b"MULTI\r\nSET other w\r\nGET k\r\nEXEC\r\n");
            assert_eq!(node.heard(b), "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
            answer(&mut node, &[true], Ok(()));
            assert_eq!(node.heard(a), "+OK\r\n");
            assert_eq!(node.heard(b), "*2\r\n+OK\r\n$-1\r\n");
        });
    }

    #[test]
    fn what_the_target_refuses_stays() {
        both(|mut node, a, b| {
            node.say(a, "SET l v");
            assert_eq!(node.say(a, "MIGRATE host 7000 \"\" 0 100 KEYS k none l"), "");
            answer(&mut node, &[false, true], Err(error::keys::migrate_target(b"BUSYKEY")));
            assert_eq!(node.heard(a), "-ERR Target instance replied with error: BUSYKEY\r\n");
            assert_eq!(node.say(b, "EXISTS k"), ":1\r\n");
            assert_eq!(node.say(b, "EXISTS l"), ":0\r\n");
        });
    }

    #[test]
    fn copies_freeze_nothing() {
        both(|mut node, a, b| {
            assert_eq!(node.say(a, "MIGRATE host 7000 k 0 100 COPY"), "");
            assert_eq!(node.say(b, "SET k w"), "+OK\r\n");
            answer(&mut node, &[true], Ok(()));
            assert_eq!(node.heard(a), "+OK\r\n");
            assert_eq!(node.say(b, "GET k"), "$1\r\nw\r\n");
        });
    }

    #[test]
    fn a_migration_whose_client_has_gone_is_ended() {
        both(|mut node, a, b| {
            node.say(a, MOVE);
            node.close(a);
            assert_eq!(node.say(b, "GET k"), "");
            answer(&mut node, &[true], Ok(()));
            assert_eq!(node.heard(b), "$-1\r\n");
        });
    }

    #[test]
    fn nothing_is_deleted_while_writes_are_paused() {
        both(|mut node, a, b| {
            node.say(a, MOVE);
            assert_eq!(node.say(b, "CLIENT PAUSE 1000 WRITE"), "+OK\r\n");
            answer(&mut node, &[true], Ok(()));
            assert_eq!(node.heard(a), "");
            assert_eq!(node.say(b, "DBSIZE"), ":1\r\n");
            node.pass(1001);
            assert_eq!(node.heard(a), "+OK\r\n");
            assert_eq!(node.say(b, "DBSIZE"), ":0\r\n");
        });
    }

    #[test]
    fn a_replica_deletes_nothing() {
        both(|mut node, a, b| {
            node.say(a, MOVE);
            assert_eq!(node.say(b, "REPLICAOF 127.0.0.1 1"), "+OK\r\n");
            answer(&mut node, &[true], Ok(()));
            assert!(node.heard(a).starts_with("-UNBLOCKED "));
            assert_eq!(node.say(b, "EXISTS k"), ":1\r\n");
        });
    }

    #[test]
    fn a_waiter_whose_destination_is_on_its_way_makes_the_push_wait() {
        both(|mut node, a, b| {
            let c = node.connect_to(b.thread, "127.0.0.1:7100");
            node.say(a, "LPUSH to x");
            assert_eq!(node.say(c, "BLMOVE from to LEFT LEFT 0"), "");
            assert_eq!(node.say(a, "MIGRATE host 7000 to 0 100"), "");
            assert_eq!(node.say(b, "LPUSH from v"), "");
            answer(&mut node, &[true], Ok(()));
            assert_eq!(node.heard(b), ":1\r\n");
            assert_eq!(node.heard(c), "$1\r\nv\r\n");
            assert_eq!(node.say(b, "LRANGE to 0 -1"), "*1\r\n$1\r\nv\r\n");
        });
    }

    #[test]
    fn a_transaction_migrates_at_once() {
        both(|mut node, a, b| {
            node.send(a, format!("MULTI\r\n{MOVE}\r\nEXISTS k\r\nEXEC\r\n").as_bytes());
            assert_eq!(node.heard(a), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:0\r\n");
            assert!(node.notes.migrations.lock().is_empty());
            assert_eq!(node.say(b, "EXISTS k"), ":0\r\n");
        });
    }

    #[test]
    fn there_may_be_nothing_to_do() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(node.say(a, MOVE), "+NOKEY\r\n");
        assert_eq!(node.say(a, "MIGRATE host 7000 k 0 none"), "-ERR value is not an integer or out of range\r\n");
        assert_eq!(node.say(a, "MIGRATE host 7000 k 0 1 KEYS a"), format!("-{}\r\n", error::keys::MIGRATE_KEYS));
    }
}
