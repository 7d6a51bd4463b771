//! One connection and what is known about its state, from which the prompt is drawn.
//!
//! ```text
//!   connect ─► AUTH ─► SELECT ─► HELLO 3 ─► commands …          127.0.0.1:6379[1](TX)>
//!      ▲                                       │                └────address───┘└db┘└MULTI
//!      └────── reconnect: same user, same db ◄─┘ lost
//! ```
//!
//! The server does not tell which database is selected or whether a transaction is open, so both are
//! inferred from the commands that were answered well (`command.rs`). What was selected is kept and
//! selected again after a reconnect.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use client::{Address, Client, Error, Value};

use crate::debugger::{self, Debugger};
use crate::docs::CommandTable;
use crate::failure::Failure;
use crate::format::{self, Delimiters, Style};
use crate::options::{Options, Protocol};
use crate::screen;
use crate::screen::complain;
use crate::signals::{Interrupts, Ready};
use crate::vocabulary::Vocabulary;

/// After how long a silence the connection is probed. Commands may take long; dead peers are found.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// What happens to RESP3 pushes that arrive while a reply is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushes {
    Print,
    Drop,
    /// They are what is awaited: confirmations of subscriptions.
    Replies,
}

/// Channels and patterns that the connection is subscribed to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subscriptions {
    /// Channels and patterns together, as the server counts them.
    pub unsharded: i64,
    pub sharded: i64,
    pub active: bool,
}

/// A session, connected or not.
pub struct Session {
    pub options: Options,
    pub vocabulary: Vocabulary,
    pub address: Address,
    pub link: Option<Client>,
    /// The database that the connection has selected.
    pub db: i64,
    /// The database to select after a reconnect.
    pub wanted_db: i64,
    pub in_multi: bool,
    pub db_before_multi: i64,
    pub resp3: bool,
    pub subscriptions: Subscriptions,
    pub monitor: bool,
    /// A SHUTDOWN was sent: that the connection ends is its answer.
    pub shutting_down: bool,
    /// The last reply was a redirection: the same command goes to another node.
    pub redirected: bool,
    /// The redirection was an ASK.
    pub asking: bool,
    pub pushes: Pushes,
    pub interactive: bool,
    pub debugger: Debugger,
    pub interrupts: Option<Interrupts>,
    pub server_version: Option<String>,
    /// Whether the line editor shows hints.
    pub hints: Arc<AtomicBool>,
    /// What the server knows of its commands, once it was asked.
    pub commands: Option<Arc<CommandTable>>,
}

impl Session {
    pub fn new(options: Options, vocabulary: Vocabulary) -> Self {
        let pushes = if options.show_pushes { Pushes::Print } else { Pushes::Drop };
        Session {
            wanted_db: options.server.db,
            address: options.server.address(),
            options,
            vocabulary,
            link: None,
            db: 0,
            in_multi: false,
            db_before_multi: 0,
            resp3: false,
            subscriptions: Subscriptions::default(),
            monitor: false,
            shutting_down: false,
            redirected: false,
            asking: false,
            pushes,
            interactive: false,
            debugger: Debugger::default(),
            interrupts: None,
            server_version: None,
            hints: Arc::new(AtomicBool::new(true)),
            commands: None,
        }
    }

    /// What stands before the line that is being typed.
    pub fn prompt(&self) -> String {
        if self.link.is_none() {
            return "not connected> ".to_owned();
        }
        if self.debugger.active {
            return debugger::PROMPT.to_owned();
        }
        let mut prompt = match &self.address {
            Address::Unix(path) => format!("{} {}", self.vocabulary.socket_prompt, path.display()),
            tcp => tcp.to_string(),
        };
        if self.db != 0 {
            prompt.push_str(&format!("[{}]", self.db));
        }
        if self.in_multi {
            prompt.push_str("(TX)");
        }
        if self.subscriptions.active {
            prompt.push_str("(subscribed mode)");
        }
        prompt.push_str("> ");
        prompt
    }

    /// Connects anew, whether or not there is a connection. When the server cannot be reached and
    /// `announce` is set, standard error says so. A connection whose AUTH or SELECT was refused stays
    /// usable, though the result is a failure.
    pub fn connect(&mut self, announce: bool) -> Result<(), Failure> {
        self.link = None;
        self.reset_state();
        let options = client::Options {
            connect_timeout: self.options.connect_timeout,
            keepalive: Some(KEEPALIVE),
            family: self.options.family,
            multipath: self.options.server.multipath,
            ..client::Options::default()
        };
        match Client::connect(&self.address, &options) {
            Ok(link) => self.link = Some(link),
            Err(error) => {
                if announce {
                    let address = match &self.address {
                        Address::Tcp { host, port } => format!("{host}:{port}"),
                        unix => unix.to_string(),
                    };
                    complain!("Could not connect to {} at {address}: {error}", self.vocabulary.server);
                }
                return Err(Failure::Unconnected);
            }
        }
        self.authenticate()?;
        self.select()?;
        self.switch_protocol()
    }

    fn reset_state(&mut self) {
        self.db = 0;
        self.in_multi = false;
        self.forget_debugger();
        self.resp3 = false;
        self.subscriptions = Subscriptions::default();
        self.restore_pushes();
    }

    /// Outside of subscriptions pushes are shown or not, as the options say.
    pub fn restore_pushes(&mut self) {
        self.pushes = if self.options.show_pushes { Pushes::Print } else { Pushes::Drop };
    }

