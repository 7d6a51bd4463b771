//! Sorted sets: ranges by rank, score and name.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{block, double, integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("zcount", Group::SortedSet, "2.0.0", 4)
        .summary("Count the members with scores in a range")
        .complexity("O(log(N)), N = elements in the sorted set.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), double("min"), double("max")]),
    Row::new("zlexcount", Group::SortedSet, "2.8.9", 4)
        .summary("Count the members in a lexicographical range")
        .complexity("O(log(N)), N = elements in the sorted set.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("min"), string("max")]),
    Row::new("zrange", Group::SortedSet, "1.2.0", -4)
        .summary("List the members in a range of ranks, scores or names")
        .complexity("O(log(N)+M), N = elements in the sorted set, M = elements returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("start"),
            string("stop"),
            oneof("sortby", &[word("byscore", "BYSCORE"), word("bylex", "BYLEX")]).optional().since("6.2.0"),
            word("rev", "REV").optional().since("6.2.0"),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional().since("6.2.0"),
            word("withscores", "WITHSCORES").optional(),
        ])
        .history(&[("6.2.0", "New: `REV`, `BYSCORE`, `BYLEX` and `LIMIT` options.")]),
    Row::new("zrangebylex", Group::SortedSet, "2.8.9", -4)
        .summary("List the members in a lexicographical range")
        .complexity("O(log(N)+M), N = members of the sorted set, M = members returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("min"),
            string("max"),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        ]),
    Row::new("zrangebyscore", Group::SortedSet, "1.0.5", -4)
        .summary("List the members with scores in a range")
        .complexity("O(log(N)+M), N = members of the sorted set, M = members returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            double("min"),
            double("max"),
            word("withscores", "WITHSCORES").optional().since("2.0.0"),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        ])
        .history(&[("2.0.0", "New: `WITHSCORES` modifier.")]),
    Row::new("zrangestore", Group::SortedSet, "6.2.0", -5)
        .summary("Store the members in a range of ranks, scores or names")
        .complexity("O(log(N)+M), N = elements in the sorted set, M = elements stored into the destination key.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("dst", 0),
            key("src", 1),
            string("min"),
            string("max"),
            oneof("sortby", &[word("byscore", "BYSCORE"), word("bylex", "BYLEX")]).optional(),
            word("rev", "REV").optional(),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        ]),
    Row::new("zrank", Group::SortedSet, "2.0.0", -3)
        .summary("Tell the rank of a member, counted from the lowest score")
        .complexity("O(log(N))")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member"), word("withscore", "WITHSCORE").optional()])
        .history(&[("7.2.0", "New: optional `WITHSCORE` argument.")]),
    Row::new("zremrangebylex", Group::SortedSet, "2.8.9", 4)
        .summary("Remove the members in a lexicographical range")
        .complexity("O(log(N)+M), N = elements in the sorted set, M = elements removed by the operation.")
        .flags(&[F::WRITE])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("min"), string("max")]),
    Row::new("zremrangebyrank", Group::SortedSet, "2.0.0", 4)
        .summary("Remove the members in a range of ranks")
        .complexity("O(log(N)+M), N = elements in the sorted set, M = elements removed by the operation.")
        .flags(&[F::WRITE])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), integer("start"), integer("stop")]),
    Row::new("zremrangebyscore", Group::SortedSet, "1.2.0", 4)
        .summary("Remove the members with scores in a range")
        .complexity("O(log(N)+M), N = elements in the sorted set, M = elements removed by the operation.")
        .flags(&[F::WRITE])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), double("min"), double("max")]),
    Row::new("zrevrange", Group::SortedSet, "1.2.0", -4)
        .summary("List the members in a range of ranks, counted from the highest score")
        .complexity("O(log(N)+M), N = elements in the sorted set, M = elements returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("start"), integer("stop"), word("withscores", "WITHSCORES").optional()]),
    Row::new("zrevrangebylex", Group::SortedSet, "2.8.9", -4)
        .summary("List the members in a lexicographical range, last first")
        .complexity("O(log(N)+M), N = members of the sorted set, M = members returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            string("max"),
            string("min"),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        ]),
    Row::new("zrevrangebyscore", Group::SortedSet, "2.2.0", -4)
        .summary("List the members with scores in a range, highest first")
        .complexity("O(log(N)+M), N = members of the sorted set, M = members returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            double("max"),
            double("min"),
            word("withscores", "WITHSCORES").optional(),
            block("limit", &[integer("offset"), integer("count")]).token("LIMIT").optional(),
        ])
        .history(&[("2.1.6", "`min` and `max` may be exclusive.")]),
    Row::new("zrevrank", Group::SortedSet, "2.0.0", -3)
        .summary("Tell the rank of a member, counted from the highest score")
        .complexity("O(log(N))")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member"), word("withscore", "WITHSCORE").optional()])
        .history(&[("7.2.0", "New: optional `WITHSCORE` argument.")]),
];
