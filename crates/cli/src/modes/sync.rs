//! Replication streams: `--replica`, `--rdb`, `--functions-rdb`, and SYNC or PSYNC typed as commands.
//!
//! ```text
//!   SYNC ──►  \n … \n                keep-alive while the server prepares
//!             $<len>\r\n<bytes>      a snapshot from disk, or
//!             $EOF:<40>\r\n<bytes><the same 40>        one of unknown length
//!             *3\r\n$3\r\nSET …      the commands that follow
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use client::{Client, Value};

use super::human_bytes;
use crate::failure::{Failure, fatal};
use crate::format::{self, Style};
use crate::live::{self, Live};
use crate::screen;
use crate::screen::complain;
use crate::session::Session;

const MARK_LEN: usize = 40;

/// How the snapshot of a synchronisation ends.
#[derive(Debug, PartialEq, Eq)]
enum Payload {
    Length(u64),
    Mark(Vec<u8>),
    /// The server continues where we are said to have stopped.
    None,
}

/// `--replica`: prints the commands that the primary sends, as CSV, until the connection ends.
pub fn replica(session: &mut Session) -> Result<(), Failure> {
    replconf(session, "capa", "eof")?;
    replconf(session, "rdb-filter-only", "")?;
    let link = session.link.as_mut().ok_or(Failure::Unconnected)?;
    link.queue_raw(b"SYNC\r\n");
    follow(session)
}

/// A SYNC or PSYNC that the user typed and that is queued already.
pub fn follow_typed(session: &mut Session) -> Result<(), Failure> {
    follow(session)
}

fn follow(session: &mut Session) -> Result<(), Failure> {
    let primary = session.vocabulary.primary;
    let link = session.link.as_mut().ok_or(Failure::Unconnected)?;
    let payload = begin(link, primary)?;
    let kind = if payload == Payload::None { "Partial resync" } else { "Full resync" };
    match &payload {
        Payload::Length(n) => complain!("{kind} with {primary}, discarding {n} bytes of bulk transfer..."),
        Payload::Mark(_) => complain!("{kind} with {primary}, discarding bytes of bulk transfer until EOF marker..."),
        Payload::None => complain!("{kind} with {primary}..."),
    }
    let discarded = transfer(link, &payload, &mut |_| Ok(()))?;
    if matches!(payload, Payload::Mark(_)) {
        complain!("{kind} done after {discarded} bytes. Logging commands from {primary}.");
        // The primary counts a replica as online with its first acknowledgement, which must not come
        // before the primary has seen the end of the transfer.
        thread::sleep(Duration::from_secs(1));
        acknowledge(link)?;
    } else {
        complain!("{kind} done. Logging commands from {primary}.");
    }
    loop {
        let value = match session.next_value() {
            Ok(Some(value)) => value,
            Ok(None) => return Err(Failure::Exit(1)),
            Err(error) if session.interactive && error.is_lost() => return Err(Failure::Lost(error)),
            Err(error) => return Err(fatal(format_args!("Error: {error}"))),
        };
        screen::print(&format::reply(&value, Style::Csv, session.delimiters()))?;
    }
}

/// The acknowledgement has no reply.
fn acknowledge(link: &mut Client) -> Result<(), Failure> {
    complain!("sending REPLCONF ACK 0");
    link.queue(&["REPLCONF", "ACK", "0"]);
    link.flush().map_err(|error| fatal(format_args!("Error: {error}")))
}

/// `--rdb` and `--functions-rdb`: the snapshot into a file.
pub fn fetch_rdb(session: &mut Session, path: &Path, functions_only: bool) -> Result<(), Failure> {
    replconf(session, "capa", "eof")?;
    replconf(session, "rdb-only", "1")?;
    if functions_only && !replconf(session, "rdb-filter-only", "functions")? {
        return Err(fatal("Failed requesting functions only RDB from server, aborting"));
    }
    save_rdb(session, path)
}

/// A snapshot into a file, without a word about what we are. A server then need not wait for more replicas to come.
pub fn save_rdb(session: &mut Session, path: &Path) -> Result<(), Failure> {
    let link = session.link.as_mut().ok_or(Failure::Unconnected)?;
    let primary = session.vocabulary.primary;
    link.queue_raw(b"SYNC\r\n");
    let payload = begin(link, primary)?;
    let shown = path.display();
    match &payload {
        Payload::Length(n) => complain!("SYNC sent to {primary}, writing {n} bytes to '{shown}'"),
        _ => complain!("SYNC sent to {primary}, writing bytes of bulk transfer until EOF marker to '{shown}'"),
    }
    let mut file = if path == Path::new("-") { None } else { Some(create(path)?) };
    let mut write = |bytes: &[u8]| match &mut file {
        Some(file) => file.write_all(bytes),
        None => io::stdout().write_all(bytes),
    };
    let written = transfer(link, &payload, &mut write)?;
    match &payload {
        Payload::Mark(_) => complain!("Transfer finished with success after {written} bytes"),
        _ => complain!("Transfer finished with success."),
    }
    // Close before the file is synced, which may take long, so that the server is not kept.
    session.link = None;
    match file {
        None => io::stdout().flush(),
        Some(file) => file.sync_all(),
    }
    .map_err(|error| fatal(format_args!("Fail to fsync '{shown}': {}", client::os_text(&error))))
}

fn create(path: &Path) -> Result<File, Failure> {
    let file = OpenOptions::new().create(true).write(true).truncate(true).mode(0o644).open(path);
    file.map_err(|error| fatal(format_args!("Error opening '{}': {}", path.display(), client::os_text(&error))))
}

