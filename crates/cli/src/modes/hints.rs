//! `--test_hint` and `--test_hint_file`: hints without a terminal.

use std::fs;
use std::path::Path;

use resp::inline;

use crate::failure::{Failure, fatal};
use crate::screen;
use crate::screen::complain;
use crate::session::Session;

/// Prints the hint for a line.
pub fn show(session: &mut Session, line: &[u8]) -> Result<(), Failure> {
    let hint = session.command_table()?.hint(line);
    screen::print_line(&hint.unwrap_or_default())
}

/// Compares the pairs of a file, `"line" "hint"` on each line of it, `#` for comments; the exit code
/// is the number of pairs that differ.
pub fn compare(session: &mut Session, file: &Path) -> Result<i32, Failure> {
    let text = fs::read(file)
        .map_err(|error| fatal(format_args!("Can't open file '{}': {}", file.display(), client::os_text(&error))))?;
    let table = session.command_table()?;
    let (mut pass, mut fail) = (0, 0);
    for line in text.split(|byte| *byte == b'\n').filter(|line| line.first() != Some(&b'#')) {
        let Ok(words) = inline::split_owned(line) else { continue };
        let (input, expected) = match words.as_slice() {
            [] => continue,
            [input] => {
                let input = String::from_utf8_lossy(input);
                return Err(fatal(format_args!("Missing expected hint for input '{input}'")));
            }
            [input, expected, ..] => (input, String::from_utf8_lossy(expected).into_owned()),
        };
        let hint = table.hint(input);
        let shown = hint.clone().unwrap_or_else(|| "(null)".to_owned());
        let input = String::from_utf8_lossy(input);
        if session.options.verbose {
            screen::print_line(&format!("Input: '{input}', Expected: '{expected}', Hint: '{shown}'"))?;
        }
        if hint.as_deref().map(str::trim_end) == Some(expected.as_str()) {
            pass += 1;
        } else {
            complain!("Test case '{input}' FAILED: expected '{expected}', got '{shown}'");
            fail += 1;
        }
    }
    let verdict = if fail == 0 { "SUCCESS" } else { "FAILURE" };
    screen::print_line(&format!("{verdict}: {pass}/{} passed", pass + fail))?;
    Ok(fail.min(255))
}
