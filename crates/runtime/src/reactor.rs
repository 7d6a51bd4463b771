//! One I/O thread's loop: readiness in, turns of a handler out.
//!
//! ```text
//!   poll ─► mark what is ready ─► read and `received`, connection by connection ─► `woken` ─► `timeout`
//!     ▲                                                                                         │
//!     └──── close what is done ◄─ one write per touched connection ◄─ `end_of_turn` ◄───────────┘
//! ```
//!
//! The [`Handler`] owns what a connection means (its buffers, its parser, its replies); the reactor owns its socket. They
//! name connections by *tokens*, small numbers that are used again after `closed`.
//!
//! Readiness is edge-triggered: the kernel says once that a socket has become readable, and each connection remembers it
//! until a read has found it empty. So a connection whose reading pauses costs nothing, and none of the calls that a busy
//! turn makes is about registration: it is one `epoll_wait`, and per connection one `recv` and one `send`.
//!
//! Input buffers. A connection with no bytes left over owns no buffer: while it is served it is lent one of the
//! reactor's, which is warm in the cache, and which is taken back when everything in it was consumed. A connection that
//! leaves bytes behind keeps the buffer.
//!
//! Re-entry. `received`, `woken` and `timeout` are given the loop itself as [`Reenter`]. A handler that will not come back
//! for a while calls [`Reenter::serve_limited`] now and then, and the loop makes a turn for all *other* connections with
//! another handler, one that answers what may be answered meanwhile. Connections that were ready but had not had their
//! turn are served too. This needs no second thread, so it works when there is only one.
//!
//! Invariants
//! 1. `received` is called for a token only while `wants_input` is true for it, and never within itself for the same token.
//! 2. What the peer sent before it closed its side is given to the handler, and what that answers is written (once, without
//!    waiting for room) before the connection is closed.
//! 3. After `closed` the token is not named to the handler again until `accepted` or [`Reenter::connect`] gives it out anew.
//! 4. A turn reads a bounded amount from each connection; who has more waits for the others.

mod inbox;
mod stream;
mod waker;

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};

pub use inbox::{ConnInfo, Inbox, Incoming};
pub use stream::{MAX_SLICES, Stream};
pub use waker::Waker;

use crate::clock;

/// The size of a lent buffer, and of the room that a connection's own buffer grows by.
pub const READ_SIZE: usize = 16 * 1024;
/// A buffer with less room than this is grown before a read.
const LEAST_ROOM: usize = 4 * 1024;
/// How much of a big argument is asked for at once, unless the buffer holds more already. A peer that announces half a
/// gigabyte has to send it before memory is set aside for it.
const BIG_STEP: usize = 1024 * 1024;
/// How much a turn reads from one connection.
const TURN_LIMIT: usize = 256 * 1024;
/// The same while it sends a big argument, which costs nothing but copying.
const BIG_TURN_LIMIT: usize = 4 * 1024 * 1024;

/// How often at most a loop looks for work before it sleeps: some ten microseconds.
const MOST_LOOKS: u32 = 32;

const WAKER: Token = Token(usize::MAX);

/// What is to become of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It goes on.
    Keep,
    /// It is closed when its output has gone out.
    CloseAfterOutput,
    /// It is closed now.
    CloseNow,
    /// The same, and what the system has taken but not sent yet is thrown away: it must not arrive when a broken network heals.
    Abort,
}

