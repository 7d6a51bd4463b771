//! What a replica is sent.
//!
//! ```text
//!   PSYNC ─┬─ in the journal ──────────────────────────────────────────────────────────────► Stream
//!          └─ Waits ─► begin_sync (a cut, shared by all who wait) ─► Told ─┬─ complete ─► File ─────────► Stream
//!                                                                          └─ at once ──► File ─► Acks ─► Stream
//! ```
//!
//! A feed belongs to the thread of its client and gives it a bounded amount at a time, when the socket has taken what was
//! there before; so a slow replica costs a position in the file or in the journal and no buffer. What it has yet to be sent
//! is held in the journal, up to a limit that is that of a replica's output buffer.
//!
//! A *streamed* sync (`repl-diskless-sync yes`) is sent while it is made. It goes through a file without a name as well:
//! the walk waits for nobody, so one slow replica holds up neither the walk nor the other replicas, and one that comes late
//! begins with the first byte. Redis' child writes to its slowest replica, and late ones wait for the next child. Whoever
//! has read the mark at the end must acknowledge before the stream begins: the peers' replicas look for the mark at the end
//! of what they have read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::cluster::NodeId;
use bytes::Bytes;
use engine::lease::{Attempt, Taken};
use engine::unit::Sink;
use journal::unit::{Kind, Piece, Unit as JournalUnit};
use journal::watermark::Reached;
use journal::{Hold, Journal, Reader, ReplId, ReplOffset};
use parking_lot::Mutex;
use resp::{encode, log_text};
use session::{Client, Flag, Letter, Mailbox};

use super::{Quiet, Replica, Stage};
use crate::control::{Control, Pause, PauseReason, Role};
use crate::execute::{Core, Errand};
use crate::server::{LogLevel, Server, replication_id};

/// How much a replica is given at a time.
const PIECE: usize = 256 * 1024;

/// The length of the mark behind a streamed payload.
const MARK: usize = 40;

/// The bytes of a snapshot, which may grow yet. They are kept until their last reader is gone.
pub trait SyncFile: Send + std::marker::Sync {
    /// At most `max` bytes from `offset` on.
    fn read_at(&self, offset: u64, max: usize) -> Result<Bytes, String>;
}

/// A snapshot for replicas.
pub struct Sync {
    /// The history that it belongs to.
    pub id: ReplId,
    /// The position of its cut.
    pub cut: ReplOffset,
    /// It is sent while it is made, up to a mark.
    pub streamed: bool,
    /// Keeps the stream behind the cut until the last replica that needs it has a hold of its own.
    _hold: Option<Hold>,
    mark: [u8; MARK],
    progress: Mutex<Progress>,
}

/// How far a snapshot for replicas is.
#[derive(Default)]
struct Progress {
    file: Option<Arc<dyn SyncFile>>,
    /// How many bytes of it can be read.
    len: u64,
    outcome: Option<Result<(), String>>,
    /// Replicas that have not got all of it.
    members: usize,
    /// The clients of replicas that have.
    served: Vec<u64>,
}

/// What a feed finds in its snapshot.
enum Part {
    Piece(Bytes),
    /// Nothing for now.
    Nothing,
    End,
    Broken,
}

impl Sync {
    /// The file is there; it may be empty yet.
    pub fn open(&self, server: &Server, file: Arc<dyn SyncFile>) {
        self.progress.lock().file = Some(file);
        tell(server);
    }

    /// So many bytes of the file can be read.
    pub fn grow(&self, server: &Server, len: u64) {
        self.progress.lock().len = len;
        if self.streamed {
            tell(server);
        }
    }

    /// The file is complete, or never will be.
    pub fn end(&self, server: &Server, outcome: Result<(), String>) {
        if let Err(reason) = &outcome {
            server.host.log(LogLevel::Warning, reason);
        }
        self.progress.lock().outcome = Some(outcome);
        tell(server);
    }

    fn is_over(&self) -> bool {
        self.progress.lock().outcome.is_some()
    }

    /// Whether the first bytes may be sent.
    fn may_begin(&self) -> bool {
        let progress = self.progress.lock();
        progress.outcome.is_some() || self.streamed && progress.file.is_some()
    }

    fn has_more(&self, at: u64) -> bool {
        let progress = self.progress.lock();
        progress.len > at || progress.outcome.is_some()
    }

    fn part(&self, at: u64) -> Part {
        let (file, left) = {
            let progress = self.progress.lock();
            match (&progress.file, &progress.outcome) {
                (None, _) | (_, Some(Err(_))) => return Part::Broken,
                (Some(_), Some(Ok(()))) if at == progress.len => return Part::End,
                (Some(_), None) if at == progress.len => return Part::Nothing,
                (Some(file), _) => (file.clone(), progress.len - at),
            }
        };
        match file.read_at(at, PIECE.min(usize::try_from(left).unwrap_or(PIECE))) {
            Ok(piece) if !piece.is_empty() => Part::Piece(piece),
            _ => Part::Broken,
        }
    }

