//! How long is a group that Sentinels watch without a primary that takes writes?
//!
//! Three machines (network namespaces), each with a server and a Sentinel, with the published settings
//! (`down-after-milliseconds 5000`, `failover-timeout 60000`, quorum 2). A client asks a Sentinel of another machine and
//! tries to write, again and again; the time is that from the fault to the first write that is accepted by another server.
//! Then the fault is mended, the group becomes whole, and the next round's fault meets the server that leads by then.

use crate::sample::{Sample, seconds};
use crate::shared::{self, STEP};
use e2e::sentinels::{self, Machine, NAME, Settings, primary};
use e2e::{Connection, Hosts, Program, wait};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

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

/// One program's group.
struct Group {
    program: Program,
    hosts: Hosts,
    machines: Vec<Machine>,
}

fn ask(address: SocketAddr, words: &[&str]) -> Option<String> {
    let mut connection = Connection::open_at(address).ok()?;
    connection.set_patience(Duration::from_millis(500)).ok()?;
    let reply = connection.call(words).ok()?;
    Some(reply.bytes().map_or_else(|| reply.to_string(), |bytes| String::from_utf8_lossy(bytes).into_owned()))
}

impl Group {
    fn start(program: Program) -> Option<Group> {
        let hosts = Hosts::new(3)?;
        let settings = Settings {
            server: "",
            down_after: Duration::from_secs(5),
            failover_timeout: Duration::from_secs(60),
            quorum: 2,
        };
        let machines = sentinels::start(&program, &hosts, &settings);
        Some(Group { program, hosts, machines })
    }

    /// Waits until every server is in its place and every Sentinel knows it.
    fn wait_until_whole(&self) {
        let first = self.machines[0].sentinel.address();
        for machine in &self.machines {
            let (sentinel, server) = (machine.sentinel.address(), machine.server.address());
            wait::until("the group to become whole", || {
                let knows = ask(sentinel, &["INFO", "sentinel"]).unwrap_or_default();
                let up = ask(sentinel, &["SENTINEL", "SLAVES", NAME]).unwrap_or_default();
                let same = primary(sentinel) == primary(first);
                knows.contains("status=ok") && knows.contains("slaves=2,sentinels=3") && same && !up.contains("s_down")
            });
            wait::until("a server to take its place", || {
                let text = ask(server, &["INFO", "replication"]).unwrap_or_default();
                if primary(sentinel) == Some(server) {
                    text.contains("role:master") && text.contains("connected_slaves:2")
                } else {
                    text.contains("master_link_status:up")
                }
            });
        }
    }

    /// One fault: how long until another server takes a write.
    fn round(&mut self, fault: Fault) -> Duration {
        self.wait_until_whole();
        let (hosts, machines) = (&self.hosts, &mut self.machines);
        let leader = primary(machines[0].sentinel.address()).expect("the group is whole");
        let at = machines.iter().position(|machine| machine.server.address() == leader).expect("one of the three");
        let sentinel = machines[(at + 1) % 3].sentinel.address();
        let begin = Instant::now();
        match fault {
            Fault::Killed => machines[at].server.kill(),
            Fault::Hung => machines[at].server.signal("STOP"),
            Fault::CutOff => hosts.cut(at),
        }
        let took = loop {
            let named = primary(sentinel).filter(|named| *named != leader);
            if named.and_then(|named| ask(named, &["SET", "key", "value"])).is_some_and(|reply| reply == "OK") {
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
}

/// Prints the table.
pub fn measure(rounds: usize) {
    println!("| the primary | whose | least | median | most | rounds |\n|---|---|---|---|---|---|");
    for (fault, name) in FAULTS {
        let mut groups: Vec<(Group, Vec<Duration>)> = Vec::new();
        for program in shared::programs() {
            let Some(group) = Group::start(program) else { return };
            groups.push((group, Vec::new()));
        }
        for _ in 0..rounds {
            for (group, times) in &mut groups {
                times.push(group.round(fault));
            }
        }
        for (group, times) in groups {
            let times = Sample::of(times);
            let [least, median, most] = [times.least(), times.median(), times.most()].map(seconds);
            println!("| {name} | {} | {least} | {median} | {most} | {rounds} |", shared::title(&group.program));
        }
    }
}
