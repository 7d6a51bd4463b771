//! The connections of the bus.
//!
//! ```text
//!   outbound  ours to a node: we ping on it, it answers on it       node.link
//!   inbound   a node's to us: it pings on it, we answer on it       node.inbound; unknown until its first packet
//! ```
//!
//! Between two nodes there are two connections, one of each side's making. An outbound link knows its node from the
//! start; an inbound one is bound by its first packet. A node has at most one of each: a newer inbound link replaces the
//! older, which is more likely dead.
//!
//! What is sent on a link that does not stand yet is dropped: everything on the bus is repeated.

use crate::action::Action;
use crate::cluster::Cluster;
use crate::codec::frame::{KEPT, Limits};
use crate::codec::{Flags, Framer, Kind};
use crate::id::LinkId;
use crate::node::Key;
use crate::turn::Turn;
use bytes::Bytes;
use keyspace::UnixMillis;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// One connection.
#[derive(Debug)]
pub(crate) struct Link {
    pub node: Option<Key>,
    pub created: i64,
    /// Whether it stands. An outbound link begins as a wish.
    pub up: bool,
    pub framer: Framer,
    /// Bytes that are to be sent and have not left.
    pub queued: u64,
    /// The peer has said that it understands extensions.
    pub extensions: bool,
    pub peer: Option<IpAddr>,
    pub local: Option<IpAddr>,
}

/// All connections.
#[derive(Default, Debug)]
pub(crate) struct Links {
    table: BTreeMap<LinkId, Link>,
    next: u64,
}

impl Links {
    pub fn get(&self, id: LinkId) -> Option<&Link> {
        self.table.get(&id)
    }

    pub fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.table.get_mut(&id)
    }

    pub fn is_up(&self, id: Option<LinkId>) -> bool {
        id.and_then(|id| self.get(id)).is_some_and(|link| link.up)
    }

    pub fn iter(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        self.table.iter().map(|(id, link)| (*id, link))
    }

    fn open(&mut self, now: i64, node: Option<Key>) -> LinkId {
        let id = LinkId::outbound(self.next);
        self.next += 1;
        self.table.insert(id, new(now, node));
        id
    }
}

fn new(now: i64, node: Option<Key>) -> Link {
    Link {
        node,
        created: now,
        up: false,
        framer: Framer::default(),
        queued: 0,
        extensions: false,
        peer: None,
        local: None,
    }
}

impl Cluster {
    /// Whether this node has a standing connection of its own to that one.
    pub(crate) fn is_linked(&self, key: Key) -> bool {
        self.links.is_up(self.nodes[key].link)
    }

    pub(crate) fn accepted(&mut self, t: &mut Turn<'_>, id: LinkId, peer: IpAddr, local: IpAddr) {
        t.verbose(|| format!("Accepting cluster node connection from {peer}"));
        let link = Link { up: true, peer: Some(peer), local: Some(local), ..new(t.now, None) };
        self.links.table.insert(id, link);
    }

    /// Asks for a connection to a node whose address is known.
    pub(crate) fn connect(&mut self, t: &mut Turn<'_>, key: Key) {
        let node = &mut self.nodes[key];
        node.connect_tried = t.now;
        if node.address.ip.is_empty() || node.address.bus_port == 0 {
            // Nothing to connect to is as bad as nobody answering.
            if node.ping_sent == 0 {
                node.ping_sent = t.now;
            }
            return;
        }
        let id = self.links.open(t.now, Some(key));
        node.link = Some(id);
        let (host, port) = (&node.address.ip, node.address.bus_port);
        t.out.push(match std::str::from_utf8(host).ok().and_then(|text| text.parse::<IpAddr>().ok()) {
            Some(ip) => Action::Connect { link: id, ip, port },
            None => Action::ConnectName { link: id, host: host.clone(), port },
        });
    }

    /// Asks for a connection to a name, of which it is not known who answers there.
    pub(crate) fn connect_name(&mut self, t: &mut Turn<'_>, host: &[u8], port: u16) {
        let id = self.links.open(t.now, None);
        t.out.push(Action::ConnectName { link: id, host: host.to_vec(), port });
    }

    pub(crate) fn link_up(&mut self, t: &mut Turn<'_>, id: LinkId, peer: IpAddr) {
        let Some(link) = self.links.get_mut(id) else {
            t.out.push(Action::Close { link: id });
            return;
        };
        link.up = true;
        link.peer = Some(peer);
        let Some(key) = link.node else { return self.send_ping(t, id, Kind::Ping) };
        // A ping that was under way when the last link broke is still unanswered.
        let waiting = self.nodes[key].ping_sent;
        let kind = if self.nodes[key].is(Flags::MEET) { Kind::Meet } else { Kind::Ping };
        self.send_ping(t, id, kind);
        if waiting != 0 {
            self.nodes[key].ping_sent = waiting;
        }
    }

    /// A link is gone: whoever had it has none.
    pub(crate) fn link_down(&mut self, t: &mut Turn<'_>, id: LinkId) {
        let Some(link) = self.links.table.remove(&id) else { return };
        let Some(key) = link.node.filter(|key| self.nodes.contains(*key)) else { return };
        let node = &mut self.nodes[key];
        if node.link == Some(id) {
            node.link = None;
        }
        if node.inbound == Some(id) {
            node.inbound = None;
            node.inbound_lost = t.now;
        }
    }

