//! What a replica is sent.
//!
//! ```text
//!   PSYNC ─┬─ in the journal ──────────────────────────────────────────────► Stream
//!          └─ Waits ─► begin_sync (a cut, shared by all who wait) ─► file done ─► File ─► Stream, from the cut on
//! ```
//!
//! A feed belongs to the thread of its client and gives it a bounded amount at a time, when the socket has taken what was
//! there before; so a slow replica costs a position in the file or in the journal and no buffer. What it has yet to be sent
//! is held in the journal, up to a limit that is that of a replica's output buffer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use engine::lease::{Attempt, Taken};
use engine::unit::Sink;
use journal::unit::{Kind, Piece, Unit as JournalUnit};
use journal::watermark::Reached;
use journal::{Hold, Journal, Reader, ReplId, ReplOffset};
use parking_lot::Mutex;
use resp::log_text;
use session::{Client, Flag, Letter, Mailbox};

use super::{Quiet, Replica, Stage};
use crate::control::{Control, Role};
use crate::execute::Core;
use crate::server::{LogLevel, Server};

/// How much a replica is given at a time.
const PIECE: usize = 256 * 1024;

/// A complete snapshot file that is kept until its last reader is gone.
pub trait SyncFile: Send + std::marker::Sync {
    /// Its length in bytes.
    fn len(&self) -> u64;
    /// Whether nothing is in it.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// At most `max` bytes from `offset` on.
    fn read_at(&self, offset: u64, max: usize) -> Result<Bytes, String>;
}

/// A snapshot for replicas.
pub struct Sync {
    /// The history that it belongs to.
    pub id: ReplId,
    /// The position of its cut.
    pub cut: ReplOffset,
    /// Keeps the stream behind the cut until the last replica that needs it has a hold of its own.
    _hold: Option<Hold>,
    outcome: Mutex<Option<Result<Arc<dyn SyncFile>, String>>>,
}

/// What one replica is being sent. In the [`Core`] of its thread.
pub struct Feed {
    /// Whose it is.
    pub replica: Arc<Replica>,
    at: At,
    hold: Option<Hold>,
}

enum At {
    /// No cut has been made for it.
    Waits,
    /// It has been told of this cut; the file is being written.
    Told(Arc<Sync>),
    File(Arc<Sync>, Arc<dyn SyncFile>, u64),
    Stream(Reader),
}

impl Feed {
    /// Everything behind `from`, which the journal has.
    pub fn stream(journal: &Arc<Journal>, replica: Arc<Replica>, from: ReplOffset) -> Self {
        Feed { hold: journal.hold(from), replica, at: At::Stream(Reader { at: from }) }
    }

    /// A snapshot and what follows.
    pub fn full(replica: Arc<Replica>) -> Self {
        Feed { replica, at: At::Waits, hold: None }
    }

    /// Whether there may be something to send.
    fn is_due(&self, end: ReplOffset) -> bool {
        match &self.at {
            At::Waits => self.replica.sync.lock().is_some(),
            At::Told(sync) => sync.outcome.lock().is_some(),
            At::File(..) => true,
            At::Stream(reader) => reader.at < end,
        }
    }

    /// Gives the client its next piece. False when there is none for now.
    fn pump(&mut self, server: &Server, client: &mut Client) -> bool {
        match &mut self.at {
            At::Waits => {
                let Some(sync) = self.replica.sync.lock().clone() else { return false };
                self.hold = server.journal.hold(sync.cut);
                if !self.replica.announced.old_sync {
                    client.out.raw(format!("+FULLRESYNC {} {}\r\n", sync.id, sync.cut).as_bytes());
                }
                self.at = At::Told(sync);
                true
            }
            At::Told(sync) => {
                let file = match &*sync.outcome.lock() {
                    None => return false,
                    Some(Ok(file)) if self.hold.is_some() => file.clone(),
                    Some(_) => {
                        client.close_asap = true;
                        return false;
                    }
                };
                client.out.raw(format!("${}\r\n", file.len()).as_bytes());
                *self.replica.stage.lock() = Stage::Sends;
                self.at = At::File(sync.clone(), file, 0);
                true
            }
            At::File(sync, file, at) => {
                self.replica.acked_at.store(server.engine.now().0, Ordering::Relaxed);
                match file.read_at(*at, PIECE) {
                    Ok(piece) if !piece.is_empty() => {
                        *at += piece.len() as u64;
                        client.chunks.push_back(piece);
                        true
                    }
                    Ok(_) if *at == file.len() => {
                        let cut = sync.cut;
                        self.at = At::Stream(Reader { at: cut });
                        if self.replica.announced.rdb_only {
                            client.close_after_reply = true;
                            return false;
                        }
                        *self.replica.stage.lock() = Stage::Online;
                        *self.replica.sync.lock() = None;
                        server.host.log(LogLevel::Notice, &log_text::primary::succeeded(&self.replica.name()));
                        server.host.wake_control();
                        true
                    }
                    Ok(_) | Err(_) => {
                        client.close_asap = true;
                        false
                    }
                }
            }
            At::Stream(reader) => {
                if reader.at >= server.journal.end() {
                    return false;
                }
                match reader.next(&server.journal, PIECE) {
                    Ok(chunk) => {
                        let any = !chunk.pieces.is_empty();
                        client.chunks.extend(chunk.pieces);
                        self.replica.sent.store(reader.at.0, Ordering::Relaxed);
                        if let Some(hold) = &self.hold {
                            hold.advance(reader.at);
                        }
                        any
                    }
                    Err(_) => {
                        client.close_asap = true;
                        false
                    }
                }
            }
        }
    }
}

