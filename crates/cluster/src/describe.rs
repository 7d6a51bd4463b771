//! What `CLUSTER NODES`, `SHARDS`, `INFO` and `LINKS` tell, as data: commands encode it for RESP2 or RESP3.
//!
//! `CLUSTER SLOTS` and redirections need only the [`crate::View`]. What stands here moves with every packet (times of
//! pings, offsets, counters) and is asked of the machine itself.

use crate::cluster::Cluster;
use crate::codec::{Flags, Kind};
use crate::config::Endpoint;
use crate::id::{NodeId, ShardId, Slot};
use crate::node::{Key, Node};
use crate::nodes_conf;
use keyspace::UnixMillis;
use resp::error::{Error, cluster as error};

/// How a client came, which decides the addresses and ports that it is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Asker {
    pub tls: bool,
    pub ipv6: bool,
}

/// One element of `CLUSTER SHARDS`.
#[derive(Clone, PartialEq, Debug)]
pub struct Shard {
    pub id: ShardId,
    /// Both ends included.
    pub slots: Vec<(Slot, Slot)>,
    pub nodes: Vec<ShardNode>,
}

/// One node of [`Shard`]; fields in the order in which they are told. Empty texts and `None` are left out.
#[derive(Clone, PartialEq, Debug)]
pub struct ShardNode {
    pub id: NodeId,
    pub port: Option<u16>,
    pub tls_port: Option<u16>,
    pub ip: Vec<u8>,
    pub endpoint: Vec<u8>,
    pub hostname: Vec<u8>,
    /// `master` or `replica`.
    pub role: &'static str,
    pub replication_offset: u64,
    /// `online`, `loading` or `fail`.
    pub health: &'static str,
    pub availability_zone: Vec<u8>,
}

/// One element of `CLUSTER LINKS`; fields in the order in which they are told.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// `from` or `to`.
    pub direction: &'static str,
    pub node: NodeId,
    pub create_time: UnixMillis,
    /// `r`, and `w` while there is something to send.
    pub events: &'static str,
    pub send_buffer_allocated: u64,
    pub send_buffer_used: u64,
}

/// For whom a node's line is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reader {
    Client(Asker),
    /// `nodes.conf`: with everything that is to be known again.
    File,
}

