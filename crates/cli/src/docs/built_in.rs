//! The table from our own rows, for when there is no server to ask or it does not tell.

use command::row::{Arg, ArgFlags, ArgKind};

use super::{Argument, CommandTable, Entry, Kind};
use crate::hint;

impl CommandTable {
    /// All commands, or those that a server of this version has.
    pub fn built_in(version: Option<&str>) -> CommandTable {
        let mut table = CommandTable::default();
        for row in command::table::rows().filter(|row| has(version, Some(row.since))) {
            let words: Vec<String> = row.fullname.split('|').map(str::to_uppercase).collect();
            let arguments = arguments(row.args, version);
            table.groups.insert(row.group.name().to_owned());
            table.entries.push(Entry {
                full_name: words.join(" "),
                words,
                summary: row.summary.to_owned(),
                since: row.since.to_owned(),
                group: row.group.name().to_owned(),
                syntax: hint::syntax(&arguments),
                arguments,
            });
        }
        table.sort();
        table
    }
}

fn arguments(args: &[Arg], version: Option<&str>) -> Vec<Argument> {
    args.iter().filter(|arg| has(version, arg.since)).map(|arg| argument(arg, version)).collect()
}

fn argument(arg: &Arg, version: Option<&str>) -> Argument {
    Argument {
        display: arg.display.unwrap_or(arg.name).to_owned(),
        kind: match arg.kind {
            ArgKind::Integer | ArgKind::UnixTime => Kind::Integer,
            ArgKind::Double => Kind::Double,
            ArgKind::PureToken => Kind::PureToken,
            ArgKind::OneOf => Kind::OneOf,
            ArgKind::Block => Kind::Block,
            ArgKind::String | ArgKind::Key | ArgKind::Pattern => Kind::Text,
        },
        token: arg.token.map(str::to_owned),
        optional: arg.flags.contains(ArgFlags::OPTIONAL),
        multiple: arg.flags.contains(ArgFlags::MULTIPLE),
        repeats_token: arg.flags.contains(ArgFlags::MULTIPLE_TOKEN),
        parts: arguments(arg.args, version),
    }
}

/// Whether a server of `version` has what came `since`. Of an unknown version, everything is assumed.
fn has(version: Option<&str>, since: Option<&str>) -> bool {
    let parts = |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap_or(0)).collect() };
    match (version, since) {
        (Some(version), Some(since)) => parts(version) >= parts(since),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_server_lacks_what_came_later() {
        let find = |table: &CommandTable, name: &str| {
            table.entries.iter().find(|entry| entry.full_name == name).map(|entry| entry.syntax.clone())
        };
        let now = CommandTable::built_in(None);
        let old = CommandTable::built_in(Some("5.0.14"));
        assert_eq!(find(&now, "LPOP").unwrap(), "key [count]");
        assert_eq!(find(&old, "LPOP").unwrap(), "key");
        assert!(find(&now, "LMOVE").is_some());
        assert_eq!(find(&old, "LMOVE"), None);
        assert!(find(&old, "CONFIG SET").is_some());
        assert!(has(Some("7.10.0"), Some("7.9.9")) && !has(Some("7.2.4"), Some("7.3.0")));
    }
}
