//! The project's chores, in Rust, so that they need nothing that a checkout does not have.
//!
//! ```text
//! cargo xtask tidy              the rules of the house that the compiler does not check
//! cargo xtask docs              every crate's documentation, warnings denied
//! cargo xtask bless [SPEC ...]  expected replies of the literate specs, from a real Valkey
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
        _ => {
            eprintln!("usage: cargo xtask tidy | docs | bless [SPEC ...]");
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
