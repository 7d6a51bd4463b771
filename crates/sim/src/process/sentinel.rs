//! A Sentinel in the simulation: the machine of crate `sentinel`, and what its process does for it.
//!
//! ```text
//!   packets ─► replies, requests ─► machine ─► actions in order: connect, send, close · Save is a barrier
//!   timer   ─► Event::Timer                     └► the file on this machine's disk, which the next life reads
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use config::{Config, Mode};
use engine::Clock as _;
use resp::reply::{Proto, Reply};
use resp::request::{Parsed, Parser, RequestLimits};
use resp::value::Decoder;
use resp::{Args, encode, error};
use sentinel::{Action, Broken, Event, Now, Outbox, Own, REPLY_LIMITS, Sentinel};

use super::server::{address, pid_of};
use super::{NoFiles, Paper};
use crate::net::{CALLED, CALLER, ConnId};
use crate::world::{Clock, Micros, Pid, Universe};

/// The port of every Sentinel.
pub const PORT: u16 = 26379;
/// The name of the group that all watch.
pub const GROUP: &str = "myprimary";

/// A connection that the machine wanted.
struct Outward {
    id: sentinel::ConnId,
    stands: bool,
    input: Vec<u8>,
    decoder: Decoder,
}

/// A connection of somebody else.
#[derive(Default)]
struct Inward {
    input: Vec<u8>,
    parser: Parser,
    ranges: Vec<resp::args::ArgRange>,
}

/// One life of a Sentinel.
pub struct SentinelProgram {
    pid: Pid,
    machine: Sentinel,
    clock: Arc<Clock>,
    paper: Paper,
    outward: BTreeMap<ConnId, Outward>,
    names: BTreeMap<sentinel::ConnId, ConnId>,
    inward: BTreeMap<ConnId, Inward>,
    /// Whether the disk takes no more.
    pub disk_is_full: bool,
    /// What it has told its subscribers since somebody asked.
    told: Vec<(Micros, String, String)>,
    ended: bool,
}

struct Surroundings;

impl sentinel::World for Surroundings {
    fn resolve(&mut self, name: &[u8]) -> Option<IpAddr> {
        std::str::from_utf8(name).ok()?.parse().ok()
    }

    fn is_executable(&mut self, _: &[u8]) -> bool {
        false
    }
}

impl SentinelProgram {
    /// A Sentinel that begins to run with what its file says.
    pub fn new(pid: Pid, clock: Arc<Clock>, paper: Paper, u: &mut Universe) -> Self {
        let text = paper.lock().clone();
        let loaded = config::load(&text, Mode::Sentinel, &mut NoFiles).unwrap_or_else(|e| {
            panic!("the file of a Sentinel cannot be read: {e:?}\n{}", String::from_utf8_lossy(&text));
        });
        let own = Own { port: PORT, ..Own::default() };
        let now = time(&clock);
        let machine = Sentinel::new(&loaded.sentinel, own, u.random.bits(), now, &mut Surroundings)
            .unwrap_or_else(|e| panic!("the file of a Sentinel is refused: {e:?}\n{}", String::from_utf8_lossy(&text)));
        let mut program = SentinelProgram {
            pid,
            machine,
            clock,
            paper,
            outward: BTreeMap::new(),
            names: BTreeMap::new(),
            inward: BTreeMap::new(),
            disk_is_full: false,
            told: Vec::new(),
            ended: false,
        };
        program.handle(Event::Started, u);
        program
    }

    /// The machine.
    pub fn machine(&self) -> &Sentinel {
        &self.machine
    }

    /// Takes what it has told its subscribers: when, on which channel, and what.
    pub fn take_told(&mut self) -> Vec<(Micros, String, String)> {
        std::mem::take(&mut self.told)
    }

    /// Whether it has ended itself.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// When it has to look at its clock.
    pub fn deadline(&self) -> Micros {
        self.machine.deadline().saturating_mul(1000)
    }

    /// It does.
    pub fn timeout(&mut self, u: &mut Universe) {
        if self.deadline() <= u.now {
            self.handle(Event::Timer, u);
        }
    }

