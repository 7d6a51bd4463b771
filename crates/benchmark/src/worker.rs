//! One thread's share of the connections: an event loop that does as little as it can.
//!
//! ```text
//!   readable ──► read ──► skip replies ──► all there? ──► fill numbers ──► write     no registration in between
//! ```
//!
//! A connection sends a request only when all replies to the last one are there. So a read that does not fill the
//! buffer has emptied the socket, and the next bytes raise a new edge: two system calls for each request, and a share
//! of a poll. The bytes to send are one buffer of the thread, filled in place; only what a socket does not take at once
//! is kept with the connection.
//!
//! A latency is the time from the begin of the write to the moment when the first bytes of the answer are looked at;
//! all replies of a pipeline share it.
//!
//! Where the peer's differs: it changes the registration of the socket four times for each request and decodes replies
//! into objects.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use client::os_text;
use mio::event::Event;
use mio::{Events, Interest, Poll, Token};

use crate::cluster::Cluster;
use crate::latency::Latencies;
use crate::placeholder::Numbers;
use crate::plan::Plan;
use crate::run::Report;
use crate::screen::complain;
use crate::skip::Skipper;
use crate::socket::Socket;
use crate::tally::{Phase, Tally};
use crate::{Failure, failure};

/// The token of the waker; connections have the tokens from zero on.
pub const WAKE: Token = Token(usize::MAX);

/// Bytes asked of a socket at once.
const READ_SIZE: usize = 64 * 1024;

/// Connections that are being made at the same time; a server's backlog holds that many.
const CONNECTING: usize = 64;

/// How long a cluster that is down is left alone before it is asked again.
const DOWN_PAUSE: Duration = Duration::from_secs(1);

pub struct Worker<'a> {
    plan: &'a Plan<'a>,
    tally: &'a Tally,
    poll: Poll,
    clients: Vec<Client>,
    /// Clients from this one on have not begun to connect.
    unopened: usize,
    connecting: usize,
    has_started: bool,
    /// The request, with the numbers of the last send.
    request: Vec<u8>,
    input: Vec<u8>,
    numbers: Numbers<'a>,
    latencies: Latencies,
    /// Clients that wait for the rate to allow their next request.
    paused: VecDeque<usize>,
    slots: Slots<'a>,
}

/// One connection.
struct Client {
    socket: Option<Socket>,
    is_connected: bool,
    node: usize,
    skipper: Skipper,
    sent_at: Instant,
    latency_us: Option<u64>,
    /// Replies that are still to come, without those to the greeting.
    pending: u32,
    /// Replies to the greeting that are still to come.
    greeting: u32,
    /// What the socket has not taken yet.
    rest: Vec<u8>,
}

/// The nodes' slots as this thread knows them.
struct Slots<'a> {
    cluster: Option<&'a Cluster>,
    version: u64,
    by_node: Vec<Arc<[u16]>>,
}

impl<'a> Worker<'a> {
    pub fn new(plan: &'a Plan<'a>, tally: &'a Tally, index: usize, poll: Poll, seed: u64) -> Self {
        let numbers = (index..plan.options.clients).step_by(plan.threads());
        let clients: Vec<Client> = numbers.map(|number| Client::new(number % plan.targets.len())).collect();
        Worker {
            plan,
            tally,
            poll,
            clients,
            unopened: 0,
            connecting: 0,
            has_started: false,
            request: plan.request.clone(),
            input: vec![0; READ_SIZE],
            numbers: Numbers::new(plan.options.space.unwrap_or(0), seed, tally.counters.as_ref()),
            latencies: Latencies::new(plan.options.precision),
            paused: VecDeque::new(),
            slots: Slots { cluster: plan.cluster, version: u64::MAX, by_node: Vec::new() },
        }
    }