    /// One more replica is to get it.
    fn join(self: &Arc<Self>, replica: &Replica) {
        self.progress.lock().members += 1;
        *replica.sync.lock() = Some(self.clone());
    }
}

/// A replica has got its snapshot, or is gone. What is made for nobody is given up.
pub(super) fn leave(server: &Server, replica: &Replica, served: bool) {
    let Some(sync) = replica.sync.lock().take() else { return };
    let (made, served) = {
        let mut progress = sync.progress.lock();
        progress.members -= 1;
        progress.served.extend(served.then_some(replica.card.id));
        if progress.members > 0 {
            return;
        }
        (progress.outcome.is_some(), std::mem::take(&mut progress.served))
    };
    let mut transfer = server.replication.transfer.lock();
    if transfer.as_ref().is_some_and(|present| Arc::ptr_eq(present, &sync)) {
        *transfer = None;
    }
    drop(transfer);
    if sync.streamed {
        let replicas = server.replication.replicas.lock();
        let up = replicas.iter().filter(|replica| served.contains(&replica.card.id)).count();
        drop(replicas);
        let text = if made { log_text::primary::streamed(up) } else { log_text::primary::LAST_LEFT.to_owned() };
        server.host.log(LogLevel::Notice, &text);
    }
    let saving = server.saving.lock();
    let current = saving.current.as_ref().and_then(|current| current.sync());
    // With save points its file is worth something without replicas.
    let kept = !sync.streamed && !server.control.load().config.snapshot.save.is_empty();
    if !made && !kept && current.is_some_and(|current| Arc::ptr_eq(&current, &sync)) {
        server.host.cancel_snapshot();
    }
}

/// There is something new for replicas.
fn tell(server: &Server) {
    server.mailboxes.iter().for_each(|mailbox| mailbox.post(Letter::Stream));
}

impl Replica {
    /// Where the stream ends for it, which ends at `end`.
    fn end_of_stream(&self, end: ReplOffset) -> ReplOffset {
        end.min(ReplOffset(self.until.load(Ordering::Relaxed)))
    }

    /// Bytes that are kept for it in the journal: what it has not been sent of it.
    fn behind(&self, end: u64) -> u64 {
        match (self.stage(), &*self.sync.lock()) {
            (Stage::Online, _) => end.saturating_sub(self.sent.load(Ordering::Relaxed)),
            (_, Some(sync)) => end.saturating_sub(sync.cut.0),
            (_, None) => 0,
        }
    }

