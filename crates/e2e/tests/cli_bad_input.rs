//! What the command line tools say to wrong words, absent servers and servers that are none: one clear line on standard
//! error and the exit code that `docs/cli.md` promises; never a panic.

use e2e::{Program, Server};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

struct Ended {
    code: Option<i32>,
    out: String,
    err: String,
}

fn ended(mut command: Command) -> Ended {
    for name in ["AUTH", "RCFILE", "HISTFILE"] {
        command.env_remove(format!("VALKEYCLI_{name}")).env_remove(format!("REDISCLI_{name}"));
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let ended = Ended { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) };
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    ended
}

fn tool(name: &str) -> Command {
    Command::new(Path::new(Program::ours().cli().get_program()).with_file_name(name))
}

fn cli(words: &[&str]) -> Ended {
    let mut command = tool("valkey-cli");
    command.args(words);
    ended(command)
}

/// One line on standard error, nothing on standard output, exit code 1.
#[track_caller]
fn refused(words: &[&str], line: &str) {
    let ended = cli(words);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(1), "", format!("{line}\n").as_str()));
}

/// A port on which nobody listens for as long as the result lives.
fn closed_port() -> (TcpListener, String) {
    // Bound, so that nobody else gets it, to another address of this machine than the one that is asked.
    let listener = TcpListener::bind(("127.0.0.2", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

#[test]
fn words_that_are_no_flags() {
    refused(&["--nosuch"], "Unrecognized option or bad number of args for: '--nosuch'");
    refused(&["-p"], "Unrecognized option or bad number of args for: '-p'");
    refused(&["-p", "70000", "ping"], "Invalid server port.");
    refused(&["-t", "soon", "ping"], "Invalid connection timeout for -t.");
    refused(&["-u", "http://here", "ping"], "Invalid URI scheme");
    refused(&["-2", "-3", "ping"], "Options -2 and -3 are mutually exclusive.");
    refused(&["-x", "-X", "tag", "set", "k", "tag"], "Options -x and -X are mutually exclusive.");
    refused(&["--top", "many", "--keystats"], "--top conversion error.");
    refused(&["--tls", "ping"], "--tls cannot be used: TLS is not built into this release.");
    refused(&["--cacert", "file", "ping"], "--cacert cannot be used: TLS is not built into this release.");
    refused(&["-u", "valkeys://me:secret@h", "ping"], "valkeys:// cannot be used: TLS is not built into this release.");
    refused(&["--cluster"], "Unrecognized option or bad number of args for: '--cluster'");
    refused(&["--cluster", "nosuch"], "Unknown --cluster subcommand");
    refused(&["--cluster", "create"], "[ERR] Wrong number of arguments for specified --cluster sub command");
    refused(&["--cluster", "call", "h:1", "ping", "--dry-run"], "--dry-run cannot be used with --cluster call");
    refused(&["--cluster", "apply", "/nonexistent"], "Can't open file '/nonexistent': No such file or directory");
    refused(
        &["--cluster", "apply", "/dev/null"],
        "/dev/null: this is no plan: it does not begin with \"rubellite-plan 1\"",
    );
    let mut command = tool("redis-cli");
    command.arg(OsStr::from_bytes(b"--\xff\xfe"));
    let ended = self::ended(command);
    assert!(ended.code == Some(1) && ended.err.lines().count() == 1, "{}", ended.err);
}

#[test]
fn servers_that_are_not_there() {
    let (_kept, port) = closed_port();
    for (name, server) in [("valkey-cli", "Valkey"), ("redis-cli", "Redis")] {
        let mut command = tool(name);
        command.args(["-p", &port, "ping"]);
        let ended = ended(command);
        let line = format!("Could not connect to {server} at 127.0.0.1:{port}: Connection refused\n");
        assert_eq!((ended.code, ended.out, ended.err), (Some(1), String::new(), line));
    }
    refused(
        &["-s", "/nowhere/sock", "ping"],
        "Could not connect to Valkey at /nowhere/sock: No such file or directory",
    );
    for mode in [
        &["--scan"][..],
        &["--bigkeys"],
        &["--keystats"],
        &["--stat"],
        &["--pipe"],
        &["--rdb", "/nowhere/file"],
        &["--replica"],
        &["--latency"],
        &["--lru-test", "10"],
    ] {
        let words = [&["-p", &port], mode].concat();
        refused(&words, &format!("Could not connect to Valkey at 127.0.0.1:{port}: Connection refused"));
    }
    let ended = cli(&["-h", "nowhere.invalid", "ping"]);
    let begins = "Could not connect to Valkey at nowhere.invalid:6379: ";
    assert!(ended.code == Some(1) && ended.err.starts_with(begins) && ended.err.lines().count() == 1, "{}", ended.err);
    // A session whose input is a pipe goes on without a server, and says so for every command.
    let mut command = tool("valkey-cli");
    command.args(["-p", &port]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"ping\nping\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches("Connection refused").count(), 3);
}

/// Answers every connection with these bytes and closes it; the port.
fn impostor(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        while let Ok((mut socket, _)) = listener.accept() {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request);
            let _ = socket.write_all(answer);
        }
    });
    port.to_string()
}

#[test]
fn servers_that_are_none() {
    for (answer, line) in [
        (&b""[..], "Error: Server closed the connection"),
        (b"$10\r\nhalf", "Error: Server closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "Error: Protocol error, got \"H\" as reply type byte"),
        (b"$-7\r\n", "Error: Bad length in a reply"),
        (b":1x\r\n", "Error: Bad integer value"),
    ] {
        refused(&["-p", &impostor(answer), "get", "key"], line);
    }
    // Announced is not sent: no memory is taken for it.
    for answer in [&b"*1000000000\r\n:1\r\n"[..], b"$1000000000\r\nx", b"*1\r\n*1\r\n*1\r\n*1\r\n"] {
        let port = impostor(answer);
        for mode in [&["get", "key"][..], &["--scan"], &["--bigkeys"], &["--rdb", "/nowhere/file"]] {
            let ended = cli(&[&["-p", &port], mode].concat());
            assert_eq!(ended.code, Some(1), "{mode:?}: {}", ended.err);
        }
    }
    // Replies of another type than the one expected.
    for answer in
        [&b"+OK\r\n+OK\r\n+OK\r\n"[..], b"*0\r\n*0\r\n*0\r\n", b":7\r\n:7\r\n:7\r\n", b"$-1\r\n$-1\r\n", b"_\r\n_\r\n"]
    {
        let port = impostor(answer);
        for mode in [&["--scan"][..], &["--bigkeys"], &["--keystats"], &["--hotkeys"], &["--rdb", "-"], &["--replica"]]
        {
            let ended = cli(&[&["-p", &port], mode].concat());
            assert_eq!(ended.code, Some(1), "{mode:?}: {}", ended.err);
            assert!(!ended.err.is_empty(), "{mode:?}");
        }
    }
}

/// A node that tells this of its cluster, whatever it is asked.
fn strange_node(nodes: &str) -> String {
    let bulk = |text: &str| format!("${}\r\n{text}\r\n", text.len());
    let answer = bulk("cluster_enabled:1\r\n") + &bulk(nodes).repeat(9);
    format!("127.0.0.1:{}", impostor(answer.leak().as_bytes()))
}

#[test]
fn clusters_that_are_none() {
    let (_kept, closed) = closed_port();
    let unreachable = format!(
        "a 127.0.0.1:1@2 myself,master - 0 0 1 connected 0-5\nb 127.0.0.1:{closed}@1 master - 0 0 1 connected 6-9\n\
         c :0@0 master,noaddr - 0 0 1 disconnected\n"
    );
    for nodes in [
        "",
        "\n",
        "a\n",
        "a nowhere myself - 0 0 0 connected\n",
        "a 127.0.0.1:99999@1 myself,master - 0 0 0 connected\n",
        "a 127.0.0.1:1@1 master - 0 0 0 connected 0-5\n",
        "a 127.0.0.1:1@1 myself,master - 0 0 0 connected 0-99999999999 5-3 -1 [7 [8->- [9-<- [x->-y]\n",
        "a 127.0.0.1:1@1 myself,slave a 0 0 18446744073709551616 connected\n",
        &unreachable,
    ] {
        let place = strange_node(nodes);
        for words in [
            &["check", &place][..],
            &["info", &place],
            &["fix", &place, "--dry-run"],
            &["reshard", &place],
            &["rebalance", &place, "--cluster-weight", "a=0"],
            &["create", &place, "--cluster-replicas", "18446744073709551615"],
            &["add-node", &place, &place],
            &["del-node", &place, "a"],
        ] {
            let ended = cli(&[&["--cluster"], words].concat());
            assert!(matches!(ended.code, Some(0 | 1)), "{words:?} {nodes:?}: {:?} {}", ended.code, ended.err);
        }
    }
}

#[test]
fn what_the_server_refuses() {
    let server = Server::start(&["--requirepass", "sesame"]);
    let port = server.port().to_string();
    let with = |words: &[&str]| cli(&[&["-p", &port, "--no-auth-warning"], words].concat());
    let ended = with(&["get", "key"]);
    assert_eq!((ended.code, ended.out.trim_end()), (Some(0), "NOAUTH Authentication required."));
    let ended = with(&["-e", "get", "key"]);
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.trim_end()),
        (Some(1), "", "NOAUTH Authentication required.")
    );
    let ended = with(&["-a", "wrong", "get", "key"]);
    assert!(ended.err.starts_with("AUTH failed: WRONGPASS "), "{}", ended.err);
    let ended = with(&["-a", "sesame", "-n", "9999", "ping"]);
    assert!(ended.err.starts_with("SELECT 9999 failed: "), "{}", ended.err);
    let ended = with(&["-a", "sesame", "--rdb", "/nowhere/file"]);
    let last = ended.err.lines().last().unwrap_or_default().to_owned();
    assert_eq!((ended.code, last.as_str()), (Some(1), "Error opening '/nowhere/file': No such file or directory"));
    let ended = with(&["-a", "sesame", "--eval", "/nowhere/script"]);
    assert_eq!(
        (ended.code, ended.err.trim_end()),
        (Some(1), "Can't open file '/nowhere/script': No such file or directory")
    );
    let ended = with(&["-a", "sesame", "-X", "tag", "set", "key", "value"]);
    assert_eq!((ended.code, ended.err.trim_end()), (Some(1), "Using -X option but stdin tag not match."));
    let mut command = tool("redis-cli");
    command.args(["-p", &port, "get", "key"]).env("VALKEYCLI_AUTH", "sesame");
    let output = command.output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(0), &b"\n"[..]),
        "the other name's variable counts"
    );
}

#[test]
fn readers_that_have_gone() {
    let server = Server::start(&[]);
    server.run("DEBUG POPULATE 20000");
    let port = server.port().to_string();
    for words in [&["keys", "*"][..], &["--scan"], &["--bigkeys"], &["--help"], &["-r", "-1", "ping"]] {
        let mut command = tool("valkey-cli");
        command.args(["-p", &port]).args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code().is_some_and(|code| code <= 1) && !err.contains("panicked"), "{words:?}: {err}");
    }
    if let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") {
        let mut command = tool("valkey-cli");
        command.args(["-p", &port, "ping"]).stdout(full);
        assert_eq!(command.status().unwrap().code(), Some(1));
    }
}
