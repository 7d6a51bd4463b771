//! The hash table of the keyspace and of big sets, hashes and sorted sets.
//!
//! The question: how to hold hundreds of millions of entries with nearly no memory of our own, never stop for a resize, let
//! SCAN cursors live through any growth, and let a snapshot walk the table while it changes.
//!
//! ```text
//!  hash ─► directory (top bits) ─► segment ─► home bucket (next bits) ─► entry
//!
//!  directory        segments                              bucket = one cache line
//!  ┌────┐     ┌──────┬──────┬──────┬ … ┬──────┐          ┌────┬──┬──┬──┬──┬──┬──┬──┐
//!  │ 00 │────►│  0   │  1   │  2   │   │ n-1  │          │meta│s0│s1│s2│s3│s4│s5│s6│
//!  ├────┤     └──────┴──────┴──────┴ … ┴──────┘          └────┴──┴──┴──┴──┴──┴──┴──┘
//!  │ 01 │────► …                                          slot = pointer │ flag │ access word
//!  ├────┤
//!  │ 10 │──┐  one segment may serve several directory
//!  ├────┤  ├► words: it is then less deep than the directory
//!  │ 11 │──┘
//!  └────┘
//! ```
//!
//! Invariants
//! 1. Directory, segments and home buckets are in hash order. A position in hash space (48 bits) is therefore a cursor that
//!    means the same before and after any growth or shrinking: everything below it has been seen. See [`Table::scan`].
//! 2. A segment grows and shrinks in steps of about a fifth up to 56 buckets (390 entries); a full one splits in two of 32.
//!    Nothing larger than that moves at once, and most steps read no key, since home and tag give the needed hash bits back.
//!    (The directory doubles at once: 24 bytes per about 270 entries.)
//! 3. An entry is found with two cache misses: its bucket and itself. One in about seven stands in one of three other buckets of
//!    its segment, see `segment`.
//! 4. A slot carries, beside the pointer, a 16-bit *access word* (the clock or counter of eviction) and one *flag* (the
//!    keyspace: "has an expiry"). Both mean nothing to the table. Readers who share the table may write access words.
//! 5. Each segment counts its flagged entries and keeps a lower bound of what the caller says they are due at, so that an expiry
//!    cycle visits only segments where something may be due. See [`Table::next_flagged`].
//! 6. Each bucket has a *handed over* bit for two snapshots. Any change of the entries in a bucket first hands them over to the
//!    [`Watch`], once per snapshot. See [`Table::begin_snapshot`].
//!
//! Costs: 10.8 bytes per entry on average, 11.6 at worst from a thousand entries on, buckets and directory together (`examples/density.rs` measures).
//! Redis keeps a chained table that doubles (a 16-byte slot or more, and a second table during the move); Valkey has
//! cache-line buckets too, but doubles, and pays about 17 bytes at a million entries. Both encode cursors by reversed binary
//! increments, which can return elements again after a shrink; ours never goes back.
//!
//! Deliberately absent: iteration by insertion order, entries without a key, weak references.

#[cfg(not(target_pointer_width = "64"))]
compile_error!("a slot holds a pointer of 48 bits with 16 bits beside it");

mod bucket;
mod find;
mod flagged;
mod resize;
mod scan;
mod segment;
mod snapshot;

pub use find::{Found, FoundMut, Probe, Vacant};
pub use scan::{IntoIter, Iter};
pub use snapshot::Watch;

use bucket::{Bucket, Word};
use segment::Segment;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// Bits of a cursor: a cursor is the top part of a hash.
pub const CURSOR_BITS: u32 = 48;

/// Low bits of a hash that a table never looks at, however large it gets: whoever computes the hashes may put something of
/// its own there.
pub const OWN_BITS: u32 = 14;

/// An owning pointer to one allocation that holds a key.
///
/// # Safety
/// - `into_raw` and `from_raw` are inverse; the address is a multiple of 8 below 2^48.
/// - The table makes temporary copies with `from_raw`, uses them behind `&` and does not drop them: the type must bear being
///   copied like this (no `Box`, no interior mutability outside the allocation).
/// - `key` answers the same bytes as long as the entry is in a table.
pub unsafe trait Thin: Sized {
    /// Gives the allocation away.
    fn into_raw(self) -> NonNull<u8>;

    /// Takes the allocation back.
    ///
    /// # Safety
    /// `raw` came from `into_raw`, and at most one of the values made from it is dropped or changed.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self;

    /// The bytes by which the entry is found.
    fn key(&self) -> &[u8];

    /// The hash under which the entry is found; its low [`OWN_BITS`] may be any.
    #[inline]
    fn hash(&self) -> u64 {
        crate::hash::hash(self.key())
    }
}

/// A hash table of entries; see the module's text.
pub struct Table<E: Thin> {
    /// One per directory word; empty until the first insertion.
    segments: Box<[Segment]>,
    /// As long as `segments`; only the first of the words that share a segment has a meaning.
    tallies: Box<[Tally]>,
    len: usize,
    flagged: usize,
    /// Buckets in all segments.
    buckets: usize,
    /// Segments as deep as the directory; the directory halves when there is none.
    deepest: usize,
    /// Top bits of a hash that index the directory.
    depth: u32,
    /// A bucket is handed over to snapshot `k` when bit `k` of its control byte equals bit `k` here.
    parity: u8,
    /// Snapshots between begin and end, a bit each.
    walking: u8,
    owned: PhantomData<E>,
}

