//! The process in its operating system: how it starts, how it ends, what it asks of the kernel.

use super::{INT_MAX, NO_FORK};
use crate::kind::{ShutdownFlags, YES_NO, anything, choice, int, oom_scores, optional_text, shutdown_flags, text};
use crate::reason::{self, Reason};

choice! {
    /// Who supervises the process.
    Supervised {
        Upstart = "upstart",
        Systemd = "systemd",
        /// Whoever the environment tells of.
        Auto = "auto",
        No = "no",
    }
}

choice! {
    /// Whether to set the process's score for the out-of-memory killer.
    OomScoreAdj {
        No = "no",
        /// Relative to the score that the process was started with.
        Relative = "yes" | "relative",
        Absolute = "absolute",
    }
}

section! {
    /// The process.
    Process in process;

    /// Run in the background.
    daemonize: bool = false => "daemonize", YES_NO, [immutable];
    /// Who supervises the process.
    supervised: Supervised = Supervised::No => "supervised", choice(), [immutable],
        accepted "Readiness is not reported to a supervisor.";
    /// Set the process's title.
    set_proc_title: bool = true => "set-proc-title", YES_NO, [immutable];
    /// What the title says. See [`title`].
    proc_title_template: Vec<u8> = b"{title} {listen-addr} {server-mode}".to_vec() => "proc-title-template",
        text(title_template);
    /// What SIGINT does.
    shutdown_on_sigint: ShutdownFlags = ShutdownFlags::default() => "shutdown-on-sigint", shutdown_flags();
    /// What SIGTERM does.
    shutdown_on_sigterm: ShutdownFlags = ShutdownFlags::default() => "shutdown-on-sigterm", shutdown_flags();
    /// Seconds to wait for replicas at shutdown.
    shutdown_timeout: u32 = 10 => "shutdown-timeout", int(0, INT_MAX);
    /// Report on a crash before it ends the process.
    crash_log_enabled: bool = true => "crash-log-enabled", YES_NO;
    /// Test the memory as a part of that report.
    crash_memcheck_enabled: bool = true => "crash-memcheck-enabled", YES_NO,
        accepted "A crash report does not test memory.";
    /// End by exit instead of by abort after a failed assertion.
    use_exit_on_panic: bool = false => "use-exit-on-panic", YES_NO, [hidden],
        accepted "A failed assertion always aborts.";
    /// Check costly assertions.
    enable_debug_assert: bool = false => "enable-debug-assert", YES_NO, [immutable, hidden],
        accepted "Costly assertions belong to debug builds.";
    /// Milliseconds of standstill after which the software watchdog reports; 0 is off.
    watchdog_period: u32 = 0 => "watchdog-period", int(0, INT_MAX), [hidden], accepted "There is no watchdog.";
    /// Text that a crash report repeats.
    debug_context: Vec<u8> = Vec::new() => "debug-context", text(anything), [hidden],
        accepted "A crash report repeats no context.";
    /// File for requests and replies.
    req_res_logfile: Option<Vec<u8>> = None => "req-res-logfile", optional_text(anything), [immutable, hidden],
        accepted "Requests and replies are not recorded.";
    /// Forbid transparent huge pages.
    disable_thp: bool = true => "disable-thp", YES_NO, [immutable],
        accepted "Huge pages hurt only a forked child's copies, and there is none.";
    /// Warnings that shall not prevent the start.
    ignore_warnings: Vec<u8> = Vec::new() => "ignore-warnings", text(anything),
        accepted "No warning prevents the start.";
    /// Whether to set the process's score for the out-of-memory killer.
    oom_score_adj: OomScoreAdj = OomScoreAdj::No => "oom-score-adj", choice(), accepted NO_OOM;
    /// The scores of a primary, a replica and a background child.
    oom_score_adj_values: [i32; 3] = [0, 200, 800] => "oom-score-adj-values", oom_scores(), accepted NO_OOM;
    /// Cores of the threads that serve clients.
    server_cpulist: Option<Vec<u8>> = None => "server-cpulist" | "server_cpulist", optional_text(anything), [immutable],
        accepted NO_PINNING;
    /// Cores of background threads.
    bio_cpulist: Option<Vec<u8>> = None => "bio-cpulist" | "bio_cpulist", optional_text(anything), [immutable],
        accepted NO_PINNING;
    /// Cores of the process that saves.
    bgsave_cpulist: Option<Vec<u8>> = None => "bgsave-cpulist" | "bgsave_cpulist", optional_text(anything), [immutable],
        accepted NO_FORK;
    /// Seed of the hash of keys, so that two servers iterate alike.
    hash_seed: Option<Vec<u8>> = None => "hash-seed", optional_text(seed), [immutable],
        accepted "The seed is drawn anew at every start, against keys chosen to collide.";
}

