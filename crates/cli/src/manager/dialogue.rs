//! Questions to the person at the terminal, or to the script in front of standard input.

use std::io::{self, Read};

use super::Manager;
use crate::failure::{Failure, fatal};
use crate::screen;

impl Manager {
    /// Asks and takes `yes`, or what begins so, for consent. `--cluster-yes` answers in advance, unless the question is one that
    /// must be put to a person.
    pub fn confirm(&self, question: &str, insists: bool) -> Result<bool, Failure> {
        if self.request.yes && !insists {
            return Ok(true);
        }
        self.consent(&format!("{question} (type 'yes' to accept): "))
    }

    /// Asks in these words.
    pub fn consent(&self, question: &str) -> Result<bool, Failure> {
        screen::print(question.as_bytes())?;
        Ok(read_line()?.is_some_and(|line| line.starts_with("yes")))
    }

    /// A line of an answer. Where standard input has ended there is none to be had, and the program ends.
    pub fn ask(&self, question: &str) -> Result<String, Failure> {
        screen::print(question.as_bytes())?;
        match read_line()? {
            Some(line) => Ok(line),
            None => {
                screen::print(b"\n")?;
                Err(fatal("Nobody answers: standard input has ended."))
            }
        }
    }
}

/// A line of standard input without its end, taken byte by byte, so that what follows is left to whoever reads next. `None` at the
/// end of input.
fn read_line() -> Result<Option<String>, Failure> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match io::stdin().lock().read(&mut byte) {
            Ok(0) if line.is_empty() => return Ok(None),
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(fatal(format_args!("Reading from standard input: {}", client::os_text(&error)))),
        }
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.strip_suffix('\r').unwrap_or(&line).to_owned()))
}
