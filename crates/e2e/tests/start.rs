//! Starting, configuring and ending a server as users and service managers do.

use e2e::{Output, Program, Server, Shell, wait};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

#[test]
fn the_command_line_wins_over_the_file_and_files_include_files() {
    let mut server = Server::prepare_file(
        &Program::ours(),
        "main.conf",
        "port 1\nbind 127.0.0.1\nmaxmemory 10mb\ninclude more.conf\nhash-max-listpack-entries 7\n",
    );
    std::fs::write(server.file("more.conf"), "maxmemory 20mb # not 10\nhash-max-listpack-entries 8\n").unwrap();
    let port = server.port().to_string();
    server.add_arguments(&["--port", &port, "--set-max-intset-entries", "9", "--appendonly", "yes"]);
    // A comment behind a value is not a comment in this format.
    let mut wrong = Server::prepare_file(&Program::ours(), "wrong.conf", "maxmemory 20mb # not 10\n");
    wrong.spawn();
    assert_eq!(wrong.wait_for_end().code(), Some(1));
    std::fs::write(server.file("more.conf"), "maxmemory 20mb\nhash-max-listpack-entries 8\n").unwrap();
    server.boot();
    let mut client = server.connect();
    client.expect("CONFIG GET maxmemory", "1) \"maxmemory\"\n2) \"20971520\"");
    client.expect("CONFIG GET hash-max-listpack-entries", "1) \"hash-max-listpack-entries\"\n2) \"7\"");
    client.expect("CONFIG GET set-max-intset-entries", "1) \"set-max-intset-entries\"\n2) \"9\"");
    client.expect("CONFIG GET appendonly", "1) \"appendonly\"\n2) \"yes\"");
}

#[test]
fn options_from_standard_input() {
    let server = Server::prepare(&Program::ours(), &[]);
    let mut command = Program::ours().server();
    command.args(["-", "--bind", "127.0.0.1", "--save", ""]).current_dir(server.folder());
    let mut shell = Shell::open(command);
    shell.type_line(&format!("port {}\nhash-max-listpack-entries 3", server.port()));
    shell.end_input();
    shell.wait_for("Ready to accept connections");
    server.connect().expect("CONFIG GET hash-max-listpack-entries", "1) \"hash-max-listpack-entries\"\n2) \"3\"");
}

#[test]
fn a_unix_socket_serves_like_a_port() {
    let server = Server::start(&["--unixsocket", "here.sock", "--unixsocketperm", "700"]);
    let mut stream = std::os::unix::net::UnixStream::connect(server.file("here.sock")).unwrap();
    stream.write_all(b"SET key value\r\nGET key\r\n").unwrap();
    let mut reply = [0; 16];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+OK\r\n$5\r\nvalue\r\n");
    let output = server.cli(&["-s", server.file("here.sock").to_str().unwrap(), "GET", "key"]);
    assert_eq!(output.stdout, "value\n");
}

#[test]
fn a_daemon_writes_its_pid_and_its_log() {
    let server = Server::prepare(&Program::ours(), &[]);
    let port = server.port().to_string();
    let mut command = Program::ours().server();
    command.args(["--port", &port, "--bind", "127.0.0.1", "--daemonize", "yes", "--save", ""]);
    command.args(["--pidfile", "here.pid", "--logfile", "here.log"]).args(["--dir", server.folder().to_str().unwrap()]);
    let output = Output::of(command);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    let pid = wait::until_some("the pid file", || {
        let text = std::fs::read_to_string(server.file("here.pid")).ok()?;
        text.trim().parse::<u32>().ok()
    });
    let mut client = server.connect();
    assert!(client.run("INFO server").text().contains(&format!("process_id:{pid}\r\n")));
    // Clients are let in before that.
    let log = wait::until_some("the end of the start", || {
        let log = std::fs::read_to_string(server.file("here.log")).ok()?;
        log.contains("Ready to accept connections").then_some(log)
    });
    // pid:role day month year time level text
    let line = log.lines().find(|line| line.contains("Ready to accept")).unwrap();
    let words: Vec<&str> = line.split(' ').collect();
    assert_eq!(words[0], format!("{pid}:M"), "{line}");
    assert!(words[4].len() == 12 && words[5] == "*", "{line}");
    assert!(client.call(&["SHUTDOWN", "NOSAVE"]).is_err());
    wait::until("the daemon to end", || !server.file("here.pid").exists());
}