/// The connections of one reactor, seen from the side that knows what they mean.
pub trait Connections {
    /// A new connection, which will be called `token`. False refuses it, and the handler forgets the token. To refuse with
    /// a text, accept it, put the text into its output, and answer [`Verdict::CloseAfterOutput`].
    fn accepted(&mut self, token: usize, info: ConnInfo) -> bool;
    /// The attempt that [`Reenter::connect`] began has ended: with our own end of the connection, if it stands; after an
    /// error `closed` follows.
    fn connected(&mut self, _token: usize, _result: io::Result<Option<SocketAddr>>) {}
    /// An error has ended the connection; `closed` follows. Without this, the peer has closed it, or the handler has.
    fn broken(&mut self, _token: usize, _why: io::ErrorKind) {}
    /// The buffer to which bytes are appended as they are read. Bytes that the handler has consumed it removes before it
    /// returns from `received`; when none are left the reactor may take the memory.
    fn input(&mut self, token: usize) -> &mut Vec<u8>;
    /// How many bytes of a big argument are still missing; 0 when that is unknown or the argument is not big.
    fn want(&self, _token: usize) -> usize {
        0
    }
    /// Whether input may be read and looked at. While false, the peer's bytes stay in the socket, and so does the news that
    /// it has closed: a client that waits for long should go on wanting input and only not look at it.
    /// When it becomes true again the handler reports the token as touched, and `received` is called. (A handler that wants
    /// input without looking at it looks again by itself.)
    fn wants_input(&self, token: usize) -> bool;
    /// Calls `send` with the bytes that may leave now, at most [`MAX_SLICES`] slices at a time, until it takes fewer than
    /// it was given or nothing is left. It answers how many bytes it took. Returns whether all output has left, held output included.
    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool;
    /// What is to become of it.
    fn verdict(&self, token: usize) -> Verdict;
    /// It is gone.
    fn closed(&mut self, token: usize);
    /// Adds the tokens that since the last call have got output to send, another verdict, or want input again.
    fn touched(&mut self, into: &mut Vec<usize>);
}

/// The logic of an I/O thread.
pub trait Handler: Connections {
    /// Bytes were appended to the input, or input that was there already may go on.
    fn received(&mut self, token: usize, io: &mut dyn Reenter);
    /// Somebody has called the waker.
    fn woken(&mut self, io: &mut dyn Reenter);
    /// Everything that was ready has been served; nothing is written yet.
    fn end_of_turn(&mut self) {}
    /// When `timeout` is due, in Unix milliseconds.
    fn deadline(&self) -> Option<i64>;
    /// The deadline has come; `now` is in Unix milliseconds.
    fn timeout(&mut self, now: i64, io: &mut dyn Reenter);
    /// Whether the loop is to end. Output that is there is written once before it does.
    fn is_over(&self) -> bool {
        false
    }
}

/// The logic of a turn within a turn.
pub trait LimitedHandler: Connections {
    /// As [`Handler::received`], for a connection other than the one that is being served.
    fn received_limited(&mut self, token: usize);
}

/// What a handler may ask of the loop that is calling it.
pub trait Reenter {
    /// Serves all other connections once, without waiting: polls, reads, hands them to `handler`, writes, closes.
    fn serve_limited(&mut self, handler: &mut dyn LimitedHandler) -> io::Result<()>;
    /// Begins to connect to a peer, from `source` if one is given. The token is the new connection's; `connected` will
    /// tell how it went. It does not count among the connections that the acceptor balances.
    fn connect(&mut self, target: SocketAddr, source: Option<IpAddr>) -> io::Result<usize>;
    /// Where new connections and calls for this thread go.
    fn inbox(&self) -> &Arc<Inbox>;
}

#[derive(Debug)]
struct Conn {
    stream: Stream,
    /// It stands in `Core::ready`.
    queued: bool,
    /// The socket may hold bytes.
    readable: bool,
    /// The peer has closed its side or reset the connection: reads go on until they say so.
    hung_up: bool,
    /// A read has said so.
    eof: bool,
    /// An error has ended it.
    broken: Option<io::ErrorKind>,
    /// The last write was short, and no news of room has come since.
    full: bool,
    /// Registered for writability.
    watches_room: bool,
    /// Its input waits in the socket or in its buffer because the handler did not want it.
    paused: bool,
    /// The connection attempt goes on.
    connecting: bool,
    /// It came through the inbox and counts there.
    dealt: bool,
}

impl Conn {
    fn new(stream: Stream, dealt: bool) -> Self {
        Conn {
            stream,
            queued: false,
            readable: false,
            hung_up: false,
            eof: false,
            broken: None,
            full: false,
            watches_room: false,
            paused: false,
            connecting: false,
            dealt,
        }
    }
}