/// Tells a thread that the journal has grown.
struct Grown(Arc<Mailbox>);

impl Reached for Grown {
    fn reached(&self, _: u64) {
        self.0.post(Letter::Stream);
    }
}

/// The feeds of one thread.
#[derive(Default)]
pub struct Feeds {
    list: Vec<Feed>,
    /// The journal will say when it grows.
    watching: bool,
}

impl Feeds {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// One more.
    pub fn add(&mut self, feed: Feed) {
        self.list.push(feed);
    }

    /// A client is gone.
    pub fn remove(&mut self, client: u64) {
        self.list.retain(|feed| feed.replica.card.id != client);
    }

    /// The journal has said that it has grown.
    pub fn woken(&mut self) {
        self.watching = false;
    }

    /// The clients for which there is something to send, and makes sure that news will come.
    pub fn due(&mut self, server: &Server, thread: usize, into: &mut Vec<u64>) {
        if self.list.is_empty() {
            return;
        }
        let mut end = server.journal.end();
        if !self.watching {
            let mailbox = &server.mailboxes[thread];
            while server.journal.applied.wait(ReplOffset(end.0 + 1), Arc::new(Grown(mailbox.clone())), 0).is_none() {
                end = server.journal.end();
            }
            self.watching = true;
        }
        into.extend(self.list.iter().filter(|feed| feed.is_due(end)).map(|feed| feed.replica.card.id));
    }

    /// Gives a client its next piece. False when there is none for now.
    pub fn pump(&mut self, server: &Server, client: &mut Client) -> bool {
        if client.card.is(Flag::CloseAsap) || client.close_asap {
            return false;
        }
        let id = client.id();
        self.list.iter_mut().find(|feed| feed.replica.card.id == id).is_some_and(|feed| feed.pump(server, client))
    }

    /// A sign of life for those whose snapshot is being made.
    pub fn waiting(&self) -> impl Iterator<Item = u64> {
        self.list.iter().filter(|feed| matches!(feed.at, At::Waits | At::Told(_))).map(|feed| feed.replica.card.id)
    }
}

/// Makes a cut for all replicas that wait for one, unless a snapshot is under way. The lease has the world.
pub fn begin_sync(core: &mut Core<'_>) {
    let server = core.server;
    let waiting: Vec<_> = server.replication.replicas.lock().iter().filter(|r| needs_cut(r)).cloned().collect();
    if waiting.is_empty() {
        return;
    }
    if let Some(sync) = server.saving.lock().current.as_ref().and_then(|current| current.sync()) {
        // A complete file is sent from its first byte, so whoever comes in time shares the cut.
        if sync.outcome.lock().is_none() && sync.id == server.journal.history().id {
            waiting.iter().for_each(|replica| *replica.sync.lock() = Some(sync.clone()));
        }
        return;
    }
    server.journal.reset_db();
    let cut = server.journal.end();
    let sync = Arc::new(Sync {
        id: server.journal.history().id,
        cut,
        _hold: server.journal.hold(cut),
        outcome: Mutex::new(None),
    });
    if crate::saving::begin_sync(core, sync.clone()).is_ok() {
        server.host.log(LogLevel::Notice, &log_text::primary::snapshot_for("disk"));
        waiting.iter().for_each(|replica| *replica.sync.lock() = Some(sync.clone()));
    }
}

fn needs_cut(replica: &Arc<Replica>) -> bool {
    replica.stage() == Stage::Waits && replica.sync.lock().is_none()
}

/// A snapshot for replicas is complete, or has failed.
pub fn sync_done(server: &Server, sync: &Sync, outcome: Result<Arc<dyn SyncFile>, String>) {
    if let Err(reason) = &outcome {
        server.host.log(LogLevel::Warning, reason);
    }
    *sync.outcome.lock() = Some(outcome);
    server.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::Stream));
}

/// Appends what concerns no data (PING, REPLCONF GETACK), if this server is a primary with replicas.
fn append_notice(core: &mut Core<'_>, bytes: &'static [u8]) {
    let server = core.server;
    if server.replication.replicas.lock().is_empty() {
        return;
    }
    let mut attempt = Attempt::new(0);
    if server.engine.gate.world_wanted() || core.lease.enter(&mut attempt) != Taken::Yes {
        core.lease.abandon(&mut attempt);
        return;
    }
    if !core.control().is_replica() {
        let mut unit = JournalUnit::new();
        unit.begin(None, Kind::StreamOnly).piece(Piece::Raw(bytes));
        server.journal.append(&unit);
    }
}

