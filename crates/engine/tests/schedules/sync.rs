//! `crate::sync` over shuttle: the same names, each operation a scheduling point.

#[allow(unused_imports)]
pub use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
pub use shuttle::sync::{Condvar, Mutex as SleepMutex, MutexGuard};

/// Spinning under a scheduler only makes schedules longer; the lock gives up at once.
pub const SPINS: u32 = 0;

/// Never reached with no spins.
pub fn spin_loop() {
    shuttle::hint::spin_loop();
}

/// A mutex with the interface of parking_lot's.
pub struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub fn new(value: T) -> Self {
        Mutex(shuttle::sync::Mutex::new(value))
    }

    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("a test that panics ends its schedule")
    }

    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.0.try_lock().ok()
    }
}

/// Coming back only makes schedules longer, and hides the queue behind it: once is enough.
pub const NAPS: u32 = 1;

/// Time does not pass under a scheduler: a nap is somebody else's turn.
pub fn nap(_: &Condvar, guard: MutexGuard<'_, bool>) {
    drop(guard);
    shuttle::thread::yield_now();
}