    /// Somebody has connected.
    pub fn accepted(&mut self, conn: ConnId) {
        self.inward.insert(conn, Inward::default());
    }

    /// A connection that the machine wanted stands.
    pub fn connected(&mut self, conn: ConnId, u: &mut Universe) {
        if let Some(outward) = self.outward.get_mut(&conn) {
            outward.stands = true;
            let event = Event::Connected { conn: outward.id, local: Some(address(self.pid)) };
            self.handle(event, u);
        }
    }

    /// A connection is gone, or could not be made.
    pub fn closed(&mut self, conn: ConnId, reset: bool, u: &mut Universe) {
        self.inward.remove(&conn);
        if let Some(outward) = self.outward.remove(&conn) {
            self.names.remove(&outward.id);
            let why = match (outward.stands, reset) {
                (false, _) => Broken::Refused,
                (true, true) => Broken::Reset,
                (true, false) => Broken::Closed,
            };
            self.handle(Event::Broken { conn: outward.id, why }, u);
        }
    }

    /// Bytes have come.
    pub fn received(&mut self, conn: ConnId, bytes: &[u8], u: &mut Universe) {
        if let Some(outward) = self.outward.get_mut(&conn) {
            outward.input.extend_from_slice(bytes);
            self.replies(conn, u);
        } else if let Some(inward) = self.inward.get_mut(&conn) {
            inward.input.extend_from_slice(bytes);
            self.requests(conn, u);
        }
    }

    fn replies(&mut self, conn: ConnId, u: &mut Universe) {
        let mut at = 0;
        loop {
            let Some(outward) = self.outward.get_mut(&conn) else { return };
            if at == outward.input.len() {
                outward.input.clear();
                return;
            }
            match outward.decoder.decode(&outward.input[at..]) {
                Ok((used, value)) => {
                    at += used;
                    let id = outward.id;
                    match value {
                        Some(value) => self.handle(Event::Reply { conn: id, value }, u),
                        None => {
                            outward.input.drain(..at);
                            return;
                        }
                    }
                }
                Err(e) => panic!("a server answers a Sentinel with what is no reply: {e:?}"),
            }
        }
    }

    fn requests(&mut self, conn: ConnId, u: &mut Universe) {
        let Some(mut inward) = self.inward.remove(&conn) else { return };
        let limits = RequestLimits::default();
        let mut reply = Reply::new(Proto::Resp2);
        let mut at = 0;
        while at < inward.input.len() {
            match inward.parser.next(&mut inward.input[at..], &limits, &mut inward.ranges) {
                Parsed::Incomplete { .. } => break,
                Parsed::Error(e) => {
                    reply.error(&e);
                    break;
                }
                Parsed::Complete { consumed, argc, .. } => {
                    let request = inward.input[at..at + consumed].to_vec();
                    at += consumed;
                    let ranges = std::mem::take(&mut inward.ranges);
                    if argc > 0 {
                        self.request(Args::new(&request, &ranges, None), &mut reply, u);
                    }
                }
            }
        }
        inward.input.drain(..at);
        self.inward.insert(conn, inward);
        u.send(conn, CALLED, reply.buf);
    }

    fn request(&mut self, args: Args<'_>, reply: &mut Reply, u: &mut Universe) {
        let now = time(&self.clock);
        let mut out = Outbox::new();
        let mark = reply.len();
        match args.at(0).to_ascii_lowercase().as_slice() {
            b"ping" => reply.status("PONG"),
            b"sentinel" => self.machine.command(now, args, reply, &mut Surroundings, &mut out),
            b"publish" if args.len() == 3 => self.machine.publish(now, args.at(1), args.at(2), reply, &mut out),
            b"role" => self.machine.role(reply),
            b"client" | b"auth" => reply.ok(),
            _ => reply.error(&error::common::SYNTAX),
        }
        if !self.act(out, u) {
            reply.buf.truncate(mark);
            reply.error(&error::sentinel::SAVE_FAILED);
        }
    }

