//! The session: a prompt, a line, its answer, until the user leaves.
//!
//! ```text
//!            ┌────────────────────────────────────────┐
//!   prompt ──┤ :set … │ quit │ connect │ clear │ help  ├──► prompt
//!            │ [n] command ──► Session::issue          │
//!            └──────────┬─────────────────────────────┘
//!                       └─ subscribed? messages until a key, Ctrl-C, or the last UNSUBSCRIBE
//! ```
//!
//! The same loop serves a pipe on standard input, without a prompt: each line is a command. Losing
//! the server does not end it; the next command tries to connect again.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::time::Instant;

use client::Address;
use resp::inline;

use crate::debugger;
use crate::failure::{Failure, fatal};
use crate::format::Style;
use crate::history::HistoryFile;
use crate::input::Input;
use crate::screen;
use crate::screen::complain;
use crate::session::Session;
use crate::signals::Interrupts;
use arguments::number::leading_int;

/// Commands that took longer than this say how long.
const SLOW_MS: u128 = 500;

/// Runs until the end of input; the exit code.
pub fn run(mut session: Session) -> Result<i32, Failure> {
    session.interrupts = Some(Interrupts::install().map_err(fatal)?);
    proceed(session.connect(true))?;
    match converse(&mut session, &mut None)? {
        Leave::With(code) => Ok(code),
        Leave::Restart => Ok(0),
    }
}

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    With(i32),
    /// The script that is debugged shall be run again.
    Restart,
}

/// Reads and obeys lines until the user leaves. The input is opened the first time.
pub fn converse(session: &mut Session, input: &mut Option<Input>) -> Result<Leave, Failure> {
    let terminal = io::stdin().is_terminal();
    // A debugger does not tell which commands there are.
    let table = if terminal && !session.debugger.active { session.command_table()? } else { Arc::default() };
    let history = if terminal { HistoryFile::open(&session.vocabulary) } else { HistoryFile::default() };
    session.interactive = true;
    if terminal {
        session.load_preferences()?;
    }
    let input = match input {
        Some(input) => input,
        None => input.insert(Input::open(table, session.hints.clone(), &history.lines).map_err(fatal)?),
    };
    loop {
        let Some(line) = input.read_line(&session.prompt()).map_err(fatal)? else {
            if session.subscriptions.active && session.connect(true).is_ok() {
                continue;
            }
            return Ok(Leave::With(0));
        };
        if line.is_empty() {
            continue;
        }
        let words = match debugger::split(&line) {
            Some(words) if session.debugger.active => Ok(words),
            _ => inline::split_owned(&line),
        };
        match words {
            Err(_) => {
                screen::print_line("Invalid argument(s)")?;
                history.append(&line, &[]);
            }
            Ok(words) if words.is_empty() => continue,
            Ok(words) => {
                let (repeat, command) = match split_repeat(&words) {
                    Some(split) => split,
                    None => {
                        let tool = session.vocabulary.tool;
                        screen::print_line(&format!("Invalid {tool} repeat command option value."))?;
                        continue;
                    }
                };
                history.append(&line, command);
                if let Some(leave) = obey(session, input, &words, command, repeat)? {
                    return Ok(leave);
                }
            }
        }
        if session.subscriptions.active {
            proceed(session.show_messages(input))?;
        }
    }
}

/// Runs one line; tells when the user leaves.
fn obey(
    session: &mut Session,
    input: &mut Input,
    words: &[Vec<u8>],
    command: &[Vec<u8>],
    repeat: i64,
) -> Result<Option<Leave>, Failure> {
    let name = words[0].to_ascii_lowercase();
    match (name.as_slice(), words.len()) {
        (b"quit" | b"exit", _) => return Ok(Some(Leave::With(0))),
        ([b':', ..], _) => session.prefer(words, "")?,
        (b"restart", _) if session.debugger.can_restart => return Ok(Some(Leave::Restart)),
        (b"restart", _) => screen::print_line("Use 'restart' only in Lua debugging mode.")?,
        (b"connect", 3) => {
            let host = String::from_utf8_lossy(&words[1]).into_owned();
            session.address = Address::tcp(host, leading_int(&words[2]).try_into().unwrap_or(0));
            proceed(session.connect(true))?;
        }
        (b"clear", 1) => input.clear_screen().map_err(fatal)?,
        _ => {
            let begin = Instant::now();
            proceed(session.issue(command, repeat))?;
            proceed(session.show_end_of_debugging())?;
            let took = begin.elapsed();
            if took.as_millis() >= SLOW_MS && session.options.style == Style::Terminal {
                screen::print_line(&format!("({:.2}s)", took.as_secs_f64()))?;
            }
        }
    }
    Ok(None)
}

/// `5 incr x` runs a command five times. `None` when the number is no count.
fn split_repeat(words: &[Vec<u8>]) -> Option<(i64, &[Vec<u8>])> {
    let text = std::str::from_utf8(&words[0]).unwrap_or_default();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if words.len() < 2 || !is_number {
        return Some((1, words));
    }
    let repeat: i64 = text.parse().ok()?;
    (repeat > 0).then_some((repeat, &words[1..]))
}

/// In a session only a wish to leave is taken further.
fn proceed(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(Failure::Lost(error)) => {
            complain!("Error: {error}");
            Ok(())
        }
        Err(Failure::Unconnected) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_before_a_command_repeats_it() {
        let words = |line: &str| -> Vec<Vec<u8>> { line.split(' ').map(|word| word.as_bytes().to_vec()).collect() };
        for (line, expect) in [
            ("5 incr x", Some((5, 2))),
            ("5", Some((1, 1))),
            ("incr 5", Some((1, 2))),
            ("0 incr x", None),
            ("-1 incr x", None),
            ("99999999999999999999 incr x", None),
            ("5x incr", Some((1, 2))),
        ] {
            let words = words(line);
            assert_eq!(split_repeat(&words).map(|(n, command)| (n, command.len())), expect, "{line}");
        }
    }
}
