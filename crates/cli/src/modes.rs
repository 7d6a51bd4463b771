//! The programs within the program: each is asked for by a flag and takes the place of a command.

mod hints;
mod hotkeys;
mod intrinsic;
mod keysizes;
mod keystats;
mod latency;
mod lru;
mod pipe;
mod scan;
mod spectrum;
mod stat;
pub mod sync;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use client::Value;
use signal_hook::consts::SIGINT;

use crate::debugger;
use crate::failure::{Failure, fatal};
use crate::oneshot;
use crate::options::Mode;
use crate::screen;
use crate::session::Session;

/// Runs one mode; the exit code.
pub fn run(session: &mut Session, mode: Mode, words: Vec<Vec<u8>>) -> Result<i32, Failure> {
    let needs_server = !matches!(
        mode,
        Mode::IntrinsicLatency { .. } | Mode::Hint(_) | Mode::HintFile(_) | Mode::Eval(_) | Mode::Debug { .. }
    );
    if needs_server {
        session.connect(true).map_err(|_| Failure::Exit(1))?;
    }
    let done = match mode {
        Mode::Latency { history } => latency::run(session, history),
        Mode::LatencyDistribution { mono } => spectrum::run(session, mono),
        Mode::LruTest { keys } => lru::run(session, keys),
        Mode::KeyStats(request) => keystats::run(session, request),
        Mode::Replica => sync::replica(session),
        Mode::Rdb { file, functions_only } => sync::fetch_rdb(session, &file, functions_only),
        Mode::Pipe => return pipe::run(session),
        Mode::BigKeys(size) => keysizes::run(session, size),
        Mode::HotKeys { count } => hotkeys::run(session, count),
        Mode::Stat => stat::run(session),
        Mode::Scan => scan::run(session),
        Mode::IntrinsicLatency { seconds } => intrinsic::run(seconds),
        Mode::Hint(line) => hints::show(session, &line),
        Mode::HintFile(file) => return hints::compare(session, &file),
        Mode::Eval(file) => return oneshot::eval(session, &file, words),
        Mode::Debug { script, sync } => return debugger::run(session, script, words, sync),
    };
    match done {
        Ok(()) => Ok(0),
        Err(Failure::Exit(code)) => Ok(code),
        Err(_) => Ok(1),
    }
}

/// Turns true with the first Ctrl-C: long walks then end early with their summary.
fn interrupted() -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(SIGINT, flag.clone()).map_err(fatal)?;
    Ok(flag)
}

/// One walk over all keys with SCAN.
struct Walk {
    cursor: Vec<u8>,
    stop: Arc<AtomicBool>,
    /// Calls so far.
    calls: u64,
}

impl Walk {
    fn new() -> Result<Self, Failure> {
        Walk::starting_at(0)
    }

    fn starting_at(cursor: u64) -> Result<Self, Failure> {
        Ok(Walk { cursor: cursor.to_string().into_bytes(), stop: interrupted()?, calls: 0 })
    }

    /// The next keys; `None` at the end.
    fn next(&mut self, session: &mut Session) -> Result<Option<Vec<Vec<u8>>>, Failure> {
        if self.is_over() || (self.calls > 0 && self.is_interrupted()) {
            return Ok(None);
        }
        let mut words = vec![b"SCAN".to_vec(), self.cursor.clone()];
        if let Some(pattern) = &session.options.pattern {
            words.extend([b"MATCH".to_vec(), pattern.clone()]);
        }
        words.extend([b"COUNT".to_vec(), session.options.count.to_string().into_bytes()]);
        let reply = session.call(&words)?;
        if let Some(text) = reply.as_error() {
            return Err(fatal(format_args!("SCAN error: {}", String::from_utf8_lossy(text))));
        }
        let Some([Value::Bulk(cursor), Value::Array(keys)]) = reply.as_array() else {
            return Err(fatal("Non ARRAY response from SCAN!"));
        };
        self.cursor = cursor.clone();
        self.calls += 1;
        Ok(Some(keys.iter().filter_map(Value::as_bytes).map(<[u8]>::to_vec).collect()))
    }

