//! Our command line client beside Valkey's: the same commands, the same bytes on standard output.
//!
//! `RUBELLITE_PEERS` names a folder with `bin/valkey-server` and `bin/valkey-cli`; without it these
//! tests say so and pass.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

const COMMANDS: &str = include_str!("side_by_side/commands.txt");

/// Styles in which replies can be printed, without a terminal and with one (`FAKETTY`).
const STYLES: &[&[&str]] = &[&[], &["--no-raw"], &["--csv"], &["--json"], &["--quoted-json"], &["-d", "|", "-D", ";"]];

/// A terminal matters for the default style, and, in any other, for messages and pushes.
fn terminals(style: &[&str]) -> &'static [bool] {
    if matches!(style, [] | ["--csv"]) { &[false, true] } else { &[false] }
}

struct Peer {
    server: Child,
    cli: PathBuf,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Peer {
    fn start() -> Option<Peer> {
        let Some(peers) = std::env::var_os("RUBELLITE_PEERS").map(PathBuf::from) else {
            println!("RUBELLITE_PEERS is not set: nothing compared");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("s");
        let mut server = Command::new(peers.join("bin/valkey-server"))
            .args(["--port", "0", "--save", "", "--enable-debug-command", "yes", "--unixsocket"])
            .arg(&socket)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(server.stdout.take().unwrap());
        let ready = log.lines().map_while(Result::ok).any(|line| line.contains("eady to accept connections"));
        assert!(ready, "the peer did not start");
        Some(Peer { server, cli: peers.join("bin/valkey-cli"), socket, _folder: folder })
    }

    /// Runs a client on an empty server, with `input` on its standard input.
    fn run(&self, client: &Path, args: &[&str], input: &str, terminal: bool) -> Output {
        let flush = Command::new(&self.cli).arg("-s").arg(&self.socket).args(["flushall"]).output().unwrap();
        assert!(flush.status.success());
        let mut command = Command::new(client);
        command.arg0("valkey-cli").arg("-s").arg(&self.socket).args(args).env_remove("FAKETTY").env("TERM", "dumb");
        if terminal {
            command.env("FAKETTY", "1");
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        // A client that leaves early closes its end, which is no failure of the test.
        let writer = thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        output
    }

    fn compare(&self, args: &[&str], input: &str, terminal: bool) {
        let ours = self.run(Path::new(env!("CARGO_BIN_EXE_rubellite")), args, input, terminal);
        let theirs = self.run(&self.cli, args, input, terminal);
        let show = |output: &Output| -> Vec<String> {
            output.stdout.split_inclusive(|byte| *byte == b'\n').map(|line| line.escape_ascii().to_string()).collect()
        };
        let (our_lines, their_lines) = (show(&ours), show(&theirs));
        if let Some(at) = (0..our_lines.len().max(their_lines.len())).find(|i| our_lines.get(*i) != their_lines.get(*i))
        {
            let around =
                |lines: &[String]| lines[at.saturating_sub(4).min(lines.len())..(at + 3).min(lines.len())].join("\n");
            panic!(
                "{args:?}, terminal {terminal}, line {at}\n--- ours\n{}\n--- theirs\n{}",
                around(&our_lines),
                around(&their_lines)
            );
        }
        assert_eq!(ours.status.code(), theirs.status.code(), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&ours.stderr), String::from_utf8_lossy(&theirs.stderr), "{args:?}");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn sessions_print_the_same_bytes() {
    let Some(peer) = Peer::start() else { return };
    let commands: Vec<&str> = COMMANDS.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")).collect();
    assert!(commands.len() > 200);
    // A line between commands, so that a difference is shown with the command that made it.
    let input: String =
        commands.iter().enumerate().map(|(i, command)| format!("{command}\necho \"-- after line {i}\"\n")).collect();
    for protocol in ["-2", "-3"] {
        for style in STYLES {
            for terminal in terminals(style) {
                let args: Vec<&str> = std::iter::once(protocol).chain(style.iter().copied()).collect();
                peer.compare(&args, &input, *terminal);
            }
        }
    }
}

#[test]
fn single_commands_print_the_same_bytes_and_leave_with_the_same_code() {
    let Some(peer) = Peer::start() else { return };
    let commands: &[&[&str]] = &[
        &["ping"],
        &["nosuchcommand", "a"],
        &["-e", "nosuchcommand"],
        &["-e", "set", "k", "v"],
        &["-r", "3", "incr", "x"],
        &["-r", "0", "incr", "x"],
        &["-n", "3", "set", "k", "v"],
        &["-n", "77", "ping"],
        &["-x", "set", "k"],
        &["-X", "TAG", "set", "TAG", "v"],
        &["-X", "TAG", "set", "k", "v"],
        &["--quoted-input", "set", "\"\\x00\"", "v"],
        &["--quoted-input", "set", "\"a"],
        &["lpush", "l", "a b", "", "c"],
        &["eval", "return {1,{2,{3}}}", "0"],
        &["memory", "doctor"],
        &["-a", "x", "ping"],
        &["-a", "x", "--no-auth-warning", "ping"],
        &["--user", "nobody", "-a", "x", "--no-auth-warning", "ping"],
        &["--scan"],
        &["shutdown", "nonsense"],
        &["--nosuchflag"],
        &["-2", "-3"],
        &["-p"],
    ];
    for command in commands {
        for style in STYLES {
            for terminal in terminals(style) {
                let args: Vec<&str> = style.iter().chain(command.iter()).copied().collect();
                peer.compare(&args, "from standard input\n", *terminal);
            }
        }
    }
}
