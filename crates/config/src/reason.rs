//! Why a directive was refused.
//!
//! The same sentence ends the start-up error of a wrong line and the `CONFIG SET` error of a wrong argument, and
//! clients, scripts and test suites match on it, so the words are the peers'. Those that a client may see have their
//! home in [`resp::error::config`]; those that only a file can cause stand here.

use resp::error::config::reason as wire;
use std::borrow::Cow;
use std::fmt;

/// Why a value or a line was refused, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason(Cow<'static, str>);

impl Reason {
    /// A reason whose text is known beforehand.
    pub const fn fixed(text: &'static str) -> Reason {
        Reason(Cow::Borrowed(text))
    }

    /// A reason with something of the occasion in it, such as the operating system's error.
    pub fn new(text: String) -> Reason {
        Reason(Cow::Owned(text))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The reasons of a `user` line, of which `word` was found wrong.
    pub fn user_declaration(word: &[u8], why: &str) -> Reason {
        Reason(format!("Error in user declaration '{}': {why}", String::from_utf8_lossy(word)).into())
    }

    /// The log file cannot be opened; `why` is the operating system's text.
    pub fn log_file(why: &str) -> Reason {
        Reason(format!("Can't open the log file: {why}").into())
    }

    pub(crate) fn out_of_range(low: i128, high: i128) -> Reason {
        Reason(wire::between(low, high).into())
    }

    pub(crate) fn out_of_octal_range(high: i128) -> Reason {
        Reason(wire::between(0, format_args!("{high:o}")).into())
    }

    pub(crate) fn not_one_of(texts: impl Iterator<Item = &'static str>) -> Reason {
        let texts: Vec<&str> = texts.collect();
        Reason(wire::one_of(&texts).into())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// --- lines
pub const UNBALANCED: Reason = Reason::fixed("Unbalanced quotes in configuration line");
pub const BAD_DIRECTIVE: Reason = Reason::fixed("Bad directive or wrong number of arguments");
pub const WRONG_NUMBER: Reason = Reason::fixed(wire::ARITY);
pub const REPLICAOF_IN_CLUSTER: Reason = Reason::fixed("replicaof directive not allowed in cluster mode");
pub const NOT_SENTINEL: Reason = Reason::fixed("sentinel directive while not in sentinel mode");
pub const NO_MODULES: Reason = Reason::fixed("Modules are not supported");
pub const INCLUDE_TOO_DEEP: Reason = Reason::fixed("include directives are nested too deeply");
/// For the caller, who knows the commands.
pub const NO_SUCH_COMMAND: Reason = Reason::fixed("No such command in rename-command");
/// For the caller, who knows the commands.
pub const TARGET_COMMAND_EXISTS: Reason = Reason::fixed("Target command name already exists");

// --- CONFIG SET
pub const IMMUTABLE: Reason = Reason::fixed(wire::IMMUTABLE);
pub const PROTECTED: Reason = Reason::fixed(wire::PROTECTED);
pub const DUPLICATE: Reason = Reason::fixed(wire::DUPLICATE);

// --- what the caller may find when a new configuration takes effect
pub const CANNOT_LISTEN: Reason = Reason::fixed(wire::LISTEN_FAILED);
pub const CANNOT_BIND: Reason = Reason::fixed(wire::BIND_FAILED);
pub const CANNOT_START_AOF: Reason = Reason::fixed(wire::AOF_FAILED);
pub const CANNOT_SET_OOM_SCORE: Reason = Reason::fixed(wire::OOM_SCORE_FAILED);

// --- values
pub const NOT_YES_NO: Reason = Reason::fixed(wire::YES_OR_NO);
pub const NOT_INTEGER: Reason = Reason::fixed(wire::NOT_INTEGER);
pub const NOT_OCTAL: Reason = Reason::fixed(wire::NOT_OCTAL);
pub const NOT_MEMORY: Reason = Reason::fixed(wire::NOT_MEMORY);
pub const NOT_MEMORY_OR_PERCENT: Reason = Reason::fixed(wire::NOT_MEMORY_OR_PERCENT);
pub const PERCENT_TOO_LARGE: Reason = Reason::fixed("percentage argument must be less or equal to 100");
pub const SAVE: Reason = Reason::fixed(wire::SAVE);
pub const LIMIT_COUNT: Reason = Reason::fixed(wire::BUFFER_LIMIT_ARITY);
pub const LIMIT_CLASS: Reason = Reason::fixed(wire::BUFFER_LIMIT_CLASS);
pub const LIMIT_VALUE: Reason = Reason::fixed(wire::BUFFER_LIMIT_VALUE);
pub const OOM_SCORES: Reason = Reason::fixed(wire::OOM_SCORE_VALUES);
pub const EVENT_CLASS: Reason = Reason::fixed(wire::EVENT_CLASS);
pub const TOO_MANY_ADDRESSES: Reason = Reason::fixed(wire::BIND_TOO_MANY);
pub const PRIMARY_PORT: Reason = Reason::fixed(wire::PRIMARY_PORT);
pub const PERCENTILES: Reason = Reason::fixed(wire::PERCENTILES);
pub const PERCENTILE_RANGE: Reason = Reason::fixed(wire::PERCENTILES_RANGE);
pub const SAVE_AND_NOSAVE: Reason = Reason::fixed(wire::SHUTDOWN_OPTIONS);
pub const DIR_EMPTY: Reason = Reason::fixed(wire::DIR_EMPTY);
pub const DBFILENAME_EMPTY: Reason = Reason::fixed(wire::DBFILENAME_EMPTY);
pub const DBFILENAME_PATH: Reason = Reason::fixed(wire::DBFILENAME_PATH);
pub const APPENDFILENAME_EMPTY: Reason = Reason::fixed(wire::APPENDFILENAME_EMPTY);
pub const APPENDFILENAME_PATH: Reason = Reason::fixed(wire::APPENDFILENAME_PATH);
pub const APPENDDIRNAME_EMPTY: Reason = Reason::fixed(wire::APPENDDIRNAME_EMPTY);
pub const APPENDDIRNAME_PATH: Reason = Reason::fixed(wire::APPENDDIRNAME_PATH);
pub const CLUSTER_FILE_EMPTY: Reason = Reason::fixed(wire::CLUSTER_FILE_EMPTY);
pub const TITLE_TEMPLATE: Reason = Reason::fixed(wire::PROCTITLE_TEMPLATE);
pub const NODE_NAME: Reason = Reason::fixed(wire::ANNOUNCE_NODENAME);
pub const ANNOUNCE_IP_LONG: Reason = Reason::fixed(wire::ANNOUNCE_IP_LONG);
pub const ANNOUNCE_IP: Reason = Reason::fixed(wire::ANNOUNCE_IP_CHARACTER);
pub const SEED: Reason = Reason::fixed("cluster-seeds are written as host:port, or host:port@busport");
pub const TOO_MANY_SEEDS: Reason = Reason::fixed("cluster-seeds names too many nodes");
pub const HOSTNAME_LONG: Reason = Reason::fixed(wire::HOSTNAME_LONG);
pub const HOSTNAME: Reason = Reason::fixed(wire::HOSTNAME_CHARACTER);
pub const IPV4: Reason = Reason::fixed(wire::IPV4);
pub const IPV6: Reason = Reason::fixed(wire::IPV6);
pub const HASH_SEED_LONG: Reason = Reason::fixed("hash-seed must be less than or equal to 256 characters");
