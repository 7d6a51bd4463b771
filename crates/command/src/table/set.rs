//! Sets.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{integer, key, pattern, string};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("sadd", Group::Set, "1.0.0", -3)
        .summary("Add members to a set")
        .complexity("O(N), N = elements added.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("member").multiple()])
        .history(&[("2.4.0", "Takes several members.")]),
    Row::new("scard", Group::Set, "1.0.0", 2)
        .summary("Count the members of a set")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0)]),
    Row::new("sdiff", Group::Set, "1.0.0", -2)
        .summary("Subtract sets from the first")
        .complexity("O(N), N = members of all sets.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0).multiple()])
        .tips(&["nondeterministic_output_order"]),
    Row::new("sdiffstore", Group::Set, "1.0.0", -3)
        .summary("Subtract sets from the first and store what is left")
        .complexity("O(N), N = members of all sets.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("destination", 0), key("key", 1).multiple()]),
    Row::new("sinter", Group::Set, "1.0.0", -2)
        .summary("Intersect sets")
        .complexity("At worst O(N*M), N = members of the smallest set, M = number of sets.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0).multiple()])
        .tips(&["nondeterministic_output_order"]),
    Row::new("sintercard", Group::Set, "7.0.0", -3)
        .summary("Count the members that sets have in common")
        .complexity("At worst O(N*M), N = members of the smallest set, M = number of sets.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[integer("numkeys"), key("key", 0).multiple(), integer("limit").token("LIMIT").optional()]),
    Row::new("sinterstore", Group::Set, "1.0.0", -3)
        .summary("Intersect sets and store the result")
        .complexity("At worst O(N*M), N = members of the smallest set, M = number of sets.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("destination", 0), key("key", 1).multiple()]),
    Row::new("sismember", Group::Set, "1.0.0", 3)
        .summary("Tell whether a member is in a set")
        .complexity("O(1)")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RO])])
        .args(&[key("key", 0), string("member")]),
    Row::new("smembers", Group::Set, "1.0.0", 2)
        .summary("List the members of a set")
        .complexity("O(N), N = set cardinality.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0)])
        .tips(&["nondeterministic_output_order"]),
    Row::new("smismember", Group::Set, "6.2.0", -3)
        .summary("Tell which members are in a set")
        .complexity("O(N), N = elements being checked for membership.")
        .flags(&[F::READONLY, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), string("member").multiple()]),
    Row::new("smove", Group::Set, "1.0.0", 4)
        .summary("Move a member to another set")
        .complexity("O(1)")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE]), KeySpec::at(2).flags(&[K::RW, K::INSERT])])
        .args(&[key("source", 0), key("destination", 1), string("member")]),
    Row::new("spop", Group::Set, "1.0.0", -2)
        .summary("Take members out of a set at random")
        .complexity("O(1), or O(N) with a count of N.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::DELETE])])
        .args(&[key("key", 0), integer("count").optional().since("3.2.0")])
        .tips(&["nondeterministic_output"])
        .history(&[("3.2.0", "New: `count` argument.")]),
    Row::new("srandmember", Group::Set, "1.0.0", -2)
        .summary("Pick members of a set at random")
        .complexity("O(1), or O(N) with a count of N or -N.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0), integer("count").optional().since("2.6.0")])
        .tips(&["nondeterministic_output"])
        .history(&[("2.6.0", "New: optional `count` argument.")]),
    Row::new("srem", Group::Set, "1.0.0", -3)
        .summary("Remove members from a set")
        .complexity("O(N), N = members to be removed.")
        .flags(&[F::WRITE, F::FAST])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::DELETE])])
        .args(&[key("key", 0), string("member").multiple()])
        .history(&[("2.4.0", "Takes several members.")]),
    Row::new("sscan", Group::Set, "2.8.0", -3)
        .summary("Walk over the members of a set")
        .complexity("O(1) per call, O(N) for a whole walk, N = elements of the collection.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").token("MATCH").optional(),
            integer("count").token("COUNT").optional(),
        ])
        .tips(&["nondeterministic_output"]),
    Row::new("sunion", Group::Set, "1.0.0", -2)
        .summary("Unite sets")
        .complexity("O(N), N = members of all sets.")
        .flags(&[F::READONLY])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("key", 0).multiple()])
        .tips(&["nondeterministic_output_order"]),
    Row::new("sunionstore", Group::Set, "1.0.0", -3)
        .summary("Unite sets and store the result")
        .complexity("O(N), N = members of all sets.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::SET])
        .keys(&[KeySpec::at(1).flags(&[K::OW, K::UPDATE]), KeySpec::at(2).range(-1, 1, 0).flags(&[K::RO, K::ACCESS])])
        .args(&[key("destination", 0), key("key", 1).multiple()]),
];
