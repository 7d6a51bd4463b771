//! A server in the simulation: everything that is a thread in the real one takes its turns on one.
//!
//! ```text
//!   packets ─► Worker ──────┐
//!   timer   ─► control: cron, expiry, saving, replication's clockwork     each ends with nothing held,
//!   timer   ─► Follower, the link to the primary                          so no lock is ever waited for
//!   timer   ─► snapshots: a walk at a moment of its own, after the cut
//! ```
//!
//! Invariant: when an event has been handled, mailboxes are empty, everything that may leave has left, and no lease is held.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use config::directives::aof::AppendFsync;
use engine::background::Background;
use engine::id::ExecutorId;
use journal::{ReplId, ReplOffset};
use keyspace::{DbIndex, UnixMillis};
use node::aof::load::Failure;
use node::aof::{Aof, Ground, recover};
use node::busy::NoTurn;
use node::cluster::ClusterNode;
use node::control::{Control, Role};
use node::disk::Disk;
use node::execute::{Core, Errand};
use node::expiry::Expirer;
use node::replication::LinkStage;
use node::replication::follower::{Follower, PAUSE_MS};
use node::replication::primary::Clockwork;
use node::replication::replica::Target;
use node::saving::{self, SaveJob};
use node::server::Server;
use node::worker::Worker;
use persistence::records::Records;
use rdb::encode::{Checksum, Form};
use session::ClientCard;

use super::Paper;
use super::bus::{BUS_PORT, BusSide};
use super::host::{Blob, Desk, Ended, NODES, NODES_BEFORE, SimHost};
use super::migrator::Migrator;
use super::wire::{File, Wire};
use crate::disk::SimDisk;
use crate::net::{CALLED, CALLER, ConnId};
use crate::world::{Clock, Micros, Pid, Universe};

/// Executors: the worker, control, expiry, the link, snapshots.
const EXECUTORS: usize = 5;
/// The executor of snapshots, and of the start.
const SNAPSHOTS: usize = 4;
const TICK: Micros = 100_000;
/// `appendfsync everysec`.
const SYNC: Micros = 1_000_000;
/// How often the link looks at its clock.
const LOOK: Micros = 250_000;
/// How long a connection to a primary may take to stand.
const CONNECT: Micros = 2_000_000;
/// The port of every server.
pub const PORT: u16 = 6379;
/// The token of the connection by which the simulation itself asks.
const LOCAL: usize = 0;
/// How long a snapshot takes, at least and at most.
const SNAPSHOT: (Micros, Micros) = (1_000, 60_000);

/// The address of a process.
pub fn address(pid: Pid) -> IpAddr {
    let n = pid.0 + 1;
    IpAddr::V4(Ipv4Addr::new(10, 0, (n >> 8) as u8, n as u8))
}

/// The process that has an address.
pub fn pid_of(ip: IpAddr) -> Option<Pid> {
    match ip {
        IpAddr::V4(ip) => match ip.octets() {
            [10, 0, high, low] => (u16::from(high) << 8 | u16::from(low)).checked_sub(1).map(Pid),
            _ => None,
        },
        IpAddr::V6(_) => None,
    }
}

/// How far the link to a primary is.
enum Link {
    Idle,
    Pause { until: Micros, target: Target },
    Connecting { conn: ConnId, target: Target, until: Micros },
    Stands { conn: ConnId, target: Target, look: Micros },
}

/// One life of a server.
pub struct ServerProgram<'s> {
    pid: Pid,
    /// The server.
    pub server: &'s Server,
    desk: Arc<Desk>,
    clock: Arc<Clock>,
    worker: Worker<'s>,
    core: Core<'s>,
    clockwork: Clockwork,
    expirer: Expirer<'s>,
    follower: Follower<'s>,
    link: Link,
    tokens: Vec<Option<ConnId>>,
    conns: BTreeMap<ConnId, usize>,
    next_tick: Micros,
    job: Option<(Micros, SaveJob)>,
    touched: Vec<usize>,
    /// The snapshot that the primary sends.
    file: Vec<u8>,
    aof: Arc<Aof>,
    disk: SimDisk,
    next_sync: Micros,
    has_crashed: bool,
    /// The links to other nodes, in a cluster.
    bus: Option<BusSide<'s>>,
    migrator: Migrator,
    /// When the primary was last heard.
    heard: Micros,
}

