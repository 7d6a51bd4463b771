//! Keys of any type: deleting, renaming, copying, dumping, sorting, looking inside.

use crate::keyspec::{Databases, KeyFlags as K, KeyRule, KeySpec};
use crate::row::arg::{block, integer, key, oneof, pattern, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};
use crate::traits::Traits;

pub static ROWS: &[Row] = &[
    Row::new("copy", Group::Generic, "6.2.0", -3)
        .summary("Copy a value to another key")
        .complexity("O(1) for strings, at worst O(N) for collections, N = elements.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS]), KeySpec::at(2).flags(&[K::OW, K::UPDATE])])
        .databases(Databases::Copy)
        .args(&[
            key("source", 0),
            key("destination", 1),
            integer("destination-db").token("DB").optional(),
            word("replace", "REPLACE").optional(),
        ]),
    Row::new("del", Group::Generic, "1.0.0", -2)
        .summary("Delete keys")
        .complexity("O(N), N = keys deleted; a collection costs O(M) more, M = its elements.")
        .flags(&[F::WRITE])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RM, K::DELETE])])
        .args(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Row::new("dump", Group::Generic, "2.6.0", 2)
        .summary("Serialize the value of a key")
        .complexity("O(N*M), N = elements of the value, M = their average size.")
        .flags(&[F::READONLY])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    Row::new("exists", Group::Generic, "1.0.0", -2)
        .summary("Count how many of the keys exist")
        .complexity("O(N), N = keys to check.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO])])
        .args(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"])
        .history(&[("3.0.3", "Takes several keys.")]),
    Row::new("keys", Group::Generic, "1.0.0", 2)
        .summary("List the keys that match a pattern")
        .complexity("O(N), N = keys of the database, for names and patterns of limited length.")
        .flags(&[F::READONLY])
        .categories(&[C::DANGEROUS, C::KEYSPACE])
        .args(&[pattern("pattern")])
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    Row::new("migrate", Group::Generic, "2.6.0", -6)
        .summary("Move keys to another server")
        .complexity("As DUMP and DEL here and RESTORE there, and O(N) to send, N = bytes.")
        .flags(&[F::WRITE])
        .categories(&[C::DANGEROUS, C::KEYSPACE])
        .keys(&[
            KeySpec::at(3).flags(&[K::RW, K::ACCESS, K::DELETE]),
            KeySpec::behind("KEYS", -2).range(-1, 1, 0).flags(&[K::RW, K::ACCESS, K::DELETE, K::INCOMPLETE]),
        ])
        .key_rule(KeyRule::Migrate)
        .args(&[
            string("host"),
            integer("port"),
            oneof("key-selector", &[key("key", 0), word("empty-string", "")]),
            integer("destination-db"),
            integer("timeout"),
            word("copy", "COPY").optional().since("3.0.0"),
            word("replace", "REPLACE").optional().since("3.0.0"),
            oneof(
                "authentication",
                &[
                    string("auth").token("AUTH").since("4.0.7").display("password"),
                    block("auth2", &[string("username"), string("password")]).token("AUTH2").since("6.0.0"),
                ],
            )
            .optional(),
            key("keys", 1).token("KEYS").optional().multiple().since("3.0.6").display("key"),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[
            ("3.0.0", "New: `COPY` and `REPLACE` options."),
            ("3.0.6", "New: `KEYS` option."),
            ("4.0.7", "New: `AUTH` option."),
            ("6.0.0", "New: `AUTH2` option."),
        ]),
    Row::new("move", Group::Generic, "1.0.0", 3)
        .summary("Move a key to another database")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .databases(Databases::Move)
        .args(&[key("key", 0), integer("db")]),
    Row::new("object", Group::Generic, "2.2.3", -2)
        .summary("Commands that look inside values")
        .complexity("As the subcommand."),
    Row::new("object|encoding", Group::Generic, "2.2.3", 3)
        .summary("Tell how a value is stored")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(2).flags(&[K::RO])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    Row::new("object|freq", Group::Generic, "4.0.0", 3)
        .summary("Tell the access frequency counter of a key")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(2).flags(&[K::RO])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    Row::new("object|help", Group::Generic, "6.2.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .categories(&[C::KEYSPACE]),
    Row::new("object|idletime", Group::Generic, "2.2.3", 3)
        .summary("Tell for how long a key was not used")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(2).flags(&[K::RO])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    Row::new("object|refcount", Group::Generic, "2.2.3", 3)
        .summary("Tell how many references a value has")
        .complexity("O(1)")
        .flags(&[F::READONLY])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(2).flags(&[K::RO])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output"]),
    Row::new("randomkey", Group::Generic, "1.0.0", 1)
        .summary("Pick a key at random")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::TOUCHES_ARBITRARY_KEYS])
        .categories(&[C::KEYSPACE])
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    Row::new("rename", Group::Generic, "1.0.0", 3)
        .summary("Give a key another name, replacing what was there")
        .complexity("O(1)")
        .flags(&[F::WRITE])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::OW, K::UPDATE])])
        .args(&[key("key", 0), key("newkey", 1)]),
    Row::new("renamenx", Group::Generic, "1.0.0", 3)
        .summary("Give a key another name unless that name is taken")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::OW, K::INSERT])])
        .args(&[key("key", 0), key("newkey", 1)])
        .history(&[("3.2.0", "Source and destination may be the same.")]),
    Row::new("restore", Group::Generic, "2.6.0", -4)
        .summary("Create a key from what DUMP made")
        .complexity("O(N*M) to rebuild the value, N = elements, M = their average size; O(N*M*log(N)) for sorted sets.")
        .flags(&[F::WRITE, F::DENYOOM])
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
        ]),
    Row::new("scan", Group::Generic, "2.8.0", -2)
        .summary("Walk over the keys of a database")
        .complexity("O(1) per call, O(N) for a whole walk, N = elements of the collection.")
        .flags(&[F::READONLY, F::TOUCHES_ARBITRARY_KEYS])
        .categories(&[C::KEYSPACE])
        .args(&[
            integer("cursor"),
            pattern("pattern").token("MATCH").optional(),
            integer("count").token("COUNT").optional(),
            string("type").token("TYPE").optional().since("6.0.0"),
        ])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"])
        .history(&[("6.0.0", "New: `TYPE` subcommand.")]),
    Row::new("sort", Group::Generic, "1.0.0", -2)
        .summary("Sort a list, set or sorted set, and return or store the result")
        .complexity("O(N+M*log(M)), N = elements to sort, M = elements returned; O(N) without sorting.")
        .flags(&[F::WRITE, F::DENYOOM])
        .traits(Traits::READS_BY_PATTERN)
        .categories(&[C::DANGEROUS, C::LIST, C::SET, C::SORTEDSET])
        .keys(&[
            KeySpec::at(1).flags(&[K::RO, K::ACCESS]),
            KeySpec::unknown()
                .flags(&[K::RO, K::ACCESS])
                .notes("BY and GET: the names of these keys are made of the elements that are sorted"),
            KeySpec::unknown().flags(&[K::OW, K::UPDATE]).notes("STORE: the word may stand anywhere among the options"),
        ])
        .key_rule(KeyRule::Sort)
        .args(&[
            key("key", 0),
            pattern("by-pattern").token("BY").key_spec(1).optional().display("pattern"),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
            pattern("get-pattern").token("GET").key_spec(1).optional().multiple_token().display("pattern"),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
            word("sorting", "ALPHA").optional(),
            key("destination", 2).token("STORE").optional(),
        ]),
    Row::new("sort_ro", Group::Generic, "7.0.0", -2)
        .summary("Sort a list, set or sorted set and return the result")
        .complexity("O(N+M*log(M)), N = elements to sort, M = elements returned; O(N) without sorting.")
        .flags(&[F::READONLY])
        .traits(Traits::READS_BY_PATTERN)
        .categories(&[C::DANGEROUS, C::LIST, C::SET, C::SORTEDSET])
        .keys(&[
            KeySpec::at(1).flags(&[K::RO, K::ACCESS]),
            KeySpec::unknown()
                .flags(&[K::RO, K::ACCESS])
                .notes("BY and GET: the names of these keys are made of the elements that are sorted"),
        ])
        .key_rule(KeyRule::SortRo)
        .args(&[
            key("key", 0),
            pattern("by-pattern").token("BY").key_spec(1).optional().display("pattern"),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
            pattern("get-pattern").token("GET").key_spec(1).optional().multiple_token().display("pattern"),
            oneof("order", &[word("asc", "ASC"), word("desc", "DESC")]).optional(),
            word("sorting", "ALPHA").optional(),
        ]),
    Row::new("touch", Group::Generic, "3.2.1", -2)
        .summary("Count how many of the keys exist and mark them as used")
        .complexity("O(N), N = keys that will be touched.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO])])
        .args(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Row::new("type", Group::Generic, "1.0.0", 2)
        .summary("Tell the type of a value")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("unlink", Group::Generic, "4.0.0", -2)
        .summary("Delete keys, freeing their memory in the background")
        .complexity("O(1) per key, and O(N) in the background, N = allocations of the values.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RM, K::DELETE])])
        .args(&[key("key", 0).multiple()])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Row::new("wait", Group::Generic, "3.0.0", 3)
        .summary("Wait until replicas have this connection's writes")
        .complexity("O(1)")
        .flags(&[F::BLOCKING])
        .categories(&[C::CONNECTION])
        .args(&[integer("numreplicas"), integer("timeout")])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    Row::new("waitaof", Group::Generic, "7.2.0", 4)
        .summary("Wait until this connection's writes are on disk here and on replicas")
        .complexity("O(1)")
        .flags(&[F::BLOCKING])
        .categories(&[C::CONNECTION])
        .args(&[integer("numlocal"), integer("numreplicas"), integer("timeout")])
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
];
