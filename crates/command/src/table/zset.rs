//! Sorted sets: members, scores, taking from the ends, walking.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{block, double, integer, key, oneof, pattern, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("bzmpop", Group::SortedSet, "7.0.0", -5)
        .summary("Take members by score from the first sorted set that has any, waiting if none has")
        .complexity("O(K+M*log(N)), K = keys given, N = members of the sorted set, M = members taken.")
        .flags(&[F::WRITE, F::BLOCKING])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[
            double("timeout"),
            integer("numkeys"),
            key("key", 0).multiple(),
            oneof("where", &[word("min", "MIN"), word("max", "MAX")]),
            integer("count").token("COUNT").optional(),
        ]),
    Row::new("bzpopmax", Group::SortedSet, "5.0.0", -3)
        .summary("Take the highest score from the first sorted set that has any, waiting if none has")
        .complexity("O(log(N)), N = elements in the sorted set.")
        .flags(&[F::WRITE, F::FAST, F::BLOCKING])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).range(-2, 1, 0).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "`timeout` may have a fraction.")]),
    Row::new("bzpopmin", Group::SortedSet, "5.0.0", -3)
        .summary("Take the lowest score from the first sorted set that has any, waiting if none has")
        .complexity("O(log(N)), N = elements in the sorted set.")
        .flags(&[F::WRITE, F::FAST, F::BLOCKING])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).range(-2, 1, 0).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0).multiple(), double("timeout")])
        .history(&[("6.0.0", "`timeout` may have a fraction.")]),
    Row::new("zadd", Group::SortedSet, "1.2.0", -4)
        .summary("Add members to a sorted set or change their scores")
        .complexity("O(M*log(N)), M = members added, N = members of the sorted set.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::UPDATE])])
        .args(&[
            key("key", 0),
            oneof("condition", &[word("nx", "NX"), word("xx", "XX")]).optional().since("3.0.2"),
            oneof("comparison", &[word("gt", "GT"), word("lt", "LT")]).optional().since("6.2.0"),
            word("change", "CH").optional().since("3.0.2"),
            word("increment", "INCR").optional().since("3.0.2"),
            block("data", &[double("score"), string("member")]).multiple(),
        ])
        .history(&[
            ("2.4.0", "Takes several elements."),
            ("3.0.2", "New: `XX`, `NX`, `CH` and `INCR` options."),
            ("6.2.0", "New: `GT` and `LT` options."),
        ]),
    Row::new("zcard", Group::SortedSet, "1.2.0", 2)
        .summary("Count the members of a sorted set")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("zincrby", Group::SortedSet, "1.2.0", 4)
        .summary("Add to the score of a member")
        .complexity("O(log(N)), N = elements in the sorted set.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[key("key", 0), integer("increment"), string("member")]),
    Row::new("zmpop", Group::SortedSet, "7.0.0", -4)
        .summary("Take members by score from the first sorted set that has any")
        .complexity("O(K+M*log(N)), K = keys given, N = members of the sorted set, M = members taken.")
        .flags(&[F::WRITE])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[
            integer("numkeys"),
            key("key", 0).multiple(),
            oneof("where", &[word("min", "MIN"), word("max", "MAX")]),
            integer("count").token("COUNT").optional(),
        ]),
    Row::new("zmscore", Group::SortedSet, "6.2.0", -3)
        .summary("Tell the scores of members")
        .complexity("O(N), N = members being requested.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member").multiple()]),
    Row::new("zpopmax", Group::SortedSet, "5.0.0", -2)
        .summary("Take the members with the highest scores")
        .complexity("O(log(N)*M), N = elements in the sorted set, M = elements popped.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0), integer("count").optional()]),
    Row::new("zpopmin", Group::SortedSet, "5.0.0", -2)
        .summary("Take the members with the lowest scores")
        .complexity("O(log(N)*M), N = elements in the sorted set, M = elements popped.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0), integer("count").optional()]),
    Row::new("zrandmember", Group::SortedSet, "6.2.0", -2)
        .summary("Pick members of a sorted set at random")
        .complexity("O(N), N = members returned.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            block("options", &[integer("count"), word("withscores", "WITHSCORES").optional()]).optional(),
        ])
        .tips(&["nondeterministic_output"]),
    Row::new("zrem", Group::SortedSet, "1.2.0", -3)
        .summary("Remove members from a sorted set")
        .complexity("O(M*log(N)), N = elements in the sorted set, M = elements to be removed.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("member").multiple()])
        .history(&[("2.4.0", "Takes several elements.")]),
    Row::new("zscan", Group::SortedSet, "2.8.0", -3)
        .summary("Walk over the members of a sorted set")
        .complexity("O(1) per call, O(N) for a whole walk, N = elements of the collection.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").token("MATCH").optional(),
            integer("count").token("COUNT").optional(),
            word("noscores", "NOSCORES").optional(),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[("8.0.0", "New: noscores option.")]),
    Row::new("zscore", Group::SortedSet, "1.2.0", 3)
        .summary("Tell the score of a member")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member")]),
];
