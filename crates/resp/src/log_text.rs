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

/// From the first line to serving clients.
pub mod start {
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

    pub fn default_config(name: &str) -> String {
        format!(
            "Warning: no config file specified, using the default config. In order to specify a config file use {name} \
             /path/to/redis.conf"
        )
    }

    pub fn cannot_rename(command: &str) -> String {
        format!("rename-command: no such command, or the new name is taken: {command}")
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
    pub const ERRORS: &str = "Errors trying to shut down the server. Check the logs for more information.";

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

    pub fn changes(changes: u64, seconds: u64) -> String {
        format!("{changes} changes in {seconds} seconds. Saving...")
    }

    pub fn produced_by(version: &str) -> String {
        format!("Loading RDB produced by version {version}")
    }

    pub fn unknown_version(version: u32) -> String {
        format!("Can't handle RDB format version {version}")
    }

    /// The file is damaged at `offset`, for the reason `what`.
    pub fn damaged(offset: u64, what: &str) -> String {
        format!("Internal error in RDB reading offset {offset}: {what}")
    }

    pub fn loaded(keys: u64, expired: u64) -> String {
        format!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}.")
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
        format!("Bad file format reading the append only file {file}.")
    }

    pub fn truncating(file: &str, offset: u64) -> String {
        format!("Truncating the AOF {file} at offset {offset}")
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

    /// `target` is `disk` or `replicas sockets`.
    pub fn snapshot_for(target: &str) -> String {
        format!("Starting BGSAVE for SYNC with target: {target}")
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
    pub const STREAMED: &str = "MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF";
    pub const FLUSHING: &str = "MASTER <-> REPLICA sync: Flushing old data";
    pub const LOADING: &str = "MASTER <-> REPLICA sync: Loading DB in memory";
    pub const FINISHED: &str = "MASTER <-> REPLICA sync: Finished with success";
    pub const TIMEOUT: &str = "MASTER timeout: no data nor PING received...";
    pub const LOST: &str = "Connection with master lost.";
    pub const PARTIAL_ACCEPTED: &str = "Successful partial resynchronization with master.";
    pub const PARTIAL_STREAM: &str = "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.";

    pub fn connecting(primary: &str) -> String {
        format!("Connecting to MASTER {primary}")
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
    pub fn receiving(bytes: u64, target: &str) -> String {
        format!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master to {target}")
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
        format!("A command of the primary has failed here, the data may differ: '{name}' was answered '{reply}'")
    }

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

/// Clients and their limits.
pub mod client {
    pub const IDLE: &str = "Closing idle client";

    pub fn output_limit(client: &str) -> String {
        format!("Client {client} closed for overcoming of output buffer limits.")
    }

    pub fn query_limit(client: &str) -> String {
        format!("Closing client that reached max query buffer length: {client}")
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

// --- the process: listeners, limits, crash reports
use std::fmt::Display;

// ---- start and end ---------------------------------------------------------------------------------------------------

/// `*` The first line.
pub const STARTING: &str = "oO0OoO0OoO0Oo Rubellite is starting oO0OoO0OoO0Oo";
/// `*` The configuration file, or the command line, has been read.
pub const CONFIGURATION_LOADED: &str = "Configuration loaded";
/// `*` Everything is set up; the data are loaded next.
pub const SERVER_INITIALIZED: &str = "Server initialized";
/// `#` The data could not be loaded; the start ends here.
pub const FATAL_LOADING: &str = "Fatal error loading the DB, check server logs. Exiting.";
/// `#` Neither a port nor a Unix socket is configured.
pub const NOWHERE_TO_LISTEN: &str = "Configured to not listen anywhere, exiting.";

/// `*` What has started.
pub fn version(version: &str, pid: u32) -> String {
    format!("Rubellite version={version}, bits={}, pid={pid}, just started", usize::BITS)
}

/// `#` Started without a configuration file.
pub fn no_config_file(program: &str) -> String {
    format!(
        "Warning: No config file specified, using the default config. In order to specify a config file use {program} \
         /path/to/redis.conf"
    )
}

/// `*` The mode (`standalone`, `cluster`, `sentinel`) and the port.
pub fn running_mode(mode: &str, port: u16) -> String {
    format!("Running mode={mode}, port={port}.")
}

/// Raw, at `*`: the banner in place of [`running_mode`] on a terminal or with `always-show-logo yes`. Starters look for the
/// ` PID: ` in it.
pub fn banner(version: &str, mode: &str, port: u16, pid: u32) -> String {
    format!(
        "
              .
            ./ \\.
         ./  /|\\  \\.       Rubellite {version} ({bits} bit)
        /___/ | \\___\\
        \\   \\ | /   /      Running in {mode} mode
         \\   \\|/   /       Port: {port}
          \\   |   /        PID: {pid}
           \\  |  /
            \\ | /
             \\|/
              '

",
        bits = usize::BITS,
    )
}

/// `*` Clients of this kind (`tcp`, `unix`, `tls`) are served from now on.
pub fn ready(kind: &str) -> String {
    format!("Ready to accept connections {kind}")
}

/// `#` An address could not be listened on. `reason` names the step: `bind: Address already in use`.
pub fn could_not_listen(address: &str, port: u16, reason: &str) -> String {
    format!("Warning: Could not create server TCP listening socket {address}:{port}: {reason}")
}

/// `#` The start ends here.
pub fn failed_listening(port: u16, kind: &str) -> String {
    format!("Failed listening on port {port} ({kind}), aborting.")
}

/// `#` The Unix socket could not be made.
pub fn failed_unix_socket(reason: &str) -> String {
    format!("Failed opening Unix socket: bind: {reason}")
}

/// `#` The kernel allows fewer waiting connections than `tcp-backlog`.
pub fn backlog_too_large(wanted: i32, most: i32) -> String {
    format!(
        "WARNING: The TCP backlog setting of {wanted} cannot be enforced because /proc/sys/net/core/somaxconn is set to \
         the lower value of {most}."
    )
}

/// `#` `maxmemory` below 1 MB.
pub fn small_maxmemory(bytes: u64) -> String {
    format!(
        "WARNING: You specified a maxmemory value that is less than 1MB (current value is {bytes} bytes). Are you sure \
         this is what you really want?"
    )
}

/// `#` The limit of open files cannot be asked for.
pub fn nofile_unknown(reason: &str) -> String {
    format!(
        "Unable to obtain the current NOFILE limit ({reason}), assuming 1024 and setting the max clients configuration \
         accordingly."
    )
}

/// `#` Too few files for the server itself; the start ends here.
pub fn nofile_too_low(limit: u64, needed: u64) -> String {
    format!(
        "Your current 'ulimit -n' of {limit} is not enough for the server to start. Please increase your open file limit \
         to at least {needed}. Exiting."
    )
}

/// `#` The three lines told when `maxclients` had to be reduced.
pub fn nofile_reduced(wanted: u64, needed: u64, reason: &str, limit: u64, maxclients: u64) -> [String; 3] {
    [
        format!("You requested maxclients of {wanted} requiring at least {needed} max file descriptors."),
        format!("Server can't set maximum open files to {needed} because of OS error: {reason}."),
        format!(
            "Current maximum open files is {limit}. maxclients has been reduced to {maxclients} to compensate for low \
             ulimit. If you need higher maxclients increase 'ulimit -n'."
        ),
    ]
}

/// `*` The limit of open files was raised.
pub fn nofile_raised(to: u64, from: u64) -> String {
    format!("Increased maximum number of open files to {to} (it was originally set to {from}).")
}

/// `#` The process id could not be written.
pub fn pid_file_failed(reason: &str) -> String {
    format!("Failed to write PID file: {reason}")
}

/// `#` The wall clock was set back.
pub fn clock_stepped_back(ms: i64) -> String {
    format!("The system clock went back by {ms} ms. Expiry times count by the new time.")
}

/// From the signal handler.
pub const SIGINT: &str = "Received SIGINT scheduling shutdown...";
/// From the signal handler.
pub const SIGTERM: &str = "Received SIGTERM scheduling shutdown...";
/// From the signal handler, while the data are being loaded.
pub const SIGNAL_WHILE_LOADING: &str = "Received shutdown signal during loading, scheduling shutdown.";
/// From the signal handler, at the second SIGINT.
pub const INSIST: &str = "You insist... exiting now.";
/// `#` A shutdown by signal has failed.
pub const SIGTERM_FAILED: &str =
    "SIGTERM received but errors trying to shut down the server, check the logs for more information";
/// `*` The shutdown begins.
pub const SHUTDOWN_REQUESTED: &str = "User requested shutdown...";
/// `*` Writes are paused until the replicas have everything.
pub const SHUTDOWN_WAITS_FOR_REPLICAS: &str = "Waiting for replicas before shutting down.";
/// `#` SHUTDOWN ABORT.
pub const SHUTDOWN_ABORTED: &str = "Shutdown manually aborted.";
/// `#` The shutdown did not happen.
pub const SHUTDOWN_FAILED: &str = "Errors trying to shut down the server. Check the logs for more information.";
/// `*` Before the last dump.
pub const SHUTDOWN_SAVES: &str = "Saving the final RDB snapshot before exiting.";
/// `#` The last dump failed, and the server stays.
pub const SHUTDOWN_SAVE_FAILED: &str = "Error trying to save the DB, can't exit.";
/// `#` The last dump failed, and SHUTDOWN FORCE was given.
pub const SHUTDOWN_SAVE_FAILED_FORCED: &str = "Error trying to save the DB. Exit anyway.";
/// `#` The first AOF is being written, and the server stays.
pub const SHUTDOWN_INITIAL_AOF: &str = "Writing initial AOF, can't exit.";
/// `#` The first AOF is being written, and SHUTDOWN FORCE was given.
pub const SHUTDOWN_INITIAL_AOF_FORCED: &str = "Writing initial AOF. Exit anyway.";
/// `#` A snapshot is under way.
pub const SHUTDOWN_STOPS_SAVE: &str = "There is a background save in progress. Stopping it!";
/// `#` A rewrite is under way.
pub const SHUTDOWN_STOPS_REWRITE: &str = "There is an AOF rewrite in progress. Stopping it!";
/// `*` The last fsync.
pub const SHUTDOWN_FSYNC: &str = "Calling fsync() on the AOF file.";
/// `*` The pid file goes.
pub const REMOVING_PID_FILE: &str = "Removing the pid file.";
/// `*` The Unix socket goes.
pub const REMOVING_UNIX_SOCKET: &str = "Removing the unix socket file.";
/// `#` The last line.
pub const BYE: &str = "Rubellite in place of Valkey is now ready to exit, bye bye...";
/// `#` The last line of a Sentinel.
pub const BYE_SENTINEL: &str = "Sentinel is now ready to exit, bye bye...";

/// `*` The shutdown begins, by a client's command; `client` is its CLIENT LIST line.
pub fn shutdown_requested_by(client: &str) -> String {
    format!("User requested shutdown... (user request from '{client}')")
}

/// `*` One replica that is not in sync when the server ends.
pub fn lagging_replica(name: &str, offset: u64, lag: i64, state: &str) -> String {
    format!("Lagging replica {name} reported offset {offset} behind master, lag={lag}, state={state}.")
}

/// `*` How many replicas have everything when the server ends; `#` when some have not.
pub fn replicas_in_sync(in_sync: usize, all: usize) -> String {
    format!("{in_sync} of {all} replicas are in sync when shutting down.")
}

// ---- crash reports -----------------------------------------------------------------------------------------------------

/// Raw. Opens a crash report.
pub const REPORT_START: &str = "\n\n=== RUBELLITE BUG REPORT START: Cut & paste starting from here ===\n";
/// Raw. Closes it.
pub const REPORT_END: &str = "\n=== RUBELLITE BUG REPORT END. Make sure to include from START to END. ===\n\n";
/// Raw. The report itself has crashed.
pub const REPORT_RECURSIVE: &str =
    "Crashed running signal handler. Providing reduced version of recursive crash report.\n";
/// Raw. Before the return addresses.
pub const STACK_TRACE: &str = "\n------ STACK TRACE ------\n";
/// Raw. After them.
pub const STACK_TRACE_DONE: &str = "\n------ STACK TRACE DONE ------\n";
/// Raw. Before INFO.
pub const REPORT_INFO: &str = "\n------ INFO OUTPUT ------\n";
/// Raw. Before CLIENT LIST.
pub const REPORT_CLIENTS: &str = "\n------ CLIENT LIST OUTPUT ------\n";
/// Raw. Before the client whose command was running.
pub const REPORT_CURRENT_CLIENT: &str = "\n------ CURRENT CLIENT INFO ------\n";
/// Raw. Before the configuration.
pub const REPORT_CONFIG: &str = "\n------ CONFIG DEBUG OUTPUT ------\n";
/// Raw, from SIGALRM that was sent from outside.
pub const SIGALRM: &str = "\nReceived SIGALRM\n";
/// Raw, from SIGALRM that `watchdog-period` has caused.
pub const WATCHDOG_EXPIRED: &str = "\n--- WATCHDOG TIMER EXPIRED ---\n";
/// Raw, after the watchdog's stack trace.
pub const WATCHDOG_HINT: &str = "--------\n";

/// `#` What a panic or DEBUG ASSERT puts in place of a signal.
pub const ASSERTION_FAILED: &str = "=== ASSERTION FAILED ===";

// ---- snapshots ---------------------------------------------------------------------------------------------------------

/// `*` A dump is complete and in its place.
pub const DB_SAVED: &str = "DB saved on disk";
/// `*` A background save has ended.
pub const BGSAVE_DONE: &str = "Background saving terminated with success";
/// `#` A background save has failed.
pub const BGSAVE_FAILED: &str = "Background saving error";
/// `*` BGSAVE CANCEL, while it runs.
pub const BGSAVE_WILL_BE_CANCELLED: &str = "Background saving will be aborted due to user request";
/// `*` BGSAVE CANCEL, while it is scheduled.
pub const BGSAVE_UNSCHEDULED: &str = "Scheduled background saving will be cancelled due to user request";
/// `*` BGSAVE has to wait.
pub const BGSAVE_SCHEDULED: &str = "Background saving scheduled due to user request";
/// `#` The dump ends early.
pub const RDB_SHORT_READ: &str = "Short read or OOM loading DB. Unrecoverable error, aborting now.";
/// `#` The dump ends early and it was the last thing tried.
pub const RDB_UNEXPECTED_EOF: &str = "Unexpected EOF reading RDB file";
/// `#` After any failure to load at the start.
pub const RDB_TERMINATING: &str = "Terminating server after rdb file reading failure.";
/// `*` A dump without checksum.
pub const RDB_NO_CHECKSUM: &str = "RDB file was saved with checksum disabled: no check performed.";
/// `*` The same, received from a primary that left it out for this transfer.
pub const RDB_CHECKSUM_SKIPPED: &str = "RDB file was saved with checksum disabled: skipped checksum for this transfer";
/// `*` A replica is about to replace its data by what it receives.
pub const RDB_HEADER_PASSED: &str = "RDB signature and version check passed. Flushing old data";
/// `#` A key stands twice in a dump.
pub const RDB_DUPLICATED_KEY: &str = "Duplicated key found in RDB file";
/// `*` A dump at the head of an AOF.
pub const RDB_IS_BASE_AOF: &str = "RDB is base AOF";

/// `*` A save point has been reached.
pub fn save_point(changes: u64, seconds: u64) -> String {
    format!("{changes} changes in {seconds} seconds. Saving...")
}

/// `*` A background save begins. There is no child here: the process id is our own.
pub fn bgsave_started(pid: u32) -> String {
    format!("Background saving started by pid {pid}")
}

/// `#` Writing the dump has failed.
pub fn save_write_failed(step: &str, reason: &str) -> String {
    format!("Write error while saving DB to the disk({step}): {reason}")
}

/// `#` The file to dump into could not be opened.
pub fn save_open_failed(file: &str, dir: &str, reason: &str) -> String {
    format!("Failed opening the temp RDB file {file} (in server root dir {dir}) for saving: {reason}")
}

/// `#` The complete dump could not be moved to its place.
pub fn save_rename_failed(file: &str, target: &str, dir: &str, reason: &str) -> String {
    format!("Error moving temp DB file {file} on the final destination {target} (in server root dir {dir}): {reason}")
}

/// `*` All data are loaded.
pub fn loaded_from_disk(seconds: f64) -> String {
    format!("DB loaded from disk: {seconds:.3} seconds")
}

/// `*` All data are loaded.
pub fn loaded_from_aof(seconds: f64) -> String {
    format!("DB loaded from append only file: {seconds:.3} seconds")
}

/// `*` Where the dump comes from. `product` is `Valkey` or `Redis`.
pub fn rdb_producer(product: &str, version: &str) -> String {
    format!("Loading RDB produced by {product} version {version}")
}

/// `*` How old the dump is.
pub fn rdb_age(seconds: i64) -> String {
    format!("RDB age {seconds} seconds")
}

/// `*` How much memory its server used.
pub fn rdb_memory(bytes: u64) -> String {
    format!("RDB memory usage when created {:.2} Mb", bytes as f64 / (1024.0 * 1024.0))
}

/// `*` What was loaded. `empty` counts keys whose collections had no elements, which are dropped.
pub fn rdb_done(loaded: u64, expired: u64, empty: u64) -> String {
    if empty > 0 {
        format!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}, empty keys skipped: {empty}.")
    } else {
        format!("Done loading RDB, keys loaded: {loaded}, keys expired: {expired}.")
    }
}

/// `*` A key whose collection has no elements.
pub fn rdb_empty_key(key: impl Display) -> String {
    format!("rdbLoadObject skipping empty key: {key}")
}

/// `#` The file is not a dump.
pub fn rdb_wrong_signature(start: impl Display) -> String {
    format!("Wrong signature trying to load DB from file: {start}")
}

/// `#` A version that nobody here can read.
pub fn rdb_wrong_version(version: u32) -> String {
    format!("Can't handle RDB format version {version}")
}

/// `#` The sum at the end does not fit.
pub fn rdb_wrong_checksum(expected: u64, got: u64) -> String {
    format!("Wrong RDB checksum expected: ({expected:x}) but got ({got:x}). Aborting now.")
}

/// `#` The dump cannot be opened.
pub fn rdb_open_failed(file: &str, reason: &str) -> String {
    format!("Fatal error: can't open the RDB file {file} for reading: {reason}")
}

/// `#` The bytes do not mean anything; `at` is the offset in the file.
pub fn rdb_corrupt(at: u64, what: impl Display) -> String {
    format!("Internal error in RDB reading offset {at}, function at load -> {what}")
}

/// `#` A key that this version of the format cannot hold.
pub fn rdb_cannot_store(key: impl Display, db: u32, version: u32) -> String {
    format!("Can't store key '{key}' (db {db}) in RDB version {version}")
}

// ---- append-only file --------------------------------------------------------------------------------------------------

/// `*` BGREWRITEAOF has to wait.
pub const REWRITE_SCHEDULED: &str = "Background append only file rewriting scheduled.";
/// `*` The new base is complete.
pub const REWRITE_TERMINATED: &str = "Background AOF rewrite terminated with success";
/// `*` The manifest names the new base.
pub const REWRITE_FINISHED: &str = "Background AOF rewrite finished successfully";
/// `#` The rewrite has failed.
pub const REWRITE_FAILED: &str = "Background AOF rewrite terminated with error";
/// `*` `appendonly yes` at run time, while something else runs.
pub const AOF_ENABLED_LATER: &str = "AOF was enabled but there is already another background operation. An AOF background \
                                     was scheduled to start when possible.";
/// `*` `appendonly yes` inside a transaction.
pub const AOF_ENABLED_IN_EXEC: &str =
    "AOF was enabled during a transaction. An AOF background was scheduled to start when possible.";
/// `*` `appendonly no` while a rewrite is scheduled.
pub const AOF_DISABLED_UNSCHEDULES: &str = "AOF was disabled but there is a scheduled AOF background, cancel it.";
/// `*` fsync takes longer than two seconds.
pub const AOF_FSYNC_SLOW: &str = "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without \
                                  waiting for fsync to complete, this may slow down the server.";
/// `#` After a write error with `appendfsync always`.
pub const AOF_ALWAYS_EXITS: &str =
    "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...";
/// `#` Writing works again.
pub const AOF_WRITES_AGAIN: &str = "AOF write error looks solved. The server can write again.";
/// `#` The truncated file has another one behind it.
pub const AOF_TRUNCATED_NOT_LAST: &str = "Fatal error: the truncated file is not the last file";
/// `*` A base in the dump's format.
pub const AOF_READING_BASE: &str = "Reading RDB base file on AOF loading...";
/// `*` An old AOF with a dump at its head.
pub const AOF_READING_PREAMBLE: &str = "Reading RDB preamble from AOF file...";

/// `*` The file has grown enough.
pub fn rewrite_on_growth(percent: u64) -> String {
    format!("Starting automatic rewriting of AOF on {percent}% growth")
}

/// `*` A rewrite begins. There is no child here: the process id is our own.
pub fn rewrite_started(pid: u32) -> String {
    format!("Background append only file rewriting started by pid {pid}")
}

/// `#` Rewrites keep failing.
pub fn rewrite_limited(minutes: u64) -> String {
    format!("Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {minutes} minutes")
}

/// `*` A base that the start has made.
pub fn aof_creating_base(file: &str) -> String {
    format!("Creating AOF base file {file} on server start")
}

/// `*` An increment that the start has made.
pub fn aof_creating_incr(file: &str) -> String {
    format!("Creating AOF incr file {file} on server start")
}

/// `*` The increment that goes on.
pub fn aof_opening_incr(file: &str) -> String {
    format!("Opening AOF incr file {file} on server start")
}

/// `*` The increment that a rewrite begins with.
pub fn aof_incr_on_rewrite(file: &str) -> String {
    format!("Creating AOF incr file {file} on background rewrite")
}

/// `*` A file that the manifest does not name any more.
pub fn aof_removing_history(file: &str) -> String {
    format!("Removing the history file {file} in the background")
}

/// `*` An increment of a rewrite that has failed.
pub fn aof_removing_temp_incr(file: &str) -> String {
    format!("Removing the temp incr aof file {file} in the background")
}

/// `*` A file from before the multi-part format.
pub fn aof_migrated(file: &str, dir: &str) -> String {
    format!("Successfully migrated an old-style AOF file ({file}) into the AOF directory ({dir}).")
}

/// `*` One part is loaded. `kind` is `base` or `incr`.
pub fn aof_part_loaded(kind: &str, file: &str, seconds: f64) -> String {
    format!("DB loaded from {kind} file {file}: {seconds:.3} seconds")
}

/// `#` A part that the manifest names is missing.
pub fn aof_missing(file: &str, reason: &str) -> String {
    format!("The append log file {file} doesn't exist: {reason}")
}

/// `#` The file or its directory cannot be opened.
pub fn aof_open_failed(file: &str, reason: &str) -> String {
    format!("Can't open the append-only file {file}: {reason}")
}

/// `#` The directory cannot be made.
pub fn aof_dir_failed(dir: &str, reason: &str) -> String {
    format!("Can't open or create append-only dir {dir}: {reason}")
}

/// `#` The manifest cannot be opened.
pub fn aof_manifest_open_failed(file: &str, reason: &str) -> String {
    format!("Fatal error: can't open the AOF manifest file {file} for reading: {reason}")
}

/// `#` The manifest is wrong; raw, over several lines. `line` counts from 1.
pub fn aof_manifest_error(line: usize, text: impl Display, what: &str) -> String {
    format!(
        "\n*** FATAL AOF MANIFEST FILE ERROR ***\nReading the manifest file, at line {line}\n>>> '{text}'\n{what}\n"
    )
}

/// `#` The file ends inside a command, and `aof-load-truncated` is on. Two lines.
pub fn aof_truncating(file: &str, at: u64) -> [String; 2] {
    [
        format!("!!! Warning: short read while loading the AOF file {file}!!!"),
        format!("!!! Truncating the AOF {file} at offset {at} !!!"),
    ]
}

/// `#` After the truncation.
pub fn aof_loaded_anyway(file: &str) -> String {
    format!("AOF {file} loaded anyway because aof-load-truncated is enabled")
}

/// `#` A transaction without its end.
pub fn aof_reverts_multi(file: &str) -> String {
    format!("Revert incomplete MULTI/EXEC transaction in AOF file {file}")
}

/// `#` The file ends inside a command, and `aof-load-truncated` is off.
pub fn aof_unexpected_end(file: &str) -> String {
    format!(
        "Unexpected end of file reading the append only file {file}. You can: 1) Make a backup of your AOF file, then use \
         ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration \
         option to yes and restart the server."
    )
}

/// `#` The file is not what it should be.
pub fn aof_bad_format(file: &str) -> String {
    format!(
        "Bad file format reading the append only file {file}: make a backup of your AOF file, then use ./redis-check-aof \
         --fix <filename.manifest>"
    )
}

/// `#` A command in the file that nobody knows.
pub fn aof_unknown_command(name: impl Display, file: &str) -> String {
    format!("Unknown command '{name}' reading the append only file {file}")
}

/// `#` write(2) has failed.
pub fn aof_write_failed(reason: &str) -> String {
    format!("Error writing to the AOF file: {reason}")
}

/// `#` write(2) has written less.
pub fn aof_short_write(written: u64, expected: u64) -> String {
    format!("Short write while writing to the AOF file: (nwritten={written}, expected={expected})")
}

/// `#` fsync(2) has failed.
pub fn aof_fsync_failed(reason: &str) -> String {
    format!("Fail to fsync the AOF file: {reason}")
}

/// `#` fsync(2) has failed with `appendfsync always`.
pub fn aof_always_fsync_failed(reason: &str) -> String {
    format!("Can't persist AOF for fsync error when the AOF fsync policy is 'always': {reason}. Exiting...")
}

// ---- replication: the primary's side -----------------------------------------------------------------------------------

/// `*` A replica attaches to a running snapshot, or waits for the one begun for it.
pub const WAITING_FOR_BGSAVE: &str = "Waiting for end of BGSAVE for SYNC";
/// `*` A replica has to wait for the next snapshot.
pub const WAITING_FOR_NEXT_BGSAVE: &str =
    "Can't attach the replica to the current BGSAVE. Waiting for next BGSAVE for SYNC";
/// `*` The same, because the present one goes to sockets.
pub const WAITING_BEHIND_SOCKET_BGSAVE: &str = "Current BGSAVE has socket target. Waiting for next BGSAVE for SYNC";
/// `*` `repl-diskless-sync-delay` runs.
pub const DELAY_DISKLESS: &str = "Delay next BGSAVE for diskless SYNC";
/// `*` The snapshot for replicas is complete.
pub const TRANSFER_DONE: &str = "Background RDB transfer terminated with success";
/// `#` The snapshot for replicas has failed.
pub const TRANSFER_FAILED: &str = "Background RDB transfer error";
/// `#` The last of the replicas that the snapshot was for is gone.
pub const TRANSFER_ALL_DROPPED: &str = "Diskless rdb transfer, last replica dropped, killing fork child.";
/// `#` The snapshot could not be begun.
pub const BGSAVE_FOR_SYNC_FAILED: &str = "BGSAVE for replication failed";

/// `*` PSYNC or SYNC has come.
pub fn replica_asks(replica: &str) -> String {
    format!("Replica {replica} asks for synchronization")
}

/// `*` PSYNC without a history.
pub fn full_resync_requested(replica: &str) -> String {
    format!("Full resync requested by replica {replica}")
}

/// `*` The replica goes on where it was.
pub fn partial_resync_accepted(replica: &str, backlog_bytes: u64, from: u64) -> String {
    format!(
        "Partial resynchronization request from {replica} accepted. Sending {backlog_bytes} bytes of backlog starting from \
         offset {from}."
    )
}

/// `*` Another history.
pub fn partial_resync_wrong_id(asked: impl Display, ours: &str, second: &str) -> String {
    format!(
        "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '{asked}', my replication IDs \
         are '{ours}' and '{second}')"
    )
}

/// `*` The second history does not reach that far.
pub fn partial_resync_beyond_second(asked: u64, up_to: u64) -> String {
    format!(
        "Partial resynchronization not accepted: Requested offset for second ID was {asked}, but I can reply up to {up_to}"
    )
}

/// `*` The history is known but the bytes are gone, or not there yet.
pub fn partial_resync_no_backlog(replica: &str, asked: u64, range: Option<(u64, u64)>) -> String {
    match range {
        Some((first, last)) => format!(
            "Unable to partial resync with replica {replica} for lack of backlog (Replica request was {asked}, and I can \
             only reply with the range [{first}, {last}])."
        ),
        None => {
            format!(
                "Unable to partial resync with replica {replica} for lack of backlog (Replica request was: {asked})."
            )
        }
    }
}

/// `#` The replica knows more than we do.
pub fn replica_ahead(replica: &str, asked: u64, ours: u64) -> String {
    format!(
        "Warning: replica {replica} tried to PSYNC with an offset ({asked}) that is greater than the primary replication \
         offset ({ours})"
    )
}

/// `*` A snapshot for replicas begins. `target` is `disk` or `replicas sockets`.
pub fn bgsave_for_sync(target: &str) -> String {
    format!("Starting BGSAVE for SYNC with target: {target} using: normal sync")
}

/// `*` The same, of a diskless one. There is no child here: the process id is our own.
pub fn transfer_started(pid: u32) -> String {
    format!("Background RDB transfer started by pid {pid} to pipe through parent process")
}

/// `*` The snapshot has been read to its end.
pub fn transfer_read(replicas: usize) -> String {
    format!("Diskless rdb transfer, done reading from pipe, {replicas} replicas still up.")
}

/// `*` The replica has everything that was, and gets the stream.
pub fn sync_succeeded(replica: &str) -> String {
    format!("Synchronization with replica {replica} succeeded")
}

/// `*` The same, of a diskless one, before the replica's first acknowledgement.
pub fn streamed_transfer_succeeded(replica: &str) -> String {
    format!(
        "Streamed RDB transfer with replica {replica} succeeded (socket). Waiting for REPLCONF ACK from replica to enable \
         streaming"
    )
}

/// `*` A replica's link has ended.
pub fn replica_lost(replica: &str) -> String {
    format!("Connection with replica {replica} lost.")
}

/// `#` A replica has been silent. `phase` is `streaming sync` or `full sync`.
pub fn replica_timed_out(phase: &str, replica: &str) -> String {
    format!("Disconnecting timedout replica ({phase}): {replica}")
}

/// `*` The first replica has come.
pub fn backlog_created(id: &str, second: &str) -> String {
    format!("Replication backlog created, my new replication IDs are '{id}' and '{second}'")
}

/// `*` `repl-backlog-ttl` has run out.
pub fn backlog_freed(seconds: u64) -> String {
    format!("Replication backlog freed after {seconds} seconds without connected replicas.")
}

/// `*` The server changes its history.
pub fn second_id(second: &str, up_to: u64, id: &str) -> String {
    format!("Setting secondary replication ID to {second}, valid up to offset: {up_to}. New replication ID is {id}")
}

// ---- replication: the replica's side -----------------------------------------------------------------------------------

/// `*` The connection to the primary is being made. Both wordings, because tools wait for either.
pub const SYNC_STARTED: &str = "MASTER <-> REPLICA sync started (PRIMARY <-> REPLICA sync started)";
/// `*` A full sync is done. Both wordings, because tools wait for either.
pub const SYNC_FINISHED: &str =
    "MASTER <-> REPLICA sync: Finished with success (PRIMARY <-> REPLICA sync: Finished with success)";
/// `*` The old data go.
pub const SYNC_FLUSHING: &str = "MASTER <-> REPLICA sync: Flushing old data";
/// `*` The received data are loaded.
pub const SYNC_LOADING: &str = "MASTER <-> REPLICA sync: Loading DB in memory";
/// `*` The primary goes on where we were.
pub const SYNC_PARTIAL: &str = "MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.";
/// `*` `swapdb`: what was loaded takes the place of what was.
pub const SYNC_SWAPPING: &str = "MASTER <-> REPLICA sync: Swapping active DB with loaded DB";
/// `*` `swapdb`: what was is freed.
pub const SYNC_DISCARDING_OLD: &str = "MASTER <-> REPLICA sync: Discarding old DB in background";
/// `*` `swapdb`: what was loaded so far is freed.
pub const SYNC_DISCARDING_TEMPORARY: &str = "MASTER <-> REPLICA sync: Discarding temporary DB in background";
/// `*` What was loaded so far is freed.
pub const SYNC_DISCARDING_HALF: &str = "MASTER <-> REPLICA sync: Discarding the half-loaded data";
/// `*` The first bytes were not those of a dump, so nothing was touched.
pub const SYNC_OLD_PRESERVED: &str =
    "MASTER <-> REPLICA sync: RDB version or signature incompatible, old data preserved";
/// `#` Loading from the socket has failed.
pub const SYNC_LOAD_FAILED_SOCKET: &str =
    "Failed trying to load the PRIMARY synchronization DB from socket, check server logs.";
/// `#` Loading from the received file has failed.
pub const SYNC_LOAD_FAILED_DISK: &str =
    "Failed trying to load the PRIMARY synchronization DB from disk, check server logs.";
/// `#` The mark at the end of a diskless transfer is not the one that was announced.
pub const SYNC_EOF_MARK_BROKEN: &str = "Replication stream EOF marker is broken";
/// `*` The link to the primary has ended.
pub const PRIMARY_LOST: &str = "Connection with primary lost.";
/// `*` The position is kept for a partial resync.
pub const CACHING_PRIMARY: &str = "Caching the disconnected primary state.";
/// `*` The position is given up.
pub const DISCARDING_CACHED_PRIMARY: &str = "Discarding previously cached primary state.";
/// `*` A primary becomes a replica and may go on by its own history.
pub const SYNTHESIZED_CACHED_PRIMARY: &str = "Before turning into a replica, using my own primary parameters to synthesize a \
                                              cached primary: I may be able to synchronize with the new primary with just \
                                              a partial transfer.";
/// `*` Nothing to go on from.
pub const NO_CACHED_PRIMARY: &str = "Partial resynchronization not possible (no cached primary)";
/// `*` PSYNC was answered with CONTINUE.
pub const PARTIAL_RESYNC_DONE: &str = "Successful partial resynchronization with primary.";
/// `*` The connection stands.
pub const CONNECTED_TO_PRIMARY: &str = "Non blocking connect for SYNC fired the event.";
/// `*` The primary lives.
pub const PRIMARY_ANSWERED_PING: &str = "Primary replied to PING, replication can continue...";
/// `#` The connection could not be made in time.
pub const TIMEOUT_CONNECTING: &str = "Timeout connecting to the PRIMARY...";
/// `#` The transfer has stalled.
pub const TIMEOUT_RECEIVING: &str = "Timeout receiving bulk data from PRIMARY... If the problem persists try to set the \
                                     'repl-timeout' parameter in redis.conf to a larger value.";
/// `#` The primary is silent.
pub const TIMEOUT_PRIMARY: &str = "PRIMARY timeout: no data nor PING received...";

/// `*` The link is begun.
pub fn connecting_to_primary(host: &str, port: u16) -> String {
    format!("Connecting to PRIMARY {host}:{port}")
}

/// `*` The link is begun again after a failure.
pub fn reconnecting_after_failure(host: &str, port: u16) -> String {
    format!("Reconnecting to PRIMARY {host}:{port} after failure")
}

/// `#` The connection could not be made.
pub fn sync_socket_error(reason: &str) -> String {
    format!("Error condition on socket for SYNC: {reason}")
}

/// `#` `masterauth` is wrong.
pub fn unable_to_auth(reply: impl Display) -> String {
    format!("Unable to AUTH to PRIMARY: {reply}")
}

/// `*` A part of the handshake that an older primary does not know; harmless.
pub fn primary_does_not_understand(what: &str, reply: impl Display) -> String {
    format!("(Non critical) Primary does not understand REPLCONF {what}: {reply}")
}

/// `*` PSYNC is sent.
pub fn trying_partial_resync(id: &str, offset: u64) -> String {
    format!("Trying a partial resynchronization (request {id}:{offset}).")
}

/// `*` PSYNC was answered with FULLRESYNC.
pub fn full_resync_from_primary(id: &str, offset: u64) -> String {
    format!("Full resync from primary: {id}:{offset}")
}

/// `*` CONTINUE named another history.
pub fn primary_id_changed(id: &str) -> String {
    format!("Primary replication ID changed to {id}")
}

/// `*` The size of what comes is known.
pub fn receiving_bytes(bytes: u64, into: &str) -> String {
    format!("MASTER <-> REPLICA sync: receiving {bytes} bytes from master to {into}")
}

/// `*` What comes ends at a mark.
pub fn receiving_streamed(into: &str) -> String {
    format!("MASTER <-> REPLICA sync: receiving streamed RDB from master with EOF to {into}")
}

/// `#` The primary cannot answer now.
pub fn primary_unable(reply: impl Display) -> String {
    format!("Primary is currently unable to PSYNC but should be in the future: {reply}")
}

/// `#` The primary has refused.
pub fn primary_aborted(reply: impl Display) -> String {
    format!("PRIMARY aborted replication with an error: {reply}")
}

/// `#` The received file could not be moved to its place.
pub fn sync_rename_failed(target: &str, reason: &str) -> String {
    format!("Failed trying to rename the temp DB into {target} in MASTER <-> REPLICA synchronization: {reason}")
}

/// `*` The received file has become the base of our own AOF.
pub fn reused_rdb_as_base(file: &str) -> String {
    format!("Reused RDB file from primary sync as AOF base file: {file}")
}

/// `*` REPLICAOF; `client` is the CLIENT LIST line of whoever sent it.
pub fn replicaof_enabled(host: &str, port: u16, client: &str) -> String {
    format!("REPLICAOF {host}:{port} enabled (user request from '{client}')")
}

/// `*` REPLICAOF NO ONE.
pub fn primary_mode_enabled(client: &str) -> String {
    format!("MASTER MODE enabled (user request from '{client}')")
}

/// `#` Something in the stream from the primary was answered with an error. `us` and `them` are `replica` and `primary`, or the reverse.
pub fn critical_error_in_stream(us: &str, them: &str, error: impl Display, command: impl Display) -> String {
    format!(
        "== CRITICAL == This {us} is sending an error to its {them}: '{error}' after processing the command '{command}'"
    )
}

/// `#` A replica has used its link for something that is answered.
pub fn replica_generated_reply(command: &str, client: &str) -> String {
    format!("Replica generated a reply to command '{command}', disconnecting it: {client}")
}

/// `#` A replica has named a key.
pub fn replica_touched_keyspace(client: &str) -> String {
    format!("Replica can't interact with the keyspace, disconnecting it: {client}")
}

/// `*` FAILOVER.
pub fn failover_requested(target: Option<(&str, u16)>) -> String {
    match target {
        Some((host, port)) => format!("FAILOVER requested to {host}:{port}."),
        None => "FAILOVER requested to any replica.".to_owned(),
    }
}

/// `*` The target has everything.
pub fn failover_synced(host: &str, port: u16) -> String {
    format!("Failover target {host}:{port} is synced, failing over.")
}

/// `*` FAILOVER FORCE did not wait longer.
pub fn failover_forced(host: &str, port: u16) -> String {
    format!("FAILOVER to {host}:{port} time out exceeded, failing over.")
}

/// `#` FAILOVER does not happen.
pub fn failover_aborted(target: Option<(&str, u16)>, why: &str) -> String {
    match target {
        Some((host, port)) => format!("FAILOVER to {host}:{port} aborted: {why}"),
        None => format!("FAILOVER to any replica aborted: {why}"),
    }
}

// ---- clients -------------------------------------------------------------------------------------------------------------

/// `#` The reader is too slow for what is written to it; `client` is its CLIENT LIST line.
pub fn output_limit(client: &str) -> String {
    format!("Client {client} closed for overcoming of output buffer limits.")
}

/// `#` The same where the client is closed at the end of the turn.
pub fn output_limit_soon(client: &str) -> String {
    format!("Client {client} scheduled to be closed ASAP for overcoming of output buffer limits.")
}

/// `#` What it sends has no end; `start` shows its first bytes, or says that it does not.
pub fn query_limit(client: &str, start: impl Display) -> String {
    format!("Closing client that reached max query buffer length: {client} (qbuf initial bytes: {start})")
}

/// `*` `maxmemory-clients`.
pub fn evicting_client(client: &str) -> String {
    format!("Evicting client: {client}")
}

/// `-` A connection has come.
pub fn accepted(address: impl Display) -> String {
    format!("Accepted {address}")
}

/// `-` A connection has ended.
pub fn client_closed(client: &str) -> String {
    format!("Client closed connection {client}")
}

/// `-` The protocol was broken; `start` shows the bytes, or says that it does not.
pub fn protocol_error(what: &str, client: &str, start: impl Display) -> String {
    format!("Protocol error ({what}) from client: {client}. Query buffer: {start}")
}

/// `#` A web browser speaks to us. `commands` are `POST or Host:`.
pub fn security_attack(address: Option<&str>) -> String {
    let end = match address {
        Some(address) => format!("Connection from {address} aborted."),
        None => "Connection aborted.".to_owned(),
    };
    format!(
        "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to this server. This is \
         likely due to an attacker attempting to use Cross Protocol Scripting to compromise your instance. {end}"
    )
}

/// `#` accept(2) has failed.
pub fn accept_failed(reason: &str) -> String {
    format!("Accepting client connection: {reason}")
}

/// `*` A script has run for longer than `busy-reply-threshold`.
pub fn slow_script(ms: u64) -> String {
    format!(
        "Slow script detected: still in execution after {ms} milliseconds. You can try killing the script using the SCRIPT \
         KILL command."
    )
}

/// What stands in place of users' data when `hide-user-data-from-log` is on.
pub const REDACTED: &str = "*redacted*";

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
            (snapshot::loaded(1, 0), "Done loading RDB, keys loaded: 1, keys expired: 0."),
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
