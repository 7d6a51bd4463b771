//! Log texts that somebody waits for: the home of every one of them.
//!
//! Scripts, service managers, test suites and people search logs for these, so they are worded as Redis words them; a
//! line that nobody could be waiting for is written where it is logged. The historical `MASTER` stands in those that
//! tools match on under that name.
//!
//! | who waits | for |
//! |---|---|
//! | start scripts, test suites | [`start::READY`] |
//! | backup scripts | [`snapshot::SAVED`], [`snapshot::BACKGROUND_DONE`], [`aof::REWRITE_DONE`] |
//! | failover tests | [`replica::STARTED`], [`replica::FINISHED`], [`replica::PARTIAL_ACCEPTED`] |
//! | people after a crash | [`crash::START`] |
//!
//! Texts only: level, time and process id are added by who writes the line.

pub mod acl;
pub mod client;
pub mod cluster;
pub mod cluster_node;
pub mod failover;
pub mod process;

/// From the first line to serving clients.
pub mod start {
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
}

/// From the request to stop to the last line.
pub mod shutdown {
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
    pub const VOTES_FORCED: &str =
        "This is a voting primary. Shutting down may cause the cluster to go down. Exit anyway.";
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
}

/// RDB files.
pub mod snapshot {
    pub const SAVED: &str = "DB saved on disk";
    pub const BACKGROUND_STARTED: &str = "Background saving started";
    pub const BACKGROUND_DONE: &str = "Background saving terminated with success";
    pub const BACKGROUND_FAILED: &str = "Background saving error";
    pub const BACKGROUND_CANCELLED: &str = "Background saving will be aborted due to user request";

    pub const CANCELLED: &str = "Scheduled background saving will be cancelled due to user request";
    pub const SCHEDULED: &str = "Background saving scheduled due to user request";
    pub const UNKNOWN_TYPE: &str = "Unknown type or opcode when loading DB. Unrecoverable error, aborting now.";
    pub const FATAL: &str = "Fatal error loading the DB, check server logs. Exiting.";
    pub const RELOADED: &str = "DB reloaded by DEBUG RELOAD";

    pub const CANCELLED_NOW: &str = "Background saving cancelled";
    pub const UNWRITABLE: &str =
        "A hash has fields that expire, which this version of snapshot files cannot hold: nothing was saved";

    pub fn cannot_open(file: &str, why: &str) -> String {
        format!("Fatal error: can't open the RDB file {file} for reading: {why}")
    }

    pub fn cannot_create(why: &str) -> String {
        format!("Failed opening the temp RDB file for saving: {why}")
    }

    pub fn write_failed(why: &str) -> String {
        format!("Write error saving DB on disk: {why}")
    }

    /// The file was written by a server with more databases than this.
    pub fn databases(here: usize) -> String {
        format!("Data file was created with a server configured to handle more than {here} databases")
    }

    pub fn foreign_type(byte: u8, version: u16) -> String {
        format!("Can't handle foreign type or opcode {byte} in RDB with version {version}")
    }

    /// `what` tells the sums.
    pub fn wrong_checksum(what: &str) -> String {
        format!("RDB CRC error. {what}")
    }

    pub fn duplicate(key: &str) -> String {
        format!("Duplicated key '{key}' found in RDB file")
    }

    pub fn changes(changes: u64, seconds: u64) -> String {
        format!("{changes} changes in {seconds} seconds. Saving...")
    }

    pub fn produced_by(version: &str) -> String {
        format!("Loading RDB produced by version {version}")
    }

    pub fn unknown_version(version: u32) -> String {
        format!("Can't handle RDB format version {version}")
    }

    /// Begins the line that tells of damage.
    pub const DAMAGED: &str = "Internal error in RDB reading offset";

    /// The file is damaged at `offset`, for the reason `what`.
    pub fn damaged(offset: u64, what: &str) -> String {
        format!("{DAMAGED} {offset}: {what}")
    }

    pub const TERMINATING: &str = "Terminating server after rdb file reading failure.";

    /// A collection without elements.
    pub fn empty_key(key: &str) -> String {
        format!("Loading RDB, skipping empty key: {key}")
    }

    pub fn loaded(keys: u64, expired: u64, empty: u64) -> String {
        format!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}, empty keys skipped: {empty}.")
    }

    pub fn loaded_in(seconds: f64) -> String {
        format!("DB loaded from disk: {seconds:.3} seconds")
    }

    pub fn cannot_rename(target: &str, dir: &str, why: &str) -> String {
        format!("Failed trying to rename the temp DB into {target} (in server root dir {dir}): {why}")
    }
}

