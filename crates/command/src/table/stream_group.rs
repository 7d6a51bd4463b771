//! Streams: consumer groups.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{block, integer, key, oneof, string, unix_time, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("xack", Group::Stream, "5.0.0", -4)
        .summary("Mark entries as processed by a consumer group")
        .complexity("O(N), N = IDs given.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[key("key", 0), string("group"), string("id").multiple()]),
    Row::new("xautoclaim", Group::Stream, "6.2.0", -6)
        .summary("Take over entries that other consumers left pending for too long")
        .complexity("O(1) for a small COUNT.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[
            key("key", 0),
            string("group"),
            string("consumer"),
            string("min-idle-time"),
            string("start"),
            integer("count").token("COUNT").optional(),
            word("justid", "JUSTID").optional(),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[("7.0.0", "Returns the deleted entries that it dropped from the PEL, too.")]),
    Row::new("xclaim", Group::Stream, "5.0.0", -6)
        .summary("Take over pending entries of other consumers")
        .complexity("O(log N), N = messages in the PEL of the consumer group.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            string("group"),
            string("consumer"),
            string("min-idle-time"),
            string("id").multiple(),
            integer("ms").token("IDLE").optional(),
            unix_time("unix-time-milliseconds").token("TIME").optional(),
            integer("count").token("RETRYCOUNT").optional(),
            word("force", "FORCE").optional(),
            word("justid", "JUSTID").optional(),
            string("lastid").token("LASTID").optional(),
        ])
        .tips(&["nondeterministic_output"]),
    Row::new("xgroup", Group::Stream, "5.0.0", -2)
        .summary("Commands about consumer groups")
        .complexity("As the subcommand."),
    Row::new("xgroup|create", Group::Stream, "5.0.0", -5)
        .summary("Create a consumer group")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[
            key("key", 0),
            string("group"),
            oneof("id-selector", &[string("id"), word("new-id", "$")]),
            word("mkstream", "MKSTREAM").optional(),
            integer("entriesread").token("ENTRIESREAD").optional().display("entries-read"),
        ])
        .history(&[("7.0.0", "New: `entries_read` named argument.")]),
    Row::new("xgroup|createconsumer", Group::Stream, "6.2.0", 5)
        .summary("Create a consumer in a group")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("group"), string("consumer")]),
    Row::new("xgroup|delconsumer", Group::Stream, "5.0.0", 5)
        .summary("Delete a consumer of a group")
        .complexity("O(1)")
        .flags(&[F::WRITE])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("group"), string("consumer")]),
    Row::new("xgroup|destroy", Group::Stream, "5.0.0", 4)
        .summary("Delete a consumer group")
        .complexity("O(N), N = entries in the group's pending entries list (PEL).")
        .flags(&[F::WRITE])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("group")]),
    Row::new("xgroup|help", Group::Stream, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .categories(&[C::STREAM]),
    Row::new("xgroup|setid", Group::Stream, "5.0.0", -5)
        .summary("Choose from where a group goes on reading")
        .complexity("O(1)")
        .flags(&[F::WRITE])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            string("group"),
            oneof("id-selector", &[string("id"), word("new-id", "$")]),
            integer("entriesread").token("ENTRIESREAD").optional().display("entries-read"),
        ])
        .history(&[("7.0.0", "New: optional `entries_read` argument.")]),
    Row::new("xinfo", Group::Stream, "5.0.0", -2)
        .summary("Commands that describe streams")
        .complexity("As the subcommand."),
    Row::new("xinfo|consumers", Group::Stream, "5.0.0", 4)
        .summary("Describe the consumers of a group")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("group")])
        .tips(&["nondeterministic_output"])
        .history(&[("7.2.0", "New: `inactive`; `idle` means something else now.")]),
    Row::new("xinfo|groups", Group::Stream, "5.0.0", 3)
        .summary("Describe the groups of a stream")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .history(&[("7.0.0", "New: `entries-read` and `lag` fields.")]),
    Row::new("xinfo|help", Group::Stream, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .categories(&[C::STREAM]),
    Row::new("xinfo|stream", Group::Stream, "5.0.0", -3)
        .summary("Describe a stream")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(2).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("full-block", &[word("full", "FULL"), integer("count").token("COUNT").optional()]).optional(),
        ])
        .history(&[
            ("6.0.0", "New: `FULL` modifier."),
            (
                "7.0.0",
                "New: `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read`, `lag`.",
            ),
            ("7.2.0", "New: `active-time`; `seen-time` means something else now."),
        ]),
    Row::new("xpending", Group::Stream, "5.0.0", -3)
        .summary("Show what a group has delivered but not seen acknowledged")
        .complexity("O(N), N = entries returned, or looked at with IDLE; O(C) for the summary, C = consumers.")
        .flags(&[F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("group"),
            block(
                "filters",
                &[
                    integer("min-idle-time").token("IDLE").optional().since("6.2.0"),
                    string("start"),
                    string("end"),
                    integer("count"),
                    string("consumer").optional(),
                ],
            )
            .optional(),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[("6.2.0", "New: `IDLE` option and exclusive range intervals.")]),
    Row::new("xreadgroup", Group::Stream, "5.0.0", -7)
        .summary("Read streams as a consumer of a group, waiting for more if asked to")
        .complexity("O(N), N = entries returned; the XADD that serves M waiting clients pays O(M).")
        .flags(&[F::BLOCKING, F::WRITE])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::behind("STREAMS", 4).range(-1, 1, 2).flags(&[K::RO, K::ACCESS])])
        .args(&[
            block("group-block", &[string("group"), string("consumer")]).token("GROUP"),
            integer("count").token("COUNT").optional(),
            integer("milliseconds").token("BLOCK").optional(),
            word("noack", "NOACK").optional(),
            block("streams", &[key("key", 0).multiple(), string("id").multiple()]).token("STREAMS"),
        ]),
];