/// Tells the server something about us; whether it understood. Old servers need not.
fn replconf(session: &mut Session, name: &str, value: &str) -> Result<bool, Failure> {
    complain!("sending REPLCONF {name} {value}");
    let reply: Value = session.call(&["REPLCONF", name, value])?;
    if let Some(text) = reply.as_error() {
        complain!("REPLCONF {name} error: {}", String::from_utf8_lossy(text));
        return Ok(false);
    }
    Ok(true)
}

/// Sends what is queued and reads up to the first byte of the snapshot.
fn begin(link: &mut Client, primary: &str) -> Result<Payload, Failure> {
    let reading = |_| fatal("Error reading bulk length while SYNCing");
    link.flush().map_err(|_| fatal(format_args!("Error writing to {primary}")))?;
    let mut line = first_line(link).map_err(reading)?;
    if line.starts_with(b"+FULLRESYNC") || line.starts_with(b"+CONTINUE") {
        complain!("PSYNC replied {}", String::from_utf8_lossy(&line));
        if line.starts_with(b"+CONTINUE") {
            return Ok(Payload::None);
        }
        line = first_line(link).map_err(reading)?;
    }
    if line.starts_with(b"-") {
        return Err(fatal(format_args!("SYNC with {primary} failed: {}", String::from_utf8_lossy(&line))));
    }
    parse_header(&line).ok_or_else(|| fatal("Error reading bulk length while SYNCing"))
}

fn parse_header(line: &[u8]) -> Option<Payload> {
    let length = line.strip_prefix(b"$")?;
    match length.strip_prefix(b"EOF:") {
        Some(mark) if mark.len() >= MARK_LEN => Some(Payload::Mark(mark[..MARK_LEN].to_vec())),
        Some(_) => None,
        None => Some(Payload::Length(std::str::from_utf8(length).ok()?.parse().ok()?)),
    }
}

/// The next line that is not empty: empty ones keep the connection alive.
fn first_line(link: &mut Client) -> Result<Vec<u8>, client::Error> {
    loop {
        let line = link.read_raw_line(4096)?;
        if !line.is_empty() {
            return Ok(line);
        }
    }
}

/// Hands the snapshot's bytes to `write`, without the mark at its end; how many there were.
fn transfer(
    link: &mut Client,
    payload: &Payload,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, Failure> {
    let mut left = match payload {
        Payload::Length(n) => *n,
        Payload::Mark(_) => u64::MAX,
        Payload::None => return Ok(0),
    };
    let mut write = |bytes: &[u8]| {
        write(bytes).map_err(|error| fatal(format_args!("Error writing data to file: {}", client::os_text(&error))))
    };
    let mut buf = vec![0; 64 * 1024];
    // The newest bytes, which may be the mark, are held back.
    let mut held: Vec<u8> = Vec::new();
    let mut total = 0;
    let (mut live, whole) = (Live::on_stderr(), left);
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
        let read = match link.read_raw(&mut buf[..want]) {
            Ok(n) if n > 0 => n,
            _ => return Err(fatal("I/O Error reading RDB payload from socket")),
        };
        left -= read as u64;
        match payload {
            Payload::Mark(mark) => {
                held.extend_from_slice(&buf[..read]);
                let ended = held.ends_with(mark);
                let out = held.len().saturating_sub(MARK_LEN);
                write(&held[..out])?;
                total += out as u64;
                held.drain(..out);
                if ended {
                    break;
                }
            }
            _ => {
                write(&buf[..read])?;
                total += read as u64;
            }
        }
        live.draw(|| {
            let sizes = [total, whole].map(|n| human_bytes(i64::try_from(n).unwrap_or(i64::MAX)));
            vec![match payload {
                Payload::Length(n) => format!("{} {} of {}", live::bar(total, *n), sizes[0], sizes[1]),
                _ => format!("{} so far", sizes[0]),
            }]
        })?;
    }
    live.close()?;
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn received(header: &str, body: &[u8], piece: usize) -> Vec<u8> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = client::Address::tcp("127.0.0.1", listener.local_addr().unwrap().port());
        let mut link = Client::connect(&address, &client::Options::default()).unwrap();
        let (mut socket, _) = listener.accept().unwrap();
        let (header, body) = (header.to_owned(), body.to_vec());
        let server = thread::spawn(move || {
            socket.write_all(header.as_bytes()).unwrap();
            for part in body.chunks(piece) {
                socket.write_all(part).unwrap();
            }
        });
        let payload = begin(&mut link, "primary").unwrap();
        let mut out = Vec::new();
        let total = transfer(&mut link, &payload, &mut |bytes| {
            out.extend_from_slice(bytes);
            Ok(())
        });
        assert_eq!(total.unwrap(), out.len() as u64);
        server.join().unwrap();
        out
    }

    #[test]
    fn snapshots_come_in_two_forms() {
        let body: Vec<u8> = (0..5000u32).map(|i| i as u8).collect();
        let mark = "0123456789abcdefghijABCDEFGHIJ0123456789";
        let marked = [&body[..], mark.as_bytes()].concat();
        for piece in [1, 39, 40, 4096] {
            assert_eq!(received("\n\n$5000\r\n", &body, piece), body);
            assert_eq!(received(&format!("\n$EOF:{mark}\r\n"), &marked, piece), body);
            assert_eq!(received("+FULLRESYNC abc 1\r\n\n$5000\r\n", &body, piece), body);
        }
    }

    #[test]
    fn headers_are_checked() {
        assert_eq!(parse_header(b"$12"), Some(Payload::Length(12)));
        for bad in [&b"$"[..], b"$-1", b"$EOF:short", b"12", b"$x"] {
            assert_eq!(parse_header(bad), None);
        }
    }
}
