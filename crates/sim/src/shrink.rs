//! A failure made small: faults are left out as long as it stays a failure.

use crate::process::Template;
use crate::run::{Orders, Outcome, run};
use crate::scenario::Scenario;

/// Which faults are enough for the failure that these orders lead to, and what then happens. Every run is as long as one of
/// the universe, and there are at most the square of the number of faults.
pub fn shrink(scenario: &Scenario, template: &Template, orders: &Orders, first: Outcome) -> (Vec<usize>, Outcome) {
    let mut keep: Vec<usize> = orders.keep.clone().unwrap_or_else(|| (0..first.faults).collect());
    let wanted = kind(&first);
    let mut outcome = first;
    let mut at = 0;
    let mut since = 0;
    while !keep.is_empty() && since < keep.len() {
        at %= keep.len();
        let mut fewer = keep.clone();
        fewer.remove(at);
        let tried = run(scenario, template, &Orders { keep: Some(fewer.clone()), loud: false, ..orders.clone() });
        if kind(&tried) == wanted {
            (keep, outcome, since) = (fewer, tried, 0);
        } else {
            at += 1;
            since += 1;
        }
    }
    (keep, outcome)
}

/// What a violation says, without its names and numbers: a smaller failure must be the same failure.
fn kind(outcome: &Outcome) -> Option<String> {
    let what = &outcome.violation.as_ref()?.what;
    let words = what.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| word.len() > 2);
    Some(words.take(5).collect::<Vec<_>>().join(" "))
}