/// One thread's loop.
#[derive(Debug)]
pub struct Reactor {
    core: Core,
    events: Events,
}

#[derive(Debug)]
struct Core {
    poll: Poll,
    waker: Arc<Waker>,
    inbox: Arc<Inbox>,
    conns: Vec<Option<Conn>>,
    free: Vec<usize>,
    /// Tokens with something to read or to go on with.
    ready: VecDeque<usize>,
    /// Tokens whose output or end is to be looked at.
    flush: Vec<usize>,
    /// The token whose `received` is running, or `usize::MAX`.
    running: usize,
    /// Buffers to lend. More than one only after re-entry.
    buffers: Vec<Vec<u8>>,
    /// The latest poll has found something.
    busy: bool,
    /// How often the loop looks for work before it sleeps.
    patience: u32,
}

const NOBODY: usize = usize::MAX;

impl Reactor {
    /// A loop without connections.
    pub fn new() -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKER)?);
        let core = Core {
            inbox: Arc::new(Inbox::new(waker.clone())),
            poll,
            waker,
            conns: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            flush: Vec::new(),
            running: NOBODY,
            buffers: Vec::new(),
            busy: false,
            patience: 1,
        };
        Ok(Reactor { core, events: Events::with_capacity(512) })
    }

    /// Where connections for this loop go, and its waker.
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.core.inbox
    }

    /// Turns until the handler is over.
    pub fn run<H: Handler + ?Sized>(&mut self, handler: &mut H) -> io::Result<()> {
        while !handler.is_over() {
            self.turn(handler)?;
        }
        self.core.write(handler);
        Ok(())
    }

    /// One turn: waits until something is ready or due, and serves it.
    pub fn turn<H: Handler + ?Sized>(&mut self, handler: &mut H) -> io::Result<()> {
        let core = &mut self.core;
        core.wait(&mut self.events, handler.deadline())?;
        let woken = core.waker.take();
        if woken {
            core.welcome(handler);
        }
        for _ in 0..core.ready.len() {
            let Some(token) = core.ready.pop_front() else { break };
            core.serve(handler, token, |handler, token, core| handler.received(token, core));
        }
        if woken {
            handler.woken(core);
        }
        if let Some(deadline) = handler.deadline() {
            let now = clock::unix_ms();
            if deadline <= now {
                handler.timeout(now, core);
            }
        }
        handler.end_of_turn();
        core.write(handler);
        core.inbox.turned();
        Ok(())
    }
}

impl Core {
    /// Polls, without waiting when there is something to do already, and marks what is ready.
    fn wait(&mut self, events: &mut Events, deadline: Option<i64>) -> io::Result<()> {
        let mut timeout = deadline.map(|at| Duration::from_millis(at.saturating_sub(clock::unix_ms()).max(0) as u64));
        if !self.ready.is_empty() || !self.flush.is_empty() {
            timeout = Some(Duration::ZERO);
        }
        if timeout != Some(Duration::ZERO) && self.busy && self.look_again(events)? {
            return Ok(());
        }
        if timeout != Some(Duration::ZERO) && !self.waker.fall_asleep() {
            timeout = Some(Duration::ZERO);
        }
        let polled = self.poll_once(events, timeout);
        self.waker.rise();
        polled
    }

    /// Looks for work a few times without waiting, and tells whether there was some. Falling asleep and being woken costs
    /// this side, and even more whoever sends the next request, as much as many vain looks: so a loop that was busy is
    /// patient, and the more so the more often that has been worth it.
    fn look_again(&mut self, events: &mut Events) -> io::Result<bool> {
        for _ in 0..self.patience {
            self.poll_once(events, Some(Duration::ZERO))?;
            if self.busy {
                self.patience = (self.patience * 2).min(MOST_LOOKS);
                return Ok(true);
            }
        }
        self.patience = (self.patience / 2).max(1);
        Ok(false)
    }

