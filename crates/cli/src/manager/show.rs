//! Tables of nodes, and `--cluster info`.

use client::Value;
use cluster_admin::{Node, Picture};

use super::cluster::{Cluster, refused};
use super::{FAILED, Manager};
use crate::failure::Failure;

/// A node in the manager's tables: two or three lines, without an end.
pub fn node_info(node: &Node, picture: &Picture, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let role = if node.is_replica() { "S" } else { "M" };
    let mut text = format!(
        "{blanks}{role}: {} {}\n{blanks}   slots:{} ({} slots) {}",
        node.id,
        node.address(),
        node.slots,
        node.slots.len(),
        flags(node)
    );
    let replicas = picture.replicas_of(&node.id);
    match &node.primary {
        Some(primary) => text.push_str(&format!("\n{blanks}   replicates {primary}")),
        None if replicas > 0 => text.push_str(&format!("\n{blanks}   {replicas} additional replica(s)")),
        None => (),
    }
    text
}

/// The flags of a node but the one that says whom it was asked of.
pub fn flags(node: &Node) -> String {
    let flags: Vec<&str> = node.flags.iter().map(String::as_str).filter(|flag| *flag != "myself").collect();
    flags.join(",")
}

/// `--cluster info`.
pub fn info(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words)?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    cluster.show_info()
}

impl Cluster<'_> {
    /// The table of all nodes.
    pub fn show_nodes(&self) -> Result<(), Failure> {
        for node in &self.picture.nodes {
            self.manager.print(&format!("{}\n", node_info(node, &self.picture, 0)))?;
        }
        Ok(())
    }

    /// Keys, slots and replicas of each primary, and the sum.
    pub fn show_info(&mut self) -> Result<(), Failure> {
        let words = self.manager.words;
        let (mut primaries, mut keys) = (0, 0);
        for id in self.ids() {
            let Some(node) = self.picture.node(&id).filter(|node| !node.is_replica()) else { continue };
            let (address, slots, replicas) = (node.address(), node.slots.len(), self.picture.replicas_of(&id));
            let count = match self.ask(&id, &["DBSIZE"]) {
                Ok(Value::Integer(count)) => count,
                Ok(_) => return Err(FAILED),
                // The peers go on here, without the rest of the table.
                Err(refusal) => return self.manager.error(&refused(&address, refusal.text())),
            };
            let short: String = id.as_str().chars().take(8).collect();
            self.manager.print(&format!(
                "{address} ({short}...) -> {count} keys | {slots} slots | {replicas} {}.\n",
                words.replicas
            ))?;
            primaries += 1;
            keys += count;
        }
        self.manager.good(&format!("[OK] {keys} keys in {primaries} {}.\n", words.primaries))?;
        let average = keys as f32 / cluster_admin::SLOTS as f32;
        self.manager.print(&format!("{average:.2} keys per slot on average.\n"))
    }
}
