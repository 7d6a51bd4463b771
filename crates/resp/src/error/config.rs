//! Errors of `CONFIG`, and the reasons that directives have for refusing a value.

use super::{Error, cut, naming};

pub const NO_FILE: Error = Error::fixed("ERR The server is running without a config file");

/// `reason` is the operating system's.
pub fn rewrite_failed(reason: &str) -> Error {
    naming("ERR Rewriting config file: ", reason.as_bytes(), "")
}

pub fn unknown_option(name: &[u8]) -> Error {
    naming("ERR Unknown option or number of arguments for CONFIG SET - '", name, "'")
}

/// `reason` is one of [`reason`], a directive's own, or empty.
pub fn set_failed(name: &[u8], reason: &str) -> Error {
    let head: &[u8] = b"ERR CONFIG SET failed (possibly related to argument '";
    if reason.is_empty() {
        Error::composed(&[head, cut(name), b"')"])
    } else {
        Error::composed(&[head, cut(name), b"') - ", reason.as_bytes()])
    }
}

/// Why a value is refused.
pub mod reason {
    pub const YES_OR_NO: &str = "argument must be 'yes' or 'no'";
    pub const NOT_OCTAL: &str = "argument couldn't be parsed as an octal number";
    pub const NOT_UNSIGNED: &str = "argument couldn't be parsed as an unsigned number";
    pub const NOT_INTEGER: &str = "argument couldn't be parsed into an integer";
    pub const NOT_MEMORY_OR_PERCENT: &str = "argument must be a memory or percent value";
    pub const NOT_MEMORY: &str = "argument must be a memory value";
    pub const ARITY: &str = "wrong number of arguments";
    pub const IMMUTABLE: &str = "can't set immutable config";
    pub const PROTECTED: &str = "can't set protected config";
    pub const DUPLICATE: &str = "duplicate parameter";

    /// `names` are the allowed words in the order of their definition.
    pub fn one_of(names: &[&str]) -> String {
        format!("argument(s) must be one of the following: {}", names.join(", "))
    }

    pub fn between(low: impl std::fmt::Display, high: impl std::fmt::Display) -> String {
        format!("argument must be between {low} and {high} inclusive")
    }

    pub const SAVE: &str = "Invalid save parameters";
    pub const DIR_EMPTY: &str = "dir can't be empty";
    pub const DBFILENAME_EMPTY: &str = "dbfilename can't be empty";
    pub const DBFILENAME_PATH: &str = "dbfilename can't be a path, just a filename";
    pub const APPENDFILENAME_EMPTY: &str = "appendfilename can't be empty";
    pub const APPENDFILENAME_PATH: &str = "appendfilename can't be a path, just a filename";
    pub const APPENDDIRNAME_EMPTY: &str = "appenddirname can't be empty";
    pub const APPENDDIRNAME_PATH: &str = "appenddirname can't be a path, just a dirname";
    pub const CLUSTER_FILE_EMPTY: &str = "cluster-config-file can't be empty";
    pub const ANNOUNCE_IP_LONG: &str = "cluster-announce-ip is too long";
    pub const ANNOUNCE_IP_CHARACTER: &str = "cluster-announce-ip contains invalid character";
    pub const ANNOUNCE_NODENAME: &str = "Announced human node name contained invalid character";
    pub const HOSTNAME_LONG: &str = "Hostnames must be less than 256 characters";
    pub const HOSTNAME_CHARACTER: &str = "Hostnames may only contain alphanumeric characters, hyphens or dots";
    pub const IPV4: &str = "Invalid IPv4 address";
    pub const IPV6: &str = "Invalid IPv6 address";
    pub const SHUTDOWN_OPTIONS: &str = "shutdown options SAVE and NOSAVE can't be used simultaneously";
    pub const EVENT_CLASS: &str = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
    pub const BIND_TOO_MANY: &str = "Too many bind addresses specified.";
    pub const BIND_FAILED: &str = "Failed to bind to specified addresses.";
    pub const LISTEN_FAILED: &str = "Unable to listen on this port. Check server logs.";
    pub const TLS_FAILED: &str = "Unable to update TLS configuration. Check server logs.";
    pub const AOF_FAILED: &str = "Unable to turn on AOF. Check server logs.";
    /// `possible` is how many the system allows.
    pub fn too_many_clients(possible: u64) -> String {
        format!("The operating system is not able to handle the specified number of clients, try with {possible}")
    }

    pub const MAXCLIENTS_LIMIT: &str = "The event loop API is not able to handle the specified number of clients";
    pub const PERCENTILES: &str = "Invalid latency-tracking-info-percentiles parameters";
    pub const PERCENTILES_RANGE: &str = "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]";
    pub const OOM_SCORE_VALUES: &str = "Invalid oom-score-adj-values, elements must be between -2000 and 2000.";
    pub const OOM_SCORE_FAILED: &str = "Failed to set current oom_score_adj. Check server logs.";
    pub const PRIMARY_PORT: &str = "Invalid primary port";
    pub const LOCALE: &str = "Invalid locale name";
    pub const PROCTITLE: &str = "failed to set process title";
    pub const PROCTITLE_TEMPLATE: &str = "template format is invalid or contains unknown variables";
    pub const MPTCP: &str = "MPTCP is not supported on this platform";
    pub const BUFFER_LIMIT_ARITY: &str = "Wrong number of arguments in buffer limit configuration.";
    pub const BUFFER_LIMIT_CLASS: &str = "Invalid client class specified in buffer limit configuration.";
    pub const BUFFER_LIMIT_VALUE: &str = "Error in hard, soft or soft_seconds setting in buffer limit configuration.";
}
