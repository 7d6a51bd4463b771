//! Standard output, and lines on standard error that nobody may be there to read.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

use crate::Failure;

/// Where results go.
pub struct Screen {
    out: Box<dyn Write>,
    /// Results are for people, who can be shown more than lines.
    pub is_terminal: bool,
    pub columns: usize,
    /// Characters of the progress line that stands there now.
    progress: usize,
}

/// What is assumed of a terminal that does not tell its width, and the widest that charts get.
const COLUMNS: usize = 80;
const MAX_COLUMNS: usize = 110;

impl Screen {
    pub fn stdout() -> Self {
        let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
        let columns = size.map_or(COLUMNS, |size| usize::from(size.ws_col));
        Screen {
            out: Box::new(io::stdout()),
            is_terminal: io::stdout().is_terminal(),
            columns: columns.clamp(40, MAX_COLUMNS),
            progress: 0,
        }
    }

    /// Writes and flushes. When nobody reads any more there is nothing left to do but leave.
    pub fn print(&mut self, text: impl Display) -> Result<(), Failure> {
        write!(self.out, "{text}").and_then(|()| self.out.flush()).map_err(|_| Failure::Silent)
    }

    /// Puts a line in the place of the progress line before it, without a line end.
    pub fn progress(&mut self, line: &str) -> Result<(), Failure> {
        let clean = self.clean();
        self.progress = line.len() + 1;
        self.print(format_args!("{clean}{line}\r"))
    }

    /// What makes the place of the progress line empty.
    pub fn clean(&mut self) -> String {
        let width = std::mem::take(&mut self.progress);
        format!("{:>width$}\r", " ")
    }
}

/// A line on standard error.
pub fn write_error_line(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// [`write_error_line`] with the arguments of `format!`.
macro_rules! complain {
    ($($arguments:tt)*) => { $crate::screen::write_error_line(format_args!($($arguments)*)) };
}
pub(crate) use complain;
