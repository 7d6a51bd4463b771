//! A server without a runtime, for tests: a clock that is set, a host that takes notes, and clients that are byte strings.
//!
//! ```text
//!   let mut node = Node::start("maxclients 10");
//!   let a = node.connect();
//!   assert_eq!(node.say(a, "PING"), "+PONG\r\n");
//! ```
//!
//! All workers run on the test's thread, one after the other, so every history is the same each time. Commands of data that
//! the tests need and that are not bound get small stand-ins over strings: SET, DEL, LPUSH and BLPOP (which takes the whole
//! value).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use acl::Users;
use command::binding::Class;
use command::context::{Context, Done, OnTimeout};
use command::effects::class;
use command::registry::{Mode, Registry};
use config::{Config, Directive, Reason};
use engine::Clock;
use keyspace::{Db, Expiry, UnixMillis};
use parking_lot::Mutex;
use resp::args::OwnedArgs;
use session::{Client, ClientCard};
use value::{StringRef, Value};

use crate::busy::{NoTurn, Turn};
use crate::control::Control;
use crate::facts::{CpuFacts, Crash, MemoryFacts, ProcessFacts};
use crate::migrate::{Order, Sent};
use crate::saving::SaveJob;
use crate::server::{Bound, Host, LogLevel, RewriteFailure, Server};
use crate::worker::Worker;

/// When every test begins.
pub const START_MS: i64 = 1_700_000_000_000;

/// A clock that stands still until it is moved, or goes on a little at every look.
pub struct TestClock(AtomicI64, AtomicI64);

impl Clock for TestClock {
    fn unix_millis(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    fn nanos(&self) -> u64 {
        self.0.fetch_add(self.1.load(Ordering::Relaxed), Ordering::Relaxed) as u64 * 1_000_000
    }
}

/// What a test's host has seen and is to say.
#[derive(Default)]
pub struct Notes {
    /// Log lines.
    pub log: Mutex<Vec<String>>,
    /// What `used_memory` answers.
    pub memory: AtomicUsize,
    /// The directive of which `config_changed` is to say that it fails.
    pub refuse: Mutex<Option<&'static str>>,
    /// The configuration file.
    pub file: Mutex<Option<Vec<u8>>>,
    /// The offsets up to which the journal was to be made durable, in the order in which it was asked.
    pub flushed: Mutex<Vec<u64>>,
    /// How long the host was to sleep.
    pub slept: Mutex<Vec<Duration>>,
    /// Migrations that wait for their target.
    pub migrations: Mutex<Vec<Begun>>,
    process: ProcessFacts,
    drawn: AtomicU64,
}

/// A migration, and whom to tell how it went.
pub type Begun = (Order, Box<dyn FnOnce(Sent) + Send>);

struct TestHost(Arc<Notes>);

impl Host for TestHost {
    fn begin_rewrite(&self, _: u64, _: &Config) -> Result<std::path::PathBuf, String> {
        Err("there is no file".to_owned())
    }

    fn aof_sizes(&self) -> Option<(u64, u64)> {
        None
    }

    fn flush_journal(&self, offset: u64, _: &Config) -> Result<(), String> {
        self.0.flushed.lock().push(offset);
        Ok(())
    }

    fn log(&self, _: LogLevel, text: &str) {
        self.0.log.lock().push(text.to_owned());
    }

    fn free(&self, garbage: Vec<Value>) {
        drop(garbage);
    }

    fn free_dbs(&self, dbs: Vec<Db>) {
        drop(dbs);
    }

    fn snapshot(&self, job: SaveJob) {
        drop(job);
    }

    fn cancel_snapshot(&self) {}

    fn shutdown_aborted(&self) {}

    fn wake_control(&self) {}

    fn migrate(&self, order: Order) -> Sent {
        Sent { acknowledged: vec![true; order.keys], result: Ok(()) }
    }

