//! How a server ends.
//!
//! ```text
//!   SHUTDOWN, SIGTERM, SIGINT ─► replicas far behind? ── yes ─► writes paused, at most shutdown-timeout ──┐
//!                                        │ no                                                             │
//!                                        ▼                                                                ▼
//!                                   the last look ◄───────────────────────────────────────────────────────┘
//!                                        │ an append-only file without a base: no end (unless FORCE)
//!                                        ▼
//!                            save points, or SAVE? ── yes ─► writes paused ─► a snapshot ─► written: the end
//!                                        │ no                                                not: no end (unless FORCE)
//!                                        ▼                                                            ▼
//!                            FAILOVER, in a cluster? ── yes ─► a replica that has everything is told to take over,
//!                                        │ no                and has a moment to acknowledge it ─► the end
//!                                        ▼
//!                                     the end
//! ```
//!
//! The control thread makes every step that needs waiting, so that none is made twice. Whoever has sent SHUTDOWN waits, and
//! gets an answer only when there is no end: an error. ABORT ends the waiting in that way too. Redis' final save stops the
//! world; here clients go on reading meanwhile, and writes wait, so that nothing is acknowledged that the snapshot does not
//! hold.
//!
//! A primary that hands over (`SHUTDOWN FAILOVER`, `shutdown-on-sigterm failover`) looks for its heir and tells it in one unit
//! that is alone, and no write follows: what it has acknowledged is in the stream before the command. Redis sends the
//! command and ends at once, whether it has left or not.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::cluster::NodeId;
use engine::lease::Taken;
use keyspace::UnixMillis;
use resp::error;
use resp::log_text;
use session::Letter;

use crate::control::{Change, Control, Pause, PauseReason};
use crate::execute::Core;
use crate::replication::{Replica, Stage as Sync, primary};
use crate::saving::Exit;
use crate::server::{LogLevel, Server};

/// How long a replica that takes over is waited for, in ms.
const HEIR_MS: i64 = 1000;

/// How a server is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// A snapshot is written even if there are no save points.
    pub save: bool,
    /// None is written even if there are.
    pub nosave: bool,
    /// Replicas are not waited for.
    pub now: bool,
    /// What goes wrong on the way prevents nothing.
    pub force: bool,
    /// A primary that votes in a cluster does not end.
    pub safe: bool,
    /// A replica takes over first, if one has everything.
    pub failover: bool,
}

/// An end that is under way.
pub struct Shutdown {
    wish: Wish,
    stage: Stage,
    /// Who has sent SHUTDOWN: client and thread.
    waiters: Vec<(u64, usize)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The control thread has not seen it.
    Asked,
    /// Replicas are waited for, until then.
    Replicas(UnixMillis),
    /// The last snapshot is to be written.
    Save,
    /// It is being written.
    Saves,
    /// A replica is to be told to take over.
    HandOver,
    /// It is told, and is waited for until then, or until it has acknowledged so much: client, offset.
    HandedOver { until: UnixMillis, heir: u64, offset: u64 },
    /// It could not be.
    Failed,
    /// ABORT was sent.
    Aborted,
}

/// Asks for the end. `waiter` is the client that does. While an end is under way another one changes nothing.
pub fn request(server: &Server, mut wish: Wish, waiter: Option<(u64, usize)>, described: Option<&str>) {
    if server.is_sentinel() {
        // It has no data.
        wish = Wish { save: false, nosave: true, failover: false, ..wish };
    }
    let mut shutdown = server.shutdown.lock();
    if let Some(shutdown) = &mut *shutdown {
        shutdown.waiters.extend(waiter);
        return;
    }
    let text = described.map_or_else(|| log_text::shutdown::REQUESTED.to_owned(), log_text::shutdown::requested_by);
    server.host.log(LogLevel::Notice, &text);
    *shutdown = Some(Shutdown { wish, stage: Stage::Asked, waiters: waiter.into_iter().collect() });
    drop(shutdown);
    // What needs no waiting happens at once, whatever the control thread is waiting for.
    let control = server.control.load();
    if !rests(server, waiter.is_some()) && needs_no_replicas(server, &control, wish) {
        last_look(server, &control, wish);
    }
    server.host.wake_control();
}

