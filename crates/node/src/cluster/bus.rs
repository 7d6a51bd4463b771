//! Which connection is which link of the machine's.
//!
//! ```text
//!   accepted, connected, received, closed ─► Bus ─► machine ─► actions ─► carried out ─► wire ─► Bus ─► Wire (sockets)
//! ```
//!
//! Nothing is understood here: bytes go to the machine as they come, and it finds the packets and sets the limits. A link
//! that the machine closes is closed without a word to it; every other end it is told. Whoever has the sockets names his
//! connections by numbers of his own, and is asked to connect, send and close.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use ::cluster::{Action, Event, LinkId};
use bytes::Bytes;
use engine::lease::{Attempt, Taken};

use super::{ClusterNode, standing};
use crate::execute::Core;
use crate::server::Server;

/// Whoever has the sockets.
pub trait Wire {
    /// Begins to connect to a bus port: the number of the connection, or `None` when it cannot be made.
    fn connect(&mut self, ip: IpAddr, port: u16) -> Option<usize>;
    /// Begins to look for the address of a host; it is told by [`Bus::resolved`].
    fn resolve(&mut self, link: LinkId, host: Vec<u8>, port: u16);
    /// Sends on a connection.
    fn send(&mut self, token: usize, bytes: Bytes);
    /// Closes a connection, with what is yet to be sent. That it is gone then may be told, or not.
    fn close(&mut self, token: usize);
}

struct Link {
    id: LinkId,
    /// The other end.
    peer: IpAddr,
    /// The machine has closed it.
    closing: bool,
}

/// See the head of this file.
#[derive(Default)]
pub struct Bus {
    links: BTreeMap<usize, Link>,
    tokens: BTreeMap<LinkId, usize>,
    accepted: u64,
    wire: VecDeque<Action>,
}

impl Bus {
    fn place(&mut self, token: usize, link: Link) {
        self.tokens.insert(link.id, token);
        self.links.insert(token, link);
    }

    /// The link of a connection, unless the machine has closed it.
    fn living(&self, token: usize) -> Option<&Link> {
        self.links.get(&token).filter(|link| !link.closing)
    }

    /// Whether the machine wants to hear of a connection.
    pub fn is_open(&self, token: usize) -> bool {
        self.living(token).is_some()
    }

    /// A peer has connected, to this address of ours.
    pub fn accepted(&mut self, server: &Server, token: usize, peer: IpAddr, local: IpAddr) {
        self.accepted += 1;
        let id = LinkId::inbound(self.accepted);
        self.place(token, Link { id, peer, closing: false });
        tell(server, Event::Accepted { link: id, peer, local });
    }

    /// A connection that was asked for stands.
    pub fn connected(&mut self, server: &Server, token: usize) {
        if let Some(link) = self.living(token) {
            tell(server, Event::LinkUp { link: link.id, peer: link.peer });
        }
    }

    /// Bytes have come.
    pub fn received(&mut self, server: &Server, token: usize, bytes: &[u8]) {
        if let Some(link) = self.living(token) {
            tell(server, Event::Received { link: link.id, bytes });
        }
    }

    /// So many bytes have left.
    pub fn sent(&mut self, server: &Server, token: usize, bytes: u64) {
        if let Some(link) = self.links.get(&token) {
            tell(server, Event::Sent { link: link.id, bytes });
        }
    }

    /// A connection is gone, or could not be made.
    pub fn closed(&mut self, server: &Server, token: usize) {
        let Some(link) = self.links.remove(&token) else { return };
        self.tokens.remove(&link.id);
        if !link.closing {
            tell(server, Event::LinkDown { link: link.id });
        }
    }

    /// An address was found, or there is none.
    pub fn resolved(&mut self, server: &Server, link: LinkId, address: Option<(IpAddr, u16)>, wire: &mut dyn Wire) {
        match address {
            Some((ip, port)) => self.connect(server, link, ip, port, wire),
            None => tell(server, Event::LinkDown { link }),
        }
    }

    fn connect(&mut self, server: &Server, id: LinkId, ip: IpAddr, port: u16, wire: &mut dyn Wire) {
        match wire.connect(ip, port) {
            Some(token) => self.place(token, Link { id, peer: ip, closing: false }),
            None => tell(server, Event::LinkDown { link: id }),
        }
    }

    /// Does what the machine wants done with links. True when there was anything.
    fn drive(&mut self, server: &Server, node: &ClusterNode, wire: &mut dyn Wire) -> bool {
        node.take_wire(&mut self.wire);
        let any = !self.wire.is_empty();
        while let Some(action) = self.wire.pop_front() {
            match action {
                Action::Connect { link, ip, port } => self.connect(server, link, ip, port, wire),
                Action::ConnectName { link, host, port } => wire.resolve(link, host, port),
                Action::Send { link, bytes } => {
                    if let Some(&token) = self.tokens.get(&link) {
                        wire.send(token, bytes);
                    }
                }
                Action::Close { link } => {
                    if let Some(&token) = self.tokens.get(&link)
                        && let Some(link) = self.links.get_mut(&token)
                    {
                        link.closing = true;
                        wire.close(token);
                    }
                }
                _ => {}
            }
        }
        any
    }

    /// Lets happen what the machine wants, and what follows from that. `attempt` is the place in the queue for the world.
    pub fn turn(&mut self, core: &mut Core<'_>, attempt: &mut Attempt, wire: &mut dyn Wire) {
        let server = core.server;
        let Some(node) = &server.cluster else { return };
        loop {
            // A place in the queue is to be redeemed even when others have done what it was for: nobody passes it.
            if attempt.is_queued() || node.data_arrived() || !core.carry_out() {
                match core.lease.take_world(attempt) {
                    Taken::Yes => {
                        if node.take_arrival() {
                            core.data_loaded();
                        }
                        core.carry_out();
                        core.lease.release();
                        attempt.succeed();
                    }
                    Taken::Again => continue,
                    // Its wake brings us back.
                    Taken::Parked => {}
                }
            }
            if !self.drive(server, node, wire) {
                break;
            }
        }
        core.flush_turn();
    }
}

fn tell(server: &Server, event: Event<'_>) {
    if let Some(node) = &server.cluster {
        node.tell(server.engine.now(), event);
    }
}

/// The machine is told how replication stands; to be done before anything else is told.
pub fn note_standing(server: &Server) {
    if server.cluster.is_some() {
        tell(server, Event::Replication(standing(server)));
    }
}

/// The machine is told the time, if it wants to be.
pub fn note_time(server: &Server) {
    if let Some(node) = &server.cluster
        && node.deadline().is_some_and(|at| at <= server.engine.now())
    {
        tell(server, Event::Timer);
    }
}
