//! What this node knows of each node, and the table of them.
//!
//! ```text
//!   names: id ──► Key          table: Key ──► Node { flags, epoch, slots, address, times, links, reports }
//!                                             │  replica_of ──► Key
//!                                             └─ replicas ───► [Key], by name
//! ```
//!
//! A [`Key`] stands for a node while this process lives; it is never used twice, because names change (a node that we
//! are to meet gets a random one until it tells its own). Invariants: `replicas` and `replica_of` mirror each other;
//! who is taken out of the table is first taken out of everything that names it ([`crate::Cluster::remove_node`]).

use crate::codec::Flags;
use crate::id::{Epoch, LinkId, NodeId, ShardId};
use crate::slot_set::SlotSet;
use std::collections::{BTreeMap, HashMap};
use std::ops::{Index, IndexMut};

/// How many nodes are known at most. The published limit is about a thousand.
pub(crate) const MOST_NODES: usize = 20_000;

/// A node in the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Key(u32);

/// One node, as this one knows it. Times are Unix milliseconds, 0: never.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub id: NodeId,
    pub shard: ShardId,
    pub flags: Flags,
    pub config_epoch: Epoch,
    pub slots: SlotSet,
    /// How many slots that are; kept because it is asked at every packet.
    pub slot_count: usize,
    pub replica_of: Option<Key>,
    pub replicas: Vec<Key>,
    pub offset: u64,

    pub address: Address,
    pub announced: Announced,

    pub link: Option<LinkId>,
    pub inbound: Option<LinkId>,

    pub created: i64,
    /// When the ping was sent that is not answered yet.
    pub ping_sent: i64,
    pub pong_received: i64,
    pub data_received: i64,
    /// When the last ping that it has answered was sent: it has heard this node since then.
    pub reached: i64,
    pub meet_sent: i64,
    pub failed_at: i64,
    pub orphaned_since: i64,
    pub connect_tried: i64,
    pub inbound_lost: i64,
    /// Who says that it cannot be reached, and when that was last said.
    pub reports: BTreeMap<Key, i64>,
}

/// Where a node is. Port 0 and an empty address: not known, or not there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Address {
    pub ip: Vec<u8>,
    pub port: u16,
    pub tls_port: u16,
    pub bus_port: u16,
}

/// What a node announces beyond its address. Empty texts and port 0: nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Announced {
    /// `cluster-announce-hostname`.
    pub hostname: Vec<u8>,
    /// `cluster-announce-human-nodename`.
    pub human_name: Vec<u8>,
    /// `cluster-announce-client-ipv4`.
    pub client_ipv4: Vec<u8>,
    /// `cluster-announce-client-ipv6`.
    pub client_ipv6: Vec<u8>,
    /// `cluster-announce-client-port`.
    pub client_port: u16,
    /// `cluster-announce-client-tls-port`.
    pub client_tls_port: u16,
    /// `availability-zone`.
    pub availability_zone: Vec<u8>,
}

impl Node {
    pub fn new(id: NodeId, shard: ShardId, flags: Flags, now: i64) -> Node {
        Node {
            id,
            shard,
            flags,
            config_epoch: Epoch(0),
            slots: SlotSet::new(),
            slot_count: 0,
            replica_of: None,
            replicas: Vec::new(),
            offset: 0,
            address: Address::default(),
            announced: Announced::default(),
            link: None,
            inbound: None,
            created: now,
            ping_sent: 0,
            pong_received: 0,
            data_received: 0,
            reached: 0,
            meet_sent: 0,
            failed_at: 0,
            orphaned_since: 0,
            connect_tried: 0,
            inbound_lost: now,
            reports: BTreeMap::new(),
        }
    }

    pub fn is(&self, flags: Flags) -> bool {
        self.flags.any(flags)
    }

    pub fn is_primary(&self) -> bool {
        self.is(Flags::PRIMARY)
    }

    pub fn is_replica(&self) -> bool {
        self.is(Flags::REPLICA)
    }

    pub fn is_handshake(&self) -> bool {
        self.is(Flags::HANDSHAKE)
    }

    pub fn has_failed(&self) -> bool {
        self.is(Flags::FAIL)
    }

    /// A primary with slots: they vote, and their number is the cluster's size.
    pub fn votes(&self) -> bool {
        self.is_primary() && self.slot_count > 0
    }

    /// Neither being met nor out of reach.
    pub fn is_normal(&self) -> bool {
        !self.is(Flags::HANDSHAKE | Flags::MEET | Flags::PFAIL | Flags::FAIL)
    }
}

/// All nodes that this one knows, itself among them.
#[derive(Debug)]
pub(crate) struct Nodes {
    table: BTreeMap<Key, Node>,
    names: HashMap<NodeId, Key>,
    next: u32,
    pub me: Key,
}

impl Nodes {
    /// A table in which there is only this node.
    pub fn new(me: Node) -> Nodes {
        let key = Key(0);
        let names = HashMap::from([(me.id, key)]);
        Nodes { table: BTreeMap::from([(key, me)]), names, next: 1, me: key }
    }

    /// Puts a node in; `None` when its name is taken or the table is full.
    pub fn add(&mut self, node: Node) -> Option<Key> {
        if self.table.len() >= MOST_NODES || self.names.contains_key(&node.id) {
            return None;
        }
        let key = Key(self.next);
        self.next = self.next.checked_add(1)?;
        self.names.insert(node.id, key);
        self.table.insert(key, node);
        Some(key)
    }

