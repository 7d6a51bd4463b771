//! The command line client: `redis-cli`, `valkey-cli` and `rubellite cli`.
//!
//! ```text
//!   words ──flags──► Options ─┬► Session ──┬── modes    --scan, --pipe, --rdb, --ldb, …
//!                             │            ├── oneshot  a command, a script
//!                             │            └── repl     lines typed, or from a pipe
//!                             │                   │
//!                             │   command ──► client ──► server
//!                             │   format  ◄── Value ◄──┘
//!                             └► manager       --cluster create, check, fix, reshard, …
//! ```
//!
//! Scripts of twenty years read its output, so what goes to standard output when it is not a terminal
//! equals the peers' byte for byte, as do the flags, the exit codes and the lines on standard error
//! that are waited for. What is shown to people only is our own.
//!
//! Invariants
//! 1. Replies go to standard output, complaints to standard error.
//! 2. Whatever the server or the user sends, the tool does not panic; it answers with a line.
//! 3. The exit code is 0 when a reply came, also an error reply (with `-e`, 1), and 1 when none did.
//! 4. The process is left only by [`main`]'s result, with one exception that says why (`modes/pipe.rs`).
//!
//! Where it differs from the peers (`docs/cli.md` has the whole list): lines are edited with
//! `reedline`; the history is appended to, line by line; `help` has our own words; reports are drawn
//! live on a terminal; big numbers and attributes of RESP3 are printed. Absent: TLS.

#![forbid(unsafe_code)]

mod command;
mod debugger;
mod docs;
mod failure;
mod flags;
mod format;
mod help;
mod hint;
mod history;
mod input;
mod live;
mod manager;
mod messages;
mod modes;
mod oneshot;
mod options;
mod preferences;
mod quoted;
mod repl;
mod screen;
mod session;
mod signals;
mod vocabulary;

use std::ffi::OsString;

use crate::screen::complain;
use failure::Failure;
use flags::Parsed;
use options::Options;
use session::Session;
use vocabulary::Vocabulary;

/// Runs the tool: `args` begins with the name it was called by, which chooses its vocabulary. The
/// result is the exit code.
pub fn main(args: &[OsString]) -> i32 {
    let program = args.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let vocabulary = Vocabulary::of(&program);
    match flags::parse(args.get(1..).unwrap_or_default(), &vocabulary, screen::is_for_people()) {
        Err(line) => {
            complain!("{line}");
            1
        }
        Ok(Parsed::Print(text)) => i32::from(screen::print(text.as_bytes()).is_err()),
        Ok(Parsed::Run { options, warnings, command }) => {
            warnings.iter().for_each(|line| complain!("{line}"));
            match run(*options, vocabulary, command) {
                Ok(code) | Err(Failure::Exit(code)) => code,
                Err(_) => 1,
            }
        }
    }
}

fn run(mut options: Options, vocabulary: Vocabulary, command: Vec<Vec<u8>>) -> Result<i32, Failure> {
    if options.ask_password {
        options.server.password = Some(input::ask_password("Please input password: ").map_err(failure::fatal)?);
    } else if options.server.password.is_none() {
        options.server.password = vocabulary.env("AUTH").as_ref().map(|value| arguments::bytes(value).to_vec());
    }
    if options.manager.command.is_some() {
        return manager::run(options, vocabulary);
    }
    let mode = options.modes.first().cloned();
    let mut session = Session::new(options, vocabulary);
    match mode {
        Some(mode) => modes::run(&mut session, mode, command),
        None if command.is_empty() => repl::run(session),
        None => oneshot::run(&mut session, command),
    }
}
