//! `--cluster add-node` and `--cluster del-node`.

use cluster_admin::{NodeId, Plan, Step};

use super::cluster::Cluster;
use super::execute::Voice;
use super::{FAILED, Manager};
use crate::failure::Failure;

pub fn add(manager: &Manager) -> Result<(), Failure> {
    let words = &manager.request.words;
    let (ref_host, ref_port) = manager.place(&words[1..])?;
    let (host, port) = manager.place(&words[..1])?;
    manager.info(&format!(">>> Adding node {host}:{port} to cluster {ref_host}:{ref_port}\n"))?;
    let mut cluster = Cluster::load(manager, &ref_host, ref_port, false)?;
    if !cluster.check(false)? {
        return Err(FAILED);
    }
    let primary = if manager.request.as_replica { Some(cluster.choose_primary()?) } else { None };
    let first = cluster.picture.nodes[0].id.clone();
    let Some(link) = manager.connect(&host, port) else {
        return manager.fail(&format!("[ERR] Sorry, can't connect to node {host}:{port}\n"));
    };
    drop(link);
    let (node, link, _) = manager.meet(&host, port)?;
    let id = node.id.clone();
    cluster.add(node, link);
    cluster.insist_on_empty(cluster.picture.nodes.len() - 1)?;
    let mut steps = vec![Step::Meet { at: id.clone(), with: first.clone() }];
    if let Some(primary) = &primary {
        steps.push(Step::Replicate { at: id.clone(), primary: primary.clone() });
    }
    let plan = Plan::new("add-node", &cluster.picture, steps);
    if !manager.announce(&plan)? {
        return Ok(());
    }
    if primary.is_none() {
        cluster.copy_functions(&first, &id)?;
    }
    manager.info(&format!(">>> Send CLUSTER MEET to node {host}:{port} to make it join the cluster.\n"))?;
    for step in &plan.steps {
        if let (Step::Replicate { .. }, Some(primary)) = (step, &primary) {
            cluster.wait_for_agreement()?;
            manager.info(&format!(">>> Configure node as replica of {}.\n", cluster.address(primary)))?;
        }
        let done = cluster.execute(step, Voice::Loud);
        cluster.or_tell(done)?;
    }
    manager.good("[OK] New node added correctly.\n")
}

pub fn remove(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words[..1])?;
    let named = manager.word(1);
    let id = NodeId::new(&named);
    manager.info(&format!(">>> Removing node {named} from cluster {host}:{port}\n"))?;
    let mut cluster = Cluster::load(manager, &host, port, true)?;
    let Some(node) = cluster.picture.node(&id).cloned() else {
        return manager.fail(&format!("[ERR] No such node ID {named}\n"));
    };
    if !node.slots.is_empty() {
        return manager
            .fail(&format!("[ERR] Node {} is not empty! Reshard data away and try again.\n", node.address()));
    }
    let plan = cluster.plan_removal(&id);
    if !manager.announce(&plan)? {
        return Ok(());
    }
    manager.info(">>> Sending CLUSTER FORGET messages to the cluster...\n")?;
    for other in cluster.picture.nodes.clone().into_iter().filter(|other| other.id != id) {
        if !other.reachable {
            manager.warn(&format!(
                ">>> Skipping unreachable node {}. It may need manual reconfiguration when it comes back online.\n",
                other.address()
            ))?;
            continue;
        }
        let adopts = |step: &&Step| matches!(step, Step::Replicate { at, .. } if *at == other.id);
        if other.primary.as_ref() == Some(&id) && !plan.steps.iter().any(|step| adopts(&step)) {
            return manager.fail(&format!(
                "[ERR] Could not find a reachable {} node to reassign replica {}.\n",
                manager.words.primary,
                other.address()
            ));
        }
        for step in &plan.steps {
            match step {
                Step::Replicate { at, primary } if *at == other.id => {
                    let (replica, primary) = (cluster.address(at), cluster.address(primary));
                    manager.info(&format!(">>> {replica} as replica of {primary}\n"))?;
                }
                Step::Forget { at, .. } if *at == other.id => (),
                _ => continue,
            }
            let done = cluster.execute(step, Voice::Loud);
            cluster.or_tell(done)?;
        }
    }
    if !node.reachable {
        manager.warn(&format!(
            ">>> WARNING: Could not connect to node {}, unable to send CLUSTER RESET.\n",
            node.address()
        ))?;
    } else {
        manager.info(">>> Sending CLUSTER RESET SOFT to the deleted node.\n")?;
        let done = cluster.execute(&Step::Reset { at: id.clone() }, Voice::Loud);
        cluster.or_tell(done)?;
    }
    if manager.words.is_redis {
        return Ok(());
    }
    manager.good(&format!("[OK] Node {named} removed from the cluster.\n"))
}

