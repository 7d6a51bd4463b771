//! Everything at once: commands on keys, commands that want the whole server, clients that wait and clients that leave in
//! the middle. What is shown is that nobody waits for ever, and that in the end all copies of the data are equal.

use e2e::dataset::{self, digest, wait_until_equal};
use e2e::workload::{Workload, foundation};
use e2e::{Connection, Server, wait};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How much more than in a daily run is to be done: `RUBELLITE_SCALE`.
fn scale() -> usize {
    std::env::var("RUBELLITE_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A small generator of its own, so that what a client does depends on its number alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Commands that want the server to themselves, or that change what others may do.
const GREAT: &[&str] = &[
    "CONFIG SET maxmemory 0",
    "CONFIG SET hz 20",
    "CONFIG REWRITE",
    "CONFIG RESETSTAT",
    "CLIENT PAUSE 3 WRITE",
    "CLIENT PAUSE 3 ALL",
    "CLIENT UNPAUSE",
    "CLIENT LIST",
    "BGSAVE",
    "BGREWRITEAOF",
    "DBSIZE",
    "RANDOMKEY",
    "KEYS *",
    "SCAN 0 COUNT 100",
    "SORT l:1 BY w:* ALPHA",
    "SWAPDB 0 0",
    "SWAPDB 3 4",
    "DEBUG DIGEST",
    "DEBUG SPIN 15",
    "SCRIPT KILL",
    "INFO everything",
    "COMMAND COUNT",
    "SAVE",
];

/// One client's life: many connections, most of which end before all of their replies have come.
fn live(server: &Server, other: &Server, number: u64, rounds: usize, over: &AtomicBool) {
    let mut dice = Dice(number * 7919 + 1);
    let mut workload = Workload::strict(number, |name| !["FLUSHALL", "FLUSHDB"].contains(&name));
    let mut client = server.connect();
    for _ in 0..rounds {
        if over.load(Ordering::Relaxed) {
            return;
        }
        match dice.roll(10) {
            0..4 => {
                let commands: Vec<_> = (0..1 + dice.roll(30)).map(|_| workload.any().words).collect();
                answers(&mut client, &commands);
            }
            4 => {
                let words = |line: String| line.split(' ').map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
                let key = dice.roll(4);
                let mut commands = vec![words(format!("WATCH n:{key} l:{key}")), words("MULTI".to_string())];
                commands.extend((0..dice.roll(8)).map(|_| workload.any().words));
                commands.push(words(format!("LPUSH queue:{key} {number}")));
                commands.push(words("EXEC".to_string()));
                answers(&mut client, &commands);
            }
            5 => {
                let (a, b) = (dice.roll(4), dice.roll(4));
                let line = match dice.roll(3) {
                    0 => format!("BLPOP queue:{a} queue:{b} 0.01"),
                    1 => format!("BLMOVE queue:{a} queue:{b} LEFT RIGHT 0.01"),
                    _ => format!("BZMPOP 0.01 2 z:{a} z:{b} MIN"),
                };
                client.run(&line);
            }
            6 => {
                client.run(GREAT[dice.roll(GREAT.len() as u64) as usize]);
            }
            7 => {
                let key = dice.roll(4);
                let words = ["MIGRATE", "127.0.0.1", &other.port().to_string(), "", "0", "10000", "REPLACE", "KEYS"];
                let mut words: Vec<String> = words.iter().map(|word| word.to_string()).collect();
                words.extend([format!("s:{key}"), format!("queue:{key}")]);
                let reply = client.call(&words).unwrap().to_string();
                assert!(["OK", "NOKEY"].contains(&reply.as_str()) || reply.contains("BUSY"), "{reply}");
            }
            // It leaves in the middle: of a wait, of a transaction, of a pipeline.
            8 => {
                let key = dice.roll(4);
                client
                    .send_bytes(format!("WATCH n:{key}\r\nBLPOP nothing:{key} 0\r\nSET n:{key} 1\r\n").as_bytes())
                    .unwrap();
                std::mem::replace(&mut client, server.connect()).close();
            }
            _ => {
                client.send_bytes(b"MULTI\r\nKEYS *\r\nFLUSHDB\r\n").unwrap();
                let commands: Vec<_> = (0..50).map(|_| workload.any().words).collect();
                commands.iter().for_each(|command| client.send(command).unwrap());
                std::mem::replace(&mut client, server.connect()).close();
            }
        }
    }
}

/// Every command is answered, with whatever.
fn answers(client: &mut Connection, commands: &[Vec<Vec<u8>>]) {
    client.set_patience(Duration::from_secs(60)).unwrap();
    assert_eq!(client.pipeline(commands).expect("every command is answered").len(), commands.len());
}

#[test]
fn nobody_waits_for_ever() {
    for threads in ["1", "3"] {
        let mut server = Server::start(&[
            "--threads",
            threads,
            "--appendonly",
            "yes",
            "--save",
            "1 1",
            "--busy-reply-threshold",
            "5",
            "--repl-backlog-size",
            "100mb",
        ]);
        let other = Server::start(&["--threads", threads]);
        let replica = Server::start(&["--replicaof", "127.0.0.1", &server.port().to_string()]);
        replica.wait_for_info("master_link_status", "up");
        server.connect().pipeline(&foundation()).unwrap();
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..10)
                .map(|number| {
                    let (server, other, over) = (&server, &other, &over);
                    scope.spawn(move || live(server, other, number, 150 * scale(), over))
                })
                .collect();
            let failed = clients.into_iter().filter_map(|client| client.join().err()).count();
            over.store(true, Ordering::Relaxed);
            assert_eq!(failed, 0, "clients got no answer");
        });
        wait::until("the last pause to be over", || server.run("SET last word").to_string() == "OK");
        wait::until(|| server.run("CLIENT LIST").text(), || server.info("connected_clients") == "1");
        wait::until("the saves to be over", || {
            server.info("rdb_bgsave_in_progress") == "0" && server.info("aof_rewrite_in_progress") == "0"
        });
        assert_eq!(server.info("blocked_clients"), "0");
        wait_until_equal(&server, &replica);
        let memory = digest(&server);
        dataset::reload(&mut server.connect(), "LOADAOF");
        assert_eq!(digest(&server), memory, "after a load of the append-only file");
        server.kill_and_restart();
        assert_eq!(digest(&server), memory, "after kill -9 and a start");
        assert!(server.shut_down("NOSAVE").success());
    }
}

