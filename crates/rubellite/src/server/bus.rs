//! The sockets of the cluster's bus, on the control thread's reactor.
//!
//! ```text
//!   acceptor (bus port) ─► accepted ─┐                                  ┌─► connect (outgoing link)
//!   bytes ───────────────► received ─┼─► node::cluster::bus ─► Wire ────┼─► send: frames queued, written as the socket takes them
//!   connected, closed ──────────────┘                                  └─► close
//! ```
//!
//! It lives with the timers and not with the clients, so that load never looks like death. That a hung data plane does not
//! look like life either is seen to by [`Pulse`].

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use bytes::Bytes;
use cluster::LinkId;
use engine::lease::Attempt;
use node::cluster::bus;
use node::execute::Core;
use node::server::Server;
use parking_lot::Mutex;
use runtime::background::Lane;
use runtime::reactor::{Inbox, MAX_SLICES};
use runtime::{ConnInfo, Reenter, Verdict, Waker};

/// One connection.
#[derive(Default)]
struct Socket {
    input: Vec<u8>,
    output: VecDeque<Bytes>,
    /// How much of the first frame has left.
    sent: usize,
    connecting: bool,
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
    links: bus::Bus,
    sockets: Vec<Option<Socket>>,
    touched: Vec<usize>,
    names: Names,
}

/// The sockets, while the loop is at hand.
struct Wire<'b> {
    io: &'b mut dyn Reenter,
    sockets: &'b mut Vec<Option<Socket>>,
    touched: &'b mut Vec<usize>,
    names: &'b Names,
}

impl bus::Wire for Wire<'_> {
    fn connect(&mut self, ip: IpAddr, port: u16) -> Option<usize> {
        let token = self.io.connect(SocketAddr::new(ip, port), None).ok()?;
        place(self.sockets, token, Socket { connecting: true, ..Socket::default() });
        Some(token)
    }

    fn resolve(&mut self, link: LinkId, host: Vec<u8>, port: u16) {
        self.names.resolve(link, host, port, self.io.inbox().waker());
    }

    fn send(&mut self, token: usize, bytes: Bytes) {
        if let Some(Some(socket)) = self.sockets.get_mut(token) {
            socket.output.push_back(bytes);
            self.touched.push(token);
        }
    }

    fn close(&mut self, token: usize) {
        self.touched.push(token);
    }
}

fn place(sockets: &mut Vec<Option<Socket>>, token: usize, socket: Socket) {
    if sockets.len() <= token {
        sockets.resize_with(token + 1, || None);
    }
    sockets[token] = Some(socket);
}

impl<'s> Bus<'s> {
    /// A bus without connections.
    pub fn new(server: &'s Server) -> Self {
        Bus { server, links: bus::Bus::default(), sockets: Vec::new(), touched: Vec::new(), names: Names::default() }
    }

    fn socket(&mut self, token: usize) -> Option<&mut Socket> {
        self.sockets.get_mut(token)?.as_mut()
    }

    /// A peer has connected.
    pub fn accepted(&mut self, token: usize, info: &ConnInfo) -> bool {
        let (Some(peer), Some(local)) = (info.peer, info.local) else { return false };
        place(&mut self.sockets, token, Socket::default());
        self.links.accepted(self.server, token, peer.ip().to_canonical(), local.ip().to_canonical());
        true
    }

    /// An outgoing connection stands, or not; then `closed` follows.
    pub fn connected(&mut self, token: usize, ok: bool) {
        let Some(socket) = self.socket(token) else { return };
        socket.connecting = false;
        if ok {
            self.links.connected(self.server, token);
        }
    }

    /// The bytes that have come are the machine's.
    pub fn received(&mut self, token: usize) {
        let Some(socket) = self.socket(token) else { return };
        let mut bytes = std::mem::take(&mut socket.input);
        self.links.received(self.server, token, &bytes);
        bytes.clear();
        if let Some(socket) = self.socket(token) {
            socket.input = bytes;
        }
    }

    /// The buffer of a connection.
    pub fn input(&mut self, token: usize) -> &mut Vec<u8> {
        &mut self.socket(token).expect("the reactor names living connections").input
    }

    /// Whether a connection is to be read.
    pub fn wants_input(&self, token: usize) -> bool {
        self.links.is_open(token)
    }

    /// Sends what is queued.
    pub fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        loop {
            let Some(socket) = self.socket(token) else { return true };
            if socket.connecting || socket.output.is_empty() {
                return socket.output.is_empty();
            }
            let skip = socket.sent;
            let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(socket.output.len().min(MAX_SLICES));
            for (at, frame) in socket.output.iter().take(MAX_SLICES).enumerate() {
                slices.push(IoSlice::new(&frame[if at == 0 { skip } else { 0 }..]));
            }
            let offered: usize = slices.iter().map(|slice| slice.len()).sum();
            let n = send(&slices);
            let mut left = n + socket.sent;
            while let Some(frame) = socket.output.front()
                && left >= frame.len()
            {
                left -= frame.len();
                socket.output.pop_front();
            }
            socket.sent = left;
            if n > 0 {
                self.links.sent(self.server, token, n as u64);
            }
            if n < offered {
                return false;
            }
        }
    }

    /// What is to become of a connection.
    pub fn verdict(&self, token: usize) -> Verdict {
        if self.links.is_open(token) { Verdict::Keep } else { Verdict::CloseNow }
    }

    /// A connection is gone.
    pub fn closed(&mut self, token: usize) {
        if let Some(socket) = self.sockets.get_mut(token) {
            *socket = None;
        }
        self.links.closed(self.server, token);
    }

    /// Names the connections with something to send or to end.
    pub fn touched(&mut self, into: &mut Vec<usize>) {
        into.append(&mut self.touched);
    }

    /// Lets happen what the cluster's machine wants, and what follows from that.
    pub fn turn(&mut self, core: &mut Core<'_>, attempt: &mut Attempt, io: &mut dyn Reenter) {
        let found = self.names.found();
        let mut wire = Wire { io, sockets: &mut self.sockets, touched: &mut self.touched, names: &self.names };
        for (link, address) in found {
            let address = address.map(|address| (address.ip().to_canonical(), address.port()));
            self.links.resolved(self.server, link, address, &mut wire);
        }
        self.links.turn(core, attempt, &mut wire);
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
