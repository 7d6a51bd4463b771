//! DEBUG SLEEP: for a time the whole server does nothing.
//!
//! Whoever sleeps has the world, so no unit runs meanwhile; but other threads would still read, acknowledge, answer PING
//! and look at the clock. A test that stops a server wants to see what its peers do about one that hangs. So every loop asks
//! here before its next event, and stops while somebody sleeps.
//!
//! ```text
//!   I/O threads, control thread, link:   … event ─► still.wait() ─► event …      one load while nobody sleeps
//!   DEBUG SLEEP, behind the barrier:     still.hold(sleep)
//! ```

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};

/// See the head of this file.
#[derive(Default)]
pub struct Stillness {
    on: AtomicBool,
    asleep: Mutex<bool>,
    over: Condvar,
}

impl Stillness {
    /// Runs `sleep`; until it returns, whoever asks waits. Only one thread at a time can have the world, and so call this.
    pub fn hold(&self, sleep: impl FnOnce()) {
        *self.asleep.lock() = true;
        self.on.store(true, Ordering::Release);
        sleep();
        self.on.store(false, Ordering::Release);
        *self.asleep.lock() = false;
        self.over.notify_all();
    }

    /// Returns when nobody sleeps.
    #[inline]
    pub fn wait(&self) {
        if self.on.load(Ordering::Acquire) {
            let mut asleep = self.asleep.lock();
            self.over.wait_while(&mut asleep, |asleep| *asleep);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::Stillness;

    #[test]
    fn who_asks_waits_until_the_sleep_is_over() {
        let still = Arc::new(Stillness::default());
        let over = Arc::new(AtomicBool::new(false));
        still.wait();
        let mut waiter = None;
        still.hold(|| {
            let (still, seen) = (still.clone(), over.clone());
            waiter = Some(std::thread::spawn(move || {
                still.wait();
                seen.load(Ordering::Acquire)
            }));
            over.store(true, Ordering::Release);
        });
        assert!(waiter.expect("it was started").join().expect("it does not panic"), "it has waited for the end");
    }
}
