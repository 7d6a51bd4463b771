//! Who may use whom.
//!
//! The workspace is a list, and a crate may use only crates above it. That alone keeps cycles out and states most
//! of the edges that matter: `commands` cannot know a client because `session` stands below it, `node` cannot do
//! I/O because `runtime` does. Three machines stand beside each other and must not meet: `node` wires them.
//!
//! Tests may use what they like: their edges are in no program.

use super::{Finding, Member};
use crate::manifest::{self, Kind};
use std::path::Path;

/// From the foundations up to the proof.
const LAYERS: &[(&str, &[&str])] = &[
    ("foundations", &["structures", "resp", "value", "rdb", "aof"]),
    ("data plane", &["keyspace", "command", "journal", "acl", "config", "commands", "script", "engine"]),
    ("control", &["pubsub", "session", "persistence", "replication", "cluster", "sentinel", "cluster-admin", "node"]),
    ("effects", &["runtime", "client", "arguments"]),
    ("programs", &["cli", "benchmark", "check", "topology", "rubellite"]),
    ("proof", &["sim", "e2e", "conformance", "schedules"]),
    ("chores", &["xtask"]),
];

/// Edges that the order allows and the design does not.
const STRANGERS: &[&[&str]] = &[&["replication", "cluster", "sentinel"], &["node", "runtime"]];

pub fn check(root: &Path, members: &[Member], findings: &mut Vec<Finding>) {
    for member in members {
        let path = member.folder.join("Cargo.toml");
        let Some(own) = rank(&member.name) else {
            findings.push(Finding::new(path, 0, format!("`{}` has no place in the layers", member.name)));
            continue;
        };
        let Ok(dependencies) = manifest::dependencies(&root.join(&path)) else {
            findings.push(Finding::new(path, 0, "cannot be read"));
            continue;
        };
        for dependency in dependencies.iter().filter(|d| d.kind != Kind::Dev) {
            let Some(other) = rank(&dependency.name) else { continue };
            if other >= own {
                let text = format!("`{}` must not use `{}`, which stands above it", member.name, dependency.name);
                findings.push(Finding::new(&path, dependency.line, text));
            } else if are_strangers(&member.name, &dependency.name) {
                let text = format!("`{}` and `{}` must not know each other", member.name, dependency.name);
                findings.push(Finding::new(&path, dependency.line, text));
            }
        }
    }
}

/// Where a crate of ours stands; `None` for crates of the world.
fn rank(name: &str) -> Option<usize> {
    LAYERS.iter().flat_map(|(_, crates)| crates.iter()).position(|&c| c == name)
}

fn are_strangers(one: &str, other: &str) -> bool {
    STRANGERS.iter().any(|group| group.contains(&one) && group.contains(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_that_the_design_defends() {
        assert!(rank("commands") < rank("session"));
        assert!(rank("node") < rank("runtime"));
        assert!(rank("engine") > rank("commands"));
        assert!(are_strangers("sentinel", "replication"));
        assert!(!are_strangers("node", "replication"));
        assert_eq!(rank("mio"), None);
    }
}
