//! Real partitions: machines with servers and Sentinels, or with the nodes of a cluster, and a cable that is pulled out, broken
//! in one direction, or too thin.

use e2e::cluster::{self, Client};
use e2e::sentinels::{self, Machine, NAME, Settings};
use e2e::{Cluster, Connection, Fault, Hosts, Program, absent, wait};
use std::time::{Duration, Instant};

/// How long a node of a cluster may be silent.
const TIMEOUT: Duration = Duration::from_secs(2);
const PATIENCE: Duration = wait::PATIENCE;

fn group(hosts: &Hosts) -> Vec<Machine> {
    let settings = Settings {
        server: "min-replicas-to-write 1\nmin-replicas-max-lag 2\nrepl-timeout 10\n",
        down_after: Duration::from_secs(1),
        failover_timeout: Duration::from_secs(10),
        quorum: 2,
    };
    sentinels::start(&Program::ours(), hosts, &settings)
}

fn set(machine: &Machine, key: &str) -> String {
    machine.ask(&machine.server, &["SET", key, "value"]).to_string()
}

fn wait_until_three_of_three(machines: &[Machine]) {
    for machine in machines {
        let quorum = || machine.ask(&machine.sentinel, &["SENTINEL", "CKQUORUM", NAME]).to_string();
        let known = || machine.ask(&machine.sentinel, &["INFO", "sentinel"]).text();
        wait::until(
            || format!("three of three: {}", known()),
            || {
                quorum().starts_with("OK 3 usable")
                    && known().contains("status=ok")
                    && known().contains("slaves=2,sentinels=3")
            },
        );
    }
    wait::until("the first write", || set(&machines[0], "before") == "OK");
}

#[test]
fn a_primary_that_is_cut_off_gives_up_and_comes_back_as_a_replica() {
    let Some(hosts) = Hosts::new(3) else { return };
    let machines = group(&hosts);
    wait_until_three_of_three(&machines);
    let (first, others) = machines.split_first().expect("three machines");

    hosts.cut(0);
    // The minority: no writes, no failover of its own.
    wait::until("writes to be refused", || set(first, "lost").starts_with("(error) NOREPLICAS"));
    // The majority: another primary, which takes writes.
    wait::until("another primary", || {
        let named = others[0].primary();
        named != first.server.address() && named == others[1].primary()
    });
    let named = others[0].primary();
    let leader = others.iter().find(|machine| machine.server.address() == named).expect("one of the two");
    wait::until("a write to the new primary", || set(leader, "meanwhile") == "OK");
    assert_eq!(first.primary(), first.server.address(), "who cannot ask a majority changes nothing");
    assert!(set(first, "lost").starts_with("(error) NOREPLICAS"));
    assert!(!first.sentinel.log().contains("+elected-leader"), "a minority elects nobody");

    hosts.mend(0);
    for machine in &machines {
        wait::until("an agreement", || machine.primary() == named);
        if machine.host.ip != leader.host.ip {
            wait::until("the primary to be followed", || {
                let text = machine.ask(&machine.server, &["INFO", "replication"]).text();
                text.contains(&format!("master_host:{}", named.ip())) && text.contains("master_link_status:up")
            });
        }
        let get = || machine.ask(&machine.server, &["GET", "meanwhile"]).to_string();
        wait::until("what was written meanwhile", || get() == "\"value\"");
        assert_eq!(machine.ask(&machine.server, &["EXISTS", "before", "lost"]).integer(), 1);
    }
}

