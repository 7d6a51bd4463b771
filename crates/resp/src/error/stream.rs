//! Errors of stream commands.

use super::{Error, cut, naming};

pub const INVALID_ID: Error = Error::fixed("ERR Invalid stream ID specified as stream command argument");
pub const MAXLEN_AND_MINID: Error =
    Error::fixed("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
pub const MAXLEN_NEGATIVE: Error = Error::fixed("ERR The MAXLEN argument must be >= 0.");
pub const LIMIT_NEGATIVE: Error = Error::fixed("ERR The LIMIT argument must be >= 0.");
pub const LIMIT_WITHOUT_TRIM: Error =
    Error::fixed("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
pub const TRIM_WITHOUT_STRATEGY: Error =
    Error::fixed("ERR syntax error, XTRIM must be called with a trimming strategy");
pub const LIMIT_WITHOUT_TILDE: Error =
    Error::fixed("ERR syntax error, LIMIT cannot be used without the special ~ option");

pub const XADD_ZERO_ID: Error = Error::fixed("ERR The ID specified in XADD must be greater than 0-0");
pub const XADD_EXHAUSTED: Error =
    Error::fixed("ERR The stream has exhausted the last possible ID, unable to add more items");
pub const XADD_SMALL_ID: Error =
    Error::fixed("ERR The ID specified in XADD is equal or smaller than the target stream top item");
pub const XADD_TOO_LARGE: Error = Error::fixed("ERR Elements are too large to be stored");

pub const INVALID_START: Error = Error::fixed("ERR invalid start ID for the interval");
pub const INVALID_END: Error = Error::fixed("ERR invalid end ID for the interval");

pub const GROUP_IN_XREAD: Error =
    Error::fixed("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
pub const NOACK_IN_XREAD: Error =
    Error::fixed("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
pub const NO_GROUP_OPTION: Error = Error::fixed("ERR Missing GROUP option for XREADGROUP");
pub const DOLLAR_IN_XREADGROUP: Error = Error::fixed(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
     specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
);
pub const PLUS_IN_XREADGROUP: Error = Error::fixed(
    "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
     specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set.",
);
pub const LAST_ID_ZERO: Error = Error::fixed("ERR the stream last element ID is 0-0");
pub const NEW_ID_IN_XREAD: Error = Error::fixed(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
);

pub const ENTRIESREAD: Error = Error::fixed("ERR value for ENTRIESREAD must be positive or -1");
pub const XGROUP_NO_KEY: Error = Error::fixed(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM \
     option to create an empty stream automatically.",
);
pub const BUSYGROUP: Error = Error::fixed("BUSYGROUP Consumer Group name already exists");

pub const ENTRIES_ADDED: Error = Error::fixed("ERR entries_added must be positive");
pub const XSETID_BELOW_GIVEN_DELETED: Error =
    Error::fixed("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
pub const XSETID_BELOW_DELETED: Error =
    Error::fixed("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
pub const XSETID_BELOW_TOP: Error =
    Error::fixed("ERR The ID specified in XSETID is smaller than the target stream top item");
pub const XSETID_ENTRIES_ADDED: Error =
    Error::fixed("ERR The entries_added specified in XSETID is smaller than the target stream length");

pub const XCLAIM_MIN_IDLE: Error = Error::fixed("ERR Invalid min-idle-time argument for XCLAIM");
pub const XCLAIM_IDLE: Error = Error::fixed("ERR Invalid IDLE option argument for XCLAIM");
pub const XCLAIM_TIME: Error = Error::fixed("ERR Invalid TIME option argument for XCLAIM");
pub const XCLAIM_RETRYCOUNT: Error = Error::fixed("ERR Invalid RETRYCOUNT option argument for XCLAIM");
pub const XAUTOCLAIM_MIN_IDLE: Error = Error::fixed("ERR Invalid min-idle-time argument for XAUTOCLAIM");
pub const XAUTOCLAIM_COUNT: Error = Error::fixed("ERR COUNT must be > 0");
pub const XAUTOCLAIM_MEMORY: Error =
    Error::fixed("ERR Insufficient memory, failed allocating transient memory, COUNT too high.");

/// `symbol` is what could stand for an ID: `$` for XREAD, `>` for XREADGROUP.
pub fn unbalanced_streams(fullname: &str, symbol: char) -> Error {
    super::formatted(format_args!(
        "ERR Unbalanced '{fullname}' list of streams: for each stream key an ID or '{symbol}' must be specified."
    ))
}

pub fn no_group_in_xreadgroup(key: &[u8], group: &[u8]) -> Error {
    Error::composed(&[
        b"NOGROUP No such key '",
        cut(key),
        b"' or consumer group '",
        cut(group),
        b"' in XREADGROUP with GROUP option",
    ])
}

pub fn no_key_or_group(key: &[u8], group: &[u8]) -> Error {
    Error::composed(&[b"NOGROUP No such key '", cut(key), b"' or consumer group '", cut(group), b"'"])
}

pub fn no_group(group: &[u8], key: &[u8]) -> Error {
    Error::composed(&[b"NOGROUP No such consumer group '", cut(group), b"' for key name '", cut(key), b"'"])
}

pub fn unknown_xclaim_option(option: &[u8]) -> Error {
    naming("ERR Unrecognized XCLAIM option '", option, "'")
}
