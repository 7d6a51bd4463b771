//! The allocator as the allocator of a process.

use std::alloc::{GlobalAlloc, Layout};

use runtime::alloc::{self, Allocator};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

#[test]
fn the_arithmetic_is_jemallocs() {
    let around_powers = (12..26).flat_map(|n| [(1 << n) - 1, 1 << n, (1 << n) + 1]);
    let sizes = (1..20_000).chain((20_000..3_000_000).step_by(997)).chain(around_powers);
    for size in sizes {
        // SAFETY: the size is not zero.
        let real = unsafe { tikv_jemalloc_sys::nallocx(size, 0) };
        assert_eq!(alloc::class_size(size), real, "{size}");
    }
    for align in [16, 32, 64, 128, 4096, 8192] {
        for size in (1..40_000).step_by(37) {
            let layout = Layout::from_size_align(size, align).unwrap();
            // SAFETY: the size is not zero and the flags are an alignment.
            let real = unsafe { tikv_jemalloc_sys::nallocx(size, tikv_jemalloc_sys::MALLOCX_ALIGN(align)) };
            assert_eq!(alloc::usable_size(layout), real, "{size} aligned to {align}");
        }
    }
}

/// One test, because others of the same process would count as well.
#[test]
fn what_is_in_use_is_counted() {
    every_way_of_allocating_is_counted_and_aligned();
    what_other_threads_free_is_subtracted();
    more_threads_than_counters_are_counted();
    jemalloc_agrees();
}

const BIG: usize = 64 << 20;

/// Asserts by how much the count has changed, but for what the test's surroundings allocate.
fn assert_grown(by: usize, before: u64) {
    let grown = alloc::used() as i64 - before as i64;
    assert!((grown - by as i64).abs() < 1 << 20, "{grown} instead of {by}");
}

fn every_way_of_allocating_is_counted_and_aligned() {
    for align in [1, 8, 16, 64, 4096] {
        let layout = Layout::from_size_align(BIG, align).unwrap();
        let before = alloc::used();
        // SAFETY: sizes are not zero, and blocks are freed with the layout they have.
        unsafe {
            let block = ALLOCATOR.alloc_zeroed(layout);
            assert!(block.addr().is_multiple_of(align) && *block.add(BIG - 1) == 0);
            assert_grown(BIG, before);
            let block = ALLOCATOR.realloc(block, layout, 2 * BIG);
            assert!(block.addr().is_multiple_of(align));
            assert_grown(2 * BIG, before);
            assert!(alloc::peak() >= 2 * BIG as u64);
            ALLOCATOR.dealloc(block, Layout::from_size_align(2 * BIG, align).unwrap());
            assert_grown(0, before);
            let block = ALLOCATOR.alloc(layout);
            assert!(block.addr().is_multiple_of(align));
            ALLOCATOR.dealloc(block, layout);
            assert_grown(0, before);
        }
    }
    assert!(alloc::peak() >= 2 * BIG as u64, "the peak stays");
    alloc::reset_peak();
    assert!(alloc::peak() < 2 * BIG as u64);
}

fn what_other_threads_free_is_subtracted() {
    let before = alloc::used();
    let block = std::thread::spawn(|| vec![1u8; BIG]).join().unwrap();
    assert_grown(BIG, before);
    std::thread::spawn(move || drop(block)).join().unwrap();
    assert_grown(0, before);
}

fn more_threads_than_counters_are_counted() {
    let before = alloc::used();
    let blocks: Vec<_> = (0..300).map(|_| std::thread::spawn(|| vec![1u8; BIG / 64]).join().unwrap()).collect();
    assert_grown(300 * (BIG / 64), before);
    blocks.into_iter().for_each(|block| std::thread::spawn(move || drop(block)).join().unwrap());
    assert_grown(0, before);
}

fn jemalloc_agrees() {
    let block = vec![0u8; BIG];
    let (stats, used) = (alloc::stats(), alloc::used());
    let ascending = [used, stats.allocated, stats.active, stats.resident];
    // jemalloc also counts what threads hold ready, and blocks that the runtime library took before it was asked.
    assert!(ascending.is_sorted(), "{ascending:?}");
    assert!(stats.allocated - used < 4 << 20, "{stats:?} and {used}");
    drop(block);
    assert!(alloc::version().starts_with("5."));
    assert!(alloc::report().starts_with(b"___ Begin jemalloc statistics ___"));
    assert!(alloc::resident_of_process() > 0);
    alloc::purge();
    alloc::flush_thread_cache();
    assert!(alloc::stats().resident + BIG as u64 / 2 < stats.resident, "what is free goes back to the system");
}
