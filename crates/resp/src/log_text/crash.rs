//! The report of a crash.

pub const START: &str = "=== REDIS BUG REPORT START: Cut & paste starting from here ===";
pub const END: &str = "=== REDIS BUG REPORT END. ===";

/// `number` is the signal's.
pub fn by_signal(version: &str, number: i32) -> String {
    format!("Rubellite {version} crashed by signal: {number}")
}
