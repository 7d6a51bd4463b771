//! The programs within the command line tool, and the ways to give it words: side by side with the peers' tools where
//! they are at hand, and against our own server.

use e2e::{Program, Server, absent, wait};
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

/// Our tool by one of its names.
fn ours(name: &str) -> PathBuf {
    Path::new(Program::ours().cli().get_program()).with_file_name(name)
}

#[derive(Debug, PartialEq)]
struct Ended {
    out: String,
    err: String,
    code: Option<i32>,
}

/// Runs a tool to its end with this on its standard input.
fn run(tool: &Path, words: &[&str], input: &[u8]) -> Ended {
    let mut command = Command::new(tool);
    command.args(words);
    run_command(command, input)
}

fn run_command(mut command: Command, input: &[u8]) -> Ended {
    command.env("TERM", "dumb").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ["RCFILE", "HISTFILE"] {
        command.env_remove(format!("VALKEYCLI_{name}")).env_remove(format!("REDISCLI_{name}"));
    }
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // A tool that does not read its input leaves it.
        scope.spawn(move || drop(stdin.write_all(input)));
        child.wait_with_output().unwrap()
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { out: text(&output.stdout), err: text(&output.stderr), code: output.status.code() }
}

/// Keys of every type, some of them odd.
const DATA: &[u8] = br#"
SET short hello
SET "with \"quotes\"" "\x00\xff"
SETRANGE long 100000 x
RPUSH list a b c
RPUSH other-list a
SADD set a b c d
HSET hash a 1 b 2
ZADD zset 1 a 2 b
GET short
GET short
SELECT 3
SET elsewhere 1
SELECT 4
DEBUG POPULATE 300 key 7
"#;

