//! `--cluster rebalance`: as many slots for each primary as its weight says.

use cluster_admin::{NodeId, Plan, Rebalance, Step, Weights};

use super::Manager;
use super::cluster::Cluster;
use super::execute::Voice;
use crate::failure::Failure;
use arguments::number::leading_float;

pub fn run(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words)?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    let request = &manager.request;
    let weights = Weights {
        named: cluster.weights(request.weights.as_deref().unwrap_or_default())?,
        use_empty: request.use_empty,
        threshold: request.threshold,
    };
    cluster.check(true)?;
    if cluster.errors > 0 {
        return manager.fail("*** Please fix your cluster problems before rebalancing\n");
    }
    let Some(rebalance) = Rebalance::of(&cluster.picture, &weights) else {
        manager.announce(&Plan::new("rebalance", &cluster.picture, Vec::new()))?;
        return manager.warn(&format!(
            "*** No rebalancing needed! All nodes are within the {:.2}% threshold.\n",
            request.threshold
        ));
    };
    manager.info(&format!(
        ">>> Rebalancing across {} nodes. Total weight = {:.2}\n",
        rebalance.balances.len(),
        rebalance.total_weight
    ))?;
    if manager.options.verbose {
        for balance in &rebalance.balances {
            manager.print(&format!("{} balance is {} slots\n", cluster.address(&balance.node), balance.slots))?;
        }
    }
    let steps = rebalance.transfers.iter().flat_map(|transfer| {
        let (from, to) = (&transfer.from, &transfer.to);
        transfer.slots.iter().map(|slot| Step::Move { slot: *slot, from: from.clone(), to: to.clone() })
    });
    if !manager.announce(&Plan::new("rebalance", &cluster.picture, steps.collect()))? {
        return Ok(());
    }
    for transfer in &rebalance.transfers {
        let (from, to) = (cluster.address(&transfer.from), cluster.address(&transfer.to));
        manager.print(&format!("Moving {} slots from {from} to {to}\n", transfer.slots.len()))?;
        match request.simulate {
            true => manager.print(&"#".repeat(transfer.slots.len()))?,
            false => cluster.transfer(&transfer.slots, &transfer.from, &transfer.to, Voice::Quiet)?,
        }
        manager.print("\n")?;
    }
    Ok(())
}

impl Cluster<'_> {
    /// `node=weight`, where a node is named by its id or the beginning of it.
    fn weights(&self, words: &[String]) -> Result<Vec<(NodeId, f32)>, Failure> {
        let mut weights = Vec::new();
        for word in words {
            let Some((name, weight)) = word.split_once('=') else {
                return self.manager.fail(&format!("*** invalid input {word}\n"));
            };
            let Some(node) = self.picture.node_by_prefix(name) else {
                return self.manager.fail(&format!("*** No such {} node {name}\n", self.manager.words.primary));
            };
            weights.push((node.id.clone(), leading_float(weight.as_bytes()) as f32));
        }
        Ok(weights)
    }
}
