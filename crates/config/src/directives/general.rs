//! What every server has: databases, a log, a pid file, a place in the file system.

use super::INT_MAX;
use crate::kind::{YES_NO, anything, choice, directory, hertz, int, optional_text, text};

choice! {
    /// How grave a message is, and from how grave on messages are logged: `message >= config.general.loglevel`.
    LogLevel {
        Debug = "debug",
        Verbose = "verbose",
        Notice = "notice",
        Warning = "warning",
        /// Of no message: nothing is logged.
        Nothing = "nothing",
    }
}

choice! {
    /// How a log line is laid out.
    LogFormat {
        /// `pid:role date level text`
        Legacy = "legacy",
        /// `key=value` pairs
        Logfmt = "logfmt",
        /// One object a line.
        Json = "json",
    }
}

choice! {
    /// How a log line tells the time.
    LogTimestampFormat {
        /// `01 Jan 2030 00:00:00.000`
        Legacy = "legacy",
        Iso8601 = "iso8601",
        /// Since 1970.
        Milliseconds = "milliseconds",
    }
}

choice! {
    /// The syslog facility.
    SyslogFacility {
        User = "user",
        Local0 = "local0",
        Local1 = "local1",
        Local2 = "local2",
        Local3 = "local3",
        Local4 = "local4",
        Local5 = "local5",
        Local6 = "local6",
        Local7 = "local7",
    }
}

section! {
    /// Databases, log, place.
    General in general;

    /// How many databases there are.
    databases: u32 = 16 => "databases", int(1, INT_MAX), [immutable];
    /// Working directory. As the caller leaves it here: absolute, so that it can be shown and written.
    dir: Vec<u8> = b".".to_vec() => "dir", directory(), [protected, denied_while_loading];
    /// File that holds the process id while the server runs.
    pidfile: Option<Vec<u8>> = None => "pidfile", optional_text(anything), [immutable];
    /// From how grave a message on it is logged.
    loglevel: LogLevel = LogLevel::Notice => "loglevel", choice();
    /// Log file; empty logs to standard output.
    logfile: Vec<u8> = Vec::new() => "logfile", text(anything), [immutable];
    /// How a log line is laid out.
    log_format: LogFormat = LogFormat::Legacy => "log-format", choice();
    /// How a log line tells the time.
    log_timestamp_format: LogTimestampFormat = LogTimestampFormat::Legacy => "log-timestamp-format", choice();
    /// Keep keys and values out of log lines.
    hide_user_data_from_log: bool = true => "hide-user-data-from-log", YES_NO;
    /// Log to syslog as well.
    syslog_enabled: bool = false => "syslog-enabled", YES_NO, [immutable], accepted NO_SYSLOG;
    /// Name in syslog.
    syslog_ident: Vec<u8> = b"rubellite".to_vec() => "syslog-ident", text(anything), [immutable], accepted NO_SYSLOG;
    /// Facility in syslog.
    syslog_facility: SyslogFacility = SyslogFacility::Local0 => "syslog-facility", choice(), [immutable],
        accepted NO_SYSLOG;
    /// Show the logo also when the log is no terminal.
    always_show_logo: bool = false => "always-show-logo", YES_NO, [immutable];
    /// How often timers run, per second.
    hz: u32 = 10 => "hz", hertz();
    /// Run timers more often while there are many clients.
    dynamic_hz: bool = true => "dynamic-hz", YES_NO,
        accepted "Work per client is done in the client's own turn, not by a timer.";
    /// Locale in which `SORT ALPHA` compares.
    locale_collate: Vec<u8> = Vec::new() => "locale-collate", text(anything),
        accepted "Strings are compared as bytes, so that the order is the same on every host.";
    /// Put the version of Redis in place of our own where clients ask for it.
    extended_redis_compatibility: bool = false => "extended-redis-compatibility", YES_NO,
        accepted "The names that clients look for are always Redis'.";
}

const NO_SYSLOG: &str = "The log goes to a file or to standard output, which a service manager forwards.";
