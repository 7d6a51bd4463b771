//! A ziplist: what listpacks have replaced in Redis 7.
//!
//! ```text
//!   +-------------+-------------+--------+---------+-- … --+------+
//!   | total bytes | last entry  | count  | entry 0 |       | 0xFF |
//!   |   u32 LE    |   u32 LE    | u16 LE |         |       |      |
//!   +-------------+-------------+--------+---------+-- … --+------+
//!
//!   entry:  bytes of the entry before (1 byte below 254, else 0xFE + u32 LE)   encoding   [data]
//!
//!   00LLLLLL                     text of up to 63 bytes      11000000 + 2 bytes   integer, 16 bits LE
//!   01LLLLLL + 1 byte            text, 14 bits BE            11010000 + 4 bytes   integer, 32 bits LE
//!   10______ + u32 BE            text of any length          11100000 + 8 bytes   integer, 64 bits LE
//!   1111NNNN, N from 1 to 13     integer N - 1               11110000 + 3 bytes   integer, 24 bits LE
//!                                                            11111110 + 1 byte    integer, 8 bits
//! ```
//!
//! Only reading, from the front, with every claim checked: the total, each length of the entry before, the offset of the last
//! entry, the count (65535 means unknown). No entry begins with 0xFF, so the end is found without counting.

use value::Item;

use super::Corrupt;

const HEADER: usize = 10;
const END: u8 = 0xFF;
const COUNT_UNKNOWN: usize = u16::MAX as usize;

/// Shows the elements of a ziplist to `f`, from the first. Elements may have been shown when damage is found behind them. O(n).
pub(crate) fn read<'a>(bytes: &'a [u8], mut f: impl FnMut(Item<'a>)) -> Result<(), Corrupt> {
    let total = u32_at(bytes, 0)? as usize;
    let tail = u32_at(bytes, 4)? as usize;
    let told = usize::from(u16::from_le_bytes(array(bytes, 8)?));
    let end = bytes.len().checked_sub(1).ok_or(Corrupt)?;
    if total != bytes.len() || end < HEADER || bytes[end] != END || tail > end {
        return Err(Corrupt);
    }
    let body = &bytes[..end];
    let (mut at, mut last, mut before, mut count) = (HEADER, None, 0, 0);
    while at < end {
        let (item, next) = entry(body, at, before)?;
        f(item);
        before = next - at;
        last = Some(at);
        at = next;
        count += 1;
    }
    let tail_is_good = last.is_none_or(|last| last == tail);
    if tail_is_good && (told == COUNT_UNKNOWN || told == count) { Ok(()) } else { Err(Corrupt) }
}

