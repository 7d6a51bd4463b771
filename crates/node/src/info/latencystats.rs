//! `# Latencystats`: percentiles of each command's time, where latency is tracked. No latency is recorded yet.

use super::Page;

pub(super) fn write(_: &mut Page<'_>) {}
