//! Errors of the cluster: redirections, `CLUSTER`, slot migration, slot statistics.

use super::{Error, cut, formatted, naming};

// --- redirections
pub const CROSSSLOT: Error = Error::fixed("CROSSSLOT Keys in request don't hash to the same slot");
pub const TRYAGAIN: Error = Error::fixed("TRYAGAIN Multiple keys request during rehashing of slot");
pub const DOWN: Error = Error::fixed("CLUSTERDOWN The cluster is down");
pub const DOWN_READONLY: Error = Error::fixed("CLUSTERDOWN The cluster is down and only accepts read commands");
pub const NOT_SERVED: Error = Error::fixed("CLUSTERDOWN Hash slot not served");

pub fn moved(slot: u16, host: &[u8], port: u16) -> Error {
    to_node("MOVED", slot, host, port)
}

pub fn ask(slot: u16, host: &[u8], port: u16) -> Error {
    to_node("ASK", slot, host, port)
}

fn to_node(code: &str, slot: u16, host: &[u8], port: u16) -> Error {
    naming(&format!("{code} {slot} "), host, &format!(":{port}"))
}

// --- CLUSTER
pub const DISABLED: Error = Error::fixed("ERR This instance has cluster support disabled");
pub const INVALID_SLOT: Error = Error::fixed("ERR Invalid slot");
pub const SLOT_OUT_OF_RANGE: Error = Error::fixed("ERR Invalid or out of range slot");
pub const INVALID_SLOT_OR_COUNT: Error = Error::fixed("ERR Invalid slot or number of keys");
pub const NO_ID: Error = Error::fixed("ERR No ID yet");
pub const NO_SHARD_ID: Error = Error::fixed("ERR No shard ID yet");
pub const NOT_A_PRIMARY: Error = Error::fixed("ERR The specified node is not a master");
pub const INVALID_CURSOR: Error = Error::fixed("ERR Invalid cursor");
pub const CURSOR_OF_OTHER_SLOT: Error = Error::fixed("ERR Cursor slot mismatch with SLOT argument");
pub const PORT_RANGE: Error = Error::fixed("ERR Port number is out of range");
pub const BUS_PORT_RANGE: Error = Error::fixed("ERR Cluster bus port number is out of range");
pub const FLUSHSLOTS: Error = Error::fixed("ERR DB must be empty to perform CLUSTER FLUSHSLOTS.");
pub const FORGET_MYSELF: Error = Error::fixed("ERR I tried hard but I can't forget myself...");
pub const FORGET_PRIMARY: Error = Error::fixed("ERR Can't forget my master!");
pub const REPLICATE_MYSELF: Error = Error::fixed("ERR Can't replicate myself");
pub const REPLICATE_REPLICA: Error = Error::fixed("ERR I can only replicate a master, not a replica.");
pub const REPLICATE_NOT_EMPTY: Error =
    Error::fixed("ERR To set a master the node must be empty and without assigned slots.");
pub const FAILOVER_ON_PRIMARY: Error = Error::fixed("ERR You should send CLUSTER FAILOVER to a replica");
pub const FAILOVER_UNKNOWN_PRIMARY: Error = Error::fixed("ERR I'm a replica but my master is unknown to me");
pub const FAILOVER_PRIMARY_DOWN: Error =
    Error::fixed("ERR Master is down or failed, please use CLUSTER FAILOVER FORCE");
pub const EPOCH_KNOWS_NODES: Error =
    Error::fixed("ERR The user can assign a config epoch only when the node does not know any other node.");
pub const EPOCH_NOT_ZERO: Error = Error::fixed("ERR Node config epoch is already non-zero");
pub const RESET_NOT_EMPTY: Error = Error::fixed("ERR CLUSTER RESET can't be called with master nodes containing keys");
pub const DEBUG_ONLY_CLUSTER: Error = Error::fixed("ERR Debug option only available for cluster mode enabled setup!");
pub const DEBUG_LINK_MYSELF: Error = Error::fixed("ERR Cannot free cluster link(s) to myself");

pub fn unknown_node(name: &[u8]) -> Error {
    naming("ERR Unknown node ", name, "")
}

pub fn unknown_direction(direction: &[u8]) -> Error {
    naming("ERR Unknown direction ", direction, "")
}

pub fn slot_unassigned(slot: u16) -> Error {
    formatted(format_args!("ERR Slot {slot} is already unassigned"))
}

pub fn slot_busy(slot: u16) -> Error {
    formatted(format_args!("ERR Slot {slot} is already busy"))
}

pub fn slot_twice(slot: u16) -> Error {
    formatted(format_args!("ERR Slot {slot} specified multiple times"))
}

pub fn slot_range_reversed(start: u16, end: u16) -> Error {
    formatted(format_args!("ERR start slot number {start} is greater than end slot number {end}"))
}

pub fn meet_port(port: &[u8]) -> Error {
    naming("ERR Invalid base port specified: ", port, "")
}

pub fn meet_bus_port(port: &[u8]) -> Error {
    naming("ERR Invalid bus port specified: ", port, "")
}

pub fn meet_address(host: &[u8], port: &[u8]) -> Error {
    Error::composed(&[b"ERR Invalid node address specified: ", cut(host), b":", cut(port)])
}

/// `reason` is the operating system's.
pub fn save_failed(reason: &str) -> Error {
    formatted(format_args!("ERR error saving the cluster node config: {reason}"))
}

