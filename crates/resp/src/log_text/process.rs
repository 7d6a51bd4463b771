//! Lines of the process itself: what it listens on, how many files it may open, which signals reach it, and what a
//! crash leaves behind.
//!
//! The level of a line stands in its description: `*` notice, `#` warning; "raw" is written as it is, without level and
//! time, because a signal handler may not format.

/// `#` An address could not be listened on. `reason` names the step: `bind: Address already in use`.
pub fn could_not_listen(address: &str, port: u16, reason: &str) -> String {
    format!("Warning: Could not create server TCP listening socket {address}:{port}: {reason}")
}

/// `#` The kernel allows fewer waiting connections than `tcp-backlog`.
pub fn backlog_too_large(wanted: i32, most: i32) -> String {
    format!(
        "WARNING: The TCP backlog setting of {wanted} cannot be enforced because /proc/sys/net/core/somaxconn is set to \
         the lower value of {most}."
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

/// From the signal handler.
pub const SIGINT: &str = "Received SIGINT scheduling shutdown...";
/// From the signal handler.
pub const SIGTERM: &str = "Received SIGTERM scheduling shutdown...";
/// From the signal handler, while the data are being loaded.
pub const SIGNAL_WHILE_LOADING: &str = "Received shutdown signal during loading, scheduling shutdown.";
/// From the signal handler, at the second SIGINT.
pub const INSIST: &str = "You insist... exiting now.";
/// Raw. Opens a crash report.
pub const REPORT_START: &str = "\n\n=== REDIS BUG REPORT START: Cut & paste starting from here ===\n";
/// Raw. Closes it.
pub const REPORT_END: &str = "\n=== REDIS BUG REPORT END. Make sure to include from START to END. ===\n\n";
/// Raw. The report itself has crashed.
pub const REPORT_RECURSIVE: &str =
    "Crashed running signal handler. Providing reduced version of recursive crash report.\n";
/// Raw. Before the return addresses.
pub const STACK_TRACE: &str = "\n------ STACK TRACE ------\n";
/// Raw. After them.
pub const STACK_TRACE_DONE: &str = "\n------ STACK TRACE DONE ------\n";
/// Raw. Before INFO.
pub const INFO_OUTPUT: &str = "\n------ INFO OUTPUT ------\n";
/// Raw. Before CLIENT LIST.
pub const CLIENT_LIST_OUTPUT: &str = "\n------ CLIENT LIST OUTPUT ------\n";
/// Raw, from SIGALRM that was sent from outside.
pub const SIGALRM: &str = "\nReceived SIGALRM\n";
/// Raw, from SIGALRM that `watchdog-period` has caused.
pub const WATCHDOG_EXPIRED: &str = "\n--- WATCHDOG TIMER EXPIRED ---\n";
/// Raw, after the watchdog's stack trace.
pub const WATCHDOG_HINT: &str = "--------\n";
/// `#` What a panic or DEBUG ASSERT puts in place of a signal.
pub const ASSERTION_FAILED: &str = "=== ASSERTION FAILED ===";
