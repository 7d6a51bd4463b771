//! The table as the server tells it: `COMMAND DOCS`, and for old servers `COMMAND`.

use client::Value;

use super::{Argument, CommandTable, Entry, Kind};
use crate::failure::Failure;
use crate::hint;
use crate::session::{Session, member};

impl CommandTable {
    /// Asks the server, if there is a connection.
    pub fn load(session: &mut Session) -> Result<CommandTable, Failure> {
        if session.link.is_none() {
            return Ok(CommandTable::built_in(None));
        }
        let docs = session.call(&["COMMAND", "DOCS"])?;
        if docs.as_error().is_none() {
            let mut table = CommandTable::default();
            pairs(&docs).into_iter().for_each(|(name, details)| table.add(None, name, details));
            table.sort();
            return Ok(table);
        }
        let mut table = CommandTable::built_in(server_version(session)?.as_deref());
        if let Value::Array(commands) = session.call(&["COMMAND"])? {
            commands.iter().for_each(|command| table.add_undocumented(command));
            table.sort();
        }
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
        let known = name.to_uppercase();
        if self.entries.iter().any(|entry| entry.words[0] == known) {
            return;
        }
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
            full_name: known.clone(),
            words: vec![known],
            summary: "Help not available".to_owned(),
            since: "Not known".to_owned(),
            group: "generic".to_owned(),
            arguments: Vec::new(),
            syntax: syntax.trim_start().to_owned(),
        });
    }
}

/// From `HELLO`, if it was said, else from INFO.
fn server_version(session: &mut Session) -> Result<Option<String>, Failure> {
    if session.server_version.is_none() {
        let reply = session.call(&["INFO", "SERVER"])?;
        let info = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
        let field = format!("{}:", session.vocabulary.version_field);
        let version = info.lines().find_map(|line| line.strip_prefix(&field));
        session.server_version = version.map(str::to_owned);
    }
    Ok(session.server_version.clone())
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

    #[test]
    fn docs_become_entries() {
        let key = map(&[("name", text("key")), ("type", text("key"))]);
        let count = map(&[
            ("name", text("count")),
            ("type", text("integer")),
            ("flags", Value::Set(vec![Value::Simple(b"optional".to_vec())])),
        ]);
        let get = map(&[("group", text("string")), ("arguments", Value::Array(vec![key.clone()]))]);
        let lpop = map(&[("group", text("list")), ("arguments", Value::Array(vec![key, count]))]);
        let config = map(&[("group", text("server")), ("subcommands", map(&[("config|set", get.clone())]))]);
        let mut table = CommandTable::default();
        for (name, details) in [("get", get), ("lpop", lpop), ("config", config)] {
            table.add(None, &text(name), &details);
        }
        table.sort();
        let names: Vec<&str> = table.entries.iter().map(|entry| entry.full_name.as_str()).collect();
        assert_eq!(names, ["CONFIG", "CONFIG SET", "GET", "LPOP"]);
        assert_eq!(table.entries[3].syntax, "key [count]");
        assert_eq!(table.groups.iter().collect::<Vec<_>>(), ["list", "server", "string"]);
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
        table.add_undocumented(&row("GET", 9, 0));
        let all: Vec<&str> = table.entries.iter().map(|entry| entry.syntax.as_str()).collect();
        assert_eq!(all, ["key", "arg arg ...options...", ""]);
    }
}
