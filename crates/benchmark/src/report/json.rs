//! The report as JSON: one object and line for each test.
//!
//! ```text
//!   {"test":"SET","requests":100000,"seconds":1.01,"rps":99009.9,"clients":50,"threads":0,"pipeline":1,
//!    "payload_bytes":3,"keep_alive":true,"latency_ms":{"avg":…,"min":…,"p50":…,"p95":…,"p99":…,"max":…},
//!    "distribution":[{"percent":0,"ms":0.039,"count":12},…]}
//! ```

use crate::plan::Plan;
use crate::run::Outcome;

pub fn object(plan: &Plan<'_>, outcome: &Outcome) -> String {
    let options = plan.options;
    let summary = outcome.latencies.summary();
    let columns = summary.columns().map(|(name, ms)| format!("\"{name}\":{ms:.3}")).join(",");
    let steps: Vec<String> = outcome
        .latencies
        .by_percentile()
        .iter()
        .map(|step| format!("{{\"percent\":{:.3},\"ms\":{:.3},\"count\":{}}}", step.percent, step.ms, step.count))
        .collect();
    format!(
        "{{\"test\":{},\"requests\":{},\"seconds\":{:.6},\"rps\":{:.2},\"clients\":{},\"threads\":{},\"pipeline\":{},\
         \"payload_bytes\":{},\"keep_alive\":{},\"latency_ms\":{{{columns}}},\"distribution\":[{}]}}\n",
        quoted(&plan.title),
        outcome.requests,
        outcome.elapsed.as_secs_f64(),
        outcome.requests_per_second(),
        options.clients,
        options.threads,
        options.pipeline,
        plan.payload,
        options.keep_alive,
        steps.join(","),
    )
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::report::testing;

    #[test]
    fn one_line_tells_all() {
        let options = Options::default();
        let text = object(&testing::plan(&options), &testing::outcome());
        assert!(
            text.starts_with("{\"test\":\"SET\",\"requests\":2000,\"seconds\":0.040000,\"rps\":50000.00,"),
            "{text}"
        );
        assert!(text.contains("\"latency_ms\":{\"avg\":3.094,\"min\":0.328,\"p50\":1.199,"), "{text}");
        assert!(text.ends_with("{\"percent\":100.000,\"ms\":12.807,\"count\":2000}]}\n"), "{text}");
        assert_eq!(text.matches('\n').count(), 1);
    }

    #[test]
    fn titles_are_quoted() {
        assert_eq!(quoted("eval \"a\\b\"\n"), r#""eval \"a\\b\"\u000a""#);
    }
}
