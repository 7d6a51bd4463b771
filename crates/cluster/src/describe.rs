//! What `CLUSTER NODES`, `SHARDS`, `INFO` and `LINKS` tell, as data: commands encode it for RESP2 or RESP3.
//!
//! `CLUSTER SLOTS` and redirections need only the [`crate::View`]. What stands here moves with every packet (times of
//! pings, offsets, counters) and is asked of the machine itself.

use crate::id::{NodeId, ShardId, Slot};
use keyspace::UnixMillis;

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
