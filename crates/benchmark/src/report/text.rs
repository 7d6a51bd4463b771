//! The report as text, in the shape that scripts have been reading for years.

use std::fmt::Write;

use crate::latency::{Latencies, Step, Summary};
use crate::plan::Plan;
use crate::run::Outcome;
use crate::target::Settings;

/// One line for a test.
pub fn line(plan: &Plan<'_>, outcome: &Outcome) -> String {
    let p50 = outcome.latencies.summary().p50;
    format!("{}: {:.2} requests per second, p50={p50:.3} msec\n", plan.title, outcome.requests_per_second())
}

/// What was run.
pub fn head(plan: &Plan<'_>, outcome: &Outcome, settings: Option<&Settings>) -> String {
    let options = plan.options;
    let mut text = format!("====== {} ======\n", plan.title);
    let mut line = |line: String| text.extend(["  ", &line, "\n"]);
    line(format!("{} requests completed in {:.2} seconds", outcome.requests, outcome.elapsed.as_secs_f64()));
    line(format!("{} parallel clients", options.clients));
    line(format!("{} bytes payload", plan.payload));
    line(format!("keep alive: {}", u8::from(options.keep_alive)));
    match (plan.cluster, settings) {
        (Some(cluster), _) => {
            line(format!("cluster mode: yes ({} {})", cluster.nodes.len(), options.read_from.noun()));
            for (number, node) in cluster.nodes.iter().enumerate() {
                if let Some(settings) = &node.settings {
                    let save = if settings.save.is_empty() { "NONE" } else { &settings.save };
                    line(format!("node [{number}] configuration:"));
                    line(format!("  save: {save}"));
                    line(format!("  appendonly: {}", settings.appendonly));
                }
            }
        }
        (None, Some(settings)) => {
            line(format!("host configuration \"save\": {}", settings.save));
            line(format!("host configuration \"appendonly\": {}", settings.appendonly));
        }
        (None, None) => (),
    }
    line(format!("multi-thread: {}", if options.threads > 0 { "yes" } else { "no" }));
    if options.threads > 0 {
        line(format!("threads: {}", options.threads));
    }
    if let (Some(rates), Some(rate)) = (&outcome.rates, options.rate) {
        text.push_str("\nRPS Summary:\n");
        let _ = writeln!(text, "  target RPS: {:.2}", rate as f64);
        text.push_str("  RPS distribution (reqs/sec):\n");
        table(&mut text, rates);
    }
    text.push('\n');
    text
}

/// Both views of the latencies.
pub fn distributions(latencies: &Latencies) -> String {
    let mut text = "Latency by percentile distribution:\n".to_owned();
    let mut steps = |title: &str, steps: Vec<Step>| {
        text.push_str(title);
        for Step { percent, ms, count } in steps {
            let _ = writeln!(text, "{percent:.3}% <= {ms:.3} milliseconds (cumulative count {count})");
        }
        text.push('\n');
    };
    steps("", latencies.by_percentile());
    steps("Cumulative distribution of latencies:\n", latencies.by_value());
    text
}

pub fn summary(outcome: &Outcome) -> String {
    let mut text = "Summary:\n".to_owned();
    let _ = writeln!(text, "  throughput summary: {:.2} requests per second", outcome.requests_per_second());
    text.push_str("  latency summary (msec):\n");
    table(&mut text, &outcome.latencies.summary());
    text
}

/// Titles above figures, in columns of nine.
fn table(text: &mut String, summary: &Summary) {
    let columns = summary.columns();
    let _ = writeln!(text, "    {}", columns.map(|(title, _)| format!("{title:>9}")).join(" "));
    let _ = writeln!(text, "    {}", columns.map(|(_, value)| format!("{value:>9.3}")).join(" "));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::report::testing::{outcome, plan};

    #[test]
    fn the_shape_is_the_published_one() {
        let options = Options { threads: 2, rate: Some(3000), ..Options::default() };
        let settings = Settings { save: String::new(), appendonly: "no".to_owned() };
        let rates = Summary { avg: 1991.333, min: 0.0, p50: 2981.0, p95: 2993.0, p99: 2993.0, max: 2993.0 };
        let outcome = Outcome { rates: Some(rates), ..outcome() };
        let plan = plan(&options);
        assert_eq!(
            head(&plan, &outcome, Some(&settings)),
            "====== SET ======\n  2000 requests completed in 0.04 seconds\n  50 parallel clients\n  \
             3 bytes payload\n  keep alive: 1\n  host configuration \"save\": \n  \
             host configuration \"appendonly\": no\n  multi-thread: yes\n  threads: 2\n\nRPS Summary:\n  \
             target RPS: 3000.00\n  RPS distribution (reqs/sec):\n    \
             \x20     avg       min       p50       p95       p99       max\n    \
             \x201991.333     0.000  2981.000  2993.000  2993.000  2993.000\n\n"
        );
        assert_eq!(
            summary(&outcome),
            "Summary:\n  throughput summary: 50000.00 requests per second\n  latency summary (msec):\n    \
             \x20     avg       min       p50       p95       p99       max\n    \
             \x20   3.094     0.328     1.199    12.807    12.807    12.807\n"
        );
        assert_eq!(line(&plan, &outcome), "SET: 50000.00 requests per second, p50=1.199 msec\n");
    }

    #[test]
    fn both_distributions_follow_each_other() {
        let text = distributions(&outcome().latencies);
        let (percentiles, values) = text.split_once("\n\n").unwrap();
        assert!(percentiles.starts_with("Latency by percentile distribution:\n0.000% <= 0.335 milliseconds (cum"));
        assert!(percentiles.ends_with("\n100.000% <= 12.807 milliseconds (cumulative count 2000)"));
        assert!(
            values.starts_with("Cumulative distribution of latencies:\n0.000% <= 0.103 milliseconds (cumulative co")
        );
        assert!(values.ends_with("\n100.000% <= 13.103 milliseconds (cumulative count 2000)\n\n"), "{values}");
    }
}
