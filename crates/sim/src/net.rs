//! Connections between processes, as TCP gives them: bytes in order, or none.
//!
//! ```text
//!   send ─► delay (latency, jitter, now and then a retransmission) ─► arrives, if the way is open ─► the program
//!                                                                   └► not open: waits, is sent again ever less often
//! ```
//!
//! Within a connection nothing overtakes; between connections everything may. A packet that is lost is a packet that comes
//! later, and all behind it with it. What a partition cuts is silent: neither side is told, and each finds out by its own
//! time-outs. A process that ends closes its connections; a machine that loses its power does not, and whoever still
//! believes in one of its connections gets a reset when it is back.

use std::collections::VecDeque;

use crate::random::Random;
use crate::world::{Agenda, Event, Micros, Pid};

/// A connection, by its place in the history of the universe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId(pub u32);

impl ConnId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// What travels.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Packet {
    /// Somebody wants to connect.
    Syn,
    /// The connection stands.
    Accepted,
    /// Data.
    Bytes(Vec<u8>),
    /// Nothing more will come.
    Closed,
    /// There is no such connection.
    Reset,
}

/// The end that has connected.
pub const CALLER: usize = 0;
/// The end that was connected to.
pub const CALLED: usize = 1;

#[derive(Debug)]
struct End {
    pid: Pid,
    open: bool,
    /// When the last packet that this end has sent arrives.
    arrives: Micros,
    /// What this end has sent and the network has lost.
    lost: VecDeque<Packet>,
    /// How long until that is sent again.
    patience: Micros,
}

#[derive(Debug)]
struct Conn {
    ends: [End; 2],
    /// Where the caller has called.
    port: u16,
    /// Which life of the process it is that has accepted.
    life: u32,
}

/// The first wait before something lost is sent again, and the longest.
const RETRY: Micros = 200_000;
const RETRY_MOST: Micros = 3_200_000;

/// See the head of this file.
pub struct Net {
    conns: Vec<Conn>,
    /// How many faults cut the way from one to the other.
    cuts: Vec<Vec<u8>>,
    /// Additional delay of everything from or to a process, in microseconds.
    slow: Vec<Micros>,
    /// Machines without power.
    dark: Vec<bool>,
    random: Random,
    /// How many packets of a thousand are lost once.
    pub loss: u64,
}

impl Net {
    /// A network without processes.
    pub fn new(random: Random) -> Self {
        Net { conns: Vec::new(), cuts: Vec::new(), slow: Vec::new(), dark: Vec::new(), random, loss: 2 }
    }

    /// How many machines there are.
    pub fn machines(&self) -> usize {
        self.dark.len()
    }

    /// A machine more.
    pub fn add(&mut self) {
        self.cuts.iter_mut().for_each(|row| row.push(0));
        self.cuts.push(vec![0; self.cuts.len() + 1]);
        self.slow.push(0);
        self.dark.push(false);
    }

    /// Cuts a way once more, or once less.
    pub fn cut(&mut self, from: Pid, to: Pid, begins: bool) {
        let count = &mut self.cuts[from.index()][to.index()];
        *count = if begins { *count + 1 } else { count.saturating_sub(1) };
    }

    /// Makes everything from and to a process slower, or faster again.
    pub fn slow(&mut self, pid: Pid, by: Micros, begins: bool) {
        let slow = &mut self.slow[pid.index()];
        *slow = if begins { *slow + by } else { slow.saturating_sub(by) };
    }

    /// Whether the way is open.
    pub fn is_open(&self, from: Pid, to: Pid) -> bool {
        from == to || self.cuts[from.index()][to.index()] == 0 && !self.dark[from.index()] && !self.dark[to.index()]
    }

    /// Who is at the other end.
    pub fn peer(&self, conn: ConnId, end: usize) -> Pid {
        self.conns[conn.index()].ends[1 - end].pid
    }

    /// Who is at this end.
    pub fn pid(&self, conn: ConnId, end: usize) -> Pid {
        self.conns[conn.index()].ends[end].pid
    }

    /// Which life of the process it was that has accepted: what was sent by a process that has ended may still arrive.
    pub fn life(&self, conn: ConnId) -> u32 {
        self.conns[conn.index()].life
    }

    /// The port that was connected to.
    pub fn port(&self, conn: ConnId) -> u16 {
        self.conns[conn.index()].port
    }

    /// Whether this end has been closed by nobody.
    pub fn is_alive(&self, conn: ConnId, end: usize) -> bool {
        self.conns[conn.index()].ends[end].open
    }

