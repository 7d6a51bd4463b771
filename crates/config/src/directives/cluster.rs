//! The gossip cluster.

use super::{INT_MAX, LONG_MAX, NO_CLUSTER};
use crate::kind::{Seed, YES_NO, choice, int, memory, optional_text, seeds, signed_memory, text};
use crate::reason::{self, Reason};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

choice! {
    /// How nodes are named to clients.
    EndpointType {
        Ip = "ip",
        Hostname = "hostname",
        /// Not at all: the client goes on using the address that it knows.
        Unknown = "unknown-endpoint",
    }
}

choice! {
    /// Whether a node may go on when it cannot write its file.
    ConfigSaveBehavior {
        Sync = "sync",
        BestEffort = "best-effort",
    }
}

section! {
    /// The cluster.
    Cluster in cluster;

    /// Be a node.
    enabled: bool = false => "cluster-enabled", YES_NO, [immutable];
    /// File in which a node keeps what it knows.
    config_file: Vec<u8> = b"nodes.conf".to_vec() => "cluster-config-file", text(not_empty), [immutable];
    /// Whether a node may go on when it cannot write that file.
    config_save_behavior: ConfigSaveBehavior = ConfigSaveBehavior::Sync => "cluster-config-save-behavior", choice();
    /// Databases of a node.
    databases: u32 = 1 => "cluster-databases", int(1, INT_MAX), [immutable];
    /// Milliseconds of silence after which a node is suspected.
    node_timeout: u64 = 15000 => "cluster-node-timeout", int(0, LONG_MAX);
    /// Milliseconds between pings; 0 derives them from the timeout.
    ping_interval: u64 = 0 => "cluster-ping-interval", int(0, LONG_MAX), [hidden];
    /// Port of the bus; 0 takes the data port plus 10000.
    port: u16 = 0 => "cluster-port", int(0, 65535), [immutable];
    /// Do not fail over by itself.
    replica_no_failover: bool = false => "cluster-replica-no-failover" | "cluster-slave-no-failover", YES_NO;
    /// How many timeouts of lag disqualify a replica; 0 none.
    replica_validity_factor: u32 = 10 => "cluster-replica-validity-factor" | "cluster-slave-validity-factor",
        int(0, INT_MAX);
    /// Replicas that a primary must keep for one to move elsewhere.
    migration_barrier: u32 = 1 => "cluster-migration-barrier", int(0, INT_MAX);
    /// Let replicas move to primaries without one.
    allow_replica_migration: bool = true => "cluster-allow-replica-migration", YES_NO;
    /// Refuse commands while a slot has no node.
    require_full_coverage: bool = true => "cluster-require-full-coverage", YES_NO;
    /// Answer reads while the cluster is down.
    allow_reads_when_down: bool = false => "cluster-allow-reads-when-down", YES_NO;
    /// Publish to shard channels while the cluster is down.
    allow_pubsubshard_when_down: bool = true => "cluster-allow-pubsubshard-when-down", YES_NO;
    /// Bytes waiting on a bus link beyond which it is closed; 0 no limit.
    link_sendbuf_limit: u64 = 0 => "cluster-link-sendbuf-limit", memory(0, u64::MAX);
    /// Milliseconds for a manual failover.
    manual_failover_timeout: u32 = 5000 => "cluster-manual-failover-timeout", int(1, INT_MAX);
    /// Seconds for which a forgotten node stays forgotten.
    blacklist_ttl: u64 = 60 => "cluster-blacklist-ttl", int(0, LONG_MAX);
    /// Percent of nodes told of in a ping.
    message_gossip_perc: u32 = 10 => "cluster-message-gossip-perc", int(1, 100), [hidden];
    /// How nodes are named to clients.
    preferred_endpoint_type: EndpointType = EndpointType::Ip => "cluster-preferred-endpoint-type", choice();
    /// Address that other nodes use for us.
    announce_ip: Option<Vec<u8>> = None => "cluster-announce-ip", optional_text(announced_address);
    /// IPv4 address that clients use for us.
    announce_client_ipv4: Option<Vec<u8>> = None => "cluster-announce-client-ipv4", optional_text(ipv4);
    /// IPv6 address that clients use for us.
    announce_client_ipv6: Option<Vec<u8>> = None => "cluster-announce-client-ipv6", optional_text(ipv6);
    /// Host name that clients use for us.
    announce_hostname: Option<Vec<u8>> = None => "cluster-announce-hostname", optional_text(hostname);
    /// Name of this node for people.
    announce_human_nodename: Option<Vec<u8>> = None => "cluster-announce-human-nodename", optional_text(node_name);
    /// Data port that other nodes use for us; 0 the real one.
    announce_port: u16 = 0 => "cluster-announce-port", int(0, 65535);
    /// The same for TLS.
    announce_tls_port: u16 = 0 => "cluster-announce-tls-port", int(0, 65535);
    /// Bus port that other nodes use for us; 0 the real one.
    announce_bus_port: u16 = 0 => "cluster-announce-bus-port", int(0, 65535);
    /// Port that clients use for us; 0 the real one.
    announce_client_port: u16 = 0 => "cluster-announce-client-port", int(0, 65535);
    /// The same for TLS.
    announce_client_tls_port: u16 = 0 => "cluster-announce-client-tls-port", int(0, 65535);
    /// Nodes that are asked when the known ones cannot be reached, as host:port; who answers is known by its name.
    seeds: Vec<Seed> = Vec::new() => "cluster-seeds", seeds();
    /// Seconds for which keys are kept whose slots another node has taken without a migration; 0 without end.
    set_aside_ttl: u64 = 604_800 => "cluster-set-aside-ttl", int(0, LONG_MAX);
    /// Zone that this node stands in, told to clients.
    availability_zone: Vec<u8> = Vec::new() => "availability-zone", text(crate::kind::anything);
    /// Count commands and bytes per slot.
    slot_stats_enabled: bool = false => "cluster-slot-stats-enabled", YES_NO;
    /// Slot migrations remembered.
    slot_migration_log_max_len: u64 = 1000 => "cluster-slot-migration-log-max-len", int(0, LONG_MAX),
        accepted NO_CLUSTER;
    /// Bytes of lag up to which a slot may change hands; -1 any.
    slot_migration_max_failover_repl_bytes: i64 = 0 => "slot-migration-max-failover-repl-bytes", signed_memory(-1),
        accepted NO_CLUSTER;
    /// Percent of commands checked for what a cluster would refuse.
    compatibility_sample_ratio: u32 = 0 => "cluster-compatibility-sample-ratio", int(0, 100),
        accepted "Nothing is sampled.";
}