#[test]
fn a_replica_and_a_sentinel_that_are_cut_off_are_missed_by_nobody() {
    let Some(hosts) = Hosts::new(3) else { return };
    let machines = group(&hosts);
    wait_until_three_of_three(&machines);
    let (first, lonely) = (&machines[0], &machines[2]);
    hosts.cut(2);
    // The one that is alone believes everybody else to be down, and cannot do anything about it.
    lonely.sentinel.wait_for_log(&format!("+sdown master {NAME}"));
    first.sentinel.wait_for_log("+sdown slave");
    assert_eq!(set(first, "meanwhile"), "OK");
    hosts.mend(2);
    lonely.sentinel.wait_for_log(&format!("-sdown master {NAME}"));
    let get = || lonely.ask(&lonely.server, &["GET", "meanwhile"]).to_string();
    wait::until("what was written meanwhile", || get() == "\"value\"");
    for machine in &machines {
        assert_eq!(machine.primary(), first.server.address());
        assert!(!machine.sentinel.log().contains("+switch-master"));
    }
}

/// A cluster of three machines, each with a primary and a replica of another's; node `n` and node `n + 3` are on machine `n`.
fn three_machines(hosts: &Hosts) -> Cluster {
    let node = |at: usize| cluster::node(&Program::ours(), Some(hosts.host(at % 3)), TIMEOUT);
    let cluster = Cluster::create((0..6).map(node).collect(), 1);
    for at in 0..3 {
        assert_ne!(cluster.replica_of(&cluster.nodes[at]), at + 3, "a replica beside its primary is of no use");
    }
    cluster
}

fn keys(name: &str) -> Vec<String> {
    (0..200).map(|n| format!("{name}:{n}")).collect()
}

/// A key of the slots that a node serves.
fn key_of(connection: &mut Connection) -> String {
    let served = |key: &String| !connection.call(&["GET", key]).expect("a node that answers").is_error();
    (0..10_000).map(|n| format!("probe:{n}")).find(served).expect("a third of all slots")
}

/// The first machine's cable gets a fault; the rest goes on without it, and takes it back when it is whole again.
fn a_minority_gives_up(fault: Fault) {
    let Some(hosts) = Hosts::new(3) else { return };
    let cluster = three_machines(&hosts);
    let nodes = &cluster.nodes;
    let (lonely, neighbour) = (&nodes[0], &nodes[3]);
    let successor = &nodes[cluster.replica_of(lonely)];
    let mut client = Client::of(&nodes[1..3]);
    for key in keys("before") {
        client.set(&key, "kept", PATIENCE);
    }
    for primary in &nodes[..3] {
        cluster.wait_until_replicated(primary, &nodes[cluster.replica_of(primary)]);
    }
    let mut inside = hosts.host(0).connect(lonely.port()).expect("a connection within the machine");
    let key = key_of(&mut inside);

    if let Err(why) = hosts.break_cable(0, fault) {
        return absent(&why);
    }
    let begin = Instant::now();
    // The minority takes no write for longer than the node timeout, and says why.
    let refused = wait::until_some("writes to be refused", || {
        let reply = inside.call(&["SET", &key, "lost"]).expect("a node that answers").to_string();
        (reply != "OK").then_some((begin.elapsed(), reply))
    });
    assert_eq!(refused.1, "(error) CLUSTERDOWN The cluster is down");
    // The majority: its replica takes over.
    let mut heir = successor.connect();
    wait::until("the replica to take writes", || {
        heir.call(&["SET", &key, "kept"]).is_ok_and(|reply| !reply.is_error())
    });
    let taken = begin.elapsed();
    eprintln!("{fault:?}: writes are refused after {:?}, accepted elsewhere after {taken:?}", refused.0);
    assert!(refused.0 < TIMEOUT + TIMEOUT / 4, "a minority has taken writes for {:?}", refused.0);
    assert!(refused.0 < taken, "two primaries took writes at once");
    for key in keys("meanwhile") {
        client.set(&key, "kept", PATIENCE);
        assert_ne!(client.answered, lonely.address());
    }
    assert!(inside.call(&["GET", &key]).expect("a node that answers").is_error());
    assert!(!neighbour.log().contains("Failover election won"), "a minority elects nobody");

    hosts.mend(0);
    wait::until("the old primary to follow the new one", || lonely.info("role") == "slave");
    cluster.wait_until_whole();
    cluster.wait_until_agreed();
    assert_eq!(lonely.info("master_port"), successor.port().to_string());
    let mut client = Client::of(nodes);
    for key in [keys("before"), keys("meanwhile"), vec![key]].concat() {
        client.expect(&key, "kept", PATIENCE);
    }
    for primary in cluster.primaries() {
        let replicas = nodes.iter().filter(|node| node.info("master_port") == primary.port().to_string());
        for replica in replicas {
            cluster.wait_until_replicated(primary, replica);
            assert_eq!(primary.run("DBSIZE"), replica.run("DBSIZE"), "{}", replica.address());
        }
    }
}

