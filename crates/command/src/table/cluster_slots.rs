//! `CLUSTER`: slots.

use crate::row::arg::{block, integer, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("cluster|addslots", Group::Cluster, "3.0.0", -3)
        .summary("Give this node slots that nobody serves")
        .complexity("O(N), N = hash slot arguments.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[integer("slot").multiple()]),
    Row::new("cluster|addslotsrange", Group::Cluster, "7.0.0", -4)
        .summary("Give this node ranges of slots that nobody serves")
        .complexity("O(N), N = slots between the start slot and end slot arguments.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[block("range", &[integer("start-slot"), integer("end-slot")]).multiple()]),
    Row::new("cluster|aside", Group::Cluster, "9.1.0", -2)
        .summary("List or drop keys whose slots another node has claimed by gossip alone")
        .complexity("O(N), N = keys that are set aside.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[oneof("what", &[word("all", "ALL"), integer("slot").multiple()]).token("DROP").optional()])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|cancelslotmigrations", Group::Cluster, "9.0.0", 2)
        .summary("Stop the slot migrations this node is the source of")
        .complexity("O(N), N = slot migration operations being cancelled.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE, F::ALL_DBS]),
    Row::new("cluster|countkeysinslot", Group::Cluster, "3.0.0", 3)
        .summary("Count the keys in a slot")
        .complexity("O(1)")
        .flags(&[F::STALE])
        .args(&[integer("slot")]),
    Row::new("cluster|delslots", Group::Cluster, "3.0.0", -3)
        .summary("Forget who serves some slots")
        .complexity("O(N), N = hash slot arguments.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[integer("slot").multiple()]),
    Row::new("cluster|delslotsrange", Group::Cluster, "7.0.0", -4)
        .summary("Forget who serves ranges of slots")
        .complexity("O(N), N = slots between the start slot and end slot arguments.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[block("range", &[integer("start-slot"), integer("end-slot")]).multiple()]),
    Row::new("cluster|flushslot", Group::Cluster, "9.0.0", -3)
        .summary("Delete every key of a slot")
        .complexity("O(N), N = keys in the target slot.")
        .flags(&[F::WRITE, F::NO_ASYNC_LOADING, F::ADMIN, F::ALL_DBS])
        .categories(&[C::KEYSPACE])
        .args(&[integer("slot"), oneof("flush-type", &[word("async", "ASYNC"), word("sync", "SYNC")]).optional()]),
    Row::new("cluster|flushslots", Group::Cluster, "3.0.0", 2)
        .summary("Forget who serves any slot")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE]),
    Row::new("cluster|getkeysinslot", Group::Cluster, "3.0.0", 4)
        .summary("List some keys of a slot")
        .complexity("O(N), N = requested keys.")
        .flags(&[F::STALE])
        .args(&[integer("slot"), integer("count")])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|getslotmigrations", Group::Cluster, "9.0.0", 2)
        .summary("Report on slot migrations under way and recently ended")
        .complexity("O(N), N = active slot import and export jobs.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE]),
    Row::new("cluster|keyslot", Group::Cluster, "3.0.0", 3)
        .summary("Compute the slot of a key")
        .complexity("O(N), N = bytes in the key.")
        .flags(&[F::STALE])
        .args(&[string("key")]),
    Row::new("cluster|migrateslots", Group::Cluster, "9.0.0", -4)
        .summary("Move ranges of slots, with their keys, to other nodes")
        .complexity("O(N), N = slots between all start slot and end slot arguments.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE, F::ALL_DBS])
        .args(&[block(
            "migration-group",
            &[
                word("slotsrange-token", "SLOTSRANGE"),
                block("range", &[integer("start-slot"), integer("end-slot")]).multiple(),
                word("node-token", "NODE"),
                string("node-id"),
            ],
        )
        .multiple()]),
    Row::new("cluster|setslot", Group::Cluster, "3.0.0", -4)
        .summary("Mark a slot as migrating, importing, stable, or owned by a node")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE, F::MAY_REPLICATE])
        .args(&[
            integer("slot"),
            oneof(
                "subcommand",
                &[
                    string("importing").token("IMPORTING").display("node-id"),
                    string("migrating").token("MIGRATING").display("node-id"),
                    string("node").token("NODE").display("node-id"),
                    word("stable", "STABLE"),
                ],
            ),
            integer("timeout").token("TIMEOUT").optional().since("8.0.0").display("timeout"),
        ])
        .history(&[("8.0.0", "New: `TIMEOUT` option.")]),
    Row::new("cluster|slot-stats", Group::Cluster, "8.0.0", -4)
        .summary("Report what the slots served here cost")
        .complexity("O(N), N = slots asked for; O(N*log(N)) with ORDERBY.")
        .flags(&[F::STALE, F::LOADING])
        .args(&[oneof(
            "filter",
            &[
                block("slotsrange", &[integer("start-slot"), integer("end-slot")]).token("SLOTSRANGE"),
                block(
                    "orderby",
                    &[
                        string("metric"),
                        integer("limit").token("LIMIT").optional(),
                        oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
                    ],
                )
                .token("ORDERBY"),
            ],
        )])
        .tips(&["nondeterministic_output", "request_policy:all_shards"]),
    Row::new("cluster|syncslots", Group::Cluster, "9.0.0", -3)
        .summary("Conversation between two nodes that migrate slots")
        .complexity("As the subcommand.")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE, F::MAY_REPLICATE])
        .syscmd(),
];
