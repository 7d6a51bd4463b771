//! Who belongs to the cluster, and where they are.
//!
//! ```text
//!   MEET ──► handshake (a random name) ──► PONG tells the name ──► known        gone after the node timeout otherwise
//!   gossip by a known node about an unknown one ──► known
//!   FORGET ──► gone, and not taken back for a minute, here and wherever our pings tell of it
//! ```
//!
//! Names, not addresses, are identity: an address may be another node's tomorrow, so a stranger is taken in only by MEET
//! (a person asked for it) or on the word of a known node, and a node that answers under another name than expected has
//! lost its address. A node tells its own address best, so its pings are believed before gossip; gossip is believed about
//! nodes that cannot be reached.

use crate::cluster::Cluster;
use crate::codec::{Extensions, Flags, Gossip, Header};
use crate::id::{LinkId, NodeId, ShardId};
use crate::node::{Address, Key, Node};
use crate::turn::Turn;
use resp::error::{Error, cluster as error};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// Nodes that are not taken back for a while: name and until when, Unix milliseconds.
#[derive(Default, Debug)]
pub(crate) struct Blacklist(BTreeMap<NodeId, i64>);

/// How many are remembered; more than a cluster has nodes.
const MOST_FORGOTTEN: usize = 4096;

impl Blacklist {
    fn tidy(&mut self, now: i64) {
        self.0.retain(|_, until| *until >= now);
    }

    pub fn put(&mut self, id: NodeId, now: i64, seconds: u64) {
        self.tidy(now);
        if self.0.len() < MOST_FORGOTTEN || self.0.contains_key(&id) {
            let millis = i64::try_from(seconds).unwrap_or(i64::MAX).saturating_mul(1000);
            self.0.insert(id, now.saturating_add(millis));
        }
    }

    pub fn contains(&self, id: &NodeId, now: i64) -> bool {
        self.0.get(id).is_some_and(|until| *until >= now)
    }

