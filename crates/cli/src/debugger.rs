//! The script debugger's side of the client: `--ldb --eval script`, or `SCRIPT DEBUG yes` typed in a session.
//!
//! ```text
//!   SCRIPT DEBUG yes ─► EVAL … ─► lines ─► "lua debugger> " ─► step, print, … ─► lines ─► … ─► <endsession>
//!                         ▲                      │ restart                                        │
//!                         └── a new connection ◄─┘                     the script's own reply ◄───┘
//! ```
//!
//! While a script is debugged every reply is an array of lines that begin with what they are, which gives them their
//! colours; everything that is typed goes to the debugger, `help` included. The reply of the script itself follows the
//! line `<endsession>`.

use std::path::PathBuf;

use client::Value;

use crate::failure::{Failure, fatal};
use crate::format::Style;
use crate::repl::{self, Leave};
use crate::screen;
use crate::session::Session;

const BANNER: &str = "Lua debugging session started, please use:\n\
                      quit    -- End the session.\n\
                      restart -- Restart the script in debug mode again.\n\
                      help    -- Show Lua script debugging commands.\n";
pub const PROMPT: &str = "lua debugger> ";

/// What a session knows of the script that is debugged in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Debugger {
    /// The next EVAL is debugged.
    pub armed: bool,
    /// Replies are the debugger's.
    pub active: bool,
    /// The debugger has said so, and the script's reply comes next.
    ended: bool,
    /// The script runs on the data itself, nothing is rolled back.
    sync: bool,
    /// There is a script that `restart` may run again.
    pub can_restart: bool,
}

/// `--eval` with `--ldb`: the exit code.
pub fn run(session: &mut Session, file: PathBuf, words: Vec<Vec<u8>>, sync: bool) -> Result<i32, Failure> {
    let mut input = None;
    loop {
        screen::print_line(BANNER)?;
        let script = crate::oneshot::read_script(&file)?;
        session.connect(true).map_err(|_| Failure::Exit(1))?;
        let mode: &[u8] = if sync { b"sync" } else { b"yes" };
        let mut answer = session.call(&[&b"SCRIPT"[..], b"DEBUG", mode, &engine(&script)])?;
        if answer.as_error().is_some() {
            // Servers that do not know engines refuse the word.
            answer = session.call(&[&b"SCRIPT"[..], b"DEBUG", mode])?;
        }
        if let Some(text) = answer.as_error() {
            return Err(fatal(format_args!("Error: {}", String::from_utf8_lossy(text))));
        }
        session.debugger = Debugger { armed: true, sync, can_restart: true, ..Debugger::default() };
        session.issue(&crate::oneshot::eval_command(script, words.clone()), 1)?;
        if session.debugger.ended {
            session.debugger.ended = false;
            screen::print_line("Eval debugging session can't start:")?;
            return session.read_reply(false).map(|_| 0);
        }
        match repl::converse(session, &mut input)? {
            Leave::With(code) => return Ok(code),
            Leave::Restart => screen::print_line("")?,
        }
    }
}

/// The word behind `#!`, or the engine that every server has.
fn engine(script: &[u8]) -> Vec<u8> {
    let Some(rest) = script.strip_prefix(b"#!") else { return b"lua".to_vec() };
    rest.iter().copied().take_while(|byte| !matches!(byte, b'\r' | b'\n' | b' ')).collect()
}

impl Session {
    /// A new connection debugs nothing yet.
    pub fn forget_debugger(&mut self) {
        if self.debugger.active {
            self.options.style = Style::Terminal;
        }
        self.debugger = Debugger { armed: false, active: false, ended: false, ..self.debugger };
    }

    /// Notices what switches the debugger on, before a command is sent.
    pub fn arm_debugger(&mut self, words: &[Vec<u8>]) {
        let is = |at: usize, name: &str| words[at].eq_ignore_ascii_case(name.as_bytes());
        if words.len() == 3 && is(0, "script") && is(1, "debug") {
            self.debugger.armed = is(2, "yes") || is(2, "sync");
        } else if self.debugger.armed && is(0, "eval") {
            self.debugger.active = true;
            self.options.style = Style::Raw;
        }
    }

