//! What is known of the commands: names, syntax, summaries. Help, completion and hints read it.
//!
//! ```text
//!   COMMAND DOCS ──ok──► the server's own table
//!        └─refused──► our table, up to the server's version ──► + names that COMMAND has and we have not
//!        └─no server► our table
//! ```

mod built_in;
mod server;

use std::collections::BTreeSet;

use resp::inline;

use crate::hint;

/// What a word of the syntax may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Anything: strings, keys, patterns.
    #[default]
    Text,
    /// Whole numbers, times included.
    Integer,
    Double,
    /// The token alone.
    PureToken,
    /// One of the parts.
    OneOf,
    /// All parts, in order.
    Block,
}

/// One argument of a command, as a grammar.
#[derive(Clone, Debug, Default)]
pub struct Argument {
    /// How it is written in a syntax.
    pub display: String,
    pub kind: Kind,
    /// The literal word that stands before it.
    pub token: Option<String>,
    pub optional: bool,
    pub multiple: bool,
    /// Each repetition begins with the token.
    pub repeats_token: bool,
    pub parts: Vec<Argument>,
}

/// A command or a subcommand.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Upper case: `["CONFIG", "SET"]`.
    pub words: Vec<String>,
    pub full_name: String,
    pub summary: String,
    pub since: String,
    pub group: String,
    pub arguments: Vec<Argument>,
    /// The syntax of the arguments.
    pub syntax: String,
}

/// All commands, sorted by name, and their groups.
#[derive(Clone, Debug, Default)]
pub struct CommandTable {
    pub entries: Vec<Entry>,
    pub groups: BTreeSet<String>,
}

impl CommandTable {
    fn sort(&mut self) {
        self.entries.sort_by(|a, b| a.full_name.cmp(&b.full_name));
    }

    /// The entry whose name is the longest that the words begin with.
    pub fn find(&self, words: &[Vec<u8>]) -> Option<&Entry> {
        self.entries
            .iter()
            .filter(|entry| {
                entry.words.len() <= words.len()
                    && entry.words.iter().zip(words).all(|(name, word)| word.eq_ignore_ascii_case(name.as_bytes()))
            })
            .max_by_key(|entry| entry.words.len())
    }

    /// What may follow a line that is being typed. Its last word counts when a blank stands behind it.
    /// `None` when the line begins with no known command.
    pub fn hint(&self, line: &[u8]) -> Option<String> {
        let mut words = inline::split_owned(line).ok()?;
        if !line.last().is_some_and(u8::is_ascii_whitespace) {
            words.pop();
        }
        let entry = self.find(&words)?;
        let typed = &words[entry.words.len()..];
        if !entry.arguments.is_empty() {
            return Some(hint::remaining(&entry.arguments, typed));
        }
        Some(if typed.is_empty() { entry.syntax.clone() } else { String::new() })
    }

    /// Whole lines that the beginning of one may become.
    pub fn completions(&self, line: &str) -> Vec<String> {
        let is_help = line.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("help "));
        let (kept, start) = if is_help { line.split_at(line.len() - line[5..].trim_start().len()) } else { ("", line) };
        let matches = |name: &str| name.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        let groups = self.groups.iter().filter(|_| is_help).map(|group| format!("@{group}"));
        let names = self.entries.iter().map(|entry| entry.full_name.clone());
        let found: Vec<String> =
            groups.chain(names).filter(|name| matches(name)).map(|name| format!("{kept}{name}")).collect();
        if found.is_empty() && !is_help { self.token_completions(line) } else { found }
    }

    /// Lines whose last word is completed to one of the literal words that may stand there, as the hint names them.
    fn token_completions(&self, line: &str) -> Vec<String> {
        let (before, start) = line.split_at(line.rfind(char::is_whitespace).map_or(0, |at| at + 1));
        if start.is_empty() {
            return Vec::new();
        }
        let hint = self.hint(before.as_bytes()).unwrap_or_default();
        let matches = |token: &&str| token.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start));
        hint::next_tokens(&hint).into_iter().filter(matches).map(|token| format!("{before}{token}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> CommandTable {
        CommandTable::built_in(None)
    }

    proptest::proptest! {
        #[test]
        fn any_line_has_hints_and_completions(
            start in proptest::sample::select(vec!["", "help ", "set ", "zadd k ", "bitfield k get ", "config "]),
            rest in "[a-z0-9 \"'@é-]{0,16}",
        ) {
            static TABLE: std::sync::LazyLock<CommandTable> = std::sync::LazyLock::new(table);
            let line = format!("{start}{rest}");
            let hint = TABLE.hint(line.as_bytes());
            proptest::prop_assert!(hint.is_none_or(|hint| !hint.contains("  ") && hint == hint.trim()));
            for completed in TABLE.completions(&line) {
                // What was typed stays, but for its case.
                proptest::prop_assert!(completed.to_lowercase().starts_with(&line.to_lowercase()), "{completed}");
            }
        }
    }

    #[test]
    fn hints_count_a_word_when_it_is_ended() {
        let table = table();
        for (line, expect) in [
            ("LPOP ", Some("key [count]")),
            ("lpop k", Some("key [count]")),
            ("lpop k ", Some("[count]")),
            ("lpop k x ", Some("")),
            ("config set ", Some("parameter value [parameter value ...]")),
            ("scan 2 count ", Some("count [MATCH pattern] [TYPE type]")),
            ("blmove src dst left ", Some("LEFT|RIGHT timeout")),
            ("lpop", None),
            ("nosuch ", None),
            ("lpop \"", None),
        ] {
            assert_eq!(table.hint(line.as_bytes()).as_deref(), expect, "{line}");
        }
    }

    #[test]
    fn completions_keep_what_stands_before() {
        let table = table();
        assert_eq!(table.completions("lpo"), ["LPOP", "LPOS"]);
        assert_eq!(table.completions("help  @sc"), ["help  @scripting"]);
        assert_eq!(table.completions("help getd"), ["help GETDEL"]);
        assert!(table.completions("é").is_empty());
    }

    #[test]
    fn literal_words_are_completed_where_they_may_stand() {
        let table = table();
        assert_eq!(table.completions("set k v e"), ["set k v EX", "set k v EXAT"]);
        assert_eq!(table.completions("set k v nx ge"), ["set k v nx GET"]);
        assert_eq!(table.completions("lmove a b l"), ["lmove a b LEFT"]);
        // A key is awaited, or a number; what stands behind it is not for now.
        assert!(table.completions("set e").is_empty());
        assert!(table.completions("scan 2 count c").is_empty());
        assert!(table.completions("set k v ").is_empty());
    }
}
