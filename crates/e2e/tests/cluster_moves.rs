//! What becomes of a cluster whose nodes move, stand still, or end with an heir; and of keys whose slot is taken by hearsay.

use std::net::TcpListener;
use std::process::Command;

use e2e::{Output, Program, Server, wait};

const SLOT: u16 = 12182;
/// A key of that slot.
const KEY: &str = "foo";

fn node(more: &[&str]) -> Server {
    let defaults = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
    let mut server = Server::prepare(&Program::ours(), &[&defaults[..], more].concat());
    server.boot();
    server
}

fn create(nodes: &[Server], replicas: &str) {
    let mut command = Command::new("timeout");
    command.arg("100").arg(Program::ours().cli().get_program()).args(["--cluster", "create"]);
    command.args(nodes.iter().map(|server| format!("127.0.0.1:{}", server.port())));
    command.args(["--cluster-replicas", replicas, "--cluster-yes"]);
    let made = Output::of(command);
    assert!(made.stdout.contains("[OK] All 16384 slots covered"), "{}{}", made.stdout, made.stderr);
    nodes.iter().for_each(wait_for_ok);
}

fn wait_for_ok(server: &Server) {
    wait::until("the cluster serves", || server.run("CLUSTER INFO").text().contains("cluster_state:ok"));
}

fn info(server: &Server, field: &str) -> String {
    let text = server.run("INFO everything").text();
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':').map(str::to_owned));
    value.unwrap_or_default().trim().to_owned()
}

#[test]
fn nodes_whose_bus_ports_have_all_changed_find_each_other_through_a_seed() {
    let mut nodes: Vec<Server> = (0..3).map(|_| node(&[])).collect();
    create(&nodes, "0");
    let names: Vec<String> = nodes.iter().map(|server| server.run("CLUSTER MYID").text()).collect();
    nodes.iter_mut().for_each(Server::kill);
    // Below the ports that the system lends, above those of other tests.
    let mut free = (32_100..40_000u16).filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let buses: Vec<u16> = nodes.iter().map(|_| free.next().expect("a free port")).collect();
    let seed = format!("127.0.0.1:{}@{}", nodes[1].port(), buses[1]);
    for (server, bus) in nodes.iter_mut().zip(&buses) {
        server.add_arguments(&["--cluster-port", &bus.to_string(), "--cluster-seeds", &seed]);
        server.boot();
    }
    for server in &nodes {
        wait_for_ok(server);
        wait::until("the new ports are known", || {
            let lines = server.run("CLUSTER NODES").text();
            buses.iter().zip(&names).all(|(bus, name)| {
                lines.lines().any(|line| line.starts_with(name.as_str()) && line.contains(&format!("@{bus}")))
            })
        });
    }
}

#[test]
fn keys_that_were_set_aside_survive_a_restart_and_come_back_with_their_slot() {
    let mut nodes: Vec<Server> = (0..3).map(|_| node(&["--cluster-require-full-coverage", "no"])).collect();
    create(&nodes, "0");
    // The third node owns the slot; the first one claims it, with a newer epoch and without a word to anybody.
    let (thief, owner) = (nodes[0].run("CLUSTER MYID").text(), nodes[2].run("CLUSTER MYID").text());
    assert_eq!(nodes[2].run(&format!("RPUSH {KEY} a b c")).integer(), 3);
    assert_eq!(nodes[2].run("RPUSH {foo}2 d").integer(), 1);
    let steal = |by: &Server, name: &str| {
        assert_eq!(by.run(&format!("CLUSTER SETSLOT {SLOT} NODE {name}")).text(), "OK");
        by.run("CLUSTER BUMPEPOCH");
    };
    steal(&nodes[0], &thief);
    wait::until("the keys are set aside", || info(&nodes[2], "cluster_keys_set_aside") == "2");
    assert!(nodes[2].run(&format!("LLEN {KEY}")).to_string().contains("MOVED"));
    assert_eq!(nodes[2].run("DBSIZE").integer(), 0);
    assert_eq!(nodes[2].run("SAVE").text(), "OK");
    assert!(nodes[2].file("nodes.conf.aside").exists());

    nodes[2].kill_and_restart();
    wait_for_ok(&nodes[2]);
    wait::until("they are still set aside", || info(&nodes[2], "cluster_keys_set_aside") == "2");
    let list = nodes[2].run("CLUSTER ASIDE").to_string();
    assert!(list.contains("12182") && list.contains(&thief), "{list}");

    steal(&nodes[2], &owner);
    wait::until("the slot and its keys are back", || nodes[2].run(&format!("LLEN {KEY}")).to_string() == "(integer) 3");
    assert_eq!(info(&nodes[2], "cluster_keys_set_aside"), "0");

    // When the new owner has all of them, they are of no use any more.
    wait::until("the thief has heard", || nodes[0].run(&format!("LLEN {KEY}")).to_string().contains("MOVED"));
    steal(&nodes[0], &thief);
    wait::until("the keys are set aside again", || info(&nodes[2], "cluster_keys_set_aside") == "2");
    nodes[0].run(&format!("RPUSH {KEY} a b c"));
    nodes[0].run("RPUSH {foo}2 d");
    wait::until("what the owner has is dropped", || info(&nodes[2], "cluster_keys_set_aside") == "0");
    assert!(nodes[2].log().contains("their owner has them"));
}

#[test]
fn a_primary_that_is_shut_down_hands_over() {
    let mut nodes: Vec<Server> = (0..6).map(|_| node(&[])).collect();
    create(&nodes, "1");
    let mut primary = nodes.remove(2);
    assert_eq!(primary.run(&format!("SET {KEY} here")).text(), "OK");
    let replica = wait::until_some("its replica is in sync", || {
        let text = primary.run("INFO replication").text();
        let port = text.split("slave0:").nth(1)?.split("port=").nth(1)?.split(',').next()?.to_owned();
        (text.contains("state=online")).then_some(port)
    });
    let replica = nodes.iter().find(|server| server.port().to_string() == replica).expect("one of the nodes");
    primary.run("WAIT 1 10000");
    let _ = primary.connect().call(&["SHUTDOWN", "NOSAVE", "FAILOVER"]);
    assert!(primary.wait_for_end().success());
    wait::until("the replica leads", || replica.run(&format!("GET {KEY}")).to_string() == "\"here\"");
    wait::until("its log says why", || replica.log().contains("Forced failover primary request accepted"));
}
