//! What is wrong from outside: broken protocol, wrong directives, corrupt files, wrong passwords, a disk that is
//! full. Each gets the exact error, a log line with the place, and nothing is lost.

use e2e::{Connection, Output, Program, Server, dataset, wait};
use std::process::Command;

#[test]
fn broken_protocol_is_refused_and_nobody_else_notices() {
    let server = Server::start(&[]);
    let mut bystander = server.connect();
    let long = |first: &str| [first.as_bytes(), &vec![b'1'; 70_000]].concat();
    let cases: &[(Vec<u8>, &str)] = &[
        (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$-5\r\n".to_vec(), "invalid bulk length"),
        (b"*1\r\n$abc\r\n".to_vec(), "invalid bulk length"),
        (b"*abc\r\n".to_vec(), "invalid multibulk length"),
        (b"*1\r\nfoo\r\n".to_vec(), "expected '$', got 'f'"),
        (b"*1\r\n$4\r\nPINGxxPING\r\n".to_vec(), "invalid CRLF in request"),
        (b"SET \"a\r\n".to_vec(), "unbalanced quotes in request"),
        (long("x"), "too big inline request"),
        (long("*"), "too big mbulk count string"),
        (long("*1\r\n$"), "too big bulk count string"),
    ];
    for (bytes, what) in cases {
        let mut client = server.connect();
        // The server may close before it has read all.
        let _ = client.send_bytes(bytes);
        let reply = client.receive().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(reply.to_string(), format!("(error) ERR Protocol error: {what}"));
        assert!(client.receive().is_err(), "the connection ends after {what}");
        bystander.expect("PING", "PONG");
    }
    // Strange, and still to be answered.
    let strange: &[(&[u8], &str)] = &[
        (b"\r\n\r\nPING\r\n", "PONG"),
        (b"*0\r\n*-1\r\nPING\r\n", "PONG"),
        (b"*1\r\n$0\r\n\r\n", "(error) ERR unknown command '', with args beginning with: "),
        (b"+PING\r\n", "(error) ERR unknown command '+PING', with args beginning with: "),
    ];
    for (bytes, reply) in strange {
        let mut client = server.connect();
        client.send_bytes(bytes).unwrap();
        assert_eq!(client.receive().unwrap().to_string(), *reply);
        client.expect("PING", "PONG");
    }
    // A browser's request is no command.
    let mut browser = server.connect();
    browser.send_bytes(b"POST / HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
    assert!(browser.receive().is_err());
    // A promise of two thousand million arguments takes no memory.
    let mut greedy = server.connect();
    let before: i64 = server.info("used_memory").parse().unwrap();
    greedy.send_bytes(b"*2000000000\r\n$3\r\nSET\r\n").unwrap();
    bystander.expect("PING", "PONG");
    let after: i64 = server.info("used_memory").parse().unwrap();
    assert!(after - before < 50_000_000, "{} bytes for nothing", after - before);
}

/// The start ends with status 1; returns what was printed.
fn refused(server: &mut Server) -> String {
    server.spawn();
    let status = server.wait_for_end();
    assert_eq!(status.code(), Some(1), "{}", server.log());
    server.log()
}

#[test]
fn a_wrong_directive_stops_the_start_with_line_and_reason() {
    let cases = [
        (
            "port PORT\n\n# fine\nbogus yes\n",
            "at line 4",
            ">>> 'bogus yes'",
            "Bad directive or wrong number of arguments",
        ),
        ("maxmemory lots\n", "at line 1", ">>> 'maxmemory lots'", "argument must be a memory value"),
        ("appendfsync often\n", "at line 1", ">>> 'appendfsync often'", "argument(s) must be one of the following"),
        ("\nappendonly perhaps\n", "at line 2", ">>> 'appendonly perhaps'", "argument must be 'yes' or 'no'"),
        ("port 123456\n", "at line 1", ">>> 'port 123456'", "argument must be between 0 and 65535 inclusive"),
        ("save 10\n", "at line 1", ">>> 'save 10'", "Invalid save parameters"),
    ];
    for (text, line, quote, reason) in cases {
        let mut server = Server::prepare_file(&Program::ours(), "wrong.conf", text);
        let log = refused(&mut server);
        for part in ["FATAL CONFIG FILE ERROR", line, quote, reason] {
            assert!(log.contains(part), "{text:?}: {part:?} is missing in\n{log}");
        }
    }
    let mut server = Server::prepare_file(&Program::ours(), "wrong.conf", "include nowhere.conf\n");
    let log = refused(&mut server);
    assert!(log.contains("nowhere.conf") && log.contains("No such file or directory"), "{log}");
}

#[test]
fn a_corrupt_snapshot_is_refused_and_left_as_it_is() {
    let mut server = Server::start(&[]);
    dataset::fill(&server);
    server.shut_down("SAVE");
    let path = server.file("dump.rdb");
    let good = std::fs::read(&path).unwrap();
    let damaged: [Vec<u8>; 3] = [
        // Cut short, one bit turned, another magic.
        good[..good.len() / 2].to_vec(),
        good.iter().enumerate().map(|(at, &byte)| if at == good.len() - 20 { byte ^ 1 } else { byte }).collect(),
        [b"NOTRDB".as_slice(), &good[6..]].concat(),
    ];
    for bytes in damaged {
        std::fs::write(&path, &bytes).unwrap();
        refused(&mut server);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "the file is evidence");
        let mut check = Program::ours().tool("check-rdb");
        check.arg(&path);
        let output = Output::of(check);
        assert!(!output.status.success(), "check-rdb finds nothing wrong:\n{}", output.stdout);
    }
    std::fs::write(&path, &good).unwrap();
    server.boot();
}

#[test]
fn an_append_only_file_that_is_broken_in_the_middle_is_refused_until_it_is_mended() {
    let settings = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no"];
    let mut server = Server::start(&settings);
    let mut client = server.connect();
    for number in 0..100 {
        client.expect(&format!("SET key:{number} value"), "OK");
    }
    server.kill();
    let path = server.file("appendonlydir/appendonly.aof.1.incr.aof");
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 20].fill(b'#');
    std::fs::write(&path, &bytes).unwrap();
    let log = refused(&mut server);
    assert!(log.contains("Bad file format reading the append only file") && log.contains("--fix"), "{log}");
    let manifest = server.file("appendonlydir/appendonly.aof.manifest");
    let run = |words: &[&str]| {
        let mut command = Program::ours().tool("check-aof");
        command.args(words).arg(&manifest);
        Output::of(command)
    };
    let check = run(&[]);
    assert!(!check.status.success() && check.stdout.contains("not valid"), "{}", check.stdout);
    // It asks before it cuts.
    let mut fix = Program::ours().tool("check-aof");
    fix.arg("--fix").arg(&manifest);
    let mut shell = e2e::Shell::open(fix);
    shell.type_line("y");
    let (text, status) = shell.close();
    assert!(status.success(), "{text}");
    assert!(run(&[]).status.success());
    server.boot();
    let kept = server.run("DBSIZE").integer();
    assert!((30..70).contains(&kept), "{kept} keys were kept");
}

