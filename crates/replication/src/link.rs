//! The conversation of a replica with its primary.
//!
//! ```text
//!   connected ─► PING ─► AUTH ─► REPLCONF … ─► PSYNC id offset ─┬─ +CONTINUE ───────────────────────────► stream
//!               (only with a password)                         └─ +FULLRESYNC ─► $n or $EOF:… ─► payload ─► stream
//! ```
//!
//! Bytes go in, [`Action`]s come out, in order. Empty lines between replies are a primary's sign of life while it prepares
//! its snapshot.

use journal::{ReplId, ReplOffset};
use resp::{encode, log_text};

/// The longest line of a primary.
const MAX_LINE: usize = 64 * 1024;
/// The length of the mark at the end of a payload of unknown length.
const MARK: usize = 40;

/// What a replica says about itself.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The user to log in as.
    pub user: Option<Vec<u8>>,
    /// The password; without one there is no AUTH.
    pub password: Option<Vec<u8>>,
    /// The port that clients of this replica use.
    pub port: u16,
    /// The address to announce, if it is not the connection's.
    pub ip: Option<Vec<u8>>,
    /// The newest version whose data can be read.
    pub version: String,
    /// Its name in its cluster, if it is a node of one.
    pub node_id: Option<Vec<u8>>,
    /// The primary is a replica of ours so far, and is to take over.
    pub take_over: bool,
    /// The history that is here already, and up to where.
    pub resume: Option<(ReplId, ReplOffset)>,
}

/// What whoever drives the link is to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Send this to the primary.
    Send(Vec<u8>),
    /// Write this log line.
    Log(String),
    /// The data will be replaced by a snapshot of this position.
    Full(ReplId, ReplOffset),
    /// The snapshot comes now: so many bytes, or an unknown number.
    Head(Option<u64>),
    /// Bytes of the snapshot.
    Payload(Vec<u8>),
    /// The snapshot is complete.
    Loaded,
    /// The stream goes on where it was cut, from now on under this id, if it is told.
    Continue(Option<ReplId>),
    /// The primary was asked to take over, and has not.
    NotTaken,
    /// Bytes of the stream.
    Stream(Vec<u8>),
    /// The connection is of no use; the reason is for the log.
    Fail(String),
}

#[derive(Debug)]
enum State {
    Ping,
    Auth,
    /// So many replies to REPLCONF are to come.
    Conf(usize),
    Psync,
    /// The head of the payload is awaited.
    Head,
    Sized(u64),
    /// A payload that ends with this mark; what may be its beginning is kept back.
    Marked([u8; MARK], Vec<u8>),
    Stream,
    Over,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Link {
    settings: Settings,
    state: State,
    line: Vec<u8>,
}

impl Link {
    /// The connection stands.
    pub fn connected(settings: Settings, out: &mut Vec<Action>) -> Self {
        send(out, &[b"PING"]);
        Link { settings, state: State::Ping, line: Vec::new() }
    }

    /// Whether the stream has begun.
    pub fn is_streaming(&self) -> bool {
        matches!(self.state, State::Stream)
    }

