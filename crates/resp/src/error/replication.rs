//! Errors of replication: PSYNC, REPLCONF, REPLICAOF, WAIT, FAILOVER.

use super::{Error, formatted, naming};

// --- SYNC and PSYNC
pub const SYNC_FAILED: Error = Error::fixed("ERR BGSAVE failed, replication can't continue");
pub const PSYNC_FAILOVER_PRIMARY: Error = Error::fixed("ERR PSYNC FAILOVER can't be sent to a master.");
pub const PSYNC_FAILOVER_REPLID: Error = Error::fixed("ERR PSYNC FAILOVER replid must match my replid.");
pub const PSYNC_FAILOVER_ELSEWHERE: Error =
    Error::fixed("ERR PSYNC FAILOVER is not for a replica that was told to follow another primary.");
pub const SYNC_WHILE_FAILING_OVER: Error = Error::fixed("NOMASTERLINK Can't SYNC while failing over");
pub const SYNC_WITHOUT_LINK: Error = Error::fixed("NOMASTERLINK Can't SYNC while not connected with my master");
pub const SYNC_PENDING_OUTPUT: Error = Error::fixed("ERR SYNC and PSYNC are invalid with pending output");
pub const FILTER_NEEDS_EOF: Error = Error::fixed("ERR Filtered replica requires EOF capability");

pub const REPLICA_KEYSPACE: Error = Error::fixed("ERR Replica can't interact with the keyspace");

// --- REPLCONF
pub const FILTER_VALUES: Error = Error::fixed("ERR Missing rdb-filter-only values");

pub fn address_too_long(bytes: usize) -> Error {
    formatted(format_args!("ERR REPLCONF ip-address provided by replica instance is too long: {bytes} bytes"))
}

pub fn unknown_filter(name: &[u8]) -> Error {
    naming("ERR Unsupported rdb-filter-only option: ", name, "")
}

pub fn version_format(version: &[u8]) -> Error {
    naming("ERR Unrecognized version format: ", version, "")
}

pub fn unknown_rdb_client(id: i64) -> Error {
    formatted(format_args!("ERR Unrecognized RDB client id {id}"))
}

pub fn unknown_replconf(option: &[u8]) -> Error {
    naming("ERR Unrecognized REPLCONF option: ", option, "")
}

// --- REPLICAOF
pub const REPLICAOF_IN_CLUSTER: Error = Error::fixed("ERR REPLICAOF not allowed in cluster mode.");
pub const REPLICAOF_FAILING_OVER: Error = Error::fixed("ERR REPLICAOF not allowed while failing over.");
pub const REPLICAOF_FROM_REPLICA: Error = Error::fixed("ERR Command is not valid when client is a replica.");
pub const PRIMARY_PORT: Error = Error::fixed("ERR Invalid master port");

// --- the guard of a server that has just started. Clients that follow a Sentinel know its code: they ask again who the
// primary is.
pub const GUARDED: Error = Error::fixed(
    "READONLY This server has just started and waits to be told its role by REPLICAOF: it takes no writes until then, or \
     until the time of sentinel-guard-ms is over.",
);

// --- WAIT and WAITAOF
pub const WAIT_ON_REPLICA: Error = Error::fixed(
    "ERR WAIT cannot be used with replica instances. Please also note that if a replica is configured to be writable \
     (which is not the default) writes to replicas are just local and are not propagated.",
);
pub const WAITAOF_ON_REPLICA: Error = Error::fixed(
    "ERR WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and \
     are not propagated.",
);
pub const WAITAOF_WITHOUT_AOF: Error =
    Error::fixed("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");

// --- FAILOVER
pub const FAILOVER_NONE: Error = Error::fixed("ERR No failover in progress.");
pub const FAILOVER_TIMEOUT: Error = Error::fixed("ERR FAILOVER timeout must be greater than 0");
pub const FAILOVER_RUNNING: Error = Error::fixed("ERR FAILOVER already in progress.");
pub const FAILOVER_ON_REPLICA: Error = Error::fixed("ERR FAILOVER is not valid when server is a replica.");
pub const FAILOVER_NO_REPLICAS: Error = Error::fixed("ERR FAILOVER requires connected replicas.");
pub const FAILOVER_FORCE: Error =
    Error::fixed("ERR FAILOVER with force option requires both a timeout and target HOST and IP.");
pub const FAILOVER_TARGET: Error = Error::fixed("ERR FAILOVER target HOST and PORT is not a replica.");
pub const FAILOVER_OFFLINE: Error = Error::fixed("ERR FAILOVER target replica is not online.");
pub const FAILOVER_IN_CLUSTER: Error =
    Error::fixed("ERR FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.");
