//! A zipmap: how Redis before 2.6 kept small hashes.
//!
//! ```text
//!   +-------+-----+-------+-----+------+-------+------+-- … --+------+
//!   | count | len | field | len | free | value | free |       | 0xFF |
//!   +-------+-----+-------+-----+------+-------+------+-- … --+------+
//!
//!   count   1 byte; 254 and more mean "walk to find out"
//!   len     1 byte below 254, else 0xFE + u32 LE
//!   free    1 byte: unused bytes behind the value
//! ```

use super::Corrupt;

const BIG: u8 = 0xFE;
const END: u8 = 0xFF;

/// Shows the fields with their values to `f`. Pairs may have been shown when damage is found behind them. O(n).
pub(crate) fn read<'a>(bytes: &'a [u8], mut f: impl FnMut(&'a [u8], &'a [u8])) -> Result<(), Corrupt> {
    let (&told, rest) = bytes.split_first().ok_or(Corrupt)?;
    let (&end, mut rest) = rest.split_last().ok_or(Corrupt)?;
    if end != END {
        return Err(Corrupt);
    }
    let mut count = 0usize;
    while !rest.is_empty() {
        let field_len = len(&mut rest)?;
        let field = take(&mut rest, field_len)?;
        let value_len = len(&mut rest)?;
        let free = take(&mut rest, 1)?[0];
        let value = take(&mut rest, value_len)?;
        take(&mut rest, usize::from(free))?;
        f(field, value);
        count += 1;
    }
    let count_is_good = told >= BIG || usize::from(told) == count;
    if count > 0 && count_is_good { Ok(()) } else { Err(Corrupt) }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Corrupt> {
    let (bytes, tail) = rest.split_at_checked(count).ok_or(Corrupt)?;
    *rest = tail;
    Ok(bytes)
}

fn len(rest: &mut &[u8]) -> Result<usize, Corrupt> {
    match take(rest, 1)?[0] {
        END => Err(Corrupt),
        BIG => {
            let bytes = take(rest, 4)?.try_into().map_err(|_| Corrupt)?;
            let len = u32::from_le_bytes(bytes);
            // A length that fits one byte must have one.
            if len < u32::from(BIG) { Err(Corrupt) } else { Ok(len as usize) }
        }
        short => Ok(usize::from(short)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pair<'a> = (&'a [u8], &'a [u8]);

    fn pairs(bytes: &[u8]) -> Result<Vec<Pair<'_>>, Corrupt> {
        let mut out = Vec::new();
        read(bytes, |field, value| out.push((field, value))).map(|()| out)
    }

    #[test]
    fn the_example_of_the_format() {
        let bytes = b"\x02\x03foo\x03\x00bar\x05hello\x05\x02world??\xff";
        assert_eq!(pairs(bytes), Ok(vec![(&b"foo"[..], &b"bar"[..]), (b"hello", b"world")]));
    }

    #[test]
    fn long_values() {
        let value = [b'v'; 300];
        let bytes = [&b"\x01\x01f\xfe\x2c\x01\x00\x00\x00"[..], &value, b"\xff"].concat();
        assert_eq!(pairs(&bytes), Ok(vec![(&b"f"[..], &value[..])]));
    }

    #[test]
    fn damage_is_seen() {
        let good = b"\x02\x03foo\x03\x00bar\x05hello\x05\x00world\xff";
        for cut in 0..good.len() {
            assert_eq!(pairs(&good[..cut]), Err(Corrupt));
        }
        for (at, value) in [(0, 3), (1, 200), (1, 0xFF), (5, 99), (6, 250)] {
            let mut bytes = good.to_vec();
            bytes[at] = value;
            assert_eq!(pairs(&bytes), Err(Corrupt), "byte {at}");
        }
        assert_eq!(pairs(b"\x00\xff"), Err(Corrupt));
        assert_eq!(pairs(b"\x01\x01f\xfe\x01\x00\x00\x00\x00v\xff"), Err(Corrupt));
    }
}
