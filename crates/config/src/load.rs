//! From the text of a file to a [`Config`], line by line.
//!
//! ```text
//!   file text ─ stdin ─ "\n" ─ options of the command line          one text, one numbering of lines
//!       │
//!       ▼  parse_lines: trim, drop comments, split into words
//!   directive of the table ──► set in the Config
//!   include <path or glob> ──► Surroundings::include, then the same again one level down
//!   dir <path>             ──► Surroundings::enter: later paths are relative to it
//!   user, rename-command, sentinel ──► handed to the caller with their line ([`Declared`])
//!   anything else          ──► error with line number, line and reason
//! ```
//!
//! The last line of a directive wins, but for those that gather: `save`, `client-output-buffer-limit`, `user`,
//! `rename-command`.
//!
//! Modules cannot be loaded: `loadmodule` and settings of modules (`name.setting`) stop the start instead of leaving
//! a server without the commands that its users rely on.

use crate::directives::{self, Config};
use crate::reason::{self, Reason};
use crate::words;
use std::fmt;

/// As which program the text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Server,
    /// `sentinel` lines are handed out instead of refused; the defaults are port 26379 and no protected mode.
    Sentinel,
}

/// What the loader needs from the world.
pub trait Surroundings {
    /// The text of the files that `include` names, one after another. With [`is_glob`] it is a pattern, and no match
    /// is an empty text; without, a file that cannot be read is an error.
    fn include(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason>;

    /// Makes `path` the working directory and returns its absolute path.
    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason>;
}

/// Whether a path of `include` is a pattern.
pub fn is_glob(path: &[u8]) -> bool {
    crate::glob::is_pattern(path)
}

/// How deep `include` may nest; a file that includes itself ends here.
const MAX_DEPTH: usize = 32;

/// A line with something on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Without white space around it.
    pub text: Vec<u8>,
    /// At least one; the first is the directive's name as written.
    pub words: Vec<Vec<u8>>,
}

impl Line {
    /// The error that this line is refused for `reason`.
    pub fn refuse(&self, reason: Reason) -> LineError {
        LineError { line: Some((self.number, self.text.clone())), reason }
    }
}

/// A line that means something to the caller: its words, and itself for an error.
pub type Declared = Line;

/// Why a text was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Number and text of the line, `None` when the whole is at fault.
    pub line: Option<(usize, Vec<u8>)>,
    pub reason: Reason,
}

impl LineError {
    /// An error of the configuration as a whole.
    pub fn whole(reason: Reason) -> LineError {
        LineError { line: None, reason }
    }

    /// The message for standard error, in the peers' words, with `version` as our own.
    pub fn message(&self, version: &str) -> String {
        let mut message = format!("\n*** FATAL CONFIG FILE ERROR (Version {version}) ***\n");
        if let Some((number, text)) = &self.line {
            message.push_str(&format!("Reading the configuration file, at line {number}\n"));
            message.push_str(&format!(">>> '{}'\n", String::from_utf8_lossy(text)));
        }
        message.push_str(self.reason.as_str());
        message.push('\n');
        message
    }
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some((number, _)) => write!(f, "line {number}: {}", self.reason),
            None => self.reason.fmt(f),
        }
    }
}

/// The lines of `text` that say something, in order. O(length).
pub fn parse_lines(text: &[u8]) -> impl Iterator<Item = Result<Line, LineError>> {
    text.split(|byte| *byte == b'\n').enumerate().filter_map(|(index, line)| {
        let text = words::trim(line);
        if text.is_empty() || text[0] == b'#' {
            return None;
        }
        let number = index + 1;
        match words::split(text) {
            Ok(words) if words.is_empty() => None,
            Ok(words) => Some(Ok(Line { number, text: text.to_vec(), words })),
            Err(_) => Some(Err(LineError { line: Some((number, text.to_vec())), reason: reason::UNBALANCED })),
        }
    })
}

/// What a text says.
#[derive(Debug, Default)]
pub struct Loaded {
    pub config: Config,
    /// `user <name> <rule> …`, in order.
    pub users: Vec<Declared>,
    /// `rename-command <old> <new>`, in order.
    pub renames: Vec<Declared>,
    /// `sentinel …`, in order. Empty for a server.
    pub sentinel: Vec<Declared>,
}

/// Reads `text` over the defaults. `surroundings` are asked when a line needs them.
pub fn load(text: &[u8], mode: Mode, surroundings: &mut dyn Surroundings) -> Result<Loaded, LineError> {
    let mut loaded = Loaded::default();
    if mode == Mode::Sentinel {
        loaded.config.network.port = 26379;
        loaded.config.network.protected_mode = false;
    }
    let mut loader = Loader { loaded, mode, surroundings, seen: Vec::new() };
    loader.text(text, 0)?;
    Ok(loader.loaded)
}

struct Loader<'a> {
    loaded: Loaded,
    mode: Mode,
    surroundings: &'a mut dyn Surroundings,
    /// Directives that a line has set.
    seen: Vec<&'static str>,
}

impl Loader<'_> {
    fn text(&mut self, text: &[u8], depth: usize) -> Result<(), LineError> {
        for line in parse_lines(text) {
            let line = line?;
            if is_named(&line, "include") && line.words.len() == 2 {
                if depth == MAX_DEPTH {
                    return Err(line.refuse(reason::INCLUDE_TOO_DEEP));
                }
                let included = self.surroundings.include(&line.words[1]).map_err(|why| line.refuse(why))?;
                self.text(&included, depth + 1)?;
            } else {
                self.line(&line).map_err(|why| line.refuse(why))?;
            }
        }
        if self.loaded.config.cluster.enabled && self.loaded.config.replication.replicaof.is_some() {
            return Err(LineError::whole(reason::REPLICAOF_IN_CLUSTER));
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> Result<(), Reason> {
        let [name, values @ ..] = line.words.as_slice() else { return Ok(()) };
        if let Some(directive) = directives::find(name) {
            let again = self.seen.contains(&directive.name);
            let split;
            let values = match values {
                // Several words in one pair of quotes are what a generated command line gives.
                [value] if directive.takes_words() && !value.is_empty() => {
                    split = words::split(value).unwrap_or_default();
                    &split
                }
                _ => values,
            };
            directive.setting.set(&mut self.loaded.config, values, again)?;
            if !again {
                self.seen.push(directive.name);
            }
            if directive.name == "dir" {
                let general = &mut self.loaded.config.general;
                general.dir = self.surroundings.enter(&general.dir)?;
            }
            return Ok(());
        }
        let obsolete =
            |name: &[u8]| directives::OBSOLETE.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name));
        match (name.to_ascii_lowercase().as_slice(), values.len()) {
            (name, 1) if obsolete(name) => {}
            (b"user", 1..) => self.loaded.users.push(line.clone()),
            (b"rename-command", 2) => self.loaded.renames.push(line.clone()),
            // Alone it stands for the mode, which the caller has seen already.
            (b"sentinel", 0) => {}
            (b"sentinel", _) if self.mode == Mode::Sentinel => self.loaded.sentinel.push(line.clone()),
            (b"sentinel", _) => return Err(reason::NOT_SENTINEL),
            (b"loadmodule", 1..) => return Err(reason::NO_MODULES),
            (name, _) if name.contains(&b'.') => return Err(reason::NO_MODULES),
            _ => return Err(reason::BAD_DIRECTIVE),
        }
        Ok(())
    }
}

fn is_named(line: &Line, name: &str) -> bool {
    line.words.first().is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
}

#[cfg(test)]
mod tests;
