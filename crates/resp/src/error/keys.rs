//! Errors of commands on keys of any type: expiry, scanning, copying, sorting, dumping, inspecting.

use super::{Error, cut, formatted, naming};

// --- EXPIRE and its family
pub const EXPIRE_NX_WITH_OTHERS: Error =
    Error::fixed("ERR NX and XX, GT or LT options at the same time are not compatible");
pub const EXPIRE_GT_AND_LT: Error = Error::fixed("ERR GT and LT options at the same time are not compatible");

pub fn unsupported_option(option: &[u8]) -> Error {
    naming("ERR Unsupported option ", option, "")
}

// --- SCAN and its family
pub const INVALID_CURSOR: Error = Error::fixed("ERR invalid cursor");
pub const NOVALUES_ONLY_HSCAN: Error = Error::fixed("ERR NOVALUES option can only be used in HSCAN");
pub const NOSCORES_ONLY_ZSCAN: Error = Error::fixed("ERR NOSCORES option can only be used in ZSCAN");
pub const SLOT_TWICE: Error = Error::fixed("ERR SLOT option can only be specified once");

pub fn unknown_type(name: &[u8]) -> Error {
    naming("ERR unknown type name '", name, "'")
}

// --- COPY
pub const UNKNOWN_OBJECT_TYPE: Error = Error::fixed("ERR unknown type object");

// --- OBJECT
pub const LFU_NO_IDLETIME: Error = Error::fixed(
    "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between \
     policies at runtime LRU and LFU data will take some time to adjust.",
);
pub const NO_LFU_NO_FREQ: Error = Error::fixed(
    "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
     between policies at runtime LRU and LFU data will take some time to adjust.",
);

// --- SORT
pub const SORT_BY_CLUSTER: Error = Error::fixed(
    "ERR BY option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.",
);
pub const SORT_GET_CLUSTER: Error = Error::fixed(
    "ERR GET option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.",
);
pub const SORT_BY_ACL: Error = Error::fixed("ERR BY option of SORT denied due to insufficient ACL permissions.");
pub const SORT_GET_ACL: Error = Error::fixed("ERR GET option of SORT denied due to insufficient ACL permissions.");
pub const SORT_NOT_NUMBERS: Error = Error::fixed("ERR One or more scores can't be converted into double");

// --- DUMP and RESTORE
pub const RESTORE_IDLETIME: Error = Error::fixed("ERR Invalid IDLETIME value, must be >= 0");
pub const RESTORE_FREQ: Error = Error::fixed("ERR Invalid FREQ value, must be >= 0 and <= 255");
pub const RESTORE_TTL: Error = Error::fixed("ERR Invalid TTL value, must be >= 0");
pub const DUMP_VERSION: Error = Error::fixed("ERR DUMP payload version or checksum are wrong");
pub const BAD_DATA: Error = Error::fixed("ERR Bad data format");

pub fn foreign_type(rdb_type: u8) -> Error {
    formatted(format_args!("ERR Unsupported foreign data type: {rdb_type}"))
}

// --- MIGRATE
pub const MIGRATE_CONNECT: Error = Error::fixed("IOERR error or timeout connecting to the client");
pub const MIGRATE_WRITING: Error = Error::fixed("IOERR error or timeout writing to target instance");
pub const MIGRATE_READING: Error = Error::fixed("IOERR error or timeout reading to target instance");
pub const MIGRATE_KEYS: Error =
    Error::fixed("ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");

/// `reply` without its leading `-`.
pub fn migrate_target(reply: &[u8]) -> Error {
    Error::composed(&[b"ERR Target instance replied with error: ", cut(reply)])
}

// --- COMMAND GETKEYS
pub const GETKEYS_UNKNOWN: Error = Error::fixed("ERR Invalid command specified");
pub const GETKEYS_NO_KEYS: Error = Error::fixed("ERR The command has no key arguments");
pub const GETKEYS_ARITY: Error = Error::fixed("ERR Invalid number of arguments specified for command");
pub const GETKEYS_ARGUMENTS: Error = Error::fixed("ERR Invalid arguments specified for command");
