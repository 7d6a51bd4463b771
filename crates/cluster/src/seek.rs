//! Finding the others again after everybody has moved.
//!
//! When all nodes come back on new addresses at once, none of them knows where another is, and gossip has no path. Two
//! things still lead somewhere: the hostnames that nodes have announced, and the directive `cluster-seeds`. A node that
//! has not been reached for a node timeout is sought under its hostname, and as long as there is such a node, or nobody can be
//! reached, the seeds are asked, too. What is sent there is an ordinary ping. Who answers is known by its name, never by its address: a stranger's
//! answer is ignored, so seeds cannot join two clusters.
//!
//! Redis stays apart until a person says `CLUSTER MEET`.

use crate::cluster::Cluster;
use crate::codec::{Flags, Header};
use crate::id::LinkId;
use crate::node::{Key, Node};
use crate::turn::Turn;

/// How many names are tried at once.
const AT_ONCE: usize = 4;

/// When this node last sought, and whom.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Seek {
    last: i64,
    next: usize,
}

impl Cluster {
    pub(crate) fn seek(&mut self, t: &mut Turn<'_>) {
        let timeout = self.config.timeout_ms().max(1000);
        if t.now - self.seek.last < timeout {
            return;
        }
        // What the last search opened is done: an answer would have come.
        let stale: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(id, link)| !id.is_inbound() && link.node.is_none() && t.now - link.created >= timeout)
            .map(|(id, _)| id)
            .collect();
        stale.into_iter().for_each(|id| self.close(t, id));
        self.seek.last = t.now;
        let others = || self.nodes.iter().filter(|(_, node)| !node.is(Flags::MYSELF | Flags::HANDSHAKE));
        let is_lost = |(_, node): (Key, &Node)| node.is(Flags::PFAIL | Flags::FAIL | Flags::NOADDR);
        let lost = others().filter(|entry| is_lost(*entry));
        let named = lost.filter(|(_, node)| !node.announced.hostname.is_empty() && node.address.bus_port != 0);
        let mut names: Vec<(Vec<u8>, u16)> =
            named.map(|(_, node)| (node.announced.hostname.clone(), node.address.bus_port)).collect();
        // Two groups that have found themselves through different seeds must find each other.
        let lonely = || !others().any(|(key, _)| self.is_linked(key));
        if others().next().is_some() && (others().any(is_lost) || lonely()) {
            names.extend(self.config.seeds.iter().cloned());
        }
        for _ in 0..names.len().min(AT_ONCE) {
            let (host, port) = names[self.seek.next % names.len()].clone();
            self.seek.next = self.seek.next.wrapping_add(1);
            self.connect_name(t, &host, port);
        }
    }

    /// Somebody whom we know has answered under a name: it is where that connection leads.
    pub(crate) fn found_by_name(&mut self, t: &mut Turn<'_>, sender: Key, link: LinkId, header: &Header) {
        if sender != self.nodes.me && self.update_address(t, sender, link, header) {
            self.todo.save_and_judge();
        }
        self.close(t, link);
    }
}
