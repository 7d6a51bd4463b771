//! The thread of a Sentinel: connections to the servers and Sentinels that it watches, names, scripts, the clock.
//!
//! ```text
//!   sockets ──┐                                        ┌─► connect, send, close
//!   resolver ─┼─► events ─► Watch (the machine) ─► queue ─► resolve, on a thread of its own
//!   scripts ──┤                                        └─► start and kill scripts
//!   clock ────┘
//! ```
//!
//! It has a loop of its own, so neither a client of this Sentinel nor a name server makes a living server look dead.
//!
//! Invariants
//! 1. Events of one connection reach the machine in their order, and none does after the machine has closed it.
//! 2. What the machine wants is done before it is given the next event.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, ErrorKind, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use config::Config;
use node::sentinel::{Driver, Watch};
use node::server::Server;
use parking_lot::Mutex;
use resp::encode;
use resp::value::Decoder;
use runtime::script::{self, End, Running};
use runtime::{ConnInfo, Connections, Handler, Reactor, Reenter, Verdict, Waker, clock, errno, files, log, resolve};
use sentinel::{Action, Broken, ConnId, Event, Level, Now, REPLY_LIMITS, ScriptEnd, ScriptId, World};

use super::settings;
use super::state_file;

/// The process, as the machine sees it.
pub struct Process {
    /// sentinel.conf.
    pub file: PathBuf,
    /// The log as it was configured.
    pub log: log::Settings,
    /// The Sentinel's own thread.
    pub waker: Arc<Waker>,
}

impl Driver for Process {
    fn save(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), String> {
        state_file::save(&self.file, new).map_err(|e| errno::text(&e))
    }

    fn set_log_level(&self, level: Level) {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Verbose => log::Level::Verbose,
            Level::Notice => log::Level::Notice,
            Level::Warning => log::Level::Warning,
            Level::Nothing => log::Level::Nothing,
        };
        log::set(log::Settings { level, ..self.log.clone() });
    }

    fn resolve(&self, name: &[u8]) -> Option<IpAddr> {
        resolve::now(name)
    }

    fn is_executable(&self, path: &[u8]) -> bool {
        files::is_executable(Path::new(OsStr::from_bytes(path)))
    }

    fn exit(&self, code: i32) -> ! {
        std::process::exit(code)
    }

    fn wake(&self) {
        self.waker.notify();
    }
}

/// What the machine asks for while it is made.
pub struct AtStart;

impl World for AtStart {
    fn resolve(&mut self, name: &[u8]) -> Option<IpAddr> {
        resolve::now(name)
    }

    fn is_executable(&mut self, path: &[u8]) -> bool {
        files::is_executable(Path::new(OsStr::from_bytes(path)))
    }
}

/// The time, before there is a server.
pub fn now() -> Now {
    Now { mono_ms: clock::monotonic_us() / 1000, unix_ms: clock::unix_ms() }
}

/// A machine as the lines of its file say.
pub fn machine(loaded: &config::Loaded) -> Result<sentinel::Sentinel, config::LineError> {
    let own = node::sentinel::own(&loaded.config);
    sentinel::Sentinel::new(&loaded.sentinel, own, runtime::entropy::seed(), now(), &mut AtStart)
}

/// The process as the machine's driver.
pub fn process(file: PathBuf, config: &Config, reactor: &Reactor) -> Box<Process> {
    Box::new(Process { file, log: settings::log_settings(config), waker: reactor.inbox().waker().clone() })
}

/// One connection that the machine asked for.
struct Link {
    id: ConnId,
    decoder: Decoder,
    input: Vec<u8>,
    output: Vec<u8>,
    /// Why it will have ended, if it was not the other side that closed it.
    why: Option<Broken>,
    /// The machine is done with it.
    closed: bool,
}

/// Events from other threads.
#[derive(Clone)]
struct Mail {
    events: Arc<Mutex<Vec<Event>>>,
    waker: Arc<Waker>,
}