    /// Connects, tells that it has, and serves its connections until the test is over.
    pub fn run(mut self, reports: &Sender<Report>) -> Result<Latencies, Failure> {
        let mut events = Events::with_capacity(1024);
        self.open_more()?;
        let mut is_ready = false;
        while self.tally.phase() != Phase::Over {
            if !is_ready && self.connecting == 0 && self.unopened == self.clients.len() {
                is_ready = true;
                // Nobody listens any more when the test has failed elsewhere.
                let _ = reports.send(Report::Ready);
            }
            if !self.has_started && is_ready && self.tally.phase() > Phase::Connecting && !self.plan.options.idle {
                self.has_started = true;
                for at in 0..self.clients.len() {
                    self.send(at)?;
                }
            }
            let timeout = self.resume()?;
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.map_err(|error| failure(format!("Error: {}", os_text(&error))))?,
            }
            for event in &events {
                if event.token() == WAKE {
                    continue;
                }
                if self.tally.phase() == Phase::Over {
                    break;
                }
                self.serve(event.token().0, event)?;
            }
        }
        Ok(self.latencies)
    }

    fn open_more(&mut self) -> Result<(), Failure> {
        while self.unopened < self.clients.len() && self.connecting < CONNECTING {
            self.unopened += 1;
            self.open(self.unopened - 1)?;
        }
        Ok(())
    }

    fn open(&mut self, at: usize) -> Result<(), Failure> {
        let client = &mut self.clients[at];
        *client = Client { greeting: self.plan.greeting_replies, ..Client::new(client.node) };
        let target = &self.plan.targets[client.node];
        let mut socket = target.connect().map_err(|error| unreachable(self.plan, client.node, &error))?;
        let both = Interest::READABLE | Interest::WRITABLE;
        let registered = self.poll.registry().register(&mut socket, Token(at), both);
        registered.map_err(|error| unreachable(self.plan, client.node, &error))?;
        client.socket = Some(socket);
        self.connecting += 1;
        Ok(())
    }

    fn serve(&mut self, at: usize, event: &Event) -> Result<(), Failure> {
        let client = &mut self.clients[at];
        let Some(socket) = &mut client.socket else { return Ok(()) };
        if !client.is_connected {
            let made = socket.is_connected().map_err(|error| unreachable(self.plan, client.node, &error))?;
            if !made {
                return Ok(());
            }
            client.is_connected = true;
            self.connecting -= 1;
            self.watch(at, Interest::READABLE)?;
            self.open_more()?;
            return if self.has_started { self.send(at) } else { Ok(()) };
        }
        if event.is_writable() && !client.rest.is_empty() {
            self.write_rest(at)?;
        }
        if event.is_readable() || event.is_read_closed() || event.is_error() {
            self.receive(at)?;
        }
        Ok(())
    }

    /// Lets paused clients send what the rate allows; the result is when to look again.
    fn resume(&mut self) -> Result<Option<Duration>, Failure> {
        while let Some(&at) = self.paused.front() {
            if let Err(wait) = self.tally.admit(self.plan.replies) {
                return Ok(Some(wait));
            }
            self.paused.pop_front();
            self.send_admitted(at)?;
        }
        Ok(None)
    }

    fn send(&mut self, at: usize) -> Result<(), Failure> {
        if !self.paused.is_empty() || self.tally.admit(self.plan.replies).is_err() {
            self.paused.push_back(at);
            return Ok(());
        }
        self.send_admitted(at)
    }

    fn send_admitted(&mut self, at: usize) -> Result<(), Failure> {
        if !self.tally.issue(self.plan.replies) {
            // Enough is on its way. If what was asked for is nothing at all, nobody else will notice.
            if self.tally.is_complete() {
                self.tally.enter(Phase::Over);
            }
            return Ok(());
        }
        if let Some(placeholders) = &self.plan.placeholders {
            placeholders.fill(&mut self.request, &mut self.numbers);
        }
        let client = &mut self.clients[at];
        if !self.plan.tags.is_empty() {
            self.slots.fill(self.plan, client.node, &mut self.request, &mut self.numbers)?;
        }
        client.pending = self.plan.replies;
        client.latency_us = None;
        client.sent_at = Instant::now();
        if client.greeting > 0 {
            let bytes = [&self.plan.greeting[..], &self.request].concat();
            return self.write(at, Some(&bytes));
        }
        self.write(at, None)
    }

    /// Writes these bytes, or the request; what does not go out now follows when the socket takes it.
    #[inline]
    fn write(&mut self, at: usize, bytes: Option<&[u8]>) -> Result<(), Failure> {
        let client = &mut self.clients[at];
        let Some(socket) = &mut client.socket else { return Ok(()) };
        let bytes = bytes.unwrap_or(&self.request);
        let written = loop {
            match socket.write(bytes) {
                Ok(written) if written == bytes.len() => return Ok(()),
                Ok(written) => break written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break 0,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return self.lose(at, &error),
            }
        };
        client.rest = bytes[written..].to_vec();
        self.watch(at, Interest::READABLE | Interest::WRITABLE)
    }

    fn write_rest(&mut self, at: usize) -> Result<(), Failure> {
        let client = &mut self.clients[at];
        let Some(socket) = &mut client.socket else { return Ok(()) };
        let mut written = 0;
        while written < client.rest.len() {
            match socket.write(&client.rest[written..]) {
                Ok(more) => written += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => (),
                Err(error) => return self.lose(at, &error),
            }
        }
        client.rest.drain(..written);
        if client.rest.is_empty() { self.watch(at, Interest::READABLE) } else { Ok(()) }
    }

    fn receive(&mut self, at: usize) -> Result<(), Failure> {
        loop {
            let client = &mut self.clients[at];
            let Some(socket) = &mut client.socket else { return Ok(()) };
            let read = match socket.read(&mut self.input) {
                Ok(0) => return Err(failure("Error: Server closed the connection")),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(failure(format!("Error: {}", os_text(&error)))),
            };
            let sent_at = client.sent_at;
            let latency = *client.latency_us.get_or_insert_with(|| sent_at.elapsed().as_micros() as u64);
            let seen =
                client.skipper.feed(&self.input[..read]).map_err(|error| failure(format!("Error: {}", error.0)))?;
            if let Some(error) = seen.error {
                self.answer_error(at, &error)?;
            }
            let client = &mut self.clients[at];
            let greeted = seen.replies.min(client.greeting);
            client.greeting -= greeted;
            let replies = (seen.replies - greeted).min(client.pending);
            if replies > 0 {
                client.pending -= replies;
                let counted = self.tally.finish(replies, latency);
                if counted > 0 {
                    self.latencies.record(latency, counted);
                }
                if client.pending == 0 {
                    return self.next(at);
                }
            }
            if read < self.input.len() {
                return Ok(());
            }
        }
    }

    /// All replies are there: the next request, if there shall be one.
    fn next(&mut self, at: usize) -> Result<(), Failure> {
        if self.tally.is_complete() {
            self.tally.enter(Phase::Over);
            return Ok(());
        }
        if self.plan.options.keep_alive {
            return self.send(at);
        }
        self.close(at);
        self.open(at)
    }

    /// An error reply ends the run, unless it says that the cluster has changed.
    fn answer_error(&mut self, at: usize, text: &[u8]) -> Result<(), Failure> {
        let shown = String::from_utf8_lossy(text);
        let name = self.plan.name(self.clients[at].node);
        let Some(cluster) = self.plan.cluster else { return Err(failure(format!("Error from server: {shown}"))) };
        let is_down = text.starts_with(b"CLUSTERDOWN");
        if self.plan.tags.is_empty() || !(is_down || text.starts_with(b"MOVED") || text.starts_with(b"ASK")) {
            return Err(failure(format!("Error from server {name}: {shown}")));
        }
        if is_down {
            complain!("Error from server {name}: {shown}.");
            std::thread::sleep(DOWN_PAUSE);
        }
        cluster.refresh(self.slots.version, self.plan.options)
    }

    /// The server hung up while we wrote. The others go on without it.
    fn lose(&mut self, at: usize, error: &io::Error) -> Result<(), Failure> {
        if error.kind() != ErrorKind::BrokenPipe {
            complain!("Error writing to the server: {}", os_text(error));
        }
        self.close(at);
        self.tally.lose_client();
        Ok(())
    }

    fn close(&mut self, at: usize) {
        if let Some(mut socket) = self.clients[at].socket.take() {
            // Closing ends the registration in any case.
            let _ = self.poll.registry().deregister(&mut socket);
        }
    }

    fn watch(&mut self, at: usize, interests: Interest) -> Result<(), Failure> {
        let Some(socket) = &mut self.clients[at].socket else { return Ok(()) };
        let changed = self.poll.registry().reregister(socket, Token(at), interests);
        changed.map_err(|error| failure(format!("Error: {}", os_text(&error))))
    }
}

