//! Writing: records whole, or big ones element by element.
//!
//! Everything is appended to a vector that the caller owns, without a checksum, so that records can be encoded under a lock, moved,
//! queued and put together elsewhere; whoever writes the final bytes shows them to a [`Checksum`].
//!
//! ```text
//!   small value:  Form::record                                          one call
//!   big value:    Form::begin_set / begin_hash / begin_zset, then        n elements in any order, in as many steps as it takes
//!                 Form::element …
//!   long list:    Form::begin_list, then Form::node …                    node by node
//! ```
//!
//! Costs: one copy of the bytes; with `compress`, LZF over every string of more than 20 bytes, which is what takes the time.
//! Listpacks, intsets and compressed nodes are written as they are in memory.

mod value_form;

use structures::{crc64, lzf, number};
use value::Item;

use crate::{Header, Kind, Version, kind};

pub use value_form::TooNew;

/// Strings up to this length do not become smaller.
const MIN_COMPRESSED: usize = 21;

/// How to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// The version that the reader understands.
    pub version: Version,
    /// `rdbcompression`: whether strings are compressed where that makes them smaller.
    pub compress: bool,
}

/// What a record tells of a key beside its value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// In milliseconds of Unix time.
    pub expire: Option<i64>,
    /// Seconds since the last access; written under an LRU policy.
    pub idle: Option<u64>,
    /// The logarithmic access counter; written under an LFU policy.
    pub freq: Option<u8>,
}

