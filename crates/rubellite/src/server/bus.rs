//! The sockets of the cluster's bus, on the control thread's reactor.
//!
//! ```text
//!   acceptor (bus port) ─► accepted ─┐                          ┌─► connect (outgoing link)
//!   bytes ───────────────► received ─┼─► ClusterNode ─► wire ───┼─► send: frames queued, written as the socket takes them
//!   connected, closed ──────────────┘                          └─► close
//! ```
//!
//! Nothing is understood here: bytes go to the machine as they come, and it finds the packets and sets the limits. A link
//! that the machine closes is closed without a word to it; every other end it is told.
//!
//! It lives with the timers and not with the clients, so that load never looks like death. That a hung data plane does not
//! look like life either is seen to by [`Pulse`].

use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use bytes::Bytes;
use cluster::{Action, Event, LinkId};
use node::cluster::ClusterNode;
use node::server::Server;
use parking_lot::Mutex;
use runtime::background::Lane;
use runtime::reactor::{Inbox, MAX_SLICES};
use runtime::{ConnInfo, Reenter, Verdict, Waker};

/// One connection.
struct Link {
    id: LinkId,
    input: Vec<u8>,
    output: VecDeque<Bytes>,
    /// How much of the first frame has left.
    sent: usize,
    /// The other end.
    peer: IpAddr,
    /// The machine has closed it.
    closing: bool,
    connecting: bool,
}

impl Link {
    fn new(id: LinkId, peer: IpAddr, connecting: bool) -> Self {
        Link { id, input: Vec::new(), output: VecDeque::new(), sent: 0, peer, closing: false, connecting }
    }
}

/// Names of hosts on their way to addresses: asking for one may take seconds, so another thread does it.
struct Names {
    lane: Lane,
    found: Arc<Mutex<Vec<Found>>>,
}

/// For which link an address was asked for, and what it is; `None` when there is none.
type Found = (LinkId, Option<SocketAddr>);

impl Default for Names {
    fn default() -> Self {
        Names { lane: Lane::new("names"), found: Arc::default() }
    }
}

impl Names {
    fn resolve(&self, link: LinkId, host: Vec<u8>, port: u16, waker: &Arc<Waker>) {
        let (found, waker) = (self.found.clone(), waker.clone());
        self.lane.submit(move || {
            let name = String::from_utf8_lossy(&host).into_owned();
            let address = (name.as_str(), port).to_socket_addrs().ok().and_then(|mut all| all.next());
            found.lock().push((link, address));
            waker.notify();
        });
    }

    fn found(&self) -> Vec<Found> {
        std::mem::take(&mut *self.found.lock())
    }
}

/// The connections of the bus.
pub struct Bus<'s> {
    server: &'s Server,
    node: &'s ClusterNode,
    links: Vec<Option<Link>>,
    tokens: HashMap<LinkId, usize>,
    accepted: u64,
    touched: Vec<usize>,
    wire: VecDeque<Action>,
    names: Names,
}

impl<'s> Bus<'s> {
    /// A bus without connections.
    pub fn new(server: &'s Server, node: &'s ClusterNode) -> Self {
        Bus {
            server,
            node,
            links: Vec::new(),
            tokens: HashMap::new(),
            accepted: 0,
            touched: Vec::new(),
            wire: VecDeque::new(),
            names: Names::default(),
        }
    }

    fn tell(&self, event: Event<'_>) {
        self.node.tell(self.server.engine.now(), event);
    }

    fn place(&mut self, token: usize, link: Link) {
        if self.links.len() <= token {
            self.links.resize_with(token + 1, || None);
        }
        self.tokens.insert(link.id, token);
        self.links[token] = Some(link);
    }

    fn link(&mut self, token: usize) -> Option<&mut Link> {
        self.links.get_mut(token)?.as_mut()
    }

    /// A peer has connected.
    pub fn accepted(&mut self, token: usize, info: &ConnInfo) -> bool {
        let (Some(peer), Some(local)) = (info.peer, info.local) else { return false };
        self.accepted += 1;
        let id = LinkId::inbound(self.accepted);
        let peer = peer.ip().to_canonical();
        self.place(token, Link::new(id, peer, false));
        self.tell(Event::Accepted { link: id, peer, local: local.ip().to_canonical() });
        true
    }

    /// An outgoing connection stands, or not; then `closed` follows.
    pub fn connected(&mut self, token: usize, ok: bool) {
        let Some(link) = self.link(token) else { return };
        link.connecting = false;
        let (id, peer, closing) = (link.id, link.peer, link.closing);
        if ok && !closing {
            self.tell(Event::LinkUp { link: id, peer });
        }
    }

    /// The bytes that have come are the machine's.
    pub fn received(&mut self, token: usize) {
        let Some(link) = self.link(token) else { return };
        let (id, closing, bytes) = (link.id, link.closing, std::mem::take(&mut link.input));
        if !closing {
            self.tell(Event::Received { link: id, bytes: &bytes });
        }
        if let Some(link) = self.link(token) {
            link.input = bytes;
            link.input.clear();
        }
    }

