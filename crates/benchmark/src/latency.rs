//! Latencies as an HDR histogram, and the views of it that reports show.
//!
//! Recorded in microseconds between 10 µs and 3 s with a number of significant digits; what lies beyond is recorded as
//! the bound. A bucket is reported by the highest value that falls into it, as the peers do, so that figures of both
//! generators can be laid side by side.

use hdrhistogram::Histogram;

/// The bounds of what is told apart, in microseconds.
const LOWEST_US: u64 = 10;
const HIGHEST_US: u64 = 3_000_000;

/// A view by values starts in steps of a tenth of a millisecond and goes on in whole milliseconds from here on.
const FINE_UNTIL_US: u64 = 2000;

/// One bucket and everything below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    pub percent: f64,
    pub ms: f64,
    /// How many were at most as slow.
    pub count: u64,
}

/// What a summary shows, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    pub avg: f64,
    pub min: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

impl Summary {
    /// In the order in which tables show them.
    pub fn columns(&self) -> [(&'static str, f64); 6] {
        let Summary { avg, min, p50, p95, p99, max } = *self;
        [("avg", avg), ("min", min), ("p50", p50), ("p95", p95), ("p99", p99), ("max", max)]
    }
}

#[derive(Clone, Debug)]
pub struct Latencies(Histogram<u64>);

impl Latencies {
    /// `digits` significant decimal digits, at most 5.
    pub fn new(digits: u8) -> Self {
        let histogram = Histogram::new_with_bounds(LOWEST_US, HIGHEST_US, digits.min(5));
        Latencies(histogram.expect("bounds in order and digits within the limit"))
    }

    /// Records that `count` replies took that long.
    #[inline]
    pub fn record(&mut self, us: u64, count: u64) {
        // Cannot fail: the value is within the bounds.
        let _ = self.0.record_n(us.min(HIGHEST_US), count);
    }

    /// Takes in what another thread recorded.
    pub fn add(&mut self, other: &Latencies) {
        // Cannot fail: both have the same bounds.
        let _ = self.0.add(&other.0);
    }

    pub fn summary(&self) -> Summary {
        if self.0.is_empty() {
            return Summary::default();
        }
        let at = |percent: f64| ms(self.0.value_at_percentile(percent));
        Summary {
            avg: self.0.mean() / 1000.0,
            min: ms(self.0.min()),
            p50: at(50.0),
            p95: at(95.0),
            p99: at(99.0),
            max: ms(self.0.max()),
        }
    }

    /// At which latency each half of what is left is reached: 0 %, 50 %, 75 %, 87.5 % …, and 100 %.
    pub fn by_percentile(&self) -> Vec<Step> {
        let buckets = self.buckets();
        let Some(&(highest, total)) = buckets.last() else { return Vec::new() };
        let mut steps = Vec::new();
        let (mut percent, mut left) = (0.0, 100.0);
        for (us, count) in buckets {
            // Half steps that fall into one bucket are one line.
            if percent > 100.0 * count as f64 / total as f64 {
                continue;
            }
            steps.push(Step { percent, ms: ms(us), count });
            while percent <= 100.0 * count as f64 / total as f64 && count < total {
                left /= 2.0;
                percent = 100.0 - left;
            }
        }
        steps.push(Step { percent: 100.0, ms: ms(highest), count: total });
        steps
    }

    /// Which share was at most as slow as 0.1 ms, 0.2 ms, … 2 ms, 3 ms, …; steps that add nothing are left out.
    pub fn by_value(&self) -> Vec<Step> {
        let buckets = self.buckets();
        let Some(&(_, total)) = buckets.last() else { return Vec::new() };
        let mut steps: Vec<Step> = Vec::new();
        let mut level = 100;
        loop {
            let bound = self.0.highest_equivalent(level);
            let below = buckets.partition_point(|&(us, _)| us <= bound);
            let count = below.checked_sub(1).map_or(0, |at| buckets[at].1);
            if steps.last().is_none_or(|step| step.count != count) {
                steps.push(Step { percent: 100.0 * count as f64 / total as f64, ms: ms(bound), count });
            }
            if count == total {
                return steps;
            }
            level += if level > FINE_UNTIL_US { 1000 } else { 100 };
        }
    }

    /// How many were at most as slow as each of these.
    pub fn counts_up_to(&self, bounds_us: &[u64]) -> Vec<u64> {
        let buckets = self.buckets();
        let below = |bound: &u64| buckets.partition_point(|&(us, _)| us <= self.0.highest_equivalent(*bound));
        bounds_us.iter().map(|bound| below(bound).checked_sub(1).map_or(0, |at| buckets[at].1)).collect()
    }

    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// Every bucket that is not empty: its highest value, and how many are in it or below.
    fn buckets(&self) -> Vec<(u64, u64)> {
        let mut count = 0;
        let recorded = self.0.iter_recorded();
        recorded
            .map(|bucket| {
                count += bucket.count_at_value();
                (self.0.highest_equivalent(bucket.value_iterated_to()), count)
            })
            .collect()
    }
}

fn ms(us: u64) -> f64 {
    us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[(u64, u64)]) -> Latencies {
        let mut latencies = Latencies::new(3);
        values.iter().for_each(|&(us, count)| latencies.record(us, count));
        latencies
    }

    #[test]
    fn each_line_halves_what_is_left() {
        let latencies = of(&[(331, 4), (1197, 1000), (1890, 496), (3475, 252), (12_800, 248)]);
        let steps: Vec<(f64, f64, u64)> =
            latencies.by_percentile().iter().map(|step| (step.percent, step.ms, step.count)).collect();
        assert_eq!(
            steps,
            [
                (0.0, 0.335, 4),
                (50.0, 1.199, 1004),
                (75.0, 1.895, 1500),
                (87.5, 3.479, 1752),
                (93.75, 12.807, 2000),
                (100.0, 12.807, 2000)
            ]
        );
    }

    #[test]
    fn values_go_in_tenths_and_then_in_whole_milliseconds() {
        let latencies = of(&[(331, 50), (1950, 25), (2090, 15), (4000, 9), (6500, 1)]);
        let steps: Vec<(f64, f64, u64)> =
            latencies.by_value().iter().map(|step| (step.percent, step.ms, step.count)).collect();
        assert_eq!(
            steps,
            [
                (0.0, 0.103, 0),
                (50.0, 0.407, 50),
                (75.0, 2.007, 75),
                (90.0, 2.103, 90),
                (99.0, 4.103, 99),
                (100.0, 7.103, 100)
            ]
        );
    }

    #[test]
    fn a_summary_is_of_what_was_recorded() {
        let mut latencies = of(&[(100, 90), (1000, 9)]);
        latencies.add(&of(&[(9_000_000, 1)]));
        let summary = latencies.summary();
        assert_eq!((summary.min, summary.p50, summary.p95, summary.p99), (0.096, 0.103, 1.007, 1.007));
        assert!((3.0..3001.0).contains(&summary.max) && summary.avg > 30.0, "{summary:?}");
        let nothing = Latencies::new(3);
        assert_eq!(nothing.summary(), Summary::default());
        assert!(nothing.by_value().is_empty() && nothing.by_percentile().is_empty());
    }
}
