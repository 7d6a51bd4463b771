//! What the whole server may know of a client.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use keyspace::WaitEntry;
use parking_lot::Mutex;

/// What sort of peer a client is; the letter in CLIENT LIST and the class of its output buffer limit follow from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClientKind {
    /// An ordinary client.
    Normal,
    /// A subscriber.
    PubSub,
    /// One of our replicas.
    Replica,
    /// Our primary.
    Primary,
}

/// Boolean facts about a client, as bits of [`ClientCard::flags`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Flag {
    /// `O`: MONITOR.
    Monitor = 1 << 0,
    /// `S`: a replica.
    Replica = 1 << 1,
    /// `M`: our primary.
    Primary = 1 << 2,
    /// `P`: subscribed.
    PubSub = 1 << 3,
    /// `x`: in MULTI.
    Multi = 1 << 4,
    /// `b`: blocked.
    Blocked = 1 << 5,
    /// `d`: a watched key has been touched.
    Dirty = 1 << 6,
    /// `c`: to be closed when its output has gone out.
    CloseAfterReply = 1 << 7,
    /// `A`: to be closed at once.
    CloseAsap = 1 << 8,
    /// `U`: connected by a Unix socket.
    Unix = 1 << 9,
    /// `e`: never evicted.
    NoEvict = 1 << 10,
    /// `T`: does not touch the access clock.
    NoTouch = 1 << 11,
    /// `r`: READONLY in the cluster.
    ReadOnly = 1 << 12,
    /// `r` of `capa`: understands redirections.
    CapaRedirect = 1 << 13,
    /// Blocked by a pause only: neither timeout nor CLIENT UNBLOCK ends it.
    Paused = 1 << 14,
    /// `I`: brings data from another server (CLIENT IMPORT-SOURCE).
    ImportSource = 1 << 15,
}

/// One client as others see it. Everything is an atomic or behind a small mutex, so that CLIENT LIST on one thread never
/// waits for another.
pub struct ClientCard {
    /// The client's id, unique for the life of the server.
    pub id: u64,
    /// The thread that owns it.
    pub thread: usize,
    /// The peer's address, `None` for a Unix socket.
    pub addr: Option<SocketAddr>,
    /// The local address, `None` for a Unix socket.
    pub laddr: Option<SocketAddr>,
    /// The path of the Unix socket.
    pub path: Option<String>,
    /// The descriptor, for CLIENT LIST.
    pub fd: i32,
    /// When it connected, in ms.
    pub created: i64,
    /// When it last sent a command, in ms.
    pub last_seen: AtomicI64,
    /// Bits of [`Flag`].
    pub flags: AtomicU32,
    /// The selected database.
    pub db: AtomicU32,
    /// Protocol version, 2 or 3.
    pub resp: AtomicU32,
    /// Subscriptions to channels, patterns and shard channels.
    pub subscriptions: [AtomicU32; 3],
    /// Commands queued in MULTI, -1 outside.
    pub multi: AtomicI64,
    /// Watched keys.
    pub watched: AtomicU32,
    /// Bytes of the commands queued in MULTI.
    pub multi_bytes: AtomicU64,
    /// Bytes of the arguments of the command in progress.
    pub args_bytes: AtomicU64,
    /// Bytes of the query buffer in use.
    pub query_used: AtomicU64,
    /// Bytes of the query buffer not in use.
    pub query_free: AtomicU64,
    /// Bytes of output not sent yet.
    pub output: AtomicU64,
    /// Bytes read from it.
    pub bytes_in: AtomicU64,
    /// Bytes sent to it.
    pub bytes_out: AtomicU64,
    /// Commands it has sent.
    pub commands: AtomicU64,
    /// Row of its newest command, `u32::MAX` when it has sent none.
    pub last_command: AtomicU32,
    /// The wait for keys in progress: CLIENT UNBLOCK and CLIENT KILL end it as any other party does.
    pub wait: Mutex<Option<Arc<WaitEntry>>>,
    /// Texts that change rarely.
    pub texts: Mutex<Texts>,
}

