//! What a command did besides answering: its commands in the replication stream and its keyspace events.
//!
//! Both are read from outside, as a replica and as a subscriber. Neither tells where one command's share ends, so a
//! fence is put behind it: a PUBLISH from a third connection arrives, in order, at both.
//!
//! ```text
//!   spec's client ── SET k v EX 10 ─┐                    ┌─► stream:  SET k v PXAT …   PUBLISH fence 7
//!   fence's client ─ PUBLISH fence 7┴─► server under test┴─► events:  set k, expire k  fence 7
//! ```

use e2e::{Connection, Reply, words};
use std::io::{self, BufRead, Read};

const FENCE: &str = "__spec_fence__";

/// A replica and a subscriber of one server.
pub struct Observer {
    stream: Connection,
    events: Connection,
    fences: u64,
}

/// What arrived since the last look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The commands that changed something: the stream without SELECT and PING.
    pub effects: Vec<String>,
    /// All of the stream, in order.
    pub stream: Vec<String>,
    pub events: Vec<String>,
}

impl Observer {
    /// Attaches to the server; `control` is a connection with the right to configure it.
    pub fn attach(port: u16, control: &mut Connection) -> io::Result<Observer> {
        control.call(&["CONFIG", "SET", "notify-keyspace-events", "EA"])?;
        let mut events = Connection::open(port)?;
        events.call(&["PSUBSCRIBE", "__keyevent@*"])?;
        events.call(&["SUBSCRIBE", FENCE])?;
        let mut stream = Connection::open(port)?;
        full_sync(&mut stream)?;
        let mut observer = Observer { stream, events, fences: 0 };
        observer.look(control)?;
        Ok(observer)
    }

    /// Everything since the last look.
    pub fn look(&mut self, control: &mut Connection) -> io::Result<Seen> {
        self.fences += 1;
        let fence = self.fences.to_string();
        control.call(&["PUBLISH", FENCE, &fence])?;
        let mut seen = Seen::default();
        self.read_stream(&fence, &mut seen)?;
        seen.events = self.read_events(&fence)?;
        Ok(seen)
    }

    fn read_stream(&mut self, fence: &str, seen: &mut Seen) -> io::Result<()> {
        loop {
            let Reply::Array(items) = self.stream.receive()? else { continue };
            let command: Vec<Vec<u8>> = items.iter().filter_map(|i| i.bytes().map(<[u8]>::to_vec)).collect();
            let is = |at: usize, word: &[u8]| command.get(at).is_some_and(|w| w.eq_ignore_ascii_case(word));
            if is(0, b"PUBLISH") && is(1, FENCE.as_bytes()) {
                if is(2, fence.as_bytes()) {
                    return Ok(());
                }
                continue;
            }
            let line = words::join(&command);
            if !["PING", "SELECT", "REPLCONF"].iter().any(|quiet| is(0, quiet.as_bytes())) {
                seen.effects.push(line.clone());
            }
            if !is(0, b"REPLCONF") {
                seen.stream.push(line);
            }
        }
    }

    fn read_events(&mut self, fence: &str) -> io::Result<Vec<String>> {
        let mut events = Vec::new();
        loop {
            let message = self.events.receive()?;
            let text: Vec<String> = message.items().iter().filter(|i| i.bytes().is_some()).map(Reply::text).collect();
            match text.iter().map(String::as_str).collect::<Vec<_>>()[..] {
                ["message", FENCE, seen] if seen == fence => return Ok(events),
                ["pmessage", _, channel, _] => {
                    let key = message.items()[3].bytes().unwrap_or_default().to_vec();
                    events.push(event(channel, key));
                }
                _ => {}
            }
        }
    }
}

/// `__keyevent@1__:del` and a key as `del key (db 1)`.
fn event(channel: &str, key: Vec<u8>) -> String {
    let (space, name) = channel.split_once("__:").unwrap_or(("", channel));
    let database = space.trim_start_matches("__keyevent@");
    let shown = words::join(&[key]);
    if database == "0" { format!("{name} {shown}") } else { format!("{name} {shown} (db {database})") }
}

/// Asks for a full sync and reads past the snapshot, to where the stream begins.
fn full_sync(stream: &mut Connection) -> io::Result<()> {
    stream.send(&["PSYNC", "?", "-1"])?;
    let reader = stream.reader();
    let answer = line(reader)?;
    if !answer.starts_with("+FULLRESYNC") {
        return Err(io::Error::other(format!("PSYNC was answered {answer:?}")));
    }
    let header = line(reader)?;
    if let Some(mark) = header.strip_prefix("$EOF:") {
        let mut tail: Vec<u8> = Vec::new();
        while !tail.ends_with(mark.as_bytes()) {
            let mut byte = [0];
            reader.read_exact(&mut byte)?;
            tail.push(byte[0]);
        }
        return Ok(());
    }
    let length = header.strip_prefix('$').and_then(|digits| digits.parse::<u64>().ok());
    let length = length.ok_or_else(|| io::Error::other(format!("a snapshot announced as {header:?}")))?;
    io::copy(&mut reader.take(length), &mut io::sink())?;
    Ok(())
}

/// A line that is not empty: a server that is not ready yet sends line ends to keep the link alive.
fn line(reader: &mut impl BufRead) -> io::Result<String> {
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !line.trim().is_empty() {
            return Ok(line.trim_end().to_string());
        }
    }
}