#[test]
fn a_wrong_password_is_an_error_for_clients_and_for_replicas() {
    let mut primary = Server::start(&["--requirepass", "secret"]);
    let mut stranger = primary.connect();
    stranger.expect("GET key", "(error) NOAUTH Authentication required.");
    stranger.expect("AUTH guess", "(error) WRONGPASS invalid username-password pair or user is disabled.");
    let cli = primary.cli(&["-a", "guess", "PING"]);
    let text = format!("{}{}", cli.stdout, cli.stderr);
    assert!(text.contains("AUTH failed: WRONGPASS") && text.contains("NOAUTH"), "{text}");
    let replica = Server::start(&["--masterauth", "guess", "--replicaof", "127.0.0.1", &primary.port().to_string()]);
    replica.wait_for_log("Unable to AUTH to");
    assert_eq!(replica.info("master_link_status"), "down");
    replica.connect().expect("CONFIG SET masterauth secret", "OK");
    replica.wait_for_info("master_link_status", "up");
    primary.set_password("secret");
    primary.connect().expect("SET key value", "OK");
    wait::until("the value on the replica", || replica.run("GET key").to_string() == "\"value\"");
}

/// A server that is told of a file too large by an error, not by a signal.
fn start_limitable(settings: &[&str]) -> Server {
    let mut server = Server::prepare(&Program::ours(), settings);
    server.ignore_signal("XFSZ");
    server.boot();
    server
}