    pub(crate) fn close(&mut self, t: &mut Turn<'_>, id: LinkId) {
        if self.links.get(id).is_some() {
            self.link_down(t, id);
            t.out.push(Action::Close { link: id });
        }
    }

    /// Closes a node's own connection, if there is one; it is asked for again soon.
    pub(crate) fn close_outbound(&mut self, t: &mut Turn<'_>, key: Key) {
        if let Some(id) = self.nodes[key].link {
            self.close(t, id);
        }
    }

    pub(crate) fn close_inbound(&mut self, t: &mut Turn<'_>, key: Key) {
        if let Some(id) = self.nodes[key].inbound {
            self.close(t, id);
        }
    }

    /// The first packet on an inbound link told whose it is.
    pub(crate) fn bind(&mut self, t: &mut Turn<'_>, id: LinkId, key: Key) {
        if self.nodes[key].inbound.is_some_and(|old| old != id) {
            self.close_inbound(t, key);
        }
        self.nodes[key].inbound = Some(id);
        let Some(link) = self.links.get_mut(id) else { return };
        link.node = Some(key);
        let peer = link.peer;
        t.verbose(|| {
            format!(
                "Bound cluster node {} to connection of {}",
                self.called(key),
                peer.map_or("?".into(), |p| p.to_string())
            )
        });
    }

    pub(crate) fn received(&mut self, t: &mut Turn<'_>, id: LinkId, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(id) else { return };
        let mut framer = std::mem::take(&mut link.framer);
        framer.feed(bytes);
        loop {
            let Some(link) = self.links.get(id) else { return };
            let known = link.node.is_some_and(|key| !self.nodes[key].is_handshake());
            let limits = Limits { known, message: self.config.max_message };
            match framer.next(limits) {
                Ok(Some(packet)) => self.packet(t, id, packet),
                Ok(None) => break,
                Err(_) => {
                    let peer = link.peer.map_or("an unknown address".to_owned(), |peer| peer.to_string());
                    t.warning(|| format!("Bad message length or signature received on the Cluster bus from {peer}"));
                    return self.close(t, id);
                }
            }
        }
        if let Some(link) = self.links.get_mut(id) {
            link.framer = framer;
        }
    }

    pub(crate) fn sent(&mut self, id: LinkId, bytes: u64) {
        if let Some(link) = self.links.get_mut(id) {
            link.queued = link.queued.saturating_sub(bytes);
        }
    }

    pub(crate) fn send(&mut self, t: &mut Turn<'_>, id: LinkId, kind: Kind, bytes: Bytes) {
        let Some(link) = self.links.get_mut(id).filter(|link| link.up) else { return };
        let length = bytes.len() as u64;
        link.queued += length;
        self.stats.sent(kind, length);
        t.out.push(Action::Send { link: id, bytes });
    }

    /// Sends to a node on this node's own connection to it.
    pub(crate) fn send_to(&mut self, t: &mut Turn<'_>, key: Key, kind: Kind, bytes: Bytes) {
        if let Some(id) = self.nodes[key].link {
            self.send(t, id, kind, bytes);
        }
    }

    /// Sends the same to everybody.
    pub(crate) fn broadcast(&mut self, t: &mut Turn<'_>, kind: Kind, bytes: &Bytes) {
        for key in self.nodes.keys() {
            if !self.nodes[key].is(Flags::MYSELF | Flags::HANDSHAKE) {
                self.send_to(t, key, kind, bytes.clone());
            }
        }
    }

    /// Closes links on which too much waits to be sent.
    pub(crate) fn close_overfull(&mut self, t: &mut Turn<'_>) {
        let limit = self.config.link_sendbuf_limit;
        if limit == 0 {
            return;
        }
        let over: Vec<(LinkId, u64)> =
            self.links.iter().filter(|(_, link)| link.queued > limit).map(|(id, link)| (id, link.queued)).collect();
        for (id, queued) in over {
            let node =
                self.links.get(id).and_then(|link| link.node).map_or("unknown".to_owned(), |key| self.called(key));
            t.warning(|| {
                let way = if id.is_inbound() { "from" } else { "to" };
                format!("Freeing cluster link({way} node {node}, used memory: {queued}) due to exceeding send buffer memory limit.")
            });
            self.close(t, id);
            self.stats.buffer_limit_exceeded += 1;
        }
    }

    /// The links as `CLUSTER LINKS` lists them: those that are bound to a node.
    pub(crate) fn describe_links(&self) -> Vec<crate::describe::Link> {
        let mut all = Vec::new();
        for (_, node) in self.nodes.iter() {
            for (id, direction) in [(node.link, "to"), (node.inbound, "from")] {
                let Some(link) = id.and_then(|id| self.links.get(id)) else { continue };
                all.push(crate::describe::Link {
                    direction,
                    node: node.id,
                    create_time: UnixMillis(link.created),
                    events: if link.queued > 0 { "rw" } else { "r" },
                    send_buffer_allocated: link.queued,
                    send_buffer_used: link.queued,
                });
            }
        }
        all
    }

    pub(crate) fn memory_of_links(&self) -> u64 {
        let each = |link: &Link| size_of::<Link>() as u64 + link.framer.memory().max(KEPT) as u64 + link.queued;
        self.links.iter().map(|(_, link)| each(link)).sum()
    }
}
