//! What the directives tell the machine.
//!
//! A plain value, exchanged whole by [`crate::Cluster::configure`]; its defaults are the published ones.

use crate::node::Announced;

/// The directives that the cluster reads. Empty texts and port 0 mean "not set".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `cluster-node-timeout`, milliseconds.
    pub node_timeout_ms: u64,
    /// `cluster-ping-interval`, milliseconds; 0: half the node timeout.
    pub ping_interval_ms: u64,
    /// `port`: where plain clients are served.
    pub port: u16,
    /// `tls-port`.
    pub tls_port: u16,
    /// `cluster-port`; 0: the clients' port plus 10000.
    pub bus_port: u16,
    /// `tls-cluster`: the bus speaks TLS, and the TLS port is the one named first.
    pub tls_cluster: bool,
    /// `tls-replication`: replicas follow the TLS port.
    pub tls_replication: bool,
    /// `cluster-announce-ip`.
    pub announce_ip: Vec<u8>,
    /// `cluster-announce-port`.
    pub announce_port: u16,
    /// `cluster-announce-tls-port`.
    pub announce_tls_port: u16,
    /// `cluster-announce-bus-port`.
    pub announce_bus_port: u16,
    /// What this node tells of itself beyond its address: `cluster-announce-hostname`, `cluster-announce-human-nodename`,
    /// `cluster-announce-client-*`, `availability-zone`.
    pub announced: Announced,
    /// `cluster-preferred-endpoint-type`.
    pub preferred_endpoint: Endpoint,
    /// `cluster-replica-validity-factor`; 0: a replica's data are never too old.
    pub replica_validity_factor: u64,
    /// `repl-ping-replica-period`, milliseconds.
    pub repl_ping_period_ms: u64,
    /// `cluster-replica-no-failover`.
    pub replica_no_failover: bool,
    /// `cluster-migration-barrier`.
    pub migration_barrier: u64,
    /// `cluster-allow-replica-migration`.
    pub allow_replica_migration: bool,
    /// `cluster-require-full-coverage`.
    pub require_full_coverage: bool,
    /// `cluster-link-sendbuf-limit`, bytes; 0: none.
    pub link_sendbuf_limit: u64,
    /// `cluster-manual-failover-timeout`, milliseconds.
    pub manual_failover_timeout_ms: u64,
    /// `cluster-blacklist-ttl`, seconds.
    pub blacklist_ttl_s: u64,
    /// `cluster-seeds`: bus addresses that are asked when no known node can be reached.
    pub seeds: Vec<(Vec<u8>, u16)>,
    /// `cluster-message-gossip-perc`: how many of the known nodes a packet tells of, in percent.
    pub gossip_percent: u64,
    /// The largest message that a bus packet may carry, bytes; twice this and a header bound a packet.
    pub max_message: u64,
    /// Log lines below this level are not even composed.
    pub verbosity: Level,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            node_timeout_ms: 15000,
            ping_interval_ms: 0,
            port: 6379,
            tls_port: 0,
            bus_port: 0,
            tls_cluster: false,
            tls_replication: false,
            announce_ip: Vec::new(),
            announce_port: 0,
            announce_tls_port: 0,
            announce_bus_port: 0,
            announced: Announced::default(),
            preferred_endpoint: Endpoint::Ip,
            replica_validity_factor: 10,
            repl_ping_period_ms: 10_000,
            replica_no_failover: false,
            migration_barrier: 1,
            allow_replica_migration: true,
            require_full_coverage: true,
            link_sendbuf_limit: 0,
            manual_failover_timeout_ms: 5000,
            blacklist_ttl_s: 60,
            seeds: Vec::new(),
            gossip_percent: 10,
            max_message: 512 << 20,
            verbosity: Level::Notice,
        }
    }
}

impl Config {
    /// The clients' port that the bus port is counted from.
    fn base_port(&self) -> u16 {
        if self.tls_cluster { self.tls_port } else { self.port }
    }

    /// The bus port to listen on.
    pub fn listening_bus_port(&self) -> u16 {
        if self.bus_port != 0 { self.bus_port } else { self.base_port().saturating_add(BUS_PORT_STEP) }
    }

    /// The plain port that others are told.
    pub(crate) fn announced_port(&self) -> u16 {
        if self.announce_port != 0 { self.announce_port } else { self.port }
    }

    /// The TLS port that others are told.
    pub(crate) fn announced_tls_port(&self) -> u16 {
        if self.announce_tls_port != 0 { self.announce_tls_port } else { self.tls_port }
    }

    /// The bus port that others are told.
    pub(crate) fn announced_bus_port(&self) -> u16 {
        if self.announce_bus_port != 0 { self.announce_bus_port } else { self.listening_bus_port() }
    }

    /// How long an unfinished handshake lives: the node timeout, at least a second.
    pub(crate) fn handshake_timeout_ms(&self) -> i64 {
        self.timeout_ms().max(1000)
    }

    /// How long this node may have stood still without the others having given it up.
    pub fn deafness_ms(&self) -> i64 {
        self.timeout_ms().max(LEAST_DEAFNESS_MS)
    }

    /// The node timeout as a signed number of milliseconds.
    pub(crate) fn timeout_ms(&self) -> i64 {
        i64::try_from(self.node_timeout_ms).unwrap_or(i64::MAX / 1024).min(i64::MAX / 1024)
    }
}

/// A thread may be late by so much on a busy machine.
const LEAST_DEAFNESS_MS: i64 = 2000;

/// How far the bus port lies above the clients' port.
pub const BUS_PORT_STEP: u16 = 10_000;

/// What clients are given to reach a node by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Endpoint {
    /// Its address.
    Ip,
    /// Its announced hostname, `?` when it has none.
    Hostname,
    /// Nothing: they go on with the address that they used.
    Unknown,
}

/// How loud a log line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    Debug,
    Verbose,
    Notice,
    Warning,
}
