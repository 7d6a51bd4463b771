//! Latency: what is measured and how it is reported.

use super::LONG_MAX;
use crate::kind::{YES_NO, int, percentiles};

section! {
    /// Latency figures.
    Latency in latency;

    /// Keep a histogram per command.
    tracking: bool = true => "latency-tracking", YES_NO, accepted NO_LATENCY;
    /// Percentiles shown by `INFO latencystats`.
    tracking_info_percentiles: Vec<f64> = vec![50.0, 99.0, 99.9] => "latency-tracking-info-percentiles", percentiles(),
        accepted NO_LATENCY;
    /// Milliseconds from which on an event is remembered by `LATENCY`; 0 none is.
    monitor_threshold: u64 = 0 => "latency-monitor-threshold", int(0, LONG_MAX), accepted NO_LATENCY;
}

const NO_LATENCY: &str = "Latency is not recorded yet.";
