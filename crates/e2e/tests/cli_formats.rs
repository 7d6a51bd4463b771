//! What the command line tool prints, byte for byte beside `valkey-cli`.
//!
//! ```text
//!   commands.txt ──► Valkey ──► resp2.replies ──► a server that answers from the recording ──► valkey-cli ──► resp2.raw …
//!                 once, with RUBELLITE_RECORD=1                    │
//!                                                                  └──► ours: must print the same
//! ```
//!
//! The recording makes the test independent of what our server knows and of what time it is. Where Valkey is at hand,
//! the recording itself is checked against its tool, and both tools are run side by side against both servers, in a
//! session and with a process for each command.

use e2e::{Program, Reply, Server, absent, encode, words};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

const STYLES: [&str; 5] = ["raw", "no-raw", "csv", "json", "quoted-json"];
const PROTOCOLS: [u8; 2] = [2, 3];

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli")).join(name)
}

fn read(name: &str) -> String {
    std::fs::read_to_string(fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A command of the list.
struct Line {
    text: String,
    volatile: bool,
    of_its_connection: bool,
}

fn lines() -> Vec<Line> {
    let text = read("commands.txt");
    let commands = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let line = |line: &str| Line {
        text: line.trim_start_matches(['~', '@']).to_owned(),
        volatile: line.starts_with('~'),
        of_its_connection: line.starts_with('@'),
    };
    commands.map(line).collect()
}

fn split(line: &str) -> Vec<Vec<u8>> {
    words::split(line).unwrap_or_else(|| panic!("quotes do not match: {line}"))
}

/// Bytes as text that a diff can show: a line for each line, what is not printable as `\xHH`. A last line without an
/// end has a backslash behind it.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        match byte {
            b'\n' => text.push('\n'),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}").unwrap(),
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("\\\n");
    }
    text
}

/// Runs a tool to its end with these lines on its standard input.
fn session(program: &Program, port: u16, protocol: u8, style: &str, input: &str) -> Vec<u8> {
    let mut command = program.cli();
    command.args(["-p", &port.to_string(), &format!("-{protocol}"), &format!("--{style}")]);
    output(command, input)
}

fn output(mut command: Command, input: &str) -> Vec<u8> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // A tool that leaves early does not read the rest; what it printed tells why.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output().unwrap()
    });
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{command:?}");
    output.stdout
}

/// The first line in which two texts differ, with some lines around it.
fn assert_same(ours: &[u8], theirs: &str, what: &str) {
    let ours = shown(ours);
    if ours == theirs {
        return;
    }
    let (left, right): (Vec<_>, Vec<_>) = (ours.lines().collect(), theirs.lines().collect());
    let at = (0..).find(|&i| left.get(i) != right.get(i)).unwrap();
    let around = |lines: &[&str]| lines[at.saturating_sub(4).min(lines.len())..(at + 3).min(lines.len())].join("\n");
    panic!("{what}: line {} differs\n--- ours\n{}\n--- theirs\n{}", at + 1, around(&left), around(&right));
}

/// A server that knows one session by heart: it answers each command with the next recorded reply, and checks that it
/// is the command which the reply was recorded for.
fn replay(protocol: u8) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let replies: Vec<Vec<u8>> = read(&format!("resp{protocol}.replies")).lines().map(unescape).collect();
    let requests: Vec<Vec<u8>> = lines().iter().map(|line| encode(&split(&line.text))).collect();
    assert_eq!(requests.len(), replies.len(), "the recording is of another list: record it anew");
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(socket);
        let mut at = 0;
        while let Ok(Reply::Array(words)) = Reply::read(&mut reader) {
            let words: Vec<&[u8]> = words.iter().map(|word| word.bytes().unwrap()).collect();
            let answer = match replies.get(at) {
                _ if at == 0 && words == [b"HELLO".as_slice(), b"3"] => b"%1\r\n$5\r\nproto\r\n:3\r\n".as_slice(),
                Some(reply) if encode(&words) == requests[at] => {
                    at += 1;
                    reply
                }
                _ => b"-ERR not what was recorded\r\n",
            };
            reader.get_mut().write_all(answer).unwrap();
        }
    });
    port
}

fn unescape(line: &str) -> Vec<u8> {
    let [word] = split(&format!("\"{line}\"")).try_into().unwrap();
    word
}

