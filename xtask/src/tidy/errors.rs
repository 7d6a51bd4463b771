//! Texts of errors that go to clients stand in `resp::error` and nowhere else.
//!
//! Users match on these texts, and so does the peer's suite; in one file they can be read, compared and kept.
//! Programs and tests are free to name them: they are readers of errors, not writers.

use super::{Finding, Member};

/// The words with which an error of the protocol begins.
const CODES: &[&str] = &[
    "ASK",
    "BUSY",
    "BUSYGROUP",
    "BUSYKEY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "ERR",
    "EXECABORT",
    "INPROG",
    "IOERR",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOGOODSLAVE",
    "NOGROUP",
    "NOMASTERLINK",
    "NOPERM",
    "NOPROTO",
    "NOQUORUM",
    "NOREPLICAS",
    "NOSCRIPT",
    "NOTBUSY",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "UNBLOCKED",
    "UNKILLABLE",
    "WRONGPASS",
    "WRONGTYPE",
];

const READERS: &[&str] = &["cli", "benchmark", "check", "sim", "e2e", "conformance", "schedules", "xtask"];

/// Exceptions: (file, reason).
const ALLOWED: &[(&str, &str)] =
    &[("crates/replication/src/link.rs", "a replica tells apart what primaries of any version answer")];

pub fn check(members: &[Member], findings: &mut Vec<Finding>) {
    for member in members.iter().filter(|m| !READERS.contains(&m.name.as_str())) {
        for source in &member.sources {
            let path = source.path.to_string_lossy();
            if path.starts_with("crates/resp/src/error") || ALLOWED.iter().any(|(file, _)| path == *file) {
                continue;
            }
            for literal in source.literals.iter().filter(|l| is_error(&l.text)) {
                let text = format!("\"{}\" is a client's error: its home is resp::error", literal.text);
                findings.push(Finding::new(&source.path, literal.line, text));
            }
        }
    }
}

fn is_error(text: &str) -> bool {
    let (code, rest) = match text.strip_prefix('-').unwrap_or(text).split_once(' ') {
        Some(split) => split,
        None => return false,
    };
    !rest.is_empty() && CODES.contains(&code)
}

#[cfg(test)]
mod tests {
    use super::is_error;

    #[test]
    fn tells_errors_from_names() {
        assert!(is_error("ERR syntax error") && is_error("-WRONGTYPE Operation against a key"));
        assert!(!is_error("ERR") && !is_error("BUSY") && !is_error("ASKING x") && !is_error("err x"));
    }
}
