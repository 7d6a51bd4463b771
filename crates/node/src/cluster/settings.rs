//! What the directives tell the machine.

use ::cluster::{Announced, BUS_PORT_STEP, Endpoint, Level};
use config::Config;
use config::Seed;
use config::directives::cluster::EndpointType;
use config::directives::general::LogLevel;

/// Where the bus of a seed listens.
fn bus_port_of(seed: &Seed) -> u16 {
    seed.bus_port.unwrap_or_else(|| seed.port.saturating_add(BUS_PORT_STEP))
}

/// The machine's configuration, taken out of the server's.
pub fn settings(config: &Config) -> ::cluster::Config {
    let c = &config.cluster;
    let text = |text: &Option<Vec<u8>>| text.clone().unwrap_or_default();
    ::cluster::Config {
        node_timeout_ms: c.node_timeout,
        ping_interval_ms: c.ping_interval,
        port: config.network.port,
        tls_port: 0,
        bus_port: c.port,
        tls_cluster: false,
        tls_replication: false,
        announce_ip: text(&c.announce_ip),
        announce_port: c.announce_port,
        announce_tls_port: c.announce_tls_port,
        announce_bus_port: c.announce_bus_port,
        announced: Announced {
            hostname: text(&c.announce_hostname),
            human_name: text(&c.announce_human_nodename),
            client_ipv4: text(&c.announce_client_ipv4),
            client_ipv6: text(&c.announce_client_ipv6),
            client_port: c.announce_client_port,
            client_tls_port: c.announce_client_tls_port,
            availability_zone: c.availability_zone.clone(),
        },
        preferred_endpoint: match c.preferred_endpoint_type {
            EndpointType::Ip => Endpoint::Ip,
            EndpointType::Hostname => Endpoint::Hostname,
            EndpointType::Unknown => Endpoint::Unknown,
        },
        replica_validity_factor: u64::from(c.replica_validity_factor),
        repl_ping_period_ms: u64::from(config.replication.repl_ping_replica_period) * 1000,
        replica_no_failover: c.replica_no_failover,
        migration_barrier: u64::from(c.migration_barrier),
        allow_replica_migration: c.allow_replica_migration,
        require_full_coverage: c.require_full_coverage,
        link_sendbuf_limit: c.link_sendbuf_limit,
        manual_failover_timeout_ms: u64::from(c.manual_failover_timeout),
        blacklist_ttl_s: c.blacklist_ttl,
        seeds: c.seeds.iter().map(|seed| (seed.host.clone(), bus_port_of(seed))).collect(),
        gossip_percent: u64::from(c.message_gossip_perc),
        max_message: config.clients.proto_max_bulk_len,
        verbosity: match config.general.loglevel {
            LogLevel::Debug => Level::Debug,
            LogLevel::Verbose => Level::Verbose,
            LogLevel::Notice => Level::Notice,
            LogLevel::Warning | LogLevel::Nothing => Level::Warning,
        },
    }
}
