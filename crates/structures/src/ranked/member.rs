//! A member of a sorted set: its score and its bytes, in one allocation.
//!
//! ```text
//!  ┌─────────┬──────────────────┬───────┐
//!  │ score 8 │ length (1, 2, 9) │ bytes │      13 bytes: 22, thus 24 from the allocator
//!  └─────────┴──────────────────┴───────┘
//! ```

use crate::packed::{length_size, read_length, size_class, slice, write_bytes, write_length};
use crate::table::{Found, Thin};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

const LEN_AT: usize = 8;

/// An owned member; as big as a pointer.
#[repr(transparent)]
pub struct Member {
    raw: NonNull<u8>,
}

// SAFETY: a member owns its bytes and has no interior mutability.
unsafe impl Send for Member {}
// SAFETY: as above.
unsafe impl Sync for Member {}

// SAFETY: `raw` is an allocation with an alignment of 8, allocators give addresses below 2^48 in user space, the bytes never
// change, and copies of the pointer are harmless.
unsafe impl Thin for Member {
    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).raw
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Member { raw }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.bytes()
    }
}

impl Member {
    pub fn new(score: f64, bytes: &[u8]) -> Member {
        let layout = layout(bytes.len());
        // SAFETY: the layout has a size above zero.
        let Some(raw) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        // SAFETY: the layout was made for these parts.
        unsafe {
            raw.cast::<f64>().write(score);
            let at = write_length(raw, LEN_AT, bytes.len());
            write_bytes(raw, at, bytes);
        }
        Member { raw }
    }

    #[inline]
    pub fn score(&self) -> f64 {
        // SAFETY: the first eight bytes of a living allocation.
        unsafe { self.raw.cast::<f64>().read() }
    }

    #[inline]
    pub fn set_score(&mut self, score: f64) {
        // SAFETY: as in `score`, and the member is borrowed mutably.
        unsafe { self.raw.cast::<f64>().write(score) }
    }

    #[inline]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the member is alive as long as the borrow of `self`.
        unsafe { bytes_of(self.raw) }
    }

    /// Bytes of the allocation.
    pub fn allocation_size(&self) -> usize {
        size_class(layout(self.bytes().len()).size())
    }

    #[inline]
    pub(super) fn pointer(&self) -> Pointer {
        Pointer(self.raw)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let layout = layout(self.bytes().len());
        // SAFETY: allocated in `new` with this layout, and not used again.
        unsafe { dealloc(self.raw.as_ptr(), layout) }
    }
}

/// What a member in a table lends for as long as the table is borrowed.
impl<'a> Found<'a, Member> {
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        // SAFETY: entries of a table stay as they are while the table is borrowed.
        unsafe { bytes_of(self.raw()) }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.score(), self.bytes().escape_ascii())
    }
}

/// A member that somebody else owns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Pointer(NonNull<u8>);

impl Pointer {
    /// Stands where no member is; never followed.
    pub(super) const NONE: Pointer = Pointer(NonNull::dangling());

    /// # Safety
    /// The member is alive for `'a`.
    #[inline]
    pub(super) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the caller's promise.
        unsafe { bytes_of(self.0) }
    }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(LEN_AT + length_size(len) + len, 8).expect("a member fits the address space")
}

/// # Safety
/// The member is alive for `'a`.
#[inline]
unsafe fn bytes_of<'a>(raw: NonNull<u8>) -> &'a [u8] {
    // SAFETY: a member has its length behind the score, then its bytes.
    unsafe {
        let (at, len) = read_length(raw, LEN_AT);
        slice(raw, at, len)
    }
}
