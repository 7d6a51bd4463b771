//! LCS: the longest common subsequence of two strings, its length, or where its pieces are.
//!
//! The table of classic dynamic programming, `(m+1) * (n+1)` lengths, row by row:
//!
//! ```text
//!           ""  m  y        each cell: the length of the LCS of the two prefixes
//!       ""   0  0  0        diagonal + 1 where the bytes are equal, else the larger of above and left
//!       m    0  1  1
//!       n    0  1  1        the way back from the last corner gives the bytes and the matching ranges,
//!       y    0  1  2        the last one first; where both ways are as long it goes left
//! ```
//!
//! The table must not be larger than `proto-max-bulk-len`, as in Redis, and its memory is asked for, not taken for
//! granted.

use command::context::{Context, Done};
use resp::error::{self, Error};
use resp::reply::Reply;
use value::StringRef;

use crate::options::{integer, is};

/// What of the result is wanted.
#[derive(Clone, Copy, Default)]
struct Options {
    len: bool,
    idx: bool,
    min_match_len: i64,
    with_match_len: bool,
}

impl Options {
    fn parse(ctx: &Context<'_, '_>) -> Result<Self, Error> {
        let mut options = Options::default();
        let mut words = ctx.args.from(3).iter();
        while let Some(word) = words.next() {
            if is(word, "IDX") {
                options.idx = true;
            } else if is(word, "LEN") {
                options.len = true;
            } else if is(word, "WITHMATCHLEN") {
                options.with_match_len = true;
            } else if is(word, "MINMATCHLEN") {
                options.min_match_len = integer(words.next().ok_or(error::common::SYNTAX)?)?.max(0);
            } else {
                return Err(error::common::SYNTAX);
            }
        }
        if options.len && options.idx {
            return Err(error::string::LCS_LEN_AND_IDX);
        }
        Ok(options)
    }
}

pub(super) fn lcs(ctx: &mut Context<'_, '_>) -> Done {
    let a = text(ctx, 1)?;
    let b = text(ctx, 2)?;
    let options = Options::parse(ctx)?;
    let too_long = |text: &[u8]| text.len() as u64 >= u64::from(u32::MAX) - 1;
    if too_long(&a) || too_long(&b) {
        return Err(error::string::LCS_TOO_LONG.into());
    }
    let table = Table::build(&a, &b, ctx.env.max_string)?;
    if options.idx {
        table.answer_matches(ctx.reply, &options);
    } else if options.len {
        ctx.reply.length(table.length());
    } else {
        let mut common = Vec::with_capacity(table.length());
        table.walk_back(|i, _| common.push(a[i]));
        common.reverse();
        ctx.reply.bulk(&common);
    }
    Ok(())
}

fn text(ctx: &mut Context<'_, '_>, index: usize) -> Result<Vec<u8>, Error> {
    let key = ctx.key(index);
    let value = ctx.space.read_string(&key).map_err(|_| error::string::LCS_NOT_STRINGS)?;
    Ok(value.unwrap_or(StringRef::Bytes(b"")).to_vec())
}

struct Table<'t> {
    a: &'t [u8],
    b: &'t [u8],
    cells: Vec<u32>,
}

impl<'t> Table<'t> {
    fn build(a: &'t [u8], b: &'t [u8], max_bytes: usize) -> Result<Self, Error> {
        let width = b.len() + 1;
        let size = (a.len() as u128 + 1) * width as u128;
        if size * 4 > max_bytes as u128 {
            return Err(error::string::LCS_MEMORY);
        }
        let mut cells: Vec<u32> = Vec::new();
        cells.try_reserve_exact(size as usize).map_err(|_| error::string::LCS_ALLOCATION)?;
        cells.resize(size as usize, 0);
        for (i, x) in a.iter().enumerate() {
            let (done, rest) = cells.split_at_mut((i + 1) * width);
            let above = &done[i * width..];
            let row = &mut rest[..width];
            for (j, y) in b.iter().enumerate() {
                row[j + 1] = if x == y { above[j] + 1 } else { above[j + 1].max(row[j]) };
            }
        }
        Ok(Table { a, b, cells })
    }

    fn cell(&self, i: usize, j: usize) -> u32 {
        self.cells[i * (self.b.len() + 1) + j]
    }

    fn length(&self) -> usize {
        self.cell(self.a.len(), self.b.len()) as usize
    }

    /// Shows the indexes of the common bytes in both strings, the last first.
    fn walk_back(&self, mut f: impl FnMut(usize, usize)) {
        let (mut i, mut j) = (self.a.len(), self.b.len());
        while i > 0 && j > 0 {
            if self.a[i - 1] == self.b[j - 1] {
                i -= 1;
                j -= 1;
                f(i, j);
            } else if self.cell(i - 1, j) > self.cell(i, j - 1) {
                i -= 1;
            } else {
                j -= 1;
            }
        }
    }

    /// Answers the ranges that match, each as long as it can be, the last first.
    fn answer_matches(&self, reply: &mut Reply, options: &Options) {
        reply.map(2);
        reply.bulk(b"matches");
        let at = reply.array_deferred();
        let mut count = 0;
        let mut emit = |run: Run| {
            if i64::from(run.len as u32) >= options.min_match_len {
                run.answer(reply, options.with_match_len);
                count += 1;
            }
        };
        let mut run: Option<Run> = None;
        self.walk_back(|i, j| {
            run = Some(match run.take() {
                Some(run) if run.a == i + 1 && run.b == j + 1 => Run { a: i, b: j, len: run.len + 1 },
                other => {
                    if let Some(done) = other {
                        emit(done);
                    }
                    Run { a: i, b: j, len: 1 }
                }
            });
        });
        if let Some(last) = run {
            emit(last);
        }
        reply.set_array_len(at, count);
        reply.bulk(b"len");
        reply.length(self.length());
    }
}

/// A range of bytes that is the same in both strings.
struct Run {
    a: usize,
    b: usize,
    len: usize,
}

impl Run {
    fn answer(&self, reply: &mut Reply, with_len: bool) {
        reply.array(if with_len { 3 } else { 2 });
        for start in [self.a, self.b] {
            reply.array(2);
            reply.length(start);
            reply.length(start + self.len - 1);
        }
        if with_len {
            reply.length(self.len);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(a: &[u8], b: &[u8]) -> Vec<u8> {
        let table = Table::build(a, b, 1 << 20).expect("small enough");
        let mut common = Vec::new();
        table.walk_back(|i, _| common.push(a[i]));
        common.reverse();
        assert_eq!(common.len(), table.length());
        common
    }

    #[test]
    fn the_longest_common_subsequence_is_found() {
        assert_eq!(longest(b"ohmytext", b"mynewtext"), b"mytext");
        assert_eq!(longest(b"", b"abc"), b"");
        assert_eq!(longest(b"abc", b"def"), b"");
        assert_eq!(longest(b"abcbdab", b"bdcaba").len(), 4);
    }

    #[test]
    fn the_table_has_a_limit() {
        assert_eq!(Table::build(b"aaa", b"bbb", 4 * 16 - 1).err(), Some(error::string::LCS_MEMORY));
        assert!(Table::build(b"aaa", b"bbb", 4 * 16).is_ok());
    }
}