/// Puts a server together.
pub fn build(
    template: &super::Template,
    clock: Arc<Clock>,
    desk: Arc<Desk>,
    paper: &Paper,
    disk: &SimDisk,
    primary: Option<Pid>,
) -> Result<Server, String> {
    let written = paper.lock().clone();
    let mut control: Control = match written.is_empty() {
        true => template.control.clone(),
        false => super::control_of(&written),
    };
    if let Some(primary) = &control.config.replication.replicaof {
        let host = String::from_utf8_lossy(&primary.host).into_owned();
        control.role = Role::Replica { host, port: primary.port, online: false };
    }
    if let Some(primary) = primary {
        control.role = Role::Replica { host: address(primary).to_string(), port: PORT, online: false };
    }
    control.loading = control.config.aof.appendonly;
    let member = control.config.cluster.enabled.then(|| join(&control, &clock, &desk, disk)).transpose()?;
    control.cluster = member.as_ref().map(|(machine, _)| machine.view().clone());
    let host = Box::new(SimHost::new(desk, paper.clone(), disk.clone()));
    let mut server = Server::new(control, 1, EXECUTORS, 1, clock, host, template.registry.clone());
    server.cluster = member.map(|(machine, outbox)| ClusterNode::new(machine, outbox));
    Ok(server)
}

/// The machine of a node, of what its file says.
fn join(
    control: &Control,
    clock: &Arc<Clock>,
    desk: &Desk,
    disk: &SimDisk,
) -> Result<(cluster::Cluster, cluster::Outbox), String> {
    let (newest, previous) = (disk.read(Path::new(NODES)), disk.read(Path::new(NODES_BEFORE)));
    let saved = cluster::Saved {
        newest: newest.as_deref().filter(|bytes| !bytes.is_empty()),
        previous: previous.as_deref().filter(|bytes| !bytes.is_empty()),
    };
    let mut outbox = cluster::Outbox::new();
    let now = UnixMillis(engine::Clock::unix_millis(&**clock));
    let settings = node::cluster::settings(&control.config);
    let machine = cluster::Cluster::new(settings, saved, desk.draw(), now, &mut outbox)?;
    Ok((machine, outbox))
}

impl<'s> ServerProgram<'s> {
    /// A server that has just started. The error says why it ends again.
    pub fn new(
        pid: Pid,
        server: &'s Server,
        desk: Arc<Desk>,
        clock: Arc<Clock>,
        disk: &SimDisk,
        now: Micros,
    ) -> Result<Self, String> {
        let lines = desk.clone();
        let ground = Ground {
            disk: Box::new(disk.clone()),
            clock: clock.clone(),
            log: Box::new(move |_, text| lines.note(text)),
            temporary: "temp-rewriteaof-bg-0.aof".to_owned(),
        };
        let aof = Arc::new(Aof::new(server.journal.clone(), ground));
        let _ = desk.aof.set(aof.clone());
        if server.control.load().loading {
            recover::recover(server, SNAPSHOTS, &aof).map_err(Failure::text)?;
        }
        let core = Core::new(server, 1);
        let bus = server.cluster.as_ref().map(|_| BusSide::new(pid, server, disk.clone(), &core));
        if let Some(node) = &server.cluster {
            node.announce_data();
            desk.woken.store(true, Ordering::Relaxed);
        }
        let mut program = ServerProgram {
            bus,
            migrator: Migrator::default(),
            heard: 0,
            pid,
            server,
            desk,
            clock,
            worker: Worker::new(server, 0),
            core,
            clockwork: Clockwork::default(),
            expirer: Expirer::new(server, 2),
            follower: Follower::new(server, 3),
            link: Link::Idle,
            tokens: Vec::new(),
            conns: BTreeMap::new(),
            next_tick: now + TICK,
            job: None,
            touched: Vec::new(),
            file: Vec::new(),
            aof,
            disk: disk.clone(),
            next_sync: now + SYNC,
            has_crashed: false,
        };
        program.tokens.push(None);
        program.accept(LOCAL, pid);
        Ok(program)
    }

