//! One command from the command line, and scripts with `--eval`.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use crate::failure::{Failure, fatal};
use crate::options::StdinArgument;
use crate::quoted::unquote;
use crate::screen;
use crate::session::Session;

/// Runs one command as often as the options want; then, if it subscribed, prints messages for ever.
pub fn run(session: &mut Session, words: Vec<Vec<u8>>) -> Result<i32, Failure> {
    // A failure to connect is told when the command is to be sent.
    let _ = session.connect(false);
    let mut words = if session.options.quoted_input {
        match words.iter().map(|word| unquote(word)).collect::<Option<_>>() {
            Some(words) => words,
            None => {
                screen::print_line("Invalid quoted string")?;
                return Ok(1);
            }
        }
    } else {
        words
    };
    take_stdin(&session.options.stdin_argument, &mut words)?;
    finish(session, &words)
}

/// Puts standard input where the flags want it.
pub fn take_stdin(argument: &StdinArgument, words: &mut Vec<Vec<u8>>) -> Result<(), Failure> {
    match argument {
        StdinArgument::None => (),
        StdinArgument::Last => words.push(read_stdin()?),
        StdinArgument::Tag(tag) => match words.iter_mut().find(|word| *word == tag) {
            Some(word) => *word = read_stdin()?,
            None => return Err(fatal("Using -X option but stdin tag not match.")),
        },
    }
    Ok(())
}

/// Sends the script in `file`. Words before a lone comma are keys, those behind it arguments.
pub fn eval(session: &mut Session, file: &Path, words: Vec<Vec<u8>>) -> Result<i32, Failure> {
    session.connect(true).map_err(|_| Failure::Exit(1))?;
    finish(session, &eval_command(read_script(file)?, words))
}

pub fn read_script(file: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(file)
        .map_err(|error| fatal(format_args!("Can't open file '{}': {}", file.display(), client::os_text(&error))))
}

pub fn eval_command(script: Vec<u8>, words: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let comma = words.iter().position(|word| word == b",");
    let keys = comma.unwrap_or(words.len());
    let mut command = vec![b"EVAL".to_vec(), script, keys.to_string().into_bytes()];
    command.extend(words.into_iter().enumerate().filter(|(i, _)| Some(*i) != comma).map(|(_, word)| word));
    command
}

fn finish(session: &mut Session, words: &[Vec<u8>]) -> Result<i32, Failure> {
    match session.issue(words, session.options.repeat) {
        Err(Failure::Exit(code)) => return Ok(code),
        Err(_) => return Ok(1),
        Ok(()) => (),
    }
    while session.subscriptions.active {
        if let Some(message) = session.read_reply(false)? {
            session.note_subscription(&message);
        }
    }
    Ok(0)
}

fn read_stdin() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| fatal(format_args!("Reading from standard input: {}", client::os_text(&error))))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_parts_keys_from_arguments() {
        let words =
            |line: &str| -> Vec<Vec<u8>> { line.split_whitespace().map(|word| word.as_bytes().to_vec()).collect() };
        for (line, expect) in
            [("", "EVAL s 0"), ("k", "EVAL s 1 k"), ("k l , a , b", "EVAL s 2 k l a , b"), (", a", "EVAL s 0 a")]
        {
            assert_eq!(eval_command(b"s".to_vec(), words(line)), words(expect), "{line}");
        }
    }
}
