//! A server that is a Sentinel: the machine of crate `sentinel`, between the clients who ask it and the thread that works
//! for it.
//!
//! ```text
//!   I/O thread: SENTINEL, PUBLISH, ROLE, INFO ──┐                      ┌── saves, publishes, logs: at once
//!                                               ├─► machine ─► outbox ─┤
//!   its own thread: replies, ends, the clock ───┘   (one lock)         └── connections, names, scripts: in a queue, for
//!                                                                          the thread that owns the sockets
//! ```
//!
//! Invariants
//! 1. What the machine wants is done in the order in which it wanted it, whoever gave it the event: an outbox is worked off
//!    before the lock is let go. Only what needs sockets waits in the queue, in that order too.
//! 2. A save is durable before anything behind it is begun and before the command that caused it is answered. So a vote
//!    is never heard of that a crash could make us forget.
//! 3. Nothing waits for a name server or a script with the lock held.

use std::collections::VecDeque;
use std::net::IpAddr;

use config::Config;
use config::directives::general::LogLevel as Threshold;
use config::{Generated, Mode};
use parking_lot::Mutex;
use resp::args::Args;
use resp::error::{self, Error};
use resp::reply::Reply;
use sentinel::{Action, Event, Level, Now, Outbox, Sentinel, World};

use crate::hooks;
use crate::server::{LogLevel, Server};

/// What the runtime does for a Sentinel, besides what its thread takes out of the queue.
pub trait Driver: Send + Sync {
    /// Replaces sentinel.conf, as a whole or not at all: `new` makes its text from the present one. Durable when it returns.
    fn save(&self, new: &dyn Fn(&[u8]) -> Vec<u8>) -> Result<(), String>;
    /// Lines below this are not logged any more.
    fn set_log_level(&self, level: Level);
    /// The address of a name, as long as that takes.
    fn resolve(&self, name: &[u8]) -> Option<IpAddr>;
    /// Whether a file can be executed.
    fn is_executable(&self, path: &[u8]) -> bool;
    /// Ends the process at once.
    fn exit(&self, code: i32) -> !;
    /// Makes the thread look into the queue and at the deadline.
    fn wake(&self);
}

/// The machine, and what belongs to it.
pub struct Watch {
    seat: Mutex<Seat>,
    driver: Box<dyn Driver>,
}

struct Seat {
    machine: Sentinel,
    outbox: Outbox,
    /// What only the thread with the sockets can do.
    queue: VecDeque<Action>,
    config: Config,
    /// Of the save before the last look, if it failed.
    unsaved: bool,
}

/// The machine's questions to the world, with the answers that were looked up before the lock was taken.
struct Answers<'a> {
    driver: &'a dyn Driver,
    known: Option<(&'a [u8], Option<IpAddr>)>,
}

impl World for Answers<'_> {
    fn resolve(&mut self, name: &[u8]) -> Option<IpAddr> {
        match self.known {
            Some((known, ip)) if known == name => ip,
            _ => self.driver.resolve(name),
        }
    }

    fn is_executable(&mut self, path: &[u8]) -> bool {
        self.driver.is_executable(path)
    }
}

impl Watch {
    /// A Sentinel with this configuration, which is written with the machine's own lines at every save.
    pub fn new(machine: Sentinel, config: Config, driver: Box<dyn Driver>) -> Self {
        let seat = Seat { machine, outbox: Outbox::new(), queue: VecDeque::new(), config, unsaved: false };
        Watch { seat: Mutex::new(seat), driver }
    }

    /// Gives the machine an event, and does what it wants.
    pub fn handle(&self, server: &Server, event: Event) {
        let mut seat = self.seat.lock();
        let seat = &mut *seat;
        seat.machine.handle(now(server), event, &mut seat.outbox);
        self.work_off(server, seat);
    }

    /// What is to be done with sockets, names and scripts, in order.
    pub fn take_queue(&self) -> VecDeque<Action> {
        std::mem::take(&mut self.seat.lock().queue)
    }

    /// In how many milliseconds [`Event::Timer`] is due.
    pub fn due_in_ms(&self, server: &Server) -> u64 {
        self.seat.lock().machine.deadline().saturating_sub(now(server).mono_ms)
    }

    /// SENTINEL.
    pub fn command(&self, server: &Server, args: Args<'_>, reply: &mut Reply) -> Result<(), Error> {
        // The only host of another that a command may name is looked up before the machine is locked.
        let named = args.get(1).filter(|verb| verb.eq_ignore_ascii_case(b"monitor")).and_then(|_| args.get(3));
        let known = named.map(|name| (name, self.driver.resolve(name)));
        let mut answers = Answers { driver: &*self.driver, known };
        self.answer(server, reply, |seat, now, reply| {
            seat.machine.command(now, args, reply, &mut answers, &mut seat.outbox);
        })
    }