#[test]
fn config_rewrite_survives_a_restart() {
    let mut server = Server::configured(
        &Program::ours(),
        "mine.conf",
        "# my notes\nport PORT\nbind 127.0.0.1\nsave 900 1\nmaxmemory 1gb\n",
    );
    let mut client = server.connect();
    client.expect("CONFIG SET maxmemory 2gb hash-max-listpack-entries 99", "OK");
    client.expect("CONFIG SET save \"60 5 600 1\"", "OK");
    client.expect("CONFIG REWRITE", "OK");
    let text = std::fs::read_to_string(server.file("mine.conf")).unwrap();
    assert!(text.starts_with("# my notes\n") && text.contains("maxmemory 2gb"), "{text}");
    server.kill_and_restart();
    let mut client = server.connect();
    client.expect("CONFIG GET maxmemory", "1) \"maxmemory\"\n2) \"2147483648\"");
    client.expect("CONFIG GET hash-max-listpack-entries", "1) \"hash-max-listpack-entries\"\n2) \"99\"");
    client.expect("CONFIG GET save", "1) \"save\"\n2) \"60 5 600 1\"");
    let reply = client.run("CONFIG SET maxmemory 1gb appendfsync often").to_string();
    assert!(reply.starts_with("(error) ERR CONFIG SET failed (possibly related to argument 'appendfsync')"), "{reply}");
    client.expect("CONFIG GET maxmemory", "1) \"maxmemory\"\n2) \"2147483648\"");
}

#[test]
fn the_ways_to_end() {
    // With save points a polite end saves.
    for end in ["TERM", "INT", "SHUTDOWN"] {
        let mut server = Server::start(&["--save", "900 1"]);
        server.run("SET key value");
        match end {
            "SHUTDOWN" => drop(server.shut_down("")),
            signal => {
                server.signal(signal);
                assert_eq!(server.wait_for_end().code(), Some(0), "{}", server.log());
            }
        }
        assert!(server.log().contains("DB saved on disk"), "{end}: {}", server.log());
        server.boot();
        server.connect().expect("GET key", "\"value\"");
        server.shut_down("NOSAVE");
    }
    // Without save points it does not, unless it is told to.
    let mut server = Server::start(&[]);
    server.run("SET key value");
    server.shut_down("");
    assert!(!server.file("dump.rdb").exists());
    server.boot();
    server.run("SET key value");
    server.shut_down("SAVE");
    server.boot();
    server.connect().expect("GET key", "\"value\"");
    // What is changed after the last save is lost when it is told not to.
    server.run("SET key other");
    server.shut_down("NOSAVE");
    server.boot();
    server.connect().expect("GET key", "\"value\"");
}

#[test]
fn a_crash_leaves_a_report_and_the_signal() {
    let mut server = Server::start(&[]);
    let output = server.cli(&["DEBUG", "SEGFAULT"]);
    let text = format!("{}{}", output.stdout, output.stderr);
    assert!(text.contains("Error: Server closed the connection"), "{text}");
    let status = server.wait_for_end();
    assert_eq!(status.signal(), Some(11), "{status:?}");
    let log = server.log();
    for part in ["REDIS BUG REPORT START", "crashed by signal: 11", "STACK TRACE", "INFO OUTPUT", "CLIENT LIST OUTPUT"]
    {
        let theirs = part.replace("REDIS", "VALKEY");
        assert!(log.contains(part) || log.contains(&theirs), "{part} is missing:\n{log}");
    }
}

#[test]
fn server_and_cli_say_their_version() {
    for tool in ["server", "cli"] {
        let mut command: Command = Program::ours().tool(tool);
        command.arg("--version");
        let output = Output::of(command);
        assert!(output.status.success(), "{tool}: {}{}", output.stdout, output.stderr);
        assert!(output.stdout.bytes().any(|byte| byte.is_ascii_digit()), "{tool}: {}", output.stdout);
    }
}
