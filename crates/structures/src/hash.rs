//! The hash of every key, member and field.
//!
//! One function for the whole process, so that a hash that was computed once (when a command was parsed) can be handed to any
//! table. It is aHash with secret seeds: fast on short keys, and without the seeds nobody can prepare keys that collide.
//!
//! 1. Every one of the 64 bits is well mixed: tables take the *top* bits, so whoever distributes keys over tables by hash
//!    takes the low ones.
//! 2. The seeds change only before the first table exists: a hash in use never goes stale.
//!
//! Redis and Valkey use SipHash-1-2 with the same duty; the value never leaves the process, so the choice is free.

use ahash::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The seeds in use; these first values serve tests and tools, a server replaces them at start.
static SEEDS: [AtomicU64; 4] = [
    AtomicU64::new(0x243f_6a88_85a3_08d3),
    AtomicU64::new(0x1319_8a2e_0370_7344),
    AtomicU64::new(0xa409_3822_299f_31d0),
    AtomicU64::new(0x082e_fa98_ec4e_6c89),
];

/// Sets the seeds of the process. To be called once, before the first table is made.
pub fn seed(a: u64, b: u64) {
    let mut state = a;
    for (index, seed) in SEEDS.iter().enumerate() {
        if index == 2 {
            state ^= b;
        }
        // SplitMix64: four unrelated words from two.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        seed.store(word ^ (word >> 31), Relaxed);
    }
}

/// The hash of `key` under the seeds of the process.
#[inline]
pub fn hash(key: &[u8]) -> u64 {
    let mut hasher = State.build_hasher();
    hasher.write(key);
    hasher.finish()
}

/// The same hash for the maps of the standard library that hold what clients name.
#[derive(Clone, Copy, Default, Debug)]
pub struct State;

impl BuildHasher for State {
    type Hasher = ahash::AHasher;

    fn build_hasher(&self) -> Self::Hasher {
        let [a, b, c, d] = &SEEDS;
        RandomState::with_seeds(a.load(Relaxed), b.load(Relaxed), c.load(Relaxed), d.load(Relaxed)).build_hasher()
    }
}

/// A map whose keys come from clients.
pub type Map<K, V> = std::collections::HashMap<K, V, State>;

/// A set whose members come from clients.
pub type Set<K> = std::collections::HashSet<K, State>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_takes_part() {
        let keys = 4096u32;
        let mut ones = [0u32; 64];
        for key in 0..keys {
            let hash = hash(&key.to_le_bytes());
            for (bit, count) in ones.iter_mut().enumerate() {
                *count += (hash >> bit & 1) as u32;
            }
        }
        for count in ones {
            assert!((keys * 45 / 100..keys * 55 / 100).contains(&count), "a bit is set in {count} of {keys} hashes");
        }
    }

    #[test]
    fn length_matters() {
        let zeros = [0u8; 40];
        let mut seen = std::collections::HashSet::new();
        for length in 0..zeros.len() {
            assert!(seen.insert(hash(&zeros[..length])));
        }
    }
}
