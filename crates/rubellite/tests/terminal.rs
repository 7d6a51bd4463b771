//! Sessions on a pseudo-terminal: what a user sees who types into the command line client.
//!
//! The server is a few lines in this file, so that nothing but the client is tested. The terminal
//! answers the one question that line editors ask, where the cursor is.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use resp::{Decoder, Value};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How long the client may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

const DOCS: &[u8] = b"*4\r\n\
    $3\r\nget\r\n*4\r\n$5\r\ngroup\r\n$6\r\nstring\r\n$9\r\narguments\r\n*1\r\n*4\r\n\
    $4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n\
    $5\r\nwatch\r\n*2\r\n$5\r\ngroup\r\n$12\r\ntransactions\r\n";

/// Answers until it is told `die`, which closes the connection; then accepts the next one.
fn serve() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            serve_one(stream.unwrap());
        }
    });
    port
}

fn serve_one(mut stream: TcpStream) {
    let mut decoder = Decoder::default();
    let mut bytes = Vec::new();
    loop {
        let (used, request) = decoder.decode(&bytes).unwrap();
        bytes.drain(..used);
        let Some(request) = request else {
            let mut chunk = [0; 4096];
            match stream.read(&mut chunk) {
                Ok(n) if n > 0 => bytes.extend_from_slice(&chunk[..n]),
                _ => return,
            }
            continue;
        };
        let words: Vec<&str> = request.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let reply: &[u8] = match words.as_slice() {
            ["COMMAND", "DOCS"] => DOCS,
            ["die"] => return,
            ["subscribe", _] => {
                b"*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$2\r\nhi\r\n"
            }
            ["unsubscribe", _] => b"*3\r\n$11\r\nunsubscribe\r\n$2\r\nch\r\n:0\r\n",
            ["monitor"] => b"+OK\r\n+1.5 [0 x] \"ping\"\r\n",
            ["get" | "GET", _] => b"$5\r\nvalue\r\n",
            _ => b"+OK\r\n",
        };
        stream.write_all(reply).unwrap();
    }
}

/// A client on a terminal.
struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// The beginning of an escape sequence.
    raw: Vec<u8>,
    /// What was shown and not yet expected, without escape sequences.
    seen: String,
}

impl Session {
    fn start(port: u16, home: &Path) -> Session {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&terminal).unwrap();
        unlockpt(&terminal).unwrap();
        tcsetwinsize(&terminal, Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&terminal, Vec::new()).unwrap();
        let open = || Stdio::from(File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap());
        let child = Command::new(env!("CARGO_BIN_EXE_rubellite"))
            .args(["cli", "-p", &port.to_string()])
            .env_clear()
            .env("HOME", home)
            .env("TERM", "xterm-256color")
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap();
        let keyboard = File::from(terminal);
        let mut reader = keyboard.try_clone().unwrap();
        let mut answers = keyboard.try_clone().unwrap();
        let (sender, screen) = mpsc::channel();
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            let mut questions = Vec::new();
            while let Ok(n) = reader.read(&mut chunk) {
                questions.extend_from_slice(&chunk[..n]);
                for _ in questions.windows(4).filter(|window| window == b"\x1b[6n") {
                    answers.write_all(b"\x1b[1;1R").unwrap();
                }
                // Three bytes may be the beginning of a question, and cannot be a whole one.
                questions.drain(..questions.len().saturating_sub(3));
                if n == 0 || sender.send(chunk[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Session { child, keyboard, screen, raw: Vec::new(), seen: String::new() }
    }

    fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until `text` is shown, and forgets everything up to its end.
    fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            match self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(bytes) => {
                    self.raw.extend_from_slice(&bytes);
                    self.seen.push_str(&without_escapes(&mut self.raw));
                }
                Err(_) => panic!("expected {text:?}, seen {:?}", self.seen),
            }
        }
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Waits until the client has left; its exit code.
    fn end(mut self) -> Option<i32> {
        let deadline = Instant::now() + PATIENCE;
        // The terminal's last handle is closed by the client's end, which ends the reader.
        while self.screen.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        if Instant::now() >= deadline {
            let _ = self.child.kill();
        }
        self.child.wait().unwrap().code()
    }
}

/// Moves what is complete from `raw` to the result, leaving out escape sequences; the beginning of one
/// stays in `raw` until the rest comes.
fn without_escapes(raw: &mut Vec<u8>) -> String {
    let mut result = Vec::new();
    let mut at = 0;
    while at < raw.len() {
        let rest = &raw[at..];
        at += match rest {
            [0x1b] => break,
            // Up to the letter that ends a control sequence; other escapes are two bytes.
            [0x1b, b'[', sequence @ ..] => match sequence.iter().position(|byte| (b'@'..=b'~').contains(byte)) {
                Some(end) => end + 3,
                None => break,
            },
            [0x1b, _, ..] => 2,
            [byte, ..] => {
                result.push(*byte);
                1
            }
            [] => break,
        };
    }
    raw.drain(..at);
    String::from_utf8_lossy(&result).into_owned()
}