    /// PUBLISH, by which other Sentinels make themselves known.
    pub fn publish(&self, server: &Server, channel: &[u8], payload: &[u8], reply: &mut Reply) -> Result<(), Error> {
        self.answer(server, reply, |seat, now, reply| {
            seat.machine.publish(now, channel, payload, reply, &mut seat.outbox);
        })
    }

    /// ROLE.
    pub fn role(&self, reply: &mut Reply) {
        self.seat.lock().machine.role(reply);
    }

    /// The section of INFO.
    pub fn info(&self, server: &Server) -> Vec<u8> {
        self.seat.lock().machine.info(now(server))
    }

    /// The machine's answer to a command, or the error that it is.
    fn answer(
        &self,
        server: &Server,
        reply: &mut Reply,
        ask: impl FnOnce(&mut Seat, Now, &mut Reply),
    ) -> Result<(), Error> {
        let mark = reply.mark();
        let mut seat = self.seat.lock();
        seat.unsaved = false;
        ask(&mut seat, now(server), reply);
        self.work_off(server, &mut seat);
        let unsaved = seat.unsaved;
        drop(seat);
        self.driver.wake();
        if unsaved {
            return Err(error::sentinel::SAVE_FAILED);
        }
        match reply.since(mark).strip_prefix(b"-") {
            Some(text) => Err(Error::foreign(text.strip_suffix(b"\r\n").unwrap_or(text))),
            None => Ok(()),
        }
    }

    /// Does what is in the outbox, and what that leads to.
    fn work_off(&self, server: &Server, seat: &mut Seat) {
        let mut actions: VecDeque<Action> = seat.outbox.drain().collect();
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Save { generation, lines } => {
                    let result = self.save(server, &seat.config, lines);
                    seat.unsaved |= result.is_err();
                    seat.machine.handle(now(server), Event::Saved { generation, result }, &mut seat.outbox);
                    actions.extend(seat.outbox.drain());
                }
                Action::Publish { channel, text } => {
                    hooks::publish(server, &channel, &text, 0);
                }
                Action::Log { level, text } => {
                    if let Some(level) = log_level(level) {
                        server.host.log(level, &String::from_utf8_lossy(&text));
                    }
                }
                Action::SetLogLevel { level } => {
                    seat.config.general.loglevel = threshold(level);
                    self.driver.set_log_level(level);
                }
                Action::Exit { code } => self.driver.exit(code),
                action => seat.queue.push_back(action),
            }
        }
    }

    fn save(&self, server: &Server, config: &Config, lines: Vec<Generated>) -> Result<(), String> {
        let users = Generated { option: b"user".to_vec(), lines: acl::lines(&server.control.load().users) };
        let generated: Vec<Generated> = std::iter::once(users).chain(lines).collect();
        self.driver.save(&|old| config::rewrite(old, config, &generated, Mode::Sentinel, false))
    }
}

/// The time as the machine wants it.
pub fn now(server: &Server) -> Now {
    let clock = server.engine.clock();
    Now { mono_ms: clock.nanos() / 1_000_000, unix_ms: clock.unix_millis() }
}

/// The threshold of a configuration as the machine names it.
pub fn level_of(config: &Config) -> Level {
    match config.general.loglevel {
        Threshold::Debug => Level::Debug,
        Threshold::Verbose => Level::Verbose,
        Threshold::Notice => Level::Notice,
        Threshold::Warning => Level::Warning,
        Threshold::Nothing => Level::Nothing,
    }
}

fn threshold(level: Level) -> Threshold {
    match level {
        Level::Debug => Threshold::Debug,
        Level::Verbose => Threshold::Verbose,
        Level::Notice => Threshold::Notice,
        Level::Warning => Threshold::Warning,
        Level::Nothing => Threshold::Nothing,
    }
}

fn log_level(level: Level) -> Option<LogLevel> {
    Some(match level {
        Level::Debug => LogLevel::Debug,
        Level::Verbose => LogLevel::Verbose,
        Level::Notice => LogLevel::Notice,
        Level::Warning => LogLevel::Warning,
        Level::Nothing => return None,
    })
}

/// What the machine must know of the process.
pub fn own(config: &Config) -> sentinel::Own {
    sentinel::Own {
        port: config.network.port,
        requirepass: config.security.requirepass.clone().unwrap_or_default(),
        log_level: Some(level_of(config)),
    }
}
