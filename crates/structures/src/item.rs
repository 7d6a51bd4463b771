//! An element as encodings hold it: a text, or the integer that the text is.
//!
//! Question: what do readers of a collection see, when an element `12345` may be stored as an integer in three bytes
//! or as five bytes of text, and neither copying nor allocating is wanted?
//!
//! An [`Item`] borrows the bytes where there are bytes and carries the integer where there is none. Equality and
//! order are those of the *texts*: `Item::Int(12) == Item::Bytes(b"12")`. [`Item::text`] gives the bytes in either
//! case; an integer is written into a few bytes on the stack.

use std::cmp::Ordering;
use std::ops::Deref;

use crate::number;

/// One element: see the module's page.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// An element that is stored as an integer; its text is the canonical decimal form.
    Int(i64),
    /// An element that is stored as text.
    Bytes(&'a [u8]),
}

/// The bytes of an [`Item`], borrowed or on the stack.
#[derive(Clone, Copy, Debug)]
pub enum ItemText<'a> {
    /// The bytes where they are stored.
    Stored(&'a [u8]),
    /// The decimal form of an integer.
    Written(number::Text),
}

impl Deref for ItemText<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Stored(bytes) => bytes,
            Self::Written(text) => text,
        }
    }
}

impl AsRef<[u8]> for ItemText<'_> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<'a> Item<'a> {
    /// The bytes of the element.
    pub fn text(&self) -> ItemText<'a> {
        match *self {
            Self::Int(value) => ItemText::Written(number::int(value)),
            Self::Bytes(bytes) => ItemText::Stored(bytes),
        }
    }

    /// The length of the text.
    pub fn len(&self) -> usize {
        match *self {
            Self::Int(value) => number::int_len(value),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether the text is empty.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Bytes([]))
    }

    /// The integer that the text is in canonical form, if it is one.
    pub fn int(&self) -> Option<i64> {
        match *self {
            Self::Int(value) => Some(value),
            Self::Bytes(bytes) => number::parse_i64(bytes),
        }
    }

    /// Lends the bytes to `f`.
    pub fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(&self.text())
    }

    /// The bytes, owned.
    pub fn to_vec(&self) -> Vec<u8> {
        self.text().to_vec()
    }

    /// The form an encoding stores: an integer where the text is a canonical one.
    pub fn canonical(self) -> Self {
        match self {
            Self::Bytes(bytes) => number::parse_i64(bytes).map_or(self, Self::Int),
            Self::Int(_) => self,
        }
    }
}

impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Int(value), Self::Bytes(bytes)) | (Self::Bytes(bytes), Self::Int(value)) => {
                number::parse_i64(bytes) == Some(value)
            }
        }
    }
}

impl Eq for Item<'_> {}

impl PartialEq<[u8]> for Item<'_> {
    fn eq(&self, other: &[u8]) -> bool {
        *self == Item::Bytes(other)
    }
}

impl PartialOrd for Item<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of the texts, byte by byte.
impl Ord for Item<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text().cmp(&other.text())
    }
}

impl<'a> From<&'a [u8]> for Item<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Item<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Item<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<i64> for Item<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_its_text() {
        assert_eq!(Item::Int(12), Item::Bytes(b"12"));
        assert_ne!(Item::Int(12), Item::Bytes(b"012"));
        assert!(Item::Int(9) > Item::Int(10));
        assert!(Item::Int(-1) < Item::Bytes(b"-a"));
        assert_eq!(&*Item::Int(-30).text(), b"-30");
        assert_eq!(Item::Int(-30).len(), 3);
    }
}