impl Mail {
    fn post(&self, event: Event) {
        self.events.lock().push(event);
        self.waker.notify();
    }
}

struct SentinelThread<'s> {
    server: &'s Server,
    watch: &'s Watch,
    source: Option<IpAddr>,
    links: HashMap<usize, Link>,
    tokens: HashMap<ConnId, usize>,
    scripts: HashMap<ScriptId, Running>,
    touched: Vec<usize>,
    mail: Mail,
}

/// Runs until the server is over.
pub fn run(server: &Server, watch: &Watch, reactor: &mut Reactor, config: &Config) -> io::Result<()> {
    let mail = Mail { events: Arc::default(), waker: reactor.inbox().waker().clone() };
    let source = config.network.bind_source_addr.as_deref().and_then(resolve::now);
    let mut thread = SentinelThread {
        server,
        watch,
        source,
        links: HashMap::new(),
        tokens: HashMap::new(),
        scripts: HashMap::new(),
        touched: Vec::new(),
        mail,
    };
    thread.mail.post(Event::Started);
    reactor.run(&mut thread)
}

impl SentinelThread<'_> {
    /// Gives the machine what has happened, and does what it wants.
    fn round(&mut self, io: &mut dyn Reenter) {
        loop {
            self.work_off(io);
            let events = std::mem::take(&mut *self.mail.events.lock());
            if events.is_empty() {
                return;
            }
            for event in events {
                self.tell(event, io);
            }
        }
    }

    fn tell(&mut self, event: Event, io: &mut dyn Reenter) {
        let ended = match &event {
            Event::ScriptEnded { id, .. } => Some(*id),
            _ => None,
        };
        self.watch.handle(self.server, event);
        self.work_off(io);
        ended.map(|id| self.scripts.remove(&id));
    }

    fn work_off(&mut self, io: &mut dyn Reenter) {
        for action in self.watch.take_queue() {
            self.perform(action, io);
        }
    }

    fn perform(&mut self, action: Action, io: &mut dyn Reenter) {
        match action {
            Action::Connect { conn, ip, port, .. } => {
                match io
                    .connect(SocketAddr::new(ip, port), self.source.filter(|source| source.is_ipv4() == ip.is_ipv4()))
                {
                    Ok(token) => {
                        self.tokens.insert(conn, token);
                        self.links.insert(token, Link::new(conn));
                    }
                    Err(e) => self.mail.post(Event::Broken { conn, why: reason(e.kind()) }),
                }
            }
            Action::Close { conn } => {
                if let Some(token) = self.tokens.remove(&conn) {
                    self.links.get_mut(&token).expect("a token has its link").closed = true;
                    self.touched.push(token);
                }
            }
            Action::Send { conn, args } => {
                if let Some(token) = self.tokens.get(&conn) {
                    let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
                    encode::command(&mut self.links.get_mut(token).expect("a token has its link").output, &args);
                    self.touched.push(*token);
                }
            }
            Action::Resolve { name } => {
                let mail = self.mail.clone();
                resolve::later(name, move |name, ip| mail.post(Event::Resolved { name, ip }));
            }
            Action::RunScript { id, argv } => {
                let mail = self.mail.clone();
                let ended = move |end| mail.post(Event::ScriptEnded { id, end: end_of(end) });
                let started = script::start(&argv, ended).ok();
                self.mail.post(Event::ScriptStarted { id, pid: started.as_ref().map(Running::pid) });
                self.scripts.extend(started.map(|running| (id, running)));
            }
            Action::KillScript { id } => {
                if let Some(running) = self.scripts.get(&id) {
                    running.kill();
                }
            }
            // The rest is done where the machine is.
            Action::Save { .. }
            | Action::Publish { .. }
            | Action::Log { .. }
            | Action::SetLogLevel { .. }
            | Action::Exit { .. } => {}
        }
    }

    /// The next reply of a connection; `None` when there is none yet, or nobody wants it any more.
    fn next_reply(&mut self, token: usize) -> Option<Event> {
        let link = self.links.get_mut(&token).filter(|link| !link.closed)?;
        match link.decoder.decode(&link.input) {
            Ok((used, value)) => {
                link.input.drain(..used);
                value.map(|value| Event::Reply { conn: link.id, value })
            }
            Err(_) => {
                link.closed = true;
                let conn = link.id;
                self.tokens.remove(&conn);
                self.touched.push(token);
                Some(Event::Broken { conn, why: Broken::Other })
            }
        }
    }
}