    /// Opens a connection.
    pub fn connect(&mut self, now: Micros, agenda: &mut Agenda, from: Pid, to: Pid, port: u16) -> ConnId {
        let id = ConnId(self.conns.len() as u32);
        let end = |pid, open| End { pid, open, arrives: 0, lost: VecDeque::new(), patience: RETRY };
        self.conns.push(Conn { ends: [end(from, true), end(to, false)], port, life: 0 });
        self.send(now, agenda, id, CALLER, Packet::Syn);
        id
    }

    /// The connected end exists from now on, in this life of its process.
    pub fn accept(&mut self, now: Micros, agenda: &mut Agenda, conn: ConnId, life: u32) {
        self.conns[conn.index()].life = life;
        self.conns[conn.index()].ends[CALLED].open = true;
        self.send(now, agenda, conn, CALLED, Packet::Accepted);
    }

    /// Sends a packet from one end.
    pub fn send(&mut self, now: Micros, agenda: &mut Agenda, conn: ConnId, from: usize, packet: Packet) {
        let [caller, called] = &self.conns[conn.index()].ends;
        let slow = self.slow[caller.pid.index()] + self.slow[called.pid.index()];
        let mut delay = if caller.pid == called.pid { 20 } else { self.random.between(80, 400) + slow };
        if self.random.chance(self.loss) {
            delay += RETRY;
        }
        let end = &mut self.conns[conn.index()].ends[from];
        end.arrives = end.arrives.max(now + delay);
        agenda.enter(end.arrives, Event::Packet { conn, from, packet });
    }

    /// Closes one end.
    pub fn close(&mut self, now: Micros, agenda: &mut Agenda, conn: ConnId, from: usize) {
        if std::mem::replace(&mut self.conns[conn.index()].ends[from].open, false) {
            self.send(now, agenda, conn, from, Packet::Closed);
        }
    }

    /// Asks for a packet whether it arrives now. What does not is kept, and sent again later.
    pub fn passes(
        &mut self,
        now: Micros,
        agenda: &mut Agenda,
        conn: ConnId,
        from: usize,
        packet: Packet,
    ) -> Option<Packet> {
        let ends = &self.conns[conn.index()].ends;
        let open = self.is_open(ends[from].pid, ends[1 - from].pid);
        let end = &mut self.conns[conn.index()].ends[from];
        if open && end.lost.is_empty() {
            return Some(packet);
        }
        if end.lost.is_empty() {
            end.patience = RETRY;
            agenda.enter(now + RETRY, Event::Retry { conn, from });
        }
        end.lost.push_back(packet);
        None
    }

    /// What was lost is sent again: the packets that arrive.
    pub fn retry(&mut self, now: Micros, agenda: &mut Agenda, conn: ConnId, from: usize) -> Vec<Packet> {
        let ends = &self.conns[conn.index()].ends;
        // Nobody sends for a machine without power, and what it had to send is forgotten.
        let forgotten = !ends[from].open && self.dark[ends[from].pid.index()];
        let open = self.is_open(ends[from].pid, ends[1 - from].pid);
        let end = &mut self.conns[conn.index()].ends[from];
        if forgotten {
            end.lost.clear();
        }
        if open {
            return end.lost.drain(..).collect();
        }
        if !end.lost.is_empty() {
            end.patience = (end.patience * 2).min(RETRY_MOST);
            agenda.enter(now + end.patience, Event::Retry { conn, from });
        }
        Vec::new()
    }

    /// A process has ended: its connections are closed.
    pub fn ended(&mut self, now: Micros, agenda: &mut Agenda, pid: Pid) {
        for index in 0..self.conns.len() {
            for end in [CALLER, CALLED] {
                if self.conns[index].ends[end].pid == pid {
                    self.close(now, agenda, ConnId(index as u32), end);
                }
            }
        }
    }

    /// A machine has lost its power, or has it again. Its connections are gone without a word.
    pub fn power(&mut self, pid: Pid, on: bool) {
        self.dark[pid.index()] = !on;
        for end in self.conns.iter_mut().flat_map(|conn| &mut conn.ends).filter(|end| end.pid == pid && !on) {
            end.open = false;
            end.lost.clear();
        }
    }

    /// Ends all connections of a process from outside: both ends are told. Answers the ends of the process itself.
    pub fn reset(&mut self, pid: Pid) -> Vec<(ConnId, usize)> {
        let mut all = Vec::new();
        for (index, conn) in self.conns.iter_mut().enumerate() {
            if conn.ends.iter().any(|end| end.pid == pid) && conn.ends.iter().any(|end| end.open) {
                all.extend((0..2).filter(|end| conn.ends[*end].open).map(|end| (ConnId(index as u32), end)));
                conn.ends.iter_mut().for_each(|end| end.open = false);
            }
        }
        all
    }

    /// An end is closed without a word to the other.
    pub fn forget(&mut self, conn: ConnId, end: usize) {
        self.conns[conn.index()].ends[end].open = false;
    }
}
