//! What people see: a spinner for each node in a terminal, plain lines elsewhere, and a table.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::node::Node;

/// What each node is about.
pub struct Progress {
    names: Vec<String>,
    /// In a terminal.
    bars: Option<Vec<ProgressBar>>,
}

/// How often a spinner turns.
const TURN: Duration = Duration::from_millis(100);

impl Progress {
    pub fn new(nodes: &[Node]) -> Self {
        let width = nodes.iter().map(|node| node.name.len()).max().unwrap_or(0);
        let names: Vec<String> = nodes.iter().map(|node| format!("{:<width$}", node.name)).collect();
        let bars = io::stderr().is_terminal().then(|| {
            let all = MultiProgress::new();
            let bar = |name: &String| {
                let bar = all.add(ProgressBar::new_spinner().with_style(spinner('✔')).with_message(name.clone()));
                bar.enable_steady_tick(TURN);
                bar
            };
            names.iter().map(bar).collect()
        });
        Progress { names, bars }
    }

    /// A node has come to another state.
    pub fn tell(&mut self, at: usize, state: &str) {
        let line = format!("{} {state}", self.names[at]);
        match &self.bars {
            Some(bars) => bars[at].set_message(line),
            None => {
                // Nobody may be there to read it; the work goes on.
                let _ = writeln!(io::stdout(), "{line}");
            }
        }
    }

    /// The spinners stand still; those of nodes that are not where they should be say so.
    pub fn end(&self, is_well: impl Fn(usize) -> bool) {
        for (at, bar) in self.bars.iter().flatten().enumerate() {
            if !is_well(at) {
                bar.set_style(spinner('✘'));
            }
            bar.finish();
        }
    }
}

/// It turns until it becomes the mark of its end.
fn spinner(end: char) -> ProgressStyle {
    ProgressStyle::default_spinner().tick_chars(&format!("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏{end}"))
}

/// A line of the table.
pub struct Row {
    pub name: String,
    pub role: &'static str,
    pub address: String,
    pub process_id: i32,
    pub folder: String,
}

/// Columns as wide as their widest cell.
pub fn table(rows: &[Row]) -> String {
    let head = ["NODE", "ROLE", "ADDRESS", "PROCESS", "FOLDER"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        [row.name.clone(), row.role.to_owned(), row.address.clone(), row.process_id.to_string(), row.folder.clone()]
    });
    let lines: Vec<[String; 5]> = [head].into_iter().chain(cells).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2, 3, 4].map(width);
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A path as a shell takes it.
pub fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// Writes to standard output; nobody reading any more is a reason to stop.
pub fn print(text: &str) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| format!("standard output: {}", client::os_text(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let row = |name: &str, role, process_id| Row {
            name: name.to_owned(),
            role,
            address: "127.0.0.1:7000".to_owned(),
            process_id,
            folder: "/d".to_owned(),
        };
        assert_eq!(
            table(&[row("primary", "primary", 5), row("replica-1", "replica", 1234)]),
            "NODE       ROLE     ADDRESS         PROCESS  FOLDER\n\
             primary    primary  127.0.0.1:7000  5        /d\n\
             replica-1  replica  127.0.0.1:7000  1234     /d\n"
        );
    }

    #[test]
    fn paths_can_be_pasted_into_a_shell() {
        assert_eq!(shell_word(Path::new("/tmp/a-b")), "/tmp/a-b");
        assert_eq!(shell_word(Path::new("/tmp/a b'c")), "'/tmp/a b'\\''c'");
    }
}
