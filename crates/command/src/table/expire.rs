//! Keys of any type: expiration.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{integer, key, oneof, unix_time, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("expire", Group::Generic, "1.0.0", -3)
        .summary("Let a key expire after some seconds")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("seconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("7.0.0"),
        ])
        .history(&[("7.0.0", "New: `NX`, `XX`, `GT` and `LT`.")]),
    Row::new("expireat", Group::Generic, "1.2.0", -3)
        .summary("Let a key expire at a time given in seconds")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            unix_time("unix-time-seconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("7.0.0"),
        ])
        .history(&[("7.0.0", "New: `NX`, `XX`, `GT` and `LT`.")]),
    Row::new("expiretime", Group::Generic, "7.0.0", 2)
        .summary("Tell when a key will expire, in seconds of Unix time")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)]),
    Row::new("persist", Group::Generic, "2.2.0", 2)
        .summary("Take a key's expiration away")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[key("key", 0)]),
    Row::new("pexpire", Group::Generic, "2.6.0", -3)
        .summary("Let a key expire after some milliseconds")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("milliseconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("7.0.0"),
        ])
        .history(&[("7.0.0", "New: `NX`, `XX`, `GT` and `LT`.")]),
    Row::new("pexpireat", Group::Generic, "2.6.0", -3)
        .summary("Let a key expire at a time given in milliseconds")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            unix_time("unix-time-milliseconds"),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX"), word("gt", "GT"), word("lt", "LT")])
                .optional()
                .since("7.0.0"),
        ])
        .history(&[("7.0.0", "New: `NX`, `XX`, `GT` and `LT`.")]),
    Row::new("pexpiretime", Group::Generic, "7.0.0", 2)
        .summary("Tell when a key will expire, in milliseconds of Unix time")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)]),
    Row::new("pttl", Group::Generic, "2.6.0", 2)
        .summary("Tell how many milliseconds a key has left")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"])
        .history(&[("2.8.0", "New: -2 reply.")]),
    Row::new("ttl", Group::Generic, "1.0.0", 2)
        .summary("Tell how many seconds a key has left")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"])
        .history(&[("2.8.0", "New: -2 reply.")]),
];
