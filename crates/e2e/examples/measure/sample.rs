//! Many durations, and what is said of them.

use std::time::Duration;

/// Durations, shortest first.
pub struct Sample(Vec<Duration>);

impl Sample {
    pub fn of(mut durations: Vec<Duration>) -> Sample {
        assert!(!durations.is_empty(), "nothing has been measured");
        durations.sort();
        Sample(durations)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The duration that this share of all do not exceed.
    pub fn share(&self, share: f64) -> Duration {
        let at = (self.0.len() as f64 * share).ceil() as usize;
        self.0[at.clamp(1, self.0.len()) - 1]
    }

    pub fn least(&self) -> Duration {
        self.0[0]
    }

    pub fn median(&self) -> Duration {
        self.share(0.5)
    }

    pub fn most(&self) -> Duration {
        self.0[self.0.len() - 1]
    }
}

pub fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

pub fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