    fn accept(&mut self, token: usize, from: Pid) {
        let id = self.server.last_client.fetch_add(1, Ordering::Relaxed) + 1;
        let mut card = ClientCard::new(id, 0, 8 + token as i32, self.server.engine.now().0);
        card.addr = Some(SocketAddr::new(address(from), 40_000));
        card.laddr = Some(SocketAddr::new(address(self.pid), PORT));
        self.worker.accepted(token, card);
    }

    /// Somebody has connected.
    pub fn accepted(&mut self, conn: ConnId, from: Pid, u: &mut Universe) {
        if u.net.port(conn) == BUS_PORT {
            match &mut self.bus {
                Some(bus) => bus.accepted(conn, from),
                None => u.close(conn, CALLED),
            }
            return self.settle(u);
        }
        let token = match self.tokens.iter().skip(1).position(Option::is_none) {
            Some(free) => free + 1,
            None => {
                self.tokens.push(None);
                self.tokens.len() - 1
            }
        };
        self.tokens[token] = Some(conn);
        self.conns.insert(conn, token);
        self.accept(token, from);
        self.settle(u);
    }

    /// A connection that this process wanted stands.
    pub fn connected(&mut self, conn: ConnId, u: &mut Universe) {
        if let Link::Connecting { conn: mine, target, .. } = &self.link
            && *mine == conn
        {
            let target = target.clone();
            let id = self.server.last_client.fetch_add(1, Ordering::Relaxed) + 1;
            let mut card = ClientCard::new(id, 0, 7, self.server.engine.now().0);
            card.addr = Some(SocketAddr::new(address(u.net.peer(conn, CALLER)), PORT));
            let desk = self.desk.clone();
            self.desk.hung_up.store(false, Ordering::Relaxed);
            *self.server.replication.hang_up.lock() =
                Some(Box::new(move || desk.hung_up.store(true, Ordering::Relaxed)));
            let began = self.follower.connected(&target, card, &mut Wire { u, conn, file: &mut self.file });
            self.link = Link::Stands { conn, target, look: u.now + LOOK };
            self.linked(began, u);
        }
        if let Some(bus) = &mut self.bus {
            bus.connected(conn);
        }
        self.migrator.connected(conn, u);
        self.settle(u);
    }

    /// Bytes have come.
    pub fn received(&mut self, conn: ConnId, bytes: &[u8], u: &mut Universe) {
        match self.conns.get(&conn) {
            Some(&token) => self.feed(token, bytes),
            None => {
                if matches!(&self.link, Link::Stands { conn: mine, .. } if *mine == conn) {
                    self.heard = u.now;
                    let went = self.follower.received(bytes, &mut Wire { u, conn, file: &mut self.file });
                    self.linked(went, u);
                } else if !self.bus.as_mut().is_some_and(|bus| bus.received(conn, bytes)) {
                    self.migrator.received(conn, bytes, u);
                }
            }
        }
        self.settle(u);
    }

    fn feed(&mut self, token: usize, bytes: &[u8]) {
        if let Some(client) = self.worker.client(token) {
            client.input.extend_from_slice(bytes);
            self.worker.received(token, &mut NoTurn);
        }
    }

    /// A connection is gone, or could not be made.
    pub fn closed(&mut self, conn: ConnId, u: &mut Universe) {
        if let Some(token) = self.conns.remove(&conn) {
            self.tokens[token] = None;
            self.worker.closed(token);
        }
        match &self.link {
            Link::Connecting { conn: mine, .. } if *mine == conn => {
                self.linked(Err("Error condition on socket for SYNC: Connection refused".to_owned()), u);
            }
            Link::Stands { conn: mine, .. } if *mine == conn => {
                self.linked(Err(resp::log_text::replica::LOST.to_owned()), u);
            }
            _ => {}
        }
        if let Some(bus) = &mut self.bus {
            bus.closed(conn);
        }
        self.migrator.closed(self.pid, conn, u);
        self.settle(u);
    }

