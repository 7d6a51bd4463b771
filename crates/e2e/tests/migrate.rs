//! MIGRATE between two real servers.

use e2e::dataset::digest;
use e2e::{Program, Server, absent};

/// Moves keys of one server to another in small groups, several groups at a time.
fn move_all(from: &Server, to: &Server, prefix: &str, keys: usize) {
    std::thread::scope(|scope| {
        for part in 0..4 {
            scope.spawn(move || {
                let mut client = from.connect();
                let port = to.port().to_string();
                let names: Vec<String> = (0..keys).filter(|i| i % 4 == part).map(|i| format!("{prefix}:{i}")).collect();
                for group in names.chunks(10) {
                    let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"];
                    words.extend(group.iter().map(String::as_str));
                    assert_eq!(client.call(&words).unwrap().to_string(), "OK");
                }
            });
        }
    });
}

fn fill(server: &Server, prefix: &str, keys: usize) {
    let commands: Vec<Vec<String>> = (0..keys)
        .map(|i| {
            let words = ["RPUSH".to_string(), format!("{prefix}:{i}"), i.to_string(), "x".repeat(i % 300)];
            words.to_vec()
        })
        .collect();
    server.connect().pipeline(&commands).unwrap();
}

/// Both are I/O bound on each other: if a migration held up the thread that has to answer the other's RESTORE, both
/// would wait until their time is over.
#[test]
fn two_servers_migrate_into_each_other() {
    const KEYS: usize = 2_000;
    for threads in ["1", "3"] {
        let one = Server::start(&["--threads", threads, "--appendonly", "yes"]);
        let other = Server::start(&["--threads", threads]);
        fill(&one, "a", KEYS);
        fill(&other, "b", KEYS);
        let (first, second) = (digest(&one), digest(&other));
        std::thread::scope(|scope| {
            scope.spawn(|| move_all(&one, &other, "a", KEYS));
            scope.spawn(|| move_all(&other, &one, "b", KEYS));
        });
        assert_eq!((digest(&one), digest(&other)), (second.clone(), first), "each has what the other had");
        let mut one = one;
        one.kill_and_restart();
        assert_eq!(digest(&one), second, "the append-only file tells of the deletions");
    }
}

/// A client that counts on a server while the counter moves away: no count is lost and none is made twice.
#[test]
fn no_write_falls_between_the_copy_and_the_deletion() {
    const COUNTS: i64 = 3_000;
    for threads in ["1", "3"] {
        let one = Server::start(&["--threads", threads]);
        let other = Server::start(&["--threads", threads]);
        one.run("SET n 0");
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut client = one.connect();
                    for _ in 0..COUNTS / 2 {
                        client.run("INCR n");
                    }
                });
            }
            scope.spawn(|| {
                let (mut client, mut target) = (one.connect(), other.connect());
                for round in 0..50 {
                    let line = format!("MIGRATE 127.0.0.1 {} n {} 10000", other.port(), round % 16);
                    assert!(["OK", "NOKEY"].contains(&client.run(&line).to_string().as_str()));
                    target.expect(&format!("SELECT {}", round % 16), "OK");
                    let moved = target.run("GETDEL n");
                    if let Ok(moved) = moved.text().parse::<i64>() {
                        client.run(&format!("INCRBY n {moved}"));
                    }
                }
            });
        });
        assert_eq!(one.run("GET n").text(), COUNTS.to_string());
    }
}

#[test]
fn keys_move_to_a_real_valkey_and_back() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-server");
    };
    let ours = Server::start(&[]);
    let theirs = Server::start_program(&valkey, &[]);
    fill(&ours, "k", 200);
    let before = digest(&ours);
    move_all(&ours, &theirs, "k", 200);
    assert_eq!(digest(&theirs), before);
    move_all(&theirs, &ours, "k", 200);
    assert_eq!(digest(&ours), before);
}

/// A value that is big enough to be unpacked apart from the command: it arrives as it was, on its own and in a transaction, and
/// the requests behind it are answered behind it.
#[test]
fn a_big_value_arrives_as_it_was() {
    for threads in ["1", "3"] {
        let one = Server::start(&["--threads", threads]);
        let other = Server::start(&["--threads", threads, "--appendonly", "yes"]);
        let mut client = one.connect();
        for first in (0..50_000).step_by(1000) {
            let mut words = vec!["HSET".to_string(), "big".to_string()];
            words.extend((first..first + 1000).flat_map(|n| [n.to_string(), format!("value {n}")]));
            client.call(&words).unwrap();
        }
        let value = client.run("DEBUG DIGEST-VALUE big");
        let dumped = client.run("DUMP big");
        let payload = dumped.bytes().expect("a payload");
        assert!(payload.len() > 500_000, "{} bytes are not big", payload.len());
        let words = |line: &str| -> Vec<Vec<u8>> {
            line.split(' ').map(|word| if word == "PAYLOAD" { payload.to_vec() } else { word.into() }).collect()
        };
        let lines =
            ["RESTORE copy 0 PAYLOAD", "HLEN copy", "MULTI", "RESTORE copy 0 PAYLOAD REPLACE", "HLEN copy", "EXEC"];
        let replies = client.pipeline(&lines.map(words)).unwrap();
        assert_eq!((replies[0].to_string(), replies[1].integer()), ("OK".to_string(), 50_000));
        assert_eq!(replies[5].to_string(), "1) OK\n2) (integer) 50000");
        let mut damaged = payload.to_vec();
        damaged[100_000] ^= 1;
        let reply = client.call(&[&b"RESTORE"[..], b"damaged", b"0", &damaged]).unwrap();
        assert_eq!(reply.to_string(), "(error) ERR DUMP payload version or checksum are wrong");
        assert_eq!(client.run("DEBUG DIGEST-VALUE copy"), value);

        client.expect(&format!("MIGRATE 127.0.0.1 {} big 0 60000", other.port()), "OK");
        client.expect("EXISTS big", "(integer) 0");
        let mut other = other;
        assert_eq!(other.run("DEBUG DIGEST-VALUE big"), value);
        other.kill_and_restart();
        assert_eq!(other.run("DEBUG DIGEST-VALUE big"), value, "the append-only file has it");
    }
}
