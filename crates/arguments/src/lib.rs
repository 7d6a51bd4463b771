//! Command lines of the tools that talk to a server.
//!
//! Question: how do tools that people know for twenty years understand their words alike? A tool has one table of flags,
//! and from it come the parser and the text of `--help`. The flags that say where the server is and who asks are the same
//! in every tool, so they stand here and are put into each tool's table.
//!
//! ```text
//!   words ──► Table::read ──► the tool's draft of its options          -h db -n 3   get key
//!               │     └─────► where the command begins                 └──flags──┘ └command┘
//!               └ Server::flags (-h -p -s -a --user -u --mptcp), TLS, the tool's own
//! ```
//!
//! Invariants
//! 1. Flags stand before the command; the first word that is neither a flag nor a flag's argument begins it.
//! 2. A flag's argument is the next word, whatever it looks like; a flag that needs one and stands last is refused.
//! 3. `-h` with a word behind it is a host name, as the last word a call for help.
//! 4. What is wrong with a command line is one line, and does not repeat a password.
//!
//! Deliberately absent: abbreviations, `--flag=value`, flags behind the command; no peer has them.

#![forbid(unsafe_code)]

mod flag;
mod help;
pub mod number;
mod server;
pub mod uri;

use std::ffi::OsString;

pub use flag::{Action, Ended, Flag, Table, path};
pub use help::wrap;
pub use server::{Server, tls};

/// A word of a command line as bytes.
pub fn bytes(word: &OsString) -> &[u8] {
    use std::os::unix::ffi::OsStrExt;
    word.as_os_str().as_bytes()
}
