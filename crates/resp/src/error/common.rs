//! Errors that any command may meet: protocol, arity, syntax, numbers, and what forbids a command.

use super::{Error, cut, cut_to, formatted, naming};

// --- the protocol; the connection is closed after each of these
pub const TOO_BIG_INLINE: Error = Error::fixed("ERR Protocol error: too big inline request");
pub const TOO_BIG_MBULK_COUNT: Error = Error::fixed("ERR Protocol error: too big mbulk count string");
pub const TOO_BIG_BULK_COUNT: Error = Error::fixed("ERR Protocol error: too big bulk count string");
pub const INVALID_MULTIBULK_LEN: Error = Error::fixed("ERR Protocol error: invalid multibulk length");
pub const INVALID_BULK_LEN: Error = Error::fixed("ERR Protocol error: invalid bulk length");
pub const INVALID_CRLF: Error = Error::fixed("ERR Protocol error: invalid CRLF in request");
pub const UNBALANCED_QUOTES: Error = Error::fixed("ERR Protocol error: unbalanced quotes in request");
pub const UNAUTHENTICATED_MULTIBULK_LEN: Error = Error::fixed("ERR Protocol error: unauthenticated multibulk length");
pub const UNAUTHENTICATED_BULK_LEN: Error = Error::fixed("ERR Protocol error: unauthenticated bulk length");

/// A bulk that begins with another byte than `$`.
pub fn expected_dollar(got: u8) -> Error {
    Error::composed(&[b"ERR Protocol error: expected '$', got '", &[got], b"'"])
}

/// What such an error complains of, as a log tells it: the text behind its name.
pub fn protocol_complaint(error: &Error) -> &[u8] {
    error.text().strip_prefix(b"ERR Protocol error: ").unwrap_or(error.text())
}

// --- which command
/// Whether an error reply, `text` without its `-`, says that the server has no such command.
pub fn is_unknown_command(text: &[u8]) -> bool {
    [&b"ERR unknown command"[..], b"ERR unknown subcommand"].iter().any(|start| text.starts_with(start))
}

/// `args` are the arguments behind the name; as many are shown as fit in 128 bytes.
pub fn unknown_command<'a>(name: &[u8], args: impl IntoIterator<Item = &'a [u8]>) -> Error {
    let mut shown = Vec::new();
    for arg in args {
        if shown.len() >= 128 {
            break;
        }
        let room = 128 - shown.len();
        shown.push(b'\'');
        shown.extend_from_slice(cut_to(arg, room));
        shown.extend_from_slice(b"' ");
    }
    Error::composed(&[b"ERR unknown command '", cut_to(name, 128), b"', with args beginning with: ", &shown])
}

/// `container` in any case; it is shown in upper case.
pub fn unknown_subcommand(container: &[u8], subcommand: &[u8]) -> Error {
    let container = cut(container).to_ascii_uppercase();
    Error::composed(&[b"ERR unknown subcommand '", cut_to(subcommand, 128), b"'. Try ", &container, b" HELP."])
}

/// As the container command itself says it, when the subcommand exists but its arguments do not fit.
pub fn subcommand_syntax(container: &[u8], subcommand: &[u8]) -> Error {
    let container = cut(container).to_ascii_uppercase();
    Error::composed(&[
        b"ERR unknown subcommand or wrong number of arguments for '",
        cut_to(subcommand, 128),
        b"'. Try ",
        &container,
        b" HELP.",
    ])
}

/// `fullname` in lower case, a subcommand as `container|subcommand`.
pub fn wrong_arity(fullname: &str) -> Error {
    formatted(format_args!("ERR wrong number of arguments for '{fullname}' command"))
}

// --- keys and values
pub const WRONGTYPE: Error = Error::fixed("WRONGTYPE Operation against a key holding the wrong kind of value");
pub const NO_SUCH_KEY: Error = Error::fixed("ERR no such key");
pub const SYNTAX: Error = Error::fixed("ERR syntax error");
pub const SAME_OBJECT: Error = Error::fixed("ERR source and destination objects are the same");
pub const INDEX_OUT_OF_RANGE: Error = Error::fixed("ERR index out of range");
pub const BUSYKEY: Error = Error::fixed("BUSYKEY Target key name already exists.");
/// The bare `-ERR` of operations that failed for reasons in the log.
pub const BARE: Error = Error::fixed("ERR");

// --- numbers
pub const NOT_INTEGER: Error = Error::fixed("ERR value is not an integer or out of range");
pub const NOT_FLOAT: Error = Error::fixed("ERR value is not a valid float");
pub const OUT_OF_RANGE: Error = Error::fixed("ERR value is out of range");
pub const MUST_BE_POSITIVE: Error = Error::fixed("ERR value is out of range, must be positive");
pub const OVERFLOW: Error = Error::fixed("ERR increment or decrement would overflow");
pub const NAN_OR_INFINITY: Error = Error::fixed("ERR increment would produce NaN or Infinity");
pub const NUMKEYS_NOT_POSITIVE: Error = Error::fixed("ERR numkeys should be greater than 0");
pub const NUMKEYS_TOO_BIG: Error = Error::fixed("ERR Number of keys can't be greater than number of args");
pub const NUMKEYS_NEGATIVE: Error = Error::fixed("ERR Number of keys can't be negative");
pub const COUNT_NOT_POSITIVE: Error = Error::fixed("ERR count should be greater than 0");
pub const LIMIT_NEGATIVE: Error = Error::fixed("ERR LIMIT can't be negative");

