//! Errors of the connection and of `CLIENT`: HELLO, names, filters, pausing, unblocking, tracking.

use super::{Error, cut, formatted, naming};

// --- connecting
pub const MAX_CLIENTS: Error = Error::fixed("ERR max number of clients reached");
pub const MAX_CLIENTS_CLUSTER: Error = Error::fixed("ERR max number of clients + cluster connections reached");
pub const PROTECTED_MODE: Error = Error::fixed(
    "DENIED Running in protected mode because protected mode is enabled and no password is set for the default user. \
     In this mode connections are only accepted from the loopback interface. If you want to connect from external \
     computers, you may adopt one of the following solutions: 1) Just disable protected mode sending the command \
     'CONFIG SET protected-mode no' from the loopback interface by connecting from the same host the server is \
     running, however MAKE SURE it's not publicly accessible from internet if you do so. Use CONFIG REWRITE to make \
     this change permanent. 2) Alternatively you can just disable the protected mode by editing the configuration \
     file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the \
     server manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication \
     password for the default user. NOTE: You only need to do one of the above things in order for the server to \
     start accepting connections from the outside.",
);

// --- HELLO
pub const HELLO_VERSION: Error = Error::fixed("ERR Protocol version is not an integer or out of range");
pub const NOPROTO: Error = Error::fixed("NOPROTO unsupported protocol version");
pub const HELLO_NOAUTH: Error = Error::fixed(
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
     <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
);

pub fn hello_option(option: &[u8]) -> Error {
    naming("ERR Syntax error in HELLO option '", option, "'")
}

// --- names and attributes
pub const NAME: Error = Error::fixed("ERR Client names cannot contain spaces, newlines or special characters.");

pub fn setinfo_option(attribute: &[u8]) -> Error {
    naming("ERR Unrecognized option '", attribute, "'")
}

pub fn setinfo_value(attribute: &[u8]) -> Error {
    naming("ERR ", attribute, " cannot contain spaces, newlines or special characters.")
}

// --- RESET, MONITOR
pub const RESET_NOT_NORMAL: Error = Error::fixed("ERR can only reset normal client connections");
pub const MONITOR_DENY_BLOCKING: Error = Error::fixed("ERR MONITOR isn't allowed for DENY BLOCKING client");

// --- filters of CLIENT LIST and CLIENT KILL
pub const NO_SUCH_CLIENT: Error = Error::fixed("ERR No such client");
pub const CLIENT_ID: Error = Error::fixed("ERR client-id should be greater than 0");
pub const MAXAGE: Error = Error::fixed("ERR maxage should be greater than 0");
pub const MAXAGE_NOT_INTEGER: Error = Error::fixed("ERR maxage is not an integer or out of range");
pub const IDLE: Error = Error::fixed("ERR idle should be greater than 0");
pub const IDLE_NOT_INTEGER: Error = Error::fixed("ERR idle is not an integer or out of range");
pub const DB_NOT_INTEGER: Error = Error::fixed("ERR DB is not an integer or out of range");
pub const NOT_DB_NOT_INTEGER: Error = Error::fixed("ERR NOT-DB is not an integer or out of range");

pub fn unknown_client_type(name: &[u8]) -> Error {
    naming("ERR Unknown client type '", name, "'")
}

pub fn no_such_user(name: &[u8]) -> Error {
    naming("ERR No such user '", name, "'")
}

pub fn unknown_flags(flags: &[u8]) -> Error {
    naming("ERR Unknown flags found in the provided filter: ", flags, "")
}

pub fn unknown_not_flags(flags: &[u8]) -> Error {
    naming("ERR Unknown flags found in the NOT-FLAGS filter: ", flags, "")
}

pub fn unknown_capa(capa: &[u8]) -> Error {
    naming("ERR Unknown capa found in the provided filter: ", capa, "")
}

pub fn unknown_not_capa(capa: &[u8]) -> Error {
    naming("ERR Unknown capa found in the NOT-CAPA filter: ", capa, "")
}

/// `last` is the highest database number.
pub fn db_range(last: u32) -> Error {
    formatted(format_args!("ERR DB number should be between 0 and {last}"))
}

pub fn not_db_range(last: u32) -> Error {
    formatted(format_args!("ERR NOT-DB number should be between 0 and {last}"))
}

// --- pausing and unblocking
pub const UNBLOCK_REASON: Error = Error::fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
pub const UNBLOCKED: Error = Error::fixed("UNBLOCKED client unblocked via CLIENT UNBLOCK");
pub const UNBLOCKED_ROLE_CHANGE: Error =
    Error::fixed("UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)");
pub const PAUSE_MODE: Error = Error::fixed("ERR CLIENT PAUSE mode must be WRITE or ALL");
pub const NOT_IMPORTING: Error = Error::fixed("ERR Server is not in import mode");

// --- tracking
pub const REDIRECT_TWICE: Error = Error::fixed("ERR A client can only redirect to a single other client");
pub const REDIRECT_NO_CLIENT: Error = Error::fixed("ERR The client ID you want redirect to does not exist");
pub const PREFIX_NEEDS_BCAST: Error = Error::fixed("ERR PREFIX option requires BCAST mode to be enabled");
pub const BCAST_SWITCH: Error = Error::fixed(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with \
     a different mode.",
);
pub const OPT_WITH_BCAST: Error = Error::fixed("ERR OPTIN and OPTOUT are not compatible with BCAST");
pub const OPTIN_AND_OPTOUT: Error = Error::fixed("ERR You can't specify both OPTIN mode and OPTOUT mode");
pub const OPT_SWITCH: Error = Error::fixed(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with \
     a different mode.",
);
pub const CACHING_NEEDS_OPT: Error = Error::fixed(
    "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
);
pub const CACHING_YES: Error =
    Error::fixed("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
pub const CACHING_NO: Error =
    Error::fixed("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");

pub fn prefix_overlaps_existing(prefix: &[u8], existing: &[u8]) -> Error {
    Error::composed(&[
        b"ERR Prefix '",
        cut(prefix),
        b"' overlaps with an existing prefix '",
        cut(existing),
        b"'. Prefixes for a single client must not overlap.",
    ])
}

pub fn prefix_overlaps_provided(prefix: &[u8], other: &[u8]) -> Error {
    Error::composed(&[
        b"ERR Prefix '",
        cut(prefix),
        b"' overlaps with another provided prefix '",
        cut(other),
        b"'. Prefixes for a single client must not overlap.",
    ])
}