    /// Takes a node out. It must not be named anywhere any more.
    pub fn take(&mut self, key: Key) -> Option<Node> {
        let node = self.table.remove(&key)?;
        self.names.remove(&node.id);
        Some(node)
    }

    pub fn find(&self, id: &NodeId) -> Option<Key> {
        self.names.get(id).copied()
    }

    pub fn contains(&self, key: Key) -> bool {
        self.table.contains_key(&key)
    }

    /// Gives a node another name, which must be free.
    pub fn rename(&mut self, key: Key, id: NodeId) {
        let old = std::mem::replace(&mut self[key].id, id);
        self.names.remove(&old);
        self.names.insert(id, key);
    }

    pub fn len(&self) -> usize {
        self.table.len()
    }

    pub fn keys(&self) -> Vec<Key> {
        self.table.keys().copied().collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Key, &Node)> {
        self.table.iter().map(|(key, node)| (*key, node))
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Key, &mut Node)> {
        self.table.iter_mut().map(|(key, node)| (*key, node))
    }

    pub fn myself(&self) -> &Node {
        &self[self.me]
    }

    pub fn myself_mut(&mut self) -> &mut Node {
        let me = self.me;
        &mut self[me]
    }

    /// The primary that a node follows, or itself.
    pub fn primary_of(&self, key: Key) -> Key {
        self[key].replica_of.unwrap_or(key)
    }

    /// The epoch of the slots that a node serves: a replica's is its primary's.
    pub fn epoch_of(&self, key: Key) -> Epoch {
        self[self.primary_of(key)].config_epoch
    }

    pub fn same_shard(&self, one: Key, other: Key) -> bool {
        self[one].shard == self[other].shard
    }

    /// Makes a node follow a primary, or nobody. The primary of a replica is one that replicas may move to, as long as
    /// it has any.
    pub fn set_primary(&mut self, replica: Key, primary: Option<Key>) {
        if let Some(old) = std::mem::replace(&mut self[replica].replica_of, primary) {
            let old = &mut self[old];
            old.replicas.retain(|key| *key != replica);
            if old.replicas.is_empty() {
                old.flags.clear(Flags::MIGRATE_TO);
            }
        }
        if let Some(primary) = primary {
            let mut replicas = std::mem::take(&mut self[primary].replicas);
            replicas.retain(|key| *key != replica);
            replicas.push(replica);
            replicas.sort_by_key(|key| self[*key].id);
            self[primary].replicas = replicas;
            self[primary].flags.set(Flags::MIGRATE_TO);
        }
    }

    /// How many of a node's replicas have not failed.
    pub fn working_replicas(&self, key: Key) -> usize {
        self[key].replicas.iter().filter(|replica| !self[**replica].has_failed()).count()
    }

    /// What the log calls a node: the name that people gave it, or its address.
    pub fn human_name(&self, key: Key, tls: bool) -> String {
        let node = &self[key];
        if !node.announced.human_name.is_empty() {
            return String::from_utf8_lossy(&node.announced.human_name).into_owned();
        }
        let ip = String::from_utf8_lossy(&node.address.ip);
        let port = if tls { node.address.tls_port } else { node.address.port };
        if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
    }
}

impl Index<Key> for Nodes {
    type Output = Node;

    fn index(&self, key: Key) -> &Node {
        self.table.get(&key).expect("who is taken out of the table is named nowhere")
    }
}

impl IndexMut<Key> for Nodes {
    fn index_mut(&mut self, key: Key) -> &mut Node {
        self.table.get_mut(&key).expect("who is taken out of the table is named nowhere")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn node(random: &mut Random, flags: Flags) -> Node {
        Node::new(NodeId::random(random), NodeId::random(random), flags, 0)
    }

    #[test]
    fn replicas_and_primaries_mirror_each_other() {
        let random = &mut Random::new(1);
        let mut nodes = Nodes::new(node(random, Flags::PRIMARY));
        let [a, b, c] = [(); 3].map(|()| nodes.add(node(random, Flags::PRIMARY)).unwrap());
        nodes.set_primary(b, Some(a));
        nodes.set_primary(c, Some(a));
        nodes.set_primary(c, Some(a));
        let mut both = vec![b, c];
        both.sort_by_key(|key| nodes[*key].id);
        assert_eq!(nodes[a].replicas, both);
        assert!(nodes[a].is(Flags::MIGRATE_TO));
        nodes.set_primary(b, None);
        nodes.set_primary(c, Some(b));
        assert!(nodes[a].replicas.is_empty() && !nodes[a].is(Flags::MIGRATE_TO));
        assert_eq!((&nodes[b].replicas[..], nodes.primary_of(c)), (&[c][..], b));
    }

    #[test]
    fn names_are_taken_once() {
        let random = &mut Random::new(2);
        let mut nodes = Nodes::new(node(random, Flags::PRIMARY));
        let twin = nodes.myself().clone();
        assert_eq!(nodes.add(twin), None);
        let key = nodes.add(node(random, Flags::HANDSHAKE)).unwrap();
        let (old, new) = (nodes[key].id, NodeId::random(random));
        nodes.rename(key, new);
        assert_eq!((nodes.find(&old), nodes.find(&new)), (None, Some(key)));
    }
}
