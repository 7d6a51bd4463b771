//! The project's chores, in Rust, so that they need nothing that a checkout does not have.
//!
//! ```text
//! cargo xtask tidy              the rules of the house that the compiler does not check
//! cargo xtask docs              every crate's documentation, warnings denied
//! cargo xtask bless [SPEC ...]  expected replies of the literate specs, from a real Valkey
//! cargo xtask measure ...       figures of whole groups of servers beside Valkey's: `failover`, `cluster`; `--peers DIR` names the
//!                               folder whose `bin/` has Valkey's programs (crates/e2e/examples/measure/main.rs)
//! ```
//!
//! `tidy` also runs as a test of this crate, so `cargo test --workspace` cannot pass without it.

#![forbid(unsafe_code)]

mod manifest;
mod source;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = root();
    match words.first().map(String::as_str) {
        Some("tidy") => report(&tidy::run(&root)),
        Some("docs") => cargo(&root, &["doc", "--workspace", "--no-deps"], &[], &[("RUSTDOCFLAGS", "-D warnings")]),
        Some("bless") => cargo(&root, &["run", "--quiet", "-p", "conformance", "--", "--bless"], &words[1..], &[]),
        Some("measure") => measure(&root, &words[1..]),
        _ => {
            eprintln!("usage: cargo xtask tidy | docs | bless [SPEC ...] | measure ...");
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_path_buf()
}

fn report(findings: &[tidy::Finding]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => {
            println!("tidy: every rule holds");
            ExitCode::SUCCESS
        }
        n => {
            eprintln!("tidy: {n} findings");
            ExitCode::FAILURE
        }
    }
}

/// The tool takes its peers from where the tests take them.
fn measure(root: &Path, words: &[String]) -> ExitCode {
    let mut words = words.to_vec();
    let mut environment = Vec::new();
    if let Some(at) = words.iter().position(|word| word == "--peers")
        && at + 1 < words.len()
    {
        let named = words.drain(at..at + 2).nth(1).expect("two words");
        let folder = std::path::absolute(&named).unwrap_or(named.into());
        environment.push(("RUBELLITE_PEERS", folder.to_string_lossy().into_owned()));
    }
    let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    cargo(root, &["run", "--quiet", "--release", "-p", "e2e", "--example", "measure", "--"], &words, &environment)
}

fn cargo(root: &Path, words: &[&str], more: &[String], environment: &[(&str, &str)]) -> ExitCode {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(words)
        .args(more)
        .envs(environment.iter().copied())
        .current_dir(root)
        .status()
        .expect("cargo starts");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_house_is_tidy() {
        let findings = super::tidy::run(&super::root());
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "\n{}", lines.join("\n"));
    }
}
