//! Streams: entries.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{block, integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("xadd", Group::Stream, "5.0.0", -5)
        .summary("Append an entry to a stream")
        .complexity("O(1), and O(N) when it trims, N = entries dropped.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1)
            .flags(&[K::RW, K::UPDATE])
            .notes("Trimming removes entries, hence UPDATE and not INSERT")])
        .args(&[
            key("key", 0),
            word("nomkstream", "NOMKSTREAM").optional().since("6.2.0"),
            block(
                "trim",
                &[
                    oneof("strategy", &[word("maxlen", "MAXLEN"), word("minid", "MINID").since("6.2.0")]),
                    oneof("operator", &[word("equal", "="), word("approximately", "~")]).optional(),
                    string("threshold"),
                    integer("count").token("LIMIT").optional().since("6.2.0"),
                ],
            )
            .optional(),
            oneof("id-selector", &[word("auto-id", "*"), string("id")]),
            block("data", &[string("field"), string("value")]).multiple(),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[
            ("6.2.0", "New: `NOMKSTREAM` option, `MINID` trimming strategy and the `LIMIT` option."),
            ("7.0.0", "New: `<ms>-*` explicit ID form."),
        ]),
    Row::new("xdel", Group::Stream, "5.0.0", -3)
        .summary("Delete entries of a stream")
        .complexity("O(N), N = IDs given, whatever the length of the stream.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("id").multiple()]),
    Row::new("xlen", Group::Stream, "5.0.0", 2)
        .summary("Count the entries of a stream")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("xrange", Group::Stream, "5.0.0", -4)
        .summary("Read the entries between two IDs")
        .complexity("O(N), N = entries returned.")
        .flags(&[F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("start"), string("end"), integer("count").token("COUNT").optional()])
        .history(&[("6.2.0", "New: exclusive ranges.")]),
    Row::new("xread", Group::Stream, "5.0.0", -4)
        .summary("Read what streams have beyond given IDs, waiting for more if asked to")
        .flags(&[F::BLOCKING, F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::behind("STREAMS", 1).range(-1, 1, 2).flags(&[K::RO, K::ACCESS])])
        .args(&[
            integer("count").token("COUNT").optional(),
            integer("milliseconds").token("BLOCK").optional(),
            block("streams", &[key("key", 0).multiple(), string("id").multiple()]).token("STREAMS"),
        ]),
    Row::new("xrevrange", Group::Stream, "5.0.0", -4)
        .summary("Read the entries between two IDs, last first")
        .complexity("O(N), N = entries returned.")
        .flags(&[F::READONLY])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("end"), string("start"), integer("count").token("COUNT").optional()])
        .history(&[("6.2.0", "New: exclusive ranges.")]),
    Row::new("xsetid", Group::Stream, "5.0.0", -3)
        .summary("Set a stream's last ID, as replication does")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            string("last-id"),
            integer("entries-added").token("ENTRIESADDED").optional().since("7.0.0"),
            string("max-deleted-id").token("MAXDELETEDID").optional().since("7.0.0"),
        ])
        .history(&[("7.0.0", "New: `entries_added` and `max_deleted_entry_id` arguments.")]),
    Row::new("xtrim", Group::Stream, "5.0.0", -4)
        .summary("Drop the oldest entries of a stream")
        .complexity("O(N), N = entries dropped, with a small constant: they go in whole blocks.")
        .flags(&[F::WRITE])
        .categories(&[C::STREAM])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[
            key("key", 0),
            block(
                "trim",
                &[
                    oneof("strategy", &[word("maxlen", "MAXLEN"), word("minid", "MINID").since("6.2.0")]),
                    oneof("operator", &[word("equal", "="), word("approximately", "~")]).optional(),
                    string("threshold"),
                    integer("count").token("LIMIT").optional().since("6.2.0"),
                ],
            ),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[("6.2.0", "New: `MINID` trimming strategy and the `LIMIT` option.")]),
];
