//! The acceptor: one thread that takes connections in and deals each to the I/O thread with the fewest.
//!
//! ```text
//!   listeners ──► acceptor ──fewest connections──► inbox of thread 0
//!                                              └─► inbox of thread 1 …
//! ```
//!
//! The kernel's own balancing (`SO_REUSEPORT`) would leave 50 connections lying unevenly on two threads, and a thread that
//! is busy with a long command would hold up connections that another could serve.
//!
//! Listeners are shared with whoever changes the configuration: [`Acceptor::close`] has closed the sockets when it
//! returns, so that the same port can be bound anew at once.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mio::event::Source;
use mio::{Events, Interest, Poll, Registry, Token};
use parking_lot::Mutex;
use socket2::{SockRef, TcpKeepalive};

use crate::crash;
use crate::listen::Listener;
use crate::reactor::{ConnInfo, Inbox, Incoming, Stream};

const WAKER: Token = Token(usize::MAX);
/// After accepting has failed, mostly for want of descriptors, it is tried again when so much time has passed.
const PAUSE: Duration = Duration::from_millis(100);
/// How many connections are dealt before the reactors are called.
const BATCH: usize = 64;

struct Entry {
    group: &'static str,
    listener: Listener,
}

struct Shared {
    registry: Registry,
    waker: mio::Waker,
    listeners: Mutex<BTreeMap<usize, Entry>>,
    next_token: AtomicU64,
    /// `tcp-keepalive`, in seconds; 0: off.
    keepalive: AtomicU32,
    over: AtomicBool,
    failures: AtomicU64,
    inboxes: Vec<Arc<Inbox>>,
}

/// A running acceptor. Dropping it closes all listeners and ends its thread.
pub struct Acceptor {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Starts the thread, without listeners. `keepalive` is `tcp-keepalive` in seconds.
    pub fn start(inboxes: Vec<Arc<Inbox>>, keepalive: u32) -> io::Result<Self> {
        assert!(!inboxes.is_empty(), "somebody must take the connections");
        let poll = Poll::new()?;
        let shared = Arc::new(Shared {
            registry: poll.registry().try_clone()?,
            waker: mio::Waker::new(poll.registry(), WAKER)?,
            listeners: Mutex::new(BTreeMap::new()),
            next_token: AtomicU64::new(0),
            keepalive: AtomicU32::new(keepalive),
            over: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            inboxes,
        });
        let own = shared.clone();
        let thread =
            std::thread::Builder::new().name("acceptor".to_owned()).stack_size(256 * 1024).spawn(move || {
                // Without a second stack a crash here is told in fewer words.
                let _ = crash::arm_thread();
                own.run(poll);
            })?;
        Ok(Acceptor { shared, thread: Some(thread) })
    }

    /// Accepts from these as well. The group names them for [`Acceptor::close`] (`"tcp"`, `"unix"`).
    pub fn open(&self, group: &'static str, listeners: Vec<Listener>) -> io::Result<()> {
        let mut table = self.shared.listeners.lock();
        for mut listener in listeners {
            let token = self.shared.next_token.fetch_add(1, Ordering::Relaxed) as usize;
            source(&mut listener).register(&self.shared.registry, Token(token), Interest::READABLE)?;
            table.insert(token, Entry { group, listener });
        }
        Ok(())
    }

    /// Closes the listeners of a group. Connections that were accepted already are dealt.
    pub fn close(&self, group: &str) {
        self.shared.listeners.lock().retain(|_, entry| entry.group != group);
    }

    /// Closes all listeners.
    pub fn close_all(&self) {
        self.shared.listeners.lock().clear();
    }

    /// `tcp-keepalive` of connections from now on.
    pub fn set_keepalive(&self, seconds: u32) {
        self.shared.keepalive.store(seconds, Ordering::Relaxed);
    }