impl Cluster<'_> {
    /// Whom a new replica shall follow.
    fn choose_primary(&self) -> Result<NodeId, Failure> {
        let (manager, word) = (self.manager, self.manager.words.primary);
        if let Some(named) = &manager.request.primary_id {
            let node = self.picture.node(&NodeId::new(named));
            return match node {
                Some(node) => Ok(node.id.clone()),
                None => manager.fail(&format!("[ERR] No such {word} ID {named}\n")),
            };
        }
        let Some(node) = self.picture.least_replicated(None) else {
            return manager.fail(&format!("[ERR] Could not find a reachable {word} node.\n"));
        };
        manager.print(&format!("Automatically selected {word} {}\n", node.address()))?;
        Ok(node.id.clone())
    }

    /// Everybody forgets the node, whose replicas go to other primaries; then the node forgets everybody.
    fn plan_removal(&self, id: &NodeId) -> Plan {
        let mut model = self.picture.clone();
        let mut steps = Vec::new();
        for other in self.picture.nodes.iter().filter(|other| other.id != *id && other.reachable) {
            if other.primary.as_ref() == Some(id)
                && let Some(primary) = model.least_replicated(Some(id)).map(|node| node.id.clone())
            {
                let step = Step::Replicate { at: other.id.clone(), primary };
                model.apply(&step);
                steps.push(step);
            }
            steps.push(Step::Forget { at: other.id.clone(), node: id.clone() });
        }
        if self.picture.node(id).is_some_and(|node| node.reachable) {
            steps.push(Step::Reset { at: id.clone() });
        }
        Plan::new("del-node", &self.picture, steps)
    }

    /// A primary of its own gets the functions that all primaries have.
    fn copy_functions(&mut self, from: &NodeId, to: &NodeId) -> Result<(), Failure> {
        let manager = self.manager;
        let place = self.address(to);
        manager.info(">>> Getting functions from cluster\n")?;
        let dump = match self.ask(from, &["FUNCTION", "DUMP"]) {
            Ok(reply) => reply.as_bytes().unwrap_or_default().to_vec(),
            Err(refusal) => {
                return manager.info(&format!(
                    ">>> Failed retrieving Functions from the cluster, skip this step as {} version do not support function \
                     command (error = '{}')\n",
                    manager.words.server,
                    refusal.text()
                ));
            }
        };
        manager.info(&format!(">>> Send FUNCTION LIST to {place} to verify there is no functions in it\n"))?;
        match self.ask(to, &["FUNCTION", "LIST"]) {
            Ok(list) if list.as_array().is_some_and(<[_]>::is_empty) => (),
            Ok(_) => {
                return manager.fail(
                    ">>> New node already contains functions and can not be added to the cluster. Use FUNCTION FLUSH and try \
                     again.\r\n",
                );
            }
            Err(refusal) => {
                return manager.fail(&format!(">>> Failed on CLUSTER LIST (error = '{}')\r\n", refusal.text()));
            }
        }
        manager.info(&format!(">>> Send FUNCTION RESTORE to {place}\n"))?;
        match self.ask(to, &[b"FUNCTION".as_slice(), b"RESTORE", &dump]) {
            Ok(_) => Ok(()),
            Err(refusal) => manager
                .fail(&format!(">>> Failed loading functions to the new node (error = '{}')\r\n", refusal.text())),
        }
    }
}
