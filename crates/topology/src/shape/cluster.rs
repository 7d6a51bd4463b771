//! A cluster: primaries that share the slots, and replicas of each.
//!
//! The nodes are started empty and made a cluster of once, by the plan that `redis-cli --cluster create` would make. From then on
//! they know each other, and whatever is done to them (resharding, failovers, more nodes) is theirs: a node is well when it says
//! that every slot is served and, if it is a replica, its link is up.

use std::thread;
use std::time::Instant;

use client::{Client, Value};
use cluster_admin::create::Layout;
use cluster_admin::{NodeId, Step};

use super::{Recipe, Sizes};
use crate::facts::{self, Answers, Role};
use crate::node::{Files, Node};
use crate::{INTERVAL, PATIENCE};

pub const RECIPE: Recipe =
    Recipe { sizes: Sizes { base_port: 7000, primaries: 3, replicas: 1 }, nodes, form: Some(form), lacks, hints };

/// Fewer could not elect anybody when one of them fails.
const LEAST_PRIMARIES: u16 = 3;

/// The cluster bus has the port that is so much higher.
const BUS: u16 = 10_000;

fn nodes(sizes: &Sizes) -> Result<Vec<Node>, String> {
    if sizes.primaries < LEAST_PRIMARIES {
        return Err(format!("a cluster has at least {LEAST_PRIMARIES} primaries, or it cannot replace one that fails"));
    }
    let ports = sizes.ports(u32::from(sizes.primaries) * (u32::from(sizes.replicas) + 1))?;
    let nodes: Vec<Node> = (1..)
        .zip(ports)
        .map(|(number, port)| {
            Node::new(&format!("node-{number}"), port)
                .with("cluster-enabled yes")
                .with("cluster-config-file nodes.conf")
                .with("cluster-node-timeout 5000")
        })
        .collect();
    match nodes.last().and_then(|node| node.port.checked_add(BUS)) {
        Some(_) => Ok(nodes),
        None => Err(format!("each node needs a second port, {BUS} higher; choose a lower --base-port")),
    }
}

/// Nodes that all are alone become a cluster; others are left as they are.
fn form(sizes: &Sizes, nodes: &[Node], files: &[Files]) -> Result<(), String> {
    let mut links = Vec::new();
    let mut members = Vec::new();
    for (node, files) in nodes.iter().zip(files) {
        let mut link = facts::connect(node, files).ok_or_else(|| format!("{} does not answer", node.name))?;
        let known = known_nodes(&mut link).ok_or_else(|| format!("{} is no node of a cluster", node.name))?;
        let [myself] = known.as_slice() else { return Ok(()) };
        if !myself.slots.is_empty() {
            return Ok(());
        }
        members.push(cluster_admin::Node { host: "127.0.0.1".to_owned(), port: node.port, ..myself.clone() });
        links.push((myself.id.clone(), link));
    }
    // The seed chooses among layouts that are equally good, so any will do.
    for step in Layout::of(&members, usize::from(sizes.replicas), 0).plan(&members).steps {
        let (at, words) = words(&step, &members);
        let Some((_, link)) = links.iter_mut().find(|(id, _)| *id == at) else { continue };
        carry_out(link, &words).map_err(|why| format!("{} refused: {why}", words.join(" ")))?;
    }
    Ok(())
}

fn known_nodes(link: &mut Client) -> Option<Vec<cluster_admin::Node>> {
    let reply = link.call(&["CLUSTER", "NODES"]).ok()?;
    reply.as_str()?.lines().map(cluster_admin::Node::parse).collect()
}