    /// When this process has to look at its clock.
    pub fn deadline(&self) -> Micros {
        let worker = self.worker.deadline().map_or(Micros::MAX, |at| self.clock.at_wall(at.0));
        let link = match &self.link {
            Link::Idle => Micros::MAX,
            Link::Pause { until, .. } | Link::Connecting { until, .. } => *until,
            Link::Stands { look, .. } => *look,
        };
        let job = self.job.as_ref().map_or(Micros::MAX, |(at, _)| *at);
        let node = self.server.cluster.as_ref().and_then(|node| node.deadline());
        let node = node.map_or(Micros::MAX, |at| self.clock.at_wall(at.0));
        self.next_tick.min(worker).min(link).min(job).min(node).min(self.migrator.deadline())
    }

    /// It does.
    pub fn timeout(&mut self, u: &mut Universe) {
        if self.worker.deadline().is_some_and(|at| at <= self.server.engine.now()) {
            self.worker.timeout(&mut NoTurn);
        }
        if self.job.as_ref().is_some_and(|(at, _)| *at <= u.now)
            && let Some((_, job)) = self.job.take()
        {
            self.save(&job);
        }
        if self.next_tick <= u.now {
            self.next_tick = u.now + TICK;
            self.expirer.cycle(u64::MAX);
            node::cron::tick(&mut self.core, self.server.engine.now());
            saving::tick(&mut self.core);
            self.clockwork.tick(&mut self.core);
            self.core.lease.release();
            if self.aof.is_on() {
                self.write_aof(u.now);
            }
        }
        if let Some(bus) = &self.bus {
            bus.look();
        }
        self.migrator.look(u);
        self.settle(u);
    }

    /// Writes what no client's turn has written, and syncs once a second.
    fn write_aof(&mut self, now: Micros) {
        self.core.turn_hold = self.server.journal.end().0;
        self.core.flush_turn();
        if now >= self.next_sync {
            self.next_sync = now + SYNC;
            if self.core.control().config.aof.appendfsync != AppendFsync::No {
                self.aof.sync();
            }
            if self.server.replication.waited.load(Ordering::Relaxed) {
                self.server.recheck();
            }
        }
    }

    /// Lets something happen to it that it may not survive.
    pub fn live(&mut self, what: impl FnOnce(&mut Self)) {
        match catch_unwind(AssertUnwindSafe(|| what(self))) {
            Ok(()) => {}
            Err(reason) if reason.is::<Ended>() => self.has_crashed = true,
            Err(reason) => resume_unwind(reason),
        }
    }

    /// Whether its machine has lost its power in the middle of something, or it has ended itself.
    pub fn has_ended(&self) -> bool {
        self.has_crashed || self.disk.is_dark() || self.server.is_over()
    }

    /// Lets everything come to rest.
    fn settle(&mut self, u: &mut Universe) {
        for _ in 0..10_000 {
            if !self.server.mailboxes[0].is_empty() {
                self.worker.read_letters(&mut NoTurn);
            }
            self.worker.end_of_turn();
            self.flush(u);
            if self.desk.woken.swap(false, Ordering::Relaxed) {
                node::failover::tick(&mut self.core);
                node::shutdown::tick(&mut self.core);
                saving::tick(&mut self.core);
                self.clockwork.tick(&mut self.core);
                self.core.lease.release();
            }
            if let Some(bus) = &mut self.bus {
                bus.turn(&mut self.core, u);
            }
            for (order, done) in std::mem::take(&mut *self.desk.migrations.lock()) {
                self.migrator.submit(self.pid, order, done, u);
            }
            self.look_after_link(u);
            if self.job.is_none() && !self.desk.jobs.lock().is_empty() {
                let job = self.desk.jobs.lock().remove(0);
                self.job = Some((u.now + u.random.between(SNAPSHOT.0, SNAPSHOT.1), job));
            }
            if self.server.mailboxes[0].is_empty() && !self.desk.woken.load(Ordering::Relaxed) {
                for line in std::mem::take(&mut *self.desk.log.lock()) {
                    u.trace.say(u.now, || format!("server {}: {line}", self.pid.0));
                }
                return;
            }
        }
        panic!("the threads of a server wake each other without end");
    }