#[test]
fn modes_print_what_the_peers_tools_print() {
    for (peer, name) in [(Program::valkey(), "valkey-cli"), (Program::redis(), "redis-cli")] {
        let Some(peer) = peer else {
            absent(&format!("no {name}"));
            continue;
        };
        let theirs = PathBuf::from(peer.cli().get_program());
        if !is_new_enough(&theirs, name) {
            continue;
        }
        let server = Server::start_program(&peer, &["--maxmemory-policy", "allkeys-lfu"]);
        let port = server.port().to_string();
        assert_eq!(run(&theirs, &["-p", &port], DATA).code, Some(0));
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let script = file("good.lua", "local a = redis.call('get', KEYS[1])\nreturn {a, ARGV[1], 3}\n");
        let broken = file("broken.lua", "bad(");
        let dump = folder.path().join("dump.rdb").to_str().unwrap().to_owned();
        let mut cases: Vec<(Vec<&str>, &[u8])> = vec![
            (vec!["--bigkeys"], b""),
            (vec!["--bigkeys", "-n", "4", "--pattern", "key:1*"], b""),
            (vec!["--memkeys"], b""),
            (vec!["--memkeys-samples", "2", "--no-raw"], b""),
            (vec!["--hotkeys"], b""),
            (vec!["--scan"], b""),
            (vec!["--scan", "--no-raw", "--count", "2"], b""),
            (vec!["--scan", "--quoted-pattern", r#""with \x22*""#], b""),
            (vec!["--eval", &script, "short", ",", "x y"], b""),
            (vec!["--eval", &script, "short", ",", "x y", "--csv"], b""),
            (vec!["--eval", &broken], b""),
            (vec!["--ldb", "--eval", &script, "short", ",", "x"], b"s\np\nrestart\ne return  1\nc\nping\nquit\n"),
            (vec!["--ldb-sync-mode", "--eval", &script, "short", ",", "x"], b"n\nhelp\nabort\n"),
            (vec!["--ldb", "--eval", &broken], b""),
            (vec!["--ldb"], b""),
            (vec!["-x", "SET", "from-stdin"], b"text\n"),
            (vec!["-X", "here", "SET", "here", "value"], b"name"),
            (vec!["-X", "here", "SET", "key", "value"], b"name"),
            (vec!["--pipe"], b"SET a 1\r\nGET a\r\nNOSUCH\r\n"),
            (vec!["--pipe"], b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n2\r\n"),
            (vec!["--rdb", "/nowhere/file"], b""),
            (vec!["-r", "3", "-i", "0.001", "INCR", "counter"], b""),
            (vec!["-r", "2", "-D", "|", "-d", ";", "LRANGE", "list", "0", "-1"], b""),
            (vec!["--quoted-input", "GET", r#""s\x68ort""#], b""),
            (vec!["--quoted-input", "GET", "\"open"], b""),
            (vec!["-e", "NOSUCH"], b""),
            (vec!["-n", "3", "GET", "elsewhere"], b""),
            (vec!["-3", "HGETALL", "hash"], b""),
            (vec!["--show-pushes", "maybe", "PING"], b""),
            (vec!["-a", "wrong", "PING"], b""),
            (vec!["--user", "nobody", "--pass", "wrong", "--no-auth-warning", "PING"], b""),
            (vec![], b"3 incr again\n0 incr again\nget \"open\n:nosense\nrestart\nhelp-me\nEXIT\nping\n"),
            (vec![], b"subscribe a b\nunsubscribe a b\nsubscribe a\nping\nunsubscribe\n"),
            (vec!["-3"], b"subscribe a\nping\nunsubscribe\n"),
            (vec!["--csv"], b"multi\nset a 1\nget a\nexec\nselect 99999\nselect 3\nget elsewhere\n"),
        ];
        if name == "valkey-cli" {
            cases.push((vec![], b":get pubsub\nsubscribe a\n:get pubsub\nunsubscribe\n:get nosense\n"));
        } else {
            cases.extend([
                (vec!["--keystats", "--pattern", "[a-y]*"], &b""[..]),
                (vec!["--keystats-samples", "3", "--top", "2", "-n", "4"], b""),
                (vec!["--keystats", "--cursor", "64", "--count", "100", "-n", "4"], b""),
                (vec!["--top", "x"], b""),
                (vec!["--cursor", "-1"], b""),
            ]);
        }
        for (words, input) in cases {
            let words = [&["-p", &port][..], &words].concat();
            let once = |tool: &Path| {
                server.run("DEL again counter");
                let mut ended = run(tool, &words, input);
                // One line names the program by the path that it was called by.
                let lines = ended.err.lines().filter(|line| !line.starts_with("Try ")).map(|line| format!("{line}\n"));
                ended.err = lines.collect();
                ended
            };
            // A server that moves its keys between two runs tells them in another order.
            let (before, mine) = wait::until_some("the peer's tool to say the same twice", || {
                let (before, mine, after) = (once(&theirs), once(&ours(name)), once(&theirs));
                (before == after).then_some((before, mine))
            });
            assert_eq!(mine, before, "{name} {words:?}");
        }
        for tool in [&theirs, &ours(name)] {
            let ended = run(tool, &["-p", &port, "--rdb", &dump], b"");
            assert!(ended.code == Some(0) && ended.err.contains("Transfer finished with success"), "{}", ended.err);
            assert!(std::fs::read(&dump).unwrap().len() > 500);
        }
    }
}

/// Whether a peer's tool is of the release, or a later one, whose words ours uses under that name.
fn is_new_enough(tool: &Path, name: &str) -> bool {
    let help = run(tool, &["--help"], b"");
    let is_new =
        format!("{}{}", help.out, help.err).contains(if name == "redis-cli" { "--keystats" } else { "--mptcp" });
    if !is_new {
        absent(&format!("this {name} is older than the one whose words we use"));
    }
    is_new
}

#[test]
fn every_flag_of_the_peers_is_known() {
    let our_help = run(&ours("valkey-cli"), &["--help"], b"").out;
    let known: Vec<&str> = our_help.split([' ', ',', '\n']).collect();
    for (peer, name) in [(Program::valkey(), "valkey-cli"), (Program::redis(), "redis-cli")] {
        let Some(peer) = peer else {
            absent(&format!("no {name}"));
            continue;
        };
        let help = run(Path::new(peer.cli().get_program()), &["--help"], b"");
        let help = format!("{}{}", help.out, help.err);
        let flags: Vec<&str> = help
            .lines()
            .filter_map(|line| line.strip_prefix("  -"))
            .map(|line| line.split(' ').next().unwrap())
            .collect();
        assert!(flags.len() > 40, "{help}");
        for flag in flags {
            assert!(known.contains(&format!("-{flag}").as_str()), "{name} knows -{flag}");
        }
    }
}

#[test]
fn words_come_from_many_places() {
    let server = Server::start(&["--requirepass", "p@ss", "--unixsocket", "here.sock"]);
    let port = server.port().to_string();
    let tool = ours("valkey-cli");
    let ok = |ended: Ended, out: &str| {
        assert_eq!((ended.out.as_str(), ended.code), (out, Some(0)), "{}", ended.err);
    };
    let uri = format!("redis://:p%40ss@127.0.0.1:{port}/2");
    ok(run(&tool, &["-u", &uri, "--no-auth-warning", "SET", "key", "value"], b""), "OK\n");
    let uri = format!("valkey://default:p%40ss@localhost:{port}/2");
    ok(run(&ours("redis-cli"), &["-u", &uri, "--no-auth-warning", "GET", "key"], b""), "value\n");
    let socket = server.file("here.sock");
    let with = |variables: &[(&str, &str)], words: &[&OsStr]| {
        let mut command = Command::new(&tool);
        command.args(words).envs(variables.iter().copied());
        run_command(command, b"")
    };
    let words = ["-s".as_ref(), socket.as_os_str(), "-n".as_ref(), "2".as_ref(), "GET".as_ref(), "key".as_ref()];
    ok(with(&[("REDISCLI_AUTH", "p@ss")], &words), "value\n");
    ok(with(&[("VALKEYCLI_AUTH", "p@ss"), ("REDISCLI_AUTH", "wrong")], &words), "value\n");
    let ended = with(&[("VALKEYCLI_AUTH", "wrong")], &words);
    assert!(ended.err.starts_with("AUTH failed: WRONGPASS"), "{}", ended.err);
    ok(run(&tool, &["-p", &port, "--askpass", "PING"], b"p@ss\n"), "PONG\n");
    ok(
        run(&tool, &["-p", &port, "-4", "-h", "localhost", "-t", "5", "-a", "p@ss", "--no-auth-warning", "PING"], b""),
        "PONG\n",
    );
}

#[test]
fn keys_are_listed_and_reported() {
    let server = Server::start(&[]);
    let port = server.port().to_string();
    for (key, value) in [("user:1", "a"), ("user:2", "bb"), ("other", "ccc")] {
        server.run(&format!("SET {key} {value}"));
    }
    server.run("RPUSH list 1 2 3");
    let tool = ours("valkey-cli");
    let scan = |words: &[&str]| {
        let ended = run(&tool, &[&["-p", &port, "--scan"], words].concat(), b"");
        let mut lines: Vec<String> = ended.out.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(scan(&[]), ["list", "other", "user:1", "user:2"]);
    assert_eq!(scan(&["--pattern", "user:*", "--count", "1"]), ["user:1", "user:2"]);
    assert_eq!(scan(&["--quoted-pattern", r#""user\x3a2""#]), ["user:2"]);
    let report = run(&tool, &["-p", &port, "--bigkeys"], b"").out;
    for line in [
        "Biggest   list found '\"list\"' has 3 items",
        "Biggest string found '\"other\"' has 3 bytes",
        "3 strings with 6 bytes (75.00% of keys, avg size 2.00)",
        "Total key length in bytes is 21 (avg len 5.25)",
    ] {
        assert!(report.contains(line), "{line}:\n{report}");
    }
    let report = run(&ours("redis-cli"), &["-p", &port, "--bigkeys"], b"").out;
    assert!(report.contains("Biggest string found \"other\" has 3 bytes"), "{report}");
}

#[test]
fn a_pipe_tells_when_no_reply_comes() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let silent = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        socket.read_to_end(&mut seen).unwrap();
        seen
    });
    let ended = run(&ours("valkey-cli"), &["-p", &port, "--pipe", "--pipe-timeout", "1"], b"PING\r\n");
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.err, "No replies for 1 seconds: exiting.\n");
    assert_eq!(ended.out, "All data transferred. Waiting for the last reply...\nerrors: 1, replies: 0\n");
    assert!(silent.join().unwrap().starts_with(b"PING\r\n\r\n*2\r\n$4\r\nECHO\r\n$20\r\n"));
    let server = Server::start(&[]);
    let port = server.port().to_string();
    let many: String = (0..20_000).map(|i| format!("SET key:{i} {i}\r\n")).collect();
    let ended = run(&ours("valkey-cli"), &["-p", &port, "--pipe"], many.as_bytes());
    assert!(ended.out.ends_with("Last reply received from server.\nerrors: 0, replies: 20000\n"), "{}", ended.out);
    assert_eq!(server.run("DBSIZE").integer(), 20_000);
}

/// Runs a tool until its output holds a text, and ends it as Ctrl-C does; all it printed.
fn until_shown(mut command: Command, text: &str, meanwhile: impl Fn()) -> (String, ExitStatus) {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    let mut buf = [0; 4096];
    while !String::from_utf8_lossy(&seen).contains(text) {
        meanwhile();
        let count = stdout.read(&mut buf).unwrap();
        assert!(count > 0, "it ended before {text:?}: {}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&buf[..count]);
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    stdout.read_to_end(&mut seen).unwrap();
    (String::from_utf8_lossy(&seen).into_owned(), child.wait().unwrap())
}

#[test]
fn views_go_on_until_they_are_left() {
    let server = Server::start(&[]);
    let port = server.port().to_string();
    let view = |words: &[&str]| {
        let mut command = Command::new(ours("valkey-cli"));
        command.args(["-p", &port]).args(words);
        command
    };
    server.run("SET key value");
    let (text, _) = until_shown(view(&["--stat", "-i", "0.01"]), "(+1)", || ());
    assert!(
        text.starts_with("------- data ------ --------------------- load -------------------- - child -\nkeys "),
        "{text}"
    );
    let (text, _) = until_shown(view(&["--latency-history", "-i", "0.05", "--csv"]), "seconds range\n", || ());
    assert!(text.lines().next().unwrap().ends_with(",1"), "{text}");
    let (text, _) = until_shown(view(&["--latency-dist", "-i", "0.05"]), "Q\x1b[", || ());
    assert!(text.contains("From 0 to 100%: "), "{text}");
    let (text, _) = until_shown(view(&["--lru-test", "50"]), "Gets/sec | Hits: ", || ());
    assert!(text.contains("| Misses: "), "{text}");
    let ended = run(&ours("valkey-cli"), &["-p", &port, "--latency", "-i", "0.05", "--json"], b"");
    assert!(ended.out.starts_with("{\"min\": ") && ended.code == Some(0), "{}", ended.out);
    let ended = run(&ours("valkey-cli"), &["--intrinsic-latency", "0"], b"");
    assert!(ended.out.contains("total runs (avg latency: "), "{}", ended.out);
    // A replica sees what is written while it is there.
    let (text, _) = until_shown(view(&["--replica"]), "\"SET\",\"late\",", || {
        server.run("SET late value");
    });
    assert!(text.contains("\"SELECT\",\"0\"") || text.contains("\"select\",\"0\""), "{text}");
    wait::until("the replica to be gone", || server.info("connected_slaves") == "0");
}
