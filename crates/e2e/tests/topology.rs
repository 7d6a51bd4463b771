//! `rubellite up` and `down`: a primary with replicas from one command, stopped and resumed with its data.

use e2e::{Connection, Output, Program, absent, ports, wait};
use rustix::process::{Pid, Signal};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
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

    /// The binary under its own name.
    fn command(&self, words: &[&str]) -> Command {
        let link = Program::ours().folder().join("redis-server");
        let mut command = Command::new(std::fs::canonicalize(link).expect("the binary"));
        command.args(words).arg("--dir").arg(self.path());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        Output::of(self.command(words))
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
fn ctrl_c_leaves_nothing_running() {
    let Some(mut topology) = Topology::new() else { return };
    topology.base_port = ports::claim_row(6);
    let base_port = topology.base_port.to_string();
    let mut command = topology.command(&["up", "sentinel", "--base-port", &base_port]);
    let mut up = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(up.stdout.take().expect("a pipe")).lines();
    assert!(lines.next().is_some_and(|line| line.is_ok_and(|line| line.contains("started"))));
    rustix::process::kill_process(Pid::from_child(&up), Signal::INT).expect("it runs");
    // What it says until its end, so that it can say it.
    lines.for_each(drop);
    let output = up.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "rubellite: interrupted; what was started is stopped\n");
    for node in 0..6 {
        assert!(Connection::open(topology.base_port + node).is_err(), "node {node}");
    }
    // The next one goes on from there, with the sizes that the folder remembers.
    let output = topology.run(&["up", "sentinel"]);
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_folder_that_is_broken_is_told_of() {
    let Some(mut topology) = Topology::new() else { return };
    topology.base_port = ports::claim_row(4);
    assert!(topology.up().status.success());
    assert!(topology.run(&["down"]).status.success());
    let refused = |expect: &str| {
        let output = topology.up();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stderr.contains(expect), "{expect}: {}", output.stderr);
        for node in 0..3 {
            assert!(Connection::open(topology.base_port + node).is_err(), "node {node}");
        }
    };
    let file = |name: &str| topology.path().join(name);
    let write = |name: &str, text: &str| std::fs::write(file(name), text).expect("a file of ours");
    let read = |name: &str| std::fs::read_to_string(file(name)).expect("a file of ours");

    let config = read("replica-2/redis.conf");
    write("replica-2/redis.conf", &format!("{config}nonsense 1\n"));
    refused("replica-2 does not start:\n");
    write("replica-2/redis.conf", &format!("{config}port 1\n"));
    refused("replica-2/redis.conf says port 1, but replica-2 has port ");
    write("replica-2/redis.conf", &config);

    let description = read("topology");
    write("topology", "garbage");
    refused("topology: \"garbage\" is not understood");
    write("topology", "");
    refused("topology: it does not tell shape and sizes");
    // Without it a folder is a new one, whose files are kept as long as they fit.
    std::fs::remove_file(file("topology")).expect("a file of ours");
    let elsewhere = (topology.base_port + 1).to_string();
    let output = topology.run(&["up", "primary-replica", "--base-port", &elsewhere]);
    assert!(output.stderr.contains("primary/redis.conf says port "), "{output:?}");
    assert!(!file("topology").exists());

    // A node whose files are gone begins anew.
    std::fs::remove_dir_all(file("replica-1")).expect("a folder of ours");
    let output = topology.up();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(read("topology"), description);
    assert!(topology.run(&["down"]).status.success());

    let base = std::fs::read_dir(file("primary/appendonlydir")).expect("a folder of ours");
    let base = base.map(|entry| entry.expect("a file").path()).find(|path| path.to_string_lossy().contains(".base."));
    std::fs::write(base.expect("a base file"), "REDIS0011 and nothing else").expect("a file of ours");
    refused("primary has ended. The end of ");
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
        (&["up", "primary-replica", "--replicas", "-1"], "--replicas needs a number up to 65535, not \"-1\""),
        (&["up", "cluster", "--primaries", "65535", "--replicas", "65535"], "would need ports beyond"),
        (&["down"], "there is no topology in"),
    ] {
        let output = topology.run(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        let lines: Vec<&str> = output.stderr.lines().collect();
        assert!(lines.len() == 1 && lines[0].contains(expect), "{words:?}: {output:?}");
        assert!(output.stdout.is_empty() && !topology.path().exists(), "{words:?}");
    }
}
