//! A whole topology in one command: `rubellite up` and `rubellite down`.
//!
//! ```text
//!   up primary-replica ──recipe──► nodes ──► D/topology            shape, names, ports: what `down` and the next `up` read
//!                                            D/primary/redis.conf   an ordinary configuration file, written once
//!                                            D/primary/…            its pid file, log and data
//!                        processes in the background ──► INFO until all is well ──► a table
//! ```
//!
//! Question of a newcomer: how do I get a primary with two replicas? Nothing here is hidden from the server: each node
//! has an ordinary file, and could be started by hand with it.
//!
//! Invariants
//! 1. A file that exists is never written again: `up` on an existing folder starts what does not run, as it is
//!    configured now.
//! 2. A process is signalled only after it was seen to be ours: it says so itself (its process id and configuration
//!    file in INFO), or the system does (its working folder).
//! 3. Waiting is for a state, seen by asking, and ends when nothing has changed for a while (`PATIENCE`).
//! 4. What `up` started and could not bring to health, it stops again; so it does when it is interrupted.
//!
//! A shape is a recipe (`shape.rs`): which nodes, how they become one thing, when they are well, what to try next.
//!
//! Exit codes: 0 when the topology is healthy, or is down; 1 otherwise, and standard error says why.

#![forbid(unsafe_code)]

mod down;
mod facts;
mod folder;
mod interrupt;
mod node;
mod process;
mod screen;
mod shape;
mod up;
mod words;

use std::ffi::OsString;
use std::io::Write;
use std::time::Duration;

/// How long nothing may change before waiting ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(25);

/// Runs `up`: `args` begins with the program's name. The result is the exit code.
pub fn up_main(args: &[OsString]) -> i32 {
    finish(words::Up::parse(args.get(1..).unwrap_or_default()).and_then(|request| match request {
        words::Request::Help => screen::print(words::UP_HELP),
        words::Request::Run(up) => up::run(&up),
    }))
}

/// Runs `down`.
pub fn down_main(args: &[OsString]) -> i32 {
    finish(words::Down::parse(args.get(1..).unwrap_or_default()).and_then(|request| match request {
        words::Request::Help => screen::print(words::DOWN_HELP),
        words::Request::Run(down) => down::run(&down),
    }))
}

/// The error is a line for standard error.
fn finish(result: Result<(), String>) -> i32 {
    let Err(line) = result else { return 0 };
    // Nobody may be there to read it.
    let _ = writeln!(std::io::stderr(), "rubellite: {line}");
    1
}
