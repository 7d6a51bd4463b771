//! Everything that can happen to the machine, and everything that it can want: the page to read before writing a driver.

use config::Generated;
use resp::Value;
use std::net::IpAddr;

/// The time of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes backwards; all periods and timeouts are measured with it.
    pub mono_ms: u64,
    /// Milliseconds since 1970. It stands in log lines only, and a leap of it against `mono_ms` is how a machine that
    /// was suspended finds out.
    pub unix_ms: i64,
}

/// One connection that the machine asked for. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// One run of a script. Never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScriptId(pub u64);

/// What a connection is for. Both kinds are opened and written alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnKind {
    Commands,
    PubSub,
}

/// Why a connection ended, as exactly as the operating system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// Nobody listens at that port (ECONNREFUSED).
    Refused,
    /// ECONNRESET, EPIPE.
    Reset,
    /// The other side closed in order (end of stream).
    Closed,
    /// The kernel gave up waiting (ETIMEDOUT), before or after the connection stood.
    Timeout,
    /// No route, TLS, undecodable bytes, anything else.
    Other,
}

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptEnd {
    Exit(i32),
    Signal(i32),
}

/// Something happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The process listens and the machine may begin. Once, before any other event.
    Started,
    /// A connection stands. `local` is our own end of it: the address at which the peer sees us.
    Connected {
        conn: ConnId,
        local: Option<IpAddr>,
    },
    /// A connection ended or could not be made.
    Broken {
        conn: ConnId,
        why: Broken,
    },
    /// A whole reply or pushed message.
    Reply {
        conn: ConnId,
        value: Value,
    },
    /// The answer to [`Action::Resolve`]; `None` when the name is not known now.
    Resolved {
        name: Vec<u8>,
        ip: Option<IpAddr>,
    },
    /// A script runs; `None` when it could not be started.
    ScriptStarted {
        id: ScriptId,
        pid: Option<u32>,
    },
    ScriptEnded {
        id: ScriptId,
        end: ScriptEnd,
    },
    /// The outcome of [`Action::Save`]; the text of an error is the operating system's.
    Saved {
        generation: u64,
        result: Result<(), String>,
    },
    /// [`crate::Sentinel::deadline`] has passed.
    Timer,
}

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Action {
    /// Open a connection without blocking. Whether it is TLS is decided by `tls-replication` of the general
    /// configuration, the local address by `bind-source-addr`.
    Connect { conn: ConnId, ip: IpAddr, port: u16, kind: ConnKind },
    /// Close at once, unsent bytes included. Nothing is reported about `conn` any more.
    Close { conn: ConnId },
    /// Send one command.
    Send { conn: ConnId, args: Vec<Vec<u8>> },
    /// Look a host name up, without blocking.
    Resolve { name: Vec<u8> },
    /// Run `argv[0]` with its arguments, in the environment of the process, in the background.
    RunScript { id: ScriptId, argv: Vec<Vec<u8>> },
    /// Kill a running script (SIGKILL).
    KillScript { id: ScriptId },
    /// Write sentinel.conf: the old text with the general directives of now and `lines` in place of its `sentinel`
    /// lines, which is [`config::rewrite()`] in [`config::Mode::Sentinel`]. Written aside, fsynced and renamed, with the
    /// former file kept.
    Save { generation: u64, lines: Vec<Generated> },
    /// Publish to our own subscribers.
    Publish { channel: Vec<u8>, text: Vec<u8> },
    /// A line for the log, if `level` is at least the configured one.
    Log { level: Level, text: Vec<u8> },
    /// `SENTINEL CONFIG SET loglevel`.
    SetLogLevel { level: Level },
    /// End the process with this code, at once (`SENTINEL SIMULATE-FAILURE`).
    Exit { code: i32 },
}

/// How grave a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Verbose,
    Notice,
    Warning,
    /// As a setting only: log nothing.
    Nothing,
}

impl Level {
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "debug",
            Level::Verbose => "verbose",
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Nothing => "nothing",
        }
    }

    pub fn parse(text: &[u8]) -> Option<Level> {
        let all = [Level::Debug, Level::Verbose, Level::Notice, Level::Warning, Level::Nothing];
        all.into_iter().find(|level| level.name().as_bytes().eq_ignore_ascii_case(text))
    }
}

/// What the machine wants done, in order.
#[derive(Debug, Default)]
pub struct Outbox {
    actions: Vec<Action>,
}

impl Outbox {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn push(&mut self, action: Action) {
        self.actions.push(action);
    }

    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    pub fn drain(&mut self) -> std::vec::Drain<'_, Action> {
        self.actions.drain(..)
    }
}

/// What the machine must know about the process that it lives in.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// The port under which other Sentinels reach us, unless `announce-port` says another: `tls-port` when
    /// `tls-replication` is on and there is one, else `port`.
    pub port: u16,
    /// `requirepass`, which authenticates us with other Sentinels when there is no `sentinel-pass`. Empty: none.
    pub requirepass: Vec<u8>,
    pub log_level: Option<Level>,
}

/// Questions that a command needs answered while its client waits.
pub trait World {
    /// The address of a host name. May block as long as the system's resolver does.
    fn resolve(&mut self, name: &[u8]) -> Option<IpAddr>;

    /// Whether a path can be executed.
    fn is_executable(&mut self, path: &[u8]) -> bool;
}
