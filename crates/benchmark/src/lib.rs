//! The load generator: `redis-benchmark`, `valkey-benchmark` and `rubellite benchmark`.
//!
//! Question: how many requests does a server answer, and how long does each take? So the generator must cost less than
//! the server, and what it prints must be readable by everything that reads the peers' output.
//!
//! ```text
//!   words ──flags──► Options ─┬─ suite ───┐
//!                             └─ command ─┴─► Plan ──► Worker × threads ──► Outcome ──► report
//!                                              │           │    ▲
//!                                              │        requests, replies
//!                                  target, cluster ──► servers
//! ```
//!
//! With `--fuzz` it measures nothing and sends arbitrary commands instead (`fuzz.rs`).
//!
//! Invariants
//! 1. A connection sends a pipeline, waits for all its replies, and sends the next.
//! 2. An error reply ends the run: figures of failing commands mean nothing. So does a connection that breaks.
//! 3. Results go to standard output, complaints to standard error. The exit code is 0 when everything was measured,
//!    else 1.
//! 4. When standard output is no terminal, the shape of what is printed is the peers'.
//!
//! Costs: see `worker.rs`; `docs/performance.md` compares the processor time with `valkey-benchmark`.
//!
//! Where it differs from the peers: the clock starts when all connections are made; `--rps` counts every command of a
//! sequence; numbers that are none are refused; `--json`, and charts in a terminal. Absent: TLS, which comes with the
//! server's.

#![forbid(unsafe_code)]

mod cluster;
mod command;
mod flags;
mod fuzz;
mod latency;
mod limit;
mod options;
mod placeholder;
mod plan;
mod report;
mod run;
mod screen;
mod skip;
mod socket;
mod suite;
mod tally;
mod target;
mod worker;

use std::ffi::OsString;
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::cluster::Cluster;
use crate::command::{Payload, Sequence};
use crate::flags::Parsed;
use crate::options::{Format, Options};
use crate::plan::Plan;
use crate::run::Outcome;
use crate::screen::{Screen, complain};
use crate::target::{Settings, Target};

/// Why the run ended early; either way the exit code is 1.
#[derive(Debug)]
pub enum Failure {
    /// A line for standard error.
    Line(String),
    /// There is nobody to tell it to.
    Silent,
}

fn failure(line: impl Into<String>) -> Failure {
    Failure::Line(line.into())
}

/// Runs the tool: `args` begins with the name it was called by. The result is the exit code.
pub fn main(args: &[OsString]) -> i32 {
    let called = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = called.rsplit('/').next().unwrap_or_default();
    let tool = if name.starts_with("redis") { "redis-benchmark" } else { "valkey-benchmark" };
    let mut screen = Screen::stdout();
    let result = match flags::parse(args.get(1..).unwrap_or_default(), tool) {
        Err(line) => Err(Failure::Line(format!("{line}\nTry {tool} --help."))),
        Ok(Parsed::Print(text)) => screen.print(text),
        Ok(Parsed::Run { options, warnings, command }) => {
            warnings.iter().for_each(|line| complain!("{line}"));
            run(*options, &command, &mut screen)
        }
    };
    match result {
        Ok(()) => 0,
        Err(Failure::Silent) => 1,
        Err(Failure::Line(line)) => {
            complain!("{line}");
            1
        }
    }
}

fn run(mut options: Options, command: &[Vec<u8>], screen: &mut Screen) -> Result<(), Failure> {
    let entry = options.server.address();
    let seed = options.seed.unwrap_or_else(seed_of_now);
    if let Some(fuzz) = options.fuzz {
        return fuzz::run(&options, fuzz, &entry, seed, screen);
    }
    let (target, mut client) = Target::reach(&entry, &options)?;
    let (mut cluster, mut settings) = (None, None);
    if options.cluster {
        cluster = Some(Cluster::fetch(&options, &entry, &mut client)?);
    } else {
        settings = target::settings(&entry, &mut client)?;
        if settings.is_none() {
            complain!("WARNING: Could not fetch server CONFIG");
        }
    }
    drop(client);
    let mut targets = vec![target];
    if let Some(cluster) = &cluster {
        targets = cluster.nodes.iter().map(|node| node.target.clone()).collect();
        if options.threads == 0 {
            options.threads = targets.len();
        }
        introduce(cluster, &options, screen)?;
    }
    Bench { options: &options, targets, cluster: cluster.as_ref(), settings, seed }.run(command, screen)
}