/// Appends a length.
#[inline]
pub fn length(out: &mut Vec<u8>, length: u64) {
    match length {
        0..0x40 => out.push(length as u8),
        0x40..0x4000 => out.extend_from_slice(&[0x40 | (length >> 8) as u8, length as u8]),
        0x4000..=0xFFFF_FFFF => {
            out.push(0x80);
            out.extend_from_slice(&(length as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

/// Appends an integer in a special form of two to five bytes, if it fits one; answers whether it did.
fn small_integer(out: &mut Vec<u8>, value: i64) -> bool {
    let bytes = value.to_le_bytes();
    let (code, width) = match value {
        -0x80..=0x7F => (0xC0, 1),
        -0x8000..=0x7FFF => (0xC1, 2),
        -0x8000_0000..=0x7FFF_FFFF => (0xC2, 4),
        _ => return false,
    };
    out.push(code);
    out.extend_from_slice(&bytes[..width]);
    true
}

/// Appends bytes that are compressed already.
fn compressed(out: &mut Vec<u8>, data: &[u8], len: usize) {
    out.push(0xC3);
    length(out, data.len() as u64);
    length(out, len as u64);
    out.extend_from_slice(data);
}

/// Appends bytes compressed, if that saves four bytes; answers whether it did. The compressed length is known last, so its place
/// is as wide as the greatest that it may be; readers take a length of any width.
fn compress(out: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let (start, most) = (out.len(), bytes.len() - 4);
    out.push(0xC3);
    length(out, most as u64);
    let behind_length = out.len();
    length(out, bytes.len() as u64);
    let data = out.len();
    if !lzf::compress_into(out, bytes, most) {
        out.truncate(start);
        return false;
    }
    let len = (out.len() - data) as u64;
    match &mut out[start + 1..behind_length] {
        [byte] => *byte = len as u8,
        [high, low] => [*high, *low] = [0x40 | (len >> 8) as u8, len as u8],
        [0x80, place @ ..] => place.copy_from_slice(&(len as u32).to_be_bytes()),
        [_, place @ ..] => place.copy_from_slice(&len.to_be_bytes()),
        [] => {}
    }
    true
}

impl Form {
    /// The form of snapshots unless told otherwise: version 11, compressed.
    pub const COMMON: Self = Self { version: Version::COMMON, compress: true };

    /// Appends a string as it is.
    #[inline]
    pub fn plain(out: &mut Vec<u8>, bytes: &[u8]) {
        length(out, bytes.len() as u64);
        out.extend_from_slice(bytes);
    }

    /// Appends a string: as an integer, compressed, or as it is.
    #[inline]
    pub fn text(self, out: &mut Vec<u8>, bytes: &[u8]) {
        if bytes.len() <= 11
            && let Some(value) = number::parse_i64(bytes)
            && small_integer(out, value)
        {
            return;
        }
        self.blob(out, bytes);
    }

    /// Appends bytes that are no integer: compressed, or as they are.
    #[inline]
    fn blob(self, out: &mut Vec<u8>, bytes: &[u8]) {
        if !(self.compress && bytes.len() >= MIN_COMPRESSED && compress(out, bytes)) {
            Self::plain(out, bytes);
        }
    }

    /// Appends an integer as a string.
    pub fn integer(out: &mut Vec<u8>, value: i64) {
        if !small_integer(out, value) {
            Self::plain(out, number::int(value).as_bytes());
        }
    }

    /// Appends a string or integer.
    #[inline]
    pub fn item(self, out: &mut Vec<u8>, item: Item<'_>) {
        match item {
            Item::Int(value) => Self::integer(out, value),
            Item::Bytes(bytes) => self.text(out, bytes),
        }
    }

    // --- the file

    /// Appends the nine bytes that a file begins with.
    pub fn header(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&Header::of(self.version).to_bytes());
    }

    /// Appends a note about the file.
    pub fn aux(self, out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
        out.push(kind::AUX);
        self.text(out, name);
        self.text(out, value);
    }

    /// Appends a note whose value is a number.
    pub fn aux_int(self, out: &mut Vec<u8>, name: &[u8], value: i64) {
        out.push(kind::AUX);
        self.text(out, name);
        Self::integer(out, value);
    }

    /// Appends the code of a library of functions.
    pub fn function(self, out: &mut Vec<u8>, code: &[u8]) {
        out.push(kind::FUNCTION_2);
        self.text(out, code);
    }

    /// Says of which database the records that follow are. It may be said again at any time.
    pub fn select_db(out: &mut Vec<u8>, db: u64) {
        out.push(kind::SELECT_DB);
        length(out, db);
    }

    /// Tells how many keys a database has, and how many with an expiry; once, behind its first [`Form::select_db`].
    pub fn resize_db(out: &mut Vec<u8>, keys: u64, expires: u64) {
        out.push(kind::RESIZE_DB);
        length(out, keys);
        length(out, expires);
    }

    /// Appends the end mark, behind which [`Checksum::finish`] belongs.
    pub fn eof(out: &mut Vec<u8>) {
        out.push(kind::EOF);
    }

    // --- what stands before a value

    /// Appends all of a record that stands before its value.
    fn head(self, out: &mut Vec<u8>, key: &[u8], meta: &Meta, kind: Kind) {
        if let Some(expire) = meta.expire {
            out.push(kind::EXPIRE_MS);
            out.extend_from_slice(&expire.to_le_bytes());
        }
        if let Some(idle) = meta.idle {
            out.push(kind::IDLE);
            length(out, idle);
        }
        if let Some(freq) = meta.freq {
            out.extend_from_slice(&[kind::FREQ, freq]);
        }
        out.push(kind.0);
        self.text(out, key);
    }
}

/// The checksum of a file as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    sum: u64,
    enabled: bool,
}

impl Checksum {
    /// At the beginning of a file; `enabled` is `rdbchecksum`.
    pub fn new(enabled: bool) -> Self {
        Self { sum: 0, enabled }
    }

    /// Goes on over the bytes that are written next.
    pub fn update(&mut self, bytes: &[u8]) {
        if self.enabled {
            self.sum = crc64::crc64(self.sum, bytes);
        }
    }

    /// The eight bytes behind the end mark. All bytes before, the mark included, must have been shown.
    pub fn finish(self) -> [u8; 8] {
        self.sum.to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::Reader;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn lengths_survive(value: u64, shift in 0u32..64) {
            let value = value >> shift;
            let mut out = Vec::new();
            length(&mut out, value);
            let mut reader = Reader::new(&out, 0);
            prop_assert_eq!(reader.length(), Ok(value));
            prop_assert_eq!(reader.at(), out.len());
        }

        #[test]
        fn strings_survive(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..100),
                "[ab]{0,400}".prop_map(String::into_bytes),
                any::<i64>().prop_map(|value| value.to_string().into_bytes()),
                any::<i16>().prop_map(|value| value.to_string().into_bytes()),
                "-?0?[0-9]{0,3}".prop_map(String::into_bytes),
            ],
            compress: bool,
        ) {
            let form = Form { compress, ..Form::COMMON };
            let mut out = Vec::new();
            form.text(&mut out, &bytes);
            prop_assert!(out.len() <= bytes.len() + 5);
            let mut reader = Reader::new(&out, 0);
            let text = reader.text().unwrap();
            prop_assert_eq!(reader.at(), out.len());
            let mut scratch = Vec::new();
            prop_assert_eq!(text.bytes(&mut scratch).unwrap(), &bytes[..]);
        }
    }

    #[test]
    fn integers_and_repetitions_are_short() {
        let written = |bytes: &[u8]| {
            let mut out = Vec::new();
            Form::COMMON.text(&mut out, bytes);
            out
        };
        assert_eq!(written(b"-5"), b"\xc0\xfb");
        assert_eq!(written(b"300"), b"\xc1\x2c\x01");
        assert_eq!(written(b"-2147483648"), b"\xc2\x00\x00\x00\x80");
        assert_eq!(written(b"2147483648"), b"\x0a2147483648");
        assert_eq!(written(b"05"), b"\x0205");
        assert!(written(&[b'x'; 1000]).len() < 30);
        assert_eq!(written(&[b'x'; 20]).len(), 21);
    }

    #[test]
    fn a_file_without_keys_is_that_of_the_peer() {
        let mut out = Vec::new();
        Form::COMMON.header(&mut out);
        Form::COMMON.aux(&mut out, b"redis-bits", b"64");
        Form::eof(&mut out);
        assert_eq!(out, b"REDIS0010\xfa\x0aredis-bits\xc0\x40\xff");
        let mut sum = Checksum::new(true);
        sum.update(&out[..7]);
        sum.update(&out[7..]);
        assert_eq!(u64::from_le_bytes(sum.finish()), crc64::crc64(0, &out));
        assert_eq!(Checksum::new(false).finish(), [0; 8]);
    }
}