pub fn out_of_range_between(min: i64, max: i64) -> Error {
    formatted(format_args!("ERR value is out of range, value must between {min} and {max}"))
}

// --- times
pub const TIMEOUT_NOT_FLOAT: Error = Error::fixed("ERR timeout is not a float or out of range");
pub const TIMEOUT_NOT_INTEGER: Error = Error::fixed("ERR timeout is not an integer or out of range");
pub const TIMEOUT_OUT_OF_RANGE: Error = Error::fixed("ERR timeout is out of range");
pub const TIMEOUT_NEGATIVE: Error = Error::fixed("ERR timeout is negative");

pub fn invalid_expire(fullname: &str) -> Error {
    formatted(format_args!("ERR invalid expire time in '{fullname}' command"))
}

// --- databases
pub const DB_OUT_OF_RANGE: Error = Error::fixed("ERR DB index is out of range");
pub const INVALID_FIRST_DB: Error = Error::fixed("ERR invalid first DB index");
pub const INVALID_SECOND_DB: Error = Error::fixed("ERR invalid second DB index");
pub const SWAPDB_IN_CLUSTER: Error = Error::fixed("ERR SWAPDB is not allowed in cluster mode");

// --- what forbids a command at this moment
pub const NOAUTH: Error = Error::fixed("NOAUTH Authentication required.");
pub const OOM: Error = Error::fixed("OOM command not allowed when used memory > 'maxmemory'.");
pub const READONLY: Error = Error::fixed("READONLY You can't write against a read only replica.");
pub const NOREPLICAS: Error = Error::fixed("NOREPLICAS Not enough good replicas to write.");
pub const MASTERDOWN: Error =
    Error::fixed("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
pub const REPLICA_KEYSPACE: Error = Error::fixed("ERR Replica can't interact with the keyspace");

/// `product` is what the server calls itself towards clients; so with those below.
pub fn loading(product: &str) -> Error {
    formatted(format_args!("LOADING {product} is loading the dataset in memory"))
}

pub fn busy_script(product: &str) -> Error {
    formatted(format_args!(
        "BUSY {product} is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."
    ))
}

pub fn busy_function(product: &str) -> Error {
    formatted(format_args!(
        "BUSY {product} is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
    ))
}

pub fn busy_module(product: &str) -> Error {
    formatted(format_args!("BUSY {product} is busy running a module command."))
}

pub fn misconf_rdb(product: &str) -> Error {
    formatted(format_args!(
        "MISCONF {product} is configured to save RDB snapshots, but it's currently unable to persist to disk. \
         Commands that may modify the data set are disabled, because this instance is configured to report errors \
         during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the {product} \
         logs for details about the RDB error."
    ))
}

/// `reason` is the operating system's.
pub fn misconf_aof(reason: &str) -> Error {
    formatted(format_args!("MISCONF Errors writing to the AOF file: {reason}"))
}

/// `command` is `DEBUG` or `MODULE`, `option` the directive that would allow it.
pub fn protected_command(command: &str, option: &str) -> Error {
    formatted(format_args!(
        "ERR {command} command not allowed. If the {option} option is set to \"local\", you can run it from a local \
         connection, otherwise you need to set this option in the configuration file, and then restart the server."
    ))
}

pub fn not_in_pubsub(fullname: &str) -> Error {
    formatted(format_args!(
        "ERR Can't execute '{fullname}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed \
         in this context"
    ))
}

pub fn redirect(host: &[u8], port: u16) -> Error {
    naming("REDIRECT ", host, &format!(":{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_commands_are_shown_in_part() {
        let args: [&[u8]; 2] = [b"a", b"b\r\nc"];
        assert_eq!(
            unknown_command(b"foo", args).text(),
            b"ERR unknown command 'foo', with args beginning with: 'a' 'b\r\nc' "
        );
        let long = [b'x'; 200];
        let text = unknown_command(&long, [&long[..], b"y"]).text().to_vec();
        assert_eq!(text.len(), "ERR unknown command '', with args beginning with: '' ".len() + 256);
        assert!(is_unknown_command(unknown_command(b"n", []).text()) && !is_unknown_command(b"ERR syntax error"));
        assert_eq!(unknown_command(b"n", []).text(), b"ERR unknown command 'n', with args beginning with: ");
    }

    #[test]
    fn containers_shout() {
        assert_eq!(unknown_subcommand(b"config", b"zip").text(), b"ERR unknown subcommand 'zip'. Try CONFIG HELP.");
    }
}