/// The append-only file.
pub mod aof {
    pub const REWRITE_STARTED: &str = "Background append only file rewriting started";
    pub const REWRITE_TERMINATED: &str = "Background AOF rewrite terminated with success";
    pub const REWRITE_DONE: &str = "Background AOF rewrite finished successfully";
    pub const REWRITE_FAILED: &str = "Background AOF rewrite terminated with error";
    pub const SCHEDULED: &str =
        "Another background task is running. An AOF background was scheduled to start after it.";
    pub const BASE: &str = "Reading RDB base file on AOF loading...";

    pub const RELOADED: &str = "Append Only File loaded by DEBUG LOADAOF";

    pub const KILLING: &str = "Killing running AOF rewrite child (a thread of this process)";
    pub const UNSCHEDULED: &str = "AOF was disabled but there is a scheduled AOF background, cancel it.";

    pub const MANIFEST_FAULT: &str = "*** FATAL AOF MANIFEST FILE ERROR ***";
    pub const TRIMMED: &str = "Writing the append only file fell behind: the journal does not hold what comes next";
    pub const NO_INCREMENT: &str = "The AOF rewrite has no increment that goes on from it";
    pub const TURNED_OFF: &str = "The append only file is off";

    pub fn cannot_make(dir: &str, why: &str) -> String {
        format!("Can't open or create append-only dir {dir}: {why}")
    }

    pub fn cannot_open_manifest(file: &str, why: &str) -> String {
        format!("Fatal error: can't open the AOF manifest file {file} for reading: {why}")
    }

    pub fn cannot_open(file: &str, why: &str) -> String {
        format!("Fatal error: can't open the append log file {file} for reading: {why}")
    }

    pub fn missing(file: &str, why: &str) -> String {
        format!("The append log file {file} doesn't exist: {why}")
    }

    pub fn cannot_append(file: &str, why: &str) -> String {
        format!("Can't open or create append-only file {file}: {why}")
    }

    pub fn write_failed(why: &str) -> String {
        format!("Error writing to the AOF file: {why}")
    }

    pub fn sync_failed(why: &str) -> String {
        format!("Fail to fsync the AOF file: {why}")
    }

    pub const CANNOT_RECOVER: &str =
        "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...";

    pub fn base_aborted(file: &str) -> String {
        format!("Error reading the RDB base file {file}, AOF loading aborted")
    }

    /// A command that is not known here; `error` says what is wrong with it.
    pub fn unreadable(file: &str, error: &str) -> String {
        format!("Error reading the append only file {file}, error: {error}")
    }

    /// A command that has failed; the load goes on.
    pub fn refused(file: &str, error: &str) -> String {
        format!("A command of the append only file {file} was refused: {error}")
    }

    pub fn upgraded(file: &str, dir: &str) -> String {
        format!("Successfully migrated an old-style AOF configuration ({file}) into the AOF directory ({dir}).")
    }

    pub fn base_of_snapshot(keys: u64, file: &str) -> String {
        format!(
            "appendonly is on and there is no append only file: {keys} keys were loaded from {file}, which becomes its \
             first base"
        )
    }

    pub fn reverted(file: &str) -> String {
        format!("Revert incomplete MULTI/EXEC transaction in AOF file {file}")
    }

    pub fn short_read(file: &str) -> String {
        format!("!!! Warning: short read while loading the AOF file {file}!!!")
    }

    pub fn limited(minutes: i64) -> String {
        format!("Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {minutes} minutes")
    }

    pub fn automatic(percent: u64) -> String {
        format!("Starting automatic rewriting of AOF on {percent}% growth")
    }

    /// `when` is `on server start` or `on background rewrite`.
    pub fn creating_base(file: &str, when: &str) -> String {
        format!("Creating AOF base file {file} {when}")
    }

    pub fn creating_increment(file: &str, when: &str) -> String {
        format!("Creating AOF incr file {file} {when}")
    }

    pub fn opening_increment(file: &str) -> String {
        format!("Opening AOF incr file {file} on server start")
    }

    pub fn removing_history(file: &str) -> String {
        format!("Removing the history file {file} in the background")
    }

    pub fn base_loaded(file: &str, seconds: f64) -> String {
        format!("DB loaded from base file {file}: {seconds:.3} seconds")
    }

    pub fn increment_loaded(file: &str, seconds: f64) -> String {
        format!("DB loaded from incr file {file}: {seconds:.3} seconds")
    }

    pub fn loaded_in(seconds: f64) -> String {
        format!("DB loaded from append only file: {seconds:.3} seconds")
    }

    pub fn unexpected_end(file: &str) -> String {
        format!("Unexpected end of file reading the append only file {file}.")
    }

    pub fn bad_format(file: &str) -> String {
        format!(
            "Bad file format reading the append only file {file}: make a backup of your AOF file, then use redis-check-aof \
             --fix <filename.manifest>"
        )
    }

