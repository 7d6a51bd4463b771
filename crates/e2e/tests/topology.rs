//! `rubellite up` and `down`: a primary with replicas from one command, stopped and resumed with its data.

use e2e::{Connection, Output, Program, absent, ports, wait};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What the project promises for a fresh machine.
const PROMISED: Duration = Duration::from_secs(15);

/// A folder for a topology; what still runs in it when a test fails is stopped.
struct Topology {
    folder: TempDir,
    base_port: u16,
}

impl Topology {
    /// `None` when the program under test is a peer, which has no such command.
    fn new() -> Option<Topology> {
        if !Program::ours().is_rubellite() {
            absent("only rubellite has `up`");
            return None;
        }
        // A name with a blank, which has to survive the configuration file.
        let folder = tempfile::Builder::new().prefix("rubellite up ").tempdir().expect("a folder for a test");
        Some(Topology { folder, base_port: ports::claim_row(3) })
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("topology")
    }

    /// Runs the binary under its own name.
    fn run(&self, words: &[&str]) -> Output {
        let link = Program::ours().folder().join("redis-server");
        let mut command = Command::new(std::fs::canonicalize(link).expect("the binary"));
        command.args(words).arg("--dir").arg(self.path());
        Output::of(command)
    }

    fn up(&self) -> Output {
        self.run(&["up", "primary-replica", "--base-port", &self.base_port.to_string()])
    }

    fn process_id(&self, node: &str) -> String {
        let file = self.path().join(node).join("server.pid");
        std::fs::read_to_string(file).expect("a pid file").trim().to_string()
    }

    fn connect(&self, node: u16) -> Connection {
        Connection::open(self.base_port + node).expect("a node that runs")
    }
}

impl Drop for Topology {
    fn drop(&mut self) {
        // It may be down already.
        self.run(&["down"]);
    }
}

const NODES: [&str; 3] = ["primary", "replica-1", "replica-2"];

#[test]
fn a_primary_with_two_replicas_comes_goes_and_comes_back() {
    let Some(topology) = Topology::new() else { return };
    let start = Instant::now();
    let output = topology.up();
    assert!(output.status.success(), "{output:?}");
    assert!(start.elapsed() < PROMISED, "{:?}", start.elapsed());
    for text in
        ["NODE ", "replica-2  replica  127.0.0.1:", "Try next:", " SET greeting hello", "rubellite down --dir '"]
    {
        assert!(output.stdout.contains(text), "{text}:\n{}", output.stdout);
    }

    // It is healthy now, not soon: no waiting here.
    let mut primary = topology.connect(0);
    primary.expect("SET greeting hello", "OK");
    primary.expect("WAIT 2 0", "(integer) 2");
    topology.connect(1).expect("GET greeting", "\"hello\"");
    topology.connect(2).expect("GET greeting", "\"hello\"");

    // A second `up` finds everything running.
    let before = NODES.map(|node| topology.process_id(node));
    let output = topology.up();
    assert!(output.status.success() && output.stdout.contains("primary   is running"), "{output:?}");
    assert_eq!(NODES.map(|node| topology.process_id(node)), before);

    let output = topology.run(&["down"]);
    assert!(output.status.success(), "{output:?}");
    for (node, process_id) in NODES.iter().zip(&before) {
        assert!(output.stdout.contains(&format!("{node} stopped (process {process_id})")), "{output:?}");
    }
    for node in 0..3 {
        assert!(Connection::open(topology.base_port + node).is_err());
    }

    let output = topology.up();
    assert!(output.status.success(), "{output:?}");
    topology.connect(0).expect("GET greeting", "\"hello\"");
    topology.connect(2).expect("GET greeting", "\"hello\"");
}

#[test]
fn only_what_is_missing_is_started_and_only_ours_is_stopped() {
    let Some(topology) = Topology::new() else { return };
    assert!(topology.up().status.success());
    let [primary, replica, _] = NODES.map(|node| topology.process_id(node));
    assert!(Command::new("kill").args(["-9", &replica]).status().expect("kill starts").success());
    wait::until("the end of a replica", || Connection::open(topology.base_port + 1).is_err());
    let output = topology.up();
    assert!(output.status.success() && output.stdout.contains("replica-1 started"), "{output:?}");
    assert_eq!(topology.process_id("primary"), primary);

    // A pid file that names a process that is not the node's: this test.
    let file = topology.path().join("replica-2/server.pid");
    let real = std::fs::read_to_string(&file).expect("a pid file");
    std::fs::write(&file, std::process::id().to_string()).expect("a file of ours");
    let output = topology.run(&["down"]);
    assert!(output.stdout.contains("primary stopped") && !output.stdout.contains("replica-2 stopped"), "{output:?}");
    std::fs::write(&file, real).expect("a file of ours");
    let output = topology.run(&["down"]);
    assert!(output.status.success() && output.stdout.contains("replica-2 stopped"), "{output:?}");
}

