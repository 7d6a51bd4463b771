//! Users: who may come in, and what they may do.
//!
//! So far there is the `default` user, whose passwords `requirepass` sets, and who may do everything. The table of users is
//! an immutable value, published with the rest of what may forbid a command.
#![forbid(unsafe_code)]

use command::row::Row;
use resp::args::Args;
use resp::error::Error;
use sha2::{Digest, Sha256};

/// The name of the user that every connection begins as.
pub const DEFAULT_USER: &[u8] = b"default";

/// Whether a user may run a command.
#[derive(Debug)]
pub enum Verdict {
    /// It may.
    Allowed,
    /// It may not; the NOPERM error says what is missing.
    Refused(Error),
}

/// A password as it is kept: its SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    /// Hashes a password.
    pub fn of(password: &[u8]) -> Self {
        PasswordHash(Sha256::digest(password).into())
    }

    /// Compares in a time that does not depend on where the hashes differ.
    fn matches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
    }
}

/// All users of a server.
#[derive(Clone, Debug, Default)]
pub struct Users {
    /// The default user's passwords; none means that it needs none.
    passwords: Vec<PasswordHash>,
}

impl Users {
    /// The users of a server whose configuration says `requirepass`; empty means that no password is needed.
    pub fn with_password(password: &[u8]) -> Self {
        let passwords = if password.is_empty() { Vec::new() } else { vec![PasswordHash::of(password)] };
        Users { passwords }
    }

    /// Whether a new connection may run commands at once.
    pub fn open(&self) -> bool {
        self.passwords.is_empty()
    }

    /// Whether this password opens the door for this user.
    pub fn authenticate(&self, user: &[u8], password: &[u8]) -> bool {
        let given = PasswordHash::of(password);
        user == DEFAULT_USER && (self.open() || self.passwords.iter().any(|known| known.matches(&given)))
    }

    /// Whether there is a user of this name.
    pub fn knows(&self, user: &[u8]) -> bool {
        user == DEFAULT_USER
    }

    /// Whether the user may run a command with these arguments.
    pub fn may_run(&self, _user: &[u8], _row: &Row, _args: Args<'_>) -> Verdict {
        Verdict::Allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_user_comes_in_by_its_password_only() {
        let users = Users::with_password(b"foobared");
        assert!(!users.open());
        assert!(users.authenticate(b"default", b"foobared"));
        assert!(!users.authenticate(b"default", b"foobare"));
        assert!(!users.authenticate(b"alice", b"foobared"));
        assert!(Users::with_password(b"").authenticate(b"default", b"anything"));
    }
}
