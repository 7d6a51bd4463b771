//! Logs, latency and memory: `COMMANDLOG`, `SLOWLOG`, `LATENCY`, `MEMORY`.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{integer, key, oneof, string, word};
use crate::row::{Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("commandlog", Group::Server, "8.1.0", -2)
        .summary("Commands about logged commands")
        .complexity("As the subcommand."),
    Row::new("commandlog|get", Group::Server, "8.1.0", 4)
        .summary("Show entries of a command log")
        .complexity("O(N), N = entries returned.")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .args(&[
            integer("count"),
            oneof(
                "type",
                &[word("slow", "SLOW"), word("large-request", "LARGE-REQUEST"), word("large-reply", "LARGE-REPLY")],
            ),
        ])
        .tips(&["request_policy:all_nodes", "nondeterministic_output"]),
    Row::new("commandlog|help", Group::Server, "8.1.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("commandlog|len", Group::Server, "8.1.0", 3)
        .summary("Count the entries of a command log")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .args(&[oneof(
            "type",
            &[word("slow", "SLOW"), word("large-request", "LARGE-REQUEST"), word("large-reply", "LARGE-REPLY")],
        )])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
    Row::new("commandlog|reset", Group::Server, "8.1.0", 3)
        .summary("Empty a command log")
        .complexity("O(N), N = entries in the commandlog.")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .args(&[oneof(
            "type",
            &[word("slow", "SLOW"), word("large-request", "LARGE-REQUEST"), word("large-reply", "LARGE-REPLY")],
        )])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("latency", Group::Server, "2.8.13", -2).summary("Commands about latency").complexity("As the subcommand."),
    Row::new("latency|doctor", Group::Server, "2.8.13", 2)
        .summary("Explain the latency seen, in words")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
    Row::new("latency|graph", Group::Server, "2.8.13", 3)
        .summary("Draw the latency of an event")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .args(&[string("event")])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
    Row::new("latency|help", Group::Server, "2.8.13", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("latency|histogram", Group::Server, "7.0.0", -2)
        .summary("Show how long commands took, as a distribution")
        .complexity("O(N), N = commands with latency information being retrieved.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .args(&[string("command").optional().multiple()])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
    Row::new("latency|history", Group::Server, "2.8.13", 3)
        .summary("List the samples of an event")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .args(&[string("event")])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
    Row::new("latency|latest", Group::Server, "2.8.13", 2)
        .summary("List the last and worst sample of every event")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
    Row::new("latency|reset", Group::Server, "2.8.13", -2)
        .summary("Forget the samples of events")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .args(&[string("event").optional().multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum"]),
    Row::new("memory", Group::Server, "4.0.0", -2).summary("Commands about memory").complexity("As the subcommand."),
    Row::new("memory|doctor", Group::Server, "4.0.0", 2)
        .summary("Explain the memory use, in words")
        .complexity("O(1)")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    Row::new("memory|help", Group::Server, "4.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("memory|malloc-stats", Group::Server, "4.0.0", 2)
        .summary("Show the allocator's own report")
        .complexity("O(N), N = memory allocated; may be slow.")
        .flags(&[F::LOADING])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    Row::new("memory|purge", Group::Server, "4.0.0", 2)
        .summary("Ask the allocator to give memory back")
        .complexity("O(N), N = memory allocated; may be slow.")
        .flags(&[F::LOADING])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Row::new("memory|stats", Group::Server, "4.0.0", 2)
        .summary("Report what the memory is used for")
        .complexity("O(1)")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    Row::new("memory|usage", Group::Server, "4.0.0", -3)
        .summary("Estimate the bytes that a key takes")
        .complexity("O(N), N = samples.")
        .flags(&[F::READONLY])
        .keys(&[KeySpec::at(2).flags(&[K::RO])])
        .args(&[key("key", 0), integer("count").token("SAMPLES").optional()]),
    Row::new("slowlog", Group::Server, "2.2.12", -2)
        .summary("Commands about the log of slow commands")
        .complexity("As the subcommand."),
    Row::new("slowlog|get", Group::Server, "2.2.12", -2)
        .summary("Show entries of the slow log")
        .complexity("O(N), N = entries returned.")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .args(&[integer("count").optional()])
        .tips(&["request_policy:all_nodes", "nondeterministic_output"])
        .history(&[("4.0.0", "New: client IP address, port and name to the reply.")]),
    Row::new("slowlog|help", Group::Server, "6.2.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("slowlog|len", Group::Server, "2.2.12", 2)
        .summary("Count the entries of the slow log")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
    Row::new("slowlog|reset", Group::Server, "2.2.12", 2)
        .summary("Empty the slow log")
        .complexity("O(N), N = entries in the slowlog.")
        .flags(&[F::ADMIN, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
];
