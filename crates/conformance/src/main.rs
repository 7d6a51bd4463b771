//! Runs literate specs from a shell.
//!
//! ```text
//! conformance [--valkey | --server PATH] [--bless] [PAGE | FOLDER ...]
//! ```
//!
//! Without pages: every page beside the commands. `--bless` writes what a real Valkey answers into the pages; it does
//! not accept our own server as a witness.

#![forbid(unsafe_code)]

use conformance::{Runner, Spec, all_pages, bless, collect};
use e2e::Program;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut program = None;
    let mut blessing = false;
    let mut pages: Vec<PathBuf> = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bless" => blessing = true,
            "--valkey" => match Program::valkey() {
                Some(valkey) => program = Some(valkey),
                None => return without_valkey(),
            },
            "--server" => program = words.next().map(|path| Program::named_by(Path::new(&path))),
            _ => pages.push(word.into()),
        }
    }
    let named = pages.iter().flat_map(|page| if page.is_dir() { collect(page) } else { vec![Spec::read(page)] });
    let specs: Vec<Spec> = if pages.is_empty() { all_pages() } else { named.collect() };
    if blessing { fill_in(&specs) } else { check(&program.unwrap_or_else(Program::ours), &specs) }
}

fn fill_in(specs: &[Spec]) -> ExitCode {
    let Some(valkey) = Program::valkey() else { return without_valkey() };
    let mut runner = Runner::start(&valkey);
    for spec in specs {
        if let Some(text) = bless(&mut runner, spec) {
            println!("{}", spec.path.display());
            if let Err(error) = std::fs::write(&spec.path, text) {
                eprintln!("{}: {error}", spec.path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    let again: Vec<Spec> = specs.iter().map(|spec| Spec::read(&spec.path)).collect();
    report(&mut runner, &again)
}

fn without_valkey() -> ExitCode {
    eprintln!("a real Valkey is needed: RUBELLITE_PEERS must name a folder with bin/valkey-server");
    ExitCode::FAILURE
}

fn check(program: &Program, specs: &[Spec]) -> ExitCode {
    report(&mut Runner::start(program), specs)
}

fn report(runner: &mut Runner, specs: &[Spec]) -> ExitCode {
    let mut failed = 0;
    for failure in specs.iter().flat_map(|spec| runner.check(spec)) {
        eprintln!("{failure}");
        failed += 1;
    }
    let steps: usize = specs.iter().flat_map(|spec| &spec.chains).map(|chain| chain.steps.len()).sum();
    println!("{} pages, {steps} steps, {failed} failures", specs.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