    /// Sends what may leave, and closes whom the server wants closed.
    fn flush(&mut self, u: &mut Universe) {
        let mut touched = std::mem::take(&mut self.touched);
        self.worker.take_touched(&mut touched);
        if self.disk.is_dark() {
            touched.clear();
        }
        for token in touched.drain(..) {
            if token == LOCAL {
                // CLIENT KILL has met it, too.
                if self.worker.peek(LOCAL).is_none_or(|client| client.close_asap) {
                    self.worker.closed(LOCAL);
                    self.accept(LOCAL, self.pid);
                }
                continue;
            }
            let Some(conn) = self.tokens[token] else { continue };
            let mut bytes = Vec::new();
            while let Some(client) = self.worker.client(token) {
                let ready = client.out.len();
                bytes.extend_from_slice(&client.out.buf);
                self.worker.sent(token, ready);
                let Some(client) = self.worker.client(token) else { break };
                let shared = client.chunks.iter().map(Bytes::len).sum();
                client.chunks.iter().for_each(|chunk| bytes.extend_from_slice(chunk));
                self.worker.sent_shared(token, shared);
                if !self.worker.refill(token) {
                    break;
                }
            }
            u.send(conn, CALLED, bytes);
            let Some(client) = self.worker.peek(token) else { continue };
            if client.close_asap || client.close_after_reply {
                self.tokens[token] = None;
                self.conns.remove(&conn);
                self.worker.closed(token);
                u.close(conn, CALLED);
            }
        }
        self.touched = touched;
    }

    /// What became of the link; on errors the connection is closed.
    fn linked(&mut self, went: Result<(), String>, u: &mut Universe) {
        let Err(why) = went else { return };
        let (conn, target) = match std::mem::replace(&mut self.link, Link::Idle) {
            Link::Connecting { conn, target, .. } | Link::Stands { conn, target, .. } => (conn, target),
            other => {
                self.link = other;
                return;
            }
        };
        u.close(conn, CALLER);
        self.follower.over(Some(&why));
        self.link = Link::Pause { until: u.now + PAUSE_MS * 1000, target };
    }

    fn look_after_link(&mut self, u: &mut Universe) {
        if self.desk.hung_up.swap(false, Ordering::Relaxed) && matches!(self.link, Link::Stands { .. }) {
            self.linked(Err(resp::log_text::replica::LOST.to_owned()), u);
        }
        match &mut self.link {
            Link::Stands { conn, look, .. } => {
                let conn = *conn;
                if *look <= u.now {
                    *look = u.now + LOOK;
                    let went = self.follower.look(&mut Wire { u, conn, file: &mut self.file });
                    self.linked(went, u);
                }
            }
            Link::Connecting { until, target, .. } => {
                if *until <= u.now || !self.follower.wants(target) {
                    self.linked(Err("Error condition on socket for SYNC: Connection timed out".to_owned()), u);
                }
            }
            Link::Pause { until, target } => {
                if *until <= u.now || !self.follower.wants(target) {
                    self.link = Link::Idle;
                }
            }
            Link::Idle => {}
        }
        if matches!(self.link, Link::Idle)
            && let Some(target) = self.follower.wish()
        {
            self.follower.connecting(&target);
            match target.host.parse().ok().and_then(pid_of) {
                Some(pid) => {
                    let conn = u.connect(self.pid, pid, PORT);
                    self.link = Link::Connecting { conn, target, until: u.now + CONNECT };
                }
                None => self.link = Link::Pause { until: u.now + PAUSE_MS * 1000, target },
            }
        }
    }

    /// Walks a snapshot whose cut was made some time ago.
    fn save(&mut self, job: &SaveJob) {
        let server = self.server;
        let ticket = (1 << 61) + 4;
        let mut background =
            Background::new(&server.engine.gate, &server.engine.shards, ExecutorId(SNAPSHOTS as u16), ticket);
        let mut file = File { bytes: job.preamble.clone(), given_up: self.desk.cancelled.load(Ordering::Relaxed) };
        let aux: Vec<(&[u8], &[u8])> = job.aux.iter().map(|(name, value)| (&name[..], &value[..])).collect();
        file.bytes.extend(job.snapshot.head(&aux));
        let complete = job.snapshot.walk(&mut background, server.engine.map.shards(), &mut file);
        if complete && matches!(job.snapshot.form, Records::Rdb(_)) {
            Form::eof(&mut file.bytes);
            let mut sum = Checksum::new(job.checksum);
            sum.update(&file.bytes);
            file.bytes.extend_from_slice(&sum.finish());
        }
        let mut failure = (!complete).then(|| "the snapshot was given up".to_owned());
        let bytes = Bytes::from(file.bytes);
        if let saving::Target::AofBase(path, snapshot) = &job.target {
            let made = match &failure {
                None => self.base(path, &bytes, *snapshot),
                Some(why) => Err(why.clone()),
            };
            if let Err(why) = made {
                if self.aof.fail_rewrite() {
                    server.saving.lock().rewrites.scheduled = true;
                }
                failure = Some(why);
            }
        } else if let saving::Target::Sync(name, sync) = &job.target {
            if sync.streamed {
                let len = bytes.len() as u64;
                sync.open(server, Arc::new(Blob(bytes)));
                sync.grow(server, len);
            } else {
                self.desk.sync_files.lock().push((name.clone(), bytes));
            }
        }
        saving::finished(server, failure.as_deref());
    }