/// Tells which nodes will be asked.
fn introduce(cluster: &Cluster, options: &Options, screen: &mut Screen) -> Result<(), Failure> {
    if matches!(options.format, Format::Csv | Format::Json) {
        return Ok(());
    }
    let mut text = format!("Cluster has {} {} nodes:\n\n", cluster.nodes.len(), options.read_from.noun());
    for (number, node) in cluster.nodes.iter().enumerate() {
        let role = if node.is_replica { "Replica" } else { "Primary" };
        text.push_str(&format!("Node {number}({role}): {} {}\n", node.id(), node.target.name));
    }
    screen.print(text + "\n")
}

/// A seed that differs from run to run.
fn seed_of_now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_nanos() as u64 ^ u64::from(std::process::id()) << 32
}

/// Servers that were reached, and what shall be done to them.
struct Bench<'a> {
    options: &'a Options,
    targets: Vec<Target>,
    cluster: Option<&'a Cluster>,
    settings: Option<Settings>,
    seed: u64,
}

impl Bench<'_> {
    fn run(&self, command: &[Vec<u8>], screen: &mut Screen) -> Result<(), Failure> {
        let options = self.options;
        if options.idle {
            screen.print(format_args!(
                "Creating {} idle connections and waiting forever (Ctrl+C when done)\n",
                options.clients
            ))?;
            let nothing = Sequence { title: String::new(), bytes: Vec::new(), commands: 1, payload: 0 };
            return self.measure(&nothing, screen).map(|_| ());
        }
        if options.format == Format::Csv {
            screen.print(report::CSV_HEADER)?;
        }
        let mut payload = Payload::new(options.size);
        if !command.is_empty() {
            let mut words = command.to_vec();
            if options.last_from_stdin {
                words.push(last_word()?);
            }
            let mut sequence = Sequence::parse(&words, &mut payload).map_err(Failure::Line)?;
            // What came from a pipe may be long, or no text.
            sequence.title = command::title(command);
            loop {
                self.report(&sequence, screen)?;
                if !options.endless {
                    return Ok(());
                }
            }
        }
        for word in suite::unknown(options) {
            complain!("WARNING: There is no test {word:?}.");
        }
        loop {
            self.run_suite(&mut payload, screen)?;
            if !options.endless {
                return Ok(());
            }
        }
    }

    fn run_suite(&self, payload: &mut Payload, screen: &mut Screen) -> Result<(), Failure> {
        let mut rates = Vec::new();
        for test in suite::tests(self.options, payload) {
            if let Some(words) = &test.before {
                self.prepare(words)?;
            }
            let outcome = self.report(&test.sequence, screen)?;
            rates.push((test.sequence.title, outcome.requests_per_second()));
        }
        match self.options.format {
            Format::Csv | Format::Json => return Ok(()),
            Format::Full if screen.is_terminal && rates.len() > 1 => {
                screen.print(format_args!("\n{}", report::comparison(&rates, screen.columns)))?;
            }
            _ => (),
        }
        screen.print("\n")
    }

    /// Runs a command once on each node.
    fn prepare(&self, words: &[Vec<u8>]) -> Result<(), Failure> {
        for target in &self.targets {
            let (_, mut client) = Target::reach(&target.name, self.options)?;
            let reply = client.call(words).map_err(|error| failure(format!("Error: {error}")))?;
            target::refuse_error(&target.name, &reply)?;
        }
        Ok(())
    }

    fn report(&self, sequence: &Sequence, screen: &mut Screen) -> Result<Outcome, Failure> {
        let (plan, outcome) = self.measure(sequence, screen)?;
        report::print(&plan, &outcome, self.settings.as_ref(), screen)?;
        Ok(outcome)
    }

    fn measure(&self, sequence: &Sequence, screen: &mut Screen) -> Result<(Plan<'_>, Outcome), Failure> {
        let plan = Plan::new(self.options, sequence, self.targets.clone(), self.cluster).map_err(Failure::Line)?;
        let outcome = run::measure(&plan, self.seed, screen)?;
        Ok((plan, outcome))
    }
}

/// All of standard input.
fn last_word() -> Result<Vec<u8>, Failure> {
    let mut word = Vec::new();
    match std::io::stdin().lock().read_to_end(&mut word) {
        Ok(_) => Ok(word),
        Err(error) => Err(failure(format!("Error: {}", client::os_text(&error)))),
    }
}
