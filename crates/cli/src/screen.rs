//! Standard output: bytes, flushed at once, so that what a pipe reads is never behind. And standard
//! error: lines, which nobody may be there to read; the standard library's macros would panic then.

use std::io::{self, IsTerminal, Write};

use crate::failure::Failure;

/// Whether replies are printed for people. `FAKETTY` in the environment pretends it, for tests.
pub fn is_for_people() -> bool {
    io::stdout().is_terminal() || std::env::var_os("FAKETTY").is_some()
}

/// Whether escape sequences for colours will be understood.
pub fn has_colours() -> bool {
    std::env::var("TERM").is_ok_and(|term| term.contains("xterm"))
}

/// Writes and flushes. When nobody reads any more there is nothing left to do but leave.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(|_| Failure::Exit(1))
}

/// [`print`] for our own text, with a line end.
pub fn print_line(text: &str) -> Result<(), Failure> {
    print(format!("{text}\n").as_bytes())
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
