//! The time.
//!
//! Two clocks for two uses. [`monotonic_ns`] measures durations and never steps. [`unix_us`] is the wall clock as it is; the
//! engine makes of it a `now` that never goes back between units (`engine::Engine::now`).

mod counter;

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since the Unix epoch.
pub fn unix_us() -> i64 {
    // A clock before 1970 reads as the epoch itself.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}

/// Milliseconds since the Unix epoch.
pub fn unix_ms() -> i64 {
    unix_us() / 1000
}

/// Nanoseconds since some moment at the start of the process; never steps. Every command is measured by it.
pub fn monotonic_ns() -> u64 {
    counter::nanos()
}

/// The same in microseconds.
pub fn monotonic_us() -> u64 {
    monotonic_ns() / 1000
}

/// To be called now and then: makes [`monotonic_ns`] cheaper when it has been called for a second.
pub fn tune() {
    counter::tune();
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