    fn migrate_later(&self, order: Order, done: Box<dyn FnOnce(Sent) + Send>) {
        self.0.migrations.lock().push((order, done));
    }

    fn migration_sockets(&self) -> usize {
        0
    }

    fn entropy(&self) -> u64 {
        self.0.drawn.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }

    fn used_memory(&self) -> usize {
        self.0.memory.load(Ordering::Relaxed)
    }

    fn config_changed(
        &self,
        _: &Config,
        _: &mut Config,
        changed: &[&'static Directive],
    ) -> Result<(), (&'static Directive, Reason)> {
        match changed.iter().find(|directive| Some(directive.name) == *self.0.refuse.lock()) {
            Some(directive) => Err((directive, config::reason::CANNOT_LISTEN)),
            None => Ok(()),
        }
    }

    fn process(&self) -> &ProcessFacts {
        &self.0.process
    }

    fn memory(&self) -> MemoryFacts {
        MemoryFacts { used: 1 << 20, peak: 2 << 20, rss: 3 << 20, ..MemoryFacts::default() }
    }

    fn note_memory(&self) {}

    fn cpu(&self) -> CpuFacts {
        CpuFacts { user: 1_500_000, ..CpuFacts::default() }
    }

    fn sleep(&self, time: Duration) {
        self.0.slept.lock().push(time);
    }

    fn crash(&self, how: Crash) -> ! {
        panic!("{how:?}");
    }

    fn rewrite_config(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), RewriteFailure> {
        let mut file = self.0.file.lock();
        let text = file.as_mut().ok_or(RewriteFailure::NoFile)?;
        *text = new(text);
        Ok(())
    }
}

/// A client of a [`Node`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    /// Its worker.
    pub thread: usize,
    /// Its token there.
    pub token: usize,
    /// Its id.
    pub id: u64,
}

/// A server and its workers.
pub struct Node {
    /// The server.
    pub server: &'static Server,
    /// What its host has seen.
    pub notes: Arc<Notes>,
    clock: Arc<TestClock>,
    workers: Vec<Option<Worker<'static>>>,
    arrivals: Vec<(Peer, Vec<u8>)>,
    leavers: Vec<Peer>,
    tokens: usize,
}

impl Node {
    /// One thread, one shard.
    pub fn start(config: &str) -> Self {
        Self::with_threads(config, 1, 1)
    }

    /// So many threads over so many shards. `config` is the text of a configuration file.
    pub fn with_threads(config: &str, threads: usize, shards: usize) -> Self {
        let clock = Arc::new(TestClock(AtomicI64::new(START_MS), AtomicI64::new(0)));
        let notes = Arc::new(Notes::default());
        let loaded = config::load(config.as_bytes(), config::Mode::Server, &mut NoFiles).expect("a good configuration");
        let config: Arc<Config> = Arc::new(loaded.config);
        let users = Users::with_password(config.security.requirepass.as_deref().unwrap_or_default());
        let mut server = Server::new(
            Control::new(config, Arc::new(users)),
            threads,
            threads + 1,
            shards,
            clock.clone(),
            Box::new(TestHost(notes.clone())),
            Registry::new(Mode::Server),
        );
        stand_in(&mut server, "set", set);
        stand_in(&mut server, "del", del);
        stand_in(&mut server, "lpush", set);
        stand_in(&mut server, "blpop", blpop);
        let server: &'static Server = Box::leak(Box::new(server));
        let workers = (0..threads).map(|i| Some(Worker::new(server, i))).collect();
        Node { server, notes, clock, workers, arrivals: Vec::new(), leavers: Vec::new(), tokens: 0 }
    }

    fn worker(&mut self, thread: usize) -> &mut Worker<'static> {
        self.workers[thread].as_mut().expect("the worker is not at work")
    }

    /// Lets every look at the clock take so many milliseconds.
    pub fn looks_take(&mut self, millis: i64) {
        self.clock.1.store(millis, Ordering::Relaxed);
    }