fn not_empty(name: &[u8]) -> Result<(), Reason> {
    if name.is_empty() { Err(reason::CLUSTER_FILE_EMPTY) } else { Ok(()) }
}

/// Whether `text` may stand in a line of the nodes' file, whose marks it must not contain.
fn fits_nodes_file(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte > b',' && *byte != 0x7f && !b";<=>?@[]^{|}~\\".contains(byte))
}

fn node_name(name: &[u8]) -> Result<(), Reason> {
    if fits_nodes_file(name) { Ok(()) } else { Err(reason::NODE_NAME) }
}

fn announced_address(address: &[u8]) -> Result<(), Reason> {
    match address {
        _ if address.len() >= 46 => Err(reason::ANNOUNCE_IP_LONG),
        _ if !fits_nodes_file(address) => Err(reason::ANNOUNCE_IP),
        _ => Ok(()),
    }
}

fn hostname(name: &[u8]) -> Result<(), Reason> {
    match name {
        _ if name.len() >= 256 => Err(reason::HOSTNAME_LONG),
        _ if name.iter().any(|byte| !byte.is_ascii_alphanumeric() && !b"-.".contains(byte)) => Err(reason::HOSTNAME),
        _ => Ok(()),
    }
}

fn ipv4(address: &[u8]) -> Result<(), Reason> {
    if address.is_empty() || spelled::<Ipv4Addr>(address) { Ok(()) } else { Err(reason::IPV4) }
}

fn ipv6(address: &[u8]) -> Result<(), Reason> {
    if address.is_empty() || spelled::<Ipv6Addr>(address) { Ok(()) } else { Err(reason::IPV6) }
}

fn spelled<T: FromStr>(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<T>().is_ok())
}