impl Client {
    fn new(node: usize) -> Self {
        Client {
            socket: None,
            is_connected: false,
            node,
            skipper: Skipper::default(),
            sent_at: Instant::now(),
            latency_us: None,
            pending: 0,
            greeting: 0,
            rest: Vec::new(),
        }
    }
}

impl Slots<'_> {
    /// Puts one tag of the node into all places of the request.
    fn fill(
        &mut self,
        plan: &Plan<'_>,
        node: usize,
        request: &mut [u8],
        numbers: &mut Numbers<'_>,
    ) -> Result<(), Failure> {
        let Some(cluster) = self.cluster else { return Ok(()) };
        if self.version != cluster.version() {
            self.version = cluster.version();
            self.by_node = cluster.slots();
        }
        let slots = &self.by_node[node];
        if slots.is_empty() {
            return Err(failure(format!("Node {} has no slots any more.", plan.name(node))));
        }
        let tag = cluster.tag(slots[numbers.choose(slots.len())]);
        for &place in &plan.tags {
            request[place..place + tag.len()].copy_from_slice(&tag);
        }
        Ok(())
    }
}

fn unreachable(plan: &Plan<'_>, node: usize, error: &io::Error) -> Failure {
    failure(format!("Could not connect to server at {}: {}", plan.name(node), os_text(error)))
}