impl Cluster {
    /// All lines of `CLUSTER NODES`.
    pub(crate) fn describe_nodes(&self, asker: Asker) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, _) in self.nodes.iter() {
            self.describe_node(&mut out, key, Reader::Client(asker));
            out.push(b'\n');
        }
        out
    }

    pub(crate) fn describe_replicas(&self, name: &[u8], asker: Asker) -> Result<Vec<Vec<u8>>, Error> {
        let key = NodeId::parse(name).and_then(|id| self.nodes.find(&id)).ok_or_else(|| error::unknown_node(name))?;
        if self.nodes[key].is_replica() {
            return Err(error::NOT_A_PRIMARY);
        }
        let line = |replica: &Key| {
            let mut out = Vec::new();
            self.describe_node(&mut out, *replica, Reader::Client(asker));
            out
        };
        Ok(self.nodes[key].replicas.iter().map(line).collect())
    }

    /// The whole of `nodes.conf`.
    pub(crate) fn describe_file(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (key, node) in self.nodes.iter() {
            if !node.is_handshake() {
                self.describe_node(&mut out, key, Reader::File);
                out.push(b'\n');
            }
        }
        nodes_conf::finish(out, self.epochs.current, self.epochs.last_vote)
    }

    fn describe_node(&self, out: &mut Vec<u8>, key: Key, reader: Reader) {
        let node = &self.nodes[key];
        let (address, announced) = (&node.address, &node.announced);
        let (ip, port) = match reader {
            Reader::File => (&address.ip, if self.config.tls_cluster { address.tls_port } else { address.port }),
            Reader::Client(asker) => (client_ip(node, asker), client_port(node, asker.tls)),
        };
        let mut put = |part: &[u8]| out.extend_from_slice(part);
        put(node.id.as_bytes());
        put(b" ");
        put(ip);
        put(format!(":{port}@{}", address.bus_port).as_bytes());
        if reader == Reader::File {
            put(b",");
            put(&announced.hostname);
            put_text(&mut put, "availability-zone", &announced.availability_zone);
            put_port(&mut put, "client-tls-port", announced.client_tls_port);
            put_port(&mut put, "client-tcp-port", announced.client_port);
            put_text(&mut put, "client-ipv6", &announced.client_ipv6);
            put_text(&mut put, "client-ipv4", &announced.client_ipv4);
            let (name, other) =
                if self.config.tls_cluster { ("tcp-port", address.port) } else { ("tls-port", address.tls_port) };
            put(format!(",{name}={other}").as_bytes());
            put_text(&mut put, "nodename", &announced.human_name);
            put_text(&mut put, "shard-id", node.shard.as_bytes());
        } else if !announced.hostname.is_empty() {
            put(b",");
            put(&announced.hostname);
        }
        let primary = node.replica_of.map(|primary| self.nodes[primary].id);
        let linked = self.is_linked(key) || key == self.nodes.me;
        let tail = format!(
            " {} {} {} {} {} {}",
            node.flags.words(),
            primary.as_ref().map_or("-", NodeId::as_str),
            node.ping_sent,
            node.pong_received,
            self.nodes.epoch_of(key),
            if linked { "connected" } else { "disconnected" },
        );
        put(tail.as_bytes());
        for (first, last) in node.slots.ranges() {
            let range = if first == last { format!(" {first}") } else { format!(" {first}-{last}") };
            put(range.as_bytes());
        }
        if key == self.nodes.me {
            self.describe_open_slots(&mut put);
        }
    }

    fn describe_open_slots(&self, put: &mut impl FnMut(&[u8])) {
        let migrating = self.slots.migrating.iter().map(|(slot, to)| (*slot, "->-", *to));
        let importing = self.slots.importing.iter().filter(|(slot, _)| !self.slots.migrating.contains_key(slot));
        let mut open: Vec<_> = migrating.chain(importing.map(|(slot, from)| (*slot, "-<-", *from))).collect();
        open.sort_by_key(|(slot, _, _)| *slot);
        for (slot, arrow, other) in open {
            put(format!(" [{slot}{arrow}{}]", self.nodes[other].id).as_bytes());
        }
    }

    /// How far a node's data go. A node's own packets tell it of others, not of itself.
    pub(crate) fn offset_of(&self, key: Key) -> u64 {
        if key == self.nodes.me { self.replication.offset } else { self.nodes[key].offset }
    }

    pub(crate) fn describe_shards(&self, asker: Asker) -> Vec<Shard> {
        let mut shards: Vec<Shard> = Vec::new();
        for (key, node) in self.nodes.iter().filter(|(_, node)| !node.is_handshake()) {
            let at = shards.iter().position(|shard| shard.id == node.shard).unwrap_or_else(|| {
                shards.push(Shard { id: node.shard, slots: Vec::new(), nodes: Vec::new() });
                shards.len() - 1
            });
            let shard = &mut shards[at];
            if shard.slots.is_empty() {
                shard.slots = node.slots.ranges();
            }
            shard.nodes.push(self.describe_shard_node(key, asker));
        }
        shards
    }

    fn describe_shard_node(&self, key: Key, asker: Asker) -> ShardNode {
        let node = &self.nodes[key];
        let (address, announced) = (&node.address, &node.announced);
        let offset = self.offset_of(key);
        let ip = client_ip(node, asker).clone();
        let endpoint = match self.config.preferred_endpoint {
            Endpoint::Ip => ip.clone(),
            Endpoint::Hostname if announced.hostname.is_empty() => b"?".to_vec(),
            Endpoint::Hostname => announced.hostname.clone(),
            Endpoint::Unknown => Vec::new(),
        };
        ShardNode {
            id: node.id,
            port: (address.port != 0).then(|| client_port(node, false)),
            tls_port: (address.tls_port != 0).then(|| client_port(node, true)),
            ip,
            endpoint,
            hostname: announced.hostname.clone(),
            role: if node.is_replica() { "replica" } else { "master" },
            replication_offset: offset,
            health: match (node.has_failed(), node.is_replica() && offset == 0) {
                (true, _) => "fail",
                (false, true) => "loading",
                (false, false) => "online",
            },
            availability_zone: announced.availability_zone.clone(),
        }
    }

    pub(crate) fn describe_info(&self) -> Vec<u8> {
        #[derive(Default)]
        struct Count {
            assigned: usize,
            ok: usize,
            pfail: usize,
            fail: usize,
            nodes_pfail: usize,
            nodes_fail: usize,
            voting_pfail: usize,
            voting_fail: usize,
        }
        let mut n = Count::default();
        for (_, node) in self.nodes.iter() {
            let (pfail, fail, voting) = (node.is(Flags::PFAIL), node.has_failed(), usize::from(node.votes()));
            n.assigned += node.slot_count;
            *if fail {
                &mut n.fail
            } else if pfail {
                &mut n.pfail
            } else {
                &mut n.ok
            } += node.slot_count;
            if pfail {
                n.nodes_pfail += 1;
                n.voting_pfail += voting;
            }
            if fail {
                n.nodes_fail += 1;
                n.voting_fail += voting;
            }
        }
        let mut lines = vec![
            format!("cluster_state:{}", if self.health.ok { "ok" } else { "fail" }),
            format!("cluster_slots_assigned:{}", n.assigned),
            format!("cluster_slots_ok:{}", n.ok),
            format!("cluster_slots_pfail:{}", n.pfail),
            format!("cluster_slots_fail:{}", n.fail),
            format!("cluster_nodes_pfail:{}", n.nodes_pfail),
            format!("cluster_nodes_fail:{}", n.nodes_fail),
            format!("cluster_voting_nodes_pfail:{}", n.voting_pfail),
            format!("cluster_voting_nodes_fail:{}", n.voting_fail),
            format!("cluster_known_nodes:{}", self.nodes.len()),
            format!("cluster_size:{}", self.health.size),
            format!("cluster_current_epoch:{}", self.epochs.current),
            format!("cluster_my_epoch:{}", self.nodes.epoch_of(self.nodes.me)),
        ];
        for (counts, way) in [(&self.stats.sent, "sent"), (&self.stats.received, "received")] {
            for (kind, count) in Kind::ALL.iter().zip(counts).filter(|(_, count)| **count > 0) {
                lines.push(format!("cluster_stats_messages_{}_{way}:{count}", kind.name()));
            }
            lines.push(format!("cluster_stats_messages_{way}:{}", counts.iter().sum::<u64>()));
        }
        let s = &self.stats;
        lines.extend([
            format!("cluster_stats_bytes_sent:{}", s.bytes_sent),
            format!("cluster_stats_bytes_received:{}", s.bytes_received),
            format!("cluster_stats_pubsub_bytes_sent:{}", s.pubsub_bytes_sent),
            format!("cluster_stats_pubsub_bytes_received:{}", s.pubsub_bytes_received),
            format!("cluster_stats_module_bytes_sent:{}", s.module_bytes_sent),
            format!("cluster_stats_module_bytes_received:{}", s.module_bytes_received),
            format!("total_cluster_links_buffer_limit_exceeded:{}", s.buffer_limit_exceeded),
        ]);
        lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"]).flatten().copied().collect()
    }
}

fn client_ip(node: &Node, asker: Asker) -> &Vec<u8> {
    let announced = if asker.ipv6 { &node.announced.client_ipv6 } else { &node.announced.client_ipv4 };
    if announced.is_empty() { &node.address.ip } else { announced }
}

fn client_port(node: &Node, tls: bool) -> u16 {
    let (own, announced) = if tls {
        (node.address.tls_port, node.announced.client_tls_port)
    } else {
        (node.address.port, node.announced.client_port)
    };
    if announced != 0 { announced } else { own }
}

fn put_text(put: &mut impl FnMut(&[u8]), name: &str, value: &[u8]) {
    if !value.is_empty() {
        put(format!(",{name}=").as_bytes());
        put(value);
    }
}

fn put_port(put: &mut impl FnMut(&[u8]), name: &str, port: u16) {
    if port != 0 {
        put(format!(",{name}={port}").as_bytes());
    }
}
