//! Placeholders in a request: found once, filled in place before each send.
//!
//! ```text
//!   $16\r\nkey:__rand_int__\r\n        ten names, each twelve bytes: `__rand_int__`, `__rand_1st__` … `__rand_9th__`
//!          key:000000004711            a number of twelve digits has the same length, so no header changes
//! ```
//!
//! Each occurrence of `__rand_int__` gets a number of its own. All occurrences of one of the others in one sequence of
//! commands get the same number.

use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memmem;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

/// How many kinds there are.
pub const KINDS: usize = 10;

/// The bytes of each name, and the digits of each number.
const WIDTH: usize = 12;

const NAMES: [&[u8; WIDTH]; KINDS] = [
    b"__rand_int__",
    b"__rand_1st__",
    b"__rand_2nd__",
    b"__rand_3rd__",
    b"__rand_4th__",
    b"__rand_5th__",
    b"__rand_6th__",
    b"__rand_7th__",
    b"__rand_8th__",
    b"__rand_9th__",
];

/// Where they stand in one sequence of commands.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Placeholders {
    /// The length of the sequence.
    sequence: usize,
    independent: Vec<usize>,
    /// Kind and places of those that share their number.
    shared: Vec<(usize, Vec<usize>)>,
}

impl Placeholders {
    pub fn find(sequence: &[u8]) -> Self {
        let places = |name: &[u8]| -> Vec<usize> { memmem::find_iter(sequence, name).collect() };
        let shared = NAMES.iter().enumerate().skip(1).map(|(kind, name)| (kind, places(&name[..])));
        Placeholders {
            sequence: sequence.len(),
            independent: places(&NAMES[0][..]),
            shared: shared.filter(|(_, places)| !places.is_empty()).collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.independent.is_empty() && self.shared.is_empty()
    }

    /// Puts numbers into a request that holds the sequence several times.
    pub fn fill(&self, request: &mut [u8], numbers: &mut Numbers<'_>) {
        for sequence in request.chunks_exact_mut(self.sequence) {
            for &place in &self.independent {
                write(&mut sequence[place..place + WIDTH], numbers.next(0));
            }
            for (kind, places) in &self.shared {
                let number = numbers.next(*kind);
                for &place in places {
                    write(&mut sequence[place..place + WIDTH], number);
                }
            }
        }
    }
}

/// Writes the last twelve digits of a number, two at a time.
fn write(place: &mut [u8], mut number: u64) {
    for pair in place.rchunks_exact_mut(2) {
        let digits = (number % 100) as u8;
        number /= 100;
        pair[0] = b'0' + digits / 10;
        pair[1] = b'0' + digits % 10;
    }
}

/// Where the next numbers of an orderly key space come from; all threads count together.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; KINDS]);

/// One thread's source of numbers below the size of the key space.
pub struct Numbers<'a> {
    space: u64,
    chance: SmallRng,
    counters: Option<&'a Counters>,
}

impl<'a> Numbers<'a> {
    /// By chance, or, with counters, one after the other. A space of zero holds the number zero only.
    pub fn new(space: u64, seed: u64, counters: Option<&'a Counters>) -> Self {
        Numbers { space: space.max(1), chance: SmallRng::seed_from_u64(seed), counters }
    }

    fn next(&mut self, kind: usize) -> u64 {
        match self.counters {
            Some(counters) => counters.0[kind].fetch_add(1, Ordering::Relaxed) % self.space,
            None => self.chance.random_range(0..self.space),
        }
    }

    /// A number below `end`, which is not zero, by chance in any case.
    pub fn choose(&mut self, end: usize) -> usize {
        self.chance.random_range(0..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(sequence: &str, times: usize, numbers: &mut Numbers<'_>) -> Vec<String> {
        let mut request = sequence.repeat(times).into_bytes();
        Placeholders::find(sequence.as_bytes()).fill(&mut request, numbers);
        request.chunks(sequence.len()).map(|part| String::from_utf8(part.to_vec()).unwrap()).collect()
    }

    #[test]
    fn independent_ones_differ_and_shared_ones_agree() {
        let counters = Counters::default();
        let mut numbers = Numbers::new(1000, 0, Some(&counters));
        assert_eq!(
            filled("a__rand_int__ b__rand_int__ c__rand_1st__ d__rand_1st__ e__rand_9th__", 2, &mut numbers),
            [
                "a000000000000 b000000000001 c000000000000 d000000000000 e000000000000",
                "a000000000002 b000000000003 c000000000001 d000000000001 e000000000001",
            ]
        );
    }

    #[test]
    fn an_orderly_space_is_gone_through_in_circles() {
        let counters = Counters::default();
        let mut numbers = Numbers::new(3, 0, Some(&counters));
        let all = filled("__rand_int__", 5, &mut numbers);
        assert_eq!(all, [0, 1, 2, 0, 1].map(|n| format!("{n:012}")));
    }

    #[test]
    fn chance_stays_in_its_space_and_repeats_for_a_seed() {
        let draw = |seed| filled("k__rand_int__", 500, &mut Numbers::new(50, seed, None));
        let all = draw(7);
        let numbers: Vec<u64> = all.iter().map(|text| text[1..].parse().unwrap()).collect();
        assert!(numbers.iter().all(|&n| n < 50) && numbers.contains(&0) && numbers.contains(&49));
        assert_eq!(all, draw(7));
        assert_ne!(all, draw(8));
        assert_eq!(filled("__rand_int__", 1, &mut Numbers::new(0, 7, None)), ["000000000000"]);
    }

    #[test]
    fn twelve_digits_and_nothing_else() {
        let mut place = *b"xxxxxxxxxxxx";
        write(&mut place, 987_654_321_012);
        assert_eq!(&place, b"987654321012");
        assert!(Placeholders::find(b"__rand_0th__ __rand_in__").is_empty());
    }
}