/// The command of a step, and to whom.
fn words(step: &Step, members: &[cluster_admin::Node]) -> (NodeId, Vec<String>) {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match step {
        Step::Take { first, last, at } => {
            (at.clone(), owned(&["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()]))
        }
        Step::Epoch { at, epoch } => (at.clone(), owned(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()])),
        Step::Meet { at, with } => {
            let port = members.iter().find(|node| node.id == *with).map_or(0, |node| node.port);
            let mut words = owned(&["CLUSTER", "MEET", "127.0.0.1", &port.to_string()]);
            let bus_port = members.iter().find(|node| node.id == *with).map_or(0, |node| node.bus_port);
            if bus_port != 0 {
                words.push(bus_port.to_string());
            }
            (at.clone(), words)
        }
        Step::Replicate { at, primary } => (at.clone(), owned(&["CLUSTER", "REPLICATE", primary.as_str()])),
        // The plan of a new cluster has no other steps.
        other => (NodeId::new(""), vec![other.to_string()]),
    }
}

/// A node that has not heard of its primary yet is asked again.
fn carry_out(link: &mut Client, words: &[String]) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let Value::Error(text) = link.call(words).map_err(|error| error.to_string())? else { return Ok(()) };
        let text = String::from_utf8_lossy(&text).into_owned();
        if !text.contains("Unknown node") || began.elapsed() > PATIENCE {
            return Err(text);
        }
        thread::sleep(INTERVAL);
    }
}

fn lacks(at: usize, _: &[Node], facts: &Answers) -> Option<String> {
    let own = facts[at].as_ref()?;
    match (own.cluster_is_ok, &own.role) {
        (None, _) => Some("is not in cluster mode".to_owned()),
        (Some(false), _) => Some("waits for the cluster".to_owned()),
        (_, Role::Replica { link_is_up: false, .. }) => Some("is waiting for its primary".to_owned()),
        _ => None,
    }
}

fn hints(nodes: &[Node], _: &Answers) -> Vec<String> {
    let Some(port) = nodes.first().map(|node| node.port) else { return Vec::new() };
    vec![
        format!("-c -p {port} SET greeting hello"),
        format!("-c -p {port} GET greeting"),
        format!("--cluster check 127.0.0.1:{port}"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;
    use e2e::{Program, Server, ports, wait};
    use std::path::Path;

    #[test]
    fn every_node_is_told_that_it_is_one() {
        let six = nodes(&RECIPE.sizes).unwrap();
        assert_eq!((six.len(), six[5].port, six[5].name.as_str()), (6, 7005, "node-6"));
        assert_eq!(six[0].directives[0], "cluster-enabled yes");
        assert!(nodes(&Sizes { primaries: 2, ..RECIPE.sizes }).is_err());
        assert!(nodes(&Sizes { base_port: 55_530, ..RECIPE.sizes }).is_ok());
        assert!(nodes(&Sizes { base_port: 55_531, ..RECIPE.sizes }).is_err());
    }

    #[test]
    fn a_node_is_well_when_the_cluster_is() {
        let lacks = |facts: Facts| lacks(0, &[], &[Some(facts)]);
        assert!(lacks(Facts::default()).is_some());
        assert!(lacks(Facts { cluster_is_ok: Some(false), ..Facts::default() }).is_some());
        assert_eq!(lacks(Facts { cluster_is_ok: Some(true), ..Facts::default() }), None);
        let role = Role::Replica { primary: 7000, link_is_up: false };
        assert!(lacks(Facts { cluster_is_ok: Some(true), role, ..Facts::default() }).is_some());
    }

    #[test]
    fn nodes_become_a_cluster_once() {
        for peer in Program::peers() {
            let start = |_| {
                let bus = ports::claim().to_string();
                Server::start_program(&peer, &["--cluster-enabled", "yes", "--cluster-port", &bus])
            };
            let servers: Vec<Server> = (0..6).map(start).collect();
            let nodes: Vec<Node> = servers.iter().map(|server| Node::new("node", server.port())).collect();
            let files: Vec<Files> = nodes.iter().map(|node| node.files(Path::new("/nonexistent"))).collect();
            form(&RECIPE.sizes, &nodes, &files).unwrap();
            wait::until("six nodes that are well", || {
                let facts: Vec<Option<Facts>> =
                    nodes.iter().zip(&files).map(|(node, files)| facts::ask(node, files)).collect();
                let replicas = facts.iter().flatten().filter(|facts| !facts.role.is_primary()).count();
                replicas == 3 && (0..6).all(|at| facts[at].is_some() && lacks(at, &nodes, &facts).is_none())
            });
            // What has been formed is left alone.
            servers[0].run("CLUSTER DELSLOTS 0");
            form(&RECIPE.sizes, &nodes, &files).unwrap();
            assert!(!servers[0].run("CLUSTER NODES").text().contains(" 0-5460"));
        }
    }
}
