//! The server as a whole: databases, `INFO`, time.

use crate::keyspec::{Databases, KeyFlags as K, KeySpec};
use crate::row::arg::{integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};
use crate::traits::Traits;

pub static ROWS: &[Row] = &[
    Row::new("dbsize", Group::Server, "1.0.0", 1)
        .summary("Count the keys of the database")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    Row::new("flushall", Group::Server, "1.0.0", -1)
        .summary("Delete all keys of all databases")
        .complexity("O(N), N = keys in all databases.")
        .flags(&[F::WRITE, F::ALL_DBS])
        .categories(&[C::DANGEROUS, C::KEYSPACE])
        .args(&[oneof("flush-type", &[word("async", "ASYNC").since("4.0.0"), word("sync", "SYNC").since("6.2.0")])
            .optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .history(&[
            ("4.0.0", "New: `ASYNC` flushing mode modifier."),
            ("6.2.0", "New: `SYNC` flushing mode modifier."),
        ]),
    Row::new("flushdb", Group::Server, "1.0.0", -1)
        .summary("Delete all keys of the database")
        .complexity("O(N), N = keys in the selected database.")
        .flags(&[F::WRITE])
        .categories(&[C::DANGEROUS, C::KEYSPACE])
        .args(&[oneof("flush-type", &[word("async", "ASYNC").since("4.0.0"), word("sync", "SYNC").since("6.2.0")])
            .optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"])
        .history(&[
            ("4.0.0", "New: `ASYNC` flushing mode modifier."),
            ("6.2.0", "New: `SYNC` flushing mode modifier."),
        ]),
    Row::new("info", Group::Server, "1.0.0", -1)
        .summary("Report on the server")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::DANGEROUS])
        .args(&[string("section").optional().multiple()])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"])
        .history(&[("7.0.0", "Takes several sections.")]),
    Row::new("lolwut", Group::Server, "5.0.0", -1)
        .summary("Draw something and tell the version")
        .flags(&[F::READONLY, F::FAST])
        .args(&[integer("version").token("VERSION").optional()]),
    Row::new("monitor", Group::Server, "1.0.0", 1).summary("Show every command as it is processed").flags(&[
        F::ADMIN,
        F::NOSCRIPT,
        F::LOADING,
        F::STALE,
    ]),
    Row::new("restore-asking", Group::Server, "3.0.0", -4)
        .summary("RESTORE into a slot that is being imported")
        .complexity("O(N*M) to rebuild the value, N = elements, M = their average size; O(N*M*log(N)) for sorted sets.")
        .flags(&[F::WRITE, F::DENYOOM, F::ASKING])
        .traits(Traits::UNPACKS)
        .categories(&[C::DANGEROUS, C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE])])
        .args(&[
            key("key", 0),
            integer("ttl"),
            string("serialized-value"),
            word("replace", "REPLACE").optional().since("3.0.0"),
            word("absttl", "ABSTTL").optional().since("5.0.0"),
            integer("seconds").token("IDLETIME").optional().since("5.0.0"),
            integer("frequency").token("FREQ").optional().since("5.0.0"),
        ])
        .history(&[
            ("3.0.0", "New: `REPLACE` modifier."),
            ("5.0.0", "New: `ABSTTL` modifier."),
            ("5.0.0", "New: `IDLETIME` and `FREQ` options."),
        ])
        .syscmd(),
    Row::new("swapdb", Group::Server, "4.0.0", 3)
        .summary("Exchange two databases")
        .complexity("O(N), N = clients watching or blocking on keys from both databases.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::DANGEROUS, C::KEYSPACE])
        .databases(Databases::Swapdb)
        .args(&[integer("index1"), integer("index2")]),
    Row::new("time", Group::Server, "2.6.0", 1)
        .summary("Tell the time")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::FAST])
        .tips(&["nondeterministic_output"]),
];
