//! From the first line to serving clients.

/// `sentinel-guard-ms`.
pub fn guarded(ms: u64) -> String {
    format!("Writes are refused until REPLICAOF tells this server its role, or for {ms} ms (sentinel-guard-ms)")
}

pub const UNGUARDED: &str = "Nobody has told this server another role: it takes writes from now on";

pub const CONFIGURATION_LOADED: &str = "Configuration loaded";
pub const INITIALIZED: &str = "Server initialized";
/// With the kind of connection behind it: `tcp`, `unix`, `tls`.
pub const READY: &str = "Ready to accept connections";
pub const STDIN: &str = "Reading config from stdin";

/// The first line: `oO0OoO0OoO0Oo <name> is starting oO0OoO0OoO0Oo`.
pub fn starting(name: &str) -> String {
    format!("oO0OoO0OoO0Oo {name} is starting oO0OoO0OoO0Oo")
}

pub fn version(name: &str, version: &str, bits: usize, pid: u32) -> String {
    format!("{name} version={version}, bits={bits}, pid={pid}, just started")
}

/// `mode` is `standalone`, `cluster` or `sentinel`.
pub fn mode(mode: &str, port: u16) -> String {
    format!("Running mode={mode}, port={port}.")
}

/// `kind` is `tcp`, `unix` or `tls`.
pub fn ready(kind: &str) -> String {
    format!("{READY} {kind}")
}

/// `why` is the operating system's text.
pub fn cannot_listen(port: u16, address: &str, why: &str) -> String {
    format!("Warning: Could not create server TCP listening socket {address}:{port}: {why}")
}

/// `kind` is `tcp`, `unix` or `tls`.
pub fn no_listener(port: u16, kind: &str) -> String {
    format!("Failed listening on port {port} ({kind}), aborting.")
}

/// The gem, with what people and tools look for beside it.
pub fn logo(version: &str, port: u16, pid: u32) -> String {
    format!(
        "\n      .-------.      Rubellite {version} (64 bit)\n    .'  /   \\  '.    Running in standalone mode\n                /___/_____\\___\\   Port: {port}\n   \\   \\     /   /   PID: {pid}\n    '.  \\   /  .'\n      '. \\ / .'\n                     '-'\n\n"
    )
}

pub fn default_config(name: &str) -> String {
    format!(
        "Warning: no config file specified, using the default config. In order to specify a config file use {name} \
         /path/to/redis.conf"
    )
}

pub fn cannot_rename(command: &str) -> String {
    format!("rename-command: no such command, or the new name is taken: {command}")
}

pub const SENTINEL_WITHOUT_FILE: &str = "Sentinel needs config file on disk to save state. Exiting...";

/// sentinel.conf cannot be written; `why` is the operating system's text.
pub fn sentinel_file(path: &str, why: &str) -> String {
    format!("Sentinel config file {path} is not writable: {why}. Exiting...")
}

pub fn config_file(path: &str, why: &str) -> String {
    format!("Fatal error, can't open config file '{path}': {why}")
}
