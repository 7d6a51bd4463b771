//! RDB files: saved, loaded, damaged.

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
