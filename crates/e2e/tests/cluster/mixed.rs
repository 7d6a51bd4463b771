//! Real peers' nodes and ours in one cluster, and one cluster that becomes the other.

use std::time::Duration;

use e2e::{Program, Server, absent, wait};

use crate::client::{Checker, Client};
use crate::load::{Failovers, Load};
use crate::scene::{address, create, id, manage_by, must, node, reshard, take_over, wait_for_agreement};

/// A peer whose nodes ours can share a cluster with, the newest first.
fn peer() -> Option<Program> {
    let peer = Program::valkey().or_else(Program::redis);
    if peer.is_none() {
        absent("no Valkey and no Redis is at hand");
    }
    peer
}

#[test]
fn a_peers_nodes_give_way_to_ours() {
    let Some(peer) = peer() else { return };
    let theirs: Vec<Server> = (0..6).map(|_| node(&peer)).collect();
    create(&theirs, "1");
    let mut failovers = Failovers::default();
    let checker = Checker::start(theirs[0].port(), false);
    let load = Load::start(theirs[1].port());

    // Ours join as replicas, one for each primary.
    let ours: Vec<Server> = (0..3).map(|_| node(&Program::ours())).collect();
    let all: Vec<&Server> = theirs.iter().chain(&ours).collect();
    for (at, node) in ours.iter().enumerate() {
        let primary = id(&theirs[at]);
        must(&[
            "add-node",
            &address(node),
            &address(&theirs[0]),
            "--cluster-replica",
            "--cluster-primary-id",
            &primary,
        ]);
        wait_for_agreement(&all[..7 + at]);
        node.wait_for_info("master_link_status", "up");
    }
    // They take over, one after the other.
    for node in &ours {
        failovers.during(|| take_over(node, &all));
        wait::until("the former primaries to step back", || {
            all.iter().filter(|node| node.info("role") == "master").count() == 3
        });
    }
    wait_for_agreement(&all);
    // They hand each other slots, by both managers.
    reshard(&ours[0], &ours[1], "600");
    wait_for_agreement(&all);
    let (from, to) = (id(&ours[1]), id(&ours[2]));
    let how = ["--cluster-from", &from, "--cluster-to", &to, "--cluster-slots", "600", "--cluster-yes"];
    let moved = manage_by(&peer, &[&["reshard", &address(&ours[2])], &how[..]].concat());
    assert!(moved.status.success(), "{}{}", moved.stdout, moved.stderr);
    wait_for_agreement(&all);
    // The others leave, and are switched off.
    let ids: Vec<String> = theirs.iter().map(id).collect();
    for id in &ids {
        must(&["del-node", &address(&ours[0]), id]);
    }
    wait_for_agreement(&ours.iter().collect::<Vec<_>>());
    drop(theirs);
    must(&["check", &address(&ours[1])]);
    load.stop(&failovers);
    let checked = checker.stop();
    eprintln!("{}: {checked:?}", peer.name);
    assert_eq!(checked.lost, 0, "a failover by hand loses nothing");
    let check = manage_by(&peer, &["check", &address(&ours[0])]);
    assert!(check.stdout.contains("[OK] All 16384 slots covered"), "{}{}", check.stdout, check.stderr);
}

#[test]
fn real_nodes_and_ours_are_one_cluster() {
    let Some(peer) = peer() else { return };
    let nodes: Vec<Server> = (0..6).map(|at| if at % 2 == 0 { node(&Program::ours()) } else { node(&peer) }).collect();
    create(&nodes, "1");
    let all: Vec<&Server> = nodes.iter().collect();
    let mut client = Client::of(nodes[0].port());
    let patience = Duration::from_secs(20);
    for n in 0..500 {
        let key = format!("k:{n}");
        assert_eq!(client.call(&key, &["SET", &key, "v"], patience).expect("a reply").text(), "OK");
    }
    let mut verify = || {
        for n in 0..500 {
            let key = format!("k:{n}");
            assert_eq!(client.call(&key, &["GET", &key], patience).expect("a reply").text(), "v", "{key}");
        }
    };
    // Every replica, whichever program it is, takes over from its primary by hand.
    let replicas: Vec<&Server> = nodes.iter().filter(|node| node.info("role") == "slave").collect();
    assert_eq!(replicas.len(), 3);
    for replica in replicas {
        replica.wait_for_info("master_link_status", "up");
        take_over(replica, &all);
    }
    verify();
    // Slots move between the two programs, both ways.
    let leading = || nodes.iter().filter(|node| node.info("role") == "master").collect::<Vec<&Server>>();
    let primaries =
        wait::until_some("the former primaries to step back", || Some(leading()).filter(|all| all.len() == 3));
    for (from, to) in [(0, 1), (1, 0), (1, 2)] {
        wait_for_agreement(&all);
        reshard(primaries[from], primaries[to], "300");
    }
    verify();
}
