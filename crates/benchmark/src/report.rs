//! What is told about a test: in full, in a line, as CSV, as JSON, or, to a terminal, with a chart.

mod chart;
mod json;
mod text;

use crate::Failure;
use crate::options::Format;
use crate::plan::Plan;
use crate::run::Outcome;
use crate::screen::Screen;
use crate::target::Settings;

pub use chart::comparison;

/// What stands before the first result.
pub const CSV_HEADER: &str = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\"p95_latency_ms\",\
\"p99_latency_ms\",\"max_latency_ms\"\n";

/// Prints the result of a test in the format of the options.
pub fn print(
    plan: &Plan<'_>,
    outcome: &Outcome,
    settings: Option<&Settings>,
    screen: &mut Screen,
) -> Result<(), Failure> {
    let text = match plan.options.format {
        Format::Csv => csv(plan, outcome),
        Format::Json => json::object(plan, outcome),
        Format::Quiet => format!("{}{}", screen.clean(), text::line(plan, outcome)),
        Format::Full if screen.is_terminal => {
            let chart = chart::latencies(&outcome.latencies, screen.columns);
            format!("{}{}{chart}\n{}", screen.clean(), text::head(plan, outcome, settings), text::summary(outcome))
        }
        Format::Full => {
            let distributions = text::distributions(&outcome.latencies);
            format!(
                "{}{}{distributions}{}",
                screen.clean(),
                text::head(plan, outcome, settings),
                text::summary(outcome)
            )
        }
    };
    screen.print(text)
}

fn csv(plan: &Plan<'_>, outcome: &Outcome) -> String {
    let columns = outcome.latencies.summary().columns().map(|(_, ms)| format!(",\"{ms:.3}\"")).concat();
    format!("\"{}\",\"{:.2}\"{columns}\n", plan.title, outcome.requests_per_second())
}

#[cfg(test)]
pub mod testing {
    //! A result to print.

    use std::time::Duration;

    use crate::command::Sequence;
    use crate::latency::Latencies;
    use crate::options::Options;
    use crate::plan::Plan;
    use crate::run::Outcome;

    pub fn plan(options: &Options) -> Plan<'_> {
        Plan::new(options, &Sequence::of("SET", &["SET", "k", "abc"], 3), Vec::new(), None).unwrap()
    }

    pub fn outcome() -> Outcome {
        let mut latencies = Latencies::new(3);
        for (us, count) in [(331, 4), (1197, 1000), (1890, 496), (3475, 252), (12_800, 248)] {
            latencies.record(us, count);
        }
        Outcome { requests: 2000, elapsed: Duration::from_millis(40), latencies, rates: None }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{outcome, plan};
    use super::*;
    use crate::options::Options;

    #[test]
    fn a_line_of_csv_has_a_cell_for_each_title() {
        let options = Options::default();
        let line = csv(&plan(&options), &outcome());
        assert_eq!(line, "\"SET\",\"50000.00\",\"3.094\",\"0.328\",\"1.199\",\"12.807\",\"12.807\",\"12.807\"\n");
        assert_eq!(line.matches(',').count(), CSV_HEADER.matches(',').count());
    }
}