impl Link {
    fn new(id: ConnId) -> Self {
        Link {
            id,
            decoder: Decoder::new(REPLY_LIMITS),
            input: Vec::new(),
            output: Vec::new(),
            why: None,
            closed: false,
        }
    }
}

fn reason(kind: ErrorKind) -> Broken {
    match kind {
        ErrorKind::ConnectionRefused => Broken::Refused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => Broken::Reset,
        ErrorKind::TimedOut => Broken::Timeout,
        _ => Broken::Other,
    }
}

fn end_of(end: End) -> ScriptEnd {
    match end {
        End::Exit(code) => ScriptEnd::Exit(code),
        End::Signal(signal) => ScriptEnd::Signal(signal),
    }
}

impl Connections for SentinelThread<'_> {
    fn accepted(&mut self, _token: usize, _info: ConnInfo) -> bool {
        false
    }

    fn connected(&mut self, token: usize, result: io::Result<Option<SocketAddr>>) {
        let Some(link) = self.links.get_mut(&token).filter(|link| !link.closed) else { return };
        match result {
            Ok(local) => {
                let event = Event::Connected { conn: link.id, local: local.map(|local| local.ip()) };
                self.mail.post(event);
            }
            Err(e) => link.why = Some(reason(e.kind())),
        }
    }

    fn broken(&mut self, token: usize, why: ErrorKind) {
        if let Some(link) = self.links.get_mut(&token) {
            link.why = Some(reason(why));
        }
    }

    fn input(&mut self, token: usize) -> &mut Vec<u8> {
        &mut self.links.get_mut(&token).expect("the reactor names living connections").input
    }

    fn wants_input(&self, token: usize) -> bool {
        self.links.get(&token).is_some_and(|link| !link.closed)
    }

    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        let Some(link) = self.links.get_mut(&token) else { return true };
        if !link.output.is_empty() {
            let sent = send(&[IoSlice::new(&link.output)]);
            link.output.drain(..sent);
        }
        link.output.is_empty()
    }

    fn verdict(&self, token: usize) -> Verdict {
        match self.links.get(&token) {
            Some(link) if !link.closed => Verdict::Keep,
            // An order that was given up must not reach anybody later.
            _ => Verdict::Abort,
        }
    }

    fn closed(&mut self, token: usize) {
        let Some(link) = self.links.remove(&token).filter(|link| !link.closed) else { return };
        self.tokens.remove(&link.id);
        self.mail.post(Event::Broken { conn: link.id, why: link.why.unwrap_or(Broken::Closed) });
    }

    fn touched(&mut self, into: &mut Vec<usize>) {
        into.append(&mut self.touched);
    }
}

impl Handler for SentinelThread<'_> {
    fn received(&mut self, token: usize, io: &mut dyn Reenter) {
        self.round(io);
        while let Some(event) = self.next_reply(token) {
            self.tell(event, io);
        }
    }

    fn woken(&mut self, io: &mut dyn Reenter) {
        self.round(io);
    }

    fn deadline(&self) -> Option<i64> {
        Some(clock::unix_ms() + self.watch.due_in_ms(self.server) as i64)
    }

    fn timeout(&mut self, _now: i64, io: &mut dyn Reenter) {
        self.round(io);
        self.tell(Event::Timer, io);
    }

    fn is_over(&self) -> bool {
        self.server.is_over()
    }
}
