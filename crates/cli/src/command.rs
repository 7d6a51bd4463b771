//! One command: sent, answered, printed, and what its answer says about the connection.
//!
//! Most commands have one reply. The exceptions:
//! - (UN)SUBSCRIBE and its kin: one confirmation per channel, at least one, and published messages
//!   may stand between them;
//! - MONITOR: lines without end;
//! - SHUTDOWN: no reply, the connection ends;
//! - SYNC and PSYNC: the connection becomes a replication stream;
//! - in cluster mode, a redirection: the command is sent again, elsewhere.

use std::thread;

use client::Value;

use crate::failure::{Failure, fatal};
use crate::format;
use crate::modes::sync;
use crate::screen;
use crate::screen::complain;
use crate::session::{Pushes, Session};
use arguments::number::leading_int;

/// A command by name and arguments. Names are compared without regard to case.
struct Words<'a>(&'a [Vec<u8>]);

impl Words<'_> {
    fn is(&self, names: &[&str]) -> bool {
        names.len() <= self.0.len()
            && names.iter().zip(self.0).all(|(name, word)| word.eq_ignore_ascii_case(name.as_bytes()))
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(&[name]))
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the answer is a text for people, printed as it is in every style.
    fn answers_with_text(&self) -> bool {
        let any_length: &[&[&str]] = &[
            &["info"],
            &["lolwut"],
            &["debug", "htstats"],
            &["debug", "htstats-key"],
            &["debug", "client-eviction"],
            &["memory", "malloc-stats"],
            &["memory", "doctor"],
            &["client", "list"],
            &["client", "info"],
            &["proxy", "info"],
        ];
        let exact: &[&[&str]] = &[&["cluster", "nodes"], &["cluster", "info"], &["latency", "doctor"]];
        any_length.iter().any(|names| self.is(names))
            || exact.iter().any(|names| self.len() == names.len() && self.is(names))
            || (self.len() == 3 && self.is(&["latency", "graph"]))
    }
}

impl Session {
    /// Runs a command `repeat` times (negative: for ever), connecting first when there is no
    /// connection, and following redirections in cluster mode.
    pub fn issue(&mut self, words: &[Vec<u8>], repeat: i64) -> Result<(), Failure> {
        let command = Words(words);
        if command.is_one_of(&["help", "?"]) && !self.debugger.active {
            return self.print_help(&words[1..]);
        }
        loop {
            if self.redirected || self.link.is_none() {
                let connected = self.connect(true);
                self.redirected = false;
                connected?;
            }
            if std::mem::take(&mut self.asking) {
                self.prepare(&["ASKING"], "ASKING")?;
            }
            match self.send(&command, repeat) {
                Err(Failure::Lost(error)) => {
                    complain!("Error: {error}");
                    self.link = None;
                    return Err(Failure::Unconnected);
                }
                other => other?,
            }
            if !self.redirected {
                return Ok(());
            }
        }
    }

    fn send(&mut self, command: &Words<'_>, repeat: i64) -> Result<(), Failure> {
        // Inside a transaction these commands answer QUEUED like any other.
        let as_text = command.answers_with_text() && !self.in_multi;
        self.arm_debugger(command.0);
        self.shutting_down = command.is(&["shutdown"]);
        let subscribes = command.is_one_of(&["subscribe", "psubscribe", "ssubscribe"]);
        let unsubscribes = command.is_one_of(&["unsubscribe", "punsubscribe", "sunsubscribe"]);
        let mut left = repeat;
        while left != 0 {
            left -= i64::from(left > 0);
            let Some(link) = &mut self.link else { return Ok(()) };
            link.queue(command.0);
            if command.is_one_of(&["sync", "psync"]) {
                screen::print_line("Entering replica output mode...  (press Ctrl-C to quit)")?;
                return sync::follow_typed(self);
            }
            if command.is(&["monitor"]) {
                return self.watch();
            }
            let mut confirmations = 0;
            if subscribes || unsubscribes {
                self.pushes = Pushes::Replies;
                confirmations = (command.len() - 1).max(1);
            }
            if let Some(reply) = self.await_answer(command, as_text, confirmations)? {
                self.learn(command, &reply);
            }
            if (subscribes || unsubscribes) && !self.subscriptions.active {
                self.restore_pushes();
            }
            if self.redirected {
                return Ok(());
            }
            if !self.options.interval.is_zero() {
                thread::sleep(self.options.interval);
            }
        }
        Ok(())
    }

