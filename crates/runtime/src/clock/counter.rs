//! How is a command of half a microsecond measured without costing a tenth more?
//!
//! By the processor's own counter: reading it takes some eight nanoseconds, asking the system some thirty. How fast it runs
//! is found out while the server serves, by looking at both clocks twice, a second apart; until then, and where the kernel
//! itself does not trust the counter, the system is asked.

use std::sync::OnceLock;
use std::time::Instant;

use parking_lot::Mutex;

/// How far apart the two looks are at least: an error of a microsecond in them is then one in a million.
const APART_NS: u64 = 1_000_000_000;

/// Within so many ticks both clocks are read when nothing comes between: some microseconds.
const CLOSE_TICKS: u64 = 10_000;

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug)]
struct Look {
    ticks: u64,
    nanos: u64,
}

/// What is known of the counter: nanoseconds for a tick, in units of 2^-32.
#[derive(Debug)]
struct Rate {
    since: Look,
    nanos_per_tick: u64,
}

static START: OnceLock<Instant> = OnceLock::new();
static FIRST: Mutex<Option<Look>> = Mutex::new(None);
static RATE: OnceLock<Rate> = OnceLock::new();

/// Nanoseconds since some moment at the start of the process.
pub(super) fn nanos() -> u64 {
    match RATE.get() {
        Some(rate) => rate.nanos_at(ticks()),
        None => by_the_system(),
    }
}

/// Looks at both clocks, and knows the rate when that was done a second ago, too.
pub(super) fn tune() {
    if RATE.get().is_some() || !is_trusted() {
        return;
    }
    let now = Look { ticks: ticks(), nanos: by_the_system() };
    if ticks().saturating_sub(now.ticks) > CLOSE_TICKS {
        // The thread was put aside between the two clocks: they do not show the same moment.
        return;
    }
    let mut first = FIRST.lock();
    match *first {
        None => *first = Some(now),
        Some(then) if now.nanos.saturating_sub(then.nanos) >= APART_NS => {
            if let Some(rate) = Rate::between(then, now) {
                RATE.get_or_init(|| rate);
            }
        }
        Some(_) => {}
    }
}

impl Rate {
    fn between(then: Look, now: Look) -> Option<Rate> {
        let ticks = now.ticks.checked_sub(then.ticks).filter(|ticks| *ticks > 0)?;
        let nanos = u128::from(now.nanos - then.nanos) << 32;
        let nanos_per_tick = u64::try_from(nanos / u128::from(ticks)).ok().filter(|rate| *rate > 0)?;
        Some(Rate { since: now, nanos_per_tick })
    }

    /// Another core's counter may be a few ticks behind: time stands still rather than going back.
    fn nanos_at(&self, ticks: u64) -> u64 {
        let passed = u128::from(ticks.saturating_sub(self.since.ticks)) * u128::from(self.nanos_per_tick);
        self.since.nanos + (passed >> 32) as u64
    }
}

fn by_the_system() -> u64 {
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

#[cfg(target_arch = "x86_64")]
fn ticks() -> u64 {
    // SAFETY: every processor of this architecture has the counter, and Linux lets programs read it.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    0
}

/// Whether the counter runs evenly on all cores: the kernel would not keep time by it otherwise.
fn is_trusted() -> bool {
    static TRUSTED: OnceLock<bool> = OnceLock::new();
    *TRUSTED.get_or_init(|| {
        let source = std::fs::read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource");
        cfg!(target_arch = "x86_64") && source.is_ok_and(|name| name.trim() == "tsc")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_what_two_looks_say() {
        let then = Look { ticks: 1_000, nanos: 50 };
        let now = Look { ticks: 1_000 + 3_000_000_000, nanos: 50 + 1_000_000_000 };
        let rate = Rate::between(then, now).expect("a rate");
        assert_eq!(rate.nanos_at(now.ticks), now.nanos);
        let a_day = 86_400 * 3_000_000_000;
        let error = rate.nanos_at(now.ticks + a_day) - now.nanos;
        assert!(error.abs_diff(86_400 * 1_000_000_000) < 100_000, "{error}");
        assert_eq!(rate.nanos_at(now.ticks - 5), now.nanos, "it does not go back");
    }

    #[test]
    fn a_counter_that_stands_still_is_not_used() {
        let then = Look { ticks: 7, nanos: 0 };
        assert!(Rate::between(then, Look { ticks: 7, nanos: APART_NS }).is_none());
        assert!(Rate::between(then, Look { ticks: 3, nanos: APART_NS }).is_none());
    }
}