/// Limits the size of the files that a server may write: to it, the disk is full.
fn limit_files(server: &Server, size: &str) {
    let status = Command::new("prlimit")
        .args(["--pid", &server.process_id().to_string(), &format!("--fsize={size}:unlimited")])
        .status();
    assert!(status.expect("prlimit starts").success());
}

#[test]
fn writes_are_refused_while_snapshots_cannot_be_saved() {
    let server = start_limitable(&["--save", "3600 1"]);
    dataset::fill(&server);
    let mut client = server.connect();
    limit_files(&server, "100");
    assert!(!client.run("BGSAVE").is_error());
    server.wait_for_info("rdb_last_bgsave_status", "err");
    let reply = client.run("SET key value").to_string();
    assert!(reply.starts_with("(error) MISCONF "), "{reply}");
    client.expect("EXISTS key", "(integer) 0");
    limit_files(&server, "unlimited");
    assert!(!client.run("BGSAVE").is_error());
    server.wait_for_info("rdb_last_bgsave_status", "ok");
    client.expect("SET key value", "OK");
}

#[test]
fn writes_are_refused_while_the_append_only_file_cannot_grow() {
    let mut server = start_limitable(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let mut client = server.connect();
    client.expect("SET before limit", "OK");
    limit_files(&server, "300");
    let mut accepted = 0;
    let refused = wait::until_some("a write to be refused", || {
        let reply = client.run(&format!("SET key:{accepted} {}", "x".repeat(50)));
        if reply.is_error() {
            return Some(reply.to_string());
        }
        accepted += 1;
        None
    });
    assert!(refused.starts_with("(error) MISCONF Errors writing to the AOF file"), "{refused}");
    client.expect("GET before", "\"limit\"");
    limit_files(&server, "unlimited");
    wait::until("writes to be accepted again", || !client.run("SET after limit").is_error());
    server.wait_for_info("aof_last_write_status", "ok");
    server.shut_down("NOSAVE");
    server.boot();
    let mut client = server.connect();
    client.expect("GET before", "\"limit\"");
    client.expect("GET after", "\"limit\"");
    // Whatever was acknowledged is there: the limit has cost nothing.
    for number in 0..accepted {
        client.expect(&format!("EXISTS key:{number}"), "(integer) 1");
    }
}

#[test]
fn limits_of_clients() {
    let server = Server::start(&[
        "--maxclients",
        "5",
        "--client-query-buffer-limit",
        "1mb",
        "--client-output-buffer-limit",
        "normal 1mb 0 0",
    ]);
    // Too many at once: each gets the error, and the place that one leaves can be taken.
    let mut clients: Vec<Connection> = (0..5).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.expect("PING", "PONG"));
    let mut sixth = server.connect();
    assert_eq!(sixth.receive().unwrap().to_string(), "(error) ERR max number of clients reached");
    clients.truncate(2);
    wait::until("a place to be free", || {
        server.connect().call(&["PING"]).is_ok_and(|reply| reply.to_string() == "PONG")
    });
    // A command larger than the query buffer may be.
    let mut large = server.connect();
    let _ = large.send(&[b"SET".as_slice(), b"key", &vec![b'x'; 3_000_000]]);
    assert!(large.receive().is_err());
    // A client that asks and asks and does not read.
    clients[0].expect(&format!("SET key {}", "x".repeat(100_000)), "OK");
    let mut deaf = server.connect();
    wait::until("the client that does not read to be closed", || {
        let sent = (0..100).try_for_each(|_| deaf.send(&["GET", "key"]));
        sent.is_err() || clients[0].run("CLIENT LIST").text().lines().count() < 3
    });
    clients[1].expect("PING", "PONG");
}

#[test]
fn idle_clients_are_closed_and_subscribers_are_not() {
    let server = Server::start(&["--timeout", "1"]);
    let mut subscriber = server.connect();
    subscriber.run("SUBSCRIBE news");
    let mut idle = server.connect();
    idle.expect("PING", "PONG");
    assert!(idle.receive().is_err(), "the server closes");
    subscriber.send(&["PING"]).unwrap();
    assert_eq!(subscriber.receive().unwrap().items()[0].text(), "pong");
}
