//! A growable string behind one word: what APPEND, SETRANGE and SETBIT change.
//!
//! ```text
//!   +--------+----------+-------------------------+
//!   |  len   | capacity | bytes … │ spare         |      one allocation; the handle is its address
//!   | 8 bytes| 8 bytes  |                         |
//!   +--------+----------+-------------------------+
//! ```
//!
//! A `Vec` would be three words in its owner, or a second allocation behind a box. Growth asks for twice the needed length up
//! to 1 MiB and for 1 MiB more beyond, as Redis' strings do, so that a long series of small appends is linear while a huge
//! string wastes little. A buffer made from bytes has no spare.

use std::alloc::{self, Layout};
use std::ptr::NonNull;

use crate::packed::size_class;

const HEADER: usize = 16;
const MAX_SPARE: usize = 1 << 20;

#[repr(C)]
struct Header {
    len: usize,
    capacity: usize,
}

/// An owned growable byte string; see the module's page.
pub struct Buffer {
    header: NonNull<Header>,
}

// SAFETY: a buffer owns its bytes exclusively, as `Vec<u8>` does.
unsafe impl Send for Buffer {}
// SAFETY: shared references to a buffer only read its bytes.
unsafe impl Sync for Buffer {}

/// How much of a buffer a hint asks for; what follows the processor fetches by itself when it is read in order.
const PREFETCHED: usize = 512;

fn layout(capacity: usize) -> Layout {
    Layout::from_size_align(HEADER + capacity, align_of::<Header>()).expect("a buffer fits the address space")
}

/// The capacity that the allocator gives for one of at least `wanted` bytes.
fn fitting(wanted: usize) -> usize {
    size_class(HEADER + wanted) - HEADER
}

impl Buffer {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty buffer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = fitting(capacity);
        let layout = layout(capacity);
        // SAFETY: the layout has a size of at least the header's.
        let Some(start) = NonNull::new(unsafe { alloc::alloc(layout) }) else { alloc::handle_alloc_error(layout) };
        let header = start.cast::<Header>();
        // SAFETY: the allocation begins with room for a header and has its alignment.
        unsafe { header.write(Header { len: 0, capacity }) };
        Self { header }
    }

    /// A copy of `bytes`, without spare.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(bytes.len());
        buffer.extend(bytes);
        buffer
    }

    fn head(&self) -> &Header {
        // SAFETY: the header is alive and initialised as long as the buffer.
        unsafe { self.header.as_ref() }
    }

    fn start(&self) -> NonNull<u8> {
        // SAFETY: the allocation is at least as long as the header.
        unsafe { self.header.cast::<u8>().add(HEADER) }
    }

    /// Brings the length and the first half kilobyte towards the cache. A hint: nothing is read.
    #[inline]
    pub fn prefetch(&self) {
        let start: *const u8 = self.header.as_ptr().cast();
        (0..PREFETCHED).step_by(64).for_each(|at| crate::table::prefetch(start.wrapping_add(at)));
    }

    /// The count of bytes.
    pub fn len(&self) -> usize {
        self.head().len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes allocated.
    pub fn memory(&self) -> usize {
        HEADER + self.head().capacity
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `len` bytes behind the header are initialised.
        unsafe { std::slice::from_raw_parts(self.start().as_ptr(), self.len()) }
    }

    /// The bytes, to be changed.
    pub fn as_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: `len` bytes behind the header are initialised, and the buffer is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.start().as_ptr(), self.len()) }
    }

    fn reallocate(&mut self, capacity: usize) {
        let old = layout(self.head().capacity);
        let new = layout(capacity);
        // SAFETY: the buffer was allocated with `old`; the new size is not zero and was checked by `layout`.
        let start = unsafe { alloc::realloc(self.header.as_ptr().cast(), old, new.size()) };
        let Some(start) = NonNull::new(start) else { alloc::handle_alloc_error(new) };
        self.header = start.cast();
        // SAFETY: the header was moved with the allocation.
        unsafe { self.header.as_mut() }.capacity = capacity;
    }

    /// Makes room for `more` bytes, and for some of those to come.
    pub fn reserve(&mut self, more: usize) {
        let needed = self.len().checked_add(more).expect("a string fits the address space");
        if needed > self.head().capacity {
            let spare = if self.is_empty() { 0 } else { needed.min(MAX_SPARE) };
            self.reallocate(fitting(needed + spare));
        }
    }

    /// Appends `bytes`. O(bytes) amortised.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let len = self.len();
        // SAFETY: `reserve` made room; `bytes` cannot lie in a buffer that is borrowed mutably.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.start().add(len).as_ptr(), bytes.len());
            self.header.as_mut().len = len + bytes.len();
        }
    }

    /// Gives the string another length: new bytes are zero.
    pub fn resize(&mut self, len: usize) {
        let old = self.len();
        if len > old {
            self.reserve(len - old);
            // SAFETY: `reserve` made room for these bytes.
            unsafe { self.start().add(old).write_bytes(0, len - old) };
        }
        // SAFETY: the header is alive, and the first `len` bytes are initialised.
        unsafe { self.header.as_mut() }.len = len;
    }

    /// Writes `bytes` at `at`, the string grown with zeros if it is too short.
    pub fn write_at(&mut self, at: usize, bytes: &[u8]) {
        let end = at.checked_add(bytes.len()).expect("a string fits the address space");
        if end > self.len() {
            self.resize(end);
        }
        self.as_bytes_mut()[at..end].copy_from_slice(bytes);
    }

    /// Gives the spare back.
    pub fn shrink_to_fit(&mut self) {
        let capacity = fitting(self.len());
        if capacity < self.head().capacity {
            self.reallocate(capacity);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let layout = layout(self.head().capacity);
        // SAFETY: allocated with this layout; nothing uses it behind its drop.
        unsafe { alloc::dealloc(self.header.as_ptr().cast(), layout) };
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Self::from_bytes(self.as_bytes())
    }
}

