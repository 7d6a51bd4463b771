//! What an entry holds beside its key, as it is read, changed and written.

use super::{ALIGN, KIND_BYTES, KIND_INT, KIND_VALUE, RAW};
use crate::packed::length_size;

/// What an entry holds beside its key.
#[derive(Debug, PartialEq)]
pub enum Payload<'a, V> {
    Int(i64),
    Bytes {
        bytes: &'a [u8],
        /// Whether the string was changed in place since it was set.
        raw: bool,
    },
    Value(&'a V),
}

impl<V> Clone for Payload<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for Payload<'_, V> {}

/// As [`Payload`], to be changed in place.
#[derive(Debug)]
pub enum PayloadMut<'a, V> {
    /// To be changed by [`Entry::set_int`](super::Entry::set_int).
    Int(i64),
    /// The bytes may be changed, not their number.
    Bytes {
        bytes: &'a mut [u8],
        raw: bool,
    },
    Value(&'a mut V),
}

/// What is written into a new allocation.
pub(super) enum Content<'a, V> {
    Int(i64),
    Bytes(&'a [u8], bool),
    Value(V),
}

impl<V> Content<'_, V> {
    pub(super) fn flags(&self) -> u8 {
        match self {
            Content::Int(_) => KIND_INT,
            Content::Bytes(_, raw) => KIND_BYTES | (RAW * *raw as u8),
            Content::Value(_) => KIND_VALUE,
        }
    }

    /// The end of the content if it begins at `start`.
    pub(super) fn end(&self, start: usize) -> usize {
        match self {
            Content::Int(_) => start + 8,
            Content::Bytes(bytes, _) => start + length_size(bytes.len()) + bytes.len(),
            Content::Value(_) => start.next_multiple_of(ALIGN) + size_of::<V>(),
        }
    }
}
