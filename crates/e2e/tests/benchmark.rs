//! The load generator against real servers: as many requests as were asked for, the output that scripts read, and what
//! a person sees in a terminal.

use e2e::{Output, Program, Server};

fn benchmark(server: &Server, line: &str) -> Output {
    let mut command = Program::ours().tool("benchmark");
    command.args(["-p", &server.port().to_string()]).args(line.split_whitespace());
    Output::of(command)
}

/// Runs it and expects success and silence on standard error.
fn run(server: &Server, line: &str) -> String {
    let output = benchmark(server, line);
    assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
    output.stdout
}

/// How often a command was called since the last reset.
fn calls(server: &Server, command: &str) -> u64 {
    let text = server.run("INFO commandstats").text();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
    line.and_then(|rest| rest.split(',').next()).map_or(0, |calls| calls.parse().expect("a number of calls"))
}

#[test]
fn as_many_requests_arrive_as_were_asked_for() {
    let server = Server::start(&[]);
    for (line, set, get) in [
        ("-c 5 -n 10 -t set,get -q", 10, 10),
        ("-c 7 -n 1000 -t set,get --threads 3 -q", 1000, 1000),
        ("-c 3 -n 100 -P 5 -t get --csv", 0, 100),
        ("-c 3 -n 60 -k 1 -r 5 --sequential -q set k:__rand_int__ __data__ ; 2 get k", 20, 40),
        ("-n 50 -c 50 -t set --rps 1000 -d 5000 -q", 50, 0),
        ("-n 10 -c 2 -3 --dbnum 3 -t set -q", 10, 0),
    ] {
        server.run("CONFIG RESETSTAT");
        run(&server, line);
        assert_eq!((calls(&server, "set"), calls(&server, "get")), (set, get), "{line}");
    }
    assert!(server.info("db3").starts_with("keys=1,"));
}

#[test]
fn every_format_tells_the_same() {
    let server = Server::start(&[]);
    let full = run(&server, "-n 1000 -t set");
    let lines: Vec<&str> = full.lines().map(|line| line.rsplit('\r').next().unwrap_or(line)).collect();
    assert_eq!(lines[0], "====== SET ======");
    assert!(lines[1].starts_with("  1000 requests completed in "), "{full}");
    assert_eq!(&lines[2..5], ["  50 parallel clients", "  3 bytes payload", "  keep alive: 1"]);
    for title in ["Latency by percentile distribution:", "Cumulative distribution of latencies:", "Summary:"] {
        assert!(lines.contains(&title), "{title}\n{full}");
    }
    assert!(full.contains("(cumulative count 1000)") && !full.contains('█'), "{full}");

    let csv = run(&server, "-n 100 -t set,get --csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines[0].starts_with("\"test\",\"rps\",\"avg_latency_ms\",") && lines[2].starts_with("\"GET\",\""),
        "{csv}"
    );
    assert!(lines.iter().all(|line| line.matches(',').count() == 7), "{csv}");

    let quiet = run(&server, "-n 100 -t get -q");
    let last = quiet.trim_end().rsplit('\r').next().unwrap_or_default();
    assert!(last.starts_with("GET: ") && last.contains(" requests per second, p50="), "{quiet}");

    let json = run(&server, "-n 100 -c 4 --json ping");
    assert!(json.starts_with("{\"test\":\"ping\",\"requests\":100,") && json.ends_with("]}\n"), "{json}");
}

#[test]
fn what_goes_wrong_is_one_line_and_a_code() {
    let server = Server::start(&["--maxclients", "40"]);
    for (line, expect) in [
        ("-n 10 -c 5 nosuchcommand", "Error from server: ERR unknown command 'nosuchcommand'"),
        ("--user nobody -a wrong -t set", "replied with error:\nWRONGPASS"),
        ("-c 100 -I", "Error from server: ERR max number of clients reached"),
        ("--nosuch", "Invalid option \"--nosuch\" or option argument missing"),
        ("-n 5 --duration 1", "Options -n and --duration are mutually exclusive."),
        ("--cluster -t set", "Failed to fetch cluster configuration from"),
    ] {
        let output = benchmark(&server, line);
        assert_eq!(output.status.code(), Some(1), "{line}");
        assert!(output.stderr.contains(expect), "{line}: {}", output.stderr);
    }
    let mut nobody = Program::ours().tool("benchmark");
    nobody.args(["-p", "1", "-n", "1"]);
    let output = Output::of(nobody);
    assert_eq!(output.stderr, "Could not connect to server at 127.0.0.1:1: Connection refused\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn it_measures_real_peers_too() {
    for peer in Program::peers() {
        let server = Server::start_program(&peer, &["--requirepass", "secret"]);
        let mut command = Program::ours().tool("benchmark");
        let uri = format!("redis://default:secret@127.0.0.1:{}/2", server.port());
        command.args([
            "-u",
            &uri,
            "-n",
            "200",
            "-P",
            "4",
            "--csv",
            "-3",
            "--enable-tracking",
            "-t",
            "ping,set,get,lpush,lrange_100,mset,zadd,spop",
        ]);
        let output = Output::of(command);
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", peer.name);
        assert_eq!(output.stdout.lines().count(), 11, "{}", output.stdout);
    }
}
