//! Errors of `SAVE`, `BGSAVE` and `BGREWRITEAOF`.

use super::Error;

pub const SAVE_IN_PROGRESS: Error = Error::fixed("ERR Background save already in progress");
pub const NOTHING_TO_CANCEL: Error = Error::fixed("ERR Background saving is currently not in progress or scheduled");
pub const CHILD_ACTIVE: Error = Error::fixed(
    "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a \
     BGSAVE whenever possible.",
);
pub const REWRITE_IN_PROGRESS: Error = Error::fixed("ERR Background append only file rewriting already in progress");
pub const REWRITE_FAILED: Error =
    Error::fixed("ERR Can't execute an AOF background rewriting. Please check the server logs for more information.");

/// A command that stands in an append-only file and is not one of data. Clients do not see it: it ends the load.
pub fn cannot_replay(fullname: &str) -> Error {
    Error::composed(&[b"ERR '", fullname.as_bytes(), b"' cannot be replayed"])
}
