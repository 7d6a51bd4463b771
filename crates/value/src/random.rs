//! Random choices, from a source of random words that the caller gives.

/// A number below `n`, which is not 0.
pub(crate) fn below(rng: &mut dyn FnMut() -> u64, n: usize) -> usize {
    ((u128::from(rng()) * n as u128) >> 64) as usize
}

/// Chooses `count` of `total` things that pass by one after the other; every choice of that size is equally likely.
pub(crate) struct Selection {
    left: usize,
    wanted: usize,
}

impl Selection {
    pub(crate) fn new(total: usize, count: usize) -> Self {
        Self { left: total, wanted: count.min(total) }
    }

    /// Whether the next thing is chosen.
    pub(crate) fn next(&mut self, rng: &mut dyn FnMut() -> u64) -> bool {
        let chosen = self.wanted > 0 && below(rng, self.left) < self.wanted;
        self.left -= 1;
        self.wanted -= usize::from(chosen);
        chosen
    }

    pub(crate) fn is_done(&self) -> bool {
        self.wanted == 0
    }
}

#[cfg(test)]
pub(crate) fn test_rng(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_equally_likely() {
        let mut rng = test_rng(7);
        let mut seen = [0; 8];
        for _ in 0..6000 {
            let mut selection = Selection::new(4, 2);
            let mut mask = 0;
            for i in 0..4 {
                mask |= usize::from(selection.next(&mut rng)) << i;
            }
            assert_eq!(mask.count_ones(), 2);
            seen[mask >> 1] += 1;
        }
        // Of the six pairs each is drawn about a thousand times.
        assert!(seen.iter().filter(|n| **n > 0).all(|n| (800..1200).contains(n)), "{seen:?}");
    }
}
