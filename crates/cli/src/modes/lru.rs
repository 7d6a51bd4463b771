//! `--lru-test`: a cache under load, in which few keys are asked for most of the time.
//!
//! Each round writes a batch of keys and reads a batch; both are drawn so that a fifth of the keys takes four fifths of
//! the requests. A line a second tells how many reads found something: what the server's eviction is worth.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use client::Value;

use super::ask_all;
use crate::failure::{Failure, fatal};
use crate::screen;
use crate::screen::complain;
use crate::session::Session;

const BATCH: usize = 250;
const SECOND: Duration = Duration::from_secs(1);
/// The steepness that gives a fifth of the keys four fifths of the requests.
const EXPONENT: f64 = 6.2;

pub fn run(session: &mut Session, keys: u64) -> Result<(), Failure> {
    let mut random = Random(RandomState::new().hash_one(keys) | 1);
    loop {
        let (mut hits, mut misses) = (0u64, 0u64);
        let begin = Instant::now();
        while begin.elapsed() < SECOND {
            let writes: Vec<_> = (0..BATCH).map(|_| vec![b"SET".to_vec(), random.key(keys), random.value()]).collect();
            ask_all(session, &writes)?;
            let reads: Vec<_> = (0..BATCH).map(|_| vec![b"GET".to_vec(), random.key(keys)]).collect();
            for reply in ask_all(session, &reads)? {
                match reply {
                    Value::Error(text) => complain!("{}", String::from_utf8_lossy(&text)),
                    reply if reply.is_null() => misses += 1,
                    _ => hits += 1,
                }
            }
        }
        let gets = hits + misses;
        if gets == 0 {
            return Err(fatal("No GET was answered during the LRU test"));
        }
        let share = |n: u64| 100.0 * n as f64 / gets as f64;
        screen::print_line(&format!(
            "{gets} Gets/sec | Hits: {hits} ({:.2}%) | Misses: {misses} ({:.2}%)",
            share(hits),
            share(misses)
        ))?;
    }
}

/// A small generator; its numbers only have to look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 up to, but not including, 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    fn key(&mut self, keys: u64) -> Vec<u8> {
        format!("lru:{}", power_law(self.fraction(), keys)).into_bytes()
    }

    fn value(&mut self) -> Vec<u8> {
        (0..5).map(|_| b'A' + (self.next() >> 33) as u8 % (b'z' - b'A')).collect()
    }
}

/// A number from 1 to `most`, small ones by far the likeliest.
fn power_law(fraction: f64, most: u64) -> u64 {
    let end = most as f64 + 1.0;
    let steep = EXPONENT + 1.0;
    let drawn = ((end.powf(steep) - 1.0) * fraction + 1.0).powf(1.0 / steep);
    (end - drawn).floor().clamp(0.0, most as f64 - 1.0) as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_keys_takes_most_requests() {
        let mut random = Random(7);
        let drawn: Vec<u64> = (0..10_000).map(|_| power_law(random.fraction(), 1000)).collect();
        assert!(drawn.iter().all(|n| (1..=1000).contains(n)));
        let few = drawn.iter().filter(|n| **n <= 200).count();
        assert!((7_500..8_500).contains(&few), "{few}");
        assert_eq!(power_law(0.0, 1000), 1000);
        assert_eq!(power_law(0.5, 1), 1);
    }
}
