//! `--cluster create`: a cluster from empty nodes.

use std::hash::{BuildHasher, RandomState};

use cluster_admin::Node;
use cluster_admin::create::{Affinity, Layout};

use super::cluster::{Cluster, call, info_field};
use super::show::node_info;
use super::{FAILED, Manager, address_of};
use crate::failure::{Failure, fatal};
use crate::screen::complain;

pub fn run(manager: &Manager) -> Result<(), Failure> {
    let mut cluster = Cluster::new(manager);
    for word in &manager.request.words {
        let word = String::from_utf8_lossy(word);
        let Some((host, port)) = address_of(&word) else {
            return Err(fatal(format_args!("Invalid address format: {word}")));
        };
        let (node, link, _) = manager.meet(&host, port)?;
        let is_known = cluster.picture.node(&node.id).is_some();
        cluster.add(node, link);
        if is_known {
            return manager.fail(&format!("[ERR] Node {host}:{port} is named twice.\n"));
        }
        cluster.insist_on_empty(cluster.picture.nodes.len() - 1)?;
    }
    let nodes = cluster.picture.nodes.clone();
    let (words, replicas) = (manager.words, manager.request.replicas);
    let primaries = Layout::primaries(nodes.len(), replicas);
    if primaries < 3 {
        if words.is_redis {
            return manager.fail(&format!(
                "*** ERROR: Invalid configuration for cluster creation.\n*** Redis Cluster requires at least 3 master \
                 nodes.\n*** This is not possible with {} nodes and {replicas} replicas per node.\n*** At least {} nodes are \
                 required.\n",
                nodes.len(),
                3 * (replicas + 1)
            ));
        }
        manager.info(&format!(
            "Requested to create a cluster with {primaries} primaries and {replicas} replicas per primary.\n"
        ))?;
        let question = "Valkey cluster requires at least 3 primary nodes for automatic failover. Are you sure?";
        if primaries == 0 {
            return manager.fail("[ERR] There are too few nodes for a primary with that many replicas.\n");
        }
        if !manager.request.dry_run && !manager.confirm(question, false)? {
            return Err(FAILED);
        }
    }
    let plural = if words.is_redis { "nodes" } else { "node(s)" };
    manager.info(&format!(">>> Performing hash slots allocation on {} {plural}...\n", nodes.len()))?;
    // Chance only breaks ties among layouts, so any source of it will do.
    let layout = Layout::of(&nodes, replicas, RandomState::new().hash_one(nodes.len()));
    show(manager, &nodes, &layout)?;
    let plan = layout.plan(&nodes);
    if !manager.announce(&plan)? {
        return Ok(());
    }
    if !manager.confirm("Can I set the above configuration?", false)? {
        return Ok(());
    }
    cluster.execute_all(&plan)?;
    let first = &nodes[0];
    let mut cluster = Cluster::load(manager, &first.host, first.port, false)?;
    cluster.check(false)?;
    Ok(())
}

fn show(manager: &Manager, nodes: &[Node], layout: &Layout) -> Result<(), Failure> {
    let words = manager.words;
    for (n, (_, first, last)) in layout.primaries.iter().enumerate() {
        manager.print(&format!("{}[{n}] -> Slots {first} - {last}\n", words.primary_title()))?;
    }
    for (n, (replica, primary)) in layout.placements.iter().enumerate() {
        if n == layout.regular {
            manager.print("Adding extra replicas...\n")?;
        }
        let (replica, primary) = (nodes[*replica].address(), nodes[*primary].address());
        manager.print(&format!("Adding replica {replica} to {primary}\n"))?;
    }
    if layout.score.0 > 0 {
        manager.info(&format!(">>> Trying to optimize {} allocation for anti-affinity\n", words.replicas))?;
        match layout.affinity() {
            Affinity::None => manager.good("[OK] Perfect anti-affinity obtained!\n")?,
            Affinity::Primary => manager.warn(&format!(
                "[WARNING] Some {} are in the same host as their {}\n",
                words.replicas, words.primary
            ))?,
            Affinity::Replicas => manager.warn(&format!(
                "[WARNING] Some {} of the same {} are in the same host\n",
                words.replicas, words.primary
            ))?,
        }
    }
    let mut picture = cluster_admin::Picture::new(nodes.to_vec());
    layout.plan(nodes).steps.iter().for_each(|step| picture.apply(step));
    for node in &picture.nodes {
        match &node.primary {
            Some(primary) => manager.print(&format!("S: {} {}\n   replicates {primary}\n", node.id, node.address()))?,
            None => manager.print(&format!("{}\n", node_info(node, &cluster_admin::Picture::default(), 0)))?,
        }
    }
    Ok(())
}

impl Cluster<'_> {
    /// A node that joins must have no keys and know nobody. `at` is its place in the picture.
    pub fn insist_on_empty(&mut self, at: usize) -> Result<(), Failure> {
        let manager = self.manager;
        let Some(node) = self.picture.nodes.get(at).cloned() else { return Ok(()) };
        let Some(link) = self.link(&node.id) else { return Ok(()) };
        let mut ask = |words: &[&str]| call(link, words);
        let outcome = ask(&["INFO"]).and_then(|info| Ok((info, ask(&["CLUSTER", "INFO"])?)));
        let (info, cluster) = match outcome {
            Ok(replies) => replies,
            Err(refusal) => {
                return manager.fail(&format!("[ERR] Node {} {}\n", node.address(), refusal.text()));
            }
        };
        let has_keys = info_field(&info, "db0").is_some();
        let is_alone = info_field(&cluster, "cluster_known_nodes").as_deref() == Some("1");
        if has_keys || !is_alone {
            return manager.fail(&format!(
                "[ERR] Node {} is not empty. Either the node already knows other nodes (check with CLUSTER NODES) or contains \
                 some key in database 0.\n",
                node.address()
            ));
        }
        if !node.slots.is_empty() {
            complain!("Node {} has slots already.", node.address());
        }
        Ok(())
    }
}
