//! Charts for a terminal: how latencies are spread, and how tests compare.
//!
//! ```text
//!   <=  0.2 ms  ▍                               1.2 %
//!   <=  0.5 ms  ███████████████████████████▌   81.0 %
//!   <=    1 ms  █████▋                         17.1 %
//! ```
//!
//! Latencies are grouped by bounds that grow as 1, 2, 5, 10 …, since they are spread over orders of magnitude. A bar
//! ends with an eighth of a character.

use crate::latency::Latencies;

/// The bounds of groups, in microseconds.
const BOUNDS_US: [u64; 17] = [
    20, 50, 100, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 50_000, 100_000, 500_000, 1_000_000, 3_000_000,
];

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Columns of a line besides its bar.
const LABELS: usize = 24;

/// The spread of latencies; groups before the first and after the last that is not empty are left out.
pub fn latencies(latencies: &Latencies, columns: usize) -> String {
    let total = latencies.count();
    let upto = latencies.counts_up_to(&BOUNDS_US);
    let groups: Vec<(u64, u64)> = (0..BOUNDS_US.len())
        .map(|at| (BOUNDS_US[at], upto[at] - at.checked_sub(1).map_or(0, |before| upto[before])))
        .collect();
    let is_empty = |group: &&(u64, u64)| group.1 == 0;
    let leading = groups.iter().take_while(is_empty).count();
    let trailing = groups.iter().rev().take_while(is_empty).count();
    let Some(shown) = groups.get(leading..groups.len() - trailing).filter(|shown| !shown.is_empty()) else {
        return String::new();
    };
    let most = shown.iter().map(|group| group.1).max().unwrap_or(1);
    let width = columns.saturating_sub(LABELS);
    let mut text = "Latencies:\n".to_owned();
    for &(us, count) in shown {
        let (bar, share) = (bar(count as f64 / most as f64, width), 100.0 * count as f64 / total as f64);
        let padding = " ".repeat(width - bar.chars().count());
        text.push_str(&format!("  <= {:>5} ms  {bar}{padding} {share:5.1} %\n", us as f64 / 1000.0));
    }
    text
}

/// The throughput of several tests side by side.
pub fn comparison(tests: &[(String, f64)], columns: usize) -> String {
    let longest = tests.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0);
    let most = tests.iter().map(|(_, rate)| *rate).fold(1.0, f64::max);
    let width = columns.saturating_sub(longest + 16).max(8);
    let mut text = "Requests per second:\n".to_owned();
    for (title, rate) in tests {
        text.push_str(&format!("  {title:<longest$}  {rate:>10.0}  {}\n", bar(rate / most, width)));
    }
    text
}

/// A bar of a share of `width` characters; never longer, and visible if it is not nothing.
fn bar(share: f64, width: usize) -> String {
    let eighths = (share.clamp(0.0, 1.0) * (width * 8) as f64).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_end_in_eighths() {
        assert_eq!(bar(1.0, 3), "███");
        assert_eq!(bar(0.5, 3), "█▌");
        assert_eq!(bar(0.0001, 3), "▏");
        assert_eq!(bar(0.0, 3), "");
        assert_eq!(bar(7.0, 2), "██");
    }

    #[test]
    fn groups_show_their_share() {
        let mut all = Latencies::new(3);
        [(150, 10), (450, 80), (900, 10)].iter().for_each(|&(us, count)| all.record(us, count));
        assert_eq!(
            latencies(&all, LABELS + 8),
            "Latencies:\n\
             \x20 <=   0.2 ms  █         10.0 %\n\
             \x20 <=   0.3 ms             0.0 %\n\
             \x20 <=   0.5 ms  ████████  80.0 %\n\
             \x20 <=     1 ms  █         10.0 %\n"
        );
        assert_eq!(latencies(&Latencies::new(3), 80), "");
    }

    #[test]
    fn tests_are_compared_with_the_fastest() {
        let text = comparison(&[("SET".to_owned(), 50_000.0), ("LRANGE_100".to_owned(), 25_000.0)], 34);
        assert_eq!(text, "Requests per second:\n  SET              50000  ████████\n  LRANGE_100       25000  ████\n");
    }
}
