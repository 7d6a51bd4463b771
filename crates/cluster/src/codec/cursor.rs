//! Reading numbers and fields from bytes that may end anywhere.

use crate::id::NodeId;

/// A place in some bytes; every read checks that they are there.
pub(crate) struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| *byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// A length that is to be used on what follows.
    pub fn length(&mut self) -> Option<usize> {
        self.u32().and_then(|length| usize::try_from(length).ok())
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// Forty bytes that must be a name.
    pub fn name(&mut self) -> Option<NodeId> {
        NodeId::parse(self.array::<40>()?)
    }
}

/// A text in a field of fixed size: up to the first zero byte.
pub(crate) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or(field)
}

/// Writes a text into a field of fixed size, cut so that a zero byte follows it.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8], size: usize) {
    let length = text.len().min(size.saturating_sub(1));
    out.extend_from_slice(&text[..length]);
    out.resize(out.len() + (size - length), 0);
}

/// Whether a text may stand where an address does: as in an auxiliary field, and the sign before an IPv6 zone.
pub(crate) fn is_address(text: &[u8]) -> bool {
    text.iter().all(|b| *b == b'%' || is_auxiliary(std::slice::from_ref(b)))
}

/// Whether a text may stand in the auxiliary fields of `nodes.conf`: no control characters, no spaces, none of the
/// characters that the format itself uses.
pub(crate) fn is_auxiliary(text: &[u8]) -> bool {
    text.iter().all(|&b| b > b',' && b != 0x7f && !b";<=>?@[]^{|}~\\".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_read() {
        let mut cursor = Cursor(&[0, 1, 2]);
        assert_eq!(cursor.u32(), None);
        assert_eq!(cursor.u16(), Some(1));
        assert_eq!(cursor.u8(), Some(2));
        assert_eq!(cursor.u8(), None);
    }

    #[test]
    fn texts_end_at_their_zero_byte() {
        let mut field = Vec::new();
        put_text(&mut field, b"10.0.0.1", 12);
        assert_eq!(field, b"10.0.0.1\0\0\0\0");
        assert_eq!(text(&field), b"10.0.0.1");
        field.clear();
        put_text(&mut field, b"abcdef", 4);
        assert_eq!(field, b"abc\0");
    }

    #[test]
    fn auxiliary_texts_hold_nothing_that_breaks_a_line() {
        assert!(is_auxiliary(b"us-east-1a") && is_auxiliary(b"") && is_auxiliary("zürich".as_bytes()));
        for bad in [&b"a b"[..], b"a\n", b"a=b", b"a,b", b"\x7f", b"[1]"] {
            assert!(!is_auxiliary(bad), "{bad:?}");
        }
        assert!(is_address(b"fe80::1%eth0") && is_address(b"my-host_1.example:8080/path") && is_address(b""));
        assert!(!is_address(b"1.2.3.4\n") && !is_address(b"1.2.3.4,x") && !is_address(b"1.2.3.4 x"));
    }
}
