//! Waiting for something to become true.

use std::time::{Duration, Instant};

/// How long an event may take before the test gives up. Long, because it is only ever spent by a test that fails,
/// and a loaded machine is no reason to fail.
pub const PATIENCE: Duration = Duration::from_secs(180);

/// Waits until `condition` holds; panics, naming `what`, when patience ends.
pub fn until(what: impl What, mut condition: impl FnMut() -> bool) {
    until_some(what, || condition().then_some(()));
}

/// Waits until `attempt` gives a value, and returns it.
pub fn until_some<T>(what: impl What, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {}", what.say());
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is waited for: a text, or a function that looks closer once it did not come.
pub trait What {
    fn say(self) -> String;
}

impl What for &str {
    fn say(self) -> String {
        self.to_string()
    }
}

impl What for &String {
    fn say(self) -> String {
        self.clone()
    }
}

impl<F: FnOnce() -> String> What for F {
    fn say(self) -> String {
        self()
    }
}