    /// Bytes that arrive while a unit runs that lets the loop make turns.
    pub fn arrives(&mut self, who: Peer, bytes: &[u8]) {
        self.arrivals.push((who, bytes.to_vec()));
    }

    /// A connection that ends while a unit runs, if that lets the loop make turns.
    pub fn leaves(&mut self, who: Peer) {
        self.leavers.push(who);
    }

    /// A connection from this host to the first worker.
    pub fn connect(&mut self) -> Peer {
        self.connect_to(0, "127.0.0.1:5000")
    }

    /// A connection to a worker, from an address.
    pub fn connect_to(&mut self, thread: usize, from: &str) -> Peer {
        let id = self.server.last_client.fetch_add(1, Ordering::Relaxed) + 1;
        let token = self.tokens;
        self.tokens += 1;
        let mut card = ClientCard::new(id, thread, 8 + token as i32, self.server.engine.now().0);
        let from: SocketAddr = from.parse().expect("an address");
        card.addr = Some(SocketAddr::new(from.ip(), from.port() + token as u16));
        card.laddr = Some("127.0.0.1:6379".parse().expect("an address"));
        self.worker(thread).accepted(token, card);
        self.settle();
        Peer { thread, token, id }
    }

    /// Closes a connection from the client's side.
    pub fn close(&mut self, who: Peer) {
        self.worker(who.thread).closed(who.token);
        self.settle();
    }

    /// The client as its worker sees it; `None` when the server has closed it.
    pub fn client(&mut self, who: Peer) -> Option<&mut Client> {
        self.worker(who.thread).client(who.token)
    }

    /// Sends an inline command and returns all that has arrived when everything has come to rest.
    pub fn say(&mut self, who: Peer, line: &str) -> String {
        self.send(who, format!("{line}\r\n").as_bytes());
        self.heard(who)
    }

    /// Sends bytes, and lets everything come to rest.
    pub fn send(&mut self, who: Peer, bytes: &[u8]) {
        self.feed(who, bytes);
        self.settle();
    }

    /// What LPUSH to an empty key answers: the stand-in is no list.
    pub fn pushed(&self) -> String {
        let id = self.server.registry.by_fullname(b"lpush").expect("a row of the table");
        match self.server.bound[id.index()] {
            Bound::Data(handler, _) if std::ptr::fn_addr_eq(handler, set as command::context::Handler) => {
                "+OK".to_owned()
            }
            _ => ":1".to_owned(),
        }
    }

    /// Sends bytes; the turn of the worker does not end yet.
    pub fn feed(&mut self, who: Peer, bytes: &[u8]) {
        if let Some(client) = self.client(who) {
            client.input.extend_from_slice(bytes);
            let mut worker = self.workers[who.thread].take().expect("a worker is not at work yet");
            worker.received(who.token, &mut TestTurn { node: self, thread: who.thread });
            self.workers[who.thread] = Some(worker);
        }
    }

    /// What has left the server for a client since the last time.
    pub fn heard(&mut self, who: Peer) -> String {
        let ready = self.client(who).map_or(0, |client| client.out.len());
        let Some(client) = self.worker(who.thread).client(who.token) else { return "(closed)".to_owned() };
        let text = String::from_utf8_lossy(&client.out.buf[..ready]).into_owned();
        client.sent(ready);
        text
    }

