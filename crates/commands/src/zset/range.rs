//! Ranges of a sorted set as the wire has them, and the ranks that they come to.
//!
//! ```text
//!   by rank    0 -1        both included, negative ones from the end
//!   by score   (1 +inf     see ScoreBound
//!   by bytes   [a (c       see LexBound
//! ```
//!
//! A range is read before the key is looked up, so a wrong one is an error even for no key.

use std::ops::Range;

use resp::error::{self, Error};
use value::{LexBound, ScoreBound, Zset};

use crate::options::integer;

/// What members are ordered by in a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum By {
    Rank,
    Score,
    Lex,
}

/// A range whose ends have been read.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Span<'a> {
    Rank { start: i64, stop: i64 },
    Score { min: ScoreBound, max: ScoreBound },
    Lex { min: LexBound<'a>, max: LexBound<'a> },
}

impl<'a> Span<'a> {
    /// Reads the two ends of a range.
    pub(super) fn parse(by: By, from: &'a [u8], to: &'a [u8]) -> Result<Span<'a>, Error> {
        Ok(match by {
            By::Rank => Span::Rank { start: integer(from)?, stop: integer(to)? },
            By::Score => match (ScoreBound::parse(from), ScoreBound::parse(to)) {
                (Some(min), Some(max)) => Span::Score { min, max },
                _ => return Err(error::zset::RANGE_NOT_FLOAT),
            },
            By::Lex => match (LexBound::parse(from), LexBound::parse(to)) {
                (Some(min), Some(max)) => Span::Lex { min, max },
                _ => return Err(error::zset::RANGE_NOT_LEX),
            },
        })
    }

    /// The ranks that the range covers, which the set has. Ranks are counted from the highest score if `reverse`.
    pub(super) fn ranks(&self, zset: &Zset, reverse: bool) -> Range<usize> {
        match *self {
            Span::Rank { start, stop } => {
                let ranks = part(zset.len(), start, stop);
                if reverse { mirrored(&ranks, zset.len()) } else { ranks }
            }
            Span::Score { min, max } => zset.ranks_by_score(min, max),
            Span::Lex { min, max } => zset.ranks_by_lex(min, max),
        }
    }
}

/// The indices of `len` elements between two of the wire, both included.
fn part(len: usize, start: i64, stop: i64) -> Range<usize> {
    let from_front = |index: i64| if index < 0 { index.saturating_add_unsigned(len as u64) } else { index };
    let start = from_front(start).max(0);
    let stop = from_front(stop).min(len as i64 - 1);
    if start > stop { 0..0 } else { start as usize..stop as usize + 1 }
}

/// The same ranks counted from the other end.
fn mirrored(ranks: &Range<usize>, len: usize) -> Range<usize> {
    len - ranks.end..len - ranks.start
}

/// LIMIT: what is passed over at the beginning of a range, and how many members are wanted behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Window {
    pub(super) offset: i64,
    /// Negative for all.
    pub(super) count: i64,
}

impl Window {
    /// All of a range.
    pub(super) const ALL: Window = Window { offset: 0, count: -1 };

    /// The part of these ranks that is inside; the window opens at their end if `reverse`.
    pub(super) fn cut(&self, ranks: Range<usize>, reverse: bool) -> Range<usize> {
        let Ok(offset) = usize::try_from(self.offset) else { return 0..0 };
        let left = ranks.len().saturating_sub(offset);
        let count = usize::try_from(self.count).map_or(left, |count| count.min(left));
        if reverse {
            let end = ranks.end - offset.min(ranks.len());
            end - count..end
        } else {
            let start = ranks.start + offset.min(ranks.len());
            start..start + count
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_cut_to_the_set() {
        assert_eq!(part(5, 0, -1), 0..5);
        assert_eq!(part(5, -100, 100), 0..5);
        assert_eq!(part(5, -2, -1), 3..5);
        assert_eq!(part(5, 3, 2), 0..0);
        assert_eq!(part(5, 5, 9), 0..0);
        assert_eq!(part(0, 0, -1), 0..0);
        assert_eq!(part(5, i64::MIN, i64::MAX), 0..5);
        assert_eq!(mirrored(&(0..2), 5), 3..5);
    }

    #[test]
    fn a_window_is_cut_from_either_end() {
        let cut = |offset, count, reverse| Window { offset, count }.cut(2..7, reverse);
        assert_eq!(cut(0, -1, false), 2..7);
        assert_eq!(cut(1, 2, false), 3..5);
        assert_eq!(cut(1, 2, true), 4..6);
        assert_eq!(cut(4, 9, false), 6..7);
        assert_eq!(cut(4, 9, true), 2..3);
        assert!(cut(5, 1, false).is_empty() && cut(9, -1, true).is_empty());
        assert!(cut(-1, 3, false).is_empty() && cut(0, 0, true).is_empty());
        assert_eq!(cut(i64::MAX, i64::MAX, true), 2..2);
    }
}
