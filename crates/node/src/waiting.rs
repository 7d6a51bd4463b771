//! Clients that wait: for keys, for locks, for the end of a pause, for replicas; and how each wait ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use command::context::Block;
use command::row::Row;
use engine::lease::Taken;
use keyspace::{UnixMillis, WaitEntry, WaitState};
use resp::args::Args;
use resp::error::Error;
use session::{Client, Flag, OnTimeoutReply, ReplyMode, Waiting};

use crate::execute::{Core, Errand};
use crate::stats::add;

/// When a client's wait is over by itself.
pub fn deadline(client: &Client) -> Option<UnixMillis> {
    match &client.waiting {
        Waiting::Keys(entry, _) => entry.deadline,
        Waiting::Replicas { deadline, .. }
        | Waiting::Durable { deadline, .. }
        | Waiting::Replicated { deadline, .. } => *deadline,
        _ => None,
    }
}

/// Takes a client out of its wait for keys, which has been ended.
pub fn leave(client: &mut Client) {
    client.waiting = Waiting::No;
    client.card.set(Flag::Blocked, false);
    *client.card.wait.lock() = None;
}

/// CLIENT UNBLOCK or a change of role has ended the wait: answers it. False when it was not so.
pub fn unblocked(core: &mut Core<'_>, client: &mut Client, error: Option<Error>) -> bool {
    match &client.waiting {
        Waiting::Keys(entry, vain) if entry.ended_by(WaitState::Unblocked) => {
            let (entry, vain) = (entry.clone(), *vain);
            in_vain(core, client, &entry, error, vain);
            core.tombstones.push(entry);
            true
        }
        Waiting::Replicas { .. } | Waiting::Durable { .. } | Waiting::Replicated { .. } => match error {
            None => crate::commands::replication::wait_is_over(core, client, true),
            Some(error) => {
                client.waiting = Waiting::No;
                client.card.set(Flag::Blocked, false);
                note_rejected(core, client);
                core.note_error(error.code());
                client.out.error(&error);
                true
            }
        },
        _ => false,
    }
}

/// What others know of a client that begins to wait for keys.
pub(crate) fn entry(
    client: &Client,
    thread: usize,
    args: Args<'_>,
    row: &Row,
    block: &Block,
    now: UnixMillis,
) -> Arc<WaitEntry> {
    let keys = block.keys.clone().map(|at| args.at(at).into()).collect();
    let touches = row.keys_of(&args).into_iter().flatten().map(|at| args.at(at.index as usize).into()).collect();
    WaitEntry::new(
        client.id(),
        thread,
        client.db,
        args.to_owned_args(),
        keys,
        touches,
        client.out.proto,
        now,
        block.deadline,
    )
}

/// A command that had begun to wait was not let end.
fn note_rejected(core: &Core<'_>, client: &Client) {
    let last = client.card.last_command.load(Ordering::Relaxed) as usize;
    if let Some(counters) = core.counters.commands.get(last) {
        add(&counters.rejected, 1);
    }
}

/// Counts the command of a client whose wait for keys has ended.
pub fn count(core: &Core<'_>, client: &Client) {
    let last = client.card.last_command.load(Ordering::Relaxed) as usize;
    if let Some(counters) = core.counters.commands.get(last) {
        add(&counters.calls, 1);
    }
    add(&core.counters.processed, 1);
    add(&client.card.commands, 1);
}

fn in_vain(core: &Core<'_>, client: &mut Client, entry: &WaitEntry, error: Option<Error>, vain: OnTimeoutReply) {
    let start = client.out.len();
    count(core, client);
    match (error, vain) {
        (Some(e), _) => {
            note_rejected(core, client);
            core.note_error(e.code());
            client.out.error(&e);
        }
        (None, OnTimeoutReply::NullArray) => client.out.null_array(),
        (None, OnTimeoutReply::Null) => client.out.null(),
    }
    if client.reply_mode != ReplyMode::On {
        client.out.buf.truncate(start);
    }
    core.charge_wait(entry, client.out.len().saturating_sub(start));
    leave(client);
}

/// Ends a wait for keys as `who`, with an error or with what a wait in vain answers. False when another party has it.
pub fn end_wait(core: &mut Core<'_>, client: &mut Client, who: WaitState, error: Option<Error>) -> bool {
    let Waiting::Keys(entry, vain) = &client.waiting else { return false };
    if !entry.end(who) {
        return false;
    }
    let (entry, vain) = (entry.clone(), *vain);
    in_vain(core, client, &entry, error, vain);
    core.tombstones.push(entry);
    true
}

impl Core<'_> {
    /// Removes what ended waits and ended watches have left in shards. Tries only: what is taken now is swept next time.
    pub fn sweep(&mut self) {
        if self.tombstones.is_empty() && self.stale_watches.is_empty() {
            return;
        }
        let mut attempt = self.new_attempt(Errand::InPassing);
        if self.server.engine.gate.world_wanted() {
            return;
        }
        if self.lease.enter(&mut attempt) != Taken::Yes {
            // It does not come back under this ticket; a pass that nobody redeems would shut world units out for ever.
            self.lease.abandon(&mut attempt);
            return;
        }
        let map = self.server.engine.map;
        let engine = self.lease.engine();
        let with = |name: &[u8], f: &mut dyn FnMut(&mut keyspace::Shard)| {
            let id = map.of_key(name);
            match engine.shards.try_acquire(&[id], None) {
                Ok(mut held) => held.get_mut(id).map(f).is_some(),
                Err(_) => false,
            }
        };
        self.lease.drop_shards();
        self.tombstones.retain(|entry| {
            let mut all = true;
            for name in &entry.keys {
                all &= with(name, &mut |shard| shard.waiting.leave(entry.db, name, entry));
            }
            !all
        });
        self.stale_watches.retain_mut(|set| {
            let flag = &set.flag;
            set.keys.retain(|(db, name)| !with(name, &mut |shard| shard.watched.unwatch(*db, name, flag)));
            !set.keys.is_empty()
        });
        self.lease.release();
    }

    /// Takes a client out of everything that may still know it; it is about to be closed.
    pub fn forget(&mut self, client: &mut Client) {
        if let Waiting::Keys(entry, _) = &client.waiting {
            entry.end(WaitState::Killed);
            self.tombstones.push(entry.clone());
        }
        leave(client);
        self.lease.abandon(&mut client.attempt);
        crate::transaction::discard(self, client);
        crate::commands::pubsub::unsubscribe_all(self, client);
        crate::commands::monitor::leave(self, client);
        self.feeds.remove(client.id());
        crate::replication::gone(self.server, &client.card);
        self.server.cards.remove(client.id());
    }
}
