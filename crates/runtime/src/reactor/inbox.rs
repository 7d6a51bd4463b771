//! Where the acceptor puts a reactor's new connections.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::Stream;
use super::waker::Waker;

/// What is known of a connection when it begins.
#[derive(Clone, Debug)]
pub struct ConnInfo {
    /// The peer's address; `None` on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// Our address; `None` on a Unix socket.
    pub local: Option<SocketAddr>,
    /// The path of the Unix socket through which it came.
    pub path: Option<PathBuf>,
    /// The descriptor, for display.
    pub fd: RawFd,
}

/// A connection on its way to a reactor.
#[derive(Debug)]
pub struct Incoming {
    /// Its socket.
    pub stream: Stream,
    /// What is known of it.
    pub info: ConnInfo,
}

/// One reactor's inbox, and what others may know of the reactor.
#[derive(Debug)]
pub struct Inbox {
    queue: Mutex<Vec<Incoming>>,
    connections: AtomicUsize,
    turns: AtomicU64,
    waker: Arc<Waker>,
}

impl Inbox {
    pub(crate) fn new(waker: Arc<Waker>) -> Self {
        Inbox { queue: Mutex::new(Vec::new()), connections: AtomicUsize::new(0), turns: AtomicU64::new(0), waker }
    }

    /// Hands over a connection.
    pub fn deal(&self, incoming: Incoming) {
        self.put(incoming);
        self.waker.notify();
    }

    /// The same without a call: more are to follow, and the reactor's waker is called behind the last.
    pub fn put(&self, incoming: Incoming) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.queue.lock().push(incoming);
    }

    /// Calls the reactor if connections wait for it.
    pub fn call_if_any(&self) {
        if !self.queue.lock().is_empty() {
            self.waker.notify();
        }
    }

    /// How many connections the reactor has, those on their way to it included.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// How many turns the loop has made. A number that stands still for long while [`Waker::notify`] was called means a
    /// handler that does not come back.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// The reactor's waker.
    pub fn waker(&self) -> &Arc<Waker> {
        &self.waker
    }

    pub(crate) fn take(&self) -> Vec<Incoming> {
        std::mem::take(&mut *self.queue.lock())
    }

    pub(crate) fn left(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn turned(&self) {
        // One writer: a load and a store are enough.
        self.turns.store(self.turns.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}
