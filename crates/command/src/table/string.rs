//! Strings.

use crate::keyspec::{KeyFlags as K, KeyRule, KeySpec};
use crate::row::arg::{block, double, integer, key, oneof, string, unix_time, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("append", Group::String, "2.0.0", 3)
        .summary("Append to a string, creating it if need be")
        .complexity("O(1) amortized, as spare room doubles with each growth.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("value")]),
    Row::new("decr", Group::String, "1.0.0", 2)
        .summary("Subtract one from an integer")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0)]),
    Row::new("decrby", Group::String, "1.0.0", 3)
        .summary("Subtract from an integer")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), integer("decrement")]),
    Row::new("delifeq", Group::String, "9.0.0", 3)
        .summary("Delete a key if it holds a given string")
        .complexity("O(1)")
        .flags(&[F::FAST, F::WRITE])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RM, K::DELETE])])
        .args(&[key("key", 0), string("value")]),
    Row::new("get", Group::String, "1.0.0", 2)
        .summary("Read a string")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)]),
    Row::new("getdel", Group::String, "6.2.0", 2)
        .summary("Read a string and delete its key")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0)]),
    Row::new("getex", Group::String, "6.2.0", -2)
        .summary("Read a string and change its expiration")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1)
            .flags(&[K::RW, K::ACCESS, K::UPDATE])
            .notes("Changes the expiration, hence RW and UPDATE")])
        .args(&[
            key("key", 0),
            oneof(
                "expiration",
                &[
                    integer("seconds").token("EX"),
                    integer("milliseconds").token("PX"),
                    unix_time("unix-time-seconds").token("EXAT"),
                    unix_time("unix-time-milliseconds").token("PXAT"),
                    word("persist", "PERSIST"),
                ],
            )
            .optional(),
        ]),
    Row::new("getrange", Group::String, "2.4.0", 4)
        .summary("Read a part of a string")
        .complexity("O(N), N = length of the part returned.")
        .flags(&[F::READONLY])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("start"), integer("end")]),
    Row::new("getset", Group::String, "1.0.0", 3)
        .summary("Replace a string and return what it was")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), string("value")]),
    Row::new("incr", Group::String, "1.0.0", 2)
        .summary("Add one to an integer")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0)]),
    Row::new("incrby", Group::String, "1.0.0", 3)
        .summary("Add to an integer")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), integer("increment")]),
    Row::new("incrbyfloat", Group::String, "2.6.0", 3)
        .summary("Add to a floating point number")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), double("increment")]),
    Row::new("lcs", Group::String, "7.0.0", -3)
        .summary("Find what two strings have in common")
        .complexity("O(N*M), N and M = lengths of the strings.")
        .flags(&[F::READONLY])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).range(1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key1", 0),
            key("key2", 0),
            word("len", "LEN").optional(),
            word("idx", "IDX").optional(),
            integer("min-match-len").token("MINMATCHLEN").optional(),
            word("withmatchlen", "WITHMATCHLEN").optional(),
        ]),
    Row::new("mget", Group::String, "1.0.0", -2)
        .summary("Read several strings")
        .complexity("O(N), N = keys to retrieve.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard"]),
    Row::new("mset", Group::String, "1.0.1", -3)
        .summary("Write several strings")
        .complexity("O(N), N = keys to set.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).range(-1, 2, 0).flags(&[K::OW, K::UPDATE])])
        .args(&[block("data", &[key("key", 0), string("value")]).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    Row::new("msetex", Group::String, "9.1.0", -4)
        .summary("Write several strings together with their expiration")
        .complexity("O(N), N = keys to set.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).keynum(0, 1, 2).flags(&[K::OW, K::UPDATE])])
        .args(&[
            integer("numkeys"),
            block("data", &[key("key", 0), string("value")]).multiple(),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX")]).optional(),
            oneof(
                "expiration",
                &[
                    integer("seconds").token("EX"),
                    integer("milliseconds").token("PX"),
                    unix_time("unix-time-seconds").token("EXAT"),
                    unix_time("unix-time-milliseconds").token("PXAT"),
                    word("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
        ])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    Row::new("msetnx", Group::String, "1.0.1", -3)
        .summary("Write several strings unless one of the keys exists")
        .complexity("O(N), N = keys to set.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).range(-1, 2, 0).flags(&[K::OW, K::INSERT])])
        .args(&[block("data", &[key("key", 0), string("value")]).multiple()]),
    Row::new("psetex", Group::String, "2.6.0", 4)
        .summary("Write a string that expires after some milliseconds")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE])])
        .args(&[key("key", 0), integer("milliseconds"), string("value")]),
    Row::new("set", Group::String, "1.0.0", -3)
        .summary("Write a string")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1)
            .flags(&[K::RW, K::ACCESS, K::UPDATE, K::VARIABLE_FLAGS])
            .notes("GET makes it read the old value, hence RW and ACCESS")])
        .key_rule(KeyRule::Set)
        .args(&[
            key("key", 0),
            string("value"),
            oneof(
                "condition",
                &[
                    word("nx", "NX").since("2.6.12"),
                    word("xx", "XX").since("2.6.12"),
                    string("comparison-value").token("IFEQ").since("8.1.0").summary(
                        "Sets the key's value only if the current value matches the specified comparison value.",
                    ),
                ],
            )
            .optional(),
            word("get", "GET").optional().since("6.2.0"),
            oneof(
                "expiration",
                &[
                    integer("seconds").token("EX").since("2.6.12"),
                    integer("milliseconds").token("PX").since("2.6.12"),
                    unix_time("unix-time-seconds").token("EXAT").since("6.2.0"),
                    unix_time("unix-time-milliseconds").token("PXAT").since("6.2.0"),
                    word("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ])
        .history(&[
            ("2.6.12", "New: `EX`, `PX`, `NX` and `XX` options."),
            ("6.0.0", "New: `KEEPTTL` option."),
            ("6.2.0", "New: `GET`, `EXAT` and `PXAT` option."),
            ("7.0.0", "`NX` and `GET` may stand together."),
            ("8.1.0", "New: `IFEQ` option."),
        ]),
    Row::new("setex", Group::String, "2.0.0", 4)
        .summary("Write a string that expires after some seconds")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE])])
        .args(&[key("key", 0), integer("seconds"), string("value")]),
    Row::new("setnx", Group::String, "1.0.0", 3)
        .summary("Write a string unless the key exists")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::INSERT])])
        .args(&[key("key", 0), string("value")]),
    Row::new("setrange", Group::String, "2.2.0", 4)
        .summary("Overwrite a part of a string")
        .complexity("O(1), and O(M) to copy a value of M bytes.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[key("key", 0), integer("offset"), string("value")]),
    Row::new("strlen", Group::String, "2.2.0", 2)
        .summary("Measure a string")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("substr", Group::String, "1.0.0", 4)
        .summary("Read a part of a string, under the command's former name")
        .complexity("O(N), N = length of the part returned.")
        .flags(&[F::READONLY])
        .categories(&[C::STRING])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("start"), integer("end")]),
];
