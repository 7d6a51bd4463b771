//! Errors of scripts and functions.

use super::{Error, cut, formatted, naming};

pub const NOSCRIPT: Error = Error::fixed("NOSCRIPT No matching script.");

// --- EVAL and its shebang
pub const SHEBANG: Error = Error::fixed("ERR Invalid script shebang");
pub const SHEBANG_ENGINE: Error = Error::fixed("ERR Invalid engine in script shebang");
pub const EVALSHA_DEBUG: Error = Error::fixed("ERR Please use EVAL instead of EVALSHA for debugging");

pub fn shebang_flag(flag: &[u8]) -> Error {
    naming("ERR Unexpected flag in script shebang: ", flag, "")
}

pub fn shebang_option(option: &[u8]) -> Error {
    naming("ERR Unknown lua shebang option: ", option, "")
}

pub fn no_engine(name: &[u8]) -> Error {
    naming("ERR Could not find scripting engine '", name, "'")
}

// --- SCRIPT
pub const SCRIPT_FLUSH: Error = Error::fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option");
pub const SCRIPT_DEBUG: Error = Error::fixed("ERR Use SCRIPT DEBUG YES/SYNC/NO");
pub const SCRIPT_DEBUG_PIPELINE: Error = Error::fixed("ERR SCRIPT DEBUG must be called outside a pipeline");
pub const NOTBUSY: Error = Error::fixed("NOTBUSY No scripts in execution right now.");
pub const UNKILLABLE_PRIMARY: Error = Error::fixed(
    "UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed.",
);
pub const UNKILLABLE_WROTE: Error = Error::fixed(
    "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script \
     termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.",
);

// --- what forbids a script to begin
pub const NO_CLUSTER: Error = Error::fixed("ERR Can not run script on cluster, 'no-cluster' flag is set.");
pub const NOT_STALE: Error = Error::fixed(
    "MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set \
     on the script.",
);
pub const READONLY: Error = Error::fixed("READONLY Can not run script with write flag on readonly replica");
pub const RO_COMMAND: Error = Error::fixed("ERR Can not execute a script with write flag using *_ro command.");
pub const OOM: Error =
    Error::fixed("OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'");

/// `product` is what the server calls itself towards clients.
pub fn misconf_rdb(product: &str) -> Error {
    formatted(format_args!(
        "MISCONF {product} is configured to save RDB snapshots, but it's currently unable to persist to disk. \
         Writable scripts are blocked. Use 'no-writes' flag for read only scripts."
    ))
}

/// `reason` is the operating system's.
pub fn misconf_aof(product: &str, reason: &str) -> Error {
    formatted(format_args!(
        "MISCONF {product} is configured to persist data to AOF, but it's currently unable to persist to disk. \
         Writable scripts are blocked. Use 'no-writes' flag for read only scripts. AOF error: {reason}"
    ))
}

// --- within a script
pub const CALL_NO_ARGS: Error = Error::fixed("ERR Please specify at least one argument for this call");
pub const CALL_ARG_TYPE: Error = Error::fixed("ERR Command arguments must be strings or integers");
pub const CALL_NOT_ALLOWED: Error = Error::fixed("ERR This Valkey command is not allowed from script");
pub const CALL_ARITY: Error = Error::fixed("ERR Wrong number of args calling command from script");
pub const CALL_UNKNOWN: Error = Error::fixed("ERR Unknown command called from script");
pub const CALL_WRITE: Error = Error::fixed("ERR Write commands are not allowed from read-only scripts.");
pub const CALL_NON_LOCAL: Error = Error::fixed("ERR Attempted to access a non local key in a cluster node");
pub const REPL_FLAGS: Error =
    Error::fixed("ERR Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.");
pub const ACL_CHECK_COMMAND: Error = Error::fixed("ERR Invalid command passed to server.acl_check_cmd()");
pub const LOG_LEVEL_TYPE: Error = Error::fixed("ERR First argument must be a number (log level).");
pub const LOG_LEVEL: Error = Error::fixed("ERR Invalid log level.");
pub const KILLED: Error = Error::fixed("ERR Script killed by user with SCRIPT KILL.");
pub const FUNCTION_KILLED: Error = Error::fixed("ERR Script killed by user with FUNCTION KILL.");

pub fn call_write_down_readonly(command: &str) -> Error {
    formatted(format_args!("ERR Can not execute a write command '{command}' while the cluster is down and readonly"))
}

pub fn call_down(command: &str) -> Error {
    formatted(format_args!("ERR Can not execute a command '{command}' while the cluster is down"))
}

/// `message` is the ACL's, without its code.
pub fn call_noperm(message: &[u8]) -> Error {
    Error::composed(&[b"ERR ACL failure in script: ", cut(message)])
}