    fn authenticate(&mut self) -> Result<(), Failure> {
        let Some(words) = self.options.server.authentication() else { return Ok(()) };
        self.prepare(&words, "AUTH").map(|_| ())
    }

    /// Selects the wanted database, unless it is the selected one.
    pub fn select(&mut self) -> Result<(), Failure> {
        if self.wanted_db == self.db {
            return Ok(());
        }
        let db = self.wanted_db.to_string();
        self.prepare(&["SELECT", &db], &format!("SELECT {db}"))?;
        self.db = self.wanted_db;
        Ok(())
    }

    fn switch_protocol(&mut self) -> Result<(), Failure> {
        let wish = self.options.protocol;
        if !matches!(wish, Protocol::Three | Protocol::PreferThree) {
            return Ok(());
        }
        match self.prepare(&["HELLO", "3"], "HELLO 3") {
            Ok(reply) => {
                self.resp3 = true;
                self.server_version = member(&reply, "version").and_then(Value::as_str).map(str::to_owned);
                Ok(())
            }
            Err(failure) if wish == Protocol::Three || self.link.is_none() => Err(failure),
            Err(_) => Ok(()),
        }
    }

    /// Sends a command of our own. When it fails, standard error says that `what` did.
    pub fn prepare<S: AsRef<[u8]>>(&mut self, words: &[S], what: &str) -> Result<Value, Failure> {
        let reply = self.call(words)?;
        if let Some(text) = reply.as_error() {
            complain!("{what} failed: {}", String::from_utf8_lossy(text));
            return Err(Failure::Unconnected);
        }
        Ok(reply)
    }

    /// Sends a command of our own and returns its reply, of whatever kind.
    pub fn call<S: AsRef<[u8]>>(&mut self, words: &[S]) -> Result<Value, Failure> {
        let Some(link) = &mut self.link else { return Err(Failure::Unconnected) };
        link.call(words).map_err(|error| {
            complain!("Error: {error}");
            self.link = None;
            Failure::Unconnected
        })
    }

    /// Waits for the next value, or for Ctrl-C where the session listens to it (then `None`).
    pub fn next_value(&mut self) -> Result<Option<Value>, Error> {
        loop {
            let Some(link) = &mut self.link else { return Err(Error::Closed) };
            if let Some(value) = link.buffered_value()? {
                return Ok(Some(value));
            }
            link.flush()?;
            if let Some(interrupts) = &self.interrupts
                && interrupts.wait(link, None).map_err(Error::Io)? == Ready::Interrupt
            {
                return Ok(None);
            }
            link.fill()?;
        }
    }

    /// A push that nobody waits for is printed or not.
    pub fn handle_push(&self, push: &Value) -> Result<(), Failure> {
        if self.pushes == Pushes::Drop {
            return Ok(());
        }
        let line = if self.options.style == Style::Terminal { format::invalidation(push) } else { None };
        screen::print(&line.unwrap_or_else(|| self.formatted(push)))
    }

    pub fn formatted(&self, value: &Value) -> Vec<u8> {
        format::reply(value, self.options.style, self.delimiters())
    }

    pub fn delimiters(&self) -> Delimiters<'_> {
        Delimiters { element: &self.options.element_delimiter, reply: &self.options.reply_delimiter }
    }

    /// Points the session at another server; it is not connected yet.
    pub fn aim_at(&mut self, host: Option<String>, port: u16) {
        if let Address::Tcp { host: old, .. } = &self.address {
            self.address = Address::tcp(host.unwrap_or_else(|| old.clone()), port);
        } else {
            self.address = Address::tcp(host.unwrap_or_else(|| self.options.server.host.clone()), port);
        }
    }
}

/// The value of a key in a map, or in the flat array that stands for one in RESP2.
pub fn member<'a>(map: &'a Value, key: &str) -> Option<&'a Value> {
    match map {
        Value::Map(pairs) => pairs.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(_, value)| value),
        Value::Array(items) => items.chunks_exact(2).find(|pair| pair[0].as_str() == Some(key)).map(|pair| &pair[1]),
        Value::Attributed(_, value) => member(value, key),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::REDIS;

    #[test]
    fn the_prompt_tells_the_state() {
        let mut session = Session::new(Options::new(true), REDIS);
        assert_eq!(session.prompt(), "not connected> ");
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        session.aim_at(None, listener.local_addr().unwrap().port());
        assert!(session.connect(false).is_ok());
        let place = session.address.to_string();
        assert_eq!(session.prompt(), format!("{place}> "));
        session.db = 1;
        session.in_multi = true;
        assert_eq!(session.prompt(), format!("{place}[1](TX)> "));
        session.in_multi = false;
        session.subscriptions.active = true;
        assert_eq!(session.prompt(), format!("{place}[1](subscribed mode)> "));
        session.address = Address::unix("/run/s");
        session.db = 0;
        assert_eq!(session.prompt(), "redis /run/s(subscribed mode)> ");
    }

    #[test]
    fn members_are_found_in_both_protocols() {
        let text = |s: &str| Value::Bulk(s.as_bytes().to_vec());
        let map = Value::Map(vec![(text("a"), Value::Integer(1)), (text("b"), Value::Integer(2))]);
        let flat = Value::Array(vec![text("a"), Value::Integer(1), text("b"), Value::Integer(2)]);
        assert_eq!(member(&map, "b"), member(&flat, "b"));
        assert_eq!(member(&map, "b"), Some(&Value::Integer(2)));
        assert_eq!(member(&flat, "1"), None);
    }
}
