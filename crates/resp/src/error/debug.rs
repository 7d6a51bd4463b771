//! Errors of `DEBUG`.

use super::{Error, formatted};

pub const RESTART_FAILED: Error = Error::fixed("ERR failed to restart the server. Check server logs.");
pub const RELOAD_OPTIONS: Error = Error::fixed("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
pub const RELOAD_RDB: Error = Error::fixed("ERR Error trying to load the RDB dump, check server logs.");
pub const RELOAD_AOF: Error = Error::fixed("ERR Error trying to load the AOF files, check server logs.");
pub const NOT_SDS: Error = Error::fixed("ERR Not an sds encoded string.");
pub const NOT_LISTPACK: Error = Error::fixed("ERR Not a listpack encoded object.");
pub const NOT_QUICKLIST: Error = Error::fixed("ERR Not a quicklist encoded object.");
pub const NOT_HASHTABLE: Error =
    Error::fixed("ERR The value stored at the specified key is not represented using an hash table");
pub const EXPAND_MEMORY: Error = Error::fixed("ERR OOM in dbExpand");
pub const RESP2: Error = Error::fixed("ERR RESP2 is not supported by this command");
pub const PROTOCOL_TYPE: Error = Error::fixed(
    "ERR Wrong protocol type name. Please use one of the following: \
     string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false",
);
pub const REPLYBUFFER: Error = Error::fixed("ERR argument must be a memory value bigger than 1 and smaller than 4gb");
pub const DATABASE: Error = Error::fixed("ERR Out of range database");
pub const MAXMEMORY_CLIENTS: Error = Error::fixed("ERR maxmemory-clients is disabled.");
pub const CLIENT_ID: Error = Error::fixed("ERR Invalid client id");
pub const NO_SUCH_CLIENT: Error = Error::fixed("ERR No such client");
pub const ZERO_OR_ONE: Error = Error::fixed("ERR Value must be 0 or 1");
pub const NO_TLS: Error = Error::fixed("ERR TLS is not enabled");

/// `reason` is the operating system's.
pub fn config_rewrite(reason: &str) -> Error {
    formatted(format_args!("ERR CONFIG-REWRITE-FORCE-ALL failed: {reason}"))
}
