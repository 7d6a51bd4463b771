//! Errors of Sentinel.

use super::{Error, cut, formatted, naming};

pub const NO_PRIMARY: Error = Error::fixed("ERR No such master with that name");
pub const SAVE_FAILED: Error = Error::fixed("ERR Failed to save config file. Check server logs.");
pub const FAILOVER_UNSUPPORTED: Error = Error::fixed("NOGOODPRIMARY Primary does not support FAILOVER command");
pub const FAILOVER_OPTION: Error = Error::fixed("ERR Unknown failover option specified");
pub const FAILOVER_RUNNING: Error = Error::fixed("INPROG Failover already in progress");
pub const FAILOVER_NO_REPLICA: Error = Error::fixed("NOGOODSLAVE No suitable replica to promote");
pub const QUORUM: Error = Error::fixed("ERR Quorum must be 1 or greater.");
pub const INVALID_QUORUM: Error = Error::fixed("ERR Invalid quorum");
pub const INVALID_PORT: Error = Error::fixed("ERR Invalid port");
pub const ADDRESS: Error = Error::fixed("ERR Invalid IP address or hostname specified");
pub const DUPLICATE_PRIMARY: Error = Error::fixed("ERR Duplicate master name.");
pub const DUPLICATE_REPLICA: Error = Error::fixed("ERR Duplicate hostname and port for replica.");
pub const DUPLICATE_SENTINEL: Error = Error::fixed("ERR Duplicate runid for sentinel.");
pub const UNRESOLVED_HOST: Error = Error::fixed("ERR Can't resolve instance hostname.");
pub const PORT: Error = Error::fixed("ERR Invalid port number.");
pub const CREATE_FAILED: Error = Error::fixed("ERR Unknown Error for creating instances.");
pub const CONFIG_SUBCOMMAND: Error = Error::fixed(
    "ERR Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> <value> ...] are \
     supported.",
);
pub const SIMULATE_FAILURE: Error = Error::fixed("ERR Unknown failure simulation specified");
pub const SCRIPTS_DENIED: Error = Error::fixed(
    "ERR Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig \
     configuration directive in your Sentinel configuration",
);
pub const NOTIFICATION_SCRIPT: Error = Error::fixed("ERR Notification script seems non existing or non executable");
pub const RECONFIG_SCRIPT: Error =
    Error::fixed("ERR Client reconfiguration script seems non existing or non executable");
pub const ONLY_HELLO: Error = Error::fixed("ERR Only HELLO messages are accepted by Sentinel instances.");

pub fn control_characters(index: usize, command: &str) -> Error {
    formatted(format_args!("ERR Invalid argument at index {index} for {command}: control characters are not allowed"))
}

pub fn config_set_unknown(option: &[u8]) -> Error {
    naming("ERR Invalid argument '", option, "' to SENTINEL CONFIG SET")
}

pub fn config_set_twice(option: &[u8]) -> Error {
    naming("ERR Duplicate argument '", option, "' to SENTINEL CONFIG SET")
}

pub fn config_set_missing(option: &[u8]) -> Error {
    naming("ERR Missing argument '", option, "' value")
}

pub fn config_set_value(value: &[u8], option: &[u8]) -> Error {
    Error::composed(&[b"ERR Invalid value '", cut(value), b"' to SENTINEL CONFIG SET '", cut(option), b"'"])
}

pub fn debug_option(option: &[u8]) -> Error {
    naming("ERR Unknown option or number of arguments for SENTINEL DEBUG '", option, "'")
}

pub fn debug_value(value: &[u8], option: &[u8]) -> Error {
    Error::composed(&[b"ERR Invalid argument '", cut(value), b"' for SENTINEL DEBUG '", cut(option), b"'"])
}

pub fn set_option(option: &[u8]) -> Error {
    naming("ERR Unknown option or number of arguments for SENTINEL SET '", option, "'")
}

pub fn set_value(value: &[u8], option: &[u8]) -> Error {
    Error::composed(&[b"ERR Invalid argument '", cut(value), b"' for SENTINEL SET '", cut(option), b"'"])
}

/// `SENTINEL CKQUORUM`: what `usable` Sentinels are too few for.
pub fn no_quorum(usable: usize, quorum: bool, majority: bool) -> Error {
    let mut reasons = Vec::new();
    if quorum {
        reasons.push("Not enough available Sentinels to reach the specified quorum for this master");
    }
    if majority {
        reasons.push("Not enough available Sentinels to reach the majority and authorize a failover");
    }
    formatted(format_args!("NOQUORUM {usable} usable Sentinels. {}", reasons.join(". ")))
}