    pub fn truncating(file: &str, offset: u64) -> String {
        format!("!!! Truncating the AOF {file} at offset {offset} !!!")
    }

    pub fn truncated(file: &str) -> String {
        format!("AOF {file} loaded anyway because aof-load-truncated is enabled")
    }
}

/// A primary about its replicas.
pub mod primary {
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
        format!(
            "Unable to partial resync with replica {replica} for lack of backlog (Replica request was: {id}:{offset})."
        )
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
}

/// A replica about its primary.
pub mod replica {
    pub const STARTED: &str = "MASTER <-> REPLICA sync started";
    pub const CONNECTED: &str = "Non blocking connect for SYNC fired the event.";
    pub const PONG: &str = "Master replied to PING, replication can continue...";
    pub const NO_CACHED_PRIMARY: &str = "Partial resynchronization not possible (no cached master)";
    pub const SHAKE_TIMEOUT: &str = "Timeout connecting to the PRIMARY...";
    pub const SYNC_TIMEOUT: &str = "Timeout receiving bulk data from PRIMARY... If the problem persists try to set the \
                                    'repl-timeout' parameter to a larger value.";
    pub const SWAPPING: &str = "MASTER <-> REPLICA sync: Swapping active DB with loaded DB";
    pub const DISCARDING: &str = "MASTER <-> REPLICA sync: Discarding the half-loaded data";
    pub const FILE_REMOVED: &str =
        "Removing the RDB file obtained from the primary. This replica has persistence disabled";
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
}

/// `CONFIG`.
pub mod config {
    pub const REWRITTEN: &str = "CONFIG REWRITE executed with success.";

    pub fn set_failed(name: &str) -> String {
        format!("The new {name} could not take effect. All settings stay as they were.")
    }

    pub fn rewrite_failed(why: &str) -> String {
        format!("CONFIG REWRITE failed: {why}")
    }
}

/// The report of a crash.
pub mod crash {
    pub const START: &str = "=== REDIS BUG REPORT START: Cut & paste starting from here ===";
    pub const END: &str = "=== REDIS BUG REPORT END. ===";

    /// `number` is the signal's.
    pub fn by_signal(version: &str, number: i32) -> String {
        format!("Rubellite {version} crashed by signal: {number}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts of lines that the peers' own suite and published scripts look for.
    #[test]
    fn what_is_looked_for_is_found() {
        for (text, part) in [
            (start::ready("tcp"), "Ready to accept connections tcp"),
            (snapshot::SAVED.into(), "DB saved on disk"),
            (snapshot::damaged(9, "short read"), "Internal error in RDB"),
            (snapshot::unknown_version(99), "Can't handle RDB format version"),
            (snapshot::cannot_rename("dump.rdb", "/x", "denied"), "Failed trying to rename the temp DB into dump.rdb"),
            (snapshot::loaded(1, 0, 9), "Done loading RDB, keys loaded: 1, keys expired: 0, empty keys skipped: 9."),
            (aof::unexpected_end("a"), "Unexpected end of file reading the append only file"),
            (aof::bad_format("a"), "Bad file format reading the append only file"),
            (aof::SCHEDULED.into(), "AOF background was scheduled"),
            (shutdown::WRITING_AOF.into(), "Writing initial AOF, can't exit"),
            (shutdown::CANNOT_SAVE.into(), "Error trying to save the DB, can't exit"),
            (shutdown::ABORTED.into(), "Shutdown manually aborted"),
            (shutdown::ERRORS.into(), "Errors trying to shut down"),
            (shutdown::in_sync(0, 1), "0 of 1 replicas are in sync"),
            (shutdown::bye("Rubellite"), "ready to exit, bye bye"),
            (replica::LOADING.into(), "Loading DB in memory"),
            (replica::FINISHED.into(), "MASTER <-> REPLICA sync: Finished with success"),
            (replica::PARTIAL_ACCEPTED.into(), "Successful partial resynchronization"),
            (replica::auth_refused("-ERR"), "Unable to AUTH to PRIMARY"),
            (primary::lost("1:2"), "Connection with replica 1:2 lost."),
            (primary::timed_out("full sync", "1:2"), "Disconnecting timedout replica (full sync)"),
            (primary::unable_to_partial("1:2", "id", 7), "Unable to partial resync with replica "),
            (client::output_limit("id=1"), "closed for overcoming of output buffer limits"),
            (crash::START.into(), "BUG REPORT START"),
            (crash::by_signal("1", 11), "crashed by signal"),
        ] {
            assert!(text.contains(part), "{text}");
            assert!(!text.contains('\n'), "{text}");
        }
    }
}
