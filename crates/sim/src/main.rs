//! `sim`: runs universes, and makes failures small.
//!
//! ```text
//!   sim [--scenario F] [--seed N]          one universe, twice: equal seeds must have equal traces
//!   sim [--scenario F] --seeds N [--from N] [--jobs N]
//!   sim … --keep 0,3,7                     of the faults that the seed draws, only these
//!   sim … --loud                           tells everything
//! ```

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use sim::process::Template;
use sim::run::{Orders, Outcome, run};
use sim::scenario::Scenario;
use sim::shrink::shrink;

struct Arguments {
    scenario: String,
    seed: Option<u64>,
    seeds: u64,
    from: u64,
    jobs: usize,
    keep: Option<Vec<usize>>,
    loud: bool,
}

fn arguments() -> Option<Arguments> {
    let mut all = Arguments {
        scenario: concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/replication.txt").to_owned(),
        seed: None,
        seeds: 1,
        from: 0,
        jobs: 1,
        keep: None,
        loud: false,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--loud" => all.loud = true,
            "--scenario" => all.scenario = words.next()?,
            "--seed" => all.seed = Some(words.next()?.parse().ok()?),
            "--seeds" => all.seeds = words.next()?.parse().ok()?,
            "--from" => all.from = words.next()?.parse().ok()?,
            "--jobs" => all.jobs = words.next()?.parse().ok()?,
            "--keep" => {
                let list = words.next()?;
                let numbers: Result<_, _> = list.split(',').filter(|n| !n.is_empty()).map(str::parse).collect();
                all.keep = Some(numbers.ok()?);
            }
            _ => return None,
        }
    }
    Some(all)
}

fn main() -> ExitCode {
    let Some(arguments) = arguments() else {
        eprintln!("sim [--scenario FILE] [--seed N | --seeds N] [--from N] [--jobs N] [--keep 0,1,2] [--loud]");
        return ExitCode::FAILURE;
    };
    let text = match std::fs::read_to_string(&arguments.scenario) {
        Ok(text) => text,
        Err(e) => {
            eprintln!("{}: {e}", arguments.scenario);
            return ExitCode::FAILURE;
        }
    };
    let scenario = match Scenario::parse(&arguments.scenario, &text) {
        Ok(scenario) => scenario,
        Err(e) => {
            eprintln!("{}: {e}", arguments.scenario);
            return ExitCode::FAILURE;
        }
    };
    let template = Template::new(&scenario.server);
    match arguments.seed {
        Some(seed) => one(&arguments, &scenario, &template, seed),
        None => many(&arguments, &scenario, &template),
    }
}

fn one(arguments: &Arguments, scenario: &Scenario, template: &Template, seed: u64) -> ExitCode {
    let orders = Orders { seed, keep: arguments.keep.clone(), loud: arguments.loud };
    let outcome = run(scenario, template, &orders);
    let again = run(scenario, template, &Orders { loud: false, ..orders.clone() });
    println!("{outcome:?}");
    if outcome.hash != again.hash {
        println!("seed {seed} is not the same run twice: {:x} and {:x}", outcome.hash, again.hash);
        return ExitCode::FAILURE;
    }
    match outcome.violation {
        Some(_) => {
            report(arguments, scenario, template, seed, outcome);
            ExitCode::FAILURE
        }
        None => ExitCode::SUCCESS,
    }
}

fn many(arguments: &Arguments, scenario: &Scenario, template: &Template) -> ExitCode {
    let began = Instant::now();
    let next = AtomicU64::new(arguments.from);
    let end = arguments.from + arguments.seeds;
    let failed = Mutex::new(Vec::new());
    let sums = Mutex::new(Sums::default());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = run(scenario, template, &Orders { seed, ..Orders::default() });
                    sums.lock().expect("nobody panics with it").add(&outcome);
                    if let Some(violation) = &outcome.violation {
                        println!("seed {seed}: at {:.3} s: {}", violation.at as f64 / 1e6, violation.what);
                        failed.lock().expect("nobody panics with it").push((seed, outcome));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("nobody panics with it");
    let sums = sums.into_inner().expect("nobody panics with it");
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} universes in {seconds:.1} s, {:.0} per second; {sums}",
        arguments.seeds,
        arguments.seeds as f64 / seconds
    );
    println!("{} failed", failed.len());
    let any = !failed.is_empty();
    for (seed, outcome) in failed.into_iter().take(5) {
        report(arguments, scenario, template, seed, outcome);
    }
    if any { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// What all universes together have seen.
#[derive(Default)]
struct Sums {
    events: u64,
    micros: u64,
    promises: [usize; 3],
    choices: usize,
    healed_most: u64,
    moves: usize,
    both_most: u64,
}

impl Sums {
    fn add(&mut self, outcome: &Outcome) {
        self.events += outcome.events;
        self.micros += outcome.micros;
        self.promises.iter_mut().zip(outcome.promises).for_each(|(sum, n)| *sum += n);
        self.choices += outcome.choices;
        self.healed_most = self.healed_most.max(outcome.healed_in);
        self.moves += outcome.moves;
        self.both_most = self.both_most.max(outcome.both);
    }
}

impl std::fmt::Display for Sums {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [writes, waited, excused] = self.promises;
        write!(
            f,
            "{} events, {:.0} s of virtual time, {writes} promises ({waited} of replicas, {excused} excused), {} choices, \
             healed within {:.1} s",
            self.events,
            self.micros as f64 / 1e6,
            self.choices,
            self.healed_most as f64 / 1e6
        )?;
        if self.moves > 0 {
            let both = self.both_most as f64 / 1e6;
            write!(f, ", {} slots moved, two writers for at most {both:.1} s", self.moves)?;
        }
        Ok(())
    }
}

fn report(arguments: &Arguments, scenario: &Scenario, template: &Template, seed: u64, outcome: Outcome) {
    let orders = Orders { seed, keep: arguments.keep.clone(), loud: false };
    if let Some(violation) = &outcome.violation {
        println!("seed {seed}: at {:.3} s: {}", violation.at as f64 / 1e6, violation.what);
    }
    let (keep, small) = shrink(scenario, template, &orders, outcome);
    if let Some(violation) = &small.violation {
        println!("  with {} faults: at {:.3} s: {}", keep.len(), violation.at as f64 / 1e6, violation.what);
    }
    let numbers: Vec<String> = keep.iter().map(usize::to_string).collect();
    let keep = format!(" --keep {}", numbers.join(","));
    println!("  cargo run -p sim -- --scenario {} --seed {seed}{keep} --loud", arguments.scenario);
}