    /// Whether it is further behind than a replica may be: then it costs more than a sync. What the backlog keeps anyway
    /// costs nothing, so limits below that do not count. During a sync only a limit that was asked for counts: it must not
    /// make syncs begin again and again.
    fn exceeds(&self, control: &Control, end: u64, now: i64) -> bool {
        let limits = &control.config.clients.client_output_buffer_limit;
        if self.stage() != Stage::Online && !limits.replica_given {
            return false;
        }
        let behind = self.behind(end);
        let above = |bytes: u64| bytes > 0 && behind > bytes.max(control.config.replication.repl_backlog_size);
        if above(limits.replica.hard_bytes) {
            return true;
        }
        if !above(limits.replica.soft_bytes) {
            self.behind_since.store(0, Ordering::Relaxed);
            return false;
        }
        let since = match self.behind_since.load(Ordering::Relaxed) {
            0 => now,
            since => since,
        };
        self.behind_since.store(since, Ordering::Relaxed);
        now - since > limits.replica.soft_seconds as i64 * 1000
    }
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
    File(Arc<Sync>, u64),
    /// It has all of the snapshot; when it says so, the stream begins here.
    Acks(ReplOffset),
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
            At::Told(sync) => sync.may_begin(),
            At::File(sync, at) => sync.has_more(*at),
            At::Acks(_) => self.replica.has_acked.load(Ordering::Relaxed),
            At::Stream(reader) => reader.at < self.replica.end_of_stream(end),
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
                if !sync.may_begin() {
                    return false;
                }
                let progress = sync.progress.lock();
                if self.hold.is_none() || matches!(progress.outcome, Some(Err(_))) {
                    client.close_asap = true;
                    return false;
                }
                if sync.streamed {
                    client.out.raw(b"$EOF:");
                    client.out.raw(&sync.mark);
                    client.out.raw(b"\r\n");
                } else {
                    client.out.raw(format!("${}\r\n", progress.len).as_bytes());
                }
                drop(progress);
                *self.replica.stage.lock() = Stage::Sends;
                self.at = At::File(sync.clone(), 0);
                true
            }
            At::File(sync, at) => {
                self.replica.acked_at.store(server.engine.now().0, Ordering::Relaxed);
                let part = sync.part(*at);
                self.replica.has_all_so_far.store(matches!(part, Part::Nothing), Ordering::Relaxed);
                match part {
                    Part::Piece(piece) => {
                        *at += piece.len() as u64;
                        client.chunks.push_back(piece);
                        true
                    }
                    Part::Nothing => false,
                    Part::Broken => {
                        client.close_asap = true;
                        false
                    }
                    Part::End => {
                        let sync = sync.clone();
                        self.end_of_snapshot(server, client, &sync)
                    }
                }
            }
            At::Acks(cut) => {
                if !self.replica.has_acked.load(Ordering::Relaxed) {
                    return false;
                }
                self.at = At::Stream(Reader { at: *cut });
                true
            }
            At::Stream(reader) => {
                let end = self.replica.end_of_stream(server.journal.end());
                if reader.at >= end {
                    return false;
                }
                match reader.next(&server.journal, PIECE.min((end.0 - reader.at.0) as usize)) {
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

    fn end_of_snapshot(&mut self, server: &Server, client: &mut Client, sync: &Sync) -> bool {
        self.at = if sync.streamed { At::Acks(sync.cut) } else { At::Stream(Reader { at: sync.cut }) };
        self.replica.has_acked.store(false, Ordering::Relaxed);
        self.replica.sent.store(sync.cut.0, Ordering::Relaxed);
        if sync.streamed {
            client.chunks.push_back(Bytes::copy_from_slice(&sync.mark));
        }
        leave(server, &self.replica, true);
        if self.replica.announced.rdb_only {
            client.close_after_reply = true;
            return sync.streamed;
        }
        *self.replica.stage.lock() = Stage::Online;
        server.host.log(LogLevel::Notice, &log_text::primary::succeeded(&self.replica.name()));
        server.host.wake_control();
        true
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

/// Makes a cut for the replicas that wait for one, unless a snapshot is under way or it is not time yet. The lease has the
/// world.
pub fn begin_sync(core: &mut Core<'_>) {
    let server = core.server;
    let control = core.control();
    let waiting = waiting(server);
    if waiting.is_empty() {
        return;
    }
    let current = server.saving.lock().current.clone();
    if let Some((sync, given_up)) = current.and_then(|current| Some((current.sync()?, current.cancelled))) {
        // Whatever of it has been sent is sent from its first byte, so whoever comes in time shares the cut.
        let lives = !given_up && !sync.is_over() && sync.progress.lock().members > 0;
        if lives && sync.id == server.journal.history().id {
            let joins = |replica: &&Arc<Replica>| replica.announced.eof || !sync.streamed;
            waiting.iter().filter(joins).for_each(|replica| sync.join(replica));
        }
        return;
    }
    if !is_time(&control, &waiting, server.engine.now().0) {
        return;
    }
    let streamed = is_streamed(&control, &waiting);
    server.journal.reset_db();
    let cut = server.journal.end();
    let mut mark = [0; MARK];
    for (digit, byte) in mark.iter_mut().zip(replication_id(&*server.host).as_bytes()) {
        *digit = *byte;
    }
    let sync = Arc::new(Sync {
        id: server.journal.history().id,
        cut,
        streamed,
        _hold: server.journal.hold(cut),
        mark,
        progress: Mutex::default(),
    });
    let target = if streamed { "replicas sockets" } else { "disk" };
    server.host.log(LogLevel::Notice, &log_text::primary::snapshot_for(target));
    if crate::saving::begin_sync(core, sync.clone()).is_err() {
        return;
    }
    if streamed {
        let pid = server.host.process().pid;
        server.host.log(LogLevel::Notice, &log_text::primary::transfer_started(pid));
        *server.replication.transfer.lock() = Some(sync.clone());
    }
    waiting.iter().for_each(|replica| sync.join(replica));
}

fn waiting(server: &Server) -> Vec<Arc<Replica>> {
    server.replication.replicas.lock().iter().filter(|r| needs_cut(r)).cloned().collect()
}

fn needs_cut(replica: &Arc<Replica>) -> bool {
    replica.stage() == Stage::Waits && replica.sync.lock().is_none()
}

/// Whether a snapshot for these is sent while it is made.
fn is_streamed(control: &Control, waiting: &[Arc<Replica>]) -> bool {
    control.config.replication.repl_diskless_sync && waiting.iter().all(|replica| replica.announced.eof)
}

/// Whether it is begun now, or more replicas are waited for.
fn is_time(control: &Control, waiting: &[Arc<Replica>], now: i64) -> bool {
    let config = &control.config.replication;
    let most = config.repl_diskless_sync_max_replicas as usize;
    let delay = i64::from(config.repl_diskless_sync_delay) * 1000;
    let first = waiting.iter().map(|replica| replica.since).min().unwrap_or(now);
    !is_streamed(control, waiting) || now - first >= delay || most > 0 && waiting.len() >= most
}

/// Whether the stream must not move: replicas are to reach its end.
fn frozen(control: &Control) -> bool {
    [PauseReason::Shutdown, PauseReason::Failover].iter().any(|why| control.pauses[*why as usize].what != Pause::None)
}

/// Appends what concerns no data (PING, REPLCONF GETACK), if this server is a primary with replicas. False when the gate could
/// not be passed at once.
fn append_notice(core: &mut Core<'_>, bytes: &'static [u8]) -> bool {
    let server = core.server;
    if server.replication.replicas.lock().is_empty() {
        return true;
    }
    let mut attempt = core.new_attempt(Errand::InPassing);
    if server.engine.gate.world_wanted() || core.lease.enter(&mut attempt) != Taken::Yes {
        core.lease.abandon(&mut attempt);
        return false;
    }
    if !core.control().is_replica() && !frozen(&core.control()) {
        append_raw(server, bytes);
    }
    true
}

fn append_raw(server: &Server, bytes: &[u8]) {
    let mut unit = JournalUnit::new();
    unit.begin(None, Kind::StreamOnly).piece(Piece::Raw(bytes));
    server.journal.append(&unit);
}

const GET_ACK: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

/// Asks the replicas how far they are. The caller has the world, and this server is a primary.
pub(crate) fn append_get_ack(server: &Server) {
    append_raw(server, GET_ACK);
}

/// Tells the replica of this name to take over; the others read it, too, and go on. The caller has the world, and this
/// server is a primary.
pub(crate) fn append_take_over(server: &Server, heir: &NodeId) {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, &[&b"CLUSTER"[..], b"FAILOVER", b"FORCE", b"REPLICAID", heir.as_bytes()]);
    append_raw(server, &bytes);
}

/// Asks the replicas how far they are, if anybody of this thread has begun to wait for them.
pub fn ask_for_acks(core: &mut Core<'_>) {
    if core.wants_acks && core.control().pause == Pause::None {
        // Who was not let in asks again at the end of the next turn: somebody waits.
        core.wants_acks = !append_notice(core, GET_ACK);
    }
}

/// A replica has acknowledged what it has applied, and what is on its disk.
pub fn acknowledged(server: &Server, client: &Client, offset: u64, fsynced: u64) {
    let replica = server.replication.replicas.lock().iter().find(|r| r.card.id == client.id()).cloned();
    let Some(replica) = replica else { return };
    replica.acked_at.store(server.engine.now().0, Ordering::Relaxed);
    if !replica.has_acked.swap(true, Ordering::Relaxed) {
        server.mailboxes[client.card.thread].post(Letter::Stream);
    }
    let news = replica.acked.fetch_max(offset, Ordering::Relaxed) < offset;
    let durable = replica.fsynced.fetch_max(fsynced, Ordering::Relaxed) < fsynced;
    if (news || durable) && server.replication.waited.load(Ordering::Relaxed) {
        server.recheck();
    }
    if news && (server.shutdown.lock().is_some() || crate::failover::is_under_way(server)) {
        server.host.wake_control();
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
        let stood_still = now / 1000 - self.second > 2;
        self.second = now / 1000;
        let replicas = server.replication.replicas.lock().clone();
        if replicas.is_empty() {
            // The first PING comes a period after the first replica.
            self.last_ping = now;
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
        for replica in &replicas {
            let silent = now - replica.acked_at.load(Ordering::Relaxed);
            let stage = replica.stage();
            // One that has all that there is of its snapshot is not the one that is slow.
            let idle = stage == Stage::Sends && replica.has_all_so_far.load(Ordering::Relaxed);
            if stage != Stage::Waits && !idle && !stood_still && silent > i64::from(config.repl_timeout) * 1000 {
                let what = if stage == Stage::Online { "streaming sync" } else { "full sync" };
                server.host.log(LogLevel::Warning, &log_text::primary::timed_out(what, &replica.name()));
                server.kill(&replica.card);
            }
            if replica.exceeds(&control, end, now) {
                let behind = replica.behind(end);
                server.host.log(LogLevel::Warning, &log_text::primary::too_far_behind(&replica.name(), behind));
                server.kill(&replica.card);
            }
        }
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
        let waiting = waiting(server);
        let cut = !waiting.is_empty() && server.saving.lock().current.is_none() && is_time(control, &waiting, now);
        if !forget && !cut && self.attempt.is_none() {
            return;
        }
        let mut attempt = self.attempt.take().unwrap_or_else(|| core.new_attempt(Errand::Sync));
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