const NO_OOM: &str = "The process's score is left to who starts it.";
const NO_PINNING: &str = "Threads are not pinned; the cores of the process can be set from outside.";

fn seed(seed: &[u8]) -> Result<(), Reason> {
    if seed.len() > 256 { Err(reason::HASH_SEED_LONG) } else { Ok(()) }
}

/// What the variables of a title stand for.
#[derive(Clone, Debug, Default)]
pub struct TitleFacts<'a> {
    /// `{title}`: the name of the program, or of a child's task.
    pub title: &'a str,
    /// `{listen-addr}`: `127.0.0.1:6379` or `unixsocket:<path>`.
    pub listen_addr: &'a str,
    /// `{server-mode}`: empty, `[cluster]` or `[sentinel]`.
    pub server_mode: &'a str,
    /// `{config-file}`: its path or `-`.
    pub config_file: &'a str,
    /// `{unixsocket}`
    pub unixsocket: &'a str,
    /// `{port}`
    pub port: u16,
    /// `{tls-port}`
    pub tls_port: u16,
}

/// The process's title by `template`, without spaces around it: `{name}` is replaced, `{{` is a brace. `None` when a
/// brace is not closed or a name unknown.
pub fn title(template: &[u8], facts: &TitleFacts<'_>) -> Option<String> {
    let template = std::str::from_utf8(template).ok()?;
    let mut shown = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        shown.push_str(before);
        if let Some(escaped) = after.strip_prefix('{') {
            shown.push('{');
            rest = escaped;
            continue;
        }
        let (name, after) = after.split_once('}')?;
        match name {
            "title" => shown.push_str(facts.title),
            "listen-addr" => shown.push_str(facts.listen_addr),
            "server-mode" => shown.push_str(facts.server_mode),
            "config-file" => shown.push_str(facts.config_file),
            "unixsocket" => shown.push_str(facts.unixsocket),
            "port" => shown.push_str(&facts.port.to_string()),
            "tls-port" => shown.push_str(&facts.tls_port.to_string()),
            _ => return None,
        }
        rest = after;
    }
    shown.push_str(rest);
    Some(shown.trim_matches(' ').to_owned())
}

fn title_template(template: &[u8]) -> Result<(), Reason> {
    // Facts that are never empty but for the title, so that a template which could leave nothing is refused.
    let facts = TitleFacts { listen_addr: "*:0", config_file: "-", ..TitleFacts::default() };
    match title(template, &facts) {
        Some(shown) if !shown.is_empty() => Ok(()),
        _ => Err(reason::TITLE_TEMPLATE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_replace_their_variables() {
        let facts = TitleFacts { title: "rubellite", listen_addr: "*:6379", port: 6379, ..TitleFacts::default() };
        let check = |template: &str, expect: Option<&str>| {
            assert_eq!(title(template.as_bytes(), &facts).as_deref(), expect, "{template}");
        };
        check("{title} {listen-addr} {server-mode}", Some("rubellite *:6379"));
        check("a {{b} {port}", Some("a {b} 6379"));
        check("--my--title", Some("--my--title"));
        check("{nope}", None);
        check("{title", None);
        check("{", None);
    }

    #[test]
    fn a_template_must_leave_something() {
        for (template, good) in [("x", true), ("{title}", false), ("", false), (" ", false), ("{title} {port}", true)] {
            assert_eq!(title_template(template.as_bytes()).is_ok(), good, "{template}");
        }
    }
}