    /// What a replica is sent of the stream, once all before it has been heard.
    pub fn streamed(&mut self, who: Peer) -> String {
        let mut all = Vec::new();
        let worker = self.worker(who.thread);
        while worker.refill(who.token) {
            if let Some(client) = worker.client(who.token) {
                all.extend(client.chunks.drain(..).flatten());
            }
        }
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Turns all workers until none has a letter left, then closes whom the server wants closed.
    pub fn settle(&mut self) {
        for _ in 0..100 {
            for thread in 0..self.workers.len() {
                let Some(mut worker) = self.workers[thread].take() else { continue };
                worker.read_letters(&mut TestTurn { node: self, thread });
                worker.end_of_turn();
                self.workers[thread] = Some(worker);
            }
            if self.server.mailboxes.iter().all(|mailbox| mailbox.is_empty()) {
                return;
            }
        }
        panic!("the workers send each other letters without end");
    }

    /// Whether the server wants this client closed.
    pub fn is_closing(&mut self, who: Peer) -> bool {
        self.client(who).is_none_or(|client| client.close_asap || client.close_after_reply)
    }

    /// Moves the clock and lets happen what is due.
    pub fn pass(&mut self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::Relaxed);
        let now = UnixMillis(self.clock.0.load(Ordering::Relaxed));
        for worker in self.workers.iter_mut().flatten() {
            worker.timeout(&mut NoTurn);
        }
        crate::cron::tick(&mut self.worker(0).core, now);
        self.settle();
    }
}

/// The loop of a worker whose unit runs: what arrives meanwhile reaches it and the others.
struct TestTurn<'n> {
    node: &'n mut Node,
    thread: usize,
}

impl Turn<'static> for TestTurn<'_> {
    fn serve(&mut self, worker: &mut Worker<'static>) {
        for who in std::mem::take(&mut self.node.leavers) {
            worker.closed(who.token);
        }
        for (who, bytes) in std::mem::take(&mut self.node.arrivals) {
            if who.thread == self.thread {
                if let Some(client) = worker.client(who.token) {
                    client.input.extend_from_slice(&bytes);
                    worker.received_meanwhile(who.token);
                }
            } else {
                let other = self.node.worker(who.thread);
                if let Some(client) = other.client(who.token) {
                    client.input.extend_from_slice(&bytes);
                    other.received(who.token, &mut NoTurn);
                }
            }
        }
    }
}

struct NoFiles;

impl config::Surroundings for NoFiles {
    fn include(&mut self, _: &[u8]) -> Result<Vec<u8>, config::Reason> {
        Err(config::Reason::fixed("no files here"))
    }

    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, config::Reason> {
        Ok(path.to_vec())
    }
}

fn stand_in(server: &mut Server, name: &str, handler: command::context::Handler) {
    let id = server.registry.by_fullname(name.as_bytes()).expect("a row of the table");
    if matches!(server.bound[id.index()], Bound::Absent) {
        server.bound[id.index()] = Bound::Data(handler, Class::Keys);
        server.has[id.index()] = true;
    }
}

fn set(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let value = ctx.args.at(2);
    ctx.store_string(&key, value, Expiry::None);
    ctx.changed(&key, class::STRING, "set", 1);
    ctx.reply.ok();
    Ok(())
}

fn del(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let gone = ctx.delete(&key);
    ctx.reply.integer(i64::from(gone));
    Ok(())
}

fn blpop(ctx: &mut Context<'_, '_>) -> Done {
    let last = ctx.args.len() - 1;
    for at in 1..last {
        let key = ctx.key(at);
        let value = match ctx.space.read_string(&key)? {
            None => continue,
            Some(StringRef::Bytes(bytes)) => bytes.to_vec(),
            Some(StringRef::Int(n)) => n.to_string().into_bytes(),
        };
        ctx.reply.array(2);
        ctx.reply.bulk(key.bytes);
        ctx.reply.bulk(&value);
        ctx.delete(&key);
        return Ok(());
    }
    let seconds: i64 = String::from_utf8_lossy(ctx.args.at(last)).parse().unwrap_or(0);
    let deadline = (seconds > 0).then(|| UnixMillis(ctx.now().0 + seconds * 1000));
    ctx.block(1..last, deadline, OnTimeout::NullArray)
}

/// The words of a line as the arguments of a request.
pub fn args(line: &str) -> OwnedArgs {
    let words: Vec<&str> = line.split(' ').collect();
    OwnedArgs::from_slices(&words)
}
