//! Somebody who writes, waits for replicas, and remembers what was promised.
//!
//! ```text
//!   find (the first server, or what a Sentinel says) ─► connect ─► write · WAIT k ─► promised: k ─► think ─► write …
//!        ▲                                                 └── silence, an error, a closed connection ──┐
//!        └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Every promise is about a key of its own, so whether it was kept can be seen long after. Between them stand writes of
//! all kinds to keys that everybody shares: what they leave behind must be the same everywhere.

use resp::Value;
use resp::encode;
use resp::value::{Decoder, Limits};

use super::sentinel::GROUP;
use super::server::pid_of;
use crate::net::{CALLER, ConnId};
use crate::random::Random;
use crate::world::{Micros, Pid, Universe};

/// How long a client waits for an answer before it tries another connection.
const PATIENCE: Micros = 1_500_000;
/// How long after a failure it tries again.
const PAUSE: Micros = 50_000;
/// How long WAIT waits, in ms.
const WAIT_MS: u64 = 300;

/// A write that a server has answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promise {
    /// The key.
    pub key: String,
    /// What WAIT has answered; 0 when only the write itself was answered.
    pub replicas: i64,
    /// When.
    pub at: Micros,
    /// Who.
    pub by: Pid,
    /// Which life of it.
    pub life: u32,
}

/// Where writes go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Finding {
    /// To this server.
    Told(Pid),
    /// Where one of these Sentinels says.
    Ask(Vec<Pid>),
}

enum State {
    Rests {
        until: Micros,
    },
    Connecting {
        conn: ConnId,
        to: Pid,
        until: Micros,
    },
    /// With a Sentinel.
    Asks {
        conn: ConnId,
        until: Micros,
    },
    Talks {
        conn: ConnId,
        to: Pid,
        until: Micros,
    },
}

/// See the head of this file.
pub struct ClientProgram {
    pid: Pid,
    number: usize,
    finding: Finding,
    state: State,
    decoder: Decoder,
    input: Vec<u8>,
    /// What the next answers are for.
    awaited: Vec<Awaited>,
    written: u64,
    random: Random,
    /// What was promised since somebody has asked.
    promises: Vec<Promise>,
    /// Writes nothing any more.
    pub quiet: bool,
    /// How long it thinks between writes, on average.
    think: Micros,
}

#[derive(Clone, Debug)]
enum Awaited {
    /// A write to a shared key: its outcome says nothing.
    Any,
    Write(String),
    Wait(String),
}

impl ClientProgram {
    /// The client `number` of a universe.
    pub fn new(pid: Pid, number: usize, finding: Finding, think: Micros, random: Random) -> Self {
        ClientProgram {
            pid,
            number,
            finding,
            state: State::Rests { until: 0 },
            decoder: Decoder::new(Limits::default()),
            input: Vec::new(),
            awaited: Vec::new(),
            written: 0,
            random,
            promises: Vec::new(),
            quiet: false,
            think,
        }
    }

    /// Takes what was promised since the last time.
    pub fn take_settled(&mut self) -> Vec<Promise> {
        if self.awaited.is_empty() { std::mem::take(&mut self.promises) } else { Vec::new() }
    }

    /// Where it writes from now on.
    pub fn find(&mut self, finding: Finding) {
        self.finding = finding;
    }

    /// When it has to look at its clock.
    pub fn deadline(&self) -> Micros {
        match &self.state {
            State::Rests { until }
            | State::Connecting { until, .. }
            | State::Asks { until, .. }
            | State::Talks { until, .. } => *until,
        }
    }

    /// It does.
    pub fn timeout(&mut self, u: &mut Universe) {
        if self.deadline() > u.now {
            return;
        }
        match self.state {
            State::Rests { .. } => self.begin(u),
            State::Talks { conn, to, .. } if self.awaited.is_empty() => self.write(conn, to, u),
            State::Talks { conn, .. } | State::Connecting { conn, .. } | State::Asks { conn, .. } => {
                u.close(conn, CALLER);
                self.rest(u);
            }
        }
    }