/// A signal is looked at by periodic work, which tests stop.
fn rests(server: &Server, asked_by_client: bool) -> bool {
    !asked_by_client && server.switches.cron_paused.load(Ordering::Relaxed)
}

fn needs_no_replicas(server: &Server, control: &Control, wish: Wish) -> bool {
    wish.now || control.config.process.shutdown_timeout == 0 || all_in_sync(server)
}

/// Gives an end under way up. False when there is none.
pub fn abort(server: &Server) -> bool {
    let mut shutdown = server.shutdown.lock();
    let Some(shutdown) = &mut *shutdown else { return false };
    shutdown.stage = Stage::Aborted;
    server.saving.lock().then_exit = None;
    server.host.log(LogLevel::Notice, log_text::shutdown::ABORTED);
    server.host.wake_control();
    true
}

/// The last snapshot is over. True when the server ends now.
pub(crate) fn saved(server: &Server, good: bool, exit: Exit) -> bool {
    if good || exit.force {
        let wish = server.shutdown.lock().as_ref().map(|shutdown| shutdown.wish).unwrap_or_default();
        end(server, wish);
        return true;
    }
    server.host.log(LogLevel::Warning, log_text::shutdown::CANNOT_SAVE);
    if let Some(shutdown) = &mut *server.shutdown.lock() {
        shutdown.stage = Stage::Failed;
    }
    server.host.wake_control();
    false
}

/// How long an end under way will wait for replicas yet, in ms.
pub fn left(server: &Server) -> Option<i64> {
    match server.shutdown.lock().as_ref()?.stage {
        Stage::Replicas(until) => Some((until.0 - server.engine.now().0).max(0)),
        _ => None,
    }
}

/// The next step of an end under way. On the control thread.
pub fn tick(core: &mut Core<'_>) {
    let server = core.server;
    let (wish, stage) = match &*server.shutdown.lock() {
        None => return,
        Some(Shutdown { stage: Stage::Asked, waiters, .. }) if rests(server, !waiters.is_empty()) => return,
        Some(shutdown) => (shutdown.wish, shutdown.stage),
    };
    let now = server.engine.now();
    match stage {
        Stage::Asked => {
            let control = core.control();
            if needs_no_replicas(server, &control, wish) {
                last_look(server, &control, wish);
                return server.host.wake_control();
            }
            let timeout = i64::from(control.config.process.shutdown_timeout) * 1000;
            set_stage(server, Stage::Replicas(UnixMillis(now.0 + timeout)));
            core.wants_acks = true;
            primary::ask_for_acks(core);
            core.lease.release();
            pause_writes(core);
            server.host.log(LogLevel::Notice, log_text::shutdown::WAITING);
        }
        Stage::Replicas(until) if until <= now || all_in_sync(server) => {
            last_look(server, &core.control(), wish);
            server.host.wake_control();
        }
        Stage::Save => {
            set_stage(server, Stage::Saves);
            pause_writes(core);
            server.saving.lock().then_exit = Some(Exit { force: wish.force });
            server.host.wake_control();
        }
        Stage::HandOver => hand_over(core),
        Stage::HandedOver { until, heir, offset } => {
            let replicas = server.replication.replicas.lock();
            let waits =
                |replica: &Arc<Replica>| replica.card.id == heir && replica.acked.load(Ordering::Relaxed) < offset;
            if until <= now || !replicas.iter().any(waits) {
                server.stop(0);
            }
        }
        Stage::Failed | Stage::Aborted => {
            if stage == Stage::Failed {
                server.host.log(LogLevel::Warning, log_text::shutdown::ERRORS);
            }
            let Some(shutdown) = server.shutdown.lock().take() else { return };
            for (client, thread) in shutdown.waiters {
                let error = Some(error::server::SHUTDOWN_FAILED);
                server.mailboxes[thread].post(Letter::Answered { client, error, offset: 0 });
            }
            server.host.shutdown_aborted();
            core.later(Change::new(|control| control.end_pause(PauseReason::Shutdown)));
            core.make_changes();
        }
        Stage::Replicas(_) | Stage::Saves => {}
    }
}

