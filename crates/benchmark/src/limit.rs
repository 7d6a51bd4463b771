//! How fast requests may go out: a token bucket that all threads draw from without a lock.
//!
//! The bucket is one number, the moment up to which requests are paid for. A request moves it forward by its price; a
//! bucket that nobody drew from falls behind the clock by at most one second, which is the burst that is then allowed.
//!
//! ```text
//!   ── now − 1 s ───── paid up to ───── now ── now + SLACK ──►
//!                       └─ price ─►│ allowed while it ends before here
//! ```

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The poller sleeps in whole milliseconds, so what is due within the next one may go now.
const SLACK_NS: u64 = 1_000_000;

/// The longest time whose unused share may be caught up.
const BURST_NS: u64 = 1_000_000_000;

/// Times are nanoseconds since the bucket was made.
#[derive(Debug)]
pub struct Limiter {
    price_ns: u64,
    paid_ns: AtomicU64,
}

impl Limiter {
    pub fn new(requests_per_second: u64) -> Self {
        Limiter { price_ns: BURST_NS / requests_per_second.max(1), paid_ns: AtomicU64::new(0) }
    }

    /// Pays for `requests`; the error is how long to wait before trying again.
    pub fn take(&self, now_ns: u64, requests: u32) -> Result<(), Duration> {
        let price = self.price_ns.saturating_mul(u64::from(requests));
        let mut wait = Duration::ZERO;
        let paid = self.paid_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |paid| {
            let paid = paid.max(now_ns.saturating_sub(BURST_NS)).saturating_add(price);
            if paid > now_ns + SLACK_NS {
                wait = Duration::from_nanos(paid - now_ns - SLACK_NS);
                return None;
            }
            Some(paid)
        });
        paid.map(|_| ()).map_err(|_| wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    /// How many single requests get through when one is tried every `step_ns`.
    fn passed(limiter: &Limiter, from_ns: u64, to_ns: u64, step_ns: u64) -> u64 {
        let mut now = from_ns;
        let mut passed = 0;
        while now < to_ns {
            passed += u64::from(limiter.take(now, 1).is_ok());
            now += step_ns;
        }
        passed
    }

    #[test]
    fn as_many_pass_as_were_asked_for() {
        for rate in [10, 1000, 100_000] {
            let count = passed(&Limiter::new(rate), 0, 2000 * MS, 2000);
            let expect = 2 * rate;
            assert!(count.abs_diff(expect) <= 1 + rate / 1000, "{rate}: {count}");
        }
    }

    #[test]
    fn a_pipeline_pays_for_all_its_requests() {
        let limiter = Limiter::new(1000);
        assert_eq!(limiter.take(0, 100), Err(Duration::from_millis(99)));
        assert_eq!(limiter.take(99 * MS, 100), Ok(()));
        assert!(limiter.take(99 * MS, 1).is_err());
    }

    #[test]
    fn what_was_not_used_is_caught_up_for_one_second_only() {
        let limiter = Limiter::new(1000);
        let now = 3_600_000 * MS;
        let burst = (0..5000).filter(|_| limiter.take(now, 1).is_ok()).count();
        assert_eq!(burst, 1001);
    }
}