#[test]
fn a_primary_of_a_cluster_that_is_cut_off_gives_up_and_comes_back_as_a_replica() {
    a_minority_gives_up(Fault::Cut);
}

#[test]
fn a_primary_of_a_cluster_that_hears_nobody_gives_up() {
    a_minority_gives_up(Fault::Deaf);
}

#[test]
fn a_primary_of_a_cluster_that_nobody_hears_gives_up() {
    a_minority_gives_up(Fault::Mute);
}

#[test]
fn where_there_is_no_majority_nobody_takes_over() {
    let Some(hosts) = Hosts::new(3) else { return };
    let cluster = three_machines(&hosts);
    let mut client = Client::of(&cluster.nodes);
    for key in keys("before") {
        client.set(&key, "kept", PATIENCE);
    }
    for primary in &cluster.nodes[..3] {
        cluster.wait_until_replicated(primary, &cluster.nodes[cluster.replica_of(primary)]);
    }
    let mut inside: Vec<Connection> = (0..3)
        .map(|at| hosts.host(at).connect(cluster.nodes[at].port()).expect("a connection within the machine"))
        .collect();
    let own: Vec<String> = inside.iter_mut().map(key_of).collect();
    hosts.cut(0);
    hosts.cut(1);
    for (connection, key) in inside.iter_mut().zip(&own) {
        wait::until("writes to be refused", || {
            let reply = connection.call(&["SET", key, "lonely"]).expect("a node that answers");
            reply.to_string().starts_with("(error) CLUSTERDOWN")
        });
    }
    for node in &cluster.nodes {
        assert!(!node.log().contains("Failover election won"), "{} was elected by a minority", node.address());
    }
    // The two that meet first are a majority, and may replace the third.
    hosts.mend(0);
    hosts.mend(1);
    cluster.wait_until_whole();
    cluster.wait_until_agreed();
    assert_eq!(cluster.primaries().len(), 3);
    for key in keys("before") {
        client.expect(&key, "kept", PATIENCE);
    }
}

#[test]
fn a_line_that_is_full_is_not_a_node_that_is_dead() {
    let Some(hosts) = Hosts::new(3) else { return };
    let cluster = three_machines(&hosts);
    let first = &cluster.nodes[0];
    let own = key_of(&mut first.connect());
    let epoch = first.run("CLUSTER INFO").text();
    if let Err(why) = hosts.break_cable(0, Fault::Thin { kbit: 2000 }) {
        return absent(&why);
    }
    // Each value crosses the line twice: on its way in, and to the replica.
    let mut client = Client::of([first]);
    let value = "v".repeat(100_000);
    let begin = Instant::now();
    let mut written = Vec::new();
    while begin.elapsed() < TIMEOUT * 3 {
        let key = format!("{{{own}}}:{}", written.len());
        client.set(&key, &value, PATIENCE);
        written.push(key);
    }
    let first_replica = &cluster.nodes[cluster.replica_of(first)];
    assert!(!first_replica.log().contains("Start of election"), "{}", first_replica.log());
    hosts.mend(0);
    cluster.wait_until_whole();
    cluster.wait_until_agreed();
    for key in &written {
        client.expect(key, &value, PATIENCE);
    }
    cluster.wait_until_replicated(first, first_replica);
    let same = |text: String| text.lines().find(|line| line.starts_with("cluster_current_epoch")).map(str::to_owned);
    assert_eq!(same(epoch), same(first.run("CLUSTER INFO").text()), "nobody has been elected");
}
