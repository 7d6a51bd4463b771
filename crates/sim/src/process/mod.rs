//! Processes: what runs on a machine of the universe, and whether it does.
//!
//! ```text
//!   up ── crash ─► down ── start ─► up (another life)          its connections are closed by the kernel
//!   up ── power ─► dark ── start ─► up (another life)          nobody is told
//!   up ── pause ─► paused ── resume ─► up (the same life)      the kernel accepts and keeps what comes
//! ```

use std::sync::Arc;

use acl::Users;
use command::registry::{Mode, Registry};
use config::Config;
use node::control::Control;
use parking_lot::Mutex;

mod bus;
pub mod client;
pub mod host;
mod migrator;
pub mod operator;
pub mod roamer;
pub mod script;
pub mod sentinel;
pub mod server;
mod wire;

use crate::disk::SimDisk;
use crate::net::{CALLED, ConnId};
use crate::random::Random;
use crate::world::{Clock, Event, Micros, Pid, Universe};
use client::ClientProgram;
use host::Desk;
use script::ScriptProgram;
use sentinel::SentinelProgram;
use server::ServerProgram;

/// What all servers are told.
pub const COMMON: &str =
    "protected-mode no\nenable-debug-command yes\nport 6379\ndatabases 2\nsave \"\"\nrepl-diskless-sync-delay 0\n";

/// What servers are made from: it costs more than a server.
pub struct Template {
    /// A primary under the simulation's configuration.
    pub control: Control,
    /// The names of commands.
    pub registry: Registry,
}

/// The configuration file of a machine, which outlives its processes.
pub type Paper = Arc<Mutex<Vec<u8>>>;

/// The control value of a server with this configuration.
pub fn control_of(config: &[u8]) -> Control {
    let loaded = config::load(config, config::Mode::Server, &mut NoFiles).expect("a good configuration");
    let config: Arc<Config> = Arc::new(loaded.config);
    let users = Users::with_password(config.security.requirepass.as_deref().unwrap_or_default());
    Control::new(config, Arc::new(users))
}

impl Template {
    /// From further lines of a configuration file.
    pub fn new(config: &str) -> Self {
        let config = format!("{COMMON}{config}");
        Template { control: control_of(config.as_bytes()), registry: Registry::new(Mode::Server) }
    }
}

/// No file is to be read by a configuration.
pub struct NoFiles;

impl config::Surroundings for NoFiles {
    fn include(&mut self, _: &[u8]) -> Result<Vec<u8>, config::Reason> {
        Err(config::Reason::fixed("there are no files here"))
    }

    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, config::Reason> {
        Ok(path.to_vec())
    }
}

/// What a process executes.
pub enum Program<'s> {
    /// A server.
    Server(Box<ServerProgram<'s>>),
    /// A Sentinel.
    Sentinel(Box<SentinelProgram>),
    /// Somebody who uses servers.
    Client(Box<ClientProgram>),
    /// Somebody who does one thing after the other.
    Script(Box<ScriptProgram>),
}

/// What has come for a process that is paused.
enum Held {
    Accepted(ConnId, Pid),
    Connected(ConnId),
    Received(ConnId, Vec<u8>),
    Closed(ConnId, bool),
}

/// A place where a program runs, or does not.
pub struct Process<'s> {
    /// Its place.
    pub pid: Pid,
    /// Which life of it this is.
    pub life: u32,
    /// Its clock.
    pub clock: Arc<Clock>,
    /// What runs; nothing while it is down.
    pub program: Option<Program<'s>>,
    /// How many faults have paused it.
    paused: u32,
    held: Vec<Held>,
    timer: Micros,
    random: Random,
    /// The disk of this machine, as far as servers use it.
    pub disk: SimDisk,
    /// The configuration file on this machine's disk, once it has been written.
    pub paper: Paper,
}

impl<'s> Process<'s> {
    /// A place where nothing runs yet.
    pub fn new(pid: Pid, u: &mut Universe) -> Self {
        u.net.add();
        Process {
            pid,
            life: 0,
            clock: u.new_clock(),
            program: None,
            paused: 0,
            held: Vec::new(),
            timer: Micros::MAX,
            random: u.random.fork(),
            disk: SimDisk::default(),
            paper: Paper::default(),
        }
    }

    /// A desk for a server's next life.
    pub fn new_desk(&mut self, loud: bool) -> Arc<Desk> {
        Desk::new(self.random.fork(), loud)
    }

    /// A program begins to run here.
    pub fn start(&mut self, program: Program<'s>, u: &mut Universe) {
        self.life += 1;
        self.program = Some(program);
        self.timer = Micros::MAX;
        self.arm(u);
    }

    /// It ends, with (`kill`) or without a word to its peers.
    pub fn stop(&mut self, kill: bool, u: &mut Universe) {
        let Some(program) = self.program.take() else { return };
        if let Program::Server(server) = program {
            server.end();
        }
        self.held.clear();
        if kill {
            u.net.ended(u.now, &mut u.agenda, self.pid);
        } else {
            u.net.power(self.pid, false);
            self.disk.lose(&mut self.random);
        }
    }

    /// Whether it runs and is not paused.
    pub fn is_up(&self) -> bool {
        self.program.is_some() && self.paused == 0
    }

    /// It stands still.
    pub fn pause(&mut self) {
        self.paused += 1;
    }

