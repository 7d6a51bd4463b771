//! Errors of transactions.

use super::{Error, cut, formatted};

pub const DISCARD_WITHOUT_MULTI: Error = Error::fixed("ERR DISCARD without MULTI");
pub const EXEC_WITHOUT_MULTI: Error = Error::fixed("ERR EXEC without MULTI");
pub const EXECABORT: Error = Error::fixed("EXECABORT Transaction discarded because of previous errors.");

/// `error` is the text of what made it fail, its code included.
pub fn execabort_because(error: &[u8]) -> Error {
    Error::composed(&[b"EXECABORT Transaction discarded because of: ", cut(error)])
}

/// `WATCH`, `MULTI`, `CLIENT …` and others that make no sense in a transaction.
pub fn not_in_multi(fullname: &str) -> Error {
    formatted(format_args!("ERR Command '{fullname}' not allowed inside a transaction"))
}

/// `reason` is the ACL's message without its code.
pub fn acl_changed(reason: &[u8]) -> Error {
    Error::composed(&[
        b"NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
          command is no longer allowed for the following reason: ",
        cut(reason),
    ])
}