pub fn invalid_epoch(epoch: i64) -> Error {
    formatted(format_args!("ERR Invalid config epoch specified: {epoch}"))
}

pub const NO_ATOMIC_MIGRATION: Error = Error::fixed(
    "ERR Atomic slot migration is not supported: use CLUSTER SETSLOT and MIGRATE, as the managers of clusters do",
);

// --- CLUSTER SETSLOT
pub const SETSLOT_ON_REPLICA: Error = Error::fixed("ERR Please use SETSLOT only with masters.");
pub const SETSLOT_IMPORTING: Error = Error::fixed("ERR Slot import in progress.");
pub const SETSLOT_EXPORTING: Error = Error::fixed("ERR Slot export in progress.");
pub const SETSLOT_MYSELF: Error = Error::fixed("ERR Target node is myself");
pub const SETSLOT_NOT_PRIMARY: Error = Error::fixed("ERR Target node is not a master");
pub const SETSLOT_ACTION: Error =
    Error::fixed("ERR Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP");
pub const SETSLOT_TIMEOUT: Error = Error::fixed("ERR Missing timeout value");

pub fn setslot_not_owner(slot: u16) -> Error {
    formatted(format_args!("ERR I'm not the owner of hash slot {slot}"))
}

pub fn setslot_owner(slot: u16) -> Error {
    formatted(format_args!("ERR I'm already the owner of hash slot {slot}"))
}

pub fn setslot_unknown(node: &[u8]) -> Error {
    naming("ERR I don't know about node ", node, "")
}

pub fn setslot_keys(slot: u16) -> Error {
    formatted(format_args!(
        "ERR Can't assign hashslot {slot} to a different node while I still hold keys for this hash slot."
    ))
}

// --- CLUSTER MIGRATESLOTS, CANCELSLOTMIGRATIONS, SYNCSLOTS
pub const MIGRATE_NO_END: Error = Error::fixed("ERR No end slot for final slot range");
pub const MIGRATE_SHARDS: Error = Error::fixed("ERR Requested slots span multiple shards");
pub const MIGRATE_NO_RANGES: Error = Error::fixed("ERR No slot ranges specified");
pub const MIGRATE_ON_REPLICA: Error = Error::fixed("ERR Slot migration can only be used on primary nodes.");
pub const MIGRATE_MANUAL_IMPORT: Error = Error::fixed("ERR Slots are being manually imported");
pub const MIGRATE_MANUAL_EXPORT: Error = Error::fixed("ERR Slots are being manually migrated");
pub const MIGRATE_UNKNOWN_SOURCE: Error = Error::fixed("ERR Target node does not know the source node");
pub const MIGRATE_SOURCE_IS_TARGET: Error = Error::fixed("ERR Source node is target node itself");
pub const MIGRATE_OTHER_IMPORT: Error =
    Error::fixed("ERR Slot is already being imported on the target by a different migration");
pub const MIGRATE_OWNERSHIP: Error = Error::fixed("ERR Target node does not agree about current slot ownership");
pub const MIGRATE_NOT_SERVED: Error = Error::fixed("ERR Slots are not served by this node.");
pub const MIGRATE_OVERLAP: Error = Error::fixed("ERR Slot ranges in migrations overlap");
pub const MIGRATE_TO_MYSELF: Error = Error::fixed("ERR Target node can not be this node.");
pub const MIGRATE_NONE: Error = Error::fixed("ERR No migrations ongoing");
pub const MIGRATE_NO_JOB: Error = Error::fixed("ERR No such slot migration job");

pub fn migrate_range_reversed(start: u16, end: u16) -> Error {
    formatted(format_args!("ERR Start slot number {start} is greater than end slot number {end}."))
}

pub fn migrate_no_node(slot: u16) -> Error {
    formatted(format_args!("ERR Slot {slot} has no node served."))
}

pub fn migrate_ranges_overlap(start: u16, end: u16, previous_start: u16, previous_end: u16) -> Error {
    formatted(format_args!(
        "ERR Slot range {start}-{end} overlaps with previous range {previous_start}-{previous_end}."
    ))
}

pub fn migrate_already(slot: u16) -> Error {
    formatted(format_args!("ERR I am already migrating slot {slot}."))
}

pub fn migrate_invalid_name(name: &[u8]) -> Error {
    naming("ERR Invalid node name: ", name, "")
}

pub fn migrate_unknown_name(name: &[u8]) -> Error {
    naming("ERR Unknown node name: ", name, "")
}

/// `subcommand` is the word behind `CLUSTER SYNCSLOTS`.
pub fn syncslots_only_migration(subcommand: &str) -> Error {
    formatted(format_args!("ERR CLUSTER SYNCSLOTS {subcommand} should only be used by slot migration clients"))
}

// --- CLUSTER SLOT-STATS
pub const STATS_ORDERBY: Error = Error::fixed("ERR Unrecognized sort metric for ORDERBY.");
pub const STATS_LIMIT: Error = Error::fixed("ERR Limit has to lie in between 1 and 16384 (maximum number of slots).");
pub const STATS_FILTERS: Error = Error::fixed("ERR Multiple filters of the same type are disallowed.");

pub fn stats_range_reversed(start: u16, end: u16) -> Error {
    formatted(format_args!("ERR Start slot number {start} is greater than end slot number {end}"))
}
