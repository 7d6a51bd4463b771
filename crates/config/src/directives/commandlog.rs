//! The logs of slow commands, large requests and large replies.

use super::LONG_MAX;
use crate::kind::int;

section! {
    /// Command logs.
    Commandlog in commandlog;

    /// Microseconds from which on a command is slow; -1 none is.
    execution_slower_than: i64 = 10000 => "commandlog-execution-slower-than" | "slowlog-log-slower-than",
        int(-1, LONG_MAX);
    /// Slow commands remembered.
    slow_execution_max_len: u64 = 128 => "commandlog-slow-execution-max-len" | "slowlog-max-len", int(0, LONG_MAX);
    /// Bytes from which on a request is large; -1 none is.
    request_larger_than: i64 = 1 << 20 => "commandlog-request-larger-than", int(-1, LONG_MAX);
    /// Large requests remembered.
    large_request_max_len: u64 = 128 => "commandlog-large-request-max-len", int(0, LONG_MAX);
    /// Bytes from which on a reply is large; -1 none is.
    reply_larger_than: i64 = 1 << 20 => "commandlog-reply-larger-than", int(-1, LONG_MAX);
    /// Large replies remembered.
    large_reply_max_len: u64 = 128 => "commandlog-large-reply-max-len", int(0, LONG_MAX);
}
