//! Which keyspace events are published: the letters of `notify-keyspace-events`.
//!
//! A letter is a bit. `K` and `E` choose the channels (`__keyspace@<db>__:<key>`, `__keyevent@<db>__:<event>`),
//! the others choose classes of events; without `K` or `E` nothing is sent. `A` stands for all classes but
//! `m` (misses) and `n` (new keys), which would make every failed read and every first write a message.
//!
//! The peers do not show `n` beside `A` and so forget it in `CONFIG REWRITE`; we show it.

use std::ops::{BitOr, BitOrAssign};

use command::effects::class;

/// A set of event classes and channel kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Notify(u32);

impl Notify {
    pub const NONE: Notify = Notify(0);

    /// The classes as the bits of [`class`], which effects carry.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// `K`: publish to the key's channel.
    pub const KEYSPACE: Notify = Notify(class::KEYSPACE);
    /// `E`: publish to the event's channel.
    pub const KEYEVENT: Notify = Notify(class::KEYEVENT);
    /// `g`: DEL, EXPIRE, RENAME and what else knows no type.
    pub const GENERIC: Notify = Notify(class::GENERIC);
    /// `$`
    pub const STRING: Notify = Notify(class::STRING);
    /// `l`
    pub const LIST: Notify = Notify(class::LIST);
    /// `s`
    pub const SET: Notify = Notify(class::SET);
    /// `h`
    pub const HASH: Notify = Notify(class::HASH);
    /// `z`
    pub const ZSET: Notify = Notify(class::ZSET);
    /// `x`: a key's time has come.
    pub const EXPIRED: Notify = Notify(class::EXPIRED);
    /// `e`: a key was evicted for want of memory.
    pub const EVICTED: Notify = Notify(class::EVICTED);
    /// `t`
    pub const STREAM: Notify = Notify(class::STREAM);
    /// `m`: a key that was read does not exist.
    pub const KEY_MISS: Notify = Notify(class::KEY_MISS);
    /// `d`
    pub const MODULE: Notify = Notify(class::MODULE);
    /// `n`: a key was created.
    pub const NEW: Notify = Notify(class::NEW);
    /// `A`: every class but misses and new keys.
    pub const ALL: Notify = Notify(
        Notify::GENERIC.0
            | Notify::STRING.0
            | Notify::LIST.0
            | Notify::SET.0
            | Notify::HASH.0
            | Notify::ZSET.0
            | Notify::EXPIRED.0
            | Notify::EVICTED.0
            | Notify::STREAM.0
            | Notify::MODULE.0,
    );

    /// Letters in the order in which they are shown; `m` comes last.
    const LETTERS: [(u8, Notify); 14] = [
        (b'g', Notify::GENERIC),
        (b'$', Notify::STRING),
        (b'l', Notify::LIST),
        (b's', Notify::SET),
        (b'h', Notify::HASH),
        (b'z', Notify::ZSET),
        (b'x', Notify::EXPIRED),
        (b'e', Notify::EVICTED),
        (b't', Notify::STREAM),
        (b'd', Notify::MODULE),
        (b'n', Notify::NEW),
        (b'K', Notify::KEYSPACE),
        (b'E', Notify::KEYEVENT),
        (b'm', Notify::KEY_MISS),
    ];

    /// The set that `letters` name in any order, or `None` when one of them is none of ours.
    pub fn parse(letters: &[u8]) -> Option<Notify> {
        let mut set = Notify::NONE;
        for letter in letters {
            if *letter == b'A' {
                set |= Notify::ALL;
            } else {
                set |= Notify::LETTERS.iter().find(|(known, _)| known == letter)?.1;
            }
        }
        Some(set)
    }

    /// The letters of this set, `A` in place of the classes that it stands for.
    pub fn letters(self) -> String {
        let mut shown = String::new();
        let mut left = self;
        if self.contains(Notify::ALL) {
            shown.push('A');
            left = Notify(self.0 & !Notify::ALL.0);
        }
        shown.extend(Notify::LETTERS.iter().filter(|(_, bit)| left.contains(*bit)).map(|(letter, _)| *letter as char));
        shown
    }

    /// Whether every bit of `other` is in this set.
    #[inline]
    pub const fn contains(self, other: Notify) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether an event of class `class` is to be published at all. One AND and one compare each.
    #[inline]
    pub const fn wants(self, class: Notify) -> bool {
        self.0 & class.0 != 0 && self.0 & (Notify::KEYSPACE.0 | Notify::KEYEVENT.0) != 0
    }

    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for Notify {
    type Output = Notify;
    fn bitor(self, other: Notify) -> Notify {
        Notify(self.0 | other.0)
    }
}

impl BitOrAssign for Notify {
    fn bitor_assign(&mut self, other: Notify) {
        self.0 |= other.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What valkey-server 9.1 shows after `CONFIG SET notify-keyspace-events <given>`.
    #[test]
    fn letters_are_shown_in_the_peers_order() {
        for (given, shown) in
            [("", ""), ("KEA", "AKE"), ("gKEn", "gnKE"), ("Kg$lshzxetd", "AK"), ("mEl", "lEm"), ("KExe", "xeKE")]
        {
            let set = Notify::parse(given.as_bytes()).expect(given);
            assert_eq!(set.letters(), shown, "{given}");
            assert_eq!(Notify::parse(set.letters().as_bytes()), Some(set), "{given}");
        }
        assert_eq!(Notify::parse(b"KQ"), None);
    }

    #[test]
    fn new_keys_are_shown_beside_all() {
        assert_eq!(Notify::parse(b"AKEnm").unwrap().letters(), "AnKEm");
    }

    #[test]
    fn without_a_channel_nothing_is_wanted() {
        assert!(!Notify::parse(b"A").unwrap().wants(Notify::LIST));
        assert!(Notify::parse(b"KA").unwrap().wants(Notify::LIST));
        assert!(!Notify::parse(b"KA").unwrap().wants(Notify::KEY_MISS));
        assert!(!Notify::parse(b"Kg").unwrap().wants(Notify::LIST));
    }
}
