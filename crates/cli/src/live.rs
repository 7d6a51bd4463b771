//! A block of lines at the end of a terminal's output that is drawn again and again while work goes on.
//!
//! ```text
//!   # Scanning …
//!    42.10% ━━━━━━━━━━━━━━━━━╸                        ◄─ moved up, cleared and drawn anew, ten times a second at most
//!   Keys sampled: 12010                                 │
//!   Biggest string "session:1" has 512 bytes          ──┘
//! ```
//!
//! Where standard output is no terminal nothing of this is printed: scripts get the plain lines of the mode.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use rustix::termios::tcgetwinsize;

use crate::failure::Failure;
use crate::screen;

const PAUSE: Duration = Duration::from_millis(100);
const BAR: usize = 50;
const CLEAR_BELOW: &str = "\r\x1b[J";

/// The block, if there is a terminal to show it on.
#[derive(Debug)]
pub struct Live {
    on: bool,
    /// Drawn on standard error: standard output is for the data.
    on_stderr: bool,
    /// Lines drawn last, the cursor being behind them.
    drawn: usize,
    next: Instant,
}

impl Live {
    pub fn open() -> Self {
        Live { on: io::stdout().is_terminal(), on_stderr: false, drawn: 0, next: Instant::now() }
    }

    pub fn on_stderr() -> Self {
        Live { on: io::stderr().is_terminal(), on_stderr: true, drawn: 0, next: Instant::now() }
    }

    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Draws what `lines` says, unless it was drawn a moment ago.
    pub fn draw(&mut self, lines: impl FnOnce() -> Vec<String>) -> Result<(), Failure> {
        let now = Instant::now();
        if !self.on || now < self.next {
            return Ok(());
        }
        self.next = now + PAUSE;
        let size = if self.on_stderr { tcgetwinsize(io::stderr()) } else { tcgetwinsize(io::stdout()) };
        let (columns, rows) = size.map_or((80, 24), |size| (usize::from(size.ws_col), usize::from(size.ws_row)));
        let text = self.frame(&lines(), columns.max(20), rows.max(4));
        self.print(&text)
    }

    /// Takes the block away, so that the final report stands in its place.
    pub fn close(&mut self) -> Result<(), Failure> {
        if self.drawn == 0 {
            return Ok(());
        }
        let text = self.frame(&[], 80, 24);
        self.print(&text)
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        if !self.on_stderr {
            return screen::print(text.as_bytes());
        }
        // Whether anybody sees it makes no difference to the work.
        let _ = io::stderr().write_all(text.as_bytes());
        Ok(())
    }

    fn frame(&mut self, lines: &[String], columns: usize, rows: usize) -> String {
        let mut text = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        text.push_str(CLEAR_BELOW);
        // A line that wraps, or a block higher than the screen, could not be moved up over.
        self.drawn = lines.len().min(rows - 1);
        for line in &lines[..self.drawn] {
            text.extend(line.chars().take(columns - 1));
            text.push('\n');
        }
        text
    }
}

/// How far the work is, as a number and as a bar.
pub fn bar(part: u64, whole: u64) -> String {
    let share = if whole == 0 { 1.0 } else { (part as f64 / whole as f64).min(1.0) };
    let halves = (share * (2 * BAR) as f64) as usize;
    let half = if halves % 2 == 1 { "╸" } else { "" };
    format!("{:6.2}% {}{half}", share * 100.0, "━".repeat(halves / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_drawn_over_itself() {
        let mut live = Live { on: true, on_stderr: false, drawn: 0, next: Instant::now() };
        let lines = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        assert_eq!(live.frame(&lines(&["one", "two"]), 80, 24), "\r\x1b[Jone\ntwo\n");
        assert_eq!(live.frame(&lines(&["a long line"]), 7, 24), "\x1b[2A\r\x1b[Ja long\n");
        assert_eq!(live.frame(&lines(&["1", "2", "3", "4", "5"]), 80, 4), "\x1b[1A\r\x1b[J1\n2\n3\n");
        assert_eq!(live.frame(&[], 80, 24), "\x1b[3A\r\x1b[J");
    }

    #[test]
    fn bars_have_halves() {
        assert_eq!(bar(0, 10), "  0.00% ");
        assert_eq!(bar(1, 100), "  1.00% ╸");
        assert_eq!(bar(4, 100), "  4.00% ━━");
        assert_eq!(bar(7, 5), format!("100.00% {}", "━".repeat(BAR)));
    }
}