/// The element at `at` and the offset behind it.
fn entry(body: &[u8], at: usize, before: usize) -> Result<(Item<'_>, usize), Corrupt> {
    let (told, at) = match *body.get(at).ok_or(Corrupt)? {
        END => return Err(Corrupt),
        0xFE => (u32_at(body, at + 1)? as usize, at + 5),
        short => (usize::from(short), at + 1),
    };
    if told != before {
        return Err(Corrupt);
    }
    let code = *body.get(at).ok_or(Corrupt)?;
    let text = |from: usize, len: usize| -> Result<(Item<'_>, usize), Corrupt> {
        let end = from.checked_add(len).ok_or(Corrupt)?;
        Ok((Item::Bytes(body.get(from..end).ok_or(Corrupt)?), end))
    };
    match code >> 6 {
        0 => return text(at + 1, usize::from(code)),
        1 => {
            let low = *body.get(at + 1).ok_or(Corrupt)?;
            return text(at + 2, usize::from(code & 0x3F) << 8 | usize::from(low));
        }
        2 => return text(at + 5, u32::from_be_bytes(array(body, at + 1)?) as usize),
        _ => {}
    }
    Ok(match code {
        0xC0 => (Item::Int(i64::from(i16::from_le_bytes(array(body, at + 1)?))), at + 3),
        0xD0 => (Item::Int(i64::from(i32::from_le_bytes(array(body, at + 1)?))), at + 5),
        0xE0 => (Item::Int(i64::from_le_bytes(array(body, at + 1)?)), at + 9),
        0xF0 => {
            let [a, b, c] = array(body, at + 1)?;
            (Item::Int(i64::from(i32::from_le_bytes([0, a, b, c]) >> 8)), at + 4)
        }
        0xFE => {
            let [byte] = array(body, at + 1)?;
            (Item::Int(i64::from(u8::cast_signed(byte))), at + 2)
        }
        0xF1..=0xFD => (Item::Int(i64::from(code & 0x0F) - 1), at + 1),
        _ => return Err(Corrupt),
    })
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Corrupt> {
    let end = at.checked_add(N).ok_or(Corrupt)?;
    bytes.get(at..end).and_then(|bytes| bytes.try_into().ok()).ok_or(Corrupt)
}

fn u32_at(bytes: &[u8], at: usize) -> Result<u32, Corrupt> {
    array(bytes, at).map(u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Result<Vec<Vec<u8>>, Corrupt> {
        let mut out = Vec::new();
        read(bytes, |item| out.push(item.to_vec())).map(|()| out)
    }

    /// A ziplist of entries whose encodings and data are given.
    fn list_of(entries: &[&[u8]]) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        let (mut before, mut last) = (0, HEADER);
        for entry in entries {
            last = bytes.len();
            if before < 254 {
                bytes.push(before as u8);
            } else {
                bytes.push(0xFE);
                bytes.extend((before as u32).to_le_bytes());
            }
            bytes.extend(*entry);
            before = bytes.len() - last;
        }
        bytes.push(END);
        let total = bytes.len() as u32;
        bytes[..4].copy_from_slice(&total.to_le_bytes());
        bytes[4..8].copy_from_slice(&(last as u32).to_le_bytes());
        bytes[8..10].copy_from_slice(&(entries.len() as u16).to_le_bytes());
        bytes
    }

    #[test]
    fn the_example_of_the_format() {
        let bytes = [0x0F, 0, 0, 0, 0x0C, 0, 0, 0, 2, 0, 0, 0xF3, 2, 0xF6, 0xFF];
        assert_eq!(texts(&bytes), Ok(vec![b"2".to_vec(), b"5".to_vec()]));
        assert_eq!(list_of(&[b"\xf3", b"\xf6"]), bytes);
    }

    #[test]
    fn every_encoding() {
        let long = [&b"\x41\x2c"[..], &[b'x'; 300]].concat();
        let longer = [&b"\x80\x00\x00\x01\x2c"[..], &[b'y'; 300]].concat();
        let bytes = list_of(&[
            b"\x02ab",
            &long,
            &longer,
            b"\xc0\x00\x80",
            b"\xd0\x01\x00\x01\x00",
            b"\xe0\xff\xff\xff\xff\xff\xff\xff\x7f",
            b"\xf0\x00\x00\x80",
            b"\xfe\x80",
            b"\xf1",
            b"\xfd",
        ]);
        let wanted: [&[u8]; 10] = [
            b"ab",
            &[b'x'; 300],
            &[b'y'; 300],
            b"-32768",
            b"65537",
            b"9223372036854775807",
            b"-8388608",
            b"-128",
            b"0",
            b"12",
        ];
        assert_eq!(texts(&bytes).unwrap(), wanted);
    }

    #[test]
    fn every_changed_byte_is_seen_or_harmless() {
        let good = list_of(&[b"\x02ab", b"\xf3", b"\xc0\x00\x80", &[&[0x3F][..], &[b'z'; 63]].concat()]);
        for at in 0..good.len() {
            for value in 0..=255 {
                let mut bytes = good.clone();
                bytes[at] = value;
                if let Ok(read) = texts(&bytes) {
                    let told = bytes[8] as usize | (bytes[9] as usize) << 8;
                    assert!(told == read.len() || told == COUNT_UNKNOWN);
                }
            }
            assert_eq!(texts(&good[..at]), Err(Corrupt));
        }
        for (at, value) in [(0, 1), (4, 3), (8, 9), (HEADER, 1), (good.len() - 1, 0)] {
            let mut bytes = good.clone();
            bytes[at] = value;
            assert_eq!(texts(&bytes), Err(Corrupt), "byte {at}");
        }
    }
}