/// Asks the replicas how far they are, if anybody of this thread has begun to wait for them.
pub fn ask_for_acks(core: &mut Core<'_>) {
    if std::mem::take(&mut core.wants_acks) {
        append_notice(core, b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n");
    }
}

/// A replica has acknowledged.
pub fn acknowledged(server: &Server, client: &Client, offset: u64) {
    let replica = server.replication.replicas.lock().iter().find(|r| r.card.id == client.id()).cloned();
    let Some(replica) = replica else { return };
    replica.acked_at.store(server.engine.now().0, Ordering::Relaxed);
    let before = replica.acked.fetch_max(offset, Ordering::Relaxed);
    if before < offset && server.replication.waited.load(Ordering::Relaxed) {
        server.recheck();
    }
}

/// What the control thread remembers from tick to tick.
#[derive(Default)]
pub struct Clockwork {
    second: i64,
    last_ping: i64,
    attempt: Option<Attempt>,
}

impl Clockwork {
    /// What is due by the clock.
    pub fn tick(&mut self, core: &mut Core<'_>) {
        let server = core.server;
        let control = core.control();
        let now = server.engine.now().0;
        let config = &control.config.replication;
        if server.journal.backlog().is_some_and(|backlog| backlog.size != config.repl_backlog_size) {
            server.journal.set_backlog_size(config.repl_backlog_size);
        }
        self.world_work(core, &control, now);
        if now / 1000 == self.second {
            return;
        }
        self.second = now / 1000;
        let replicas = server.replication.replicas.lock().clone();
        if replicas.is_empty() {
            return;
        }
        if now - self.last_ping >= i64::from(config.repl_ping_replica_period) * 1000 {
            self.last_ping = now;
            append_notice(core, b"*1\r\n$4\r\nPING\r\n");
            core.lease.release();
        }
        if replicas.iter().any(|replica| replica.stage() == Stage::Waits) {
            server.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::SignOfLife));
        }
        let end = server.journal.end().0;
        let limit = control.config.clients.client_output_buffer_limit.replica.hard_bytes;
        for replica in &replicas {
            let silent = now - replica.acked_at.load(Ordering::Relaxed);
            let stage = replica.stage();
            if stage != Stage::Waits && silent > i64::from(config.repl_timeout) * 1000 {
                let what = if stage == Stage::Online { "streaming sync" } else { "full sync" };
                server.host.log(LogLevel::Warning, &log_text::primary::timed_out(what, &replica.name()));
                server.kill(&replica.card);
            }
            let behind = end.saturating_sub(replica.sent.load(Ordering::Relaxed));
            if stage == Stage::Online && limit > 0 && behind > limit {
                server.host.log(LogLevel::Warning, &log_text::primary::too_far_behind(&replica.name(), behind));
                server.kill(&replica.card);
            }
        }
    }

    /// Whether it stands in the queue for the world.
    pub fn waits_for_world(&self) -> bool {
        self.attempt.is_some()
    }

    /// The server ends: a place in the queue is given up.
    pub fn give_up(&mut self, core: &mut Core<'_>) {
        if let Some(mut attempt) = self.attempt.take() {
            core.lease.abandon(&mut attempt);
        }
    }

    /// A cut for whoever waits; the end of a backlog that nobody has come back for.
    fn world_work(&mut self, core: &mut Core<'_>, control: &Control, now: i64) {
        let server = core.server;
        let ttl = control.config.replication.repl_backlog_ttl as i64;
        let alone = server.replication.alone_since.load(Ordering::Relaxed);
        let forget = alone > 0 && ttl > 0 && control.role == Role::Primary && now - alone > ttl * 1000;
        let cut = server.saving.lock().current.is_none() && server.replication.replicas.lock().iter().any(needs_cut);
        if !forget && !cut && self.attempt.is_none() {
            return;
        }
        let mut attempt = self.attempt.take().unwrap_or_else(|| core.new_attempt(3));
        if core.lease.take_world(&mut attempt) != Taken::Yes {
            self.attempt = Some(attempt);
            return;
        }
        if cut {
            begin_sync(core);
        }
        if forget && server.replication.replicas.lock().is_empty() {
            server.replication.alone_since.store(0, Ordering::Relaxed);
            server.journal.sleep();
        }
        core.lease.release();
    }
}

impl Core<'_> {
    /// Where the log of a client's unit goes.
    pub(crate) fn sink<'j>(journal: &'j Journal, quiet: &'j Quiet<'j>, control: &Control) -> &'j dyn Sink {
        if control.is_replica() { quiet } else { journal }
    }
}
