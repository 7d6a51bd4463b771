//! `--latency` and `--latency-history`: how long a PING takes, in whole milliseconds.

use std::thread;
use std::time::{Duration, Instant};

use super::call_persistently;
use crate::failure::Failure;
use crate::format::Style;
use crate::screen;
use crate::session::Session;

const PAUSE: Duration = Duration::from_millis(10);
const DEFAULT_SPAN: Duration = Duration::from_secs(1);
const DEFAULT_HISTORY_SPAN: Duration = Duration::from_secs(15);

#[derive(Default)]
struct Samples {
    min: u128,
    max: u128,
    sum: u128,
    count: u128,
}

impl Samples {
    fn add(&mut self, millis: u128) {
        self.min = if self.count == 0 { millis } else { self.min.min(millis) };
        self.max = self.max.max(millis);
        self.sum += millis;
        self.count += 1;
    }

    fn show(&self, style: Style) -> String {
        let Samples { min, max, sum, count } = self;
        let avg = *sum as f64 / (*count).max(1) as f64;
        match style {
            Style::Terminal => format!("min: {min}, max: {max}, avg: {avg:.2} ({count} samples)"),
            Style::Csv => format!("{min},{max},{avg:.2},{count}\n"),
            Style::Raw => format!("{min} {max} {avg:.2} {count}\n"),
            Style::Json | Style::QuotedJson => {
                format!("{{\"min\": {min}, \"max\": {max}, \"avg\": {avg:.2}, \"count\": {count}}}\n")
            }
        }
    }
}

/// For ever on a terminal, else until the span is over; with history for ever, and a line for each PING where it is not
/// a terminal that one line can be drawn on again and again.
pub fn run(session: &mut Session, history: bool) -> Result<(), Failure> {
    let given = session.options.interval;
    let default = if history { DEFAULT_HISTORY_SPAN } else { DEFAULT_SPAN };
    let span = if given.is_zero() { default } else { given };
    let style = session.options.style;
    let mut samples = Samples::default();
    let mut begin = Instant::now();
    loop {
        let sent = Instant::now();
        call_persistently(session, &["PING"])?;
        samples.add(sent.elapsed().as_millis());
        let over = begin.elapsed() > span;
        if style == Style::Terminal {
            screen::print(format!("\x1b[0G\x1b[2K{}", samples.show(style)).as_bytes())?;
        } else if history || over {
            screen::print(samples.show(style).as_bytes())?;
            if !history {
                return Ok(());
            }
        }
        if history && over {
            screen::print_line(&format!(" -- {:.2} seconds range", begin.elapsed().as_secs_f64()))?;
            samples = Samples::default();
            begin = Instant::now();
        }
        thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_add_up() {
        let mut samples = Samples::default();
        [3, 1, 5].into_iter().for_each(|millis| samples.add(millis));
        assert_eq!(samples.show(Style::Raw), "1 5 3.00 3\n");
        assert_eq!(samples.show(Style::Csv), "1,5,3.00,3\n");
        assert_eq!(samples.show(Style::Terminal), "min: 1, max: 5, avg: 3.00 (3 samples)");
    }
}
