//! Figures of whole groups of servers, ours beside Valkey's in turns in one run: the tables of `docs/failover.md` and those about
//! the cluster in `docs/performance.md`.
//!
//! ```text
//!   cargo xtask measure failover [--peers DIR] [--rounds N]
//!   cargo xtask measure cluster  [--peers DIR] [--rounds N] [--scale F] [--only takeover,reshard,big,throughput]
//! ```
//!
//! `DIR` is what `RUBELLITE_PEERS` is for the tests, a folder whose `bin/` holds Valkey's programs; without Valkey only our
//! half is measured. `--rounds` says how many faults each row is made of, `--scale` how much data is moved, 1 being what is
//! published. Everything runs on this machine and competes with the one who measures, so figures of two runs are not to be
//! compared, and those of a run that shared the machine with other work say little about the worst case.

mod big;
mod failover;
mod reshard;
mod sample;
mod shared;
mod takeover;
mod throughput;

use std::process::ExitCode;

/// What was asked for.
struct Request {
    rounds: Option<usize>,
    scale: f64,
    only: Vec<String>,
}

impl Request {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

/// The options after the first word; `None` if they make no sense.
fn request(words: &[String]) -> Option<Request> {
    let mut request = Request { rounds: None, scale: 1.0, only: Vec::new() };
    for pair in words.chunks(2) {
        let [option, value] = pair else { return None };
        match option.as_str() {
            "--rounds" => request.rounds = Some(value.parse().ok().filter(|rounds| *rounds > 0)?),
            "--scale" => request.scale = value.parse().ok().filter(|scale| *scale > 0.0)?,
            "--only" => request.only = value.split(',').map(str::to_owned).collect(),
            _ => return None,
        }
    }
    Some(request)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let wanted = words.split_first().and_then(|(what, options)| Some((what.as_str(), request(options)?)));
    match wanted {
        Some(("failover", request)) => failover::measure(request.rounds.unwrap_or(4)),
        Some(("cluster", request)) => {
            if request.wants("takeover") {
                takeover::measure(request.rounds.unwrap_or(8));
            }
            if request.wants("reshard") {
                reshard::measure(request.scale);
            }
            if request.wants("big") {
                big::measure(request.scale);
            }
            if request.wants("throughput") {
                throughput::measure(request.scale);
            }
        }
        _ => {
            eprintln!("usage: measure failover [--rounds N] | cluster [--rounds N] [--scale F] [--only PART,...]");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
