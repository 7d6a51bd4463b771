//! A primary about its replicas.

/// `replica` is its address and port.
pub fn asks(replica: &str) -> String {
    format!("Replica {replica} asks for synchronization")
}

pub fn full_resync(replica: &str) -> String {
    format!("Full resync requested by replica {replica}")
}

pub fn partial_accepted(replica: &str, bytes: u64, offset: u64) -> String {
    format!(
        "Partial resynchronization request from {replica} accepted. Sending {bytes} bytes of backlog starting from \
         offset {offset}."
    )
}

pub fn id_mismatch(asked: &str, id: &str, second: &str) -> String {
    format!(
        "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{asked}', my \
         replication IDs are '{id}' and '{second}')"
    )
}

pub fn unable_to_partial(replica: &str, id: &str, offset: u64) -> String {
    format!("Unable to partial resync with replica {replica} for lack of backlog (Replica request was: {id}:{offset}).")
}

pub fn wrong_offset(replica: &str) -> String {
    format!("Replica {replica} asks for synchronization but with a wrong offset")
}

/// A command that a replica has sent on its link was answered with an error.
pub fn error_to_replica(reply: &str, command: &str) -> String {
    format!(
        "== CRITICAL == This primary is sending an error to its replica: '{reply}' after processing the command \
         '{command}'"
    )
}

/// `client` is the line of `CLIENT LIST`.
pub fn replied_to_replica(command: &str, client: &str) -> String {
    format!("Replica generated a reply to command '{command}', disconnecting it: {client}")
}

/// `target` is `disk` or `replicas sockets`.
pub fn snapshot_for(target: &str) -> String {
    format!("Starting BGSAVE for SYNC with target: {target}")
}

pub const LAST_LEFT: &str = "Diskless rdb transfer, last replica dropped, killing fork child.";

pub fn transfer_started(pid: u32) -> String {
    format!("Background RDB transfer started by pid {pid}")
}

/// The last replica of a streamed snapshot has got it; so many have.
pub fn streamed(replicas: usize) -> String {
    format!("Diskless rdb transfer, done reading from pipe, {replicas} replicas still up.")
}

pub fn succeeded(replica: &str) -> String {
    format!("Synchronization with replica {replica} succeeded")
}

pub fn lost(replica: &str) -> String {
    format!("Connection with replica {replica} lost.")
}

/// What a replica has yet to be sent is more than a replica may leave unread.
pub fn too_far_behind(replica: &str, bytes: u64) -> String {
    format!("Disconnecting replica {replica}: it is {bytes} bytes behind")
}

/// `what` is `streaming sync` or `full sync`.
pub fn timed_out(what: &str, replica: &str) -> String {
    format!("Disconnecting timedout replica ({what}): {replica}")
}

pub fn backlog_created(id: &str, second: &str) -> String {
    format!("Replication backlog created, my new replication IDs are '{id}' and '{second}'")
}
