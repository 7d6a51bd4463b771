//! Many connections, many commands.

use e2e::dataset::{self, digest, wait_until_equal};
use e2e::workload::{Workload, foundation};
use e2e::{Connection, Program, Server, absent, wait};
use std::process::Command;

/// Raises this process' limit of open files, and so that of the servers it starts; says how many it has then.
fn raise_file_limit(wanted: u64) -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let mut numbers = line.split_whitespace().filter_map(|word| word.parse::<u64>().ok());
    let (soft, hard) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(u64::MAX));
    if soft >= wanted || hard < wanted {
        return soft.max(hard.min(soft));
    }
    let raised = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), &format!("--nofile={wanted}:{hard}")])
        .status();
    if raised.is_ok_and(|status| status.success()) { wanted } else { soft }
}

#[test]
fn ten_thousand_connections_at_once() {
    const CONNECTIONS: usize = 10_000;
    let needed = CONNECTIONS as u64 + 500;
    let limit = raise_file_limit(needed);
    if limit < needed {
        return absent(&format!("{limit} open files are allowed, {needed} are needed"));
    }
    let server = Server::start(&["--maxclients", "10100"]);
    let mut clients: Vec<Connection> = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        clients.push(Connection::open(server.port()).unwrap_or_else(|e| panic!("connection {number}: {e}")));
    }
    // Everyone asks before anyone reads, three times over.
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(&["INCRBY", "sum", &number.to_string()]).unwrap();
            client.send(&["ECHO", &format!("{round}:{number}")]).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            assert!(client.receive().unwrap().integer() >= number as i64);
            assert_eq!(client.receive().unwrap().text(), format!("{round}:{number}"));
        }
    }
    let sum = 3 * CONNECTIONS * (CONNECTIONS - 1) / 2;
    assert_eq!(server.run("GET sum").text(), sum.to_string());
    let connected: usize = server.info("connected_clients").parse().unwrap();
    assert!(connected >= CONNECTIONS, "{connected} clients are connected");
    drop(clients);
    wait::until("the connections to be forgotten", || server.info("connected_clients") == "1");
}

/// Commands of every type from several connections, with a replica attached: what the replica has, what a reload of
/// the snapshot gives, and what the append-only file gives after kill -9, are what memory held.
#[test]
fn random_commands_from_several_connections_end_equal_everywhere() {
    const CONNECTIONS: u64 = 6;
    const COMMANDS: usize = 20_000;
    let settings = ["--appendonly", "yes", "--appendfsync", "everysec", "--repl-backlog-size", "100mb"];
    let mut primary = Server::start(&settings);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    replica.wait_for_info("master_link_status", "up");
    primary.connect().pipeline(&foundation()).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..CONNECTIONS {
            let primary = &primary;
            scope.spawn(move || {
                let mut client = primary.connect();
                let forms = if Program::ours().is_rubellite() { Workload::strict } else { Workload::new };
                let mut workload = forms(seed, &|name: &str| dataset::knows(&mut primary.connect(), name));
                for round in 0..COMMANDS / 500 {
                    let mut commands: Vec<_> = (0..500).map(|_| workload.any().words).collect();
                    // Half of the pipelines are transactions.
                    if round % 2 == 1 {
                        commands.insert(0, vec![b"MULTI".to_vec()]);
                        commands.push(vec![b"EXEC".to_vec()]);
                    }
                    let replies = client.pipeline(&commands).unwrap();
                    let last = replies.last().unwrap();
                    assert!(round % 2 == 0 || last.items().len() == 500, "{last}");
                }
            });
        }
    });
    assert_eq!(primary.run("SET last word").to_string(), "OK");
    wait_until_equal(&primary, &replica);
    assert_eq!(replica.run("GET last").to_string(), "\"word\"");
    let memory = digest(&primary);
    e2e::dataset::reload(&mut primary.connect(), "RELOAD");
    assert_eq!(digest(&primary), memory, "after a save and a load");
    e2e::dataset::reload(&mut primary.connect(), "LOADAOF");
    assert_eq!(digest(&primary), memory, "after a load of the append-only file");
    primary.kill_and_restart();
    assert_eq!(digest(&primary), memory, "after kill -9 and a start");
    replica.wait_for_info("master_link_status", "up");
    wait_until_equal(&primary, &replica);
}

/// A replica under a primary's full load falls behind by little, and catches up when the load ends.
#[test]
fn a_replica_keeps_up() {
    let primary = Server::start(&["--repl-backlog-size", "256mb"]);
    let replica = Server::start(&["--replicaof", "127.0.0.1", &primary.port().to_string()]);
    replica.wait_for_info("master_link_status", "up");
    std::thread::scope(|scope| {
        for writer in 0..4u32 {
            let primary = &primary;
            scope.spawn(move || {
                let mut client = primary.connect();
                for round in 0..100u32 {
                    let commands: Vec<Vec<String>> = (0..500u32)
                        .map(|i| {
                            let key = (writer * 7919 + round * 104_729 + i * 31) % 50_000;
                            vec!["SET".to_string(), format!("key:{key}"), "x".repeat(64)]
                        })
                        .collect();
                    assert!(client.pipeline(&commands).unwrap().iter().all(|reply| !reply.is_error()));
                }
            });
        }
    });
    wait::until("the lag to be gone", || {
        primary.info("master_repl_offset") == replica.info("master_repl_offset")
            && primary.info("slave0").contains(",lag=0")
    });
    wait_until_equal(&primary, &replica);
    assert_eq!(primary.info("sync_full"), "1", "the replica was never told to start over");
}

/// Memory that data took is given back when the data goes.
#[test]
fn memory_returns_after_flushall() {
    let server = Server::start(&[]);
    let used = || server.info("used_memory").parse::<i64>().unwrap();
    let empty = used();
    let mut client = server.connect();
    for round in 0..50u32 {
        let commands: Vec<Vec<String>> =
            (0..1000u32).map(|i| vec!["SET".to_string(), format!("key:{round}:{i}"), "x".repeat(200)]).collect();
        client.pipeline(&commands).unwrap();
    }
    let full = used();
    assert!(full - empty > 10_000_000, "{full} bytes in use");
    client.expect("FLUSHALL SYNC", "OK");
    let limit = empty + (full - empty) / 50;
    wait::until("the memory to be given back", || used() < limit);
}
