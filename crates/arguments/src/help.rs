//! The text of `--help`.

use crate::flag::{Action, Table};

/// The column in which explanations begin, and where they are wrapped.
const COLUMN: usize = 28;
const WIDTH: usize = 100;

impl<D> Table<D> {
    /// A paragraph for each flag, with `words` (a name in braces, and what it stands for) in the place of their names;
    /// at the end the flags that are missing.
    pub fn help(&self, words: &[(&str, &str)]) -> String {
        let mut text = String::new();
        let is_missing = |action: &Action<D>| matches!(action, Action::Missing(_));
        for flag in self.flags().filter(|flag| !is_missing(&flag.action)) {
            let argument = flag.argument.map(|argument| format!(" {argument}")).unwrap_or_default();
            let help = words.iter().fold(flag.help.to_owned(), |help, (name, word)| help.replace(name, word));
            wrap(&mut text, &format!("  {}{argument}", flag.names.join(", ")), &help);
        }
        let missing = self.flags().filter(|flag| is_missing(&flag.action));
        let missing: Vec<&str> = missing.flat_map(|flag| flag.names.iter().copied()).collect();
        if !missing.is_empty() {
            text.push('\n');
            wrap(&mut text, "  Not in this release:", &missing.join(" "));
        }
        text
    }
}

/// Appends `label` and beside it, or below it where it is long, its explanation.
pub fn wrap(text: &mut String, label: &str, explanation: &str) {
    let mut line = label.to_owned();
    if line.chars().count() >= COLUMN {
        text.push_str(&line);
        text.push('\n');
        line.clear();
    }
    for word in explanation.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.clear();
        }
        let gap = COLUMN.saturating_sub(line.chars().count()).max(1);
        line.extend(std::iter::repeat_n(' ', gap));
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flag;

    #[test]
    fn explanations_stand_in_a_column_and_fit() {
        const FLAGS: &[Flag<()>] = &[
            Flag::new(&["-a", "--all"], None, "Ask {who}.", Action::Switch(|()| ())),
            Flag::new(&["--a-very-long-name"], Some("<value>"), "Short.", Action::Switch(|()| ())),
            Flag::new(&["--gone"], None, "", Action::Missing("it is gone")),
        ];
        let table = Table { parts: &[FLAGS], unknown: |_| String::new(), ends_with_dashes: false, claim: |(), _| 0 };
        let expect = "  -a, --all                 Ask somebody.\n\
                      \x20 --a-very-long-name <value>\n\
                      \x20                           Short.\n\n\
                      \x20 Not in this release:      --gone\n";
        assert_eq!(table.help(&[("{who}", "somebody")]), expect);
    }

    #[test]
    fn long_explanations_are_wrapped() {
        let mut text = String::new();
        wrap(&mut text, "  -x", &"word ".repeat(40));
        assert!(text.lines().count() > 2 && text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert!(text.lines().skip(1).all(|line| line.starts_with(&" ".repeat(COLUMN))), "{text}");
    }
}
