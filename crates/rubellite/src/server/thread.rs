//! One I/O thread: the reactor's handler over the node's worker.

use std::borrow::BorrowMut;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use node::busy::{NoTurn, Turn};
use node::server::Server;
use node::worker::Worker;
use runtime::reactor::MAX_SLICES;
use runtime::{ConnInfo, Connections, Handler, LimitedHandler, Reactor, Reenter, Verdict, Waker, errno, log};
use session::{ClientCard, Flag, Notify};

/// How often a replica is given its next piece in one turn.
const REFILLS: usize = 8;

/// Wakes an I/O thread when its mailbox has something.
struct WakeReactor(Arc<Waker>);

impl Notify for WakeReactor {
    fn notify(&self) {
        self.0.notify();
    }
}

/// Lets the node's mailbox wake this reactor.
pub fn attach(server: &Server, index: usize, reactor: &Reactor) {
    server.mailboxes[index].attach(Arc::new(WakeReactor(reactor.inbox().waker().clone())));
}

/// The handler of one I/O thread. In a turn within the turn its worker is lent.
pub struct IoThread<'s, W> {
    worker: W,
    server: &'s Server,
    index: usize,
}

impl<'s> IoThread<'s, Worker<'s>> {
    /// The handler of thread `index`.
    pub fn new(server: &'s Server, index: usize) -> Self {
        IoThread { worker: Worker::new(server, index), server, index }
    }
}

/// The loop while a unit runs: it makes a turn for the other connections.
struct InTurn<'t, 's> {
    io: &'t mut dyn Reenter,
    server: &'s Server,
    index: usize,
}

impl<'s> Turn<'s> for InTurn<'_, 's> {
    fn serve(&mut self, worker: &mut Worker<'s>) {
        let mut thread = IoThread { worker, server: self.server, index: self.index };
        if let Err(e) = self.io.serve_limited(&mut thread) {
            log::warning(format!("I/O thread {} cannot serve others: {}", self.index, errno::text(&e)));
        }
    }
}

impl<'s> LimitedHandler for IoThread<'s, &mut Worker<'s>> {
    fn received_limited(&mut self, token: usize) {
        self.worker.received_meanwhile(token);
    }
}

impl<'s, W: BorrowMut<Worker<'s>>> IoThread<'s, W> {
    fn worker(&mut self) -> &mut Worker<'s> {
        self.worker.borrow_mut()
    }

    /// Sends what is in a client's output. False when something is left.
    fn send_all(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        let Some(client) = self.worker().client(token) else { return true };
        let ready = client.out.len();
        let mut sent = 0;
        while sent < ready {
            let n = send(&[IoSlice::new(&client.out.buf[sent..ready])]);
            sent += n;
            if n == 0 || sent < ready {
                break;
            }
        }
        if sent > 0 {
            self.worker().sent(token, sent);
        }
        loop {
            let Some(client) = self.worker().client(token) else { return true };
            if !client.out.is_empty() {
                return false;
            }
            if client.chunks.is_empty() {
                return true;
            }
            let slices: Vec<IoSlice<'_>> = client.chunks.iter().take(MAX_SLICES).map(|c| IoSlice::new(c)).collect();
            let offered: usize = slices.iter().map(|s| s.len()).sum();
            let n = send(&slices);
            self.worker().sent_shared(token, n);
            if n < offered {
                return false;
            }
        }
    }
}

impl<'s, W: BorrowMut<Worker<'s>>> Connections for IoThread<'s, W> {
    fn accepted(&mut self, token: usize, info: ConnInfo) -> bool {
        let id = self.server.last_client.fetch_add(1, Ordering::Relaxed) + 1;
        let mut card = ClientCard::new(id, self.index, info.fd, self.server.engine.now().0);
        card.addr = info.peer;
        card.laddr = info.local;
        card.path = info.path.map(|path| path.display().to_string());
        card.set(Flag::Unix, card.path.is_some());
        self.worker().accepted(token, card);
        true
    }

    fn input(&mut self, token: usize) -> &mut Vec<u8> {
        &mut self.worker().client(token).expect("the reactor names living connections").input
    }

    fn want(&self, token: usize) -> usize {
        self.worker.borrow().peek(token).map_or(0, |client| client.want)
    }

    fn wants_input(&self, token: usize) -> bool {
        self.worker.borrow().peek(token).is_some_and(|client| client.is_ready() || client.waits_long())
    }

    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        if self.server.is_mute() {
            return true;
        }
        for _ in 0..REFILLS {
            if !self.send_all(token, send) {
                return false;
            }
            if !self.worker().refill(token) {
                return true;
            }
        }
        self.worker().touch(token);
        false
    }

    fn verdict(&self, token: usize) -> Verdict {
        match self.worker.borrow().peek(token) {
            Some(client) if client.close_asap => Verdict::CloseNow,
            Some(client) if client.close_after_reply => Verdict::CloseAfterOutput,
            _ => Verdict::Keep,
        }
    }

    fn closed(&mut self, token: usize) {
        self.worker().closed(token);
    }

    fn touched(&mut self, into: &mut Vec<usize>) {
        self.worker().take_touched(into);
    }
}

impl<'s> Handler for IoThread<'s, Worker<'s>> {
    fn received(&mut self, token: usize, io: &mut dyn Reenter) {
        self.server.still.wait();
        self.worker.received(token, &mut InTurn { io, server: self.server, index: self.index });
    }

    fn woken(&mut self, io: &mut dyn Reenter) {
        self.server.still.wait();
        self.worker.read_letters(&mut InTurn { io, server: self.server, index: self.index });
    }

    fn end_of_turn(&mut self) {
        self.worker.end_of_turn();
        // What this turn's own commands have caused (messages to subscribers of this very thread) leaves with it.
        if !self.server.mailboxes[self.index].is_empty() {
            self.worker.read_letters(&mut NoTurn);
            self.worker.end_of_turn();
        }
    }

    fn deadline(&self) -> Option<i64> {
        self.worker.deadline().map(|at| at.0)
    }

    fn timeout(&mut self, _now: i64, io: &mut dyn Reenter) {
        self.server.still.wait();
        self.worker.timeout(&mut InTurn { io, server: self.server, index: self.index });
    }

    fn is_over(&self) -> bool {
        self.server.is_over()
    }
}

/// Runs thread `index` until the server is over.
pub fn run(server: &Server, index: usize, reactor: &mut Reactor) -> io::Result<()> {
    let mut handler = IoThread::new(server, index);
    reactor.run(&mut handler)
}
