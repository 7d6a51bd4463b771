//! Pings: the packet that carries everything.
//!
//! ```text
//!   header (me: slots, epochs, offset, flags) │ gossip about some others │ extensions (me: names, shard, forgotten)
//! ```
//!
//! Ping, pong and meet are one packet with three meanings: *answer me*, *here is my answer* (or my news), *take me in*.
//! Gossip tells of a tenth of the known nodes, at least three, and of all that this node cannot reach, so that a failure
//! is agreed upon in about the node timeout.

use crate::cluster::Cluster;
use crate::codec::header::{HAS_EXTENSIONS, Header, PAUSED};
use crate::codec::{Extensions, Flags, Gossip, Kind, packet};
use crate::id::LinkId;
use crate::node::{Key, Node};
use crate::turn::Turn;

/// Who is to hear of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    All,
    /// The other replicas of my primary, or my own.
    MyShard,
}

impl Cluster {
    /// The header of any packet that this node sends now.
    pub(crate) fn header(&self) -> Header {
        let me = self.nodes.myself();
        let primary = &self.nodes[self.nodes.primary_of(self.nodes.me)];
        let (plain, tls) = (self.config.announced_port(), self.config.announced_tls_port());
        let (port, second_port) = if self.config.tls_cluster { (tls, plain) } else { (plain, tls) };
        let mut message_flags = 0;
        if me.is_primary() && self.manual.is_paused() {
            message_flags |= PAUSED;
        }
        Header {
            port,
            second_port,
            bus_port: self.config.announced_bus_port(),
            current_epoch: self.epochs.current,
            config_epoch: primary.config_epoch,
            offset: self.replication.offset,
            sender: me.id,
            slots: primary.slots.clone(),
            replica_of: me.replica_of.map(|primary| self.nodes[primary].id),
            ip: self.config.announce_ip.clone(),
            flags: me.flags,
            state: u8::from(!self.health.ok),
            message_flags,
        }
    }

    /// Sends a ping, pong or meet.
    pub(crate) fn send_ping(&mut self, t: &mut Turn<'_>, id: LinkId, kind: Kind) {
        let Some(link) = self.links.get(id) else { return };
        let to = link.node;
        let understands = link.extensions || to.is_some_and(|key| self.nodes[key].is(Flags::EXTENSIONS));
        if let Some(key) = to
            && !id.is_inbound()
        {
            match kind {
                Kind::Ping => self.nodes[key].ping_sent = t.now,
                Kind::Meet => self.nodes[key].meet_sent = t.now,
                _ => {}
            }
        }
        t.debug(|| {
            let name = to.map_or_else(|| "<unknown> (<unknown>)".to_owned(), |key| self.called(key));
            resp::log_text::cluster::sending(kind.name(), &name, id.is_inbound())
        });
        let entries = self.gossip_for(to);
        let mut header = self.header();
        header.message_flags |= HAS_EXTENSIONS;
        let extensions = understands.then(|| self.extensions(t.now));
        self.send(t, id, kind, packet::ping(kind, &header, &entries, extensions.as_ref()));
    }

    fn gossip_for(&mut self, receiver: Option<Key>) -> Vec<Gossip> {
        let known = self.nodes.len();
        let share = known as u64 * self.config.gossip_percent / 100;
        let wanted = usize::try_from(share).unwrap_or(known).max(3).min(known.saturating_sub(2));
        let keys = self.nodes.keys();
        let start = self.random.below(keys.len() as u64) as usize;
        let mut entries = Vec::with_capacity(wanted);
        for key in keys[start..].iter().chain(&keys[..start]).copied() {
            if entries.len() >= wanted {
                break;
            }
            let node = &self.nodes[key];
            let idle = !self.is_linked(key) && node.slot_count == 0;
            if key != self.nodes.me
                && Some(key) != receiver
                && !node.is(Flags::PFAIL | Flags::HANDSHAKE | Flags::NOADDR)
                && !idle
            {
                entries.push(self.gossip_about(node));
            }
        }
        let suspects = self
            .nodes
            .iter()
            .filter(|(_, node)| node.is(Flags::PFAIL) && !node.is(Flags::HANDSHAKE | Flags::NOADDR | Flags::MYSELF));
        entries.extend(suspects.map(|(_, node)| self.gossip_about(node)));
        entries
    }

    fn gossip_about(&self, node: &Node) -> Gossip {
        let seconds = |millis: i64| u32::try_from(millis / 1000).unwrap_or(0);
        let address = &node.address;
        let (port, second_port) =
            if self.config.tls_cluster { (address.tls_port, address.port) } else { (address.port, address.tls_port) };
        Gossip {
            name: node.id,
            ping_sent: seconds(node.ping_sent),
            pong_received: seconds(node.pong_received),
            ip: address.ip.clone(),
            port,
            second_port,
            bus_port: address.bus_port,
            flags: node.flags,
        }
    }

    fn extensions(&self, now: i64) -> Extensions {
        let me = self.nodes.myself();
        Extensions {
            announced: me.announced.clone(),
            forgotten: self.blacklist.remaining(now),
            shard: Some(me.shard),
            refused: Vec::new(),
        }
    }

    /// Tells news at once instead of at the next ping.
    pub(crate) fn broadcast_pong(&mut self, t: &mut Turn<'_>, audience: Audience) {
        let mine = self.nodes.primary_of(self.nodes.me);
        for key in self.nodes.keys() {
            let node = &self.nodes[key];
            let Some(link) = node.link else { continue };
            let wanted = audience == Audience::All || (node.is_replica() && node.replica_of == Some(mine));
            if wanted && key != self.nodes.me && !node.is_handshake() {
                self.send_ping(t, link, Kind::Pong);
            }
        }
    }
}
