//! Lengths, strings and numbers, read from a slice that may end too early.
//!
//! ```text
//!   00xxxxxx                     length, 6 bits
//!   01xxxxxx xxxxxxxx            length, 14 bits, big endian
//!   10000000 + u32 BE            length
//!   10000001 + u64 BE            length
//!   11000000 + i8                string: an integer
//!   11000001 + i16 LE            string: an integer
//!   11000010 + i32 LE            string: an integer
//!   11000011 len len bytes       string: compressed length, length, LZF
//! ```

use structures::{lzf, number};

use crate::Damage;

/// Why reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The slice ends too early; it must hold at least so many bytes.
    More(usize),
    /// No continuation can make it right.
    Damage(Damage),
}

impl From<Damage> for Halt {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

pub(crate) type Step<T> = Result<T, Halt>;

/// A length, or the marker of a special string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Plain(u64),
    Special(u8),
}

/// A string where it is, before it is decompressed or written out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Text<'a> {
    Plain(&'a [u8]),
    Int(i32),
    Lzf { data: &'a [u8], len: usize },
}

impl<'a> Text<'a> {
    /// The bytes, in `scratch` if they have to be made.
    pub(crate) fn bytes<'s>(self, scratch: &'s mut Vec<u8>) -> Result<&'s [u8], Damage>
    where
        'a: 's,
    {
        if let Self::Plain(bytes) = self {
            return Ok(bytes);
        }
        scratch.clear();
        self.append_to(scratch)?;
        Ok(scratch)
    }

    /// Appends the bytes to `out`.
    pub(crate) fn append_to(self, out: &mut Vec<u8>) -> Result<(), Damage> {
        match self {
            Self::Plain(bytes) => out.extend_from_slice(bytes),
            Self::Int(value) => out.extend_from_slice(number::int(i64::from(value)).as_bytes()),
            Self::Lzf { data, len } => {
                lzf::decompress_into(out, data, len).map_err(|lzf::Corrupt| Damage::Lzf)?;
            }
        }
        Ok(())
    }
}

/// A place in a slice.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    mark: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, mark: at }
    }

    /// The bytes read so far.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Where the string or number that was read last begins.
    pub(crate) fn mark(&self) -> usize {
        self.mark
    }

    /// Goes back to a place of before.
    pub(crate) fn rewind(&mut self, at: usize) {
        debug_assert!(at <= self.at);
        self.at = at;
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let end = self.at.checked_add(count).ok_or(Halt::More(usize::MAX))?;
        let bytes = self.bytes.get(self.at..end).ok_or(Halt::More(end))?;
        self.mark = self.at;
        self.at = end;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().unwrap_or([0; N]))
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Step<u8> {
        let byte = *self.bytes.get(self.at).ok_or(Halt::More(self.at + 1))?;
        self.mark = self.at;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn u32_le(&mut self) -> Step<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64_le(&mut self) -> Step<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn i64_le(&mut self) -> Step<i64> {
        self.array().map(i64::from_le_bytes)
    }

    #[inline]
    pub(crate) fn length_or_special(&mut self) -> Step<Length> {
        let first = self.byte()?;
        Ok(match first >> 6 {
            0 => Length::Plain(u64::from(first)),
            1 => Length::Plain(u64::from(first & 0x3F) << 8 | u64::from(self.byte()?)),
            3 => Length::Special(first & 0x3F),
            _ if first == 0x80 => Length::Plain(u64::from(u32::from_be_bytes(self.array()?))),
            _ if first == 0x81 => Length::Plain(u64::from_be_bytes(self.array()?)),
            _ => return Err(Damage::Length(first).into()),
        })
    }

    /// A length.
    #[inline]
    pub(crate) fn length(&mut self) -> Step<u64> {
        let start = self.at;
        let length = self.length_or_special()?;
        self.mark = start;
        match length {
            Length::Plain(length) => Ok(length),
            Length::Special(code) => Err(Damage::Length(0xC0 | code).into()),
        }
    }

    /// A string.
    #[inline]
    pub(crate) fn text(&mut self) -> Step<Text<'a>> {
        let start = self.at;
        let text = match self.length_or_special()? {
            Length::Plain(length) => Text::Plain(self.take(size(length))?),
            Length::Special(0) => Text::Int(i32::from(self.byte()?.cast_signed())),
            Length::Special(1) => Text::Int(i32::from(i16::from_le_bytes(self.array()?))),
            Length::Special(2) => Text::Int(i32::from_le_bytes(self.array()?)),
            Length::Special(3) => {
                let compressed = self.length()?;
                let len = size(self.length()?);
                Text::Lzf { data: self.take(size(compressed))?, len }
            }
            Length::Special(code) => return Err(Damage::StringEncoding(code).into()),
        };
        self.mark = start;
        Ok(text)
    }

    /// A double of 8 bytes.
    pub(crate) fn double(&mut self) -> Step<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// A double as text behind its length, or one of three lengths that stand for NaN and the infinities. `None` if the text is
    /// none.
    pub(crate) fn old_double(&mut self) -> Step<Option<f64>> {
        Ok(match self.byte()? {
            253 => Some(f64::NAN),
            254 => Some(f64::INFINITY),
            255 => Some(f64::NEG_INFINITY),
            len => number::parse_f64(self.take(usize::from(len))?),
        })
    }
}

