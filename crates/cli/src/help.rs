//! `help`, `help <command>`, `help @<group>`.

use std::fmt::Write;
use std::sync::Arc;

use crate::docs::{CommandTable, Entry};
use crate::failure::Failure;
use crate::screen;
use crate::session::Session;

impl Session {
    /// Answers `help` with its arguments, asking the server for its commands when that was not done.
    pub fn print_help(&mut self, topic: &[Vec<u8>]) -> Result<(), Failure> {
        let Some(first) = topic.first() else { return screen::print(self.general_help().as_bytes()) };
        let table = self.command_table()?;
        let mut text = String::new();
        for entry in &table.entries {
            if let Some(group) = first.strip_prefix(b"@") {
                if entry.group.as_bytes().eq_ignore_ascii_case(group) {
                    describe(&mut text, entry, false);
                }
            } else if topic.len() <= entry.words.len()
                && topic.iter().zip(&entry.words).all(|(word, name)| word.eq_ignore_ascii_case(name.as_bytes()))
            {
                describe(&mut text, entry, true);
            }
        }
        text.push_str("\r\n");
        screen::print(text.as_bytes())
    }

    /// The server's commands; our own table when it cannot be reached.
    pub fn command_table(&mut self) -> Result<Arc<CommandTable>, Failure> {
        if let Some(table) = &self.commands {
            return Ok(table.clone());
        }
        if self.link.is_none() {
            let _ = self.connect(false);
        }
        let table = Arc::new(match CommandTable::load(self) {
            Ok(table) => table,
            Err(exit @ Failure::Exit(_)) => return Err(exit),
            Err(_) => CommandTable::built_in(None),
        });
        self.commands = Some(table.clone());
        Ok(table)
    }

    fn general_help(&self) -> String {
        let words = &self.vocabulary;
        format!(
            "{}\n\
             Help on {} commands:\n\
             \x20     \"help @<group>\" lists the commands of a group\n\
             \x20     \"help <command>\" explains one command\n\
             \x20     \"help <tab>\" shows the topics\n\
             \x20     \"quit\" leaves\n\
             \n\
             Preferences:\n\
             \x20     \":set hints\" shows the syntax of commands while you type\n\
             \x20     \":set nohints\" does not\n\
             Lines like these in ~/{} are read at each start.\n",
            words.version_line(),
            words.server,
            words.rc_file
        )
    }
}

fn describe(text: &mut String, entry: &Entry, with_group: bool) {
    // Writing into a String cannot fail.
    let _ = write!(text, "\r\n  \x1b[1m{}\x1b[0m \x1b[90m{}\x1b[0m\r\n", entry.full_name, entry.syntax);
    let _ = write!(text, "  \x1b[33msummary:\x1b[0m {}\r\n", entry.summary);
    if !entry.since.is_empty() {
        let _ = write!(text, "  \x1b[33msince:\x1b[0m {}\r\n", entry.since);
    }
    if with_group {
        let _ = write!(text, "  \x1b[33mgroup:\x1b[0m {}\r\n", entry.group);
    }
}
