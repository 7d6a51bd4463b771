//! What a commit does outside the keyspace: events to their subscribers, replies to clients that were blocked, garbage to
//! the background, counts to the thread's counters.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use acl::Asked;
use command::effects::{Event, class};
use command::registry::{Lookup, RowId};
use engine::unit::{Admitted, Hooks};
use keyspace::{Db, SpaceStats, UnixMillis, WaitEntry, WaitState};
use resp::reply::Reply;
use session::{ClientCard, Letter};
use value::Value;

use crate::control::{Control, Pause};
use crate::server::{Bound, LogLevel, Server};
use crate::stats::{Counters, add};

/// The hooks of one unit.
pub struct NodeHooks<'h> {
    /// The server.
    pub server: &'h Server,
    /// The control value under which the unit runs.
    pub control: &'h Control,
    /// The thread's counters.
    pub counters: &'h Counters,
}

impl Hooks for NodeHooks<'_> {
    fn now(&mut self) -> UnixMillis {
        self.server.engine.now()
    }

    fn publish(&mut self, events: &[Event], offset: u64) {
        let notify = self.control.env.notify;
        if self.server.pubsub.is_silent() {
            return;
        }
        for event in events {
            if notify & class::KEYSPACE != 0 {
                let channel = [format!("__keyspace@{}__:", event.db.0).as_bytes(), &event.key].concat();
                publish(self.server, &channel, event.name.as_bytes(), offset);
            }
            if notify & class::KEYEVENT != 0 {
                let channel = format!("__keyevent@{}__:{}", event.db.0, event.name);
                publish(self.server, channel.as_bytes(), &event.key, offset);
            }
        }
    }

    fn dirty(&mut self, changes: u64) {
        self.server.dirty.fetch_add(changes, Ordering::Relaxed);
    }

    fn admit(&mut self, waiter: &WaitEntry) -> Option<Admitted> {
        let card = self.server.cards.get(waiter.client).filter(|_| !self.control.is_replica())?;
        let Lookup::Found(id) = self.server.registry.lookup(&waiter.args.as_args()) else { return None };
        // One that may no longer run, or not yet, is run again from the start, and is told so there.
        if self.control.pause != Pause::None || !self.may_run(&card, waiter, id) {
            if waiter.end(WaitState::Claimed) {
                self.server.mailboxes[waiter.thread].post(Letter::Postponed { client: waiter.client });
            }
            return None;
        }
        match self.server.bound[id.index()] {
            Bound::Data(handler, _) => {
                Some(Admitted { row: self.server.registry.row(id), handler, env: self.control.env.clone() })
            }
            _ => None,
        }
    }

    fn served(&mut self, waiter: &Arc<WaitEntry>, reply: Reply, offset: u64) {
        if reply.buf.first() == Some(&b'-') {
            self.counters.note_error(crate::stats::code_of(&reply.buf));
        }
        let letter = Letter::Served { client: waiter.client, reply: reply.buf, offset };
        self.server.mailboxes[waiter.thread].post(letter);
    }

    fn free(&mut self, garbage: Vec<Value>) {
        add(&self.counters.lazy_freed, garbage.len() as u64);
        self.server.host.free(garbage);
    }

    fn free_dbs(&mut self, detached: Vec<Db>) {
        add(&self.counters.lazy_freed, detached.iter().map(|db| db.len() as u64).sum());
        self.server.host.free_dbs(detached);
    }

    fn log(&mut self, line: &str) {
        self.server.host.log(LogLevel::Warning, line);
    }

    fn count(&mut self, stats: SpaceStats) {
        if stats != SpaceStats::default() {
            add(&self.counters.hits, stats.hits);
            add(&self.counters.misses, stats.misses);
            add(&self.counters.expired, stats.expired);
        }
    }
}

impl NodeHooks<'_> {
    /// Whether the rules of now let a blocked client's command run.
    fn may_run(&self, card: &ClientCard, waiter: &WaitEntry, id: RowId) -> bool {
        let users = &self.control.users;
        if users.are_all_free() {
            return true;
        }
        let name = card.texts.lock().user.clone();
        let row = self.server.registry.row(id);
        let (db, databases) = (u32::from(waiter.db.0), u32::from(self.control.env.databases));
        let asked = Asked { id, row, args: waiter.args.as_args(), db, databases };
        users.id(&name).is_some_and(|user| users.check(user, &asked).is_ok())
    }
}

/// Publishes a message to channel and patterns; returns how many clients were reached.
pub fn publish(server: &Server, channel: &[u8], message: &[u8], offset: u64) -> usize {
    server.pubsub.publish(channel, message, &mut |who, message| {
        let letter = Letter::Published { client: who.client, message: message.clone(), offset };
        server.mailboxes[who.thread].post(letter);
    })
}
