//! The rules of the house that the compiler does not check.
//!
//! | rule | file |
//! |---|---|
//! | a crate uses only crates below it | `layers.rs` |
//! | every dependency from outside has a reason and a user | `dependencies.rs` |
//! | files, sockets, threads, clocks and chance only in the crates made for them | `purity.rs` |
//! | texts of errors that go to clients have one home | `errors.rs` |
//! | rooms of readable size, nothing left behind, no `unsafe` outside its two crates | `text.rs` |
//! | every data command has a handler file and a spec, and no spec describes what does not exist | `commands.rs` |
//!
//! A rule that must be broken is broken in one place: a row of the rule's own table of exceptions, with the reason.

mod commands;
mod dependencies;
mod errors;
mod layers;
mod purity;
mod text;

use crate::source::Source;
use std::fmt;
use std::path::{Path, PathBuf};

/// One place where a rule does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Relative to the workspace.
    pub path: PathBuf,
    /// Counted from 1; 0 when the whole file is meant.
    pub line: usize,
    pub text: String,
}

impl Finding {
    fn new(path: impl Into<PathBuf>, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.into(), line, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.text)
    }
}

/// A member of the workspace.
pub struct Member {
    pub name: String,
    /// Relative to the workspace.
    pub folder: PathBuf,
    /// Files of the library or program itself.
    pub sources: Vec<Source>,
    /// Modules of tests in files of their own, and files under `tests/`, `benches/` and `examples/`.
    pub tests: Vec<Source>,
}

/// Checks every rule on the workspace at `root`.
pub fn run(root: &Path) -> Vec<Finding> {
    let members = members(root);
    let mut findings = Vec::new();
    layers::check(root, &members, &mut findings);
    dependencies::check(root, &members, &mut findings);
    purity::check(&members, &mut findings);
    errors::check(&members, &mut findings);
    text::check(&members, &mut findings);
    commands::check(root, &members, &mut findings);
    findings
}

fn members(root: &Path) -> Vec<Member> {
    let mut folders: Vec<PathBuf> = entries(&root.join("crates")).into_iter().filter(|p| p.is_dir()).collect();
    folders.push(root.join("xtask"));
    folders.iter().filter(|folder| folder.join("Cargo.toml").is_file()).map(|folder| member(root, folder)).collect()
}

fn member(root: &Path, folder: &Path) -> Member {
    let read = |part: &str| -> Vec<Source> {
        files_under(&folder.join(part), "rs")
            .into_iter()
            .map(|path| {
                let relative = path.strip_prefix(root).expect("found under the root").to_path_buf();
                Source::read(root, relative).expect("a file that was just listed can be read")
            })
            .collect()
    };
    let all = read("src");
    let is_test: Vec<bool> =
        all.iter().map(|file| all.iter().any(|other| other.declares_as_test(&file.path))).collect();
    let (mut sources, mut tests) = (Vec::new(), Vec::new());
    for (file, is_test) in all.into_iter().zip(is_test) {
        if is_test { tests.push(file) } else { sources.push(file) }
    }
    tests.extend(["tests", "benches", "examples"].into_iter().flat_map(read));
    Member {
        name: folder.file_name().expect("a folder has a name").to_string_lossy().into_owned(),
        folder: folder.strip_prefix(root).expect("found under the root").to_path_buf(),
        sources,
        tests,
    }
}

/// Every file with that extension in a folder and below it, sorted; nothing if there is no such folder.
fn files_under(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in entries(folder) {
        if path.is_dir() {
            found.extend(files_under(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| entry.ok().map(|e| e.path())).collect();
    paths.sort();
    paths
}
