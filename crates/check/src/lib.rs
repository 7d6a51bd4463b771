//! The programs that check files: `redis-check-rdb` and `redis-check-aof`, under all their names.
//!
//! ```text
//!   check-rdb file [--stats] [--format table|info|csv] [--output file]
//!   check-aof [--fix | --truncate-to-timestamp seconds] file.manifest | file.aof
//! ```
//!
//! They read with the codecs that the server reads with, so what they call good the server loads. People and scripts know the
//! lines that they print, so those are the peers'; the exit code is 0 when all is good and 1 otherwise.
//!
//! Nothing is ever changed without `--fix` and a `y`, or `--truncate-to-timestamp`; and only the last file of a log can be cut.
//!
//! Where we differ: values of modules and streams are looked through, not understood; a file that cannot be opened is named; offsets
//! of damage are those of the damaged part's beginning.
#![forbid(unsafe_code)]

mod aof_files;
mod console;
#[cfg(test)]
mod hostile;
mod profile;
mod snapshot;
mod table;

use std::ffi::OsString;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

pub use aof_files::run as check_aof;
pub use console::Console;
pub use snapshot::run as check_rdb;

/// Runs the check of a snapshot: `args` begins with the name it was called by. Answers the exit code.
pub fn rdb_main(args: &[OsString]) -> i32 {
    Console::with_terminal(|console| check_rdb(console, args, unix_millis()))
}

/// Runs the check of an append-only log: `args` begins with the name it was called by. Answers the exit code.
pub fn aof_main(args: &[OsString]) -> i32 {
    Console::with_terminal(|console| check_aof(console, args, unix_millis()))
}

fn unix_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Whether the only argument asks how the program is used.
fn asks_for_help(args: &[OsString]) -> bool {
    args.get(1).is_some_and(|arg| arg == "-h" || arg == "--help")
}

/// The name it was called by, and whether the only argument asks for the version, which is printed then.
fn version(console: &mut Console<'_>, args: &[OsString], name: &str) -> bool {
    let asked = args.get(1).is_some_and(|arg| arg == "-v" || arg == "--version");
    if asked {
        let called = args.first().and_then(|arg| Path::new(arg).file_stem()).and_then(|stem| stem.to_str());
        let called = called.filter(|called| called.ends_with(name)).unwrap_or(name);
        console.line(format_args!("{called} {}", env!("CARGO_PKG_VERSION")));
    }
    asked
}