fn last_look(server: &Server, control: &Control, wish: Wish) {
    log_replicas(server);
    if wish.safe
        && control
            .cluster
            .as_ref()
            .is_some_and(|view| view.me().is_primary && !view.slots_of(view.my_index()).is_empty())
    {
        if !wish.force {
            server.host.log(LogLevel::Warning, log_text::shutdown::VOTES);
            return set_stage(server, Stage::Failed);
        }
        server.host.log(LogLevel::Warning, log_text::shutdown::VOTES_FORCED);
    }
    let rewrites = server.saving.lock().current.as_ref().is_some_and(|current| current.is_rewrite());
    if rewrites && server.host.aof_is_incomplete() {
        if !wish.force {
            server.host.log(LogLevel::Warning, log_text::shutdown::WRITING_AOF);
            return set_stage(server, Stage::Failed);
        }
        server.host.log(LogLevel::Warning, log_text::shutdown::WRITING_AOF_FORCED);
    }
    if let Some(current) = &mut server.saving.lock().current {
        current.cancelled = true;
        server.host.log(LogLevel::Warning, log_text::shutdown::SNAPSHOT_GIVEN_UP);
        server.host.cancel_snapshot();
    }
    let points = !control.config.snapshot.save.is_empty();
    if control.loading || wish.nosave || !(wish.save || points) {
        return end(server, wish);
    }
    server.host.log(LogLevel::Notice, log_text::shutdown::SAVING);
    set_stage(server, Stage::Save);
}

/// Nothing stands before the end but the heir, if there is to be one.
fn end(server: &Server, wish: Wish) {
    let primary = server.control.load().cluster.as_ref().is_some_and(|view| view.me().is_primary);
    if wish.failover && primary && !server.unrecovered.load(Ordering::Relaxed) {
        set_stage(server, Stage::HandOver);
        return server.host.wake_control();
    }
    server.stop(0);
}

/// Tells a replica that has everything to take over, while nobody can write. Without one this server ends all the same.
fn hand_over(core: &mut Core<'_>) {
    let server = core.server;
    let mut attempt = std::mem::take(&mut core.failover_attempt);
    if core.lease.take_world(&mut attempt) == Taken::Yes {
        // What is acknowledged after the last look at the replicas would be lost.
        core.publish_control(|control| {
            control.begin_pause(PauseReason::Shutdown, Pause::Writes, UnixMillis(i64::MAX));
        });
        match heir(server).filter(|_| !core.control().is_replica()) {
            Some((heir, id)) => {
                primary::append_take_over(server, &id);
                primary::append_get_ack(server);
                server.host.log(LogLevel::Notice, &log_text::shutdown::hands_over(&id.to_string()));
                let until = UnixMillis(server.engine.now().0 + HEIR_MS);
                set_stage(server, Stage::HandedOver { until, heir, offset: server.journal.end().0 });
            }
            None => server.stop(0),
        }
        core.lease.release();
        attempt.succeed();
        server.host.wake_control();
    }
    core.failover_attempt = attempt;
}

/// Who takes over: the client and the name of a replica that has acknowledged everything.
fn heir(server: &Server) -> Option<(u64, NodeId)> {
    let replicas = server.replication.replicas.lock();
    if replicas.iter().any(|replica| !replica.announced.takes_over) {
        server.host.log(LogLevel::Notice, log_text::shutdown::OLD_HEIRS);
        return None;
    }
    let end = server.journal.end().0;
    let fit = |replica: &&Arc<Replica>| replica.stage() == Sync::Online && replica.acked.load(Ordering::Relaxed) == end;
    let heir = replicas.iter().filter(fit).find_map(|replica| Some((replica.card.id, replica.announced.node_id?)));
    if heir.is_none() {
        server.host.log(LogLevel::Notice, log_text::shutdown::NO_HEIR);
    }
    heir
}

