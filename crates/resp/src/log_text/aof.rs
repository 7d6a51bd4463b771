//! The append-only file: rewritten, loaded, cut short.

pub const REWRITE_STARTED: &str = "Background append only file rewriting started";
pub const REWRITE_TERMINATED: &str = "Background AOF rewrite terminated with success";
pub const REWRITE_DONE: &str = "Background AOF rewrite finished successfully";
pub const REWRITE_FAILED: &str = "Background AOF rewrite terminated with error";
pub const SCHEDULED: &str = "Another background task is running. An AOF background was scheduled to start after it.";
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

pub const CANNOT_RECOVER: &str = "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...";

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