impl Default for Buffer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Buffer {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_handle_is_one_word() {
        assert_eq!(size_of::<Option<Buffer>>(), 8);
        assert_eq!(Buffer::from_bytes(&[1; 100]).memory(), 128);
    }

    #[test]
    fn appends_are_amortised() {
        let mut buffer = Buffer::new();
        let mut moves = 0;
        let mut memory = 0;
        for _ in 0..100_000 {
            buffer.extend(b"x");
            moves += usize::from(buffer.memory() != memory);
            memory = buffer.memory();
        }
        assert!(moves < 40, "{moves}");
        buffer.shrink_to_fit();
        assert!(buffer.memory() < 120_000);
        assert_eq!(buffer.len(), 100_000);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Extend(Vec<u8>),
        Resize(usize),
        WriteAt(usize, Vec<u8>),
        Shrink,
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn behaves_as_a_vector(steps in proptest::collection::vec(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..50).prop_map(Step::Extend),
            (0usize..300).prop_map(Step::Resize),
            (0usize..300, proptest::collection::vec(any::<u8>(), 0..50)).prop_map(|(at, bytes)| Step::WriteAt(at, bytes)),
            Just(Step::Shrink),
        ], 0..40)) {
            let mut buffer = Buffer::new();
            let mut model = Vec::new();
            for step in steps {
                match step {
                    Step::Extend(bytes) => { buffer.extend(&bytes); model.extend(bytes); }
                    Step::Resize(len) => { buffer.resize(len); model.resize(len, 0); }
                    Step::WriteAt(at, bytes) => {
                        buffer.write_at(at, &bytes);
                        model.resize(model.len().max(at + bytes.len()), 0);
                        model[at..at + bytes.len()].copy_from_slice(&bytes);
                    }
                    Step::Shrink => buffer.shrink_to_fit(),
                }
                prop_assert_eq!(buffer.as_bytes(), &model[..]);
                prop_assert!(buffer.memory() >= buffer.len());
                prop_assert_eq!(buffer.clone(), buffer.clone());
            }
        }
    }
}
