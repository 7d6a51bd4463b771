//! GETRANGE, and SUBSTR, its former name: a part of a string by the indexes of its first and last byte.
//!
//! Negative indexes count from the end. A range that is partly outside is cut; one that is wholly outside, or whose
//! ends are in the wrong order, is the empty string, not an error.

use command::context::{Context, Done};

use crate::options::integer;

pub(super) fn getrange(ctx: &mut Context<'_, '_>) -> Done {
    let (start, end) = (integer(ctx.args.at(2))?, integer(ctx.args.at(3))?);
    let key = ctx.key(1);
    match ctx.space.read_string(&key)? {
        Some(value) => value.with_bytes(|text| ctx.reply.bulk(slice(text, start, end))),
        None => ctx.reply.bulk(b""),
    }
    Ok(())
}

fn slice(text: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return b"";
    }
    let len = text.len() as i64;
    let from_start = |index: i64| if index < 0 { index.saturating_add(len).max(0) } else { index };
    let (start, end) = (from_start(start), from_start(end).min(len - 1));
    if start > end { b"" } else { &text[start as usize..=end as usize] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_string() {
        let cases: [(i64, i64, &[u8]); 11] = [
            (0, 3, b"abcd"),
            (0, -1, b"abcdef"),
            (-3, -1, b"def"),
            (3, 1, b""),
            (-1, -3, b""),
            (5, 5000, b"f"),
            (6, 9, b""),
            (-5000, 1, b"ab"),
            (0, -100, b"a"),
            (i64::MIN, i64::MAX, b"abcdef"),
            (i64::MAX, i64::MIN, b""),
        ];
        for (start, end, expected) in cases {
            assert_eq!(slice(b"abcdef", start, end), expected, "{start}..{end}");
        }
        assert_eq!(slice(b"", 0, -1), b"");
        assert_eq!(slice(b"", 0, 0), b"");
    }
}