    /// How often accepting has failed for want of descriptors or memory.
    pub fn failures(&self) -> u64 {
        self.shared.failures.load(Ordering::Relaxed)
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.close_all();
        self.shared.over.store(true, Ordering::Release);
        let _ = self.shared.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, mut poll: Poll) {
        let mut events = Events::with_capacity(16);
        let mut again = Vec::new();
        while !self.over.load(Ordering::Acquire) {
            let timeout = if again.is_empty() { None } else { Some(PAUSE) };
            match poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            }
            let mut ready = std::mem::take(&mut again);
            ready.extend(events.iter().map(|e| e.token().0).filter(|t| *t != WAKER.0));
            ready.sort_unstable();
            ready.dedup();
            for token in ready {
                if !self.drain(token) {
                    again.push(token);
                }
            }
        }
    }

    /// Accepts until nothing waits. False: it has to be tried again later.
    ///
    /// The reactors are called once for a whole batch: were they called for each connection, they would run in this thread's
    /// stead, and in a flood the kernel's queue would overflow, which costs whoever knocks a second.
    fn drain(&self, token: usize) -> bool {
        let mut dealt = 0;
        let done = loop {
            if dealt == BATCH {
                self.inboxes.iter().for_each(|inbox| inbox.call_if_any());
                dealt = 0;
            }
            // The lock is held for one connection at a time, so that a reconfiguration does not wait for a flood.
            let listeners = self.listeners.lock();
            let Some(entry) = listeners.get(&token) else { break true };
            let accepted = accept(&entry.listener);
            drop(listeners);
            match accepted {
                Ok(incoming) => {
                    self.prepare(&incoming.stream);
                    self.deal(incoming);
                    dealt += 1;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break true,
                Err(e) if concerns_one_connection(&e) => {}
                Err(_) => {
                    self.failures.fetch_add(1, Ordering::Relaxed);
                    break false;
                }
            }
        };
        self.inboxes.iter().for_each(|inbox| inbox.call_if_any());
        done
    }

    fn prepare(&self, stream: &Stream) {
        if let Stream::Tcp(stream) = stream {
            // A connection that ends here and now is found out about by the first read.
            let _ = stream.set_nodelay(true);
            let _ = set_keepalive(&SockRef::from(stream), self.keepalive.load(Ordering::Relaxed));
        }
    }

    fn deal(&self, incoming: Incoming) {
        if let Some(inbox) = self.inboxes.iter().min_by_key(|i| i.connections()) {
            inbox.put(incoming);
        }
    }
}

/// Asks the system to probe a silent peer after `seconds`, then three times at a third of that. 0: never.
pub fn set_keepalive(socket: &SockRef<'_>, seconds: u32) -> io::Result<()> {
    if seconds == 0 {
        return socket.set_keepalive(false);
    }
    let idle = Duration::from_secs(u64::from(seconds));
    let interval = Duration::from_secs(u64::from(seconds / 3).max(1));
    socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle).with_interval(interval).with_retries(3))
}

fn accept(listener: &Listener) -> io::Result<Incoming> {
    match listener {
        Listener::Tcp(l) => {
            let (stream, peer) = l.accept()?;
            let info = ConnInfo::tcp(&stream, peer);
            Ok(Incoming { stream: Stream::Tcp(stream), info })
        }
        Listener::Unix(l, path) => {
            let (stream, _) = l.accept()?;
            let info = ConnInfo { peer: None, local: None, path: Some(path.clone()), fd: stream.as_raw_fd() };
            Ok(Incoming { stream: Stream::Unix(stream), info })
        }
    }
}

/// Whether the error is that of the connection that was about to be accepted, and the next may go well. The others are
/// want of descriptors or memory.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EINTR
                | libc::ECONNABORTED
                | libc::EPERM
                | libc::EPROTO
                | libc::ENOPROTOOPT
                | libc::ENETDOWN
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::EHOSTUNREACH
                | libc::EOPNOTSUPP
        )
    )
}

fn source(listener: &mut Listener) -> &mut dyn Source {
    match listener {
        Listener::Tcp(l) => l,
        Listener::Unix(l, _) => l,
    }
}
