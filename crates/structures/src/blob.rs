//! A string as an element of a table: its length and its bytes, in one allocation behind one word.
//!
//! ```text
//!  ┌──────────────────┬───────┐
//!  │ length (1, 2, 9) │ bytes │      what a member of a big set costs, beside its slot in the table
//!  └──────────────────┴───────┘
//! ```

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::packed::{length_size, read_length, size_class, slice, write_bytes, write_length};
use crate::table::{Found, Thin};

/// An owned string; as big as a pointer.
#[repr(transparent)]
pub struct Blob {
    raw: NonNull<u8>,
}

// SAFETY: a blob owns its bytes and has no interior mutability.
unsafe impl Send for Blob {}
// SAFETY: as above.
unsafe impl Sync for Blob {}

// SAFETY: `raw` is an allocation with an alignment of 8, allocators give addresses below 2^48 in user space, the bytes never
// change, and copies of the pointer are harmless.
unsafe impl Thin for Blob {
    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).raw
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Blob { raw }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.bytes()
    }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(size_class(length_size(len) + len), 8).expect("a string fits the address space")
}

impl Blob {
    /// A copy of `bytes`.
    pub fn new(bytes: &[u8]) -> Blob {
        let layout = layout(bytes.len());
        // SAFETY: the layout has a size above zero.
        let Some(raw) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the layout was made for these parts.
        unsafe {
            let at = write_length(raw, 0, bytes.len());
            write_bytes(raw, at, bytes);
        }
        Blob { raw }
    }

    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the blob is alive as long as the borrow of `self`.
        unsafe { bytes_of(self.raw) }
    }

    /// Bytes of the allocation.
    pub fn allocation_size(&self) -> usize {
        layout(self.bytes().len()).size()
    }
}

/// # Safety
/// `raw` is the allocation of a blob that lives for `'a`.
#[inline]
unsafe fn bytes_of<'a>(raw: NonNull<u8>) -> &'a [u8] {
    // SAFETY: a blob begins with its length and has as many bytes.
    unsafe {
        let (at, len) = read_length(raw, 0);
        slice(raw, at, len)
    }
}

/// What a blob in a table lends for as long as the table is borrowed.
impl<'a> Found<'a, Blob> {
    /// The bytes.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        // SAFETY: elements of a table stay as they are while the table is borrowed.
        unsafe { bytes_of(self.raw()) }
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout; nothing uses it behind its drop.
        unsafe { dealloc(self.raw.as_ptr(), layout(self.bytes().len())) }
    }
}

impl Clone for Blob {
    fn clone(&self) -> Self {
        Blob::new(self.bytes())
    }
}

impl std::fmt::Debug for Blob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.bytes().escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_its_bytes() {
        for len in [0, 1, 7, 8, 127, 128, 16_383, 16_384, 100_000] {
            let bytes = vec![b'x'; len];
            let blob = Blob::new(&bytes);
            assert_eq!(blob.bytes(), bytes);
            assert_eq!(blob.clone().key(), bytes);
            assert!(blob.allocation_size() > len);
        }
        assert_eq!(Blob::new(b"member").allocation_size(), 8);
    }
}
