//! A planned change of primary between us and real peers: FAILOVER there, PSYNC … FAILOVER here, and back again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use e2e::dataset::{self, wait_until_equal};
use e2e::{Program, Server, wait};

/// Us alone, and with each peer that has FAILOVER in both roles.
fn pairs() -> Vec<(Program, Program)> {
    let ours = Program::ours();
    let knows = |peer: &Program| {
        let server = Server::start_program(peer, &[]);
        dataset::knows(&mut server.connect(), "FAILOVER")
    };
    let peers = Program::peers().into_iter().filter(knows);
    let beside = peers.flat_map(|peer| [(ours.clone(), peer.clone()), (peer, ours.clone())]);
    [(ours.clone(), ours.clone())].into_iter().chain(beside).collect()
}

fn follow(replica: &Server, port: u16) {
    assert_eq!(replica.run(&format!("REPLICAOF 127.0.0.1 {port}")).to_string(), "OK");
    replica.wait_for_info("master_link_status", "up");
}

/// Counts up until the server says that it takes no writes any more; answers how often it was told that it had.
fn count_up(port: u16, over: &AtomicBool) -> i64 {
    let mut client = e2e::Connection::open(port).expect("a connection");
    let mut counted = 0;
    while !over.load(Ordering::Relaxed) {
        let reply = client.run("INCR counter").to_string();
        if !reply.starts_with("(integer)") {
            assert!(reply.starts_with("(error) READONLY"), "{reply}");
            break;
        }
        counted += 1;
    }
    counted
}

/// Ends the writer whatever becomes of the test.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Hands over while somebody writes.
fn hand_over(from: &Server, to: &Server) {
    let before = from.run("INCR counter").integer();
    let over = AtomicBool::new(false);
    let counted = thread::scope(|scope| {
        let writer = scope.spawn(|| count_up(from.port(), &over));
        let _ends = Ends(&over);
        wait::until("some writes", || from.run("GET counter").to_string() != format!("\"{before}\""));
        assert_eq!(from.run(&format!("FAILOVER TO 127.0.0.1 {} TIMEOUT 20000", to.port())).to_string(), "OK");
        wait::until("the end of the failover", || {
            from.info("master_failover_state") == "no-failover" && from.info("role") == "slave"
        });
        writer.join().expect("the writer")
    });
    assert_eq!(to.info("role"), "master");
    assert_eq!(
        to.run("GET counter").to_string(),
        format!("\"{}\"", before + counted),
        "no write is lost, and none is new"
    );
    from.wait_for_info("master_link_status", "up");
    wait_until_equal(to, from);
}

#[test]
fn a_planned_failover_loses_nothing_and_copies_nothing() {
    for (one, other) in pairs() {
        println!("{} hands over to {}", one.name, other.name);
        let first = Server::start_program(&one, &["--repl-diskless-sync-delay", "0"]);
        let second = Server::start_program(&other, &["--repl-diskless-sync-delay", "0"]);
        follow(&second, first.port());
        hand_over(&first, &second);
        hand_over(&second, &first);
        // Without a write in between, too.
        for (from, to) in [(&first, &second), (&second, &first)] {
            assert_eq!(from.run("FAILOVER").to_string(), "OK");
            wait::until("the end of the failover", || from.info("role") == "slave" && to.info("role") == "master");
            from.wait_for_info("master_link_status", "up");
        }
        assert_eq!(first.info("sync_full"), "1", "the first sync only");
        assert_eq!(second.info("sync_full"), "0");
    }
}

#[test]
fn a_target_that_refuses_leaves_everything_as_it_was() {
    for (one, other) in pairs() {
        println!("{} asks {}, which refuses", one.name, other.name);
        let first = Server::start_program(&one, &["--repl-diskless-sync-delay", "0"]);
        let second = Server::start_program(&other, &[]);
        follow(&second, first.port());
        assert_eq!(second.run("ACL SETUSER default -psync").to_string(), "OK");
        assert_eq!(first.run("FAILOVER").to_string(), "OK");
        first.wait_for_log("aborted: Failover target rejected psync request");
        first.wait_for_info("role", "master");
        assert_eq!(first.run("SET k v").to_string(), "OK");
        assert_eq!(second.info("role"), "slave");
    }
}

#[test]
fn a_replica_comes_in_as_a_user_of_its_own() {
    for (primary, replica) in pairs() {
        println!("{} lets {} in as a user", primary.name, replica.name);
        let primary = Server::start_program(&primary, &["--repl-diskless-sync-delay", "0"]);
        primary.run("ACL SETUSER repl on >secret +psync +replconf +ping");
        primary.run("ACL SETUSER default on >other");
        let replica = Server::start_program(&replica, &["--masteruser", "repl", "--masterauth", "secret"]);
        follow(&replica, primary.port());
        let mut client = primary.connect();
        client.expect("AUTH other", "OK");
        client.expect("SET k v", "OK");
        wait::until("the write", || replica.run("GET k").to_string() == "\"v\"");
    }
}

/// A transaction as a Sentinel sends it: the new role is in force, in the file, and known to clients, all at once.
fn reconfigure(server: &Server, role: &str) {
    let mut client = server.connect();
    client.expect("MULTI", "OK");
    for line in [role, "CONFIG REWRITE", "CLIENT KILL TYPE normal", "CLIENT KILL TYPE pubsub"] {
        client.expect(line, "QUEUED");
    }
    let reply = client.run("EXEC").to_string();
    assert!(reply.starts_with("1) OK\n2) OK\n3) (integer) "), "{reply}");
}

#[test]
fn a_sentinels_transaction_changes_role_file_and_clients() {
    let ours = Program::ours();
    let primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let mut server =
        Server::configured(&ours, "redis.conf", "port PORT\nrepl-diskless-sync-delay 0\nsentinel-guard-ms 600000\n");
    let mut other = server.connect();
    other.expect(
        "SET k v",
        "(error) READONLY This server has just started and waits to be told its role by REPLICAOF: it \
                             takes no writes until then, or until the time of sentinel-guard-ms is over.",
    );
    reconfigure(&server, &format!("SLAVEOF 127.0.0.1 {}", primary.port()));
    assert!(other.call(&["PING"]).is_err(), "whoever has talked to the former primary must look for the new one");
    server.wait_for_info("master_link_status", "up");
    let file = |server: &Server| std::fs::read_to_string(server.file("redis.conf")).expect("the file");
    assert!(file(&server).contains(&format!("\nreplicaof 127.0.0.1 {}\n", primary.port())), "{}", file(&server));
    server.kill_and_restart();
    server.wait_for_info("role", "slave");
    reconfigure(&server, "REPLICAOF NO ONE");
    assert!(!file(&server).contains("replicaof 127"), "{}", file(&server));
    assert_eq!(server.run("SET k v").to_string(), "OK");
    server.kill_and_restart();
    assert!(server.run("SET k v").to_string().starts_with("(error) READONLY"), "it may have been replaced meanwhile");
    assert_eq!(server.run("REPLICAOF NO ONE").to_string(), "OK");
    assert_eq!(server.run("SET k v").to_string(), "OK");
}
