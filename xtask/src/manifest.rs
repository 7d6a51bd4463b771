//! What `tidy` needs of a `Cargo.toml`: which dependencies a section names, on which line, with which comment.
//!
//! Not a TOML parser. The manifests of this workspace hold one dependency a line, and a line that this reader
//! does not understand is skipped, never misread: a dependency that hides that way would not pass the check that
//! every dependency of the workspace is used.

use std::path::Path;

/// One line of a dependency section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub name: String,
    /// Counted from 1.
    pub line: usize,
    /// What stands to the right of `=`, or `true` for `name.workspace = true`.
    pub value: String,
    /// The words behind `#` on the same line.
    pub comment: String,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Normal,
    Build,
    /// Of tests, examples and benchmarks only.
    Dev,
    /// A row of the table in the root manifest.
    Workspace,
}

impl Dependency {
    /// Whether version and source come from the root's table.
    pub fn inherits(&self) -> bool {
        self.value.contains("workspace = true")
    }

    /// Whether the row points to a folder of this workspace.
    pub fn is_ours(&self) -> bool {
        self.value.contains("path =")
    }
}

/// Reads the dependencies of a manifest, in the order in which they stand.
pub fn dependencies(path: &Path) -> std::io::Result<Vec<Dependency>> {
    Ok(parse(&std::fs::read_to_string(path)?))
}

fn parse(text: &str) -> Vec<Dependency> {
    let mut section = None;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            section = kind_of_section(trimmed);
            continue;
        }
        let Some(kind) = section else { continue };
        let (body, comment) = split_comment(trimmed);
        let Some((key, value)) = body.split_once('=') else { continue };
        let key = key.trim();
        let (name, value) = match key.strip_suffix(".workspace") {
            Some(name) => (name, format!("{{ workspace = {} }}", value.trim())),
            None => (key, value.trim().to_string()),
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
            continue;
        }
        found.push(Dependency {
            name: name.to_string(),
            line: number + 1,
            value,
            comment: comment.trim().to_string(),
            kind,
        });
    }
    found
}

fn kind_of_section(header: &str) -> Option<Kind> {
    let name = header.trim_matches(|c| c == '[' || c == ']');
    match name {
        "workspace.dependencies" => Some(Kind::Workspace),
        _ if name.ends_with("dev-dependencies") => Some(Kind::Dev),
        _ if name.ends_with("build-dependencies") => Some(Kind::Build),
        _ if name.ends_with("dependencies") => Some(Kind::Normal),
        _ => None,
    }
}

/// Splits a line at the `#` that opens its comment, if any.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '#' if !quoted => return (&line[..at], &line[at + 1..]),
            _ => {}
        }
    }
    (line, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_our_manifests_use() {
        let text = "[package]\nname = \"x\"\n\n[dependencies]\nresp.workspace = true\nmio = { workspace = true, features = [\"a\"] } # readiness\n\n[dev-dependencies]\nproptest = \"1\" # \"#\"\n[lints]\nworkspace = true\n";
        let rows: Vec<(String, Kind, bool, String)> =
            parse(text).into_iter().map(|d| (d.name.clone(), d.kind, d.inherits(), d.comment)).collect();
        assert_eq!(
            rows,
            [
                ("resp".into(), Kind::Normal, true, String::new()),
                ("mio".into(), Kind::Normal, true, "readiness".into()),
                ("proptest".into(), Kind::Dev, false, "\"#\"".into()),
            ]
        );
    }
}