    /// Takes bytes of the primary.
    pub fn handle(&mut self, mut bytes: &[u8], out: &mut Vec<Action>) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Over => return,
                State::Stream => {
                    out.push(Action::Stream(bytes.to_vec()));
                    return;
                }
                State::Sized(left) => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    let (now, rest) = bytes.split_at(take);
                    *left -= take as u64;
                    let done = *left == 0;
                    out.push(Action::Payload(now.to_vec()));
                    bytes = rest;
                    if done {
                        self.loaded(out);
                    }
                }
                State::Marked(mark, kept) => {
                    kept.extend_from_slice(bytes);
                    if let Some(at) = memchr::memmem::find(kept, mark.as_slice()) {
                        let rest = kept.split_off(at + MARK);
                        kept.truncate(at);
                        out.push(Action::Payload(std::mem::take(kept)));
                        self.loaded(out);
                        if !rest.is_empty() {
                            out.push(Action::Stream(rest));
                        }
                        return;
                    }
                    let sure = kept.len().saturating_sub(MARK - 1);
                    if sure > 0 {
                        let later = kept.split_off(sure);
                        out.push(Action::Payload(std::mem::replace(kept, later)));
                    }
                    return;
                }
                _ => {
                    let end = memchr::memchr(b'\n', bytes);
                    let (now, rest) = bytes.split_at(end.map_or(bytes.len(), |at| at + 1));
                    self.line.extend_from_slice(now);
                    bytes = rest;
                    if end.is_some() {
                        let mut line = std::mem::take(&mut self.line);
                        while line.last().is_some_and(|b| matches!(b, b'\n' | b'\r')) {
                            line.pop();
                        }
                        if !line.is_empty() {
                            self.reply(&line, out);
                        }
                    } else if self.line.len() > MAX_LINE {
                        return self.fail("the primary sends a line without an end".to_owned(), out);
                    }
                }
            }
        }
    }

    fn loaded(&mut self, out: &mut Vec<Action>) {
        out.push(Action::Loaded);
        self.state = State::Stream;
    }

    fn fail(&mut self, why: String, out: &mut Vec<Action>) {
        self.state = State::Over;
        out.push(Action::Fail(why));
    }

    fn reply(&mut self, line: &[u8], out: &mut Vec<Action>) {
        let text = String::from_utf8_lossy(line).into_owned();
        let refused = line.first() == Some(&b'-');
        match &mut self.state {
            State::Ping => {
                let to_log_in = ["-NOAUTH", "-NOPERM", "-ERR operation not permitted"];
                if refused && !to_log_in.iter().any(|start| text.starts_with(start)) {
                    return self.fail(log_text::replica::ping_refused(&text), out);
                }
                out.push(Action::Log(log_text::replica::PONG.to_owned()));
                match (&self.settings.user, &self.settings.password) {
                    (Some(user), Some(password)) => send(out, &[b"AUTH", user, password]),
                    (None, Some(password)) => send(out, &[b"AUTH", password]),
                    _ => return self.introduce(out),
                }
                self.state = State::Auth;
            }
            State::Auth if refused => self.fail(log_text::replica::auth_refused(&text), out),
            State::Auth => self.introduce(out),
            // Who does not know an option does without it.
            State::Conf(left) => {
                *left -= 1;
                if *left == 0 {
                    self.ask(out);
                }
            }
            State::Psync => self.answered(line, &text, out),
            State::Head => self.head(line, &text, out),
            State::Sized(_) | State::Marked(..) | State::Stream | State::Over => {}
        }
    }

    fn introduce(&mut self, out: &mut Vec<Action>) {
        let port = self.settings.port.to_string();
        let mut replies = 3;
        send(out, &[b"REPLCONF", b"listening-port", port.as_bytes()]);
        if let Some(ip) = &self.settings.ip {
            send(out, &[b"REPLCONF", b"ip-address", ip]);
            replies += 1;
        }
        send(out, &[b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]);
        send(out, &[b"REPLCONF", b"version", self.settings.version.as_bytes()]);
        if let Some(id) = &self.settings.node_id {
            send(out, &[b"REPLCONF", b"set-cluster-node-id", id]);
            replies += 1;
        }
        self.state = State::Conf(replies);
    }

    fn ask(&mut self, out: &mut Vec<Action>) {
        let ask = |out: &mut Vec<Action>, id: &[u8], at: &str| match self.settings.take_over {
            true => send(out, &[b"PSYNC", id, at.as_bytes(), b"FAILOVER"]),
            false => send(out, &[b"PSYNC", id, at.as_bytes()]),
        };
        match &self.settings.resume {
            Some((id, at)) => {
                out.push(Action::Log(log_text::replica::trying_partial(&id.to_string(), at.next_byte())));
                ask(out, id.as_bytes(), &at.next_byte().to_string());
            }
            None => {
                out.push(Action::Log(log_text::replica::NO_CACHED_PRIMARY.to_owned()));
                ask(out, b"?", "-1");
            }
        }
        self.state = State::Psync;
    }

    fn answered(&mut self, line: &[u8], text: &str, out: &mut Vec<Action>) {
        let mut words = line.split(|b| *b == b' ').filter(|word| !word.is_empty());
        match words.next() {
            Some(b"+FULLRESYNC") => {
                let id = words.next().and_then(ReplId::parse);
                let offset = words.next().and_then(|word| std::str::from_utf8(word).ok()?.parse().ok());
                match (id, offset) {
                    (Some(id), Some(offset)) => {
                        out.push(Action::Log(log_text::replica::full_resync(&id.to_string(), offset)));
                        out.push(Action::Full(id, ReplOffset(offset)));
                        self.state = State::Head;
                    }
                    _ => self.fail(log_text::replica::unexpected_reply(text), out),
                }
            }
            Some(b"+CONTINUE") if self.settings.resume.is_some() => {
                let id = words.next().and_then(ReplId::parse);
                out.push(Action::Log(log_text::replica::PARTIAL_ACCEPTED.to_owned()));
                out.push(Action::Continue(id));
                self.state = State::Stream;
            }
            _ => {
                if self.settings.take_over {
                    out.push(Action::NotTaken);
                }
                self.fail(log_text::replica::unexpected_reply(text), out);
            }
        }
    }

    fn head(&mut self, line: &[u8], text: &str, out: &mut Vec<Action>) {
        if let Some(mark) = line.strip_prefix(b"$EOF:") {
            let Ok(mark) = <[u8; MARK]>::try_from(mark) else {
                return self.fail(log_text::replica::unexpected_reply(text), out);
            };
            out.push(Action::Head(None));
            self.state = State::Marked(mark, Vec::new());
            return;
        }
        let length = line.strip_prefix(b"$").and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok());
        match length {
            Some(length) if length > 0 => {
                out.push(Action::Head(Some(length)));
                self.state = State::Sized(length);
            }
            _ => self.fail(log_text::replica::unexpected_reply(text), out),
        }
    }
}

