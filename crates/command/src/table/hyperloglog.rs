//! HyperLogLogs.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{key, string};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("pfadd", Group::Hyperloglog, "2.8.9", -2)
        .summary("Let a HyperLogLog see some elements")
        .complexity("O(N), N = elements added.")
        .flags(&[F::WRITE, F::DENYOOM, F::FAST])
        .categories(&[C::HYPERLOGLOG])
        .keys(&[KeySpec::at(1).flags(&[K::RW, K::INSERT])])
        .args(&[key("key", 0), string("element").optional().multiple()]),
    Row::new("pfcount", Group::Hyperloglog, "2.8.9", -2)
        .summary("Estimate how many different elements HyperLogLogs have seen")
        .complexity("O(1) for one key, O(N) for N keys with a much larger constant.")
        .flags(&[F::READONLY, F::MAY_REPLICATE])
        .categories(&[C::HYPERLOGLOG])
        .keys(&[KeySpec::at(1)
            .range(-1, 1, 0)
            .flags(&[K::RW, K::ACCESS])
            .notes("May cache the result in the value and propagate that, hence RW")])
        .args(&[key("key", 0).multiple()]),
    Row::new("pfdebug", Group::Hyperloglog, "2.8.9", 3)
        .summary("Look inside a HyperLogLog")
        .complexity("Not applicable.")
        .flags(&[F::WRITE, F::DENYOOM, F::ADMIN])
        .categories(&[C::HYPERLOGLOG])
        .keys(&[KeySpec::at(2).flags(&[K::RW, K::ACCESS])])
        .args(&[string("subcommand"), key("key", 0)])
        .syscmd(),
    Row::new("pfmerge", Group::Hyperloglog, "2.8.9", -2)
        .summary("Merge HyperLogLogs into one")
        .complexity("O(N) with a large constant, N = HyperLogLogs merged.")
        .flags(&[F::WRITE, F::DENYOOM])
        .categories(&[C::HYPERLOGLOG])
        .keys(&[
            KeySpec::at(1).flags(&[K::RW, K::ACCESS, K::INSERT]),
            KeySpec::at(2).range(-1, 1, 0).flags(&[K::RO, K::ACCESS]),
        ])
        .args(&[key("destkey", 0), key("sourcekey", 1).optional().multiple()]),
    Row::new("pfselftest", Group::Hyperloglog, "2.8.9", 1)
        .summary("Test the HyperLogLog code of this server")
        .complexity("Not applicable.")
        .flags(&[F::ADMIN])
        .categories(&[C::HYPERLOGLOG])
        .syscmd(),
];