    /// Polls and marks what is ready.
    fn poll_once(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(events, timeout) {
            Ok(()) => {
                self.busy = !events.is_empty();
                self.mark(events);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
        Ok(())
    }

    fn mark(&mut self, events: &Events) {
        for event in events {
            let Token(token) = event.token();
            let Some(Some(conn)) = self.conns.get_mut(token) else { continue };
            let may_write = event.is_writable() || event.is_error() || event.is_write_closed();
            if may_write && (conn.full || conn.connecting) {
                conn.full = false;
                self.flush.push(token);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                conn.readable = true;
                conn.hung_up |= event.is_read_closed() || event.is_error();
                if !conn.queued && !conn.connecting && token != self.running {
                    conn.queued = true;
                    self.ready.push_back(token);
                }
            }
        }
    }

    /// Takes in the connections that were dealt to this loop.
    fn welcome<C: Connections + ?Sized>(&mut self, handler: &mut C) {
        for Incoming { stream, info } in self.inbox.take() {
            let token = self.place(Conn::new(stream, true));
            let conn = self.conns[token].as_mut().expect("just placed");
            let registered = conn.stream.register(self.poll.registry(), Token(token), Interest::READABLE);
            if registered.is_err() || !handler.accepted(token, info) {
                self.remove(token);
            }
        }
    }

    fn place(&mut self, conn: Conn) -> usize {
        match self.free.pop() {
            Some(token) => {
                self.conns[token] = Some(conn);
                token
            }
            None => {
                self.conns.push(Some(conn));
                self.conns.len() - 1
            }
        }
    }

    fn remove(&mut self, token: usize) {
        // Closing the descriptor takes it out of the poll as well.
        if let Some(conn) = self.conns[token].take() {
            if conn.dealt {
                self.inbox.left();
            }
            self.free.push(token);
        }
    }

    /// Reads from one connection and lets the handler look, again and again until the socket is empty, the handler has
    /// enough, or the connection has had its share.
    fn serve<C, F>(&mut self, handler: &mut C, token: usize, received: F)
    where
        C: Connections + ?Sized,
        F: Fn(&mut C, usize, &mut Core),
    {
        let Some(Some(conn)) = self.conns.get_mut(token) else { return };
        conn.queued = false;
        let mut lent = false;
        let mut read = 0;
        loop {
            let Some(Some(conn)) = self.conns.get_mut(token) else { return };
            if conn.broken.is_some() {
                break;
            }
            if !handler.wants_input(token) {
                conn.paused = true;
                break;
            }
            let resumes = std::mem::take(&mut conn.paused);
            let want = handler.want(token);
            let limit = if want > 0 { BIG_TURN_LIMIT } else { TURN_LIMIT };
            if conn.readable && !conn.eof && read >= limit {
                conn.queued = true;
                self.ready.push_back(token);
                break;
            }
            let n = if conn.readable && !conn.eof {
                let input = handler.input(token);
                if input.capacity() == 0 && want == 0 {
                    *input = self.buffers.pop().unwrap_or_else(|| Vec::with_capacity(READ_SIZE));
                    lent = true;
                }
                fill(conn, input, want)
            } else {
                0
            };
            if n == 0 && !resumes {
                break;
            }
            read += n;
            let outer = std::mem::replace(&mut self.running, token);
            received(handler, token, self);
            self.running = outer;
        }
        if let Some(Some(conn)) = self.conns.get_mut(token) {
            if conn.eof || conn.broken.is_some() {
                self.flush.push(token);
            }
            if lent {
                let input = handler.input(token);
                if input.is_empty() && input.capacity() == READ_SIZE {
                    self.buffers.push(std::mem::take(input));
                }
            }
        }
    }

    /// Writes and, where due, closes every connection that was touched.
    fn write<C: Connections + ?Sized>(&mut self, handler: &mut C) {
        let mut tokens = std::mem::take(&mut self.flush);
        handler.touched(&mut tokens);
        for token in tokens.drain(..) {
            self.settle(handler, token);
        }
        // The memory goes back. What was put off (the running connection), and whom the end of one connection has given
        // something to say to another, has its turn next, without a wait.
        tokens.append(&mut self.flush);
        handler.touched(&mut tokens);
        self.flush = tokens;
    }

    fn settle<C: Connections + ?Sized>(&mut self, handler: &mut C, token: usize) {
        let Some(Some(conn)) = self.conns.get_mut(token) else { return };
        if token == self.running {
            self.flush.push(token);
            return;
        }
        if conn.connecting && !self.finish_connecting(handler, token) {
            return;
        }
        let Some(Some(conn)) = self.conns.get_mut(token) else { return };
        match handler.verdict(token) {
            Verdict::CloseNow => return self.close(handler, token),
            Verdict::Abort => return self.abort(handler, token),
            Verdict::Keep | Verdict::CloseAfterOutput => {}
        }
        let mut all_out = false;
        if !conn.full && conn.broken.is_none() {
            let Conn { stream, full, broken, .. } = conn;
            all_out = handler.output(token, &mut |slices| send(stream, slices, full, broken));
            all_out &= !*full && broken.is_none();
        }
        if let Some(why) = conn.broken {
            handler.broken(token, why);
            return self.close(handler, token);
        }
        if conn.full != conn.watches_room && (conn.full || !conn.stream.is_quiet_when_writable()) {
            conn.watches_room = conn.full;
            let interest = if conn.full { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
            if conn.stream.reregister(self.poll.registry(), Token(token), interest).is_err() {
                return self.close(handler, token);
            }
        }
        let wants_input = handler.wants_input(token);
        match handler.verdict(token) {
            Verdict::CloseNow => return self.close(handler, token),
            Verdict::Abort => return self.abort(handler, token),
            Verdict::CloseAfterOutput if all_out => return self.close(handler, token),
            Verdict::CloseAfterOutput => {}
            Verdict::Keep => {
                if conn.eof && wants_input && !conn.paused && (all_out || conn.full) {
                    return self.close(handler, token);
                }
            }
        }
        if conn.paused && wants_input && !conn.queued {
            conn.queued = true;
            self.ready.push_back(token);
        }
    }

    fn abort<C: Connections + ?Sized>(&mut self, handler: &mut C, token: usize) {
        if let Some(Some(conn)) = self.conns.get(token) {
            conn.stream.forget_unsent();
        }
        self.close(handler, token);
    }

    fn close<C: Connections + ?Sized>(&mut self, handler: &mut C, token: usize) {
        self.remove(token);
        handler.closed(token);
    }

    /// Looks whether a connection attempt has ended; true when the connection stands.
    fn finish_connecting<C: Connections + ?Sized>(&mut self, handler: &mut C, token: usize) -> bool {
        let Some(Some(conn)) = self.conns.get_mut(token) else { return false };
        let result = match conn.stream.take_error() {
            Ok(Some(e)) | Err(e) => Err(e),
            Ok(None) => match &conn.stream {
                Stream::Tcp(s) => match s.peer_addr() {
                    Ok(_) => Ok(s.local_addr().ok()),
                    // Still under way; another event will come.
                    Err(e) if e.kind() == io::ErrorKind::NotConnected => return false,
                    Err(e) => Err(e),
                },
                Stream::Unix(_) => Ok(None),
            },
        };
        conn.connecting = false;
        let failed = result.is_err();
        if conn.readable && !conn.queued {
            conn.queued = true;
            self.ready.push_back(token);
        }
        handler.connected(token, result);
        if failed {
            self.close(handler, token);
        }
        !failed
    }
}

impl Reenter for Core {
    fn serve_limited(&mut self, handler: &mut dyn LimitedHandler) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        self.poll_once(&mut events, Some(Duration::ZERO))?;
        self.welcome(handler);
        for _ in 0..self.ready.len() {
            let Some(token) = self.ready.pop_front() else { break };
            self.serve(handler, token, |handler, token, _| handler.received_limited(token));
        }
        self.write(handler);
        Ok(())
    }

    fn connect(&mut self, target: SocketAddr, source: Option<IpAddr>) -> io::Result<usize> {
        let stream = connect_from(target, source)?;
        let mut conn = Conn::new(Stream::Tcp(stream), false);
        conn.connecting = true;
        conn.watches_room = true;
        let token = self.place(conn);
        let conn = self.conns[token].as_mut().expect("just placed");
        let interest = Interest::READABLE | Interest::WRITABLE;
        if let Err(e) = conn.stream.register(self.poll.registry(), Token(token), interest) {
            self.remove(token);
            return Err(e);
        }
        Ok(token)
    }

    fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }
}

/// Reads once into `input`, and notes what the read has told about the connection.
fn fill(conn: &mut Conn, input: &mut Vec<u8>, want: usize) -> usize {
    let room = if want > READ_SIZE {
        let room = want.min(input.len().max(BIG_STEP));
        input.reserve_exact(room);
        room
    } else {
        if input.capacity() - input.len() < LEAST_ROOM {
            input.reserve(READ_SIZE);
        }
        input.capacity() - input.len()
    };
    match conn.stream.receive(input, room) {
        Ok(0) => {
            conn.eof = true;
            conn.readable = false;
            0
        }
        Ok(n) => {
            // A read that leaves room has emptied the socket: its next bytes are announced again. The end of the stream
            // is not, if it was announced before.
            if n < room && !conn.hung_up {
                conn.readable = false;
            }
            n
        }
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
            conn.readable = false;
            0
        }
        Err(e) => {
            conn.broken = Some(e.kind());
            0
        }
    }
}

