//! The range of BITCOUNT and BITPOS: first and last byte or bit, negative ones counted from the end.

use resp::args::Args;
use resp::error::{self, Error};

use crate::options::{integer, is};

/// A range as it was given.
#[derive(Clone, Copy)]
pub(super) struct Given {
    start: i64,
    end: Option<i64>,
    in_bits: bool,
}

impl Given {
    /// Reads `[start [end [BYTE | BIT]]]` from the argument `at` on; `None` when there is none.
    pub(super) fn parse(args: &Args<'_>, at: usize) -> Result<Option<Self>, Error> {
        let Some(start) = args.get(at) else { return Ok(None) };
        if args.len() > at + 3 {
            return Err(error::common::SYNTAX);
        }
        let start = integer(start)?;
        let in_bits = match args.get(at + 2) {
            None => false,
            Some(unit) if is(unit, "BIT") => true,
            Some(unit) if is(unit, "BYTE") => false,
            Some(_) => return Err(error::common::SYNTAX),
        };
        let end = args.get(at + 1).map(integer).transpose()?;
        Ok(Some(Given { start, end, in_bits }))
    }

    /// Whether both ends count from the end of the string and are in the wrong order, so that it is empty whatever the
    /// string is.
    pub(super) fn is_reversed(&self) -> bool {
        matches!(self.end, Some(end) if self.start < 0 && end < 0 && self.start > end)
    }

    /// Whether its end was said.
    pub(super) fn has_end(&self) -> bool {
        self.end.is_some()
    }

    /// The first and the last bit of it in a string of `len` bytes; `None` when it holds none.
    pub(super) fn bits(&self, len: usize) -> Option<(u64, u64)> {
        let total = if self.in_bits { len as i64 * 8 } else { len as i64 };
        let from_start = |index: i64| if index < 0 { index.saturating_add(total).max(0) } else { index };
        let start = from_start(self.start);
        let end = from_start(self.end.unwrap_or(total - 1)).min(total - 1);
        if start > end {
            return None;
        }
        let (start, end) = (start as u64, end as u64);
        Some(if self.in_bits { (start, end) } else { (start * 8, end * 8 + 7) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_string() {
        let of = |start, end, in_bits, len| Given { start, end, in_bits }.bits(len);
        assert_eq!(of(0, None, false, 3), Some((0, 23)));
        assert_eq!(of(1, Some(1), false, 3), Some((8, 15)));
        assert_eq!(of(-1, None, false, 3), Some((16, 23)));
        assert_eq!(of(-100, Some(100), false, 3), Some((0, 23)));
        assert_eq!(of(5, Some(30), true, 3), Some((5, 23)));
        assert_eq!(of(-3, Some(-2), true, 3), Some((21, 22)));
        assert_eq!(of(2, Some(1), false, 3), None);
        assert_eq!(of(3, None, false, 3), None);
        assert_eq!(of(0, None, false, 0), None);
        assert_eq!(of(0, Some(-1), true, 0), None);
        assert_eq!(of(i64::MIN, Some(i64::MAX), true, 1), Some((0, 7)));
        assert_eq!(of(i64::MAX, Some(i64::MIN), true, 1), None);
    }
}