    fn handle(&mut self, event: Event, u: &mut Universe) {
        let mut out = Outbox::new();
        self.machine.handle(time(&self.clock), event, &mut out);
        self.act(out, u);
    }

    /// Does what the machine wants, in order. False when something could not be saved.
    fn act(&mut self, mut out: Outbox, u: &mut Universe) -> bool {
        let mut all_saved = true;
        let mut actions: VecDeque<Action> = out.drain().collect();
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Connect { conn: id, ip, port, .. } => match pid_of(ip) {
                    Some(pid) => {
                        let conn = u.connect(self.pid, pid, port);
                        let decoder = Decoder::new(REPLY_LIMITS);
                        self.outward.insert(conn, Outward { id, stands: false, input: Vec::new(), decoder });
                        self.names.insert(id, conn);
                    }
                    None => panic!("a Sentinel connects to an address that nobody has: {ip}"),
                },
                Action::Close { conn: id } => {
                    if let Some(conn) = self.names.remove(&id) {
                        self.outward.remove(&conn);
                        u.close(conn, CALLER);
                    }
                }
                Action::Send { conn: id, args } => {
                    if let Some(conn) = self.names.get(&id) {
                        let mut bytes = Vec::new();
                        encode::command(&mut bytes, &args);
                        u.send(*conn, CALLER, bytes);
                    }
                }
                Action::Save { generation, lines } => {
                    let result = if self.disk_is_full { Err("No space left on device".to_owned()) } else { Ok(()) };
                    all_saved &= result.is_ok();
                    if result.is_ok() {
                        let mut paper = self.paper.lock();
                        *paper = config::rewrite(&paper, &general(), &lines, Mode::Sentinel, false);
                    }
                    let mut more = Outbox::new();
                    self.machine.handle(time(&self.clock), Event::Saved { generation, result }, &mut more);
                    more.drain().rev().for_each(|action| actions.push_front(action));
                }
                Action::Publish { channel, text } => {
                    let text = String::from_utf8_lossy(&text).into_owned();
                    let channel = String::from_utf8_lossy(&channel).into_owned();
                    u.trace.say(u.now, || format!("sentinel {}: {channel} {text}", self.pid.0));
                    self.told.push((u.now, channel, text));
                }
                Action::Log { text, .. } => {
                    u.trace.say(u.now, || format!("sentinel {}: {}", self.pid.0, String::from_utf8_lossy(&text)));
                }
                Action::Resolve { name } => {
                    let mut more = Outbox::new();
                    let ip = sentinel::World::resolve(&mut Surroundings, &name);
                    self.machine.handle(time(&self.clock), Event::Resolved { name, ip }, &mut more);
                    actions.extend(more.drain());
                }
                Action::RunScript { id, .. } => {
                    let mut more = Outbox::new();
                    self.machine.handle(time(&self.clock), Event::ScriptStarted { id, pid: None }, &mut more);
                    actions.extend(more.drain());
                }
                Action::Exit { .. } => self.ended = true,
                Action::KillScript { .. } | Action::SetLogLevel { .. } => {}
            }
        }
        all_saved
    }

    /// Asks it something as an administrator does, and answers what it says.
    pub fn ask(&mut self, line: &[&str], u: &mut Universe) -> String {
        let mut bytes = Vec::new();
        encode::command(&mut bytes, line);
        let (mut parser, mut ranges) = (Parser::new(), Vec::new());
        let mut reply = Reply::new(Proto::Resp2);
        if let Parsed::Complete { .. } = parser.next(&mut bytes, &RequestLimits::default(), &mut ranges) {
            self.request(Args::new(&bytes, &ranges, None), &mut reply, u);
        }
        String::from_utf8_lossy(&reply.buf).into_owned()
    }
}

/// The general directives of a Sentinel.
fn general() -> Config {
    let text = format!("port {PORT}\n");
    config::load(text.as_bytes(), Mode::Sentinel, &mut NoFiles).map(|loaded| loaded.config).unwrap_or_default()
}

fn time(clock: &Clock) -> Now {
    Now { mono_ms: clock.micros() / 1000, unix_ms: clock.unix_millis() }
}
