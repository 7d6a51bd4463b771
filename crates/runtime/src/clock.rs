//! The time.
//!
//! Three clocks for three uses. [`monotonic_us`] measures durations and never steps. [`unix_us`] is the wall clock as it is.
//! [`stamp_ms`] is the `now` of a unit of execution: one process-wide cell `max(clock, last)`, so that a unit that runs
//! after another never sees an earlier time, whichever threads they ran on (else one thread would find a key expired that
//! another, later, finds alive).
//!
//! A wall clock that is set back by more than a second is followed, because the alternative is a server whose time stands
//! still for as long as the clock was wrong; the step is kept for whoever logs it ([`take_step_back`]). Smaller steps are
//! waited out.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// A step back of the wall clock of at most so many milliseconds is waited out.
pub const TOLERATED_STEP_MS: i64 = 1_000;

static LAST: Cell = Cell::new();

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

/// Milliseconds since the Unix epoch, not earlier than any time that was given out before. To be read once per unit, after
/// its locks are held.
pub fn stamp_ms() -> i64 {
    LAST.advance(unix_ms)
}

/// By how many milliseconds [`stamp_ms`] has followed the wall clock back since this was last asked; 0 if it has not.
pub fn take_step_back() -> i64 {
    LAST.stepped.swap(0, Ordering::Relaxed)
}

/// The cell behind [`stamp_ms`].
struct Cell {
    last: AtomicI64,
    stepped: AtomicI64,
}

impl Cell {
    const fn new() -> Self {
        Cell { last: AtomicI64::new(i64::MIN), stepped: AtomicI64::new(0) }
    }

    fn advance(&self, clock: impl Fn() -> i64) -> i64 {
        let mut last = self.last.load(Ordering::Acquire);
        let mut now = clock();
        let mut looked_again = false;
        loop {
            if now == last {
                return now;
            }
            if now < last {
                if last.saturating_sub(now) <= TOLERATED_STEP_MS {
                    return last;
                }
                // A thread that was held up between reading the clock and getting here has an old time, too.
                if !looked_again {
                    looked_again = true;
                    now = clock();
                    last = self.last.load(Ordering::Acquire);
                    continue;
                }
            }
            match self.last.compare_exchange_weak(last, now, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    if now < last {
                        self.stepped.fetch_add(last - now, Ordering::Relaxed);
                    }
                    return now;
                }
                Err(seen) => last = seen,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_steps_back_are_waited_out_and_large_ones_followed() {
        let cell = Cell::new();
        assert_eq!(cell.advance(|| 10_000), 10_000);
        assert_eq!(cell.advance(|| 9_500), 10_000);
        assert_eq!(cell.advance(|| 9_000), 10_000);
        assert_eq!(cell.advance(|| 10_001), 10_001);
        assert_eq!(cell.stepped.load(Ordering::Relaxed), 0);
        assert_eq!(cell.advance(|| 9_000), 9_000);
        assert_eq!(cell.stepped.load(Ordering::Relaxed), 1_001);
        assert_eq!(cell.advance(|| 9_001), 9_001);
    }

    #[test]
    fn a_reading_that_has_grown_old_is_no_step_back() {
        let cell = Cell::new();
        cell.advance(|| 10_000);
        let readings = std::cell::Cell::new(0);
        let clock = || {
            readings.set(readings.get() + 1);
            if readings.get() == 1 { 5_000 } else { 10_002 }
        };
        assert_eq!(cell.advance(clock), 10_002);
        assert_eq!(cell.stepped.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn stamps_never_go_back_on_any_thread() {
        let cell = Cell::new();
        // A clock that moves on and jumps to and fro, all of it within what is tolerated.
        let ticks = AtomicI64::new(0);
        let newest = AtomicI64::new(0);
        std::thread::scope(|s| {
            for n in 0..4 {
                let (cell, ticks, newest) = (&cell, &ticks, &newest);
                s.spawn(move || {
                    for i in 0..20_000 {
                        let jitter = (i * 7 + n * 311) % 600;
                        let before = newest.load(Ordering::SeqCst);
                        let got = cell.advance(|| ticks.fetch_add(1, Ordering::SeqCst) / 250 + 5_000 - jitter);
                        assert!(got >= before, "{got} after {before}");
                        newest.fetch_max(got, Ordering::SeqCst);
                    }
                });
            }
        });
    }

    #[test]
    fn the_monotonic_clock_moves_on() {
        let a = monotonic_us();
        let b = monotonic_us();
        assert!(b >= a);
        assert!(unix_us() > 1_600_000_000_000_000);
        assert!(stamp_ms() >= unix_ms() - TOLERATED_STEP_MS);
    }
}
