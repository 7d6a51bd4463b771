//! Clusters of the real binary, made and changed by the manager that people type.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use e2e::cluster::{self, Client, manage};
use e2e::{Cluster, Output, Program, Server, absent, wait};

fn node(program: &Program) -> Server {
    cluster::node(program, None, Duration::from_secs(2))
}

fn address(server: &Server) -> String {
    server.address().to_string()
}

#[test]
fn six_folders_a_failover_and_the_way_back() {
    let Cluster { mut nodes } = Cluster::create((0..6).map(|_| node(&Program::ours())).collect(), 1);
    let first = nodes[0].port();
    let python = ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let found = Command::new(python).args(["-c", "import redis.cluster"]).output();
        found.is_ok_and(|output| output.status.success())
    });
    let workload = |port: u16| {
        let Some(python) = python else { return absent("no python3 has redis-py with RedisCluster") };
        let mut command = Command::new(python);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis_py_cluster.py");
        command.args([script, &port.to_string(), "2000"]);
        let output = Output::of(command);
        assert!(output.stdout.contains("content:"), "{}{}", output.stdout, output.stderr);
    };
    workload(first);

    // A primary is killed: its replica takes over with every key that it had acknowledged.
    let mut client = Client::of(&nodes[1..]);
    let patience = Duration::from_secs(20);
    for n in 0..300 {
        let key = format!("kept:{n}");
        client.set(&key, "here", patience);
    }
    let name = nodes[0].run("CLUSTER MYID").text();
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
        client.expect(&key, "here", patience);
        client.set(&key, "still", patience);
    }
    eprintln!("all slots accept writes {:?} after a primary was killed", begin.elapsed());
    workload(nodes[1].port());

    // It comes back and follows who has taken over.
    nodes[0].boot();
    wait::until("it is a replica", || nodes[0].info("role") == "slave");
    assert_eq!(nodes[0].run("CLUSTER MYID").text(), name, "it knows who it is");
    nodes[0].wait_for_info("master_link_status", "up");
    let check = manage(&["check", &address(&nodes[1])]);
    assert!(check.stdout.contains("[OK] All nodes agree about slots configuration"), "{}", check.stdout);
    wait::until("every key is there", || {
        nodes[1..].iter().filter(|node| node.info("role") == "master").count() == 3
            && nodes[0].run("DBSIZE").integer() > 0
    });

    // And is made a primary again by hand, without a lost write.
    take_over(&nodes[0], &nodes);
    for n in 0..300 {
        let key = format!("kept:{n}");
        client.expect(&key, "still", patience);
    }
}

/// A replica takes over from its primary by hand. A primary that has not heard yet whose replica it is would not answer it, so
/// first everybody knows.
fn take_over(replica: &Server, nodes: &[Server]) {
    let name = replica.run("CLUSTER MYID").text();
    for node in nodes {
        wait::until("everybody to know a replica", || {
            let known = node.run("CLUSTER NODES").text();
            known.lines().any(|line| line.starts_with(&name) && line.contains("slave "))
        });
    }
    wait::until("it may take over", || !replica.run("CLUSTER FAILOVER").is_error());
    wait::until("it has taken over", || replica.info("role") == "master");
}

#[test]
fn slots_move_under_load_without_a_lost_key() {
    let Cluster { nodes } = Cluster::create((0..3).map(|_| node(&Program::ours())).collect(), 0);
    let over = Arc::new(AtomicBool::new(false));
    let written: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let writes = Arc::new(AtomicUsize::new(0));
    let load = {
        let (over, written, writes) = (over.clone(), written.clone(), writes.clone());
        let mut client = Client::of(&nodes);
        std::thread::spawn(move || {
            let mut n = 0u64;
            while !over.load(Ordering::Relaxed) {
                n += 1;
                let key = format!("{{tag{}}}:{}", n % 97, n % 1500);
                let reply = client.call(&key, &["INCR", &key], Duration::from_secs(20)).expect("served in time");
                assert!(!reply.is_error(), "{key}: {reply}");
                *written.lock().unwrap().entry(key).or_default() += 1;
                writes.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    wait::until("the load is under way", || writes.load(Ordering::Relaxed) > 2000);
    let ids: Vec<String> = nodes.iter().map(|node| node.run("CLUSTER MYID").text()).collect();
    for (from, to, count) in [(0, 1, "1500"), (1, 2, "2000"), (2, 0, "1000")] {
        let (words, at) = ([&ids[from], &ids[to]], address(&nodes[1]));
        let moved = manage(&[
            "reshard",
            &at,
            "--cluster-from",
            words[0],
            "--cluster-to",
            words[1],
            "--cluster-slots",
            count,
            "--cluster-yes",
        ]);
        assert!(moved.status.success(), "{}{}", moved.stdout, moved.stderr);
    }
    over.store(true, Ordering::Relaxed);
    load.join().expect("every write was served");
    let check = manage(&["check", &address(&nodes[0])]);
    assert!(check.stdout.contains("[OK] All nodes agree about slots configuration"), "{}", check.stdout);
    assert!(check.stdout.contains("[OK] All 16384 slots covered"), "{}", check.stdout);
    let mut client = Client::of(&nodes);
    let written = written.lock().unwrap();
    for (key, count) in written.iter() {
        client.expect(key, &count.to_string(), Duration::from_secs(20));
    }
    let keys: i64 = nodes.iter().map(|node| node.run("DBSIZE").integer()).sum();
    assert_eq!(keys, written.len() as i64, "each key is in one place");
}

#[test]
fn real_valkey_nodes_and_ours_are_one_cluster() {
    let Some(valkey) = Program::valkey() else { return absent("no Valkey is at hand") };
    let mixed = (0..6).map(|at| if at % 2 == 0 { node(&Program::ours()) } else { node(&valkey) });
    let Cluster { nodes } = Cluster::create(mixed.collect(), 1);
    let mut client = Client::of(&nodes);
    let patience = Duration::from_secs(20);
    for n in 0..500 {
        let key = format!("k:{n}");
        client.set(&key, "v", patience);
    }
    // Every replica, whichever program it is, takes over from its primary by hand.
    let replicas: Vec<&Server> = nodes.iter().filter(|node| node.info("role") == "slave").collect();
    assert_eq!(replicas.len(), 3);
    for replica in replicas {
        replica.wait_for_info("master_link_status", "up");
        take_over(replica, &nodes);
    }
    for n in 0..500 {
        let key = format!("k:{n}");
        client.expect(&key, "v", patience);
    }
    // Slots move between the two programs, both ways.
    let leading = || nodes.iter().filter(|node| node.info("role") == "master").collect::<Vec<&Server>>();
    let primaries =
        wait::until_some("the former primaries to step back", || Some(leading()).filter(|all| all.len() == 3));
    let id = |node: &Server| node.run("CLUSTER MYID").text();
    wait::until("all nodes to agree", || manage(&["check", &address(primaries[0])]).status.success());
    for (from, to) in [(0, 1), (1, 0), (1, 2)] {
        let words = [id(primaries[from]), id(primaries[to]), address(primaries[0])];
        let moved = manage(&[
            "reshard",
            &words[2],
            "--cluster-from",
            &words[0],
            "--cluster-to",
            &words[1],
            "--cluster-slots",
            "300",
            "--cluster-yes",
        ]);
        assert!(moved.status.success(), "{}{}", moved.stdout, moved.stderr);
    }
    for n in 0..500 {
        let key = format!("k:{n}");
        client.expect(&key, "v", patience);
    }
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