    fn begin(&mut self, u: &mut Universe) {
        match &self.finding {
            Finding::Told(to) => self.connect(*to, u),
            Finding::Ask(sentinels) => {
                let sentinel = *self.random.pick(sentinels);
                let conn = u.connect(self.pid, sentinel, super::sentinel::PORT);
                self.state = State::Asks { conn, until: u.now + PATIENCE };
                let mut bytes = Vec::new();
                encode::command(&mut bytes, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP]);
                u.send(conn, CALLER, bytes);
            }
        }
    }

    fn connect(&mut self, to: Pid, u: &mut Universe) {
        let conn = u.connect(self.pid, to, super::server::PORT);
        self.state = State::Connecting { conn, to, until: u.now + PATIENCE };
    }

    /// A Sentinel has said where the primary is.
    fn found(&mut self, conn: ConnId, value: &Value, u: &mut Universe) {
        u.close(conn, CALLER);
        let ip = value.as_array().and_then(|words| words.first()).and_then(Value::as_str);
        match ip.and_then(|ip| ip.parse().ok()).and_then(pid_of) {
            Some(to) => {
                self.rest(u);
                self.connect(to, u);
            }
            None => self.rest(u),
        }
    }

    fn rest(&mut self, u: &Universe) {
        self.awaited.clear();
        self.input.clear();
        self.decoder = Decoder::new(Limits::default());
        self.state = State::Rests { until: u.now + PAUSE };
    }

    /// The connection stands.
    pub fn connected(&mut self, conn: ConnId, u: &mut Universe) {
        if let State::Connecting { conn: mine, to, .. } = self.state
            && mine == conn
        {
            self.write(conn, to, u);
        }
    }

    /// It is gone, or could not be made.
    pub fn closed(&mut self, conn: ConnId, u: &mut Universe) {
        match self.state {
            State::Connecting { conn: mine, .. } | State::Asks { conn: mine, .. } | State::Talks { conn: mine, .. }
                if mine == conn =>
            {
                self.rest(u);
            }
            _ => {}
        }
    }

    /// Writes, and asks for replicas.
    fn write(&mut self, conn: ConnId, to: Pid, u: &mut Universe) {
        if self.quiet {
            self.state = State::Talks { conn, to, until: Micros::MAX };
            return;
        }
        let mut bytes = Vec::new();
        for _ in 0..self.random.below(3) {
            self.any(&mut bytes);
        }
        let key = format!("p:{}:{}", self.number, self.written);
        self.written += 1;
        encode::command(&mut bytes, &["SET", &key, "v"]);
        self.awaited.push(Awaited::Write(key.clone()));
        if self.random.chance(700) {
            let replicas = self.random.between(1, 3).to_string();
            encode::command(&mut bytes, &["WAIT", &replicas, &WAIT_MS.to_string()]);
            self.awaited.push(Awaited::Wait(key));
        }
        u.send(conn, CALLER, bytes);
        self.state = State::Talks { conn, to, until: u.now + PATIENCE };
    }

    /// A command on keys that all clients share.
    fn any(&mut self, out: &mut Vec<u8>) {
        let n = self.random.below(8);
        let key = format!("s:{n}");
        let value = self.random.below(1000).to_string();
        match self.random.below(10) {
            0 => encode::command(out, &["INCR", &format!("n:{n}")]),
            1 => encode::command(out, &["RPUSH", &format!("l:{n}"), &value]),
            2 => encode::command(out, &["LPOP", &format!("l:{n}")]),
            3 => encode::command(out, &["SADD", &format!("t:{n}"), &value, "x", "y"]),
            4 => encode::command(out, &["SPOP", &format!("t:{n}")]),
            5 => encode::command(out, &["SET", &key, &value, "PX", "700"]),
            6 => encode::command(out, &["HINCRBYFLOAT", &format!("h:{n}"), "f", "0.5"]),
            7 => encode::command(out, &["ZADD", &format!("z:{n}"), &value, "m"]),
            8 => {
                encode::command(out, &["MULTI"]);
                encode::command(out, &["SET", &key, &value]);
                encode::command(out, &["INCR", &format!("n:{n}")]);
                encode::command(out, &["EXEC"]);
                self.awaited.extend([Awaited::Any, Awaited::Any, Awaited::Any]);
            }
            _ => encode::command(out, &["DEL", &key]),
        }
        self.awaited.push(Awaited::Any);
    }

    /// Answers have come.
    pub fn received(&mut self, conn: ConnId, bytes: &[u8], u: &mut Universe) {
        if let State::Asks { conn: mine, .. } = self.state
            && mine == conn
        {
            self.input.extend_from_slice(bytes);
            match self.decoder.decode(&self.input) {
                Ok((_, Some(value))) => self.found(conn, &value, u),
                Ok((used, None)) => {
                    self.input.drain(..used);
                }
                Err(e) => panic!("a Sentinel answers with what is no reply: {e:?}"),
            }
            return;
        }
        let State::Talks { conn: mine, to, .. } = self.state else { return };
        if mine != conn {
            return;
        }
        self.input.extend_from_slice(bytes);
        let mut at = 0;
        let mut refused = false;
        while at < self.input.len() && !self.awaited.is_empty() {
            match self.decoder.decode(&self.input[at..]) {
                Ok((used, value)) => {
                    at += used;
                    let Some(value) = value else { break };
                    refused |= self.answered(value, (to, u.net.life(conn)), u.now);
                }
                Err(e) => panic!("a server answers with what is no reply: {e:?}"),
            }
        }
        self.input.drain(..at.min(self.input.len()));
        if refused {
            u.close(conn, CALLER);
            self.rest(u);
        } else if self.awaited.is_empty() {
            let pause = self.random.between(1, 2 * self.think);
            self.state = State::Talks { conn, to, until: u.now + pause };
        }
    }

    /// True when it is of no use to go on here.
    fn answered(&mut self, value: Value, (by, life): (Pid, u32), at: Micros) -> bool {
        let promise = |key, replicas| Promise { key, replicas, at, by, life };
        match (self.awaited.remove(0), value) {
            (Awaited::Write(_), Value::Error(_)) => true,
            (Awaited::Write(key), _) => {
                self.promises.push(promise(key, 0));
                false
            }
            (Awaited::Wait(_), Value::Error(_)) => true,
            (Awaited::Wait(key), Value::Integer(replicas)) => {
                if let Some(last) = self.promises.last_mut().filter(|last| last.key == key) {
                    last.replicas = replicas;
                    last.at = at;
                }
                false
            }
            _ => false,
        }
    }
}