    /// The base of a rewrite is written and put in force.
    fn base(&self, path: &Path, bytes: &[u8], snapshot: bool) -> Result<(), String> {
        self.disk.remove(path);
        let mut file = self.disk.append(path)?;
        file.append(bytes)?;
        file.sync()?;
        self.aof.finish_rewrite(path, snapshot, &self.server.control.load().config)
    }

    /// The process ends without being asked: what its threads hold goes with it.
    pub fn end(mut self) {
        if self.has_crashed {
            // It holds what it held, like a process that is gone.
            return std::mem::forget(self);
        }
        self.clockwork.give_up(&mut self.core);
    }

    /// Runs a command as an administrator on the machine itself does, and answers what it says.
    pub fn ask(&mut self, line: &[&str], u: &mut Universe) -> String {
        let mut bytes = Vec::new();
        resp::encode::command(&mut bytes, line);
        self.feed(LOCAL, &bytes);
        self.settle(u);
        let Some(client) = self.worker.client(LOCAL) else { return String::new() };
        let text = String::from_utf8_lossy(&client.out.buf).into_owned();
        let len = client.out.buf.len();
        client.sent(len);
        text
    }

    /// The value of a string key, without a trace in the server.
    pub fn glance(&mut self, key: &[u8]) -> bool {
        let mut attempt = self.core.new_attempt(Errand::InPassing);
        if self.core.lease.take_world(&mut attempt) != engine::lease::Taken::Yes {
            panic!("nothing is held between events");
        }
        attempt.succeed();
        let found = self.core.lease.space(DbIndex(0)).glance(&self.server.engine.map.key(key)).is_some();
        self.core.lease.release();
        found
    }

    /// Whether it takes writes.
    pub fn is_primary(&self) -> bool {
        self.server.control.load().role == Role::Primary
    }

    /// Whether it is about to give its place to a replica (FAILOVER).
    pub fn hands_over(&self) -> bool {
        node::failover::state_name(self.server) == "failover-in-progress"
    }

    /// Whether whatever it has answered is on its disk.
    pub fn is_durable(&self) -> bool {
        let control = self.server.control.load();
        control.config.aof.appendonly && control.config.aof.appendfsync == AppendFsync::Always
    }

    /// Whom it follows, and whether the link is up.
    pub fn follows(&self) -> Option<(Pid, bool)> {
        match &self.server.control.load().role {
            Role::Primary => None,
            Role::Replica { host, online, .. } => Some((host.parse().ok().and_then(pid_of)?, *online)),
        }
    }

    /// Whether a snapshot of its primary is on the way, so that what it has is about to go.
    pub fn is_syncing(&self) -> bool {
        self.server.replication.link.lock().stage == LinkStage::Sync
    }

    /// When its primary was last heard.
    pub fn heard_primary(&self) -> Micros {
        self.heard
    }

    /// Takes the votes that it has told of.
    pub fn take_votes(&self) -> Vec<(String, u64)> {
        std::mem::take(&mut *self.desk.votes.lock())
    }

    /// Whether it has set keys of a slot aside.
    pub fn set_aside(&self, slot: cluster::Slot) -> bool {
        self.server.cluster.as_ref().is_some_and(|node| node.aside.has(slot))
    }

    /// The history and its end here.
    pub fn position(&self) -> (ReplId, ReplOffset) {
        (self.server.journal.history().id, self.server.journal.end())
    }
}
