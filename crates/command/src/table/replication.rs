//! Replication, persistence and the end: `REPLICAOF`, `PSYNC`, `FAILOVER`, `SAVE`, `SHUTDOWN`.

use crate::row::arg::{block, integer, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("bgrewriteaof", Group::Server, "1.0.0", 1)
        .summary("Rewrite the append-only file in the background")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT]),
    Row::new("bgsave", Group::Server, "1.0.0", -1)
        .summary("Write a snapshot in the background")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT])
        .args(&[oneof(
            "operation",
            &[word("schedule", "SCHEDULE").since("3.2.2"), word("cancel", "CANCEL").since("8.1.0")],
        )
        .optional()])
        .history(&[("3.2.2", "New: `SCHEDULE` option."), ("8.1.0", "New: `CANCEL` option.")]),
    Row::new("failover", Group::Server, "6.2.0", -1)
        .summary("Let a replica take this server's place, losing nothing")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::STALE])
        .args(&[
            block("target", &[string("host"), integer("port"), word("force", "FORCE").optional()])
                .token("TO")
                .optional(),
            word("abort", "ABORT").optional(),
            integer("milliseconds").token("TIMEOUT").optional(),
        ]),
    Row::new("lastsave", Group::Server, "1.0.0", 1)
        .summary("Tell when the last snapshot succeeded")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::FAST])
        .categories(&[C::ADMIN, C::DANGEROUS])
        .tips(&["nondeterministic_output"]),
    Row::new("psync", Group::Server, "2.8.0", -3)
        .summary("Begin or go on with a replication stream")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NO_MULTI, F::NOSCRIPT])
        .args(&[string("replicationid"), integer("offset")]),
    Row::new("replconf", Group::Server, "3.0.0", -1)
        .summary("Conversation between a primary and a replica")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::ALLOW_BUSY])
        .syscmd(),
    Row::new("replicaof", Group::Server, "5.0.0", 3)
        .summary("Make this server a replica of another, or of none")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT, F::STALE])
        .args(&[oneof(
            "args",
            &[
                block("host-port", &[string("host"), integer("port")]),
                block("no-one", &[word("no", "NO"), word("one", "ONE")]),
            ],
        )]),
    Row::new("role", Group::Server, "2.8.12", 1)
        .summary("Tell the part this server plays in replication")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::SENTINEL])
        .categories(&[C::ADMIN, C::DANGEROUS]),
    Row::new("save", Group::Server, "1.0.0", 1)
        .summary("Write a snapshot while everybody waits")
        .complexity("O(N), N = keys in all databases.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT, F::NO_MULTI]),
    Row::new("shutdown", Group::Server, "1.0.0", -1)
        .summary("Stop the server, saving first when so configured")
        .complexity("O(N) when it saves, N = keys of all databases, else O(1).")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::NO_MULTI, F::SENTINEL, F::ALLOW_BUSY])
        .args(&[oneof(
            "abort-selector",
            &[
                block(
                    "save-selector-block",
                    &[
                        oneof("save-selector", &[word("nosave", "NOSAVE"), word("save", "SAVE")]).optional(),
                        word("now", "NOW").optional().since("7.0.0"),
                        word("force", "FORCE").optional().since("7.0.0"),
                        word("safe", "SAFE").optional().since("9.0.0"),
                        word("failover", "FAILOVER").optional().since("9.0.0"),
                    ],
                ),
                word("abort", "ABORT").since("7.0.0"),
            ],
        )
        .optional()])
        .history(&[
            ("7.0.0", "New: `NOW`, `FORCE` and `ABORT` modifiers."),
            ("9.0.0", "New: `SAFE` and `FAILOVER` modifiers."),
        ]),
    Row::new("slaveof", Group::Server, "1.0.0", 3)
        .summary("Make this server a replica of another, under the command's former name")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT, F::STALE])
        .args(&[oneof(
            "args",
            &[
                block("host-port", &[string("host"), integer("port")]),
                block("no-one", &[word("no", "NO"), word("one", "ONE")]),
            ],
        )])
        .deprecated("5.0.0", "`REPLICAOF`"),
    Row::new("sync", Group::Server, "1.0.0", 1).summary("Begin a replication stream the old way").flags(&[
        F::NO_ASYNC_LOADING,
        F::ADMIN,
        F::NO_MULTI,
        F::NOSCRIPT,
    ]),
];
