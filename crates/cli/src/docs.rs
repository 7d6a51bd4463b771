//! What the server knows of its commands: names, syntax, summaries, from `COMMAND DOCS`.
//!
//! Help, completion and hints read this table. A server before 7.0 has no DOCS, and one that refuses
//! it may still answer `COMMAND`, which gives names and numbers of arguments; without either the
//! table is empty, and the tool works without help.

use std::collections::BTreeSet;

use client::Value;
use resp::inline;

use crate::failure::Failure;
use crate::hint;
use crate::session::{Session, member};

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
    /// Asks the server.
    pub fn load(session: &mut Session) -> Result<CommandTable, Failure> {
        let mut table = CommandTable::default();
        if session.link.is_none() {
            return Ok(table);
        }
        let docs = session.call(&["COMMAND", "DOCS"])?;
        if docs.as_error().is_none() {
            for (name, details) in pairs(&docs) {
                table.add(None, name, details);
            }
        } else if let Value::Array(commands) = session.call(&["COMMAND"])? {
            commands.iter().for_each(|command| table.add_undocumented(command));
        }
        table.entries.sort_by(|a, b| a.full_name.cmp(&b.full_name));
        Ok(table)
    }

    fn add(&mut self, container: Option<&str>, name: &Value, details: &Value) {
        let Some(name) = name.as_str() else { return };
        // Subcommands are called `container|name`.
        let own = name.rsplit('|').next().unwrap_or(name).to_uppercase();
        let words: Vec<String> = container.map(str::to_uppercase).into_iter().chain([own]).collect();
        let text = |key| member(details, key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let arguments = arguments(member(details, "arguments"));
        let group = text("group");
        self.groups.insert(group.clone());
        self.entries.push(Entry {
            full_name: words.join(" "),
            words,
            summary: text("summary"),
            since: text("since"),
            group,
            syntax: hint::syntax(&arguments),
            arguments,
        });
        if container.is_none()
            && let Some(subcommands) = member(details, "subcommands")
        {
            for (sub, details) in pairs(subcommands) {
                self.add(Some(name), sub, details);
            }
        }
    }

    /// From a row of `COMMAND`: name, arity, flags, first key.
    fn add_undocumented(&mut self, row: &Value) {
        let Some([name, arity, _, first_key, ..]) = row.as_array() else { return };
        let (Some(name), Some(arity), Some(first_key)) = (name.as_str(), arity.as_int(), first_key.as_int()) else {
            return;
        };
        let mut names = vec!["arg"; (arity.unsigned_abs() as usize).clamp(1, 64) - 1];
        if first_key == 1
            && let Some(first) = names.first_mut()
        {
            *first = "key";
        }
        let mut syntax = names.join(" ");
        if arity < 0 {
            syntax.push_str(" ...options...");
        }
        self.groups.insert("generic".to_owned());
        self.entries.push(Entry {
            words: vec![name.to_uppercase()],
            full_name: name.to_uppercase(),
            summary: "Help not available".to_owned(),
            since: "Not known".to_owned(),
            group: "generic".to_owned(),
            arguments: Vec::new(),
            syntax: syntax.trim_start().to_owned(),
        });
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
        groups.chain(names).filter(|name| matches(name)).map(|name| format!("{kept}{name}")).collect()
    }
}

fn arguments(value: Option<&Value>) -> Vec<Argument> {
    value.and_then(Value::as_array).unwrap_or_default().iter().map(argument).collect()
}

fn argument(details: &Value) -> Argument {
    let text = |key| member(details, key).and_then(Value::as_str);
    let flags = member(details, "flags").and_then(Value::as_array).unwrap_or_default();
    let has = |flag: &str| flags.iter().any(|value| value.as_str() == Some(flag));
    Argument {
        display: text("display_text").or(text("name")).unwrap_or_default().to_owned(),
        kind: match text("type") {
            Some("integer" | "unix-time") => Kind::Integer,
            Some("double") => Kind::Double,
            Some("pure-token") => Kind::PureToken,
            Some("oneof") => Kind::OneOf,
            Some("block") => Kind::Block,
            _ => Kind::Text,
        },
        token: text("token").map(str::to_owned),
        optional: has("optional"),
        multiple: has("multiple"),
        repeats_token: has("multiple_token"),
        parts: arguments(member(details, "arguments")),
    }
}

/// The entries of a map, or of the flat array that stands for one in RESP2.
fn pairs(value: &Value) -> Vec<(&Value, &Value)> {
    match value {
        Value::Map(entries) => entries.iter().map(|(key, value)| (key, value)).collect(),
        Value::Array(items) => items.chunks_exact(2).map(|pair| (&pair[0], &pair[1])).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Value {
        Value::Bulk(s.as_bytes().to_vec())
    }

    fn map(entries: &[(&str, Value)]) -> Value {
        Value::Map(entries.iter().map(|(key, value)| (text(key), value.clone())).collect())
    }

    fn table() -> CommandTable {
        let key = map(&[("name", text("key")), ("type", text("key"))]);
        let count = map(&[
            ("name", text("count")),
            ("type", text("integer")),
            ("flags", Value::Set(vec![Value::Simple(b"optional".to_vec())])),
        ]);
        let get = map(&[
            ("summary", text("Gets.")),
            ("group", text("string")),
            ("arguments", Value::Array(vec![key.clone()])),
        ]);
        let lpop = map(&[("group", text("list")), ("arguments", Value::Array(vec![key, count]))]);
        let config = map(&[("group", text("server")), ("subcommands", map(&[("config|set", get.clone())]))]);
        let mut table = CommandTable::default();
        for (name, details) in [("get", get), ("lpop", lpop), ("config", config)] {
            table.add(None, &text(name), &details);
        }
        table.entries.sort_by(|a, b| a.full_name.cmp(&b.full_name));
        table
    }

    #[test]
    fn docs_become_entries() {
        let table = table();
        let names: Vec<&str> = table.entries.iter().map(|entry| entry.full_name.as_str()).collect();
        assert_eq!(names, ["CONFIG", "CONFIG SET", "GET", "LPOP"]);
        assert_eq!(table.entries[3].syntax, "key [count]");
        assert_eq!(table.groups.iter().collect::<Vec<_>>(), ["list", "server", "string"]);
    }

    #[test]
    fn hints_count_a_word_when_it_is_ended() {
        let table = table();
        for (line, expect) in [
            ("LPOP ", Some("key [count]")),
            ("lpop k", Some("key [count]")),
            ("lpop k ", Some("[count]")),
            ("lpop k x ", Some("")),
            ("config set ", Some("key")),
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
        assert_eq!(table.completions("con"), ["CONFIG", "CONFIG SET"]);
        assert_eq!(table.completions("help  @s"), ["help  @server", "help  @string"]);
        assert_eq!(table.completions("help ge"), ["help GET"]);
        assert!(table.completions("é").is_empty());
    }

    #[test]
    fn servers_without_docs_still_give_names() {
        let mut table = CommandTable::default();
        let row = |name: &str, arity, key| {
            Value::Array(vec![text(name), Value::Integer(arity), Value::Array(vec![]), Value::Integer(key)])
        };
        table.add_undocumented(&row("get", 2, 1));
        table.add_undocumented(&row("eval", -3, 0));
        table.add_undocumented(&row("time", 1, 0));
        let all: Vec<&str> = table.entries.iter().map(|entry| entry.syntax.as_str()).collect();
        assert_eq!(all, ["key", "arg arg ...options...", ""]);
    }
}