/// What a client has said about itself.
#[derive(Clone, Default, Debug)]
pub struct Texts {
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// The authenticated user.
    pub user: Vec<u8>,
    /// CLIENT SETINFO lib-name.
    pub lib_name: Vec<u8>,
    /// CLIENT SETINFO lib-ver.
    pub lib_ver: Vec<u8>,
}

impl ClientCard {
    /// The card of a client that has just connected at `now` (ms).
    pub fn new(id: u64, thread: usize, fd: i32, now: i64) -> Self {
        ClientCard {
            id,
            thread,
            addr: None,
            laddr: None,
            path: None,
            fd,
            created: now,
            last_seen: AtomicI64::new(now),
            flags: AtomicU32::new(0),
            db: AtomicU32::new(0),
            resp: AtomicU32::new(2),
            subscriptions: Default::default(),
            multi: AtomicI64::new(-1),
            watched: AtomicU32::new(0),
            multi_bytes: AtomicU64::new(0),
            args_bytes: AtomicU64::new(0),
            query_used: AtomicU64::new(0),
            query_free: AtomicU64::new(0),
            output: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            commands: AtomicU64::new(0),
            last_command: AtomicU32::new(u32::MAX),
            wait: Mutex::new(None),
            texts: Mutex::new(Texts { user: b"default".to_vec(), ..Texts::default() }),
        }
    }

    /// Whether a fact holds.
    pub fn is(&self, flag: Flag) -> bool {
        self.flags.load(Ordering::Relaxed) & flag as u32 != 0
    }

    /// States a fact; true when it did not hold before. Of several threads one is told so.
    pub fn claim(&self, flag: Flag) -> bool {
        self.flags.fetch_or(flag as u32, Ordering::AcqRel) & flag as u32 == 0
    }

    /// States or withdraws a fact.
    pub fn set(&self, flag: Flag, on: bool) {
        if on {
            self.flags.fetch_or(flag as u32, Ordering::Relaxed);
        } else {
            self.flags.fetch_and(!(flag as u32), Ordering::Relaxed);
        }
    }

    /// What sort of peer it is.
    pub fn kind(&self) -> ClientKind {
        if self.is(Flag::Primary) {
            ClientKind::Primary
        } else if self.is(Flag::Replica) && !self.is(Flag::Monitor) {
            ClientKind::Replica
        } else if self.is(Flag::PubSub) {
            ClientKind::PubSub
        } else {
            ClientKind::Normal
        }
    }

    /// Whether the peer is on this host: loopback or a Unix socket.
    pub fn is_local(&self) -> bool {
        match self.addr {
            Some(addr) => addr.ip().to_canonical().is_loopback(),
            None => true,
        }
    }

    /// The peer as CLIENT LIST names it: `ip:port`, `[ip6]:port` or `path:0`.
    pub fn address(&self) -> String {
        Self::text(self.addr, self.path.as_deref())
    }

    /// The local end in the same form.
    pub fn local_address(&self) -> String {
        Self::text(self.laddr, self.path.as_deref())
    }

    fn text(addr: Option<SocketAddr>, path: Option<&str>) -> String {
        match (addr, path) {
            (Some(SocketAddr::V6(a)), _) => match a.ip().to_ipv4_mapped() {
                Some(v4) => format!("{v4}:{}", a.port()),
                None => a.to_string(),
            },
            (Some(a), _) => a.to_string(),
            (None, Some(path)) => format!("{path}:0"),
            (None, None) => "?:0".to_owned(),
        }
    }
}

/// The cards of all connected clients.
#[derive(Default)]
pub struct Cards {
    cards: Mutex<HashMap<u64, Arc<ClientCard>>>,
}

impl Cards {
    /// Adds a client.
    pub fn add(&self, card: Arc<ClientCard>) {
        self.cards.lock().insert(card.id, card);
    }

    /// Removes a client.
    pub fn remove(&self, id: u64) {
        self.cards.lock().remove(&id);
    }

    /// One client.
    pub fn get(&self, id: u64) -> Option<Arc<ClientCard>> {
        self.cards.lock().get(&id).cloned()
    }

    /// All clients, in the order of their ids.
    pub fn all(&self) -> Vec<Arc<ClientCard>> {
        let mut all: Vec<_> = self.cards.lock().values().cloned().collect();
        all.sort_unstable_by_key(|c| c.id);
        all
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.cards.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
