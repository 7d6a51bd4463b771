//! A heap block in one word: the memory under [`Listpack`](crate::listpack::Listpack) and
//! [`Intset`](crate::intset::Intset).
//!
//! Question: how does an owned byte sequence that stores its own length cost 8 bytes in its owner and no more heap
//! than it must, and yet grow without a reallocation per push?
//!
//! The owner knows the length (it stands in the bytes: total bytes of a listpack, length times width of an intset).
//! The capacity is a pure function of that length, [`capacity`]: the length rounded up to the allocator's size class.
//! jemalloc's classes are four per doubling, so
//!
//! - a block never asks for more than the allocator would have given anyway,
//! - growth reallocates only when it crosses a class, which makes pushes at the end amortised O(1),
//! - and neither length nor capacity needs a word of its own.
//!
//! Invariant: every call names the length that the block was last given. That is why the functions are `unsafe` and
//! the type is private to this crate.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use crate::packed::size_class;

/// Blocks are aligned so that their first words can be read as integers.
const ALIGN: usize = 8;

/// An owned allocation of `capacity(len)` bytes, where `len` is kept by the owner.
#[repr(transparent)]
pub(crate) struct Block {
    start: NonNull<u8>,
}

// SAFETY: a block owns its bytes exclusively, as `Box<[u8]>` does.
unsafe impl Send for Block {}
// SAFETY: shared references to a block only read its bytes.
unsafe impl Sync for Block {}

/// The bytes allocated for a block of `len` bytes.
pub(crate) fn capacity(len: usize) -> usize {
    size_class(len)
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(capacity(len), ALIGN).expect("a block is at most 4 GiB")
}

impl Block {
    /// A block that holds a copy of `bytes`.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        let layout = layout(bytes.len());
        // SAFETY: the layout has a size of at least 8.
        let start = unsafe { alloc::alloc(layout) };
        let Some(start) = NonNull::new(start) else { alloc::handle_alloc_error(layout) };
        // SAFETY: the new allocation has room for `bytes` and cannot overlap them.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), start.as_ptr(), bytes.len()) };
        Self { start }
    }

    /// The first `N` bytes.
    ///
    /// # Safety
    /// The block's length is at least `N`.
    pub(crate) unsafe fn head<const N: usize>(&self) -> &[u8; N] {
        // SAFETY: the caller promises `N` initialised bytes.
        unsafe { self.start.cast().as_ref() }
    }

    /// All bytes.
    ///
    /// # Safety
    /// `len` is the block's length.
    pub(crate) unsafe fn bytes(&self, len: usize) -> &[u8] {
        // SAFETY: the caller promises that `len` bytes are allocated and initialised.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), len) }
    }

    /// All bytes, to be changed.
    ///
    /// # Safety
    /// `len` is the block's length.
    pub(crate) unsafe fn bytes_mut(&mut self, len: usize) -> &mut [u8] {
        // SAFETY: the caller promises that `len` bytes are allocated and initialised.
        unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), len) }
    }

    /// Gives the block another length. The common prefix is kept; new bytes are zero.
    ///
    /// # Safety
    /// `old` is the block's length. The length is `new` from here on.
    pub(crate) unsafe fn resize(&mut self, old: usize, new: usize) {
        if capacity(old) != capacity(new) {
            let wanted = layout(new);
            // SAFETY: the block was allocated with the layout of `old`; the new size is not zero.
            let start = unsafe { alloc::realloc(self.start.as_ptr(), layout(old), wanted.size()) };
            let Some(start) = NonNull::new(start) else { alloc::handle_alloc_error(wanted) };
            self.start = start;
        }
        if new > old {
            // SAFETY: `old..new` lies inside the capacity.
            unsafe { self.start.add(old).write_bytes(0, new - old) };
        }
    }

    /// Frees the memory.
    ///
    /// # Safety
    /// `len` is the block's length, and the block is not used afterwards.
    pub(crate) unsafe fn free(&mut self, len: usize) {
        // SAFETY: allocated with this layout, see `copy_of` and `resize`.
        unsafe { alloc::dealloc(self.start.as_ptr(), layout(len)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_keeps_its_prefix() {
        let mut block = Block::copy_of(b"0123456789");
        // SAFETY: the lengths are those given before.
        unsafe {
            block.resize(10, 100);
            assert_eq!(&block.bytes(100)[..12], b"0123456789\0\0");
            block.resize(100, 3);
            assert_eq!(block.bytes(3), b"012");
            assert_eq!(block.head::<2>(), b"01");
            block.free(3);
        }
    }
}