    /// MONITOR: prints until Ctrl-C, or until the server refuses it.
    fn watch(&mut self) -> Result<(), Failure> {
        self.monitor = true;
        while self.monitor {
            if let Some(reply) = self.read_reply(false)? {
                self.monitor &= reply.as_error().is_none();
            }
        }
        Ok(())
    }

    /// Reads up to the value that answers the command: messages and pushes before it are printed.
    /// `None` when the connection ended and that is no failure.
    fn await_answer(
        &mut self,
        command: &Words<'_>,
        as_text: bool,
        mut confirmations: usize,
    ) -> Result<Option<Value>, Failure> {
        loop {
            let Some(reply) = self.read_reply(as_text)? else { return Ok(None) };
            if !self.subscriptions.active && confirmations == 0 {
                return Ok(Some(reply));
            }
            match self.message_kind(&reply) {
                Some(kind) => {
                    let kind = kind.to_vec();
                    self.note_subscription(&reply);
                    if confirmations == 0 || !command.0[0].eq_ignore_ascii_case(&kind) {
                        continue;
                    }
                    confirmations -= 1;
                    if confirmations == 0 {
                        return Ok(Some(reply));
                    }
                }
                None if matches!(reply, Value::Push(_)) => (),
                None => return Ok(Some(reply)),
            }
        }
    }

    /// Reads one reply and prints it, unless it is a redirection to follow.
    pub fn read_reply(&mut self, as_text: bool) -> Result<Option<Value>, Failure> {
        let value = loop {
            match self.next_value() {
                Ok(Some(push @ Value::Push(_))) if self.pushes != Pushes::Replies => self.handle_push(&push)?,
                Ok(Some(value)) => break value,
                Ok(None) if self.monitor || self.subscriptions.active => {
                    self.monitor = false;
                    return self.connect(true).map(|()| None);
                }
                Ok(None) => return Err(Failure::Exit(1)),
                Err(_) if self.shutting_down => {
                    self.link = None;
                    return Ok(None);
                }
                Err(error) if self.interactive && error.is_lost() => return Err(Failure::Lost(error)),
                Err(error) => return Err(fatal(format_args!("Error: {error}"))),
            }
        };
        if let Some(text) = value.as_error() {
            if self.options.cluster && self.follow_redirection(text)? {
                return Ok(Some(value));
            }
            if self.options.exit_on_error && !self.interactive {
                return Err(fatal(String::from_utf8_lossy(text)));
            }
        }
        let text = if self.debugger.active {
            self.debugged(&value)
        } else if as_text {
            format::plain(&value, self.delimiters())
        } else {
            self.formatted(&value)
        };
        screen::print(&text)?;
        Ok(Some(value))
    }

    /// `MOVED 3999 127.0.0.1:6381` or the same with ASK: aims at the node named. An empty host means
    /// the host that answered.
    fn follow_redirection(&mut self, text: &[u8]) -> Result<bool, Failure> {
        let Ok(text) = std::str::from_utf8(text) else { return Ok(false) };
        let mut words = text.split(' ');
        let asks = match words.next() {
            Some("ASK") => true,
            Some("MOVED") => false,
            _ => return Ok(false),
        };
        let (Some(slot), Some((host, port))) = (words.next(), words.next().and_then(|place| place.rsplit_once(':')))
        else {
            return Ok(false);
        };
        let Ok(port) = port.parse() else { return Ok(false) };
        self.aim_at((!host.is_empty()).then(|| host.to_owned()), port);
        if self.interactive {
            let place = match &self.address {
                client::Address::Tcp { host, port } => format!("{host}:{port}"),
                unix => unix.to_string(),
            };
            screen::print_line(&format!("-> Redirected to slot [{slot}] located at {place}"))?;
        }
        self.redirected = true;
        self.asking = asks;
        Ok(true)
    }

    /// What an answered command means for database, transaction, protocol and subscriptions.
    fn learn(&mut self, command: &Words<'_>, reply: &Value) {
        let failed = reply.as_error().is_some();
        if command.is(&["select"]) && command.len() == 2 && !failed {
            self.db = leading_int(&command.0[1]);
            self.wanted_db = self.db;
        } else if command.is(&["auth"]) && (2..=3).contains(&command.len()) {
            // Before AUTH the database could not be selected; the message of a failure was printed.
            let _ = self.select();
        } else if command.is(&["multi"]) && command.len() == 1 && !failed {
            self.in_multi = true;
            self.db_before_multi = self.db;
        } else if command.is(&["exec"]) && command.len() == 1 && self.in_multi {
            self.in_multi = false;
            if failed || reply.is_null() {
                self.return_to_db_before_multi();
            }
        } else if command.is(&["discard"]) && command.len() == 1 && !failed {
            self.in_multi = false;
            self.return_to_db_before_multi();
        } else if command.is(&["reset"]) && command.len() == 1 && !failed {
            self.in_multi = false;
            self.db = 0;
            self.wanted_db = 0;
            self.resp3 = false;
            self.subscriptions = Default::default();
            self.restore_pushes();
        } else if command.is(&["hello"]) {
            match reply {
                Value::Map(_) => self.resp3 = true,
                Value::Array(_) => self.resp3 = false,
                _ => (),
            }
        }
    }

