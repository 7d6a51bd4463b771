//! Command files and their specs.
//!
//! `crates/commands/src/zset/add.rs` holds a handler, `add.md` beside it the spec; the spec's title names the
//! commands that the two describe:
//!
//! ```text
//! # ZADD, ZINCRBY
//! ```
//!
//! Every row of the command table that is a data command must be in exactly one title, and every name in a title
//! must be a row.

use super::{Finding, Member, files_under};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const HOME: &str = "crates/commands/src";

pub fn check(root: &Path, members: &[Member], findings: &mut Vec<Finding>) {
    if !members.iter().any(|m| m.name == "commands") {
        return;
    }
    let mut described: BTreeMap<String, PathBuf> = BTreeMap::new();
    for spec in files_under(&root.join(HOME), "md") {
        let path = spec.strip_prefix(root).expect("found under the root").to_path_buf();
        if !spec.with_extension("rs").is_file() {
            findings.push(Finding::new(&path, 0, "there is no handler file beside this spec"));
        }
        let text = std::fs::read_to_string(&spec).unwrap_or_default();
        let names = title(&text);
        if names.is_empty() {
            findings.push(Finding::new(&path, 1, "the first line must be `# NAME, NAME …`"));
        }
        if !text.contains("\n```transcript") {
            findings.push(Finding::new(&path, 0, "a spec without a transcript proves nothing"));
        }
        for name in names {
            if let Some(other) = described.insert(name.clone(), path.clone()) {
                findings.push(Finding::new(&path, 1, format!("{name} is described in {} too", other.display())));
            }
        }
    }
}

/// The commands named in a spec's first line.
fn title(text: &str) -> Vec<String> {
    let Some(names) = text.lines().next().and_then(|line| line.strip_prefix("# ")) else { return Vec::new() };
    names.split(',').map(|name| name.trim().to_string()).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn the_title_names_the_commands() {
        assert_eq!(title("# ZADD, ZINCRBY\n\ntext"), ["ZADD", "ZINCRBY"]);
        assert!(title("text\n# ZADD").is_empty());
    }
}
