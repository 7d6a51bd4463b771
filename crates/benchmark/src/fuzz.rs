//! `--fuzz`: arbitrary commands from many connections, to see whether the server stays up.
//!
//! Errors are expected and counted. What is not expected is that the server goes away, says nothing, or answers what is
//! no protocol: then the run fails. Each connection is a thread that sends a command and waits for its reply, so that a
//! failure can be told with the command that came before it.

mod grammar;

use std::fmt::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use client::{Address, Client, Value};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::options::{End, Fuzz, FuzzLevel, Options};
use crate::screen::Screen;
use crate::target::Target;
use crate::{Failure, failure};
use grammar::Grammar;

/// How long a reply may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// Of so many commands one is spoiled, when that is wanted.
const SPOILED: u32 = 4;

const MAX_CLIENTS: usize = 5000;

/// What all threads counted.
#[derive(Default)]
struct Counts {
    good: AtomicU64,
    errors: AtomicU64,
    /// Connections that the server closed, as it may after a wrong command.
    closed: AtomicU64,
    failed: AtomicBool,
}

/// Sends as many commands as the options say. The failure names the command after which the server was gone.
pub fn run(options: &Options, fuzz: Fuzz, entry: &Address, seed: u64, screen: &mut Screen) -> Result<(), Failure> {
    let (_, mut client) = Target::reach(entry, options)?;
    let grammar = Grammar::new(known(&mut client).as_deref(), fuzz.config);
    let End::Requests(total) = options.end else {
        return Err(failure("--fuzz needs a number of commands (-n), not a duration."));
    };
    let clients = options.clients.min(MAX_CLIENTS).min(usize::try_from(total).unwrap_or(usize::MAX)).max(1);
    let share = total / clients as u64;
    screen.print(format_args!(
        "Running fuzzer with {clients} clients, {share} commands per client ({} total commands)\n",
        share * clients as u64
    ))?;
    let counts = Counts::default();
    let results: Vec<Result<String, Failure>> = thread::scope(|scope| {
        let one = |index: usize| {
            let (grammar, counts) = (&grammar, &counts);
            let mut session = Session { options, fuzz, entry, counts, told: String::new() };
            scope.spawn(move || {
                let result = session.run(grammar, share, seed.wrapping_add(index as u64));
                if result.is_err() {
                    session.counts.failed.store(true, Ordering::Relaxed);
                }
                result.map(|()| session.told)
            })
        };
        let threads: Vec<_> = (0..clients).map(one).collect();
        let gone = |_| Err(failure("Error: a thread ended without a result"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(gone)).collect()
    });
    let mut first = Ok(());
    for result in results {
        match result {
            Ok(told) => screen.print(told)?,
            Err(failure) => first = first.and(Err(failure)),
        }
    }
    if fuzz.level >= FuzzLevel::Info {
        screen.print(statistics(&counts))?;
    }
    first?;
    // The last reply has come; the server must still answer the next question.
    let (_, mut client) = Target::reach(entry, options)?;
    client.call(&["PING"]).map(|_| ()).map_err(|error| failure(format!("Error: {error}")))
}

fn statistics(counts: &Counts) -> String {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (good, errors) = (load(&counts.good), load(&counts.errors));
    let sent = good + errors + load(&counts.closed);
    format!(
        "[INFO ] Total commands sent: {sent}\n[INFO ] Success replies: {good}\n[INFO ] Error replies: {errors}\n\
         [INFO ] Closed connections: {}\n[INFO ] Success rate: {:.2}%\n",
        load(&counts.closed),
        100.0 * good as f64 / sent.max(1) as f64,
    )
}

/// The commands that the server has, in lower case.
fn known(client: &mut Client) -> Option<Vec<String>> {
    let Ok(Value::Array(names)) = client.call(&["COMMAND", "LIST"]) else { return None };
    Some(names.iter().filter_map(|name| name.as_str().map(str::to_lowercase)).collect())
}

/// One connection after the other, as the server may close them.
struct Session<'a> {
    options: &'a Options,
    fuzz: Fuzz,
    entry: &'a Address,
    counts: &'a Counts,
    /// What `debug` and `error` want to be told.
    told: String,
}

impl Session<'_> {
    fn run(&mut self, grammar: &Grammar, commands: u64, seed: u64) -> Result<(), Failure> {
        let mut chance = SmallRng::seed_from_u64(seed);
        let mut client = self.connect()?;
        for _ in 0..commands {
            if self.counts.failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let mut words = grammar.command(&mut chance);
            let is_spoiled = self.fuzz.malformed && chance.random_ratio(1, SPOILED);
            if is_spoiled {
                grammar::spoil(&mut words, &mut chance);
            }
            match client.call(&words) {
                Ok(reply) => self.count(&words, &reply),
                // A server may close the connection; whether it still is there is seen by the next one.
                Err(error) if error.is_lost() => {
                    self.counts.closed.fetch_add(1, Ordering::Relaxed);
                    client = self.connect().map_err(|why| match why {
                        Failure::Line(why) => failure(format!("{why}\nThe last command was: {}", shown(&words))),
                        other => other,
                    })?;
                }
                Err(error) => return Err(failure(format!("Error: {error}\nThe command was: {}", shown(&words)))),
            }
        }
        Ok(())
    }

    fn connect(&self) -> Result<Client, Failure> {
        let options =
            client::Options { read_timeout: Some(PATIENCE), write_timeout: Some(PATIENCE), ..Default::default() };
        let unreachable =
            |error: client::Error| failure(format!("Could not connect to server at {}: {error}", self.entry));
        let mut client = Client::connect(self.entry, &options).map_err(unreachable)?;
        if let Some(words) = self.options.server.authentication() {
            client.call(&words).map_err(unreachable)?;
        }
        Ok(client)
    }

    fn count(&mut self, words: &[Vec<u8>], reply: &Value) {
        let error = match reply {
            Value::Error(text) | Value::BulkError(text) => Some(text),
            _ => None,
        };
        let counter = if error.is_some() { &self.counts.errors } else { &self.counts.good };
        counter.fetch_add(1, Ordering::Relaxed);
        let is_told = self.fuzz.level >= if error.is_some() { FuzzLevel::Error } else { FuzzLevel::Debug };
        // Errors are expected; only who asks for the details gets them.
        if is_told && self.fuzz.level != FuzzLevel::Info {
            let outcome = error.map_or("OK".into(), |text| String::from_utf8_lossy(text));
            let level = if error.is_some() { "ERROR" } else { "DEBUG" };
            let _ = writeln!(self.told, "[{level}] {} -> {outcome}", shown(words));
        }
    }
}

/// A command on one line.
fn shown(words: &[Vec<u8>]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.escape_ascii().to_string()).collect();
    words.join(" ")
}
