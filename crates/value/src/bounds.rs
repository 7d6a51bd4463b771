//! The ends of ranges over sorted sets, as the wire has them.
//!
//! | text | score | text | lexical |
//! |---|---|---|---|
//! | `1.5` | 1.5 and beyond | `[a` | `a` and beyond |
//! | `(1.5` | beyond 1.5 | `(a` | beyond `a` |
//! | `-inf`, `+inf` | every score | `-`, `+` | before and behind every member |

use std::ops::Bound;

/// An end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    /// The score at the end of the range; never NaN.
    pub value: f64,
    /// Whether that score is outside.
    pub exclusive: bool,
}

impl ScoreBound {
    /// Reads `1.5`, `(1.5`, `-inf` … Unlike a score, a bound may overflow to infinity, underflow to zero, and be empty, which
    /// reads as 0: so does the peer.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (exclusive, number) = match text {
            [b'(', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        if number.is_empty() {
            return Some(Self { value: 0.0, exclusive });
        }
        let value: f64 = std::str::from_utf8(number).ok()?.parse().ok()?;
        (!value.is_nan()).then_some(Self { value, exclusive })
    }

    /// The bound that includes `value`.
    pub fn inclusive(value: f64) -> Self {
        Self { value, exclusive: false }
    }

    pub(crate) fn as_std(self) -> Bound<f64> {
        if self.exclusive { Bound::Excluded(self.value) } else { Bound::Included(self.value) }
    }

    pub(crate) fn is_before(self, score: f64) -> bool {
        if self.exclusive { score > self.value } else { score >= self.value }
    }

    pub(crate) fn is_behind(self, score: f64) -> bool {
        if self.exclusive { score < self.value } else { score <= self.value }
    }
}

/// An end of a range of members that all have the same score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: before every member.
    NegInf,
    /// `+`: behind every member.
    PosInf,
    /// `[a`: the member is inside.
    Included(&'a [u8]),
    /// `(a`: the member is outside.
    Excluded(&'a [u8]),
}

impl<'a> LexBound<'a> {
    /// Reads `-`, `+`, `[a` or `(a`.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        match text {
            b"-" => Some(Self::NegInf),
            b"+" => Some(Self::PosInf),
            [b'[', member @ ..] => Some(Self::Included(member)),
            [b'(', member @ ..] => Some(Self::Excluded(member)),
            _ => None,
        }
    }

    /// Whether a member that stands here or behind is in a range that begins with this bound.
    pub(crate) fn is_before(self, member: &[u8]) -> bool {
        match self {
            Self::NegInf => true,
            Self::PosInf => false,
            Self::Included(bytes) => member >= bytes,
            Self::Excluded(bytes) => member > bytes,
        }
    }

    /// Whether a member is in a range that ends with this bound.
    pub(crate) fn is_behind(self, member: &[u8]) -> bool {
        match self {
            Self::NegInf => false,
            Self::PosInf => true,
            Self::Included(bytes) => member <= bytes,
            Self::Excluded(bytes) => member < bytes,
        }
    }

    /// The bound at the beginning of a range; `None` if nothing can be in it.
    pub(crate) fn as_min(self) -> Option<Bound<&'a [u8]>> {
        match self {
            Self::NegInf => Some(Bound::Unbounded),
            Self::PosInf => None,
            Self::Included(bytes) => Some(Bound::Included(bytes)),
            Self::Excluded(bytes) => Some(Bound::Excluded(bytes)),
        }
    }

    /// The bound at the end of a range; `None` if nothing can be in it.
    pub(crate) fn as_max(self) -> Option<Bound<&'a [u8]>> {
        match self {
            Self::NegInf => None,
            Self::PosInf => Some(Bound::Unbounded),
            Self::Included(bytes) => Some(Bound::Included(bytes)),
            Self::Excluded(bytes) => Some(Bound::Excluded(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_bounds_are_read_as_the_peer_reads_them() {
        // Observed by ZRANGEBYSCORE on Valkey 9.1.
        for (text, wanted) in [
            ("1.5", Some((1.5, false))),
            ("(1.5", Some((1.5, true))),
            ("-inf", Some((f64::NEG_INFINITY, false))),
            ("(+inf", Some((f64::INFINITY, true))),
            ("", Some((0.0, false))),
            ("(", Some((0.0, true))),
            ("1e400", Some((f64::INFINITY, false))),
            ("1e-400", Some((0.0, false))),
            ("nan", None),
            (" 1", None),
            ("0x1", None),
            ("((1", None),
        ] {
            let bound = ScoreBound::parse(text.as_bytes());
            assert_eq!(bound.map(|b| (b.value, b.exclusive)), wanted, "{text:?}");
        }
    }

    #[test]
    fn lexical_bounds() {
        assert_eq!(LexBound::parse(b"-"), Some(LexBound::NegInf));
        assert_eq!(LexBound::parse(b"+"), Some(LexBound::PosInf));
        assert_eq!(LexBound::parse(b"[a"), Some(LexBound::Included(b"a")));
        assert_eq!(LexBound::parse(b"("), Some(LexBound::Excluded(b"")));
        for text in [&b""[..], b"a", b"-a", b"++"] {
            assert_eq!(LexBound::parse(text), None);
        }
    }
}
