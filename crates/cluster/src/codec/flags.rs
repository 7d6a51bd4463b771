//! The bits by which a packet describes a node.
//!
//! ```text
//!   0 primary   1 replica   2 fail?   3 fail   4 myself   5 handshake   6 noaddr   7 meet   8 may be migrated to
//!   9 no failover   10 extensions   11 light publish   12 light module   13 my primary failed
//! ```
//!
//! 11 and 12 are said only by Valkey nodes, which is how they are told from Redis ones.

use std::ops::{BitOr, BitOrAssign};

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags(pub u16);

impl Flags {
    pub const NONE: Flags = Flags(0);
    pub const PRIMARY: Flags = Flags(1);
    pub const REPLICA: Flags = Flags(1 << 1);
    pub const PFAIL: Flags = Flags(1 << 2);
    pub const FAIL: Flags = Flags(1 << 3);
    pub const MYSELF: Flags = Flags(1 << 4);
    pub const HANDSHAKE: Flags = Flags(1 << 5);
    pub const NOADDR: Flags = Flags(1 << 6);
    pub const MEET: Flags = Flags(1 << 7);
    pub const MIGRATE_TO: Flags = Flags(1 << 8);
    pub const NOFAILOVER: Flags = Flags(1 << 9);
    pub const EXTENSIONS: Flags = Flags(1 << 10);
    pub const LIGHT_PUBLISH: Flags = Flags(1 << 11);
    pub const LIGHT_MODULE: Flags = Flags(1 << 12);
    /// Who knows light module messages also copes with more than one MEET; both came with one version.
    pub const MULTI_MEET: Flags = Flags::LIGHT_MODULE;
    pub const MY_PRIMARY_FAILED: Flags = Flags(1 << 13);

    /// Whether any of `flags` is set.
    pub fn any(self, flags: Flags) -> bool {
        self.0 & flags.0 != 0
    }

    pub fn set(&mut self, flags: Flags) {
        self.0 |= flags.0;
    }

    pub fn clear(&mut self, flags: Flags) {
        self.0 &= !flags.0;
    }

    /// Makes `flags` what `on` says; tells whether that changed anything.
    pub fn put(&mut self, flags: Flags, on: bool) -> bool {
        let before = *self;
        if on {
            self.set(flags)
        } else {
            self.clear(flags)
        }
        *self != before
    }

    /// The words of `CLUSTER NODES` and `nodes.conf`.
    pub fn words(self) -> String {
        const WORDS: [(Flags, &str); 8] = [
            (Flags::MYSELF, "myself"),
            (Flags::PRIMARY, "master"),
            (Flags::REPLICA, "slave"),
            (Flags::PFAIL, "fail?"),
            (Flags::FAIL, "fail"),
            (Flags::HANDSHAKE, "handshake"),
            (Flags::NOADDR, "noaddr"),
            (Flags::NOFAILOVER, "nofailover"),
        ];
        let words: Vec<&str> = WORDS.iter().filter(|(flag, _)| self.any(*flag)).map(|(_, word)| *word).collect();
        if words.is_empty() { "noflags".to_owned() } else { words.join(",") }
    }
}

impl BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl BitOrAssign for Flags {
    fn bitor_assign(&mut self, other: Flags) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_as_users_know_them() {
        assert_eq!((Flags::MYSELF | Flags::PRIMARY).words(), "myself,master");
        assert_eq!((Flags::REPLICA | Flags::FAIL | Flags::NOFAILOVER).words(), "slave,fail,nofailover");
        assert_eq!(Flags::MIGRATE_TO.words(), "noflags");
    }
}
