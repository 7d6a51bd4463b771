//! How long is a group without a primary that takes writes?
//!
//! ```text
//!   cargo run --release -p e2e --example failover -- [ROUNDS]
//! ```
//!
//! Three machines (network namespaces), each with a server and a Sentinel, with the published settings
//! (`down-after-milliseconds 5000`, `failover-timeout 60000`, quorum 2). A client asks a Sentinel of another machine and
//! tries to write, again and again; the time is that from the fault to the first write that is accepted by another server.
//! Then the fault is mended, the group becomes whole, and the next round's fault meets the server that leads by then.
//!
//! Rows are for a process that is killed, one that hangs (SIGSTOP), and a machine whose cable is pulled out; beside ours, the
//! same with Valkey's servers and Sentinels, if they are at hand. `RUBELLITE_BIN` and `RUBELLITE_PEERS` as for the tests.

use e2e::{Connection, Hosts, Program, Server, wait};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const NAME: &str = "myprimary";

/// How often the client tries.
const STEP: Duration = Duration::from_millis(5);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed,
    Hung,
    CutOff,
}

const FAULTS: [(Fault, &str); 3] = [
    (Fault::Killed, "its process is killed"),
    (Fault::Hung, "its process hangs"),
    (Fault::CutOff, "its machine is cut off"),
];

/// One machine's two processes.
struct Machine {
    server: Server,
    sentinel: Server,
}

fn start(program: &Program, hosts: &Hosts) -> Vec<Machine> {
    let mut leads: Option<SocketAddr> = None;
    let machine = |at: usize| {
        let host = hosts.host(at);
        let follows = leads.map_or(String::new(), |leads| format!("replicaof {} {}\n", leads.ip(), leads.port()));
        let text = format!(
            "bind 127.0.0.1 {}\nport PORT\nprotected-mode no\nsave \"\"\nrepl-diskless-sync-delay 0\n{follows}",
            host.ip
        );
        let mut server = Server::prepare_file(program, "server.conf", &text);
        server.move_to(host);
        server.boot();
        let primary = *leads.get_or_insert(server.address());
        let text = format!(
            "bind 127.0.0.1 {}\nport PORT\nprotected-mode no\nsentinel monitor {NAME} {} {} 2\n\
             sentinel down-after-milliseconds {NAME} 5000\nsentinel failover-timeout {NAME} 60000\n",
            host.ip,
            primary.ip(),
            primary.port()
        );
        let mut sentinel = Server::prepare_sentinel(program, &text);
        sentinel.move_to(host);
        sentinel.boot();
        Machine { server, sentinel }
    };
    (0..3).map(machine).collect()
}

fn ask(address: SocketAddr, words: &[&str]) -> Option<String> {
    let mut connection = Connection::open_at(address).ok()?;
    connection.set_patience(Duration::from_millis(500)).ok()?;
    Some(connection.call(words).ok()?.to_string())
}

/// Where a Sentinel says that the primary is.
fn named(sentinel: SocketAddr) -> Option<SocketAddr> {
    let mut connection = Connection::open_at(sentinel).ok()?;
    let reply = connection.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).ok()?;
    format!("{}:{}", reply.items().first()?.text(), reply.items().get(1)?.text()).parse().ok()
}

/// Waits until every server is in its place and every Sentinel knows it.
fn wait_until_whole(machines: &[Machine]) {
    for machine in machines {
        wait::until("the group to become whole", || {
            let knows = ask(machine.sentinel.address(), &["INFO", "sentinel"]).unwrap_or_default();
            let up = ask(machine.sentinel.address(), &["SENTINEL", "SLAVES", NAME]).unwrap_or_default();
            let same = named(machine.sentinel.address()) == named(machines[0].sentinel.address());
            knows.contains("status=ok") && knows.contains("slaves=2,sentinels=3") && same && !up.contains("s_down")
        });
        wait::until("a server to take its place", || {
            let text = ask(machine.server.address(), &["INFO", "replication"]).unwrap_or_default();
            let leads = named(machine.sentinel.address()) == Some(machine.server.address());
            if leads {
                text.contains("role:master") && text.contains("connected_slaves:2")
            } else {
                text.contains("master_link_status:up")
            }
        });
    }
}

/// One fault: how long until another server takes a write.
fn round(machines: &mut [Machine], hosts: &Hosts, fault: Fault) -> Duration {
    wait_until_whole(machines);
    let leader = named(machines[0].sentinel.address()).expect("the group is whole");
    let at = machines.iter().position(|machine| machine.server.address() == leader).expect("one of the three");
    let sentinel = machines[(at + 1) % 3].sentinel.address();
    let begin = Instant::now();
    match fault {
        Fault::Killed => machines[at].server.kill(),
        Fault::Hung => machines[at].server.signal("STOP"),
        Fault::CutOff => hosts.cut(at),
    }
    let took = loop {
        let primary = named(sentinel).filter(|primary| *primary != leader);
        if primary.and_then(|primary| ask(primary, &["SET", "key", "value"])).is_some_and(|reply| reply == "OK") {
            break begin.elapsed();
        }
        assert!(begin.elapsed() < Duration::from_secs(120), "nobody takes writes");
        std::thread::sleep(STEP);
    };
    match fault {
        Fault::Killed => machines[at].server.boot(),
        Fault::Hung => machines[at].server.signal("CONT"),
        Fault::CutOff => hosts.mend(at),
    }
    took
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(10, |count| count.parse().expect("a number of rounds"));
    println!("| the primary | whose | least | median | most | rounds |\n|---|---|---|---|---|---|");
    for (fault, name) in FAULTS {
        for program in [Some(Program::ours()), Program::valkey()].into_iter().flatten() {
            let Some(hosts) = Hosts::new(3) else { return };
            let mut machines = start(&program, &hosts);
            let mut times: Vec<Duration> = (0..rounds).map(|_| round(&mut machines, &hosts, fault)).collect();
            times.sort();
            let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
            let (least, median, most) = (times[0], times[rounds / 2], times[rounds - 1]);
            println!(
                "| {name} | {} | {} | {} | {} | {rounds} |",
                program.name,
                seconds(least),
                seconds(median),
                seconds(most)
            );
        }
    }
}
