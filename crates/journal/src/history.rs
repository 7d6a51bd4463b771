//! Which history do these offsets belong to?
//!
//! An offset alone says nothing: two servers may both be at 1,000 with different bytes before it. A replication id names
//! a history; the pair is unique.
//!
//! ```text
//!   as a replica of  A ────────────────► 5,000   promoted:  id = B, second = (A, 5,000)
//!                                          └──► B ──────────►
//!   may continue here:  from B at any offset, from A at any offset up to 5,000
//! ```
//!
//! A promoted replica changes its id, because the old primary may go on writing under the old one; it keeps the old id as
//! its second, because up to the promotion both are the same. A restart of a writable server does the same: what it has
//! recovered may be less than what its replicas have seen.

use crate::offset::ReplOffset;
use std::fmt;

/// The name of a history: forty hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ReplId([u8; 40]);

impl ReplId {
    /// What INFO shows for a second id that is not there.
    pub const NONE: ReplId = ReplId([b'0'; 40]);

    /// An id from twenty random bytes.
    pub fn from_entropy(entropy: [u8; 20]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 40];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(entropy) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        ReplId(hex)
    }

    /// An id as a peer writes it: forty hexadecimal digits of either case.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let hex: [u8; 40] = text.try_into().ok()?;
        hex.iter().all(u8::is_ascii_hexdigit).then(|| ReplId(hex.map(|digit| digit.to_ascii_lowercase())))
    }

    /// The digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&digit| write!(f, "{}", char::from(digit)))
    }
}

impl fmt::Debug for ReplId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReplId({self})")
    }
}

/// The names under which the journal's bytes are known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct History {
    /// The current id.
    pub id: ReplId,
    /// The id before, and the last position that it shares with the current one.
    pub second: Option<(ReplId, ReplOffset)>,
}

impl History {
    /// A history without a past.
    pub fn new(id: ReplId) -> Self {
        History { id, second: None }
    }

    /// Goes on under a new id from `at`; the old one stays good up to there.
    pub fn shift(&mut self, id: ReplId, at: ReplOffset) {
        *self = History { id, second: Some((self.id, at)) };
    }

    /// Whether somebody who has the bytes of history `id` up to `from` has the same bytes as we.
    pub fn covers(&self, id: &ReplId, from: ReplOffset) -> bool {
        *id == self.id || self.second.is_some_and(|(second, limit)| *id == second && from <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 20] = [0xab; 20];

    #[test]
    fn ids_are_forty_hex_digits() {
        let id = ReplId::from_entropy(A);
        assert_eq!(id.as_bytes(), b"ab".repeat(20));
        assert_eq!(ReplId::parse(&b"AB".repeat(20)), Some(id));
        assert_eq!(ReplId::parse(b"?"), None);
        assert_eq!(ReplId::parse(&[b'g'; 40]), None);
        assert_eq!(id.to_string(), "ab".repeat(20));
    }

    #[test]
    fn the_second_id_is_good_up_to_its_limit() {
        let (a, b, c) = (ReplId::from_entropy(A), ReplId::from_entropy([1; 20]), ReplId::from_entropy([2; 20]));
        let mut history = History::new(a);
        history.shift(b, ReplOffset(50));
        assert!(history.covers(&b, ReplOffset(51)));
        assert!(history.covers(&a, ReplOffset(50)));
        assert!(!history.covers(&a, ReplOffset(51)));
        history.shift(c, ReplOffset(60));
        assert!(!history.covers(&a, ReplOffset(1)), "only one id is remembered");
        assert!(history.covers(&b, ReplOffset(60)));
    }
}
