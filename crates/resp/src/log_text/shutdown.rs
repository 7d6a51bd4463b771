//! From the request to stop to the last line.

pub const REQUESTED: &str = "User requested shutdown...";
pub const SIGINT: &str = "Received SIGINT scheduling shutdown...";
pub const SIGTERM: &str = "Received SIGTERM scheduling shutdown...";
pub const WAITING: &str = "Waiting for replicas before shutting down.";
pub const ABORTED: &str = "Shutdown manually aborted.";
pub const FSYNC: &str = "Calling fsync() on the AOF file.";
pub const SAVING: &str = "Saving the final RDB snapshot before exiting.";
pub const CANNOT_SAVE: &str = "Error trying to save the DB, can't exit.";
pub const WRITING_AOF: &str = "Writing initial AOF, can't exit.";
pub const WRITING_AOF_FORCED: &str = "Writing initial AOF. Exit anyway.";
pub const SNAPSHOT_GIVEN_UP: &str = "A snapshot is being written. It is given up.";
pub const VOTES: &str = "This is a voting primary. Shutting down may cause the cluster to go down. Can't exit.";
pub const VOTES_FORCED: &str = "This is a voting primary. Shutting down may cause the cluster to go down. Exit anyway.";
pub const NO_HEIR: &str = "Unable to find a replica to perform the auto failover on shutdown.";
pub const OLD_HEIRS: &str = "Unable to perform auto failover on shutdown since there are legacy replicas.";
pub const ERRORS: &str = "Errors trying to shut down the server. Check the logs for more information.";

/// A replica has not acknowledged everything. `state` as `INFO` names it.
pub fn lagging(replica: &str, bytes: u64, seconds: i64, state: &str) -> String {
    format!("Lagging replica {replica} reported offset {bytes} behind master, lag={seconds}, state={state}.")
}

/// `node` is the name of the replica that takes over.
pub fn hands_over(node: &str) -> String {
    format!("Perform auto failover to replica {node} on shutdown.")
}

pub fn in_sync(in_sync: usize, replicas: usize) -> String {
    format!("{in_sync} of {replicas} replicas are in sync when shutting down.")
}

/// `client` is the line of `CLIENT LIST`.
pub fn requested_by(client: &str) -> String {
    format!("{REQUESTED} (user request from '{client}')")
}

/// The last line.
pub fn bye(name: &str) -> String {
    format!("{name} is now ready to exit, bye bye...")
}
