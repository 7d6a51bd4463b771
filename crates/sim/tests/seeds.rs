//! Fresh universes of every scenario, and the same universe twice.
//!
//! `SIM_SEEDS` says how many of each (40 without it; half as many of clusters), `SIM_SEED` where to begin (anywhere without it). A failure is printed
//! with the line that repeats it.

use std::path::PathBuf;

use sim::process::Template;
use sim::run::{Orders, run};
use sim::scenario::Scenario;
use sim::shrink::shrink;

fn scenarios() -> Vec<(PathBuf, Scenario)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
    let mut all: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()).collect();
    all.sort();
    all.into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("it can be read");
            let scenario = Scenario::parse("x", &text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (path, scenario)
        })
        .collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_is_lost_and_all_agree_in_the_end() {
    let count = number("SIM_SEEDS").unwrap_or(40);
    let first = number("SIM_SEED").unwrap_or_else(|| runtime::entropy::seed() >> 16);
    println!("SIM_SEED={first} SIM_SEEDS={count}");
    let mut failures = Vec::new();
    for (path, scenario) in scenarios() {
        let template = Template::new(&scenario.server);
        // A universe of a cluster takes as long as ten of another kind.
        let count = if scenario.shards.high > 0 { count.div_ceil(2) } else { count };
        for seed in first..first + count {
            let orders = Orders { seed, ..Orders::default() };
            let outcome = run(&scenario, &template, &orders);
            if outcome.violation.is_none() {
                continue;
            }
            let (keep, small) = shrink(&scenario, &template, &orders, outcome);
            let keep: Vec<String> = keep.iter().map(usize::to_string).collect();
            let what = small.violation.map(|violation| violation.what).unwrap_or_default();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            failures.push(format!(
                "{what}\n  cargo run -p sim -- --scenario crates/sim/scenarios/{name} --seed {seed} --keep {} --loud",
                keep.join(",")
            ));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_same_seed_is_the_same_universe() {
    for (path, scenario) in scenarios() {
        let template = Template::new(&scenario.server);
        for seed in 0..3 {
            let orders = Orders { seed, ..Orders::default() };
            let (one, two) = (run(&scenario, &template, &orders), run(&scenario, &template, &orders));
            assert_eq!((one.hash, one.events), (two.hash, two.events), "{} {seed}", path.display());
            let other = run(&scenario, &template, &Orders { seed: seed + 100, ..Orders::default() });
            assert_ne!(one.hash, other.hash, "{} {seed}", path.display());
        }
    }
}