/// A length as a size in memory. One that does not fit is far beyond what will ever arrive.
fn size(length: u64) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_all_widths() {
        for (bytes, wanted) in [
            (&[0x05][..], 5),
            (&[0x41, 0x02], 258),
            (&[0x80, 0, 1, 0, 0], 65536),
            (&[0x81, 0, 0, 0, 1, 0, 0, 0, 0], 1 << 32),
        ] {
            assert_eq!(Reader::new(bytes, 0).length(), Ok(wanted));
            for cut in 0..bytes.len() {
                let mut reader = Reader::new(&bytes[..cut], 0);
                assert!(matches!(reader.length(), Err(Halt::More(n)) if n > cut && n <= bytes.len()));
            }
        }
        assert_eq!(Reader::new(&[0x82], 0).length(), Err(Damage::Length(0x82).into()));
        assert_eq!(Reader::new(&[0xC1], 0).length(), Err(Damage::Length(0xC1).into()));
    }

    #[test]
    fn strings_of_all_encodings() {
        let mut scratch = Vec::new();
        for (bytes, wanted) in [
            (&b"\x03abc"[..], &b"abc"[..]),
            (b"\xc0\xff", b"-1"),
            (b"\xc1\x00\x80", b"-32768"),
            (b"\xc2\x01\x00\x01\x00", b"65537"),
            (b"\xc3\x05\x0a\x00a\xe0\x00\x00", b""),
        ] {
            let text = Reader::new(bytes, 0).text();
            if wanted.is_empty() {
                assert_eq!(text, Ok(Text::Lzf { data: &bytes[3..8], len: 10 }));
                assert_eq!(Reader::new(bytes, 0).text().unwrap().bytes(&mut scratch), Ok(&b"aaaaaaaaaa"[..]));
            } else {
                assert_eq!(text.unwrap().bytes(&mut scratch), Ok(wanted));
            }
        }
        assert_eq!(Reader::new(&[0xC4], 0).text(), Err(Damage::StringEncoding(4).into()));
        let huge = [0x81, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0];
        assert_eq!(Reader::new(&huge, 0).text(), Err(Halt::More(usize::MAX)));
    }

    #[test]
    fn textual_doubles() {
        let read = |bytes: &[u8]| Reader::new(bytes, 0).old_double();
        assert_eq!(read(b"\x043.25"), Ok(Some(3.25)));
        assert_eq!(read(b"\xfe"), Ok(Some(f64::INFINITY)));
        assert_eq!(read(b"\xff"), Ok(Some(f64::NEG_INFINITY)));
        assert!(matches!(read(b"\xfd"), Ok(Some(nan)) if nan.is_nan()));
        assert_eq!(read(b"\x02zz"), Ok(None));
    }
}
