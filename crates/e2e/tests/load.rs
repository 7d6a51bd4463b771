//! Many connections, many commands.

use e2e::dataset::{self, digest, wait_until_equal};
use e2e::workload::{Workload, foundation};
use e2e::{Connection, Program, Server, absent, wait};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

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

/// How much more than in a daily run is to be done: `RUBELLITE_SCALE`.
fn scale() -> usize {
    std::env::var("RUBELLITE_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// What the operating system knows of a server.
struct Usage {
    process: PathBuf,
}

impl Usage {
    fn of(server: &Server) -> Usage {
        Usage { process: Path::new("/proc").join(server.process_id().to_string()) }
    }

    fn field(&self, file: &Path, name: &str) -> u64 {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// Memory in use, in KiB.
    fn resident(&self) -> u64 {
        self.field(&self.process.join("status"), "VmRSS:")
    }

    /// How often its threads have gone to sleep, and so have been woken.
    fn sleeps(&self) -> u64 {
        let tasks = std::fs::read_dir(self.process.join("task")).expect("the server runs");
        tasks.map(|task| self.field(&task.unwrap().path().join("status"), "voluntary_ctxt_switches:")).sum()
    }

    /// Processor time, in hundredths of a second.
    fn processor(&self) -> u64 {
        let stat = std::fs::read_to_string(self.process.join("stat")).expect("the server runs");
        let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        numbers.skip(11).take(2).map(|number| number.parse::<u64>().unwrap()).sum()
    }
}

/// Thousands of connections at once, each of which asks and writes: nobody is left out, and nobody gets what is another's.
/// `RUBELLITE_SCALE=5` makes them ten thousand.
#[test]
fn many_connections_at_once() {
    let connections = 2_000 * scale();
    let needed = connections as u64 + 500;
    let limit = raise_file_limit(needed);
    if limit < needed {
        return absent(&format!("{limit} open files are allowed, {needed} are needed"));
    }
    for threads in ["1", "4"] {
        let maxclients = (connections + 100).to_string();
        let server = Server::start(&["--maxclients", &maxclients, "--threads", threads, "--tcp-backlog", "4096"]);
        let usage = Usage::of(&server);
        let used = || server.info("used_memory").parse::<i64>().unwrap();
        let (used_before, resident_before) = (used(), usage.resident());
        let began = Instant::now();
        let mut clients: Vec<Connection> = Vec::with_capacity(connections);
        for number in 0..connections {
            clients.push(Connection::open(server.port()).unwrap_or_else(|e| panic!("connection {number}: {e}")));
        }
        clients.iter_mut().for_each(|client| client.expect("PING", "PONG"));
        let connected = began.elapsed();
        let used_each = (used() - used_before) / connections as i64;
        let resident_each = (usage.resident() - resident_before) * 1024 / connections as u64;
        let began = Instant::now();
        // Everyone asks before anyone reads, three times over.
        for round in 0..3 {
            for (number, client) in clients.iter_mut().enumerate() {
                client.send(&["PING", &format!("{round}:{number}")]).unwrap();
                client.send(&["SET", &format!("key:{number}"), &format!("{round}")]).unwrap();
                client.send(&["INCRBY", "sum", &number.to_string()]).unwrap();
            }
            for (number, client) in clients.iter_mut().enumerate() {
                assert_eq!(client.receive().unwrap().text(), format!("{round}:{number}"));
                assert_eq!(client.receive().unwrap().to_string(), "OK");
                assert!(client.receive().unwrap().integer() >= number as i64);
            }
        }
        let served = began.elapsed();
        assert_eq!(server.run("GET sum").text(), (3 * connections * (connections - 1) / 2).to_string());
        assert_eq!(server.run("DBSIZE").integer(), connections as i64 + 1);
        assert!(server.info("connected_clients").parse::<usize>().unwrap() >= connections);
        drop(clients);
        wait::until("the connections to be forgotten", || server.info("connected_clients") == "1");
        server.run("FLUSHALL");
        wait::until("their memory to be given back", || used() - used_before < 400 * connections as i64);
        println!(
            "threads {threads}: {connections} connections in {connected:.2?}, {} commands in {served:.2?}, \
             each {used_each} B used and {resident_each} B resident, {} B left",
            9 * connections,
            used() - used_before,
        );
    }
}

/// An empty server with many threads has little to do and little to remember.
#[test]
fn an_idle_server_rests() {
    let server = Server::start(&["--threads", "16"]);
    let usage = Usage::of(&server);
    let time = Duration::from_secs(if scale() > 1 { 10 } else { 1 });
    let (began, processor, sleeps) = (Instant::now(), usage.processor(), usage.sleeps());
    wait::until("the time to pass", || began.elapsed() >= time);
    let (processor, sleeps) = (usage.processor() - processor, usage.sleeps() - sleeps);
    let per_second = sleeps as f64 / began.elapsed().as_secs_f64();
    let resident = usage.resident();
    println!(
        "threads 16: {resident} KiB resident, {processor}0 ms of processor in {time:?}, {per_second:.1} wakes a second"
    );
    assert!(resident < 32 * 1024, "{resident} KiB");
    assert!(per_second < 60.0, "{per_second} wakes a second");
    assert!(processor <= time.as_secs() * 5, "{processor} hundredths of a second");
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

/// Memory that data took is given back when the data goes, small values and big ones, by FLUSHALL and by its thread.
#[test]
fn memory_returns_after_flushall() {
    for how in ["SYNC", "ASYNC"] {
        let server = Server::start(&["--threads", "2"]);
        let usage = Usage::of(&server);
        let used = || server.info("used_memory").parse::<i64>().unwrap();
        let (empty, resident_empty) = (used(), usage.resident());
        let mut client = server.connect();
        for round in 0..50 * scale() {
            let commands: Vec<Vec<String>> = (0..1000)
                .map(|i| match i % 4 {
                    0 => vec!["HSET".into(), format!("hash:{round}"), format!("field:{i}"), "x".repeat(200)],
                    1 => vec!["ZADD".into(), format!("zset:{round}"), i.to_string(), format!("member:{i}")],
                    2 => vec!["RPUSH".into(), format!("list:{round}"), "x".repeat(200)],
                    _ => vec!["SET".into(), format!("key:{round}:{i}"), "x".repeat(400), "EX".into(), "1000".into()],
                })
                .collect();
            client.pipeline(&commands).unwrap();
        }
        let (full, resident_full) = (used(), usage.resident());
        assert!(full - empty > 8_000_000, "{full} bytes in use");
        client.expect(&format!("FLUSHALL {how}"), "OK");
        let limit = empty + (full - empty) / 50;
        wait::until("the memory to be given back", || used() < limit);
        // The allocator keeps freed pages for a while.
        let resident_limit = resident_empty + (resident_full - resident_empty) / 3;
        wait::until("the pages to be given back", || usage.resident() < resident_limit);
        println!(
            "FLUSHALL {how}: used {empty} B, full {full} B, then {} B; resident {resident_empty} KiB, full \
             {resident_full} KiB, then {} KiB",
            used(),
            usage.resident(),
        );
    }
}
