//! The time.
//!
//! Two clocks for two uses. [`monotonic_us`] measures durations and never steps. [`unix_us`] is the wall clock as it is; the
//! engine makes of it a `now` that never goes back between units (`engine::Engine::now`).

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch.
pub fn unix_us() -> i64 {
    // A clock before 1970 reads as the epoch itself.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}

/// Milliseconds since the Unix epoch.
pub fn unix_ms() -> i64 {
    unix_us() / 1000
}

/// Microseconds since some moment at the start of the process; never steps.
pub fn monotonic_us() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_monotonic_clock_moves_on() {
        let a = monotonic_us();
        let b = monotonic_us();
        assert!(b >= a);
        assert!(unix_us() > 1_600_000_000_000_000);
    }
}
