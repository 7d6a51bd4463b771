//! The cluster manager: `redis-cli --cluster create`, `check`, `reshard`, ….
//!
//! ```text
//!   ask every node ─► Picture ─► cluster-admin ─► Plan ─► shown, confirmed ─► execute ─► commands to nodes
//!    (cluster.rs)                                                             (execute.rs, keys.rs)
//! ```
//!
//! What to do is decided in the crate `cluster-admin`; here are the words that people and scripts know, the questions, and the
//! commands. Texts are the peers' byte for byte: Redis' when called `redis-cli`, Valkey's otherwise (`words.rs`).
//!
//! Our own are `--dry-run`, which prints the plan and changes nothing, and `--cluster-plan <file>`, which keeps it: `--cluster
//! apply <file>` does what is left of a plan when the manager, or its terminal, has died.
//!
//! A subcommand that fails has told why; the exit code is 1 then.

mod apply;
mod atomic;
mod backup;
mod check;
mod cluster;
mod create;
mod dialogue;
mod everywhere;
mod execute;
mod fix;
mod help;
mod import;
mod keys;
mod membership;
mod rebalance;
mod request;
mod reshard;
mod show;
mod words;

use std::fs;

use arguments::number::leading_int;
use cluster_admin::Plan;

pub use request::Request;

use crate::failure::{Failure, fatal};
use crate::format::Style;
use crate::input;
use crate::oneshot;
use crate::options::Options;
use crate::screen;
use crate::vocabulary::Vocabulary;
use words::Words;

/// How a line is coloured where colours are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tone {
    Info,
    Warning,
    Error,
    Good,
}

/// A run of the manager.
struct Manager {
    options: Options,
    request: Request,
    vocabulary: Vocabulary,
    words: Words,
    has_colours: bool,
    /// Standard output is for a program: nothing but the plan goes there.
    is_silent: bool,
}

/// That the subcommand has failed and said so.
const FAILED: Failure = Failure::Exit(1);

/// A subcommand and how many words it takes.
struct Command {
    name: &'static str,
    words: Count,
    dry: Dry,
    run: fn(&Manager) -> Result<(), Failure>,
}

/// What `--dry-run` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dry {
    /// The plan is printed, or there is nothing that could be changed.
    Run,
    /// What would be done cannot be said beforehand.
    Refused,
}

enum Count {
    Exactly(usize),
    AtLeast(usize),
}

/// In the order of the help; `apply` is ours.
const COMMANDS: &[Command] = &[
    Command { name: "create", words: Count::AtLeast(1), dry: Dry::Run, run: create::run },
    Command { name: "check", words: Count::AtLeast(1), dry: Dry::Run, run: |manager| check::run(manager, false) },
    Command { name: "info", words: Count::AtLeast(1), dry: Dry::Run, run: show::info },
    Command { name: "fix", words: Count::AtLeast(1), dry: Dry::Run, run: |manager| check::run(manager, true) },
    Command { name: "reshard", words: Count::AtLeast(1), dry: Dry::Run, run: reshard::run },
    Command { name: "rebalance", words: Count::AtLeast(1), dry: Dry::Run, run: rebalance::run },
    Command { name: "add-node", words: Count::Exactly(2), dry: Dry::Run, run: membership::add },
    Command { name: "del-node", words: Count::Exactly(2), dry: Dry::Run, run: membership::remove },
    Command { name: "call", words: Count::AtLeast(2), dry: Dry::Refused, run: everywhere::call },
    Command { name: "set-timeout", words: Count::Exactly(2), dry: Dry::Refused, run: everywhere::set_timeout },
    Command { name: "import", words: Count::Exactly(1), dry: Dry::Run, run: import::run },
    Command { name: "backup", words: Count::Exactly(2), dry: Dry::Refused, run: backup::run },
    Command { name: "help", words: Count::AtLeast(0), dry: Dry::Run, run: help::run },
    Command { name: "apply", words: Count::Exactly(1), dry: Dry::Run, run: apply::run },
];

/// Runs the subcommand that the flags ask for; the exit code.
pub fn run(mut options: Options, vocabulary: Vocabulary) -> Result<i32, Failure> {
    let mut request = std::mem::take(&mut options.manager);
    complete(&options, &mut request, &vocabulary)?;
    let name = request.command.clone().unwrap_or_default();
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(fatal("Unknown --cluster subcommand"));
    };
    let is_right = match command.words {
        Count::Exactly(count) => request.words.len() == count,
        Count::AtLeast(count) => request.words.len() >= count,
    };
    if !is_right {
        return Err(fatal("[ERR] Wrong number of arguments for specified --cluster sub command"));
    }
    if request.dry_run && command.dry == Dry::Refused {
        return Err(fatal(format_args!("--dry-run cannot be used with --cluster {name}")));
    }
    let is_silent = request.dry_run && matches!(options.style, Style::Json | Style::QuotedJson);
    let words = Words::of(&vocabulary);
    let manager = Manager { options, request, vocabulary, words, has_colours: screen::has_colours(), is_silent };
    (command.run)(&manager).map(|()| 0)
}