#[test]
fn a_group_under_sentinels_comes_fails_over_goes_and_comes_back() {
    let Some(mut topology) = Topology::new() else { return };
    topology.base_port = ports::claim_row(6);
    let base_port = topology.base_port.to_string();
    let up = || topology.run(&["up", "sentinel", "--base-port", &base_port]);
    let start = Instant::now();
    let output = up();
    assert!(output.status.success(), "{output:?}");
    assert!(start.elapsed() < PROMISED, "{:?}", start.elapsed());
    for text in ["sentinel-3  sentinel  127.0.0.1:", " SENTINEL GET-PRIMARY-ADDR-BY-NAME myprimary"] {
        assert!(output.stdout.contains(text), "{text}:\n{}", output.stdout);
    }
    // It is healthy now, not soon.
    topology.connect(3).expect(
        "SENTINEL CKQUORUM myprimary",
        "OK 3 usable Sentinels. Quorum and failover authorization can be reached",
    );
    let primary = || {
        let named = (3..6).map(|node| topology.connect(node).run("SENTINEL GET-MASTER-ADDR-BY-NAME myprimary"));
        let mut named: Vec<String> = named.map(|reply| reply.items()[1].text()).collect();
        named.dedup();
        (named.len() == 1).then(|| named[0].clone())
    };
    assert_eq!(primary(), Some(base_port.clone()));
    topology.connect(3).expect("SENTINEL FAILOVER myprimary", "OK");
    let second = wait::until_some("an agreement on another primary", || primary().filter(|port| *port != base_port));

    // What has changed while it ran is kept.
    let output = topology.run(&["down"]);
    assert!(output.status.success() && output.stdout.contains("sentinel-1 stopped"), "{output:?}");
    let output = up();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(primary(), Some(second));
}

#[test]
fn a_cluster_comes_takes_keys_goes_and_comes_back() {
    let Some(mut topology) = Topology::new() else { return };
    topology.base_port = ports::claim_row(6);
    let base_port = topology.base_port.to_string();
    let up = || topology.run(&["up", "cluster", "--base-port", &base_port]);
    let start = Instant::now();
    let output = up();
    assert!(output.status.success(), "{output:?}");
    assert!(start.elapsed() < PROMISED, "{:?}", start.elapsed());
    for text in ["node-3  primary  127.0.0.1:", "node-6  replica  127.0.0.1:", " -c -p ", "--cluster check 127.0.0.1:"]
    {
        assert!(output.stdout.contains(text), "{text}:\n{}", output.stdout);
    }
    // It is healthy now, not soon: every node says so, and every slot has somebody who takes keys.
    for node in 0..6 {
        let info = topology.connect(node).run("CLUSTER INFO").text();
        assert!(info.contains("cluster_state:ok\r\ncluster_slots_assigned:16384\r\n"), "{info}");
    }
    let takes = |node: u16, key: &str| !topology.connect(node).run(&format!("SET {key} v")).is_error();
    let taken = |key: &str| (0..3).filter(|node| takes(*node, key)).count();
    assert_eq!(["a", "b", "c", "d"].map(taken), [1; 4]);

    // Its nodes know each other and have their keys when they come back.
    let output = topology.run(&["down"]);
    assert!(output.status.success() && output.stdout.contains("node-1 stopped"), "{output:?}");
    let output = up();
    assert!(output.status.success(), "{output:?}");
    let keys = (0..6).map(|node| topology.connect(node).run("DBSIZE").integer());
    assert_eq!(keys.sum::<i64>(), 8, "each key on a primary and its replica");
}

#[test]
fn what_cannot_be_done_is_one_line_and_leaves_nothing() {
    let Some(topology) = Topology::new() else { return };
    let _taken = std::net::TcpListener::bind(("127.0.0.1", topology.base_port + 2)).expect("a port of ours");
    let used = format!("port {} of replica-2 cannot be used: Address already in use", topology.base_port + 2);
    let base_port = topology.base_port.to_string();
    for (words, expect) in [
        (&["up", "sentinel", "--primaries", "2"][..], "this shape has one primary"),
        (&["up", "cluster", "--primaries", "2"], "a cluster has at least 3 primaries"),
        (&["up", "ring"], "there is no topology \"ring\""),
        (&["up", "primary-replica", "--base-port", "65535"], "would need ports beyond"),
        (&["up", "primary-replica", "--base-port", &base_port], &used),
        (&["down"], "there is no topology in"),
    ] {
        let output = topology.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let lines: Vec<&str> = output.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains(expect), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty() && !topology.path().exists(), "{words:?}");
    }
}
