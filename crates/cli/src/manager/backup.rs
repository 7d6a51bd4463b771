//! `--cluster backup`: a snapshot of each primary, and who had which slots.

use std::fs;
use std::path::Path;

use cluster_admin::{Node, NodeId, Slot};

use super::cluster::Cluster;
use super::show::flags;
use super::{FAILED, Manager};
use crate::failure::Failure;
use crate::modes::sync;
use crate::session::Session;

pub fn run(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words[..1])?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    let is_good = cluster.check(false)?;
    let errors = if is_good { 0 } else { cluster.errors };
    let named = manager.word(1);
    let folder = Path::new(&named);
    if !folder.is_dir() {
        return manager.fail(&format!("[ERR] {named} is not a valid directory\n"));
    }
    let nodes = cluster.picture.nodes.clone();
    for node in nodes.iter().filter(|node| node.primary.is_none()) {
        manager.info(&format!(">>> Node {} -> Saving RDB...\n", node.address()))?;
        let family = if manager.words.is_redis { "redis" } else { "valkey" };
        let file = folder.join(format!("{family}-node-{}-{}-{}.rdb", node.host, node.port, node.id));
        let mut options = manager.options.clone();
        (options.server.host, options.server.port, options.server.socket) = (node.host.clone(), node.port, None);
        let mut session = Session::new(options, manager.vocabulary);
        session.connect(true).map_err(|_| FAILED)?;
        sync::save_rdb(&mut session, &file).map_err(|_| FAILED)?;
    }
    let documents: Vec<String> = nodes.iter().map(|node| json(node, errors)).collect();
    let path = if named.ends_with('/') { format!("{named}nodes.json") } else { format!("{named}/nodes.json") };
    manager.info(&format!("Saving cluster configuration to: {path}\n"))?;
    if fs::write(&path, format!("[\n{}\n]", documents.join(",\n"))).is_err() {
        manager.error(&format!("Could not save nodes to: {path}\n"))?;
        manager.good("[ERR] Failed to back cluster!\n")?;
        return Err(FAILED);
    }
    if !is_good {
        manager.warn(
            "*** Cluster seems to have some problems, please be aware of it if you're going to restore this backup.\n",
        )?;
    }
    manager.good(&format!("[OK] Backup created into: {named}\n"))
}

/// A node in the form in which the peers write it.
fn json(node: &Node, errors: usize) -> String {
    let replicate = node.primary.as_ref().map_or("null".to_owned(), |primary| format!("\"{primary}\""));
    let mut text = format!(
        "  {{\n    \"name\": \"{}\",\n    \"host\": \"{}\",\n    \"port\": {},\n    \"replicate\": {replicate},\n    \"slots\": \
         [{}],\n    \"slots_count\": {},\n    \"flags\": \"{}\",\n    \"current_epoch\": {}",
        node.id,
        node.host,
        node.port,
        node.slots.to_string().replace('-', ","),
        node.slots.len(),
        flags(node),
        node.config_epoch
    );
    if errors > 0 {
        text.push_str(&format!(",\n    \"cluster_errors\": {errors}"));
    }
    for (name, open) in [("migrating", &node.migrating), ("importing", &node.importing)] {
        if !open.is_empty() {
            let entry = |(slot, other): &(Slot, NodeId)| format!("\"{slot}\": \"{other}\"");
            let entries: Vec<String> = open.iter().map(entry).collect();
            text.push_str(&format!(",\n    \"{name}\": {{{}}}", entries.join(",")));
        }
    }
    text + "\n  }"
}