fn send(out: &mut Vec<Action>, args: &[&[u8]]) {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, args);
    out.push(Action::Send(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789012345678901234567890123456789";

    fn talk(settings: Settings, primary: &[u8], step: usize) -> Vec<Action> {
        let mut out = Vec::new();
        let mut link = Link::connected(settings, &mut out);
        primary.chunks(step).for_each(|chunk| link.handle(chunk, &mut out));
        out.retain(|action| !matches!(action, Action::Log(_)));
        // Bytes that were cut by the network are put together again.
        let mut merged: Vec<Action> = Vec::new();
        for action in out {
            match (merged.last_mut(), action) {
                (Some(Action::Payload(all)), Action::Payload(more)) => all.extend(more),
                (Some(Action::Stream(all)), Action::Stream(more)) => all.extend(more),
                (_, action) => merged.push(action),
            }
        }
        merged.retain(|action| !matches!(action, Action::Send(_)));
        merged
    }

    #[test]
    fn a_full_sync_of_known_and_of_unknown_length() {
        let id = ReplId::parse(ID.as_bytes()).expect("an id");
        let start = format!("+PONG\r\n+OK\r\n-ERR\r\n+OK\r\n\n\n+FULLRESYNC {ID} 7\r\n\n");
        let mark = "m".repeat(MARK);
        let payloads = [("$5\r\nhello".to_owned(), Some(5)), (format!("$EOF:{mark}\r\nhello{mark}"), None)];
        for (payload, length) in payloads {
            for step in [1, 3, 1000] {
                let actions = talk(Settings::default(), format!("{start}{payload}stream").as_bytes(), step);
                let expected = [
                    Action::Full(id, ReplOffset(7)),
                    Action::Head(length),
                    Action::Payload(b"hello".to_vec()),
                    Action::Loaded,
                    Action::Stream(b"stream".to_vec()),
                ];
                assert_eq!(actions, expected, "{payload} {step}");
            }
        }
    }

    #[test]
    fn a_partial_sync_names_the_next_byte() {
        let id = ReplId::parse(ID.as_bytes()).expect("an id");
        let settings = Settings { resume: Some((id, ReplOffset(41))), ..Settings::default() };
        let mut out = Vec::new();
        let mut link = Link::connected(settings, &mut out);
        link.handle(b"+PONG\r\n+OK\r\n+OK\r\n+OK\r\n", &mut out);
        let Some(Action::Send(sent)) = out.last() else { panic!("{out:?}") };
        assert!(String::from_utf8_lossy(sent).ends_with("$2\r\n42\r\n"));
        out.clear();
        link.handle(b"+CONTINUE\r\nPING\r\n", &mut out);
        assert_eq!(out[1..], [Action::Continue(None), Action::Stream(b"PING\r\n".to_vec())]);
        assert!(link.is_streaming());
    }

    #[test]
    fn a_primary_that_is_to_take_over_may_refuse() {
        let id = ReplId::parse(ID.as_bytes()).expect("an id");
        let settings = Settings { take_over: true, resume: Some((id, ReplOffset(41))), ..Settings::default() };
        let mut out = Vec::new();
        let mut link = Link::connected(settings.clone(), &mut out);
        link.handle(b"+PONG\r\n+OK\r\n+OK\r\n+OK\r\n", &mut out);
        let Some(Action::Send(sent)) = out.last() else { panic!("{out:?}") };
        assert!(String::from_utf8_lossy(sent).ends_with("$2\r\n42\r\n$8\r\nFAILOVER\r\n"));
        let refused = talk(settings, b"+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-NOPERM no\r\n", 1000);
        assert!(matches!(&refused[..], [Action::NotTaken, Action::Fail(_)]), "{refused:?}");
    }

    #[test]
    fn a_refused_password_ends_it() {
        let settings = Settings { password: Some(b"x".to_vec()), ..Settings::default() };
        let actions = talk(settings, b"-NOAUTH\r\n-WRONGPASS no\r\n+OK\r\n", 1000);
        assert!(matches!(&actions[..], [Action::Fail(why)] if why.contains("Unable to AUTH")), "{actions:?}");
    }
}
