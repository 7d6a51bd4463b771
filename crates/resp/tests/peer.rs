//! Requests against a real server: thousands of odd byte streams, each answered by the peer as this
//! crate would answer it.
//!
//! Every complete request names a command that does not exist, so the peer's whole output is known:
//! one `unknown command` error per request, then perhaps a protocol error. Doubles are compared, too.
//!
//! `RUBELLITE_PEERS` names a folder with `bin/valkey-server`; without it these tests say so and pass.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use resp::error::common;
use resp::{Args, Decoder, Parsed, Parser, Proto, Reply, RequestLimits, encode};

struct Peer {
    child: Child,
    folder: tempfile::TempDir,
}

impl Peer {
    fn start() -> Option<Peer> {
        let Some(peers) = std::env::var_os("RUBELLITE_PEERS").map(PathBuf::from) else {
            println!("RUBELLITE_PEERS is not set: nothing compared");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let mut child = Command::new(peers.join("bin/valkey-server"))
            .args(["--port", "0", "--save", "", "--unixsocket", "peer.sock"])
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a peer");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let ready = stdout.lines().map_while(Result::ok).any(|line| line.contains("eady to accept connections"));
        assert!(ready, "the peer did not start");
        Some(Peer { child, folder })
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("peer.sock")).expect("a connection")
    }

    /// Everything the peer answers to `input`, until it closes.
    fn answer(&self, input: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(input).expect("written");
        stream.shutdown(Shutdown::Write).expect("shut down");
        let mut output = Vec::new();
        // A connection that is closed with input unread is reset; what came before counts.
        let _ = stream.read_to_end(&mut output);
        output
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A peer that is gone already needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Our answer to the same bytes.
fn answer(input: &[u8]) -> Vec<u8> {
    let mut buf = input.to_vec();
    let mut at = 0;
    let mut parser = Parser::new();
    let mut reply = Reply::new(Proto::Resp2);
    loop {
        let mut ranges = Vec::new();
        match parser.next(&mut buf[at..], &RequestLimits::default(), &mut ranges) {
            Parsed::Incomplete { .. } => return reply.buf,
            Parsed::Error(error) => {
                reply.error(&error);
                return reply.buf;
            }
            Parsed::Complete { consumed, argc, .. } => {
                let args = Args::new(&buf[at..at + consumed], &ranges, None);
                if argc > 0 {
                    reply.error(&common::unknown_command(&args[0], args.from(1)));
                }
                at += consumed;
            }
        }
    }
}

/// A small deterministic generator; the same streams in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 11
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.next() as usize % from.len()]
    }
}

#[test]
fn odd_streams_are_answered_alike() {
    const ODD: &[&[u8]] = &[
        b"*",
        b"$",
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b"*1\r\n",
        b"*2\r\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*01\r\n",
        b"$1\r\n",
        b"$-1\r\n",
        b"$0\r\n\r\n",
        b"$3\r\n",
        b"$+3\r\n",
        b"q",
        b"zz",
        b" ",
        b"\t",
        b"\x0b",
        b"\"",
        b"'",
        b"\\",
        b"\\x41",
        b"\\n",
        b"9999999999",
        b"qq ",
        b"zq\r\n",
        b"$1\r\nq\r\n",
        b"$2\r\nzq\r\n",
        b"\xfe",
    ];
    let Some(peer) = Peer::start() else { return };
    let mut dice = Dice(7);
    for _ in 0..4000 {
        let mut input = Vec::new();
        for _ in 0..dice.next() % 4 {
            let words: Vec<&[u8]> =
                (0..1 + dice.next() % 3).map(|_| dice.pick(&[&b"qz"[..], b"", b"z\r\nq", b"zzz"])).collect();
            encode::command(&mut input, &words);
        }
        for _ in 0..dice.next() % 9 {
            input.extend_from_slice(dice.pick(ODD));
        }
        let (ours, theirs) = (answer(&input), peer.answer(&input));
        assert_eq!(
            ours.escape_ascii().to_string(),
            theirs.escape_ascii().to_string(),
            "answers to {}",
            input.escape_ascii()
        );
    }
}

#[test]
fn doubles_are_printed_alike() {
    let Some(peer) = Peer::start() else { return };
    let mut dice = Dice(3);
    let mut different = 0;
    let mut doubles = Vec::new();
    for i in 0..20_000u32 {
        let value = match i % 4 {
            0 => f64::from_bits(dice.next() << 11 ^ dice.next()),
            1 => (dice.next() % 2_000_000) as f64 / 100.0 - 5_000.0,
            2 => (dice.next() % 10_000) as f64 * 10f64.powi((dice.next() % 40) as i32 - 15),
            _ => dice.next() as f64,
        };
        if value.is_finite() && value != 0.0 {
            doubles.push(value);
        }
    }
    let mut stream = peer.connect();
    let mut decoder = Decoder::default();
    let mut unread = Vec::new();
    for batch in doubles.chunks(500) {
        let mut bytes = Vec::new();
        for value in batch {
            encode::command(&mut bytes, &["ZADD", "z", &format!("{value:e}"), "m"]);
            encode::command(&mut bytes, &["ZSCORE", "z", "m"]);
        }
        stream.write_all(&bytes).expect("written");
        let mut replies = Vec::new();
        while replies.len() < 2 * batch.len() {
            let (used, value) = decoder.decode(&unread).expect("a reply");
            unread.drain(..used);
            match value {
                Some(value) => replies.push(value),
                None => {
                    let mut chunk = [0; 65536];
                    let n = stream.read(&mut chunk).expect("read");
                    assert!(n > 0, "the peer went away");
                    unread.extend_from_slice(&chunk[..n]);
                }
            }
        }
        for (value, reply) in batch.iter().zip(replies.chunks(2)) {
            let (ours, theirs) = (resp::double::format(*value), reply[1].as_bytes().expect("a bulk"));
            if ours.as_bytes() != theirs {
                different += 1;
                let read: f64 = std::str::from_utf8(theirs).expect("a text").parse().expect("a number");
                assert_eq!(read, *value);
                assert!(ours.as_bytes().len() <= theirs.len(), "{} where the peer says {}", value, read);
            }
        }
    }
    // The peer's search for the shortest digits gives up early for about one double in 700.
    assert!(different * 200 < doubles.len(), "{different} of {} differ", doubles.len());
}