    /// Names and the seconds that are left, for the others.
    pub fn remaining(&self, now: i64) -> Vec<(NodeId, u64)> {
        let seconds = |until: i64| u64::try_from((until - now) / 1000).unwrap_or(0);
        self.0.iter().filter(|(_, until)| **until >= now).map(|(id, until)| (*id, seconds(*until))).collect()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Cluster {
    /// A node as the log calls it: its name, and its human name or address.
    pub(crate) fn called(&self, key: Key) -> String {
        format!("{} ({})", self.nodes[key].id, self.nodes.human_name(key, self.config.tls_cluster))
    }

    /// Begins to meet whoever is at an address; `false` when that is under way.
    ///
    /// # Errors
    /// The address is none.
    pub(crate) fn start_handshake(
        &mut self,
        t: &mut Turn<'_>,
        host: &[u8],
        port: u16,
        bus_port: u16,
    ) -> Result<bool, ()> {
        let ip: IpAddr = std::str::from_utf8(host).ok().and_then(|text| text.parse().ok()).ok_or(())?;
        let ip = ip.to_string().into_bytes();
        let tls = self.config.tls_cluster;
        let address = Address { ip, port: if tls { 0 } else { port }, tls_port: if tls { port } else { 0 }, bus_port };
        if self.nodes.iter().any(|(_, node)| node.is_handshake() && node.address == address) {
            return Ok(false);
        }
        self.add_handshake(t, address, Flags::HANDSHAKE | Flags::MEET);
        Ok(true)
    }

    fn add_handshake(&mut self, t: &mut Turn<'_>, address: Address, flags: Flags) -> Option<Key> {
        let (id, shard) = (NodeId::random(&mut self.random), NodeId::random(&mut self.random));
        let mut node = Node::new(id, shard, flags, t.now);
        node.address = address;
        let key = self.nodes.add(node);
        self.todo.view = true;
        key
    }

    pub(crate) fn meet_node(&mut self, t: &mut Turn<'_>, host: &[u8], port: u16, bus_port: u16) -> Result<(), Error> {
        let started = self.start_handshake(t, host, port, bus_port);
        started.map(|_| ()).map_err(|()| error::meet_address(host, port.to_string().as_bytes()))
    }

    pub(crate) fn forget_node(&mut self, t: &mut Turn<'_>, name: &[u8]) -> Result<(), Error> {
        let id = NodeId::parse(name);
        let Some(key) = id.and_then(|id| self.nodes.find(&id)) else {
            // Another node may have told of it before the user did.
            let forgotten = id.is_some_and(|id| self.blacklist.contains(&id, t.now));
            return if forgotten { Ok(()) } else { Err(error::unknown_node(name)) };
        };
        if key == self.nodes.me {
            return Err(error::FORGET_MYSELF);
        }
        if self.nodes.myself().replica_of == Some(key) {
            return Err(error::FORGET_PRIMARY);
        }
        self.blacklist.put(self.nodes[key].id, t.now, self.config.blacklist_ttl_s);
        self.remove_node(t, key);
        self.todo.save_and_judge();
        Ok(())
    }

    /// Takes a node out of everything.
    pub(crate) fn remove_node(&mut self, t: &mut Turn<'_>, key: Key) {
        t.debug(|| format!("Deleting node {} from cluster view", self.called(key)));
        self.close_outbound(t, key);
        self.close_inbound(t, key);
        self.slots.forget(&mut self.nodes, key);
        self.nodes.set_primary(key, None);
        for replica in self.nodes[key].replicas.clone() {
            self.nodes.set_primary(replica, None);
        }
        for (_, node) in self.nodes.iter_mut() {
            node.reports.remove(&key);
        }
        self.manual_forgets(t, key);
        self.nodes.take(key);
        self.todo.view = true;
    }

    /// The node of this name; one that is not known yet is put in without an address, to be filled in by gossip.
    pub(crate) fn node_by_name(&mut self, t: &mut Turn<'_>, id: NodeId) -> Option<Key> {
        self.nodes.find(&id).or_else(|| {
            let shard = NodeId::random(&mut self.random);
            self.nodes.add(Node::new(id, shard, Flags::NOADDR, t.now))
        })
    }

    /// A stranger asks to be taken in. What it is will be told by its answer to our ping.
    pub(crate) fn met(&mut self, t: &mut Turn<'_>, link: LinkId, header: &Header) {
        let Some(ip) = self.told_ip(link, header) else { return };
        let address = self.told_address(ip, header);
        let understands = self.links.get(link).is_some_and(|link| link.extensions);
        let mut flags = Flags::HANDSHAKE;
        flags.put(Flags::EXTENSIONS, understands);
        if let Some(key) = self.add_handshake(t, address, flags) {
            self.bind(t, link, key);
            self.todo.save();
        }
    }

    /// The address that a node announces, or the one that it speaks from.
    fn told_ip(&self, link: LinkId, header: &Header) -> Option<Vec<u8>> {
        if !header.ip.is_empty() {
            return Some(header.ip.clone());
        }
        self.links.get(link)?.peer.map(|peer| plain(peer).to_string().into_bytes())
    }

    fn told_address(&self, ip: Vec<u8>, header: &Header) -> Address {
        let (port, tls_port) =
            if self.config.tls_cluster { (header.second_port, header.port) } else { (header.port, header.second_port) };
        Address { ip, port, tls_port, bus_port: header.bus_port }
    }

    /// Takes over a node's address from its own packet; tells whether it is another than before. Not done for packets
    /// on our own connection to it: that one leads where we believed it to be.
    pub(crate) fn update_address(&mut self, t: &mut Turn<'_>, key: Key, link: LinkId, header: &Header) -> bool {
        if self.nodes[key].link == Some(link) {
            return false;
        }
        let Some(ip) = self.told_ip(link, header) else { return false };
        let address = self.told_address(ip, header);
        self.move_node(t, key, address)
    }

    fn move_node(&mut self, t: &mut Turn<'_>, key: Key, address: Address) -> bool {
        if self.nodes[key].address == address {
            return false;
        }
        self.close_outbound(t, key);
        let node = &mut self.nodes[key];
        node.address = address;
        node.flags.clear(Flags::NOADDR);
        t.notice(|| format!("Address updated for node {}", self.called(key)));
        self.todo.view = true;
        true
    }

    /// A packet tells on which of our addresses others reach us. A MEET always counts, and so does the first packet of
    /// this process's life: it may have been started on another machine than the one that wrote its file.
    pub(crate) fn learn_own_ip(&mut self, t: &mut Turn<'_>, link: LinkId, always: bool) {
        if !self.config.announce_ip.is_empty() || (self.knows_own_ip && !always) {
            return;
        }
        let Some(local) = self.links.get(link).and_then(|link| link.local) else { return };
        self.knows_own_ip = true;
        let ip = plain(local).to_string().into_bytes();
        if self.nodes.myself().address.ip != ip {
            t.notice(|| format!("IP address for this node updated to {}", plain(local)));
            self.nodes.myself_mut().address.ip = ip;
            self.todo.save();
        }
    }

    /// What a node says about others. `sender` is unknown only when somebody asks to be taken in.
    pub(crate) fn hear_gossip(&mut self, t: &mut Turn<'_>, sender: Option<Key>, gossip: &[Gossip]) {
        let Some(sender) = sender else { return };
        for entry in gossip {
            match self.nodes.find(&entry.name) {
                Some(key) if key == self.nodes.me => {}
                Some(key) => self.hear_about(t, sender, key, entry),
                None => self.hear_of(t, entry),
            }
        }
    }

    fn hear_about(&mut self, t: &mut Turn<'_>, sender: Key, key: Key, entry: &Gossip) {
        let down = entry.flags.any(Flags::FAIL | Flags::PFAIL);
        self.hear_report(t, sender, key, down);
        let reported = self.count_reports(key, t.now) > 0;
        let address = self.gossiped_address(entry);
        let node = &mut self.nodes[key];
        if !down && node.is_normal() && node.ping_sent == 0 && !reported {
            // Somebody has had an answer from it more recently than we: no need to ask now.
            let heard = i64::from(entry.pong_received) * 1000;
            if heard <= t.now + 500 && heard > node.pong_received {
                node.pong_received = heard;
            }
        }
        let lost = node.is(Flags::FAIL | Flags::PFAIL | Flags::NOADDR);
        if lost && !down && !entry.flags.any(Flags::NOADDR) && !address.ip.is_empty() && self.move_node(t, key, address)
        {
            self.todo.save();
        }
    }

    fn gossiped_address(&self, entry: &Gossip) -> Address {
        let (port, tls_port) =
            if self.config.tls_cluster { (entry.second_port, entry.port) } else { (entry.port, entry.second_port) };
        Address { ip: entry.ip.clone(), port, tls_port, bus_port: entry.bus_port }
    }

    /// A node that we do not know, on the word of one that we do.
    fn hear_of(&mut self, t: &mut Turn<'_>, entry: &Gossip) {
        if entry.flags.any(Flags::NOADDR) || self.blacklist.contains(&entry.name, t.now) {
            return;
        }
        let told = Flags::PRIMARY
            | Flags::REPLICA
            | Flags::PFAIL
            | Flags::FAIL
            | Flags::MIGRATE_TO
            | Flags::NOFAILOVER
            | Flags::EXTENSIONS
            | Flags::LIGHT_PUBLISH
            | Flags::LIGHT_MODULE
            | Flags::MY_PRIMARY_FAILED;
        let mut flags = Flags(entry.flags.0 & told.0);
        if flags.any(Flags::REPLICA) {
            flags.clear(Flags::PRIMARY | Flags::MIGRATE_TO);
        }
        let shard = NodeId::random(&mut self.random);
        let mut node = Node::new(entry.name, shard, flags, t.now);
        node.failed_at = if node.has_failed() { t.now } else { 0 };
        node.address = self.gossiped_address(entry);
        if self.nodes.add(node).is_some() {
            self.todo.save();
        }
    }

    /// What a node says about itself beyond the header.
    pub(crate) fn hear_extensions(&mut self, t: &mut Turn<'_>, sender: Key, told: &Extensions) {
        for kind in &told.refused {
            t.warning(|| format!("Received unknown or unacceptable extension of type {kind}"));
        }
        for (id, seconds) in &told.forgotten {
            let Some(key) = self.nodes.find(id) else { continue };
            if key != self.nodes.me && key != sender && self.nodes.myself().replica_of != Some(key) {
                self.blacklist.put(*id, t.now, *seconds);
                self.remove_node(t, key);
                self.todo.save_and_judge();
            }
        }
        if self.nodes[sender].announced != told.announced {
            self.nodes[sender].announced.clone_from(&told.announced);
            self.todo.save();
        }
        let shard = told.shard.unwrap_or(self.nodes[self.nodes.primary_of(sender)].shard);
        self.update_shard(t, sender, shard);
    }

    /// A node's shard. A primary's word counts for its replicas, theirs does not count against it: or a node that dies
    /// between the two would come back with a file that contradicts itself.
    pub(crate) fn update_shard(&mut self, t: &mut Turn<'_>, key: Key, shard: ShardId) {
        let primary = self.nodes.primary_of(key);
        if primary != key && self.nodes[primary].shard != shard {
            t.debug(|| format!("Shard id {shard} of node {} is not its primary's: not taken over", self.called(key)));
            return;
        }
        if self.nodes[key].shard != shard {
            self.nodes[key].shard = shard;
            self.todo.save();
        }
        let me = self.nodes.myself_mut();
        if me.replica_of == Some(key) && me.shard != shard {
            me.shard = shard;
            self.todo.save_surely();
        }
    }
}

/// An IPv4 address that came mapped into IPv6, as itself.
fn plain(ip: IpAddr) -> IpAddr {
    ip.to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_forgotten_node_stays_away_for_a_while() {
        let random = &mut Random::new(5);
        let (one, other) = (NodeId::random(random), NodeId::random(random));
        let mut list = Blacklist::default();
        list.put(one, 1000, 60);
        assert!(list.contains(&one, 61_000) && !list.contains(&one, 61_001) && !list.contains(&other, 1000));
        assert_eq!(list.remaining(31_000), vec![(one, 30)]);
        list.put(other, 90_000, u64::MAX);
        assert_eq!(list.0.len(), 1);
    }
}
