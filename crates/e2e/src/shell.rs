//! A `redis-cli` that stays open, as a person's shell would: lines go in, what it prints is waited for.

use crate::log::Log;
use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};

/// An interactive process; killed when dropped.
pub struct Shell {
    child: Child,
    output: Log,
}

impl Shell {
    pub fn open(mut command: Command) -> Shell {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = Log::of(&mut child);
        Shell { child, output }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("not closed yet");
        input.write_all(format!("{line}\n").as_bytes()).expect("the shell reads");
        input.flush().expect("the shell reads");
    }

    /// Everything that was printed so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Waits until a text has been printed.
    pub fn wait_for(&self, text: &str) {
        self.output.wait_for(text, 1);
    }

    /// Closes the input, as Ctrl-D does.
    pub fn end_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Closes the input and waits for the end; returns everything that was printed.
    pub fn close(mut self) -> (String, ExitStatus) {
        self.end_input();
        let status = self.child.wait().expect("a child of ours");
        (self.output.text(), status)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
