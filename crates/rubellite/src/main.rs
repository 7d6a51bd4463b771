//! One binary, several programs.
//!
//! ```text
//!   redis-server  valkey-server     rubellite server       the server
//!   redis-cli     valkey-cli        rubellite cli          the client
//!   redis-benchmark                 rubellite benchmark    the load generator
//!   redis-sentinel                  rubellite sentinel     who watches servers, and replaces the dead
//!                                   rubellite up, down     several servers at once
//! ```
//!
//! The name it is called by chooses the program, so that links in `bin/` make every published
//! tutorial work as typed; called `rubellite`, the first argument does. A program gets the rest of
//! the arguments unchanged, its own name first, which also chooses its vocabulary.

#![forbid(unsafe_code)]

mod server;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// One allocator for every program; it counts what the server's `used_memory` tells.
#[global_allocator]
static ALLOCATOR: runtime::alloc::Allocator = runtime::alloc::Allocator;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Server,
    Sentinel,
    Cli,
    Benchmark,
    CheckRdb,
    CheckAof,
    Up,
    Down,
}

impl Program {
    /// By its name without the family's prefix.
    fn of(name: &str) -> Option<Program> {
        Some(match name {
            "server" => Program::Server,
            "sentinel" => Program::Sentinel,
            "cli" => Program::Cli,
            "benchmark" => Program::Benchmark,
            "check-rdb" => Program::CheckRdb,
            "check-aof" => Program::CheckAof,
            "up" => Program::Up,
            "down" => Program::Down,
            _ => return None,
        })
    }
}

const USAGE: &str = "\
Usage: rubellite <program> [arguments]

  server       start a server:            rubellite server [redis.conf] [--directive value]
  cli          talk to a server:          rubellite cli [-h host] [-p port] [command]
  sentinel     watch primaries, fail over: rubellite sentinel /path/to/sentinel.conf
  benchmark    load a server:             rubellite benchmark [-t set,get] [-P 16] [command]
  check-rdb    check a snapshot
  check-aof    check an append-only file
  up           start several servers:     rubellite up primary-replica [--dir folder]
  down         stop them again:           rubellite down [--dir folder]

The same programs answer to redis-server, valkey-server, redis-cli, and so on: see bin/.
";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    let Some((program, args)) = choose(&args) else {
        let asked_for_help = matches!(args.get(1).and_then(|word| word.to_str()), Some("-h" | "--help" | "help"));
        if asked_for_help {
            return tell(std::io::stdout(), USAGE, ExitCode::SUCCESS);
        }
        if matches!(args.get(1).and_then(|word| word.to_str()), Some("-v" | "--version")) {
            let version = concat!("rubellite ", env!("CARGO_PKG_VERSION"), "\n");
            return tell(std::io::stdout(), version, ExitCode::SUCCESS);
        }
        return tell(std::io::stderr(), USAGE, ExitCode::FAILURE);
    };
    let code = match program {
        Program::Cli => cli::main(&args),
        Program::Server => return server::main(&args),
        Program::Sentinel => return server::sentinel_main(&args),
        Program::Benchmark => benchmark::main(&args),
        Program::CheckRdb => check::rdb_main(&args),
        Program::CheckAof => check::aof_main(&args),
        Program::Up => topology::up_main(&args),
        Program::Down => topology::down_main(&args),
    };
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

/// Writes a text, which nobody may be there to read.
fn tell(mut out: impl Write, text: &str, code: ExitCode) -> ExitCode {
    let _ = out.write_all(text.as_bytes());
    code
}

/// Which program, and its arguments with its name first.
fn choose(args: &[OsString]) -> Option<(Program, Vec<OsString>)> {
    let called = Path::new(args.first()?).file_name()?.to_str()?;
    for family in ["redis-", "valkey-", "rubellite-"] {
        if let Some(program) = called.strip_prefix(family).and_then(Program::of) {
            return Some((program, args.to_vec()));
        }
    }
    let program = Program::of(args.get(1)?.to_str()?)?;
    let name = [OsString::from(called)];
    Some((program, name.into_iter().chain(args[2..].iter().cloned()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, program: Option<Program>, rest: &str) {
        let words = |line: &str| -> Vec<OsString> { line.split_whitespace().map(OsString::from).collect() };
        match (choose(&words(line)), program) {
            (None, None) => (),
            (Some((found, args)), Some(program)) => assert_eq!((found, args), (program, words(rest)), "{line}"),
            (other, _) => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_name_or_the_first_word_chooses() {
        check("/usr/bin/redis-cli -p 1 get k", Some(Program::Cli), "/usr/bin/redis-cli -p 1 get k");
        check("bin/valkey-server x.conf", Some(Program::Server), "bin/valkey-server x.conf");
        check("redis-check-aof --fix a", Some(Program::CheckAof), "redis-check-aof --fix a");
        check("target/release/rubellite cli get server", Some(Program::Cli), "rubellite get server");
        check("rubellite up primary-replica", Some(Program::Up), "rubellite primary-replica");
        check("valkey-benchmark -q", Some(Program::Benchmark), "valkey-benchmark -q");
        check("anything sentinel s.conf", Some(Program::Sentinel), "anything s.conf");
        check("rubellite", None, "");
        check("rubellite nonsense", None, "");
        check("redis-nonsense", None, "");
    }
}