/// What is counted per segment.
#[derive(Clone, Copy)]
struct Tally {
    len: u32,
    flagged: u32,
    /// No flagged entry is due before.
    earliest: u64,
}

impl Tally {
    const EMPTY: Tally = Tally { len: 0, flagged: 0, earliest: u64::MAX };
}

// SAFETY: the table owns its entries and nothing else; shared users write access words only, by atomic stores.
unsafe impl<E: Thin + Send> Send for Table<E> {}
// SAFETY: as above.
unsafe impl<E: Thin + Sync> Sync for Table<E> {}

impl<E: Thin> Default for Table<E> {
    fn default() -> Self {
        Table::new()
    }
}

impl<E: Thin> Table<E> {
    /// An empty table, without any allocation.
    pub fn new() -> Table<E> {
        Table {
            segments: Box::default(),
            tallies: Box::default(),
            len: 0,
            flagged: 0,
            buckets: 0,
            deepest: 0,
            depth: 0,
            parity: 0,
            walking: 0,
            owned: PhantomData,
        }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Entries with the flag set.
    #[inline]
    pub fn flagged(&self) -> usize {
        self.flagged
    }

    /// Bytes of buckets and directory; the entries' own allocations are not included. O(1).
    pub fn memory(&self) -> usize {
        self.buckets * size_of::<Bucket>() + self.segments.len() * (size_of::<Segment>() + size_of::<Tally>())
    }

    /// Brings the home bucket of a hash towards the cache. A hint: it reads the directory only, needs no lock beyond the one that
    /// lends `&self`, and changes nothing.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if let Some(&segment) = self.segments.get(self.directory_index(hash)) {
            let (home, _) = segment.home(hash);
            prefetch(segment.base().wrapping_add(home).cast());
        }
    }

    /// Brings the entries that a lookup of this hash will compare towards the cache; to be called when `prefetch` has had its
    /// time.
    #[inline]
    pub fn prefetch_entry(&self, hash: u64) {
        if let Some(&segment) = self.segments.get(self.directory_index(hash)) {
            let (home, tag) = segment.home(hash);
            // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
            let bucket = unsafe { segment.bucket(home) };
            for slot in bucket.matches(tag) {
                prefetch(bucket.word(slot).pointer().as_ptr());
            }
        }
    }

    /// Shows the entries that a lookup of this hash compares first; one of them is, nearly always, the one that it finds.
    #[inline]
    pub fn candidates(&self, hash: u64, mut f: impl FnMut(&E)) {
        if let Some(&segment) = self.segments.get(self.directory_index(hash)) {
            let (home, tag) = segment.home(hash);
            // SAFETY: a segment of the directory is alive, and `&self` keeps it unchanged.
            let bucket = unsafe { segment.bucket(home) };
            for slot in bucket.matches(tag) {
                // SAFETY: the slot is in use, and the bucket is borrowed for as long as the copy lives.
                let entry = unsafe { peek::<E>(bucket.word(slot)) };
                f(&entry);
            }
        }
    }

    /// Drops all entries and the memory. Not for a table that a snapshot walks: that one is taken out whole and handed to it.
    pub fn clear(&mut self) {
        debug_assert_eq!(self.walking, 0, "a snapshot walks the table");
        *self = Table::new();
    }

    #[inline]
    fn directory_index(&self, hash: u64) -> usize {
        (hash >> 1 >> (63 - self.depth)) as usize
    }

    /// The first directory index of a segment that stands (among others) at `index`.
    #[inline]
    fn first_index(&self, index: usize, segment: Segment) -> usize {
        let shared = self.depth - segment.depth();
        index >> shared << shared
    }

    /// The number of directory words that share a segment.
    #[inline]
    fn span(&self, segment: Segment) -> usize {
        1 << (self.depth - segment.depth())
    }

    /// The first hash that belongs to directory index `at`.
    #[inline]
    fn prefix(&self, at: usize) -> u64 {
        (at as u64) << 1 << (63 - self.depth)
    }
}

impl<E: Thin> Drop for Table<E> {
    fn drop(&mut self) {
        let mut at = 0;
        while at < self.segments.len() {
            let segment = self.segments[at];
            at += self.span(segment);
            for index in 0..segment.buckets() {
                // SAFETY: the segment is alive; nobody else sees the table any more.
                let bucket = unsafe { segment.bucket(index) };
                if index + 1 < segment.buckets() {
                    // SAFETY: as above.
                    let next = unsafe { segment.bucket(index + 1) };
                    (0..next.len()).for_each(|slot| prefetch(next.word(slot).pointer().as_ptr()));
                }
                for slot in 0..bucket.len() {
                    // SAFETY: the slot is in use, so it owns its entry; it is read once.
                    drop(unsafe { E::from_raw(bucket.word(slot).pointer()) });
                }
            }
            // SAFETY: its handles are in the directory, which is not read again at this index.
            unsafe { segment.free() };
        }
    }
}

/// A copy of the entry behind a slot, for use behind `&`, never to be dropped.
///
/// # Safety
/// The word belongs to a slot in use of a table of `E`, and the entry is not changed or removed while the copy is in use.
#[inline]
unsafe fn peek<E: Thin>(word: Word) -> ManuallyDrop<E> {
    // SAFETY: a slot in use holds what `into_raw` gave.
    ManuallyDrop::new(unsafe { E::from_raw(word.pointer()) })
}

/// A hint to the processor; any address will do.
#[inline]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: a prefetch never faults and touches no register.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, preserves_flags, readonly));
    }
    #[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    let _ = address;
}