fn send(stream: &mut Stream, slices: &[IoSlice<'_>], full: &mut bool, broken: &mut Option<io::ErrorKind>) -> usize {
    if *full || broken.is_some() || slices.is_empty() {
        return 0;
    }
    let total: usize = slices.iter().take(MAX_SLICES).map(|s| s.len()).sum();
    match stream.send(slices) {
        Ok(n) => {
            *full = n < total;
            n
        }
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
            *full = true;
            0
        }
        Err(e) => {
            *broken = Some(e.kind());
            0
        }
    }
}

fn connect_from(target: SocketAddr, source: Option<IpAddr>) -> io::Result<mio::net::TcpStream> {
    let socket = outgoing(target, source)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&target.into()) {
        Ok(()) => {}
        Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) || e.kind() == io::ErrorKind::WouldBlock => {}
        Err(e) => return Err(e),
    }
    Ok(mio::net::TcpStream::from_std(socket.into()))
}

/// Connects from an address of this host, if one is given, and waits for it at most so long; for a thread that has only this
/// connection. An address of the other family is left out.
pub fn connect_and_wait(
    target: SocketAddr,
    source: Option<IpAddr>,
    limit: Duration,
) -> io::Result<std::net::TcpStream> {
    let source = source.filter(|source| source.is_ipv4() == target.is_ipv4());
    let socket = outgoing(target, source)?;
    socket.connect_timeout(&target.into(), limit)?;
    Ok(socket.into())
}

fn outgoing(target: SocketAddr, source: Option<IpAddr>) -> io::Result<socket2::Socket> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_tcp_nodelay(true)?;
    if let Some(ip) = source {
        socket.set_reuse_address(true)?;
        socket.bind(&SocketAddr::new(ip, 0).into())?;
    }
    Ok(socket)
}

impl ConnInfo {
    /// What is known of an accepted TCP connection.
    pub fn tcp(stream: &mio::net::TcpStream, peer: SocketAddr) -> Self {
        ConnInfo { peer: Some(peer), local: stream.local_addr().ok(), path: None, fd: stream.as_raw_fd() }
    }

    /// What is known of a connection that came through the Unix socket at `path`.
    pub fn unix(stream: &mio::net::UnixStream, path: &std::path::Path) -> Self {
        ConnInfo { peer: None, local: None, path: Some(path.to_owned()), fd: stream.as_raw_fd() }
    }
}
