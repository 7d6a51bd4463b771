//! Two load generators beside each other: ours and the peer's, on one real Valkey server and with the same flags.
//!
//! ```text
//!   RUBELLITE_PEERS=… cargo run --release -p e2e --example generators [-- ROUNDS]
//! ```
//!
//! Question: does ours need less processor time for a request, and does it report the same distribution? In each round
//! the two take turns on each row; what is printed are medians over the rounds (5 unless told otherwise, some two minutes).
//! Processor time is the generator's own, as the system counts it for children that have ended. The tables are those of
//! `docs/performance.md`; nothing else should run meanwhile.
//!
//! One row knows its distribution: `DEBUG SLEEP 0.02` on one connection takes 20 ms and whatever the machine adds.

#![forbid(unsafe_code)]

use std::process::{Command, ExitCode};

use e2e::{Output, Program, Server};
use runtime::usage::{CpuTime, Whose, cpu_time};

/// A row: its name, its requests, and the flags besides those that all have.
const ROWS: [(&str, u64, &str); 8] = [
    ("set", 100_000, "-c 50 -r 100000 -t set"),
    ("get", 100_000, "-c 50 -r 100000 -t get"),
    ("ping", 100_000, "-c 50 -t ping_mbulk"),
    ("set-p16", 1_000_000, "-c 50 -r 100000 -P 16 -t set"),
    ("get-p16", 1_000_000, "-c 50 -r 100000 -P 16 -t get"),
    ("get, 2 threads", 100_000, "-c 50 -r 100000 --threads 2 -t get"),
    ("lrange100", 30_000, "-c 50 lrange elements 0 99"),
    ("debug sleep", 50, "-c 1 debug sleep 0.02"),
];

/// What one run has shown.
#[derive(Clone, Copy)]
struct Run {
    user_us: f64,
    system_us: f64,
    requests_per_second: f64,
    /// Milliseconds.
    p50: f64,
    p95: f64,
    p99: f64,
}

fn main() -> ExitCode {
    let rounds = std::env::args().nth(1).map_or(Ok(5), |word| word.parse::<usize>());
    let (Ok(rounds @ 1..), Some(peer)) = (rounds, Program::valkey()) else {
        eprintln!("usage: generators [ROUNDS]; a real Valkey has to be in RUBELLITE_PEERS or on PATH");
        return ExitCode::FAILURE;
    };
    let server = Server::start_program(&peer, &["--enable-debug-command", "yes"]);
    let elements: Vec<String> = (0..100).map(|i| format!("element:{i}")).collect();
    server.run(&format!("RPUSH elements {}", elements.join(" ")));
    let generators = [Program::ours(), peer];
    let mut runs = vec![[Vec::new(), Vec::new()]; ROWS.len()];
    for _ in 0..rounds {
        for (row, runs) in ROWS.iter().zip(&mut runs) {
            for (generator, runs) in generators.iter().zip(runs) {
                match measure(generator.tool("benchmark"), server.port(), row.1, row.2) {
                    Ok(run) => runs.push(run),
                    Err(why) => {
                        eprintln!("{}, {}: {why}", generator.name, row.0);
                        return ExitCode::FAILURE;
                    }
                }
            }
        }
    }
    print(&runs);
    ExitCode::SUCCESS
}

fn measure(mut command: Command, port: u16, requests: u64, flags: &str) -> Result<Run, String> {
    command.args(["--csv", "-p", &port.to_string(), "-n", &requests.to_string()]).args(flags.split(' '));
    let before = cpu_time(Whose::Children);
    let output = Output::of(command);
    let CpuTime { system, user } = cpu_time(Whose::Children);
    // "test","rps","avg","min","p50","p95","p99","max"
    let line = output.stdout.lines().nth(1).unwrap_or_default();
    let numbers: Vec<f64> = line.rsplit(',').filter_map(|cell| cell.trim_matches('"').parse().ok()).collect();
    let [_, p99, p95, p50, _, _, requests_per_second] = numbers[..] else {
        return Err(format!("{:?} {}{}", output.status, output.stdout, output.stderr));
    };
    Ok(Run {
        user_us: (user - before.user) as f64,
        system_us: (system - before.system) as f64,
        requests_per_second,
        p50,
        p95,
        p99,
    })
}

fn median(runs: &[Run], of: impl Fn(&Run) -> f64) -> f64 {
    let mut values: Vec<f64> = runs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn print(runs: &[[Vec<Run>; 2]]) {
    println!("                 ours: user + sys    us/request     peer: user + sys    us/request    ratio");
    for ((name, requests, _), both) in ROWS.iter().zip(runs) {
        let each = |run: &Run| (run.user_us + run.system_us) / *requests as f64;
        let [ours, peer] = [&both[0], &both[1]].map(|runs| {
            (median(runs, |run| run.user_us) / 1e6, median(runs, |run| run.system_us) / 1e6, median(runs, each))
        });
        println!(
            "{name:<15} {:>8.2} + {:.2} s {:>13.3}    {:>8.2} + {:.2} s {:>13.3} {:>7.2}x",
            ours.0,
            ours.1,
            ours.2,
            peer.0,
            peer.1,
            peer.2,
            peer.2 / ours.2
        );
    }
    println!(
        "\nms               ours: p50     p95     p99    peer: p50     p95     p99    requests/s: ours       peer"
    );
    for ((name, ..), both) in ROWS.iter().zip(runs) {
        let [ours, peer] = [&both[0], &both[1]];
        println!(
            "{name:<15} {:>10.3} {:>7.3} {:>7.3} {:>12.3} {:>7.3} {:>7.3} {:>19.0} {:>10.0}",
            median(ours, |run| run.p50),
            median(ours, |run| run.p95),
            median(ours, |run| run.p99),
            median(peer, |run| run.p50),
            median(peer, |run| run.p95),
            median(peer, |run| run.p99),
            median(ours, |run| run.requests_per_second),
            median(peer, |run| run.requests_per_second),
        );
    }
}
