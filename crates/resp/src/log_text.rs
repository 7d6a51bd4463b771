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
pub mod aof;
pub mod client;
pub mod cluster;
pub mod cluster_node;
pub mod config;
pub mod crash;
pub mod failover;
pub mod primary;
pub mod process;
pub mod replica;
pub mod shutdown;
pub mod snapshot;
pub mod start;

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
