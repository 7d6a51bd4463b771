//! Hashes and their expiring fields.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{block, double, integer, key, oneof, pattern, string, unix_time, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("hdel", Group::Hash, "2.0.0", -3)
        .summary("Delete fields of a hash")
        .complexity("O(N), N = fields to be removed.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("field").multiple()])
        .history(&[("2.4.0", "Takes several fields.")]),
    Row::new("hexists", Group::Hash, "2.0.0", 3)
        .summary("Tell whether a hash has a field")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0), string("field")]),
    Row::new("hexpire", Group::Hash, "9.0.0", -6)
        .summary("Let fields of a hash expire after some seconds")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("seconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")]).optional(),
            block("fields", &[integer("numfields"), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hexpireat", Group::Hash, "9.0.0", -6)
        .summary("Let fields of a hash expire at a time given in seconds")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("unix-time-seconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("9.0.0"),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hexpiretime", Group::Hash, "9.0.0", -5)
        .summary("Tell when fields of a hash will expire, in seconds of Unix time")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hget", Group::Hash, "2.0.0", 3)
        .summary("Read a field of a hash")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("field")]),
    Row::new("hgetall", Group::Hash, "2.0.0", 2)
        .summary("Read all fields of a hash with their values")
        .complexity("O(N), N = size of the hash.")
        .flags(&[F::READONLY])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    Row::new("hgetdel", Group::Hash, "9.1.0", -5)
        .summary("Read fields of a hash and delete them")
        .complexity("O(N), N = fields to be retrieved and deleted.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[
            key("key", 0),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hgetex", Group::Hash, "9.0.0", -5)
        .summary("Read fields of a hash and change their expiration")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
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
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hincrby", Group::Hash, "2.0.0", 4)
        .summary("Add an integer to a field of a hash")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), string("field"), integer("increment")]),
    Row::new("hincrbyfloat", Group::Hash, "2.6.0", 4)
        .summary("Add a floating point number to a field of a hash")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), string("field"), double("increment")]),
    Row::new("hkeys", Group::Hash, "2.0.0", 2)
        .summary("List the fields of a hash")
        .complexity("O(N), N = size of the hash.")
        .flags(&[F::READONLY])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    Row::new("hlen", Group::Hash, "2.0.0", 2)
        .summary("Count the fields of a hash")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("hmget", Group::Hash, "2.0.0", -3)
        .summary("Read several fields of a hash")
        .complexity("O(N), N = fields being requested.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("field").multiple()]),
    Row::new("hmset", Group::Hash, "2.0.0", -4)
        .summary("Write several fields of a hash")
        .complexity("O(N), N = fields being set.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[key("key", 0), block("data", &[string("field"), string("value")]).multiple()]),
    Row::new("hpersist", Group::Hash, "9.0.0", -5)
        .summary("Take the expiration of fields away")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hpexpire", Group::Hash, "9.0.0", -6)
        .summary("Let fields of a hash expire after some milliseconds")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("milliseconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("9.0.0"),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hpexpireat", Group::Hash, "9.0.0", -6)
        .summary("Let fields of a hash expire at a time given in milliseconds")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("unix-time-milliseconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("9.0.0"),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hpexpiretime", Group::Hash, "9.0.0", -5)
        .summary("Tell when fields of a hash will expire, in milliseconds of Unix time")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hpttl", Group::Hash, "9.0.0", -5)
        .summary("Tell how many milliseconds fields of a hash have left")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hrandfield", Group::Hash, "6.2.0", -2)
        .summary("Pick fields of a hash at random")
        .complexity("O(N), N = fields returned.")
        .flags(&[F::READONLY])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("options", &[integer("count"), word("withvalues", "WITHVALUES").optional()]).optional(),
        ])
        .tips(&["nondeterministic_output"]),
    Row::new("hscan", Group::Hash, "2.8.0", -3)
        .summary("Walk over the fields of a hash")
        .complexity("O(1) per call, O(N) for a whole walk, N = elements of the collection.")
        .flags(&[F::READONLY])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").token("MATCH").optional(),
            integer("count").token("COUNT").optional(),
            word("novalues", "NOVALUES").optional(),
        ])
        .tips(&["nondeterministic_output"]),
    Row::new("hset", Group::Hash, "2.0.0", -4)
        .summary("Write fields of a hash")
        .complexity("O(N), N = pairs written.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[key("key", 0), block("data", &[string("field"), string("value")]).multiple()])
        .history(&[("4.0.0", "Takes several fields with their values.")]),
    Row::new("hsetex", Group::Hash, "9.0.0", -6)
        .summary("Write fields of a hash together with their expiration")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[
            key("key", 0),
            oneof("key-condition", &[word("nx", "NX"), word("xx", "XX")]).optional(),
            oneof("fields-condition", &[word("fnx", "FNX"), word("fxx", "FXX")]).optional(),
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
            block(
                "fields",
                &[integer("numfields").key_spec(0), block("data", &[string("field"), string("value")]).multiple()],
            )
            .token("FIELDS"),
        ]),
    Row::new("hsetnx", Group::Hash, "2.0.0", 4)
        .summary("Write a field of a hash unless it exists")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("field"), string("value")]),
    Row::new("hstrlen", Group::Hash, "3.2.0", 3)
        .summary("Measure the value of a field")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0), string("field")]),
    Row::new("httl", Group::Hash, "9.0.0", -5)
        .summary("Tell how many seconds fields of a hash have left")
        .complexity("O(N), N = specified fields.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("fields", &[integer("numfields").key_spec(0), string("field").multiple()]).token("FIELDS"),
        ]),
    Row::new("hvals", Group::Hash, "2.0.0", 2)
        .summary("List the values of a hash")
        .complexity("O(N), N = size of the hash.")
        .flags(&[F::READONLY])
        .categories(&[C::HASH])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
];
