//! MULTI, EXEC, DISCARD, WATCH.
//!
//! EXEC locks the keys of all queued commands *and* all watched keys: two transactions that each watch what the other
//! writes must not both commit. The flags of WATCH are read under those locks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::binding::Class;
use engine::lease::Taken;
use engine::unit::{Call as UnitCall, Unit};
use keyspace::WatchFlag;
use resp::args::Args;
use resp::error;
use session::{Client, Flag, WatchSet};

use crate::admission::{Admission, Circumstances, judge, narrowed};
use crate::busy::Meanwhile;
use crate::cluster::route;
use crate::commands::Call;
use crate::control::Control;
use crate::denials;
use crate::execute::{Core, Outcome, Shards, prepare};
use crate::hooks::NodeHooks;
use crate::replication::Quiet;
use crate::server::{Bound, Server};

/// What EXEC locks: the whole keyspace when any queued command does.
pub fn class(server: &Server, client: &Client) -> Class {
    let world = client.multi.as_ref().is_some_and(|multi| {
        multi.queue.iter().any(|q| {
            let (bound, row, args) = (server.bound[q.row.index()], server.registry.row(q.row), q.args.as_args());
            matches!(commands::class_of(bound.class(), &args), Class::World | Class::Cursor | Class::Slot)
                || row.keys_of(&args).is_err()
        })
    });
    if world { Class::World } else { Class::Keys }
}

/// Ends the open transaction and forgets the watched keys.
pub fn discard(core: &mut Core<'_>, client: &mut Client) {
    client.multi = None;
    client.card.multi.store(-1, Ordering::Relaxed);
    client.card.multi_bytes.store(0, Ordering::Relaxed);
    client.card.set(Flag::Multi, false);
    unwatch(core, client);
}

/// Registers a key with the client's flag. The unit holds the key's shard.
pub fn watch(core: &mut Core<'_>, client: &mut Client, name: &[u8]) {
    let key = core.server.engine.map.key(name);
    let db = client.db;
    let set = client
        .watch
        .get_or_insert_with(|| Box::new(WatchSet { flag: Arc::new(WatchFlag::default()), keys: Vec::new() }));
    if set.keys.iter().any(|(d, k)| *d == db && **k == *name) {
        return;
    }
    let expired = core.lease.space(db).is_expired(&key);
    let id = core.server.engine.map.of(key.hash);
    if let Some(shard) = core.lease.shard_mut(id) {
        shard.watched.watch(db, name, &set.flag, expired);
    }
    set.keys.push((db, name.into()));
    client.card.watched.store(set.keys.len() as u32, Ordering::Relaxed);
}

/// Forgets the watched keys. Registrations in shards that this executor cannot have at once are left to fall with the
/// flag: nobody reads it any more.
pub fn unwatch(core: &mut Core<'_>, client: &mut Client) {
    let Some(set) = client.watch.take() else { return };
    client.card.watched.store(0, Ordering::Relaxed);
    core.forget_watches(*set);
}

