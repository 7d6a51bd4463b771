//! A replica about its primary.

pub const STARTED: &str = "MASTER <-> REPLICA sync started";
pub const CONNECTED: &str = "Non blocking connect for SYNC fired the event.";
pub const PONG: &str = "Master replied to PING, replication can continue...";
pub const NO_CACHED_PRIMARY: &str = "Partial resynchronization not possible (no cached master)";
pub const SHAKE_TIMEOUT: &str = "Timeout connecting to the PRIMARY...";
pub const SYNC_TIMEOUT: &str = "Timeout receiving bulk data from PRIMARY... If the problem persists try to set the \
                                'repl-timeout' parameter to a larger value.";
pub const SWAPPING: &str = "MASTER <-> REPLICA sync: Swapping active DB with loaded DB";
pub const DISCARDING: &str = "MASTER <-> REPLICA sync: Discarding the half-loaded data";
pub const FILE_REMOVED: &str = "Removing the RDB file obtained from the primary. This replica has persistence disabled";
pub const FLUSHING: &str = "MASTER <-> REPLICA sync: Flushing old data";
pub const LOADING: &str = "MASTER <-> REPLICA sync: Loading DB in memory";
pub const FINISHED: &str = "MASTER <-> REPLICA sync: Finished with success";
pub const TIMEOUT: &str = "MASTER timeout: no data nor PING received...";
pub const LOST: &str = "Connection with master lost.";
pub const PARTIAL_ACCEPTED: &str = "Successful partial resynchronization with master.";
pub const PARTIAL_STREAM: &str = "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.";

pub fn connecting(primary: &str) -> String {
    format!("Connecting to PRIMARY {primary}")
}

pub fn reconnecting(primary: &str) -> String {
    format!("Reconnecting to MASTER {primary}")
}

pub fn trying_partial(id: &str, offset: u64) -> String {
    format!("Trying a partial resynchronization (request {id}:{offset}).")
}

pub fn full_resync(id: &str, offset: u64) -> String {
    format!("Full resync from master: {id}:{offset}")
}

/// `target` is `disk` or `parser`.
pub fn streamed(target: &str) -> String {
    format!("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to {target}")
}

/// `target` is `disk` or `parser`.
pub fn receiving(bytes: u64, target: &str) -> String {
    format!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master to {target}")
}

pub fn cannot_rename(target: &str, dir: &str, why: &str) -> String {
    format!(
        "Failed trying to rename the temp DB into {target} (in server root dir {dir}) in MASTER <-> REPLICA \
         synchronization: {why}"
    )
}

pub fn socket_error(why: &str) -> String {
    format!("Error condition on socket for SYNC: {why}")
}

pub fn auth_refused(reply: &str) -> String {
    format!("Unable to AUTH to PRIMARY: {reply}")
}

pub fn ping_refused(reply: &str) -> String {
    format!("Error reply to PING from master: '{reply}'")
}

pub fn unexpected_reply(reply: &str) -> String {
    format!("Unexpected reply to PSYNC from master: {reply}")
}

/// A replicated command was answered with an error.
pub fn command_failed(name: &str, reply: &str) -> String {
    format!(
        "== CRITICAL == This replica is sending an error to its primary: '{reply}' after processing the command \
         '{name}'"
    )
}

/// `propagation-error-behavior` ends the process after a command that has failed.
pub fn panicked(name: &str) -> String {
    format!("This replica panicked sending an error to its primary after processing the command '{name}'")
}

pub const CANNOT_WRITE: &str = "Replica was unable to write command to disk.";
pub const APPLIES_UNWRITTEN: &str = "Replica is applying a command even though it is unable to write to disk.";

pub fn second_id(old: &str, offset: u64, new: &str) -> String {
    format!("Setting secondary replication ID to {old}, valid up to offset: {offset}. New replication ID is {new}")
}

/// `client` is the line of `CLIENT LIST`.
pub fn following(primary: &str, client: &str) -> String {
    format!("REPLICAOF {primary} enabled (user request from '{client}')")
}

/// `client` is the line of `CLIENT LIST`.
pub fn promoted(client: &str) -> String {
    format!("MASTER MODE enabled (user request from '{client}')")
}