    fn return_to_db_before_multi(&mut self) {
        self.db = self.db_before_multi;
        self.wanted_db = self.db;
    }

    /// The kind of a published message or of a confirmation (`message`, `psubscribe`, …), if the
    /// value is one.
    pub fn message_kind<'a>(&self, value: &'a Value) -> Option<&'a [u8]> {
        let items = match value {
            Value::Push(items) if self.resp3 => items,
            Value::Array(items) if !self.resp3 => items,
            _ => return None,
        };
        let [Value::Bulk(kind), _, _, ..] = items.as_slice() else { return None };
        (kind.ends_with(b"message") || kind.ends_with(b"subscribe")).then_some(kind)
    }

    /// Confirmations carry the number of subscriptions that are left.
    pub fn note_subscription(&mut self, message: &Value) {
        let Some(kind) = self.message_kind(message) else { return };
        let count = message.as_array().and_then(|items| items[2].as_int()).unwrap_or(0);
        match kind {
            b"subscribe" | b"psubscribe" | b"unsubscribe" | b"punsubscribe" => self.subscriptions.unsharded = count,
            b"ssubscribe" | b"sunsubscribe" => self.subscriptions.sharded = count,
            _ => return,
        }
        self.subscriptions.active = self.subscriptions.unsharded + self.subscriptions.sharded > 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::vocabulary::VALKEY;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    fn session() -> Session {
        Session::new(Options::new(true), VALKEY)
    }

    #[test]
    fn texts_for_people_are_known_by_name() {
        for (line, expect) in [
            ("INFO", true),
            ("info server", true),
            ("client LIST type normal", true),
            ("client getname", false),
            ("cluster nodes", true),
            ("cluster nodes x", false),
            ("latency graph x", true),
            ("latency graph", false),
            ("get info", false),
        ] {
            assert_eq!(Words(&words(line)).answers_with_text(), expect, "{line}");
        }
    }

    #[test]
    fn a_transaction_that_fails_gives_the_database_back() {
        let mut session = session();
        let ok = Value::Simple(b"OK".to_vec());
        session.learn(&Words(&words("select 3")), &ok);
        session.learn(&Words(&words("multi")), &ok);
        session.learn(&Words(&words("select 5")), &Value::Simple(b"QUEUED".to_vec()));
        assert_eq!((session.db, session.in_multi), (5, true));
        session.learn(&Words(&words("exec")), &Value::NullArray);
        assert_eq!((session.db, session.wanted_db, session.in_multi), (3, 3, false));
        session.learn(&Words(&words("select 9")), &Value::Error(b"ERR DB index is out of range".to_vec()));
        assert_eq!(session.db, 3);
    }

    #[test]
    fn subscriptions_are_counted_by_kind() {
        let mut session = session();
        let confirm = |kind: &str, count| {
            Value::Array(vec![Value::Bulk(kind.as_bytes().to_vec()), Value::Null, Value::Integer(count)])
        };
        for (kind, count, active) in [
            ("subscribe", 1, true),
            ("ssubscribe", 1, true),
            ("unsubscribe", 0, true),
            ("message", 7, true),
            ("sunsubscribe", 0, false),
        ] {
            session.note_subscription(&confirm(kind, count));
            assert_eq!(session.subscriptions.active, active, "{kind}");
        }
        assert_eq!(session.message_kind(&Value::Push(vec![])), None);
    }

    #[test]
    fn redirections_name_the_next_node() {
        let mut session = session();
        assert!(session.follow_redirection(b"MOVED 3999 10.0.0.1:7001").unwrap());
        assert_eq!(session.address, client::Address::tcp("10.0.0.1", 7001));
        assert!(!session.asking);
        assert!(session.follow_redirection(b"ASK 12182 :7002").unwrap());
        assert_eq!(session.address, client::Address::tcp("10.0.0.1", 7002));
        assert!(session.asking);
        assert!(!session.follow_redirection(b"MOVED 1").unwrap());
        assert!(!session.follow_redirection(b"ERR no").unwrap());
    }
}
