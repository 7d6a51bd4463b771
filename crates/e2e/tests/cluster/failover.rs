//! What a cluster does without a node: its replica takes over, another primary's replica moves in, slots are not served.

use std::time::{Duration, Instant};

use e2e::{Program, Server, wait};

use crate::client::Client;
use crate::scene::{address, create, id, manage, node, take_over, wait_for_agreement};

#[test]
fn a_primary_dies_and_comes_back() {
    let mut nodes: Vec<Server> = (0..6).map(|_| node(&Program::ours())).collect();
    create(&nodes, "1");
    // A primary is killed: its replica takes over with every key that it had acknowledged.
    let mut client = Client::of(nodes[1].port());
    let patience = Duration::from_secs(20);
    for n in 0..300 {
        let key = format!("kept:{n}");
        assert_eq!(client.call(&key, &["SET", &key, "here"], patience).expect("a reply").text(), "OK");
    }
    let name = id(&nodes[0]);
    wait::until("the replica has everything", || {
        let info = nodes[0].run("INFO replication").text();
        let offset = |field: &str| {
            let at = info.find(field)? + field.len();
            info[at..].split(['\r', ',']).next()?.parse::<u64>().ok()
        };
        offset("master_repl_offset:").is_some() && offset("master_repl_offset:") == offset("offset=")
    });
    nodes[0].kill();
    let begin = Instant::now();
    for n in 0..300 {
        let key = format!("kept:{n}");
        assert_eq!(client.call(&key, &["GET", &key], patience).expect("a reply").text(), "here", "{key}");
        assert_eq!(client.call(&key, &["SET", &key, "still"], patience).expect("a reply").text(), "OK");
    }
    eprintln!("all slots accept writes {:?} after a primary was killed", begin.elapsed());

    // It comes back and follows who has taken over.
    nodes[0].boot();
    wait::until("it is a replica", || nodes[0].info("role") == "slave");
    assert_eq!(id(&nodes[0]), name, "it knows who it is");
    nodes[0].wait_for_info("master_link_status", "up");
    let check = manage(&["check", &address(&nodes[1])]);
    assert!(check.stdout.contains("[OK] All nodes agree about slots configuration"), "{}", check.stdout);
    wait::until("every key is there", || {
        nodes[1..].iter().filter(|node| node.info("role") == "master").count() == 3
            && nodes[0].run("DBSIZE").integer() > 0
    });

    // And is made a primary again by hand, without a lost write.
    take_over(&nodes[0], &nodes.iter().collect::<Vec<_>>());
    for n in 0..300 {
        let key = format!("kept:{n}");
        assert_eq!(client.call(&key, &["GET", &key], patience).expect("a reply").text(), "still", "{key}");
    }
}

/// `cluster-require-full-coverage no`.
#[test]
fn without_full_coverage_the_rest_is_served() {
    let start = |_| {
        let words = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        Server::start_program(&Program::ours(), &[&words[..], &["--cluster-require-full-coverage", "no"]].concat())
    };
    let mut nodes: Vec<Server> = (0..3).map(start).collect();
    create(&nodes, "0");
    let (foo, hello) = ("SET foo bar", "SET hello world");
    assert_eq!(nodes[2].run(foo).to_string(), "OK", "slot 12182");
    assert_eq!(nodes[0].run(hello).to_string(), "OK", "slot 866");

    // A slot of nobody: its keys are not served, all others are.
    for node in &nodes {
        assert_eq!(node.run("CLUSTER DELSLOTS 12182").to_string(), "OK");
    }
    let unserved = "(error) CLUSTERDOWN Hash slot not served";
    wait::until("the slot to be nobody's", || nodes.iter().all(|node| node.run("GET foo").to_string() == unserved));
    assert_eq!(nodes[0].run("GET hello").to_string(), "\"world\"");
    assert_eq!(nodes[2].run("CLUSTER ADDSLOTS 12182").to_string(), "OK");

    // A primary dies without a replica: its slots are lost, and whoever asks for others is served.
    let dead = nodes[0].port();
    nodes[0].kill();
    wait::until("the failure to be known", || nodes[2].run("CLUSTER INFO").text().contains("cluster_slots_fail:5461"));
    assert!(nodes[2].run("CLUSTER INFO").text().contains("cluster_state:ok"));
    assert_eq!(nodes[2].run(foo).to_string(), "OK");
    assert_eq!(nodes[2].run(hello).to_string(), format!("(error) MOVED 866 127.0.0.1:{dead}"));

    // With full coverage required nobody is.
    assert_eq!(nodes[2].run("CONFIG SET cluster-require-full-coverage yes").to_string(), "OK");
    wait::until("the cluster to be down", || {
        nodes[2].run(foo).to_string() == "(error) CLUSTERDOWN The cluster is down"
    });
}

/// The tutorial's replica migration: the only replica of a primary goes, and a primary with two gives one of them.
#[test]
fn a_replica_moves_to_a_primary_that_has_lost_its_last() {
    let mut nodes: Vec<Server> = (0..7).map(|_| node(&Program::ours())).collect();
    let spare = nodes.pop().expect("seven nodes");
    create(&nodes, "1");
    let primary_of = |node: &Server| {
        let table = node.run("CLUSTER NODES").text();
        let own = table.lines().find(|line| line.contains("myself")).expect("a node knows itself");
        own.split(' ').nth(3).expect("a column for the primary").to_owned()
    };
    // Without a primary's id, the manager chooses among those with the fewest replicas.
    let added = manage(&["add-node", &address(&spare), &address(&nodes[0]), "--cluster-slave"]);
    assert!(added.status.success(), "{}{}", added.stdout, added.stderr);
    assert!(added.stdout.contains("Automatically selected master 127.0.0.1:"), "{}", added.stdout);
    nodes.push(spare);
    wait_for_agreement(&nodes.iter().collect::<Vec<_>>());
    let rich = primary_of(&nodes[6]);
    let (lonely, poor) = (3..6)
        .map(|at| (at, primary_of(&nodes[at])))
        .find(|(_, primary)| *primary != rich)
        .expect("two primaries have one replica each");
    nodes[lonely].kill();
    wait::until("a replica to move in", || {
        [3, 4, 5, 6].iter().filter(|&&at| at != lonely).any(|&at| primary_of(&nodes[at]) == poor)
    });
    let newcomer = (3..7).find(|&at| at != lonely && primary_of(&nodes[at]) == poor).expect("it was just there");
    nodes[newcomer].wait_for_info("master_link_status", "up");
    // Its former primary is content with the one that is left.
    assert_eq!((3..7).filter(|&at| at != lonely && primary_of(&nodes[at]) == rich).count(), 1);
}

#[test]
fn two_processes_cannot_be_one_node() {
    let first = node(&Program::ours());
    let mut second = Server::prepare(&Program::ours(), &["--cluster-enabled", "yes"]);
    let folder = first.folder().to_string_lossy().into_owned();
    second.add_arguments(&["--dir", &folder]);
    second.spawn();
    assert!(!second.wait_for_end().success());
    assert!(second.log().contains("is already used by a different Cluster node"), "{}", second.log());
}
