//! What all processes of a universe share: time, chance, the network, and what is to happen next.
//!
//! ```text
//!   agenda (by time, then by order of entry) ─► event ─► the process that it is for ─► packets, timers ─► agenda
//! ```
//!
//! Nothing else makes anything happen. Two events of one moment happen in the order in which they were entered, so a run is
//! a function of the seed. The trace is a hash over all events; equal seeds have equal traces.

use std::cmp::Ordering as Order;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::net::{ConnId, Net, Packet};
use crate::random::Random;

/// A moment, in microseconds since the beginning of the universe.
pub type Micros = u64;

/// A process, by its place in the universe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Pid(pub u16);

impl Pid {
    /// The place as an index.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What the wall clocks of all processes show at the beginning, in ms.
pub const EPOCH_MS: i64 = 1_700_000_000_000;

/// Something that is to happen.
#[derive(Debug)]
pub enum Event {
    /// A packet arrives, or would if the network let it.
    Packet { conn: ConnId, from: usize, packet: Packet },
    /// What was lost is sent again.
    Retry { conn: ConnId, from: usize },
    /// A process looks at its clock. Meant for this life of it.
    Timer { pid: Pid, life: u32 },
    /// A process is started again, if it does not run.
    Start { pid: Pid },
    /// The plan's fault of this number begins or ends.
    Fault { number: usize, begins: bool },
}

struct Entry {
    at: Micros,
    order: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

/// The heap gives the greatest first: the earliest.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Order {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// What is to happen, and when.
#[derive(Default)]
pub struct Agenda {
    heap: BinaryHeap<Entry>,
    order: u64,
}

impl Agenda {
    /// Enters an event.
    pub fn enter(&mut self, at: Micros, event: Event) {
        self.order += 1;
        self.heap.push(Entry { at, order: self.order, event });
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<Micros> {
        self.heap.peek().map(|entry| entry.at)
    }

    /// Takes the next event.
    pub fn take(&mut self) -> Option<(Micros, Event)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

/// The clock of one process: virtual time, and how wrong its wall clock is.
#[derive(Debug)]
pub struct Clock {
    now: Arc<AtomicU64>,
    offset_ms: AtomicI64,
}

impl Clock {
    /// A clock that is right.
    pub fn new(now: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Clock { now, offset_ms: AtomicI64::new(0) })
    }

    /// The wall clock jumps.
    pub fn jump(&self, ms: i64) {
        self.offset_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// When, in the universe's time, the wall clock will show this.
    pub fn at_wall(&self, unix_ms: i64) -> Micros {
        let ms = unix_ms.saturating_sub(EPOCH_MS).saturating_sub(self.offset_ms.load(Ordering::Relaxed));
        (ms.max(0) as u64).saturating_mul(1000)
    }

    /// The universe's time.
    pub fn micros(&self) -> Micros {
        self.now.load(Ordering::Relaxed)
    }
}

impl engine::Clock for Clock {
    fn unix_millis(&self) -> i64 {
        EPOCH_MS + (self.micros() / 1000) as i64 + self.offset_ms.load(Ordering::Relaxed)
    }

    fn nanos(&self) -> u64 {
        self.micros() * 1000
    }
}

/// A hash over everything that happens, and on demand a text of it.
#[derive(Default)]
pub struct Trace {
    hash: u64,
    /// Whether lines are printed.
    pub loud: bool,
}

impl Trace {
    /// Takes note of bytes.
    pub fn note(&mut self, at: Micros, what: u64, bytes: &[u8]) {
        let mut hash = self.hash ^ at.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ what.rotate_left(17);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            hash = (hash.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        self.hash = (hash ^ bytes.len() as u64).wrapping_mul(0x2127_599b_f432_5c37) ^ (hash >> 29);
    }

    /// Prints a line if lines are wanted.
    pub fn say(&self, at: Micros, line: impl FnOnce() -> String) {
        if self.loud {
            println!("{:>10.3} {}", at as f64 / 1000.0, line());
        }
    }

    /// The hash so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

/// See the head of this file.
pub struct Universe {
    /// The present.
    pub now: Micros,
    clock: Arc<AtomicU64>,
    /// What is to happen.
    pub agenda: Agenda,
    /// Chance.
    pub random: Random,
    /// Connections.
    pub net: Net,
    /// What has happened.
    pub trace: Trace,
    /// How many events have happened.
    pub events: u64,
}

impl Universe {
    /// Before the first event.
    pub fn new(seed: u64, loud: bool) -> Self {
        let mut random = Random::new(seed);
        let net = Net::new(random.fork());
        Universe {
            now: 0,
            clock: Arc::default(),
            agenda: Agenda::default(),
            random,
            net,
            trace: Trace { loud, ..Trace::default() },
            events: 0,
        }
    }

    /// A clock that is right.
    pub fn new_clock(&self) -> Arc<Clock> {
        Clock::new(self.clock.clone())
    }

    /// Takes the next event that is due by `limit`; time goes on to it, or to the limit.
    pub fn next(&mut self, limit: Micros) -> Option<Event> {
        let due = self.agenda.next_at().is_some_and(|at| at <= limit);
        let taken = if due { self.agenda.take() } else { None };
        self.now = self.now.max(taken.as_ref().map_or(limit, |(at, _)| *at));
        self.clock.store(self.now, Ordering::Relaxed);
        self.events += u64::from(taken.is_some());
        taken.map(|(_, event)| event)
    }

    /// Enters an event that is due in a while.
    pub fn later(&mut self, micros: Micros, event: Event) {
        self.agenda.enter(self.now + micros, event);
    }

    /// Opens a connection to a port: the program is told of its fate.
    pub fn connect(&mut self, from: Pid, to: Pid, port: u16) -> ConnId {
        self.net.connect(self.now, &mut self.agenda, from, to, port)
    }

    /// Sends bytes on a connection.
    pub fn send(&mut self, conn: ConnId, from: usize, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.net.send(self.now, &mut self.agenda, conn, from, Packet::Bytes(bytes));
        }
    }

    /// Closes this end of a connection; the other is told, if the network lets it.
    pub fn close(&mut self, conn: ConnId, from: usize) {
        self.net.close(self.now, &mut self.agenda, conn, from);
    }
}
