//! The allocator: jemalloc, and a count of what is in use.
//!
//! ```text
//!   thread 0 ─► [+5,120]  ┐
//!   thread 1 ─► [-1,024]  ├─ sum = used_memory            each thread adds and subtracts in a cache line of its own
//!   thread 2 ─► [+  640]  ┘
//! ```
//!
//! A block counts with the size of its class, what it occupies and not what was asked for; the class follows from the size
//! by arithmetic (jemalloc's own), so that neither allocating nor freeing asks the allocator anything. Memory that one
//! thread allocates and another frees makes one counter grow and the other fall below zero; only the sum means something.
//!
//! Costs: a load, an addition and a store without any lock or atomic read-modify-write for the first 255 threads of the
//! process, an atomic addition for those after them. [`used`] adds up the counters.
//!
//! The binary makes it the allocator:
//! `#[global_allocator] static ALLOCATOR: runtime::alloc::Allocator = runtime::alloc::Allocator;`
//!
//! jemalloc is built with size classes in steps of 8 bytes (`.cargo/config.toml`). One background thread returns pages
//! that have been free for a while; arenas are made when a thread first allocates.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use tikv_jemalloc_sys as je;

/// Options that jemalloc reads when the process begins.
///
/// Free pages are kept for a second in case they are needed again, and then returned in the background, by one thread however
/// many cores there are. A thread caches less than by default: what idle threads hold back is memory nobody has.
#[used]
// SAFETY: jemalloc looks for an option string under this name, with this type.
#[unsafe(export_name = "_rjem_malloc_conf")]
static OPTIONS: Option<&'static c_char> = Some({
    const TEXT: &CStr = c"background_thread:true,max_background_threads:1,dirty_decay_ms:1000,muzzy_decay_ms:0";
    // SAFETY: a C string has at least its zero byte.
    unsafe { &*TEXT.as_ptr() }
});

/// jemalloc with a count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allocator;

/// Alignment that every block has.
const QUANTUM: usize = 8;
/// Below this, aligned blocks come from a small class of a rounded size.
const LARGE: usize = 16 * 1024;

#[repr(align(128))]
struct Counter(AtomicI64);

const COUNTERS: usize = 256;
static USED: [Counter; COUNTERS] = [const { Counter(AtomicI64::new(0)) }; COUNTERS];
static THREADS: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// The thread's counter; `COUNTERS` before its first allocation.
    static OWN: Cell<usize> = const { Cell::new(COUNTERS) };
}

#[inline]
fn count(change: i64) {
    let own = OWN.try_with(Cell::get).unwrap_or(COUNTERS - 1);
    if own < COUNTERS - 1 {
        let counter = &USED[own].0;
        // Nobody else writes this counter.
        counter.store(counter.load(Ordering::Relaxed) + change, Ordering::Relaxed);
    } else {
        count_slowly(own, change);
    }
}

#[cold]
fn count_slowly(own: usize, change: i64) {
    let own = if own == COUNTERS {
        let new = THREADS.fetch_add(1, Ordering::Relaxed).min(COUNTERS - 1);
        let _ = OWN.try_with(|cell| cell.set(new));
        new
    } else {
        own
    };
    USED[own].0.fetch_add(change, Ordering::Relaxed);
}

/// The size of the class that a block of this size comes from: eight classes up to 64, then four to each doubling.
#[inline]
pub const fn class_size(size: usize) -> usize {
    if size <= 8 {
        return 8;
    }
    // The exponent of the power of two at or above the size, and from it the step between classes there.
    let above = usize::BITS - (size - 1).leading_zeros();
    let shift = if above <= 6 { 3 } else { above - 3 };
    let step = 1usize << shift;
    (size + step - 1) & !(step - 1)
}

/// What a block of this layout occupies.
#[inline]
pub fn usable_size(layout: Layout) -> usize {
    if layout.align() <= QUANTUM { class_size(layout.size()) } else { aligned_size(layout) }
}

fn aligned_size(layout: Layout) -> usize {
    let rounded = class_size((layout.size() + layout.align() - 1) & !(layout.align() - 1));
    if rounded < LARGE && layout.align() <= 4096 {
        return rounded;
    }
    // SAFETY: the size is not zero and the flags are an alignment.
    unsafe { je::nallocx(layout.size().max(1), flags(layout)) }
}

#[inline]
fn flags(layout: Layout) -> c_int {
    if layout.align() <= QUANTUM { 0 } else { je::MALLOCX_ALIGN(layout.align()) }
}

// SAFETY: memory comes from jemalloc with at least the size and the alignment of the layout, and goes back to it with the
// same; jemalloc does not unwind.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let flags = flags(layout);
        // SAFETY: the caller promises a size above zero.
        let block = unsafe { if flags == 0 { je::malloc(layout.size()) } else { je::mallocx(layout.size(), flags) } };
        if !block.is_null() {
            count(usable_size(layout) as i64);
        }
        block.cast()
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        let flags = flags(layout);
        // SAFETY: the caller promises a size above zero.
        let block = unsafe {
            if flags == 0 { je::calloc(1, layout.size()) } else { je::mallocx(layout.size(), flags | je::MALLOCX_ZERO) }
        };
        if !block.is_null() {
            count(usable_size(layout) as i64);
        }
        block.cast()
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller promises that the block came from here with this layout.
        unsafe { je::sdallocx(block.cast(), layout.size(), flags(layout)) };
        count(-(usable_size(layout) as i64));
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let flags = flags(layout);
        // SAFETY: the caller promises that the block came from here with this layout, and a new size above zero.
        let new = unsafe {
            if flags == 0 { je::realloc(block.cast(), new_size) } else { je::rallocx(block.cast(), new_size, flags) }
        };
        if !new.is_null() {
            // SAFETY: the caller promises that the new size, rounded up to the alignment, does not overflow.
            let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
            count(usable_size(new_layout) as i64 - usable_size(layout) as i64);
        }
        new.cast()
    }
}

