//! What can be seen by looking at a file: its size, what was left behind in it, and whether it forbids `unsafe`.

use super::{Finding, Member};
use crate::source::Source;

/// A file longer than this hides a noun or a machine that wants a room of its own.
const LONGEST: usize = 800;

/// Exceptions: (file, reason).
const LONG: &[(&str, &str)] = &[];

/// The only crates in which `unsafe` may stand.
const MAY_BE_UNSAFE: &[&str] = &["structures", "runtime"];

/// Written apart, so that this file does not find itself.
const LEFT_BEHIND: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("todo", "!("),
    concat!("unimple", "mented!("),
    concat!("#[ig", "nore"),
];

pub fn check(members: &[Member], findings: &mut Vec<Finding>) {
    for member in members {
        for source in member.sources.iter().chain(&member.tests) {
            length(source, findings);
            left_behind(source, findings);
        }
        let forbids = !MAY_BE_UNSAFE.contains(&member.name.as_str());
        for source in member.sources.iter().filter(|s| forbids && is_root(s)) {
            if !source.code.contains("#![forbid(unsafe_code)]") {
                findings.push(Finding::new(&source.path, 1, "#![forbid(unsafe_code)] is missing"));
            }
        }
    }
}

fn is_root(source: &Source) -> bool {
    ["src/lib.rs", "src/main.rs"].iter().any(|root| source.path.ends_with(root))
        || source.path.parent().is_some_and(|folder| folder.ends_with("src/bin"))
}

fn length(source: &Source, findings: &mut Vec<Finding>) {
    let lines = source.raw.lines().count();
    let allowed = LONG.iter().any(|(file, _)| source.path.to_string_lossy() == *file);
    if lines > LONGEST && !allowed {
        findings.push(Finding::new(&source.path, 0, format!("{lines} lines; at most {LONGEST} are readable")));
    }
}

fn left_behind(source: &Source, findings: &mut Vec<Finding>) {
    for (number, line) in source.raw.lines().enumerate() {
        for what in LEFT_BEHIND.iter().filter(|what| line.contains(**what)) {
            findings.push(Finding::new(&source.path, number + 1, format!("`{what}` was left behind")));
        }
    }
}
