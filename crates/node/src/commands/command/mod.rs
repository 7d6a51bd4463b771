//! COMMAND: what commands there are, read from the table.
//!
//! Only rows with a handler are shown, and containers of which any subcommand has one, so that a client sees what it can
//! really call. A command is named by what it answers to, or by its row's name.

mod describe;
mod docs;

use command::registry::{Lookup, Registry, RowId};
use command::row::{Categories, Flags, Row};
use resp::error;
use resp::reply::Reply;
use structures::glob;

use super::{Call, ControlBinding, Done, free};
use crate::server::Server;

pub(super) const TABLE: &[ControlBinding] = &[
    free("command", all),
    free("command|count", count),
    free("command|docs", docs),
    free("command|getkeys", |call| getkeys(call, false)),
    free("command|getkeysandflags", |call| getkeys(call, true)),
    free("command|help", super::help::help),
    free("command|info", info),
    free("command|list", list),
];

/// What is shown: the commands of a server that are there.
pub(crate) struct Shown<'a> {
    registry: &'a Registry,
    has: &'a [bool],
}

impl<'a> Shown<'a> {
    fn of(server: &'a Server) -> Self {
        Shown { registry: &server.registry, has: &server.has }
    }

    /// Commands that are no subcommands.
    fn top(&self) -> impl Iterator<Item = (RowId, &'static Row)> {
        self.registry.iter().filter(|(id, _)| self.has[id.index()] && self.registry.parent(*id).is_none())
    }

    /// The subcommands of a command.
    fn subcommands(&self, id: RowId) -> impl Iterator<Item = (RowId, &'static Row)> {
        self.registry.subcommands(id).filter(|(sub, _)| self.has[sub.index()])
    }

    fn named(&self, name: &[u8]) -> Option<(RowId, &'static Row)> {
        let mut words = name.splitn(2, |byte| *byte == b'|');
        let top = words.next().and_then(|word| self.registry.command(word));
        let id = match (top, words.next()) {
            (Some(top), Some(sub)) => self.registry.subcommand(top, sub),
            (top, None) => top,
            (None, Some(_)) => None,
        };
        let id = id.or_else(|| self.registry.by_fullname(name))?;
        self.has[id.index()].then(|| (id, self.registry.row(id)))
    }
}

/// Writes a set of names as statuses.
fn names(out: &mut Reply, names: impl Iterator<Item = &'static str> + Clone) {
    out.set(names.clone().count());
    names.for_each(|name| out.status(name));
}

fn all(call: &mut Call<'_, '_>) -> Done {
    let shown = Shown::of(call.core.server);
    let rows: Vec<_> = shown.top().collect();
    call.client.out.array(rows.len());
    for (id, row) in rows {
        describe::info(&mut call.client.out, &shown, id, row);
    }
    Ok(())
}

fn count(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(Shown::of(call.core.server).top().count() as i64);
    Ok(())
}

fn info(call: &mut Call<'_, '_>) -> Done {
    if call.args.len() == 2 {
        return all(call);
    }
    let shown = Shown::of(call.core.server);
    let asked = call.args.from(2);
    call.client.out.array(asked.len());
    for name in asked.iter() {
        match shown.named(name) {
            Some((id, row)) => describe::info(&mut call.client.out, &shown, id, row),
            None => call.client.out.null(),
        }
    }
    Ok(())
}

fn docs(call: &mut Call<'_, '_>) -> Done {
    let shown = Shown::of(call.core.server);
    let rows: Vec<_> = match call.args.len() {
        2 => shown.top().collect(),
        _ => call.args.from(2).iter().filter_map(|name| shown.named(name)).collect(),
    };
    call.client.out.map(rows.len());
    for (id, row) in rows {
        call.client.out.bulk(row.fullname.as_bytes());
        docs::docs(&mut call.client.out, &shown, id, row);
    }
    Ok(())
}

/// What COMMAND LIST leaves out.
enum ListFilter<'a> {
    None,
    /// There are no modules.
    Module,
    Category(Option<Categories>),
    Pattern(&'a [u8]),
}

impl ListFilter<'_> {
    fn matches(&self, row: &Row) -> bool {
        match self {
            ListFilter::None => true,
            ListFilter::Module | ListFilter::Category(None) => false,
            ListFilter::Category(Some(category)) => row.acl().contains(*category),
            ListFilter::Pattern(pattern) => glob::matches_nocase(pattern, row.fullname.as_bytes()),
        }
    }
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let filter = match call.args.len() {
        2 => ListFilter::None,
        5 if call.args.at(2).eq_ignore_ascii_case(b"filterby") => {
            let value = call.args.at(4);
            match call.args.at(3).to_ascii_lowercase().as_slice() {
                b"module" => ListFilter::Module,
                b"aclcat" => ListFilter::Category(Categories::by_name(value)),
                b"pattern" => ListFilter::Pattern(value),
                _ => return Err(error::common::SYNTAX),
            }
        }
        _ => return Err(error::common::SYNTAX),
    };
    let shown = Shown::of(call.core.server);
    let mut names = Vec::new();
    for (id, row) in shown.top() {
        names.push(row);
        names.extend(shown.subcommands(id).map(|(_, row)| row));
    }
    names.retain(|row| filter.matches(row));
    call.client.out.array(names.len());
    names.iter().for_each(|row| call.client.out.bulk(row.fullname.as_bytes()));
    Ok(())
}

