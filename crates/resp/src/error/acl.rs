//! Errors of authentication and access control.

use super::{Error, cut, cut_to, formatted, naming};

// --- AUTH
pub const WRONGPASS: Error = Error::fixed("WRONGPASS invalid username-password pair or user is disabled.");
pub const AUTH_WITHOUT_PASSWORD: Error = Error::fixed(
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
     configuration is correct?",
);

// --- ACL
pub const USERNAME: Error = Error::fixed("ERR Usernames can't contain spaces or null characters");
pub const DEFAULT_USER: Error = Error::fixed("ERR The 'default' user cannot be removed");
pub const NO_ACL_FILE: Error = Error::fixed(
    "ERR This instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
     command and then issue a CONFIG REWRITE (assuming you have a configuration file set) in order to store users in \
     the configuration.",
);
pub const SAVE_FAILED: Error =
    Error::fixed("ERR There was an error trying to save the ACLs. Please check the server logs for more information");
pub const GENPASS: Error = Error::fixed(
    "ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096",
);

pub fn unknown_category(name: &[u8]) -> Error {
    Error::composed(&[b"ERR Unknown category '", cut_to(name, 128), b"'"])
}

pub fn no_user(name: &[u8]) -> Error {
    naming("ERR User '", name, "' not found")
}

pub fn no_command(name: &[u8]) -> Error {
    naming("ERR Command '", name, "' not found")
}

/// Why `ACL SETUSER` refused `modifier`; `reason` is one of [`reason`].
pub fn setuser_modifier(modifier: &[u8], reason: &str) -> Error {
    Error::composed(&[b"ERR Error in ACL SETUSER modifier '", cut(modifier), b"': ", reason.as_bytes()])
}

pub fn unmatched_parenthesis(at: &[u8]) -> Error {
    naming("ERR Unmatched parenthesis in acl selector starting at '", at, "'.")
}

/// `errors` are all that was found in the file, one sentence each.
pub fn load_failed(errors: &[u8]) -> Error {
    Error::composed(&[b"ERR ", cut(errors)])
}

/// Why a `user` line of a configuration file is refused: no reply, but the reason that stands below the line.
pub fn in_declaration(word: &[u8], reason: &str) -> Vec<u8> {
    [b"Error in user declaration '", cut(word), b"': ", reason.as_bytes()].concat()
}

/// Reasons for which a rule is refused.
pub mod reason {
    pub const WRONG_FORMAT: &str = "Wrong format";
    pub const UNKNOWN: &str = "Unknown command or category name in ACL";
    pub const SYNTAX: &str = "Syntax error";
    pub const AFTER_ALLKEYS: &str = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does \
                                     not have any effect. Try 'resetkeys' to start with an empty list of patterns";
    pub const AFTER_ALLCHANNELS: &str = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid \
                                         and does not have any effect. Try 'resetchannels' to start with an empty list \
                                         of channels";
    pub const NO_SUCH_PASSWORD: &str = "The password you are trying to remove from the user does not exist";
    pub const PASSWORD_HASH: &str =
        "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters";
    pub const DUPLICATE_USER: &str = "Duplicate user found. A user can only be defined once in config files";
    pub const FIRST_ARG_OF_SUBCOMMAND: &str = "Allowing first-arg of a subcommand is not supported";
    pub const DATABASE_RANGE: &str = "The provided database ID is out of range";
}

// --- what a user may not do. The messages stand without their code, as ACL DRYRUN and the log show
// them; `noperm` makes them errors.
pub const NO_KEY_PERMISSION: &str = "No permissions to access a key";
pub const NO_CHANNEL_PERMISSION: &str = "No permissions to access a channel";
pub const NO_DATABASE_PERMISSION: &str = "No permissions to access database";

pub fn noperm(message: &[u8]) -> Error {
    Error::composed(&[b"NOPERM ", cut(message)])
}

pub fn denied_command(user: &[u8], fullname: &str) -> Vec<u8> {
    [b"User ", user, b" has no permissions to run the '", fullname.as_bytes(), b"' command"].concat()
}

pub fn denied_key(user: &[u8], key: &[u8]) -> Vec<u8> {
    [b"User ", user, b" has no permissions to access the '", key, b"' key"].concat()
}

pub fn denied_channel(user: &[u8], channel: &[u8]) -> Vec<u8> {
    [b"User ", user, b" has no permissions to access the '", channel, b"' channel"].concat()
}

pub fn denied_database(user: &[u8], database: &[u8]) -> Vec<u8> {
    [cut(b"User "), cut(user), b" has no permissions to access database ", cut(database)].concat()
}

/// A queued command may no longer be executed; `reason` is what the user lacks.
pub fn changed_before_exec(reason: &str) -> Error {
    formatted(format_args!(
        "NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is \
         no longer allowed for the following reason: {reason}"
    ))
}

/// The end of what `ACL LOAD` tells when it finds errors.
pub const NOTHING_LOADED: &str =
    "WARNING: ACL errors detected, no change to the previously active ACL rules was performed";
