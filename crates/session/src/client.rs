//! A client, as its thread sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use acl::UserId;
use bytes::Bytes;
use command::unpacked::Unpacked;
use engine::lease::Attempt;
use keyspace::{DbIndex, UnixMillis, WaitEntry};
use pubsub::Kind;
use resp::args::{ArgRange, OwnedArgs};
use resp::reply::{Proto, Reply};
use resp::request::Parser;
use structures::hash::Set;

use crate::{ClientCard, Flag, Multi, WatchSet};

/// CLIENT REPLY.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReplyMode {
    /// Every command is answered.
    #[default]
    On,
    /// Nothing is answered.
    Off,
    /// The command in progress (CLIENT REPLY SKIP itself) is not answered; then the next one is not.
    SkipNext,
    /// This command is not answered.
    Skip,
}

/// Why a client's further input stays unread.
#[derive(Debug, Default)]
pub enum Waiting {
    /// It does not wait.
    #[default]
    No,
    /// Its command waits for keys.
    Keys(Arc<WaitEntry>, OnTimeoutReply),
    /// Its command could not get its locks, or waits behind a pause; it is run again from the start.
    Parked(OwnedArgs),
    /// WAIT: until so many replicas have acknowledged the offset.
    Replicas {
        /// How many are wanted.
        wanted: i64,
        /// The offset they must have reached.
        offset: u64,
        /// When to answer anyway.
        deadline: Option<UnixMillis>,
    },
    /// WAITAOF: until the offset is on our disk and on that of so many replicas.
    Durable {
        /// Whether our own disk counts (0 or 1).
        local: i64,
        /// How many replicas are wanted.
        replicas: i64,
        /// The offset.
        offset: u64,
        /// When to answer anyway.
        deadline: Option<UnixMillis>,
    },
    /// A command that is carried out when so many replicas have it (CLUSTER SETSLOT): it is run again then.
    Replicated {
        /// The command.
        args: OwnedArgs,
        /// How many are wanted.
        wanted: i64,
        /// The offset they must have reached.
        offset: u64,
        /// When to give up.
        deadline: Option<UnixMillis>,
    },
    /// A control command that goes on elsewhere (SAVE, SHUTDOWN, FAILOVER, MIGRATE) and will post its reply.
    Action,
}

/// What a wait for keys answers when it was in vain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnTimeoutReply {
    /// A null array.
    NullArray,
    /// A null.
    Null,
}

/// One client of one thread.
pub struct Client {
    /// What others may know of it.
    pub card: Arc<ClientCard>,
    /// Bytes read and not consumed yet.
    pub input: Vec<u8>,
    /// How many of them have been counted as read.
    pub counted: usize,
    /// Whether the memory of `input` stays with the client between two turns.
    pub owns_input: bool,
    /// The most that was in `input` of late.
    pub input_peak: usize,
    /// How many bytes the request in progress lacks, if it is known to be big.
    pub want: usize,
    /// The request parser's state.
    pub parser: Parser,
    /// Ranges of the arguments of the request in progress.
    pub ranges: Vec<ArgRange>,
    /// Replies; its protocol version is the client's.
    pub out: Reply,
    /// Output that is shared instead of copied (the replication stream); it leaves after `out`.
    pub chunks: VecDeque<Bytes>,
    /// The selected database.
    pub db: DbIndex,
    /// Who it is.
    pub user: UserId,
    /// Whether it has given a password, or needs none.
    pub authenticated: bool,
    /// Whether it was ever authenticated, or needed not to be: it is trusted with larger replies.
    pub known: bool,
    /// The open transaction.
    pub multi: Option<Box<Multi>>,
    /// The watched keys.
    pub watch: Option<Box<WatchSet>>,
    /// Subscriptions by kind: channels, patterns, shard channels.
    pub subscriptions: [Set<Box<[u8]>>; 3],
    /// Why its further input stays unread.
    pub waiting: Waiting,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// While replies are not wanted: what of the output in progress is no reply, and is sent all the same.
    pub pushed: Vec<u8>,
    /// To be closed when its output has gone out.
    pub close_after_reply: bool,
    /// To be closed at once.
    pub close_asap: bool,
    /// ASKING: the next command may use an importing slot.
    pub asking: bool,
    /// Its command has been replicated already, and is now run.
    pub replicated: bool,
    /// Its attempts to get locks, while its command is parked.
    pub attempt: Attempt,
    /// What another thread makes for its command in progress.
    pub unpacked: Option<Unpacked>,
    /// End offset of its own newest write, for WAIT.
    pub write_offset: u64,
    /// When its output first exceeded the soft limit.
    pub soft_limit_since: Option<UnixMillis>,
}

