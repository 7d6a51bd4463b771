//! Fills in what a real server answers.
//!
//! An expectation that holds stays as it was written, holes and all. One that does not hold, or was left empty, is
//! replaced by what the server said. Whether a difference was an error of the page or a discovery is for the reader
//! of the diff to judge.

use crate::run::{Outcome, Runner, same_list};
use crate::spec::{Spec, Step};

/// The page with every expectation true of the runner's server; `None` if nothing changes.
pub fn bless(runner: &mut Runner, spec: &Spec) -> Option<String> {
    let mut lines: Vec<Vec<String>> = spec.text.lines().map(|line| vec![line.to_string()]).collect();
    for chain in spec.chains.iter().filter(|chain| !chain.options.ours_only) {
        let shown = chain.variants()[0];
        let (outcomes, _) = runner.run(chain, shown);
        for (step, outcome) in chain.steps.iter().zip(&outcomes) {
            let (from, to) = (step.expectation.0 - 1, step.expectation.1 - 1);
            if holds(step, outcome) {
                continue;
            }
            let remarks = lines[from..to].iter().flatten().filter(|line| line.starts_with('#')).cloned();
            let kept: Vec<String> = remarks.chain(expectation(step, outcome)).collect();
            for line in &mut lines[from..to] {
                line.clear();
            }
            lines[step.line - 1].extend(kept);
        }
    }
    let mut text: String = lines.into_iter().flatten().flat_map(|line| [line, "\n".to_string()]).collect();
    if !spec.text.ends_with('\n') {
        text.pop();
    }
    (text != spec.text).then_some(text)
}

fn holds(step: &Step, outcome: &Outcome) -> bool {
    outcome.reply_matches && outcome.observed(step).iter().all(|(_, expected, got)| same_list(expected, got))
}

fn expectation(step: &Step, outcome: &Outcome) -> Vec<String> {
    let mut lines: Vec<String> = if outcome.reply_matches {
        step.reply.clone()
    } else {
        outcome.reply.lines().map(|line| line.trim_end().to_string()).collect()
    };
    let Some(seen) = &outcome.seen else { return lines };
    for (word, expected, got) in [("effects", &step.effects, &seen.effects), ("events", &step.events, &seen.events)] {
        let Some(expected) = expected else { continue };
        let list = if same_list(expected, got) { expected } else { got };
        match list.is_empty() {
            true => lines.push(format!("{word}: (none)")),
            false => lines.extend(list.iter().map(|item| format!("{word}: {item}"))),
        }
    }
    lines
}
