//! What the data plane decides by: one immutable picture of the cluster.
//!
//! ```text
//!   slot ──► owner (an index into the nodes) ──► endpoint, port, replicas
//!        └─► migrating to / importing from
//! ```
//!
//! The machine makes a new picture when something in it changed and hands it out behind an `Arc`; threads read it
//! without a lock. Looking up an owner is one load. A picture costs 32 KiB and its nodes; pictures are made on changes
//! of the cluster, not per packet.

use crate::config::Endpoint;
use crate::id::{Epoch, NodeId, ShardId, Slot};
use crate::slot_set::SlotSet;
use std::collections::BTreeMap;

/// A node within one [`View`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NodeIndex(pub(crate) u16);

pub(crate) const NOBODY: u16 = u16::MAX;

/// The cluster as this node sees it at one moment.
#[derive(Clone, PartialEq, Debug)]
pub struct View {
    pub(crate) myself: u16,
    pub(crate) nodes: Vec<ViewNode>,
    pub(crate) owners: Box<[u16]>,
    pub(crate) migrating: BTreeMap<Slot, u16>,
    pub(crate) importing: BTreeMap<Slot, u16>,
    pub(crate) ok: bool,
    pub(crate) preferred: Endpoint,
}

/// One node of a [`View`].
#[derive(Clone, PartialEq, Debug)]
pub struct ViewNode {
    pub id: NodeId,
    pub shard: ShardId,
    /// Empty when it is not known yet.
    pub ip: Vec<u8>,
    pub port: u16,
    pub tls_port: u16,
    pub bus_port: u16,
    pub client_ipv4: Vec<u8>,
    pub client_ipv6: Vec<u8>,
    pub client_port: u16,
    pub client_tls_port: u16,
    pub hostname: Vec<u8>,
    pub availability_zone: Vec<u8>,
    pub is_primary: bool,
    pub failed: bool,
    /// Not failed, and with data: what `CLUSTER SLOTS` lists.
    pub available: bool,
    pub config_epoch: Epoch,
    pub(crate) primary: Option<u16>,
    pub(crate) replicas: Vec<u16>,
}

impl View {
    /// What is seen before the first picture is made.
    pub(crate) fn empty() -> View {
        View {
            myself: 0,
            nodes: Vec::new(),
            owners: vec![NOBODY; Slot::COUNT].into(),
            migrating: BTreeMap::new(),
            importing: BTreeMap::new(),
            ok: false,
            preferred: Endpoint::Ip,
        }
    }

    pub fn me(&self) -> &ViewNode {
        &self.nodes[usize::from(self.myself)]
    }

    pub fn my_index(&self) -> NodeIndex {
        NodeIndex(self.myself)
    }

    /// Whether the cluster serves: all slots covered (if that is required), and this node among the majority.
    pub fn is_ok(&self) -> bool {
        self.ok
    }

    pub fn node(&self, index: NodeIndex) -> &ViewNode {
        &self.nodes[usize::from(index.0)]
    }

    pub fn nodes(&self) -> &[ViewNode] {
        &self.nodes
    }

    pub fn find(&self, id: &NodeId) -> Option<NodeIndex> {
        self.nodes.iter().position(|node| node.id == *id).and_then(|at| u16::try_from(at).ok()).map(NodeIndex)
    }

    /// Who owns a slot.
    pub fn owner(&self, slot: Slot) -> Option<NodeIndex> {
        let owner = self.owners[slot.index()];
        (owner != NOBODY).then_some(NodeIndex(owner))
    }

    /// Whether a slot is this node's own.
    pub fn is_mine(&self, slot: Slot) -> bool {
        self.owners[slot.index()] == self.myself
    }

    /// The primary whose slots this node serves: itself, or the primary that it follows.
    pub fn my_primary(&self) -> Option<NodeIndex> {
        if self.me().is_primary { Some(self.my_index()) } else { self.me().primary.map(NodeIndex) }
    }

    /// Whether a slot belongs to this node's shard.
    pub fn is_my_shards(&self, slot: Slot) -> bool {
        self.owner(slot).is_some() && self.owner(slot) == self.my_primary()
    }

    /// To whom a slot is being given.
    pub fn migrating_to(&self, slot: Slot) -> Option<NodeIndex> {
        self.migrating.get(&slot).copied().map(NodeIndex)
    }

    /// From whom a slot is being taken.
    pub fn importing_from(&self, slot: Slot) -> Option<NodeIndex> {
        self.importing.get(&slot).copied().map(NodeIndex)
    }

    /// Whether any slot is being given or taken: the common case in which a command needs no further look.
    pub fn has_open_slots(&self) -> bool {
        !self.migrating.is_empty() || !self.importing.is_empty()
    }

