//! A failure made small: faults are left out as long as it stays a failure.

use crate::process::Template;
use crate::run::{Orders, Outcome, run};
use crate::scenario::Scenario;

/// Which faults are enough for the failure that these orders lead to, and what then happens. Every run is as long as one of
/// the universe, and there are at most the square of the number of faults.
pub fn shrink(scenario: &Scenario, template: &Template, orders: &Orders, first: Outcome) -> (Vec<usize>, Outcome) {
    let mut keep: Vec<usize> = orders.keep.clone().unwrap_or_else(|| (0..first.faults).collect());
    let mut outcome = first;
    let mut at = 0;
    let mut since = 0;
    while !keep.is_empty() && since < keep.len() {
        at %= keep.len();
        let mut fewer = keep.clone();
        fewer.remove(at);
        let tried = run(scenario, template, &Orders { keep: Some(fewer.clone()), loud: false, ..orders.clone() });
        if tried.violation.is_some() {
            (keep, outcome, since) = (fewer, tried, 0);
        } else {
            at += 1;
            since += 1;
        }
    }
    (keep, outcome)
}
