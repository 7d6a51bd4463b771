//! Dependencies: one table, a reason on each row, a user for each row, no versions elsewhere.

use super::{Finding, Member};
use crate::manifest::{self, Kind};
use std::collections::BTreeSet;
use std::path::Path;

pub fn check(root: &Path, members: &[Member], findings: &mut Vec<Finding>) {
    let mut used = BTreeSet::new();
    for member in members {
        let path = member.folder.join("Cargo.toml");
        for dependency in manifest::dependencies(&root.join(&path)).unwrap_or_default() {
            if !dependency.inherits() {
                let text = format!("`{}` must come from [workspace.dependencies]", dependency.name);
                findings.push(Finding::new(&path, dependency.line, text));
            }
            if !names(member, &dependency.name) {
                let text = format!("`{}` is declared and not used", dependency.name);
                findings.push(Finding::new(&path, dependency.line, text));
            }
            used.insert(dependency.name);
        }
    }
    let table = manifest::dependencies(&root.join("Cargo.toml")).unwrap_or_default();
    for row in table.iter().filter(|d| d.kind == Kind::Workspace) {
        let mut complain = |text: String| findings.push(Finding::new("Cargo.toml", row.line, text));
        if row.is_ours() {
            if !members.iter().any(|m| m.name == row.name) {
                complain(format!("there is no crate `{}`", row.name));
            }
            continue;
        }
        if row.comment.len() < 10 {
            complain(format!("`{}` does not say why it is here", row.name));
        }
        if !used.contains(&row.name) {
            complain(format!("`{}` is used by no crate", row.name));
        }
    }
}

/// Whether any file of the crate names the dependency.
fn names(member: &Member, dependency: &str) -> bool {
    let identifier = dependency.replace('-', "_");
    member.sources.iter().chain(&member.tests).any(|source| source.raw.contains(&identifier))
}
