//! `--cluster apply <file>`: what is left of a plan.
//!
//! The plan tells its nodes' addresses. What is left is told by the cluster as it is now, so a plan may be applied any number of
//! times, by anybody, after any interruption. Where somebody else has changed what the plan was made for, nothing is done.

use std::fs;

use cluster_admin::{Plan, Step};

use super::Manager;
use super::cluster::Cluster;
use super::execute::Voice;
use crate::failure::{Failure, fatal};

pub fn run(manager: &Manager) -> Result<(), Failure> {
    let path = manager.word(0);
    let text = fs::read_to_string(&path)
        .map_err(|error| fatal(format_args!("Can't open file '{path}': {}", client::os_text(&error))))?;
    let plan = Plan::parse(&text).map_err(|error| fatal(format_args!("{path}: {error}")))?;
    let mut cluster = assemble(manager, &plan)?;
    let left = match plan.remaining(&cluster.picture) {
        Ok(left) => left,
        Err(obstacle) => {
            return manager.fail(&format!("[ERR] The cluster is not what the plan was made for: {obstacle}.\n"));
        }
    };
    manager.info(&format!(
        ">>> {} of the {} steps of the {} plan are left\n",
        left.steps.len(),
        plan.steps.len(),
        plan.name
    ))?;
    if !manager.announce(&left)? || left.steps.is_empty() {
        return Ok(());
    }
    if !manager.confirm("Shall they be done?", false)? {
        return Err(super::FAILED);
    }
    let (moves, others): (Vec<Step>, Vec<Step>) =
        left.steps.into_iter().partition(|step| plan.name != "fix" && matches!(step, Step::Move { .. }));
    for step in others.iter().filter(|step| step.slot().is_some()) {
        let done = cluster.execute(step, Voice::Loud);
        cluster.or_tell(done)?;
    }
    let rest = others.into_iter().filter(|step| step.slot().is_none()).collect();
    cluster.execute_all(&Plan { steps: rest, ..plan })?;
    cluster.transfer_all(&moves)?;
    if !moves.is_empty() {
        manager.print("\n")?;
    }
    manager.good("[OK] The plan is done.\n")
}

/// The cluster that the plan is about. Of a cluster that is being made nobody may know everybody yet, so each node is asked.
fn assemble<'a>(manager: &'a Manager, plan: &Plan) -> Result<Cluster<'a>, Failure> {
    let places: Vec<(String, u16)> = plan.nodes.iter().filter_map(|(_, address)| super::address_of(address)).collect();
    let joins = plan.steps.iter().any(|step| matches!(step, Step::Meet { .. }));
    if joins {
        let mut cluster = Cluster::new(manager);
        for (host, port) in &places {
            let (node, link, friends) = manager.meet(host, *port)?;
            friends.iter().for_each(|friend| cluster.picture.set_known(&node.id, &friend.id));
            cluster.add(node, link);
        }
        return Ok(cluster);
    }
    for (host, port) in &places {
        if let Ok(cluster) = Cluster::load(manager, host, *port, false) {
            return Ok(cluster);
        }
    }
    Err(fatal("None of the nodes of the plan answers."))
}