fn set_stage(server: &Server, stage: Stage) {
    if let Some(shutdown) = &mut *server.shutdown.lock() {
        shutdown.stage = stage;
    }
}

fn pause_writes(core: &mut Core<'_>) {
    core.later(Change::new(|control| control.begin_pause(PauseReason::Shutdown, Pause::Writes, UnixMillis(i64::MAX))));
    core.make_changes();
}

fn all_in_sync(server: &Server) -> bool {
    let end = server.journal.end().0;
    server.replication.replicas.lock().iter().all(|replica| replica.acked.load(Ordering::Relaxed) == end)
}

fn log_replicas(server: &Server) {
    let replicas = server.replication.replicas.lock().clone();
    let end = server.journal.end().0;
    let now = server.engine.now().0;
    let mut in_sync = 0;
    for replica in &replicas {
        let acked = replica.acked.load(Ordering::Relaxed);
        if acked == end {
            in_sync += 1;
            continue;
        }
        let seconds = (now - replica.acked_at.load(Ordering::Relaxed)) / 1000;
        let text =
            log_text::shutdown::lagging(&replica.name(), end.saturating_sub(acked), seconds, replica.stage_name());
        server.host.log(LogLevel::Notice, &text);
    }
    if !replicas.is_empty() {
        server.host.log(LogLevel::Notice, &log_text::shutdown::in_sync(in_sync, replicas.len()));
    }
}

#[cfg(test)]
mod tests {
    use journal::ReplId;

    use crate::testing::Node;

    const ID: &[u8; 40] = b"0123456789012345678901234567890123456789";

    #[test]
    fn a_replica_that_is_behind_is_waited_for() {
        let mut node = Node::start("save ''\nshutdown-timeout 10");
        node.server.journal.wake(ReplId::parse(ID).expect("an id"));
        let (a, b, replica) = (node.connect(), node.connect(), node.connect());
        node.say(replica, "REPLCONF listening-port 7777 capa psync2");
        let id = String::from_utf8_lossy(ID).into_owned();
        let next = node.server.journal.end().next_byte();
        node.say(replica, &format!("PSYNC {id} {next}"));
        node.say(a, "SET k 1");
        assert_eq!(node.say(a, "SHUTDOWN"), "");
        node.pass(100);
        assert!(!node.server.is_over());
        assert_eq!(node.say(b, "SET k 2"), "", "writes wait");
        assert!(node.say(replica, "REPLCONF ACK 1").is_empty());
        assert!(!node.server.is_over());
        node.streamed(replica);
        let c = node.connect();
        assert_eq!(node.say(c, "SHUTDOWN ABORT"), "+OK\r\n");
        node.pass(100);
        assert_eq!(node.heard(a), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
        assert_eq!(node.heard(b), "+OK\r\n", "the pause is over");
        assert_eq!(node.say(c, "SHUTDOWN ABORT"), "-ERR No shutdown in progress.\r\n");
        node.say(a, "SHUTDOWN");
        node.pass(100);
        let end = node.server.journal.end();
        node.say(replica, &format!("REPLCONF ACK {end}"));
        node.pass(100);
        assert!(node.server.is_over());
    }

    #[test]
    fn waiting_ends_with_the_timeout() {
        let mut node = Node::start("save ''\nshutdown-timeout 10");
        node.server.journal.wake(ReplId::parse(ID).expect("an id"));
        let (a, replica) = (node.connect(), node.connect());
        let id = String::from_utf8_lossy(ID).into_owned();
        let next = node.server.journal.end().next_byte();
        node.say(replica, &format!("PSYNC {id} {next}"));
        node.say(a, "SET k 1");
        node.say(a, "SHUTDOWN");
        node.pass(100);
        node.pass(9900);
        assert!(!node.server.is_over());
        node.pass(200);
        assert!(node.server.is_over());
    }
}