fn getkeys(call: &mut Call<'_, '_>, with_flags: bool) -> Done {
    let server = call.core.server;
    let args = call.args.from(2);
    let row = match server.registry.lookup(&args) {
        Lookup::Found(id) if server.has(id) => server.registry.row(id),
        _ => return Err(error::keys::GETKEYS_UNKNOWN),
    };
    if !row.has_keys() {
        return Err(error::keys::GETKEYS_NO_KEYS);
    }
    if !row.accepts(args.len()) {
        return Err(error::keys::GETKEYS_ARITY);
    }
    let keys = row.keys_of(&args).unwrap_or_default();
    if keys.is_empty() && !row.has(Flags::NO_MANDATORY_KEYS) {
        return Err(error::keys::GETKEYS_ARGUMENTS);
    }
    let out = &mut call.client.out;
    out.array(keys.len());
    for key in keys {
        if with_flags {
            out.array(2);
        }
        out.bulk(args.at(key.index as usize));
        if with_flags {
            names(out, key.flags.names().collect::<Vec<_>>().into_iter());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    #[test]
    fn only_what_is_there_is_shown() {
        let mut node = Node::start("");
        let a = node.connect();
        let count: usize = node.say(a, "COMMAND COUNT").trim()[1..].parse().unwrap();
        let list = node.say(a, "COMMAND LIST");
        let top =
            list.split("\r\n").filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()) && !line.contains('|'));
        assert_eq!(top.count(), count);
        assert!(list.contains("client|kill") && !list.contains("client|tracking\r") && !list.contains("sentinel"));
        assert_eq!(node.say(a, "COMMAND INFO nope client|caching"), "*2\r\n$-1\r\n$-1\r\n");
        assert!(node.say(a, "COMMAND").starts_with(&format!("*{count}\r\n*10\r\n")));
    }

    #[test]
    fn a_row_is_described_as_the_peers_do() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(
            node.say(a, "COMMAND INFO get"),
            "*1\r\n*10\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n\
             *3\r\n+@read\r\n+@string\r\n+@fast\r\n*0\r\n*1\r\n*6\r\n$5\r\nflags\r\n*2\r\n+RO\r\n+access\r\n\
             $12\r\nbegin_search\r\n*4\r\n$4\r\ntype\r\n$5\r\nindex\r\n$4\r\nspec\r\n*2\r\n$5\r\nindex\r\n:1\r\n\
             $9\r\nfind_keys\r\n*4\r\n$4\r\ntype\r\n$5\r\nrange\r\n$4\r\nspec\r\n*6\r\n$7\r\nlastkey\r\n:0\r\n\
             $7\r\nkeystep\r\n:1\r\n$5\r\nlimit\r\n:0\r\n*0\r\n"
        );
    }

    #[test]
    fn keys_are_found() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(node.say(a, "COMMAND GETKEYS SET k v"), "*1\r\n$1\r\nk\r\n");
        assert_eq!(node.say(a, "COMMAND GETKEYSANDFLAGS GET k"), "*1\r\n*2\r\n$1\r\nk\r\n*2\r\n+RO\r\n+access\r\n");
        for (args, error) in [
            ("nope", "Invalid command specified"),
            ("PING", "The command has no key arguments"),
            ("GET", "Invalid number of arguments specified for command"),
        ] {
            assert_eq!(node.say(a, &format!("COMMAND GETKEYS {args}")), format!("-ERR {error}\r\n"));
        }
    }

    #[test]
    fn lists_are_filtered() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(node.say(a, "COMMAND LIST FILTERBY PATTERN CLIENT|K*"), "*1\r\n$11\r\nclient|kill\r\n");
        assert_eq!(node.say(a, "COMMAND LIST FILTERBY MODULE x"), "*0\r\n");
        assert_eq!(node.say(a, "COMMAND LIST FILTERBY ACLCAT nope"), "*0\r\n");
        assert!(node.say(a, "COMMAND LIST FILTERBY ACLCAT transaction").contains("$5\r\nwatch\r\n"));
        assert_eq!(node.say(a, "COMMAND LIST FILTERBY odd x"), "-ERR syntax error\r\n");
    }
}
