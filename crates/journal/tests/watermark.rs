//! The watermark under thousands of schedules: the file is compiled a second time here, over shuttle's locks and atomics.
//!
//! Of its weakenings, each of these was seen to fail a test: publishing the earliest offset only after looking at the level
//! (`wait`), looking at the earliest offset before raising the level (`advance`), not publishing it again after a call.
#![forbid(unsafe_code)]

#[allow(dead_code, unused_imports)]
#[path = "../src/offset.rs"]
mod offset;
#[allow(dead_code)]
#[path = "../src/watermark.rs"]
mod watermark;

/// `crate::sync` over shuttle.
mod sync {
    pub use shuttle::sync::atomic::{AtomicU64, Ordering};

    pub struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub fn new(value: T) -> Self {
            Mutex(shuttle::sync::Mutex::new(value))
        }

        pub fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0.lock().expect("a test that panics ends its schedule")
        }
    }
}

use offset::ReplOffset;
use std::sync::Arc;
use watermark::{Reached, Watermark};

/// Remembers the tokens it is called with.
#[derive(Default)]
struct Calls(parking_lot::Mutex<Vec<u64>>);

impl Reached for Calls {
    fn reached(&self, token: u64) {
        self.0.lock().push(token);
    }
}

#[test]
fn waits_are_called_once_in_order_of_their_offsets() {
    shuttle::check_random(in_order, 1);
}

fn in_order() {
    let (mark, calls) = (Watermark::new(ReplOffset(10)), Arc::new(Calls::default()));
    assert_eq!(mark.wait(ReplOffset(10), calls.clone(), 0), None);
    mark.wait(ReplOffset(30), calls.clone(), 3).unwrap();
    mark.wait(ReplOffset(20), calls.clone(), 1).unwrap();
    mark.wait(ReplOffset(20), calls.clone(), 2).unwrap();
    let gone = mark.wait(ReplOffset(11), calls.clone(), 9).unwrap();
    mark.cancel(gone);
    mark.advance(ReplOffset(19));
    assert_eq!(*calls.0.lock(), []);
    mark.advance(ReplOffset(20));
    mark.advance(ReplOffset(5));
    assert_eq!(*calls.0.lock(), [1, 2]);
    assert_eq!((mark.get(), mark.waiting()), (ReplOffset(20), 1));
    mark.advance(ReplOffset(u64::MAX));
    assert_eq!(*calls.0.lock(), [1, 2, 3]);
}

#[test]
fn a_reset_calls_everybody() {
    shuttle::check_random(reset, 1);
}

fn reset() {
    let (mark, calls) = (Watermark::new(ReplOffset(10)), Arc::new(Calls::default()));
    mark.wait(ReplOffset(30), calls.clone(), 3).unwrap();
    mark.reset(ReplOffset(2));
    assert_eq!((mark.get(), mark.waiting(), calls.0.lock().len()), (ReplOffset(2), 0, 1));
    assert!(mark.wait(ReplOffset(3), calls.clone(), 4).is_some());
    mark.advance(ReplOffset(3));
    assert_eq!(*calls.0.lock(), [3, 4]);
}

/// Threads advance and wait at once; every wait is called, or was told that it need not be.
#[test]
fn no_call_is_lost() {
    let scenario = || {
        let (mark, calls) = (Arc::new(Watermark::new(ReplOffset(0))), Arc::new(Calls::default()));
        let advance = |from| {
            let mark = mark.clone();
            shuttle::thread::spawn(move || (from..=4).for_each(|at| mark.advance(ReplOffset(at))))
        };
        let wait = |token| {
            let (mark, calls) = (mark.clone(), calls.clone());
            shuttle::thread::spawn(move || {
                let wait = |at: &u64| mark.wait(ReplOffset(*at), calls.clone(), token).is_none();
                [2, 4].iter().filter(|at| wait(at)).count()
            })
        };
        let (advancing, waiting) = ([advance(1), advance(3)], [wait(7), wait(8)]);
        let at_once: usize = waiting.into_iter().map(|thread| thread.join().unwrap()).sum();
        advancing.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!((calls.0.lock().len() + at_once, mark.waiting()), (4, 0));
    };
    shuttle::check_random(scenario, 3000);
    shuttle::check_pct(scenario, 3000, 3);
}
