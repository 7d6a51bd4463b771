//! The bus of a node of a cluster: `node::cluster::bus` over the simulated network.

use std::net::IpAddr;

use bytes::Bytes;
use cluster::LinkId;
use engine::lease::Attempt;
use node::cluster::bus;
use node::execute::{Core, Errand};
use node::server::Server;

use super::server::{address, pid_of};
use crate::disk::SimDisk;
use crate::net::{CALLED, CALLER, ConnId};
use crate::world::{Pid, Universe};

/// The port of every bus.
pub const BUS_PORT: u16 = super::server::PORT + cluster::BUS_PORT_STEP;

/// See the head of this file.
pub(super) struct BusSide<'s> {
    pid: Pid,
    server: &'s Server,
    disk: SimDisk,
    links: bus::Bus,
    attempt: Attempt,
}

/// The sockets, while the universe is at hand. A send always fits, so what is sent has left.
struct Wire<'u> {
    u: &'u mut Universe,
    pid: Pid,
    /// The power has failed: nothing leaves any more.
    is_dark: bool,
    sent: Vec<(usize, u64)>,
    closed: Vec<usize>,
}

/// One end of a connection as the bus names it.
fn token(conn: ConnId, end: usize) -> usize {
    conn.0 as usize * 2 + end
}

fn end_of(token: usize) -> (ConnId, usize) {
    (ConnId((token / 2) as u32), token % 2)
}

impl bus::Wire for Wire<'_> {
    fn connect(&mut self, ip: IpAddr, port: u16) -> Option<usize> {
        let to = pid_of(ip).filter(|to| to.index() < self.u.net.machines())?;
        Some(token(self.u.connect(self.pid, to, port), CALLER))
    }

    fn resolve(&mut self, _: LinkId, _: Vec<u8>, _: u16) {
        panic!("nobody here has a name");
    }

    fn send(&mut self, token: usize, bytes: Bytes) {
        let (conn, end) = end_of(token);
        self.sent.push((token, bytes.len() as u64));
        if !self.is_dark {
            self.u.send(conn, end, bytes.to_vec());
        }
    }

    fn close(&mut self, token: usize) {
        self.closed.push(token);
    }
}

impl<'s> BusSide<'s> {
    /// A bus without connections, of a server that is a node.
    pub fn new(pid: Pid, server: &'s Server, disk: SimDisk, core: &Core<'_>) -> Self {
        BusSide { pid, server, disk, links: bus::Bus::default(), attempt: core.new_attempt(Errand::Cluster) }
    }

    /// Somebody has connected.
    pub fn accepted(&mut self, conn: ConnId, from: Pid) {
        bus::note_standing(self.server);
        self.links.accepted(self.server, token(conn, CALLED), address(from), address(self.pid));
    }

    /// A connection that this process wanted stands.
    pub fn connected(&mut self, conn: ConnId) {
        self.links.connected(self.server, token(conn, CALLER));
    }

    /// Bytes have come. False when the connection is none of the bus.
    pub fn received(&mut self, conn: ConnId, bytes: &[u8]) -> bool {
        let ends = [token(conn, CALLER), token(conn, CALLED)];
        let Some(token) = ends.into_iter().find(|token| self.links.is_open(*token)) else { return false };
        bus::note_standing(self.server);
        self.links.received(self.server, token, bytes);
        true
    }

    /// A connection is gone, or could not be made.
    pub fn closed(&mut self, conn: ConnId) {
        for end in [CALLER, CALLED] {
            self.links.closed(self.server, token(conn, end));
        }
    }

    /// It is told the time and how replication stands.
    pub fn look(&self) {
        bus::note_standing(self.server);
        bus::note_time(self.server);
    }

    /// Lets happen what the machine wants.
    pub fn turn(&mut self, core: &mut Core<'_>, u: &mut Universe) {
        let is_dark = self.disk.is_dark();
        let mut wire = Wire { u, pid: self.pid, is_dark, sent: Vec::new(), closed: Vec::new() };
        self.links.turn(core, &mut self.attempt, &mut wire);
        let (sent, closed) = (wire.sent, wire.closed);
        for (token, bytes) in sent {
            self.links.sent(self.server, token, bytes);
        }
        for token in closed {
            let (conn, end) = end_of(token);
            u.close(conn, end);
            self.links.closed(self.server, token);
        }
    }
}
