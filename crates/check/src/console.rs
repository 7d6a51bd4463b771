//! Where lines go and answers come from: the terminal, or a test.

use std::fmt;
use std::io::{self, BufRead, Write};

/// Standard output, standard error and standard input.
pub struct Console<'a> {
    pub out: &'a mut dyn Write,
    pub err: &'a mut dyn Write,
    pub input: &'a mut dyn BufRead,
}

impl Console<'_> {
    /// Runs `f` with the terminal of this process; what was printed has left when it returns.
    pub fn with_terminal(f: impl FnOnce(&mut Console<'_>) -> i32) -> i32 {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let code = f(&mut Console { out: &mut out, err: &mut io::stderr().lock(), input: &mut io::stdin().lock() });
        // A reader that has gone away has seen what it wanted.
        let _ = out.flush();
        code
    }

    /// Prints a line. A reader that has gone away does not stop the check.
    pub fn line(&mut self, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Prints without the end of a line.
    pub fn part(&mut self, text: fmt::Arguments<'_>) {
        let _ = write!(self.out, "{text}");
    }

    /// Prints a line to standard error.
    pub fn complain(&mut self, text: fmt::Arguments<'_>) {
        let _ = writeln!(self.err, "{text}");
    }

    /// Asks a question that only a `y` answers.
    pub fn confirms(&mut self, question: &str) -> bool {
        self.part(format_args!("{question} [y/N]: "));
        let _ = self.out.flush();
        let mut answer = String::new();
        self.input.read_line(&mut answer).is_ok() && answer.starts_with(['y', 'Y'])
    }
}

/// Runs `f` with a console whose input is given; answers its exit code and what it printed to standard output.
#[cfg(test)]
pub fn tested(input: &str, f: impl FnOnce(&mut Console<'_>) -> i32) -> (i32, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = f(&mut Console { out: &mut out, err: &mut err, input: &mut input.as_bytes() });
    (code, String::from_utf8_lossy(&out).into_owned())
}
