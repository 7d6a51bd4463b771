//! Sorted sets: unions, intersections and differences.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{integer, key, oneof, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("zdiff", Group::SortedSet, "6.2.0", -3)
        .summary("Subtract sorted sets from the first")
        .complexity(
            "At worst O(L+(N-K)*log(N)), L = members of all sets, N = members of the first, K = members of the result.",
        )
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[integer("numkeys"), key("key", 0).multiple(), word("withscores", "WITHSCORES").optional()]),
    Row::new("zdiffstore", Group::SortedSet, "6.2.0", -4)
        .summary("Subtract sorted sets from the first and store what is left")
        .complexity(
            "At worst O(L+(N-K)*log(N)), L = members of all sets, N = members of the first, K = members of the result.",
        )
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("destination", 0), integer("numkeys"), key("key", 1).multiple()]),
    Row::new("zinter", Group::SortedSet, "6.2.0", -3)
        .summary("Intersect sorted sets")
        .complexity(
            "At worst O(N*K+M*log(M)), N = members of the smallest set, K = number of sets, M = members of the result.",
        )
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("weight").token("WEIGHTS").optional().multiple(),
            oneof("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
                .token("AGGREGATE")
                .optional(),
            word("withscores", "WITHSCORES").optional(),
        ]),
    Row::new("zintercard", Group::SortedSet, "7.0.0", -3)
        .summary("Count the members that sorted sets have in common")
        .complexity("At worst O(N*K), N = members of the smallest set, K = number of sets.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[integer("numkeys"), key("key", 0).multiple(), integer("limit").token("LIMIT").optional()]),
    Row::new("zinterstore", Group::SortedSet, "2.0.0", -4)
        .summary("Intersect sorted sets and store the result")
        .complexity(
            "At worst O(N*K+M*log(M)), N = members of the smallest set, K = number of sets, M = members of the result.",
        )
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            integer("weight").token("WEIGHTS").optional().multiple(),
            oneof("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
                .token("AGGREGATE")
                .optional(),
        ]),
    Row::new("zunion", Group::SortedSet, "6.2.0", -3)
        .summary("Unite sorted sets")
        .complexity("O(N+M*log(M)), N = members of all sets, M = members of the result.")
        .flags(&[F::READONLY])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            integer("numkeys"),
            key("key", 0).multiple(),
            integer("weight").token("WEIGHTS").optional().multiple(),
            oneof("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
                .token("AGGREGATE")
                .optional(),
            word("withscores", "WITHSCORES").optional(),
        ]),
    Row::new("zunionstore", Group::SortedSet, "2.0.0", -4)
        .summary("Unite sorted sets and store the result")
        .complexity("O(N+M*log(M)), N = members of all sets, M = members of the result.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SORTEDSET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("destination", 0),
            integer("numkeys"),
            key("key", 1).multiple(),
            integer("weight").token("WEIGHTS").optional().multiple(),
            oneof("aggregate", &[word("sum", "SUM"), word("min", "MIN"), word("max", "MAX")])
                .token("AGGREGATE")
                .optional(),
        ]),
];