    /// A reply while the debugger is on.
    pub fn debugged(&mut self, reply: &Value) -> Vec<u8> {
        let mut text = Vec::new();
        let items = match reply {
            Value::Array(items) | Value::Push(items) | Value::Set(items) => items.as_slice(),
            other => std::slice::from_ref(other),
        };
        for (i, item) in items.iter().enumerate() {
            if i > 0 {
                text.extend_from_slice(&self.options.element_delimiter);
            }
            match item {
                Value::Simple(line) if line.starts_with(b"<endsession>") => {
                    self.debugger = Debugger { armed: false, active: false, ended: true, ..self.debugger };
                }
                Value::Simple(line) if screen::has_colours() => {
                    text.extend_from_slice(colour(line).as_bytes());
                    text.extend_from_slice(line);
                    text.extend_from_slice(b"\x1b[0m");
                }
                other => {
                    let line = crate::format::plain(other, self.delimiters());
                    text.extend_from_slice(&line);
                }
            }
        }
        text.extend_from_slice(&self.options.reply_delimiter);
        if self.debugger.ended {
            self.options.style = Style::Terminal;
        }
        text
    }

    /// Shows the script's own reply once its debugging has ended.
    pub fn show_end_of_debugging(&mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.debugger.ended) {
            return Ok(());
        }
        self.read_reply(false)?;
        let rest = if self.debugger.sync { "" } else { " -- dataset changes rolled back" };
        screen::print_line(&format!("\n(Lua debugging session ended{rest})\n"))?;
        // A script whose changes are rolled back ran in a process of its own, with which the connection ends.
        self.connect(true)
    }
}

/// The line of a script at which it stopped, or at which it shall stop, is told by its number in column 3; other lines
/// by a word in angle brackets, of which the last one in this table counts.
fn colour(line: &[u8]) -> &'static str {
    const WORDS: [(&str, &str); 8] = [
        ("<debug>", "\x1b[1;37;49m"),
        ("<command>", "\x1b[0;32;49m"),
        ("<redis>", "\x1b[0;32;49m"),
        ("<reply>", "\x1b[0;36;49m"),
        ("<error>", "\x1b[0;31;49m"),
        ("<hint>", "\x1b[1;37;49m"),
        ("<value>", "\x1b[0;35;49m"),
        ("<retval>", "\x1b[0;35;49m"),
    ];
    match line {
        [_, b'>', _, b'0'..=b'9', _, ..] => return "\x1b[0;33;49m",
        [_, _, b'#', b'0'..=b'9', _, ..] => return "\x1b[1;37;49m",
        _ => (),
    }
    let has = |word: &str| line.windows(word.len()).any(|window| window == word.as_bytes());
    WORDS.iter().rev().find(|(word, _)| has(word)).map_or("\x1b[0;37;49m", |(_, colour)| colour)
}

/// A line typed to the debugger. What follows `eval` is one argument, blanks and quotes included.
pub fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (name, rest) = match line {
        [b'e', b'v', b'a', b'l', b' ', rest @ ..] => (&line[..4], rest),
        [b'e', b' ', rest @ ..] => (&line[..1], rest),
        _ => return None,
    };
    Some(vec![name.to_vec(), rest.to_vec()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::vocabulary::VALKEY;

    #[test]
    fn the_session_ends_with_its_line() {
        let mut session = Session::new(Options::new(true), VALKEY);
        session.debugger.can_restart = true;
        session.arm_debugger(&[b"SCRIPT".to_vec(), b"debug".to_vec(), b"YES".to_vec()]);
        session.arm_debugger(&[b"Eval".to_vec(), b"return 1".to_vec(), b"0".to_vec()]);
        assert!(session.debugger.active && session.options.style == Style::Raw);
        assert_eq!(session.prompt(), "not connected> ");
        let line = |text: &str| Value::Simple(text.as_bytes().to_vec());
        session.debugged(&Value::Array(vec![line("* Stopped at 1"), line("-> 1   return 1")]));
        assert!(session.debugger.active);
        let text = session.debugged(&Value::Array(vec![line("<endsession>")]));
        assert_eq!(text, b"\n");
        assert!(!session.debugger.active && session.debugger.ended && session.debugger.can_restart);
        assert_eq!(session.options.style, Style::Terminal);
    }

    #[test]
    fn lines_have_their_colours() {
        for (line, expect) in [
            ("-> 1   local a = 1", "33"),
            ("   2   local b = \"<error>\"", "31"),
            ("  #3   return", "1;37"),
            ("<reply> \"+OK\"", "36"),
            ("* Stopped at 2", "0;37"),
            ("", "0;37"),
        ] {
            assert!(colour(line.as_bytes()).contains(expect), "{line}");
        }
    }

    #[test]
    fn engines_and_lines_are_read() {
        assert_eq!(engine(b"return 1"), b"lua");
        assert_eq!(engine(b"#!js name=x\nreturn"), b"js");
        assert_eq!(split(b"e a \"b\" c").unwrap(), [b"e".to_vec(), b"a \"b\" c".to_vec()]);
        assert_eq!(split(b"eval x").unwrap()[1], b"x");
        assert_eq!(split(b"echo x"), None);
    }
}
