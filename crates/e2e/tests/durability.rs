//! What was acknowledged is there after `kill -9`.

use e2e::{Connection, Server, wait};
use std::sync::atomic::{AtomicBool, Ordering};

/// Writers count up, each on a key of its own and on one list, until the server is killed under them. What each was
/// told must be there afterwards; at most the one command that was under way may be there in addition.
fn kill_under_load(settings: &[&str]) {
    let mut server = Server::start(settings);
    let mut acknowledged = [0i64; 4];
    for round in 0..4 {
        let port = server.port();
        let going = AtomicBool::new(true);
        let started = AtomicBool::new(false);
        acknowledged = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..4)
                .map(|writer| {
                    let (going, started) = (&going, &started);
                    let mut told = acknowledged[writer];
                    scope.spawn(move || {
                        let mut client = Connection::open(port).unwrap();
                        let key = format!("counter:{writer}");
                        while going.load(Ordering::Relaxed) {
                            // Alone, and as a transaction of two.
                            let single = client.call(&["INCR", &key]);
                            let Ok(reply) = single else { break };
                            told = reply.integer();
                            let transaction =
                                [vec!["MULTI"], vec!["RPUSH", "list", &key], vec!["INCR", &key], vec!["EXEC"]];
                            let Ok(replies) = client.pipeline(&transaction) else { break };
                            told = replies[3].items()[1].integer();
                            started.store(told > 50, Ordering::Relaxed);
                        }
                        told
                    })
                })
                .collect();
            wait::until("the writers to be at work", || started.load(Ordering::Relaxed));
            server.kill();
            going.store(false, Ordering::Relaxed);
            let told: Vec<i64> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
            told.try_into().unwrap()
        });
        server.boot();
        let mut client = server.connect();
        for (writer, told) in acknowledged.iter_mut().enumerate() {
            let kept = client.run(&format!("GET counter:{writer}")).text().parse::<i64>().unwrap();
            assert!((*told..=*told + 1).contains(&kept), "round {round}: told {told}, kept {kept}");
            *told = kept;
        }
        // A transaction is there whole or not at all: each brought one element and one count.
        let pushed = client.run("LLEN list").integer();
        let counted: i64 = acknowledged.iter().sum();
        assert!(counted - 2 * pushed >= 0, "round {round}: {pushed} elements, {counted} counts");
    }
}

#[test]
fn appendfsync_always_loses_nothing() {
    kill_under_load(&["--appendonly", "yes", "--appendfsync", "always"]);
}

/// The file was written before the reply left, so the end of the process, as against the machine's, loses nothing.
#[test]
fn appendfsync_everysec_loses_nothing_when_only_the_process_ends() {
    kill_under_load(&["--appendonly", "yes", "--appendfsync", "everysec"]);
}

/// The tail that a crash cuts short is cut back to the last whole command, and the server says so.
#[test]
fn a_truncated_tail_is_cut_back() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.connect();
    client.expect("SET kept 1", "OK");
    client.expect("SET lost 1", "OK");
    server.kill();
    let folder = server.file("appendonlydir");
    let increment = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .unwrap();
    let length = std::fs::metadata(&increment).unwrap().len();
    let file = std::fs::OpenOptions::new().write(true).open(&increment).unwrap();
    file.set_len(length - 3).unwrap();
    server.boot();
    let mut client = server.connect();
    client.expect("GET kept", "\"1\"");
    client.expect("GET lost", "(nil)");
    client.expect("SET after cut", "OK");
    server.kill_and_restart();
    server.connect().expect("GET after", "\"cut\"");
}

/// A snapshot written on request is what a start finds.
#[test]
fn a_saved_dump_is_loaded() {
    let mut server = Server::start(&[]);
    e2e::dataset::fill(&server);
    let before = e2e::dataset::digest(&server);
    server.shut_down("SAVE");
    server.boot();
    assert_eq!(e2e::dataset::digest(&server), before);
}

/// CONFIG SET appendonly: what was there before goes into the first base, what follows behind it; and afterwards nothing.
#[test]
fn the_append_only_file_begins_and_ends_while_the_server_runs() {
    let mut server = Server::start(&["--save", "", "--appendfsync", "always"]);
    let mut client = server.connect();
    client.expect("SET before 1", "OK");
    client.expect("CONFIG SET appendonly yes", "OK");
    client.expect("SET behind 1", "OK");
    server.wait_for_log("Background AOF rewrite finished successfully");
    client.expect("CONFIG SET appendonly no", "OK");
    client.expect("SET after 1", "OK");
    server.kill();
    server.add_arguments(&["--appendonly", "yes"]);
    server.boot();
    server.connect().expect("MGET before behind after", "1) \"1\"\n2) \"1\"\n3) (nil)");
}
