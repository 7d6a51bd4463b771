//! Command files and their specs.
//!
//! `crates/commands/src/zset/add.rs` holds a handler, `add.md` beside it the spec; the spec's title names the
//! commands that the two describe:
//!
//! ```text
//! # ZADD, ZINCRBY
//! ```
//!
//! Every row of the command table that reads or writes the types of this store has a handler and stands in exactly
//! one title, and every name in a title is a row. The subcommands of a container (`OBJECT ENCODING`) are described
//! under the container's name.

use super::{Finding, Member, files_under};
use command::row::{Flags, Group, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const HOME: &str = "crates/commands/src";

/// The types that the store has; rows of other groups are known and not yet served.
const SERVED: &[Group] =
    &[Group::Generic, Group::String, Group::Bitmap, Group::List, Group::Set, Group::Hash, Group::SortedSet];

/// Rows that read or write data and have no handler among the data commands: (name, reason).
const ELSEWHERE: &[(&str, &str)] = &[("migrate", "speaks with another server, so `node` has it")];

/// Rows that are known and not served: COMMAND tells of them, and who calls them is told that there is no such command.
/// A row that has a handler needs its spec like any other, whether it still stands here or not.
const NOT_SERVED: &[(&[&str], &str)] = &[
    (
        &["bitcount", "bitfield", "bitfield_ro", "bitop", "bitpos", "getbit", "setbit"],
        "strings are not yet taken as arrays of bits",
    ),
    (
        &[
            "hexpire",
            "hexpireat",
            "hexpiretime",
            "hgetdel",
            "hgetex",
            "hpersist",
            "hpexpire",
            "hpexpireat",
            "hpexpiretime",
            "hpttl",
            "hsetex",
            "httl",
        ],
        "fields of hashes do not yet end by themselves",
    ),
];

pub fn check(root: &Path, members: &[Member], findings: &mut Vec<Finding>) {
    if !members.iter().any(|m| m.name == "commands") {
        return;
    }
    let described = specs(root, findings);
    for row in command::table::rows().filter(|row| is_data(row)) {
        let mut complain = |text: String| findings.push(Finding::new(HOME, 0, text));
        if ELSEWHERE.iter().any(|(name, _)| *name == row.fullname) {
            continue;
        }
        let is_bound = commands::find(row.fullname).is_some();
        if let (false, Some((_, why))) = (is_bound, NOT_SERVED.iter().find(|(names, _)| names.contains(&row.fullname)))
        {
            println!("{} is not served: {why}", row.fullname);
            continue;
        }
        if !is_bound {
            complain(format!("{} has no handler", row.fullname));
        }
        if !described.contains_key(&container(row.fullname).to_uppercase()) {
            complain(format!("{} stands in no spec's title", row.fullname));
        }
    }
    let bound = commands::TABLE.iter().flat_map(|list| list.iter()).map(|binding| binding.name);
    for name in bound.filter(|name| !described.contains_key(&container(name).to_uppercase())) {
        findings.push(Finding::new(HOME, 0, format!("{name} has a handler and stands in no spec's title")));
    }
}

/// Reads every spec page: which command is described where.
fn specs(root: &Path, findings: &mut Vec<Finding>) -> BTreeMap<String, PathBuf> {
    let known: BTreeSet<String> = command::table::rows().map(|row| container(row.fullname).to_uppercase()).collect();
    let mut described: BTreeMap<String, PathBuf> = BTreeMap::new();
    for spec in files_under(&root.join(HOME), "md") {
        let path = spec.strip_prefix(root).expect("found under the root").to_path_buf();
        let text = std::fs::read_to_string(&spec).unwrap_or_default();
        let mut complain = |line, text: String| findings.push(Finding::new(&path, line, text));
        if !spec.with_extension("rs").is_file() {
            complain(0, "there is no handler file beside this spec".into());
        }
        if !text.contains("\n```transcript") {
            complain(0, "a spec without a transcript proves nothing".into());
        }
        let names = title(&text);
        if names.is_empty() {
            complain(1, "the first line must be `# NAME, NAME …`".into());
        }
        for name in names {
            if !known.contains(&name) {
                complain(1, format!("there is no command {name}"));
            }
            if let Some(other) = described.insert(name.clone(), path.clone()) {
                complain(1, format!("{name} is described in {} too", other.display()));
            }
        }
    }
    described
}

fn is_data(row: &Row) -> bool {
    SERVED.contains(&row.group) && (row.has(Flags::WRITE) || row.has(Flags::READONLY))
}

/// `object` of `object|encoding`.
fn container(fullname: &str) -> &str {
    fullname.split('|').next().unwrap_or(fullname)
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
