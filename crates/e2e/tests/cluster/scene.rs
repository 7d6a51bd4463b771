//! Nodes of a cluster as the harness starts them, and the manager that makes one cluster of them.

use std::process::Command;

use e2e::{Output, Program, Server, wait};

/// A node in a folder of its own.
pub fn node(program: &Program) -> Server {
    Server::start_program(program, &["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"])
}

pub fn address(server: &Server) -> String {
    format!("127.0.0.1:{}", server.port())
}

pub fn id(server: &Server) -> String {
    server.run("CLUSTER MYID").text()
}

/// The manager, with a limit of time that only ends what has no end: a busy machine is slow.
pub fn manage(words: &[&str]) -> Output {
    manage_by(&Program::ours(), words)
}

/// Any program's manager.
pub fn manage_by(program: &Program, words: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("300").arg(program.cli().get_program()).arg("--cluster").args(words);
    Output::of(command)
}

/// Our manager, which must succeed; what it printed.
pub fn must(words: &[&str]) -> String {
    let ended = manage(words);
    assert!(ended.status.success(), "{words:?}: {}{}", ended.stdout, ended.stderr);
    ended.stdout
}

pub fn create(nodes: &[Server], replicas: &str) {
    let addresses: Vec<String> = nodes.iter().map(address).collect();
    let mut words = vec!["create"];
    words.extend(addresses.iter().map(String::as_str));
    words.extend(["--cluster-replicas", replicas, "--cluster-yes"]);
    let made = must(&words);
    assert!(made.contains("[OK] All 16384 slots covered"), "{made}");
    wait_for_agreement(&nodes.iter().collect::<Vec<_>>());
}

/// Waits until these nodes know each other and nobody else, are content, and agree about the slots.
pub fn wait_for_agreement(nodes: &[&Server]) {
    let known = format!("cluster_known_nodes:{}\r", nodes.len());
    let content = |node: &&Server| {
        let info = node.run("CLUSTER INFO").text();
        info.contains("cluster_state:ok") && info.contains(&known)
    };
    let check = || manage(&["check", &address(nodes[0])]);
    let last = || format!("{} nodes to agree: {:?}", nodes.len(), check());
    wait::until(last, || nodes.iter().all(content) && check().status.success());
}

/// Moves so many slots.
pub fn reshard(from: &Server, to: &Server, count: &str) {
    let words = ["reshard", &address(from), "--cluster-from", &id(from), "--cluster-to", &id(to)];
    must(&[&words[..], &["--cluster-slots", count, "--cluster-yes"]].concat());
}

/// A replica takes over from its primary by hand. A primary that has not heard yet whose replica it is would not answer it, so
/// first everybody knows.
pub fn take_over(replica: &Server, nodes: &[&Server]) {
    let name = id(replica);
    for node in nodes {
        wait::until("everybody to know a replica", || {
            let known = node.run("CLUSTER NODES").text();
            known.lines().any(|line| line.starts_with(&name) && line.contains("slave "))
        });
    }
    wait::until("it may take over", || !replica.run("CLUSTER FAILOVER").is_error());
    wait::until("it has taken over", || replica.info("role") == "master");
}
