//! Why a directive was refused: the one home of these texts.
//!
//! The same sentence ends the start-up error of a wrong line and the `CONFIG SET` error of a wrong argument, and
//! clients, scripts and test suites match on it, so the words are the peers'.

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
        Reason(format!("argument must be between {low} and {high} inclusive").into())
    }

    pub(crate) fn out_of_octal_range(high: i128) -> Reason {
        Reason(format!("argument must be between 0 and {high:o} inclusive").into())
    }

    pub(crate) fn not_one_of(texts: impl Iterator<Item = &'static str>) -> Reason {
        let texts: Vec<&str> = texts.collect();
        Reason(format!("argument(s) must be one of the following: {}", texts.join(", ")).into())
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
pub const WRONG_NUMBER: Reason = Reason::fixed("wrong number of arguments");
pub const REPLICAOF_IN_CLUSTER: Reason = Reason::fixed("replicaof directive not allowed in cluster mode");
pub const NOT_SENTINEL: Reason = Reason::fixed("sentinel directive while not in sentinel mode");
pub const NO_MODULES: Reason = Reason::fixed("Modules are not supported");
pub const INCLUDE_TOO_DEEP: Reason = Reason::fixed("include directives are nested too deeply");
/// For the caller, who knows the commands.
pub const NO_SUCH_COMMAND: Reason = Reason::fixed("No such command in rename-command");
/// For the caller, who knows the commands.
pub const TARGET_COMMAND_EXISTS: Reason = Reason::fixed("Target command name already exists");

// --- CONFIG SET
pub const IMMUTABLE: Reason = Reason::fixed("can't set immutable config");
pub const PROTECTED: Reason = Reason::fixed("can't set protected config");
pub const DUPLICATE: Reason = Reason::fixed("duplicate parameter");

// --- what the caller may find when a new configuration takes effect
pub const CANNOT_LISTEN: Reason = Reason::fixed("Unable to listen on this port. Check server logs.");
pub const CANNOT_BIND: Reason = Reason::fixed("Failed to bind to specified addresses.");
pub const CANNOT_START_AOF: Reason = Reason::fixed("Unable to turn on AOF. Check server logs.");
pub const CANNOT_SET_OOM_SCORE: Reason = Reason::fixed("Failed to set current oom_score_adj. Check server logs.");

// --- values
pub const NOT_YES_NO: Reason = Reason::fixed("argument must be 'yes' or 'no'");
pub const NOT_INTEGER: Reason = Reason::fixed("argument couldn't be parsed into an integer");
pub const NOT_OCTAL: Reason = Reason::fixed("argument couldn't be parsed as an octal number");
pub const NOT_MEMORY: Reason = Reason::fixed("argument must be a memory value");
pub const NOT_MEMORY_OR_PERCENT: Reason = Reason::fixed("argument must be a memory or percent value");
pub const PERCENT_TOO_LARGE: Reason = Reason::fixed("percentage argument must be less or equal to 100");
pub const SAVE: Reason = Reason::fixed("Invalid save parameters");
pub const LIMIT_COUNT: Reason = Reason::fixed("Wrong number of arguments in buffer limit configuration.");
pub const LIMIT_CLASS: Reason = Reason::fixed("Invalid client class specified in buffer limit configuration.");
pub const LIMIT_VALUE: Reason =
    Reason::fixed("Error in hard, soft or soft_seconds setting in buffer limit configuration.");
pub const OOM_SCORES: Reason = Reason::fixed("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
pub const EVENT_CLASS: Reason = Reason::fixed("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
pub const TOO_MANY_ADDRESSES: Reason = Reason::fixed("Too many bind addresses specified.");
pub const PRIMARY_PORT: Reason = Reason::fixed("Invalid primary port");
pub const PERCENTILES: Reason = Reason::fixed("Invalid latency-tracking-info-percentiles parameters");
pub const PERCENTILE_RANGE: Reason =
    Reason::fixed("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]");
pub const SAVE_AND_NOSAVE: Reason = Reason::fixed("shutdown options SAVE and NOSAVE can't be used simultaneously");
pub const DIR_EMPTY: Reason = Reason::fixed("dir can't be empty");
pub const DBFILENAME_EMPTY: Reason = Reason::fixed("dbfilename can't be empty");
pub const DBFILENAME_PATH: Reason = Reason::fixed("dbfilename can't be a path, just a filename");
pub const APPENDFILENAME_EMPTY: Reason = Reason::fixed("appendfilename can't be empty");
pub const APPENDFILENAME_PATH: Reason = Reason::fixed("appendfilename can't be a path, just a filename");
pub const APPENDDIRNAME_EMPTY: Reason = Reason::fixed("appenddirname can't be empty");
pub const APPENDDIRNAME_PATH: Reason = Reason::fixed("appenddirname can't be a path, just a dirname");
pub const CLUSTER_FILE_EMPTY: Reason = Reason::fixed("cluster-config-file can't be empty");
pub const TITLE_TEMPLATE: Reason = Reason::fixed("template format is invalid or contains unknown variables");
pub const NODE_NAME: Reason = Reason::fixed("Announced human node name contained invalid character");
pub const ANNOUNCE_IP_LONG: Reason = Reason::fixed("cluster-announce-ip is too long");
pub const ANNOUNCE_IP: Reason = Reason::fixed("cluster-announce-ip contains invalid character");
pub const HOSTNAME_LONG: Reason = Reason::fixed("Hostnames must be less than 256 characters");
pub const HOSTNAME: Reason = Reason::fixed("Hostnames may only contain alphanumeric characters, hyphens or dots");
pub const IPV4: Reason = Reason::fixed("Invalid IPv4 address");
pub const IPV6: Reason = Reason::fixed("Invalid IPv6 address");
pub const HASH_SEED_LONG: Reason = Reason::fixed("hash-seed must be less than or equal to 256 characters");