    /// The buffer of a connection.
    pub fn input(&mut self, token: usize) -> &mut Vec<u8> {
        &mut self.link(token).expect("the reactor names living connections").input
    }

    /// Whether a connection is to be read.
    pub fn wants_input(&self, token: usize) -> bool {
        self.links.get(token).and_then(Option::as_ref).is_some_and(|link| !link.closing)
    }

    /// Sends what is queued.
    pub fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        loop {
            let Some(link) = self.link(token) else { return true };
            if link.connecting || link.output.is_empty() {
                return link.output.is_empty();
            }
            let skip = link.sent;
            let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(link.output.len().min(MAX_SLICES));
            for (at, frame) in link.output.iter().take(MAX_SLICES).enumerate() {
                slices.push(IoSlice::new(&frame[if at == 0 { skip } else { 0 }..]));
            }
            let offered: usize = slices.iter().map(|slice| slice.len()).sum();
            let n = send(&slices);
            let mut left = n + link.sent;
            while let Some(frame) = link.output.front()
                && left >= frame.len()
            {
                left -= frame.len();
                link.output.pop_front();
            }
            link.sent = left;
            let id = link.id;
            if n > 0 {
                self.tell(Event::Sent { link: id, bytes: n as u64 });
            }
            if n < offered {
                return false;
            }
        }
    }

    /// What is to become of a connection.
    pub fn verdict(&self, token: usize) -> Verdict {
        match self.links.get(token).and_then(Option::as_ref) {
            Some(link) if !link.closing => Verdict::Keep,
            _ => Verdict::CloseNow,
        }
    }

    /// A connection is gone.
    pub fn closed(&mut self, token: usize) {
        let Some(link) = self.links.get_mut(token).and_then(Option::take) else { return };
        self.tokens.remove(&link.id);
        if !link.closing {
            self.tell(Event::LinkDown { link: link.id });
        }
    }

    /// Names the connections with something to send or to end.
    pub fn touched(&mut self, into: &mut Vec<usize>) {
        into.append(&mut self.touched);
    }

    /// Does what the machine wants done with links. True when there was anything.
    pub fn drive(&mut self, io: &mut dyn Reenter) -> bool {
        self.node.take_wire(&mut self.wire);
        let found = self.names.found();
        let any = !self.wire.is_empty() || !found.is_empty();
        for (link, address) in found {
            match address {
                Some(address) => self.connect(io, link, address.ip().to_canonical(), address.port()),
                None => self.tell(Event::LinkDown { link }),
            }
        }
        while let Some(action) = self.wire.pop_front() {
            match action {
                Action::Connect { link, ip, port } => self.connect(io, link, ip, port),
                Action::ConnectName { link, host, port } => self.names.resolve(link, host, port, io.inbox().waker()),
                Action::Send { link, bytes } => {
                    if let Some(&token) = self.tokens.get(&link)
                        && let Some(link) = self.link(token)
                    {
                        link.output.push_back(bytes);
                        self.touched.push(token);
                    }
                }
                Action::Close { link } => {
                    if let Some(&token) = self.tokens.get(&link)
                        && let Some(link) = self.link(token)
                    {
                        link.closing = true;
                        self.touched.push(token);
                    }
                }
                _ => {}
            }
        }
        any
    }

    fn connect(&mut self, io: &mut dyn Reenter, id: LinkId, ip: IpAddr, port: u16) {
        match io.connect(SocketAddr::new(ip, port), None) {
            Ok(token) => self.place(token, Link::new(id, ip, true)),
            Err(_) => self.tell(Event::LinkDown { link: id }),
        }
    }
}

/// Whether the I/O threads still turn.
///
/// A thread that is asked to turn and does not for longer than the node timeout is hung, or a command on it runs for that
/// long; clients of this node are not served then, and the others shall know.
pub struct Pulse {
    inboxes: Vec<Arc<Inbox>>,
    /// Of each thread: its turns when last seen, and since when they have stood still.
    seen: Vec<(u64, i64)>,
    stalled: bool,
}

impl Pulse {
    /// The threads with these inboxes.
    pub fn new(inboxes: Vec<Arc<Inbox>>) -> Self {
        let seen = inboxes.iter().map(|_| (u64::MAX, i64::MAX)).collect();
        Pulse { inboxes, seen, stalled: false }
    }

    /// Looks at `now`, in ms; says so when it has changed whether one of them stands still for longer than `limit`.
    pub fn look(&mut self, now: i64, limit: i64) -> Option<bool> {
        let mut stalled = false;
        for (inbox, (turns, since)) in self.inboxes.iter().zip(&mut self.seen) {
            let present = inbox.turns();
            if present != *turns {
                (*turns, *since) = (present, now);
            }
            inbox.waker().notify();
            stalled |= now.saturating_sub(*since) > limit;
        }
        let changed = stalled != self.stalled;
        self.stalled = stalled;
        changed.then_some(stalled)
    }
}
