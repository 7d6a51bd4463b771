//! What other threads tell a thread about its clients.
//!
//! One-way: nobody waits for an answer. A letter is pushed under a small mutex and the thread is woken if it may sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use pubsub::Message;

/// Wakes a thread out of its poll. Implemented by the runtime.
pub trait Notify: Send + Sync {
    /// Makes the thread's poll return.
    fn notify(&self);
}

/// One message to a thread.
pub enum Letter {
    /// A published message for a subscriber.
    Published {
        /// The subscriber.
        client: u64,
        /// The message, shared by all its receivers.
        message: Arc<Message>,
        /// The journal offset of the unit that caused it.
        offset: u64,
    },
    /// The reply of a blocked command that has been served.
    Served {
        /// The client that was blocked.
        client: u64,
        /// Its reply.
        reply: Vec<u8>,
        /// The journal offset at which the reply may leave.
        offset: u64,
    },
    /// A control command that went on elsewhere is done: OK, or this error.
    Answered {
        /// The client that waits for it.
        client: u64,
        /// What went wrong.
        error: Option<resp::error::Error>,
        /// The journal offset at which the reply may leave; 0 if it depends on nothing.
        offset: u64,
    },
    /// A parked command may try again.
    Wake {
        /// The client whose command is parked.
        client: u64,
    },
    /// A blocked client's wait was ended by CLIENT UNBLOCK (as a timeout, or with an error).
    Unblock {
        /// The client.
        client: u64,
        /// The error to answer; as after its timeout when `None`.
        error: Option<resp::error::Error>,
    },
    /// A blocked client could be served, but all commands are paused: its command is to be run again when they are not.
    Postponed {
        /// The client.
        client: u64,
    },
    /// The client is to be closed (CLIENT KILL, output buffer limit).
    Kill {
        /// The client.
        client: u64,
        /// Whether what is in its output goes out first.
        after_reply: bool,
    },
    /// A shard channel is served by another node from now on: the subscription to it has ended.
    ShardLost {
        /// The subscriber.
        client: u64,
        /// The channel.
        channel: Arc<[u8]>,
    },
    /// A line for a MONITOR client.
    Monitor {
        /// The monitor.
        client: u64,
        /// The encoded line.
        line: Arc<[u8]>,
    },
    /// The journal has moved to where held replies or replicas wait for it.
    Progress,
    /// There is something new for replicas.
    Stream,
    /// Replicas that wait for their snapshot are to hear from us.
    SignOfLife,
    /// The pause is over, or replication state has changed: everybody who waits for that tries again.
    Recheck,
}

/// A thread's incoming letters.
pub struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    full: AtomicBool,
    notify: Mutex<Option<Arc<dyn Notify>>>,
}

impl Default for Mailbox {
    fn default() -> Self {
        Mailbox { letters: Mutex::new(Vec::new()), full: AtomicBool::new(false), notify: Mutex::new(None) }
    }
}

impl Mailbox {
    /// Names the waker; letters that came before are noticed at the first poll.
    pub fn attach(&self, notify: Arc<dyn Notify>) {
        *self.notify.lock() = Some(notify);
    }

    /// Puts a letter in and wakes the thread if this is the first since it last looked.
    pub fn post(&self, letter: Letter) {
        self.letters.lock().push(letter);
        if !self.full.swap(true, Ordering::AcqRel)
            && let Some(notify) = &*self.notify.lock()
        {
            notify.notify();
        }
    }

    /// Whether there may be letters; one load.
    pub fn is_empty(&self) -> bool {
        !self.full.load(Ordering::Acquire)
    }

    /// Takes all letters, in the order in which they came.
    pub fn take(&self, into: &mut Vec<Letter>) {
        if self.full.swap(false, Ordering::AcqRel) {
            into.append(&mut self.letters.lock());
        }
    }
}
