//! Ending another thread's poll.
//!
//! A thread is woken only when it may be asleep: `notify` costs two atomic operations while the thread is busy, and one
//! system call when it is not. Nothing is lost between the two:
//!
//! ```text
//!   notifier:  pending := true;  if asleep: wake          reactor:  asleep := true;  if pending: poll without waiting
//! ```
//!
//! Both sides write first and read then, in one total order, so at least one of them sees what the other wrote.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use mio::{Registry, Token};

/// Wakes one reactor. Shared by everyone who has something for it.
#[derive(Debug)]
pub struct Waker {
    poll: mio::Waker,
    pending: AtomicBool,
    asleep: AtomicBool,
}

impl Waker {
    pub(crate) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        Ok(Waker {
            poll: mio::Waker::new(registry, token)?,
            pending: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
        })
    }

    /// Makes the reactor call its handler's `woken` soon. Calls before it does so count as one. May be called from a
    /// signal handler.
    pub fn notify(&self) {
        if !self.pending.swap(true, Ordering::SeqCst) && self.asleep.load(Ordering::SeqCst) {
            // A failure would mean that the descriptor is gone, and with it the reactor.
            let _ = self.poll.wake();
        }
    }

    /// The reactor is about to wait. False: it must not, somebody has called.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        !self.pending.load(Ordering::SeqCst)
    }

    /// The reactor's poll has returned.
    pub(crate) fn rise(&self) {
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Whether somebody has called since the last time this was asked.
    pub(crate) fn take(&self) -> bool {
        self.pending.load(Ordering::Relaxed) && self.pending.swap(false, Ordering::SeqCst)
    }
}