/// Adds what is asked for or read from the environment rather than given by flags.
fn complete(options: &Options, request: &mut Request, vocabulary: &Vocabulary) -> Result<(), Failure> {
    oneshot::take_stdin(&options.stdin_argument, &mut request.words)?;
    request.yes |= vocabulary.env("CLUSTER_YES").is_some_and(|value| value == "1");
    if request.ask_from_password {
        let question = "Please input import source node password: ";
        request.from_password = Some(input::ask_password(question).map_err(fatal)?);
    }
    Ok(())
}

impl Manager {
    /// Prints a text, which brings its own line end, in a colour.
    fn log(&self, tone: Tone, text: &str) -> Result<(), Failure> {
        if !self.has_colours {
            return self.print(text);
        }
        let colour = match tone {
            Tone::Info => "29;1m",
            Tone::Warning => "33;1m",
            Tone::Error => "31;1m",
            Tone::Good => "32;1m",
        };
        self.print(&format!("\x1b[{colour}{text}\x1b[0m"))
    }

    fn info(&self, text: &str) -> Result<(), Failure> {
        self.log(Tone::Info, text)
    }

    fn warn(&self, text: &str) -> Result<(), Failure> {
        self.log(Tone::Warning, text)
    }

    fn error(&self, text: &str) -> Result<(), Failure> {
        self.log(Tone::Error, text)
    }

    /// An error that ends the subcommand.
    fn fail<T>(&self, text: &str) -> Result<T, Failure> {
        self.error(text)?;
        Err(FAILED)
    }

    fn good(&self, text: &str) -> Result<(), Failure> {
        self.log(Tone::Good, text)
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        if self.is_silent { Ok(()) } else { screen::print(text.as_bytes()) }
    }

    /// `host:port`, or the two as two words.
    fn place(&self, words: &[Vec<u8>]) -> Result<(String, u16), Failure> {
        let words: Vec<String> = words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let place = match words.as_slice() {
            [] => None,
            [address] => address_of(address),
            [host, port, ..] => Some((host.clone(), port.parse().unwrap_or(0))),
        };
        place.filter(|(_, port)| *port != 0).ok_or_else(|| fatal(INVALID_PLACE))
    }

    fn word(&self, at: usize) -> String {
        self.request.words.get(at).map(|word| String::from_utf8_lossy(word).into_owned()).unwrap_or_default()
    }

    /// A plan before it is executed: kept in a file where that is wished, printed in a dry run. Whether to go on.
    fn announce(&self, plan: &Plan) -> Result<bool, Failure> {
        if let Some(path) = &self.request.plan {
            let aside = path.with_extension("aside");
            let written = fs::write(&aside, plan.to_string()).and_then(|()| fs::rename(&aside, path));
            written.map_err(|error| {
                fatal(format_args!("Could not write the plan to '{}': {}", path.display(), client::os_text(&error)))
            })?;
        }
        if self.request.dry_run {
            let text = if self.is_silent { plan.to_json() + "\n" } else { plan.to_string() };
            screen::print(text.as_bytes())?;
        }
        Ok(!self.request.dry_run)
    }
}

const INVALID_PLACE: &str = "[ERR] Invalid arguments: you need to pass either a valid address (ie. 120.0.0.1:7000) or space \
                             separated IP and port (ie. 120.0.0.1 7000)";

/// `host:port`, where a bus port may follow behind `@`.
fn address_of(text: &str) -> Option<(String, u16)> {
    let text = text.rsplit_once('@').map_or(text, |(place, _)| place);
    let (host, port) = text.rsplit_once(':')?;
    Some((host.to_owned(), leading_int(port.as_bytes()).try_into().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_name_a_bus_port() {
        assert_eq!(address_of("127.0.0.1:7000"), Some(("127.0.0.1".to_owned(), 7000)));
        assert_eq!(address_of("::1:7000@17000"), Some(("::1".to_owned(), 7000)));
        assert_eq!(address_of("host"), None);
        assert_eq!(address_of("host:x"), Some(("host".to_owned(), 0)));
    }
}