// --- FUNCTION and FCALL
pub const NO_LIBRARY: Error = Error::fixed("ERR Library not found");
pub const NO_FUNCTION: Error = Error::fixed("ERR Function not found");
pub const BAD_NUMKEYS: Error = Error::fixed("ERR Bad number of keys provided");
pub const LIBRARYNAME: Error = Error::fixed("ERR library name argument was not given");
pub const FUNCTION_FLUSH: Error = Error::fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
pub const CODE_MISSING: Error = Error::fixed("ERR Function code is missing");
pub const RESTORE_POLICY: Error =
    Error::fixed("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
pub const RESTORE_TYPE: Error = Error::fixed("ERR can not read data type");
pub const RESTORE_PRE_GA: Error = Error::fixed("ERR Pre-GA function format not supported");
pub const RESTORE_NOT_FUNCTION: Error = Error::fixed("ERR given type is not a function");
pub const RESTORE_FAILED: Error = Error::fixed("ERR failed loading the given functions payload");
pub const METADATA_MISSING: Error = Error::fixed("ERR Missing library metadata");
pub const METADATA_INVALID: Error = Error::fixed("ERR Invalid library metadata");
pub const METADATA_NAME_TWICE: Error =
    Error::fixed("ERR Invalid metadata value, name argument was given multiple times");
pub const LIBRARY_NAME_MISSING: Error = Error::fixed("ERR Library name was not given");
pub const LIBRARY_NAME: Error = Error::fixed(
    "ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long",
);
pub const FUNCTION_NAME: Error = Error::fixed(
    "ERR Function names can only contain letters, numbers, or underscores(_) and must be at least one character long",
);
pub const FUNCTION_TWICE: Error = Error::fixed("ERR Function already exists in the library");
pub const NO_FUNCTIONS: Error = Error::fixed("ERR No functions registered");
pub const LOAD_TIMEOUT: Error = Error::fixed("ERR FUNCTION LOAD timeout");

pub fn metadata_value(value: &[u8]) -> Error {
    naming("ERR Invalid metadata value given: ", value, "")
}

pub fn unknown_list_argument(argument: &[u8]) -> Error {
    naming("ERR Unknown argument ", argument, "")
}

pub fn unknown_load_option(option: &[u8]) -> Error {
    naming("ERR Unknown option given: ", option, "")
}

pub fn no_function_engine(name: &[u8]) -> Error {
    naming("ERR Engine '", name, "' not found")
}

pub fn library_exists(name: &[u8]) -> Error {
    naming("ERR Library '", name, "' already exists")
}

/// As `FUNCTION RESTORE` says it.
pub fn restored_library_exists(name: &[u8]) -> Error {
    naming("ERR Library ", name, " already exists")
}

pub fn function_exists(name: &[u8]) -> Error {
    naming("ERR Function ", name, " already exists")
}

/// `reason` is the interpreter's.
pub fn compile_failed(reason: &[u8]) -> Error {
    Error::composed(&[b"ERR Error compiling script (new function): ", cut(reason)])
}

/// `reason` is the interpreter's.
pub fn function_compile_failed(reason: &[u8]) -> Error {
    Error::composed(&[b"ERR Error compiling function: ", cut(reason)])
}

/// `reason` is the interpreter's.
pub fn registration_failed(reason: &[u8]) -> Error {
    Error::composed(&[b"ERR Error registering functions: ", cut(reason)])
}

/// What `server.register_function` refuses; these become the reason of [`registration_failed`].
pub mod register {
    pub const ARITY: &str = "wrong number of arguments to server.register_function";
    pub const NOT_LOADING: &str = "server.register_function can only be called on FUNCTION LOAD command";
    pub const SINGLE: &str = "calling server.register_function with a single argument is only applicable to Lua table \
                              (representing named arguments).";
    pub const KEY_TYPE: &str = "named argument key given to server.register_function is not a string";
    pub const NAME_TYPE: &str = "function_name argument given to server.register_function must be a string";
    pub const DESCRIPTION_TYPE: &str = "description argument given to server.register_function must be a string";
    pub const CALLBACK_TYPE: &str = "callback argument given to server.register_function must be a function";
    pub const FLAGS_TYPE: &str =
        "flags argument to server.register_function must be a table representing function flags";
    pub const UNKNOWN: &str = "unknown argument given to server.register_function";
    pub const NAME_MISSING: &str = "server.register_function must get a function name argument";
    pub const CALLBACK_MISSING: &str = "server.register_function must get a callback argument";
    pub const FIRST: &str = "first argument to server.register_function must be a string";
    pub const SECOND: &str = "second argument to server.register_function must be a function";
}
