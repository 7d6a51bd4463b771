//! Files, sockets, threads, processes, clocks and chance belong to `runtime`, to `client` and to the programs.
//!
//! Every other crate takes `now`, entropy and bytes as parameters. That is what lets a simulator run hundreds of
//! nodes in virtual time from one seed, so one stray clock is a defect even where it does no harm.

use super::{Finding, Member};

/// Crates that touch the world.
const EFFECTS: &[&str] = &[
    "runtime",
    "client",
    "cli",
    "benchmark",
    "check",
    "topology",
    "rubellite",
    "sim",
    "e2e",
    "conformance",
    "schedules",
    "xtask",
];

/// Paths that must not be named, with everything under them.
const FORBIDDEN: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::os",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "libc",
    "mio",
    "socket2",
    "signal_hook",
    "rand",
    "tempfile",
];

/// Under a forbidden path, yet only data.
const HARMLESS: &[&str] = &[
    "std::net::IpAddr",
    "std::net::Ipv4Addr",
    "std::net::Ipv6Addr",
    "std::net::SocketAddr",
    "std::net::SocketAddrV4",
    "std::net::SocketAddrV6",
    "std::net::AddrParseError",
    "std::os::unix::ffi::OsStrExt",
];

/// Calls that read a clock or draw a seed, by the end of their path.
const FORBIDDEN_CALLS: &[&str] = &["Instant::now", "SystemTime::now", "RandomState::new"];

const FORBIDDEN_MACROS: &[&str] = &["print!", "println!", "eprint!", "eprintln!"];

/// Exceptions: (file, path, reason).
const ALLOWED: &[(&str, &str, &str)] = &[];

pub fn check(members: &[Member], findings: &mut Vec<Finding>) {
    for member in members.iter().filter(|m| !EFFECTS.contains(&m.name.as_str())) {
        for source in &member.sources {
            for (line, path) in source.paths() {
                let excused =
                    ALLOWED.iter().any(|(file, what, _)| source.path.ends_with(file) && is_under(&path, what));
                if is_forbidden(&path) && !excused {
                    let text = format!("`{path}` belongs to crate `runtime`");
                    findings.push(Finding::new(&source.path, line, text));
                }
            }
        }
    }
}

fn is_forbidden(path: &str) -> bool {
    let named = FORBIDDEN.iter().any(|f| is_under(path, f)) && !HARMLESS.iter().any(|h| is_under(path, h));
    named
        || FORBIDDEN_CALLS.iter().any(|c| path == *c || path.ends_with(&format!("::{c}")))
        || FORBIDDEN_MACROS.contains(&path.trim_start_matches("std::"))
}

/// A bare word is a name of the file's own (a field called `rand`, say), so only whole paths count.
fn is_under(path: &str, forbidden: &str) -> bool {
    match path.strip_prefix(forbidden) {
        Some("") => forbidden.contains("::"),
        Some(rest) => rest.starts_with("::"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_forbidden;

    #[test]
    fn tells_the_world_from_data() {
        for path in ["std::fs", "std::fs::File", "rand::rng", "std::time::Instant::now", "Instant::now", "println!"] {
            assert!(is_forbidden(path), "{path}");
        }
        for path in [
            "std::time::Instant",
            "std::net::SocketAddr",
            "std::os::unix::ffi::OsStrExt",
            "rand",
            "fs",
            "std::fsx",
            "std::io::Write",
        ] {
            assert!(!is_forbidden(path), "{path}");
        }
    }
}
