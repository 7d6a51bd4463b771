//! Transactions.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::key;
use crate::row::{Categories as C, Flags as F, Group, Row};
use crate::traits::Traits;

pub static ROWS: &[Row] = &[
    Row::new("discard", Group::Transactions, "2.0.0", 1)
        .summary("Give up a transaction")
        .complexity("O(N), N = queued commands.")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::ALLOW_BUSY])
        .categories(&[C::TRANSACTION]),
    Row::new("exec", Group::Transactions, "1.2.0", 1)
        .summary("Run a transaction")
        .complexity("As the queued commands.")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SKIP_COMMANDLOG])
        .traits(Traits::RUNS_QUEUE)
        .categories(&[C::TRANSACTION]),
    Row::new("multi", Group::Transactions, "1.2.0", 1)
        .summary("Begin a transaction")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_MULTI, F::ALLOW_BUSY])
        .categories(&[C::TRANSACTION]),
    Row::new("unwatch", Group::Transactions, "2.2.0", 1)
        .summary("Forget all watched keys")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::ALLOW_BUSY])
        .categories(&[C::TRANSACTION]),
    Row::new("watch", Group::Transactions, "2.2.0", -2)
        .summary("Let the next transaction fail if one of the keys changes before")
        .complexity("O(N), N = keys given.")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_MULTI, F::ALLOW_BUSY])
        .categories(&[C::TRANSACTION])
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::RO])])
        .args(&[key("key", 0).multiple()]),
];
