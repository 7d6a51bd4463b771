//! What do three primaries do together?
//!
//! `valkey-benchmark --cluster` with 50 clients on both, in turns; beside requests per second the servers' processor time for
//! each, because the load generator takes a part of the machine, too. In a cluster the generator notices its end only at the next
//! quarter of a second, so a run has to last for some seconds before its requests per second mean anything.

use crate::shared;
use e2e::{Cluster, Output, Program, absent};

const ROUNDS: usize = 3;

const ROWS: [(&str, &[&str], usize); 4] = [
    ("set", &["-t", "set"], 400_000),
    ("get", &["-t", "get"], 400_000),
    ("set, 16 at once", &["-t", "set", "-P", "16"], 3_000_000),
    ("get, 16 at once", &["-t", "get", "-P", "16"], 3_000_000),
];

/// Processor time that a cluster's processes have used, in hundredths of a second.
fn ticks(cluster: &Cluster) -> u64 {
    let of = |process: u32| -> Option<u64> {
        let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
    };
    cluster.nodes.iter().map(|node| of(node.process_id()).expect("a process that runs")).sum()
}

/// Requests per second, and microseconds of the servers' processor time for each.
fn run(load: &Program, cluster: &Cluster, words: &[&str], requests: usize) -> (f64, f64) {
    let before = ticks(cluster);
    let (port, count) = (cluster.nodes[0].port().to_string(), requests.to_string());
    let mut command = load.tool("benchmark");
    command.args(["--cluster", "-p", &port, "-n", &count, "-c", "50", "-r", "1000000", "-d", "64", "-q"]).args(words);
    let said = Output::of(command).stdout;
    let speed = said.split(" requests per second").next().and_then(|text| text.rsplit([' ', '\r', '\n']).next());
    let speed = speed.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no figure in {said}"));
    (speed, (ticks(cluster) - before) as f64 * 10_000.0 / requests as f64)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Prints the table.
pub fn measure(scale: f64) {
    let Some(load) = Program::valkey() else { return absent("no valkey-benchmark is at hand") };
    let programs = shared::programs();
    let clusters: Vec<Cluster> = programs.iter().map(|program| shared::cluster(program, 0)).collect();
    println!("\n| three primaries | whose | requests/s | processor time for each |\n|---|---|---|---|");
    for (name, words, requests) in ROWS {
        let requests = ((requests as f64 * scale) as usize).max(1000);
        let mut runs: Vec<Vec<(f64, f64)>> = vec![Vec::new(); clusters.len()];
        for _ in 0..ROUNDS {
            for (cluster, figures) in clusters.iter().zip(&mut runs) {
                figures.push(run(&load, cluster, words, requests));
            }
        }
        for (program, figures) in programs.iter().zip(runs) {
            let (speed, cost) = figures.into_iter().unzip::<f64, f64, Vec<f64>, Vec<f64>>();
            println!("| {name} | {} | {:.0} | {:.2} us |", shared::title(program), median(speed), median(cost));
        }
    }
}
