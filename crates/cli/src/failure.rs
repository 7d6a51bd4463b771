//! Why a step of the program did not come to its end.

use crate::screen::complain;

/// What the caller has to do; what had to be said was said already, unless it is in here.
#[derive(Debug)]
pub enum Failure {
    /// The connection broke during a session: say why, and go on without it.
    Lost(client::Error),
    /// There is no connection, and the user knows: a session goes on, a single command fails.
    Unconnected,
    /// Leave with this exit code.
    Exit(i32),
}

/// A failure that ends the program with exit code 1 after one line on standard error.
pub fn fatal(line: impl std::fmt::Display) -> Failure {
    complain!("{line}");
    Failure::Exit(1)
}