impl Core<'_> {
    /// Executes the queued commands; `None` when EXEC has to begin again.
    pub(crate) fn run_exec(&mut self, client: &mut Client, meanwhile: &mut dyn Meanwhile) -> Option<Outcome> {
        let Some(multi) = &client.multi else {
            client.out.error(&error::multi::EXEC_WITHOUT_MULTI);
            return Some(Outcome::Done);
        };
        if multi.aborted {
            discard(self, client);
            client.out.error(&error::multi::EXECABORT);
            return Some(Outcome::Done);
        }
        let multi = client.multi.take()?;
        let map = self.server.engine.map;
        let mut shards = Shards::new();
        let commands: Vec<_> =
            multi.queue.iter().map(|q| (self.server.registry.row(q.row), q.args.as_args())).collect();
        for (row, args) in &commands {
            for at in row.keys_of(args).into_iter().flatten() {
                shards.push(map.of_key(args.at(at.index as usize)));
            }
        }
        for (_, key) in client.watch.iter().flat_map(|set| &set.keys) {
            shards.push(map.of_key(key));
        }
        shards.sort_unstable();
        shards.dedup();
        match self.take(client, &mut shards, &commands) {
            Taken::Yes => {}
            other => {
                drop(commands);
                client.multi = Some(multi);
                return if other == Taken::Parked { Some(Outcome::Parked) } else { None };
            }
        }
        let control = self.control();
        if control.cluster.is_some()
            && let Err(e) = route::open_slot(&mut self.lease, &control, client, &commands)
        {
            self.note_error(e.code());
            client.multi = Some(multi);
            discard(self, client);
            client.out.error(&e);
            return Some(Outcome::Done);
        }
        if self.watched_changed(client) {
            client.multi = Some(multi);
            discard(self, client);
            client.out.null_array();
            return Some(Outcome::Done);
        }
        if let Some(set) = client.watch.take() {
            client.card.watched.store(0, Ordering::Relaxed);
            self.forget_watches(*set);
        }
        client.card.multi.store(-1, Ordering::Relaxed);
        client.card.multi_bytes.store(0, Ordering::Relaxed);
        client.card.set(Flag::Multi, false);
        self.scratch.begin();
        self.in_exec = true;
        client.out.array(commands.len());
        for (queued, (row, args)) in multi.queue.iter().zip(&commands) {
            let control = self.control();
            self.run_queued(client, &control, queued.row, row, *args, meanwhile);
        }
        self.in_exec = false;
        // A queued command may have published another value.
        let control = self.control();
        let space = self.lease.space(client.db);
        let quiet = Quiet(&self.server.journal);
        let sink = Self::sink(&self.server.journal, &quiet, &control);
        let unit = Unit::resume(space, sink, &mut self.scratch, &mut self.random);
        let mut hooks = NodeHooks { server: self.server, control: &control, counters: self.counters };
        let committed = unit.commit(&mut hooks);
        self.settle(client, committed);
        Some(Outcome::Done)
    }

    fn run_queued(
        &mut self,
        client: &mut Client,
        control: &Control,
        id: command::registry::RowId,
        row: &'static command::row::Row,
        args: Args<'_>,
        meanwhile: &mut dyn Meanwhile,
    ) {
        let how = Circumstances { in_exec: true, ..Circumstances::default() };
        let refused = match judge(control, client, id, row, args, &how) {
            Admission::Refuse(e) | Admission::Redirect(e) => Some(e),
            Admission::Deny(denied) => {
                denials::note(self, client, row, &args, denied);
                Some(denied.error_in_exec())
            }
            Admission::Run | Admission::Pause => None,
        };
        if let Some(e) = refused {
            self.note_error(e.code());
            client.out.error(&e);
            return;
        }
        if !control.monitors.is_empty() {
            self.feed_monitors(control, client, row, args);
        }
        let start = self.start_clock();
        let from = client.out.len();
        self.out_mark = from;
        match self.server.bound[id.index()] {
            Bound::Data(handler, _) => {
                let narrowed = narrowed(control, client, id, row, args, &control.env_no_block);
                let env = narrowed.as_ref().unwrap_or(&control.env_no_block);
                let mut space = self.lease.space(client.db);
                prepare(&mut space, control, env, client, row.has(command::row::Flags::WRITE));
                let quiet = Quiet(&self.server.journal);
                let sink = Self::sink(&self.server.journal, &quiet, control);
                let mut unit = Unit::resume(space, sink, &mut self.scratch, &mut self.random);
                let waits = unit.call(&UnitCall { row, handler, args, env }, &mut client.out);
                if control.is_replica() && row.has(command::row::Flags::WRITE) {
                    crate::expiry::note_own(self.server, &unit.space, row, args);
                }
                debug_assert!(waits.is_ok(), "{} blocked inside a transaction", row.fullname);
                unit.suspend(&mut NodeHooks { server: self.server, control, counters: self.counters });
            }
            Bound::Control(handler, _) => {
                let mark = client.out.mark();
                if let Err(e) = handler(&mut Call { core: self, client, args, row, meanwhile }) {
                    client.out.truncate(mark);
                    client.out.error(&e);
                }
            }
            Bound::Absent => client.out.error(&error::common::unknown_command(args.at(0), args.from(1).iter())),
        }
        let failed = client.out.buf.get(from) == Some(&b'-');
        if failed {
            self.note_error(crate::stats::code_of(&client.out.buf[from..]));
        }
        self.account(id, start, failed, client, args);
        if !failed {
            crate::saving::after(self, control, row, false);
        }
    }

    /// Whether a watched key was touched, or has expired since WATCH. The unit holds the shards.
    fn watched_changed(&mut self, client: &Client) -> bool {
        let Some(set) = &client.watch else { return false };
        if set.flag.raised() {
            return true;
        }
        let map = self.server.engine.map;
        set.keys.iter().any(|(db, name)| {
            let key = map.key(name);
            self.lease.space(*db).is_expired(&key)
                && !self
                    .lease
                    .shard_mut(map.of(key.hash))
                    .is_some_and(|shard| shard.watched.is_stale(*db, name, &set.flag))
        })
    }

    /// Takes a watch set's registrations out of the shards held, and leaves the others to [`Core::sweep`].
    pub(crate) fn forget_watches(&mut self, mut set: WatchSet) {
        let map = self.server.engine.map;
        let (lease, flag) = (&mut self.lease, &set.flag);
        set.keys.retain(|(db, key)| match lease.shard_mut(map.of_key(key)) {
            Some(shard) => {
                shard.watched.unwatch(*db, key, flag);
                false
            }
            None => true,
        });
        if !set.keys.is_empty() {
            self.stale_watches.push(set);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    #[test]
    fn queued_commands_run_at_exec() {
        let mut node = Node::start("");
        let (a, b) = (node.connect(), node.connect());
        assert_eq!(node.say(a, "MULTI"), "+OK\r\n");
        assert_eq!(node.say(a, "SET k v"), "+QUEUED\r\n");
        assert_eq!(node.say(b, "GET k"), "$-1\r\n");
        assert_eq!(node.say(a, "GET k"), "+QUEUED\r\n");
        assert!(node.say(b, "CLIENT LIST ID 1").contains(" multi=2 "));
        assert_eq!(node.say(a, "EXEC"), "*2\r\n+OK\r\n$1\r\nv\r\n");
        assert_eq!(node.say(a, "EXEC"), "-ERR EXEC without MULTI\r\n");
        assert_eq!(node.say(a, "DISCARD"), "-ERR DISCARD without MULTI\r\n");
    }

    #[test]
    fn an_error_while_queueing_aborts() {
        let mut node = Node::start("");
        let a = node.connect();
        node.send(a, b"MULTI\r\nSET k v\r\nGET\r\nEXEC\r\nGET k\r\n");
        let heard = node.heard(a);
        assert!(heard.contains("-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n"), "{heard}");
    }

    #[test]
    fn a_watched_key_that_changed_cancels_exec() {
        for shards in [1, 8] {
            let mut node = Node::with_threads("", 2, shards);
            let a = node.connect();
            let b = node.connect_to(1, "127.0.0.1:7000");
            node.say(a, "WATCH k other");
            assert!(node.say(b, "CLIENT LIST ID 1").contains(" watch=2 "));
            node.say(b, "SET k 1");
            node.send(a, b"MULTI\r\nSET x 1\r\nEXEC\r\n");
            assert_eq!(node.heard(a), "+OK\r\n+QUEUED\r\n*-1\r\n");
            assert_eq!(node.say(a, "GET x"), "$-1\r\n");
            assert!(node.say(b, "CLIENT LIST ID 1").contains(" watch=0 "));
            node.say(a, "WATCH k");
            node.send(a, b"MULTI\r\nSET x 1\r\nEXEC\r\n");
            assert_eq!(node.heard(a), "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n", "the former change is forgotten");
        }
    }

    #[test]
    fn what_exec_pushes_serves_waiters_behind_it() {
        let mut node = Node::with_threads("", 2, 8);
        let a = node.connect();
        let b = node.connect_to(1, "127.0.0.1:7000");
        assert_eq!(node.say(b, "BLPOP x k 0"), "");
        node.send(a, b"MULTI\r\nLPUSH k v\r\nGET absent\r\nEXEC\r\n");
        assert_eq!(node.heard(b), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
        node.heard(a);
        assert_eq!(node.say(a, "GET k"), "$-1\r\n");
    }

    #[test]
    fn a_wait_inside_exec_is_in_vain() {
        let mut node = Node::start("");
        let a = node.connect();
        node.send(a, b"MULTI\r\nBLPOP k 0\r\nEXEC\r\n");
        assert_eq!(node.heard(a), "+OK\r\n+QUEUED\r\n*1\r\n*-1\r\n");
    }

    #[test]
    fn a_wait_ends_by_the_clock() {
        let mut node = Node::start("");
        let (a, b) = (node.connect(), node.connect());
        node.say(a, "BLPOP k 2");
        node.pass(1999);
        assert_eq!(node.heard(a), "");
        node.pass(1);
        assert_eq!(node.heard(a), "*-1\r\n");
        node.say(b, "LPUSH k v");
        assert_eq!(node.say(a, "BLPOP k 2"), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n", "the ended wait has taken nothing");
    }

    #[test]
    fn messages_stand_in_the_order_of_their_commands() {
        let mut node = Node::with_threads("", 2, 1);
        let a = node.connect();
        let b = node.connect_to(1, "127.0.0.1:7000");
        node.say(b, "SUBSCRIBE news");
        node.send(a, b"PUBLISH news 1\r\nPUBLISH news 2\r\n");
        assert_eq!(node.heard(a), ":1\r\n:1\r\n");
        let message = |n| format!("*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\n{n}\r\n");
        assert_eq!(node.heard(b), message(1) + &message(2));
        assert!(node.say(b, "GET k").starts_with("-ERR Can't execute 'get'"));
    }
}
