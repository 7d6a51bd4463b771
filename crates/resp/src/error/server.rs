//! Errors of server commands that belong to no other subject: SHUTDOWN, logs, latency, memory, LOLWUT, modules.

use super::{Error, naming};

// --- SHUTDOWN
pub const INVALID_KEYS: Error = Error::fixed("ERR Invalid arguments specified for command");
pub const SHUTDOWN_FAILED: Error = Error::fixed("ERR Errors trying to SHUTDOWN. Check logs.");
pub const SHUTDOWN_NOT_RUNNING: Error = Error::fixed("ERR No shutdown in progress.");
pub const SHUTDOWN_FAILOVER: Error = Error::fixed("ERR SHUTDOWN FAILOVER is only supported in cluster mode.");
pub const SHUTDOWN_DENY_BLOCKING: Error =
    Error::fixed("ERR SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client");

// --- SLOWLOG and COMMANDLOG
pub const COMMANDLOG_COUNT: Error = Error::fixed("ERR count should be greater than or equal to -1");
pub const COMMANDLOG_TYPE: Error =
    Error::fixed("ERR type should be one of the following: slow, large-request, large-reply");

// --- LATENCY, MEMORY, LOLWUT
pub fn no_latency_samples(event: &[u8]) -> Error {
    naming("ERR No samples available for event '", event, "'")
}

pub const MEMORY_PURGE: Error = Error::fixed("ERR Error purging dirty pages");
pub const LOLWUT: Error = Error::fixed("ERR Syntax error. Use: LOLWUT [columns rows] [real imaginary]");

// --- MODULE
pub const MODULE_LOAD: Error = Error::fixed("ERR Error loading the extension. Please check the server logs.");

pub fn module_unload(reason: &[u8]) -> Error {
    naming("ERR Error unloading module: ", reason, "")
}