    /// The slots being given (`true`) or taken, with the names of the other nodes; the body of the snapshot field
    /// `cluster-slot-states`.
    pub fn open_slots(&self) -> impl Iterator<Item = (Slot, bool, &NodeId)> {
        let name = |at: u16| &self.nodes[usize::from(at)].id;
        let importing = self.importing.iter().map(move |(slot, at)| (*slot, false, name(*at)));
        importing.chain(self.migrating.iter().map(move |(slot, at)| (*slot, true, name(*at))))
    }

    pub fn replicas(&self, index: NodeIndex) -> impl Iterator<Item = &ViewNode> {
        self.node(index).replicas.iter().map(|at| &self.nodes[usize::from(*at)])
    }

    pub fn primary_of(&self, index: NodeIndex) -> Option<&ViewNode> {
        self.node(index).primary.map(|at| &self.nodes[usize::from(at)])
    }

    /// The slots that a node owns.
    pub fn slots_of(&self, index: NodeIndex) -> SlotSet {
        Slot::all().filter(|slot| self.owners[slot.index()] == index.0).collect()
    }

    /// Runs of slots with one owner, in order: the lines of `CLUSTER SLOTS`.
    pub fn ranges(&self) -> Vec<(Slot, Slot, NodeIndex)> {
        let mut ranges: Vec<(Slot, Slot, NodeIndex)> = Vec::new();
        for slot in Slot::all() {
            let Some(owner) = self.owner(slot) else { continue };
            match ranges.last_mut() {
                Some((_, last, same)) if *same == owner && last.number() + 1 == slot.number() => *last = slot,
                _ => ranges.push((slot, slot, owner)),
            }
        }
        ranges
    }

    /// What `cluster-preferred-endpoint-type` says.
    pub fn preferred_endpoint(&self) -> Endpoint {
        self.preferred
    }

    /// The host of a redirection: the address, the hostname (`?` when there is none), or nothing.
    pub fn endpoint<'a>(&self, node: &'a ViewNode, ipv6: bool) -> &'a [u8] {
        match self.preferred {
            Endpoint::Ip => node.ip_for(ipv6),
            Endpoint::Hostname if node.hostname.is_empty() => b"?",
            Endpoint::Hostname => &node.hostname,
            Endpoint::Unknown => b"",
        }
    }
}

impl ViewNode {
    /// The address for clients that came over IPv6, or over IPv4.
    pub fn ip_for(&self, ipv6: bool) -> &[u8] {
        let announced = if ipv6 { &self.client_ipv6 } else { &self.client_ipv4 };
        if announced.is_empty() { &self.ip } else { announced }
    }

    /// The port for clients that came over TLS, or not.
    pub fn port_for(&self, tls: bool) -> u16 {
        match (tls, self.client_tls_port, self.client_port) {
            (true, 0, _) => self.tls_port,
            (true, announced, _) => announced,
            (false, _, 0) => self.port,
            (false, _, announced) => announced,
        }
    }
}

impl crate::cluster::Cluster {
    /// The picture as it is now.
    pub(crate) fn picture(&self) -> View {
        let index: BTreeMap<_, u16> = self.nodes.iter().zip(0..NOBODY).map(|((key, _), index)| (key, index)).collect();
        let at = |key| index.get(&key).copied();
        let nodes = self.nodes.iter().map(|(key, node)| {
            let (address, announced) = (node.address.clone(), node.announced.clone());
            ViewNode {
                id: node.id,
                shard: node.shard,
                ip: address.ip,
                port: address.port,
                tls_port: address.tls_port,
                bus_port: address.bus_port,
                client_ipv4: announced.client_ipv4,
                client_ipv6: announced.client_ipv6,
                client_port: announced.client_port,
                client_tls_port: announced.client_tls_port,
                hostname: announced.hostname,
                availability_zone: announced.availability_zone,
                is_primary: node.is_primary(),
                failed: node.has_failed(),
                available: !node.has_failed() && self.offset_of(key) != 0,
                config_epoch: self.nodes.epoch_of(key),
                primary: node.replica_of.and_then(at),
                replicas: node.replicas.iter().filter_map(|replica| at(*replica)).collect(),
            }
        });
        let open = |table: &BTreeMap<Slot, _>| {
            table.iter().filter_map(|(slot, key)| at(*key).map(|index| (*slot, index))).collect()
        };
        View {
            myself: at(self.nodes.me).unwrap_or(0),
            nodes: nodes.collect(),
            owners: Slot::all().map(|slot| self.slots.owner(slot).and_then(at).unwrap_or(NOBODY)).collect(),
            migrating: open(&self.slots.migrating),
            importing: open(&self.slots.importing),
            ok: self.health.ok,
            preferred: self.config.preferred_endpoint,
        }
    }
}