impl Client {
    /// A client that has just connected.
    pub fn new(card: Arc<ClientCard>, authenticated: bool) -> Self {
        let card_id = card.id;
        Client {
            card,
            input: Vec::new(),
            counted: 0,
            owns_input: false,
            input_peak: 0,
            want: 0,
            parser: Parser::new(),
            ranges: Vec::new(),
            out: Reply::new(Proto::Resp2),
            chunks: VecDeque::new(),
            db: DbIndex(0),
            user: UserId::DEFAULT,
            authenticated,
            known: authenticated,
            multi: None,
            watch: None,
            subscriptions: Default::default(),
            waiting: Waiting::No,
            reply_mode: ReplyMode::On,
            pushed: Vec::new(),
            close_after_reply: false,
            close_asap: false,
            asking: false,
            replicated: false,
            attempt: Attempt::new(card_id),
            unpacked: None,
            write_offset: 0,
            soft_limit_since: None,
        }
    }

    /// The client's id.
    pub fn id(&self) -> u64 {
        self.card.id
    }

    /// Whether further input may be looked at.
    pub fn is_ready(&self) -> bool {
        matches!(self.waiting, Waiting::No)
            && !self.close_after_reply
            && !self.close_asap
            && !self.card.is(Flag::CloseAsap)
    }

    /// Whether the client waits for others, or for the end of a pause, and not just for its turn. Its further input is read
    /// meanwhile but not looked at: so its end is noticed.
    pub fn waits_long(&self) -> bool {
        match self.waiting {
            Waiting::No => false,
            Waiting::Parked(_) => self.card.is(Flag::Paused),
            _ => true,
        }
    }

    /// Says that the output from `start` on is no reply but a message (a confirmation of SUBSCRIBE), which CLIENT REPLY
    /// does not silence.
    pub fn keep_pushed(&mut self, start: usize) {
        if self.reply_mode != ReplyMode::On {
            self.pushed.extend_from_slice(&self.out.buf[start..]);
        }
    }

    /// Takes the replies back that were written from `start` on, but not the messages among them.
    pub fn silence(&mut self, start: usize) {
        self.out.buf.truncate(start);
        self.out.raw(&self.pushed);
        self.pushed.clear();
    }

    /// Shows in its card how much of its input buffer is in use, in bytes.
    pub fn note_input(&self, used: usize, capacity: usize) {
        self.card.query_used.store(used as u64, Ordering::Relaxed);
        self.card.query_free.store(capacity.saturating_sub(used) as u64, Ordering::Relaxed);
    }

    /// How many subscriptions of all kinds there are.
    pub fn subscription_count(&self, kind: Kind) -> usize {
        match kind {
            // The confirmations of SUBSCRIBE and PSUBSCRIBE count both kinds, as in every Redis.
            Kind::Channel | Kind::Pattern => self.subscriptions[0].len() + self.subscriptions[1].len(),
            Kind::Shard => self.subscriptions[2].len(),
        }
    }

    /// Whether any subscription is open.
    pub fn is_subscribed(&self) -> bool {
        self.subscriptions.iter().any(|s| !s.is_empty())
    }

    /// Takes note that `n` bytes of the shared chunks have left.
    pub fn take_chunks(&mut self, mut n: usize) {
        while n > 0
            && let Some(first) = self.chunks.front_mut()
        {
            if n < first.len() {
                *first = first.slice(n..);
                return;
            }
            n -= first.len();
            self.chunks.pop_front();
        }
    }

    /// Takes note that `n` bytes at the start of the output have left.
    pub fn sent(&mut self, n: usize) {
        if n == self.out.buf.len() {
            self.out.buf.clear();
            // A buffer that one large reply has stretched is given back.
            if self.out.buf.capacity() > 1 << 20 {
                self.out.buf = Vec::new();
            }
        } else {
            self.out.buf.drain(..n);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client::new(Arc::new(ClientCard::new(1, 0, 0, 0)), true)
    }

    #[test]
    fn shared_output_leaves_piece_by_piece() {
        let mut c = client();
        c.chunks.extend([Bytes::from_static(b"abc"), Bytes::from_static(b"defg")]);
        c.take_chunks(2);
        assert_eq!(c.chunks, [&b"c"[..], b"defg"]);
        c.take_chunks(3);
        assert_eq!(c.chunks, [&b"fg"[..]]);
        c.take_chunks(2);
        assert!(c.chunks.is_empty());
    }
}