/// A client that goes on until the server has gone.
fn live_on(server: &Server, number: u64) -> std::io::Result<()> {
    let mut dice = Dice(number * 104_729 + 1);
    let mut workload = Workload::strict(number, |_| true);
    let mut client = Connection::open(server.port())?;
    loop {
        let mut commands: Vec<_> = (0..dice.roll(20)).map(|_| workload.any().words).collect();
        let great = GREAT[dice.roll(GREAT.len() as u64) as usize];
        commands.push(great.split(' ').map(|word| word.as_bytes().to_vec()).collect());
        for command in &commands {
            client.send(command)?;
        }
        if dice.roll(4) > 0 {
            for _ in &commands {
                client.receive()?;
            }
        } else {
            client = Connection::open(server.port())?;
        }
    }
}

/// The server ends when it is told to, whatever is under way: what is parked, queued or asleep holds nobody up.
#[test]
fn the_server_ends_in_the_middle_of_everything() {
    for threads in ["1", "3"] {
        let mut server = Server::prepare(&e2e::Program::ours(), &["--threads", threads, "--appendonly", "yes"]);
        server.add_arguments(&["--busy-reply-threshold", "5", "--save", "1 1"]);
        for round in 0..6 * scale() {
            server.boot();
            std::thread::scope(|scope| {
                for number in 0..8 {
                    let server = &server;
                    scope.spawn(move || live_on(server, number + round as u64 * 8).expect_err("the server ends"));
                }
                let began = std::time::Instant::now();
                wait::until("the load to have begun", || began.elapsed() > Duration::from_millis(100));
                // A pause or a busy unit may hold it back for a moment, but not for long.
                match round % 3 {
                    0 => server.signal("TERM"),
                    1 => end_with(&server, "SHUTDOWN NOSAVE"),
                    _ => end_with(&server, "SHUTDOWN SAVE"),
                }
            });
            server.wait_for_end();
        }
    }
}

/// Repeats a command until the connection breaks.
fn end_with(server: &Server, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    while let Ok(mut client) = Connection::open(server.port()) {
        if client.call(&words).is_err() {
            return;
        }
    }
}
