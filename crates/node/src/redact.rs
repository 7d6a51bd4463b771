//! Which arguments must not be seen in MONITOR and in the slow log: passwords.

use command::row::Row;
use resp::args::Args;
use smallvec::SmallVec;

/// What stands in the place of such an argument.
pub const REDACTED: &[u8] = b"(redacted)";

/// The indexes of the arguments to be hidden, ascending.
pub fn hidden(row: &Row, args: &Args<'_>) -> SmallVec<[usize; 4]> {
    let is = |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    match row.fullname {
        "auth" => (1..args.len()).collect(),
        "acl|setuser" | "acl|deluser" | "acl|getuser" => (2..args.len()).collect(),
        "hello" => match (1..args.len()).find(|at| is(*at, "auth")) {
            Some(at) => (at + 1..args.len().min(at + 3)).collect(),
            None => SmallVec::new(),
        },
        "config|set" => {
            (3..args.len()).step_by(2).filter(|at| config::change::is_sensitive(args.at(*at - 1))).collect()
        }
        "migrate" => match (6..args.len()).find(|at| is(*at, "auth") || is(*at, "auth2")) {
            Some(at) if is(at, "auth2") => (at + 1..args.len().min(at + 3)).collect(),
            Some(at) => (at + 1..args.len().min(at + 2)).collect(),
            None => SmallVec::new(),
        },
        _ => SmallVec::new(),
    }
}

/// The arguments with the hidden ones replaced.
pub fn shown<'a>(row: &Row, args: &'a Args<'a>) -> impl Iterator<Item = &'a [u8]> {
    let hidden = hidden(row, args);
    args.iter().enumerate().map(move |(at, arg)| if hidden.contains(&at) { REDACTED } else { arg })
}

#[cfg(test)]
mod tests {
    use super::*;
    use command::registry::{Lookup, Mode, Registry};

    fn check(line: &str, expect: &str) {
        let registry = Registry::new(Mode::Server);
        let owned = crate::testing::args(line);
        let args = owned.as_args();
        let Lookup::Found(id) = registry.lookup(&args) else { panic!("{line}") };
        let words: Vec<&[u8]> = shown(registry.row(id), &args).collect();
        assert_eq!(String::from_utf8(words.join(&b' ')).unwrap(), expect);
    }

    #[test]
    fn passwords_are_hidden() {
        check("AUTH secret", "AUTH (redacted)");
        check("ACL SETUSER bob on >secret", "ACL SETUSER (redacted) (redacted) (redacted)");
        check("ACL GETUSER bob", "ACL GETUSER (redacted)");
        check("HELLO 3 AUTH me secret SETNAME x", "HELLO 3 AUTH (redacted) (redacted) SETNAME x");
        check("CONFIG SET maxmemory 1 requirepass secret", "CONFIG SET maxmemory 1 requirepass (redacted)");
        check("MIGRATE h 1 k 0 5 AUTH secret KEYS a", "MIGRATE h 1 k 0 5 AUTH (redacted) KEYS a");
        check("SET auth secret", "SET auth secret");
    }
}