fn home() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn the_prompt_shows_database_and_transaction() {
    let (port, home) = (serve(), home());
    let mut session = Session::start(port, home.path());
    session.expect(&format!("127.0.0.1:{port}> "));
    session.type_keys("select 3\r");
    session.expect(&format!("OK\r\n127.0.0.1:{port}[3]> "));
    session.type_keys("multi\r");
    session.expect(&format!("OK\r\n127.0.0.1:{port}[3](TX)> "));
    session.type_keys("exec\r");
    session.expect(&format!("OK\r\n127.0.0.1:{port}[3]> "));
    session.type_keys("quit\r");
    assert_eq!(session.end(), Some(0));
}

#[test]
fn commands_are_hinted_and_completed() {
    let (port, home) = (serve(), home());
    let mut session = Session::start(port, home.path());
    session.expect("> ");
    session.type_keys("get ");
    session.expect("get key");
    session.type_keys("k\r");
    session.expect("\"value\"\r\n");
    session.expect("> ");
    session.type_keys("wa\t");
    session.expect("WATCH ");
    session.type_keys("k\r");
    session.expect("OK\r\n");
    session.expect("> ");
    session.type_keys(":set nohints\r");
    session.expect("\r\n");
    session.expect("> ");
    session.type_keys("\x04");
    assert_eq!(session.end(), Some(0));
}

#[test]
fn history_outlives_the_session_but_secrets_do_not() {
    let (port, home) = (serve(), home());
    let mut session = Session::start(port, home.path());
    session.expect("> ");
    for line in ["get first", "auth secret", "get second"] {
        session.type_keys(&format!("{line}\r"));
        session.expect("\r\n");
        session.expect("> ");
    }
    session.type_keys("exit\r");
    assert_eq!(session.end(), Some(0));
    let saved = std::fs::read_to_string(home.path().join(".valkeycli_history")).unwrap();
    assert_eq!(saved, "get first\nget second\nexit\n");
    let mut session = Session::start(port, home.path());
    session.expect("> ");
    session.type_keys("\x1b[A\x1b[A");
    session.expect("get second");
    session.type_keys("\r");
    session.expect("\"value\"\r\n");
    session.expect("> ");
    session.type_keys("\x04");
    assert_eq!(session.end(), Some(0));
}

#[test]
fn messages_are_shown_until_a_key_or_an_interrupt() {
    let (port, home) = (serve(), home());
    let mut session = Session::start(port, home.path());
    session.expect("> ");
    session.type_keys("subscribe ch\r");
    session.expect("1) \"message\"\r\n2) \"ch\"\r\n3) \"hi\"\r\n");
    session.expect("Reading messages... (press Ctrl-C to quit or any key to type command)\r");
    session.type_keys("u");
    session.expect(&format!("127.0.0.1:{port}(subscribed mode)> "));
    session.type_keys("nsubscribe ch\r");
    session.expect("3) (integer) 0\r\n");
    session.expect(&format!("127.0.0.1:{port}> "));
    session.type_keys("subscribe ch\r");
    session.expect("any key to type command)\r");
    session.interrupt();
    session.expect("Closing current connection. Ready to reconnect to Valkey server... \r\n");
    session.expect(&format!("127.0.0.1:{port}> "));
    session.type_keys("monitor\r");
    session.expect("1.5 [0 x] \"ping\"\r\n");
    session.interrupt();
    session.expect(&format!("127.0.0.1:{port}> "));
    // At the prompt Ctrl-C is a key and leaves.
    session.type_keys("\x03");
    assert_eq!(session.end(), Some(0));
}

#[test]
fn lines_that_are_pasted_run_one_by_one() {
    let (port, home) = (serve(), home());
    let mut session = Session::start(port, home.path());
    session.expect("> ");
    session.type_keys("get a\rselect 1\rget b\rquit\r");
    session.expect("\"value\"\r\n");
    session.expect("OK\r\n");
    session.expect("\"value\"\r\n");
    assert_eq!(session.end(), Some(0));
}

#[test]
fn a_lost_server_is_found_again() {
    let (port, home) = (serve(), home());
    let mut session = Session::start(port, home.path());
    session.expect("> ");
    session.type_keys("select 2\r");
    session.expect("[2]> ");
    session.type_keys("die\r");
    session.expect("Error: Server closed the connection\r\n");
    session.expect("not connected> ");
    session.type_keys("get k\r");
    session.expect("\"value\"\r\n");
    session.expect(&format!("127.0.0.1:{port}[2]> "));
    session.type_keys("quit\r");
    assert_eq!(session.end(), Some(0));
}