/// What Valkey answers to the commands of the list, as it came.
fn record(protocol: u8, valkey: &Program) {
    let server = Server::start_program(valkey, &[]);
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let mut reader = Copying { inner: BufReader::new(socket.try_clone().unwrap()), seen: Vec::new() };
    let mut ask = |words: &[Vec<u8>]| {
        socket.write_all(&encode(words)).unwrap();
        Reply::read(&mut reader).unwrap();
        std::mem::take(&mut reader.seen)
    };
    if protocol == 3 {
        ask(&split("HELLO 3"));
    }
    let mut text = String::new();
    for line in lines() {
        let quoted = words::quote(&ask(&split(&line.text)));
        writeln!(text, "{}", &quoted[1..quoted.len() - 1]).unwrap();
    }
    std::fs::write(fixture(&format!("resp{protocol}.replies")), text).unwrap();
}

/// Keeps what is read through it.
struct Copying<R> {
    inner: R,
    seen: Vec<u8>,
}

impl<R: BufRead> Read for Copying<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(into)?;
        self.seen.extend_from_slice(&into[..count]);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Copying<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        let bytes = self.inner.fill_buf().unwrap_or_default();
        self.seen.extend_from_slice(&bytes[..count]);
        self.inner.consume(count);
    }
}

/// A Valkey of the release that the recording is of, or a later one.
fn valkey() -> Option<Program> {
    let Some(valkey) = Program::valkey() else {
        absent("no valkey-cli");
        return None;
    };
    let version = valkey.cli().arg("--version").output().unwrap().stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    let major: Option<u32> = version.split([' ', '.']).find_map(|word| word.parse().ok());
    if major.is_none_or(|major| major < 9) {
        absent(&format!("{} is older than the recording", version.trim_end()));
        return None;
    }
    Some(valkey)
}

fn whole_list() -> String {
    lines().iter().map(|line| format!("{}\n", line.text)).collect()
}

#[test]
fn recorded_replies_are_printed_as_valkey_cli_prints_them() {
    assert!(lines().len() >= 200);
    for protocol in PROTOCOLS {
        for style in STYLES {
            let printed = session(&Program::ours(), replay(protocol), protocol, style, &whole_list());
            let recorded = read(&format!("resp{protocol}.{style}"));
            assert_same(&printed, &recorded, &format!("RESP{protocol}, --{style}"));
        }
    }
}

#[test]
fn the_recording_is_what_valkey_cli_prints() {
    let Some(valkey) = valkey() else { return };
    let anew = std::env::var_os("RUBELLITE_RECORD").is_some();
    for protocol in PROTOCOLS {
        if anew {
            record(protocol, &valkey);
        }
        for style in STYLES {
            let printed = session(&valkey, replay(protocol), protocol, style, &whole_list());
            let name = format!("resp{protocol}.{style}");
            if anew {
                std::fs::write(fixture(&name), shown(&printed)).unwrap();
            }
            assert_same(&printed, &read(&name), &name);
        }
    }
}

#[test]
fn both_tools_print_the_same_of_both_servers() {
    let Some(valkey) = valkey() else { return };
    let ours = Program::ours();
    let lines = lines();
    let stable = || lines.iter().filter(|line| !line.volatile);
    let together: String = stable().map(|line| format!("{}\n", line.text)).collect();
    for server in [&valkey, &ours] {
        let server = Server::start_program(server, &[]);
        for protocol in PROTOCOLS {
            for style in ["raw", "no-raw", "csv", "json"] {
                let what = format!("{} RESP{protocol} --{style}", server.port());
                let [theirs, ours] = [&valkey, &ours].map(|tool| {
                    server.run("FLUSHALL");
                    session(tool, server.port(), protocol, style, &together)
                });
                assert_same(&ours, &shown(&theirs), &what);
            }
        }
        // A process for each command: the other way to run the tool. What it prints is gathered.
        let port = server.port().to_string();
        for (protocol, style) in [("-2", "--no-raw"), ("-3", "--json")] {
            let [theirs, ours] = [&valkey, &ours].map(|tool| {
                server.run("FLUSHALL");
                let alone = stable().filter(|line| !line.of_its_connection);
                alone
                    .flat_map(|line| {
                        let mut command = tool.cli();
                        command
                            .args(["-p", &port, protocol, style])
                            .args(split(&line.text).iter().map(|word| as_word(word)));
                        output(command, "")
                    })
                    .collect::<Vec<u8>>()
            });
            assert_same(&ours, &shown(&theirs), &format!("{port} {protocol} {style}, one by one"));
        }
    }
}

/// Words of the command line cannot hold a zero byte.
fn as_word(word: &[u8]) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(word.iter().copied().filter(|byte| *byte != 0).collect())
}