    /// Whether every key was seen.
    fn is_over(&self) -> bool {
        self.calls > 0 && self.cursor == b"0"
    }

    fn is_interrupted(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// What stands before the sum of an interrupted walk: how far it came, and a blank.
    fn share_if_interrupted(&self, part: u64, whole: u64) -> String {
        if self.is_interrupted() { format!("{} ", percent(part, whole)) } else { String::new() }
    }

    /// The pause of `-i`, every hundred calls.
    fn rest(&self, session: &Session) {
        if self.calls.is_multiple_of(100) {
            thread::sleep(session.options.interval);
        }
    }
}

/// Sends a command and reads its reply. A lost connection is made anew, as often as it takes.
fn call_persistently(session: &mut Session, words: &[&str]) -> Result<Value, Failure> {
    let mut tries = 0;
    loop {
        if let Some(link) = &mut session.link {
            match link.call(words) {
                Ok(reply) => return Ok(reply),
                Err(error @ client::Error::Protocol(_)) => return Err(fatal(format_args!("Error: {error}"))),
                Err(_) => session.link = None,
            }
        }
        tries += 1;
        screen::print(format!("\r\x1b[0KReconnecting... {tries}\r").as_bytes())?;
        let connected = session.connect(false).is_ok();
        // Also after success: a server that accepts and hangs up is not to be hammered.
        thread::sleep(Duration::from_secs(1));
        if connected {
            screen::print(b"\r\x1b[0K")?;
        }
    }
}

/// How many keys the database has.
fn db_size(session: &mut Session) -> Result<i64, Failure> {
    match session.call(&["DBSIZE"])? {
        Value::Integer(n) => Ok(n),
        Value::Error(text) => Err(fatal(format_args!("Couldn't determine DBSIZE: {}", String::from_utf8_lossy(&text)))),
        _ => Err(fatal("Non INTEGER response from DBSIZE!")),
    }
}

/// Replicas of a cluster serve reads after this; servers outside of a cluster refuse it, if they know it at all.
fn allow_reads_from_replica(session: &mut Session) -> Result<(), Failure> {
    let reply = session.call(&["READONLY"])?;
    match reply.as_error() {
        Some(text)
            if text != b"ERR This instance has cluster support disabled"
                && !text.starts_with(b"ERR unknown command") =>
        {
            Err(fatal(format_args!("Error: {}", String::from_utf8_lossy(text))))
        }
        _ => Ok(()),
    }
}

/// Replies to a pipeline.
fn ask_all(session: &mut Session, commands: &[Vec<Vec<u8>>]) -> Result<Vec<Value>, Failure> {
    let Some(link) = &mut session.link else { return Err(Failure::Unconnected) };
    link.pipeline(commands).map_err(|error| fatal(format_args!("Error: {error}")))
}

/// A percentage as a progress line begins with.
fn percent(part: u64, whole: u64) -> String {
    let value = if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    format!("[{value:05.2}%]")
}

fn average(sum: u64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

fn human_bytes(n: i64) -> String {
    const UNITS: [(f64, &str); 4] = [(1e0, "B"), (1024.0, "K"), (1048576.0, "M"), (1073741824.0, "G")];
    let size = n as f64;
    let (unit, letter) = UNITS.into_iter().rev().find(|(unit, _)| size.abs() >= *unit).unwrap_or(UNITS[0]);
    if letter == "B" { format!("{n}B") } else { format!("{:.2}{letter}", size / unit) }
}

/// A key in quotes, escaped.
fn quoted(key: &[u8]) -> String {
    let mut text = Vec::new();
    resp::inline::quote(&mut text, key);
    String::from_utf8_lossy(&text).into_owned()
}