    /// It goes on, if nothing else keeps it.
    pub fn resume(&mut self, u: &mut Universe) {
        self.paused = self.paused.saturating_sub(1);
        if self.paused > 0 {
            return;
        }
        for held in std::mem::take(&mut self.held) {
            match held {
                Held::Accepted(conn, from) => self.accepted(conn, from, u),
                Held::Connected(conn) => self.connected(conn, u),
                Held::Received(conn, bytes) => self.received(conn, bytes, u),
                Held::Closed(conn, reset) => self.closed(conn, reset, u),
            }
        }
        self.timer = Micros::MAX;
        self.arm(u);
    }

    /// Makes sure that the process looks at its clock in time.
    fn arm(&mut self, u: &mut Universe) {
        let due = match &self.program {
            None => return,
            Some(Program::Server(server)) => server.deadline(),
            Some(Program::Sentinel(sentinel)) => sentinel.deadline(),
            Some(Program::Client(client)) => client.deadline(),
            Some(Program::Script(script)) => script.deadline(),
        };
        let due = due.max(u.now + 1);
        if due < self.timer {
            self.timer = due;
            u.agenda.enter(due, Event::Timer { pid: self.pid, life: self.life });
        }
    }

    /// A timer is due. Timers that were overtaken by earlier ones do no harm.
    pub fn timeout(&mut self, life: u32, u: &mut Universe) {
        if life != self.life || self.timer > u.now {
            return;
        }
        self.timer = Micros::MAX;
        if self.paused > 0 {
            return;
        }
        match &mut self.program {
            Some(Program::Server(server)) => server.live(|server| server.timeout(u)),
            Some(Program::Sentinel(sentinel)) => sentinel.timeout(u),
            Some(Program::Client(client)) => client.timeout(u),
            Some(Program::Script(script)) => script.timeout(u),
            None => {}
        }
        self.arm(u);
    }

    /// Somebody has connected.
    pub fn accepted(&mut self, conn: ConnId, from: Pid, u: &mut Universe) {
        if self.paused > 0 {
            return self.held.push(Held::Accepted(conn, from));
        }
        match &mut self.program {
            Some(Program::Server(server)) => server.live(|server| server.accepted(conn, from, u)),
            Some(Program::Sentinel(sentinel)) => sentinel.accepted(conn),
            Some(Program::Client(_) | Program::Script(_)) | None => u.close(conn, CALLED),
        }
        self.arm(u);
    }

    /// A connection that it wanted stands.
    pub fn connected(&mut self, conn: ConnId, u: &mut Universe) {
        if self.paused > 0 {
            return self.held.push(Held::Connected(conn));
        }
        match &mut self.program {
            Some(Program::Server(server)) => server.live(|server| server.connected(conn, u)),
            Some(Program::Sentinel(sentinel)) => sentinel.connected(conn, u),
            Some(Program::Client(client)) => client.connected(conn, u),
            Some(Program::Script(script)) => script.connected(conn, u),
            None => {}
        }
        self.arm(u);
    }

    /// Bytes have come.
    pub fn received(&mut self, conn: ConnId, bytes: Vec<u8>, u: &mut Universe) {
        if self.paused > 0 {
            return self.held.push(Held::Received(conn, bytes));
        }
        match &mut self.program {
            Some(Program::Server(server)) => server.live(|server| server.received(conn, &bytes, u)),
            Some(Program::Sentinel(sentinel)) => sentinel.received(conn, &bytes, u),
            Some(Program::Client(client)) => client.received(conn, &bytes, u),
            Some(Program::Script(script)) => script.received(conn, &bytes, u),
            None => {}
        }
        self.arm(u);
    }

    /// A connection is gone, or could not be made.
    pub fn closed(&mut self, conn: ConnId, reset: bool, u: &mut Universe) {
        if self.paused > 0 {
            return self.held.push(Held::Closed(conn, reset));
        }
        match &mut self.program {
            Some(Program::Server(server)) => server.live(|server| server.closed(conn, u)),
            Some(Program::Sentinel(sentinel)) => sentinel.closed(conn, reset, u),
            Some(Program::Client(client)) => client.closed(conn, u),
            Some(Program::Script(script)) => script.closed(conn, u),
            None => {}
        }
        self.arm(u);
    }

    /// The server that runs here.
    pub fn server(&self) -> Option<&ServerProgram<'s>> {
        match &self.program {
            Some(Program::Server(server)) => Some(server),
            _ => None,
        }
    }

    /// The server that runs here.
    pub fn server_mut(&mut self) -> Option<&mut ServerProgram<'s>> {
        match &mut self.program {
            Some(Program::Server(server)) => Some(server),
            _ => None,
        }
    }

    /// The Sentinel that runs here.
    pub fn sentinel_mut(&mut self) -> Option<&mut SentinelProgram> {
        match &mut self.program {
            Some(Program::Sentinel(sentinel)) => Some(sentinel),
            _ => None,
        }
    }

    /// The client that runs here.
    pub fn client_mut(&mut self) -> Option<&mut ClientProgram> {
        match &mut self.program {
            Some(Program::Client(client)) => Some(client),
            _ => None,
        }
    }

    /// Its clock was set: what it waits for is due at another moment.
    pub fn rearm(&mut self, u: &mut Universe) {
        self.timer = Micros::MAX;
        self.arm(u);
    }

    /// Looks again at when it has to look at its clock, after something was done to it from outside.
    pub fn nudge(&mut self, u: &mut Universe) {
        self.arm(u);
    }
}