/// Bytes in use.
pub fn used() -> u64 {
    let threads = (THREADS.load(Ordering::Relaxed) + 1).min(COUNTERS);
    let sum: i64 = USED[..threads].iter().chain(USED.last()).map(|c| c.0.load(Ordering::Relaxed)).sum();
    // The last counter is counted twice when the slice reaches it.
    let twice = if threads == COUNTERS { USED[COUNTERS - 1].0.load(Ordering::Relaxed) } else { 0 };
    (sum - twice).max(0) as u64
}

/// The most bytes in use at any time that this was called, now included. Whoever watches memory calls it every so often.
pub fn peak() -> u64 {
    let now = used();
    PEAK.fetch_max(now, Ordering::Relaxed).max(now)
}

/// Forgets the peak (CONFIG RESETSTAT, MEMORY RESET).
pub fn reset_peak() {
    PEAK.store(used(), Ordering::Relaxed);
}

/// jemalloc's own figures, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// In blocks that are in use.
    pub allocated: u64,
    /// In pages that hold such blocks.
    pub active: u64,
    /// In pages that the system has given and not got back, the allocator's own included.
    pub resident: u64,
    /// In mapped extents.
    pub mapped: u64,
    /// In address space kept without memory behind it.
    pub retained: u64,
    /// For the allocator's own tables.
    pub metadata: u64,
    /// In pages that are free but not returned yet.
    pub dirty: u64,
}

/// Asks jemalloc. It goes over all arenas for it: for INFO and MEMORY STATS, not for every command.
pub fn stats() -> Stats {
    let mut epoch: u64 = 1;
    // SAFETY: the name is known and its value is of this type, in both directions.
    unsafe {
        je::mallctl(
            c"epoch".as_ptr(),
            (&raw mut epoch).cast(),
            &mut size_of::<u64>(),
            (&raw mut epoch).cast(),
            size_of::<u64>(),
        )
    };
    let page = read::<usize>(c"arenas.page") as u64;
    Stats {
        allocated: read::<usize>(c"stats.allocated") as u64,
        active: read::<usize>(c"stats.active") as u64,
        resident: read::<usize>(c"stats.resident") as u64,
        mapped: read::<usize>(c"stats.mapped") as u64,
        retained: read::<usize>(c"stats.retained") as u64,
        metadata: read::<usize>(c"stats.metadata") as u64,
        dirty: read::<usize>(c"stats.arenas.4096.pdirty") as u64 * page,
    }
}

/// The version of jemalloc, as INFO's `mem_allocator` names it after `jemalloc-`.
pub fn version() -> String {
    let text = read::<usize>(c"version") as *const c_char;
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the value is a pointer to a C string that lives for ever.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    text.split('-').next().unwrap_or_default().to_owned()
}

/// Returns all free pages to the system now (MEMORY PURGE, the end of FLUSHALL).
pub fn purge() {
    // SAFETY: the name stands for an action on all arenas, without a value.
    unsafe {
        je::mallctl(c"arena.4096.purge".as_ptr(), std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut(), 0)
    };
}

/// Gives back what the calling thread holds back for its next allocations; for a thread that is about to be idle.
pub fn flush_thread_cache() {
    // SAFETY: the name stands for an action on the calling thread, without a value.
    unsafe {
        je::mallctl(
            c"thread.tcache.flush".as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        )
    };
}

/// `jemalloc-bg-thread`.
pub fn set_background_thread(on: bool) {
    let mut value = on;
    // SAFETY: the name is known and its value is of this type.
    unsafe {
        je::mallctl(
            c"background_thread".as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            (&raw mut value).cast(),
            size_of::<bool>(),
        )
    };
}

/// MEMORY MALLOC-STATS.
pub fn report() -> Vec<u8> {
    unsafe extern "C" fn append(to: *mut c_void, text: *const c_char) {
        // SAFETY: the pointer is the one given below, and nobody else uses it meanwhile.
        let to = unsafe { &mut *to.cast::<Vec<u8>>() };
        // SAFETY: the text is a C string.
        to.extend_from_slice(unsafe { CStr::from_ptr(text) }.to_bytes());
    }
    let mut out = Vec::with_capacity(64 * 1024);
    // SAFETY: the callback fits its argument.
    unsafe { je::malloc_stats_print(Some(append), (&raw mut out).cast(), std::ptr::null()) };
    out
}

/// Resident memory of the process, in bytes, as the system sees it.
pub fn resident_of_process() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
    // SAFETY: takes no pointers.
    let page = unsafe { libc::sysconf(libc::_SC_PAGESIZE) }.max(0) as u64;
    pages.unwrap_or(0) * page
}

fn read<T: Default>(name: &CStr) -> T {
    let mut value = T::default();
    let mut len = size_of::<T>();
    // SAFETY: the value is writable for the length given; a name that is unknown, or of another size, leaves it alone.
    unsafe { je::mallctl(name.as_ptr(), (&raw mut value).cast(), &raw mut len, std::ptr::null_mut(), 0) };
    value
}
