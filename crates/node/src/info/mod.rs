//! INFO: one file for each section.
//!
//! A section writes `name:value` lines into a [`Page`]. Fields and their order are Valkey 9.1's, since tools look for them
//! by name: what we do not have is told as zero, and what only we have stands at the end of its section. Values come from
//! counters that are summed when read, from cards of clients, and from what machines tell of themselves; no section takes
//! a lock of the keyspace or waits for another thread.
//!
//! | asked for | shown |
//! |---|---|
//! | nothing, `default` | what is marked default below |
//! | `all` | all but what is only shown by name |
//! | `everything` | the same, and what modules would add |
//! | names | those, in the order of the table |

mod clients;
mod cluster;
mod commandstats;
mod cpu;
mod debug;
mod errorstats;
mod keyspace;
mod latencystats;
mod memory;
mod modules;
mod persistence;
mod replication;
mod sentinel;
mod server;
mod stats;

use std::fmt::{Display, Write};
use std::rc::Rc;

use resp::args::Args;

use crate::control::Control;
use crate::execute::Core;
use crate::server::Server;

/// When a section is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Default,
    All,
    ByName,
}

/// What a Sentinel shows, whatever it is asked for.
const OF_A_SENTINEL: [&str; 5] = ["server", "clients", "stats", "cpu", "sentinel"];

struct Section {
    name: &'static str,
    title: &'static str,
    shown: Shown,
    write: fn(&mut Page<'_>),
}

const SECTIONS: &[Section] = &[
    Section { name: "server", title: "Server", shown: Shown::Default, write: server::write },
    Section { name: "clients", title: "Clients", shown: Shown::Default, write: clients::write },
    Section { name: "memory", title: "Memory", shown: Shown::Default, write: memory::write },
    Section { name: "persistence", title: "Persistence", shown: Shown::Default, write: persistence::write },
    Section { name: "stats", title: "Stats", shown: Shown::Default, write: stats::write },
    Section { name: "replication", title: "Replication", shown: Shown::Default, write: replication::write },
    Section { name: "cpu", title: "CPU", shown: Shown::Default, write: cpu::write },
    Section { name: "modules", title: "Modules", shown: Shown::Default, write: modules::write },
    Section { name: "commandstats", title: "Commandstats", shown: Shown::All, write: commandstats::write },
    Section { name: "errorstats", title: "Errorstats", shown: Shown::Default, write: errorstats::write },
    Section { name: "latencystats", title: "Latencystats", shown: Shown::All, write: latencystats::write },
    Section { name: "cluster", title: "Cluster", shown: Shown::Default, write: cluster::write },
    Section { name: "keyspace", title: "Keyspace", shown: Shown::Default, write: keyspace::write },
    Section { name: "sentinel", title: "Sentinel", shown: Shown::Default, write: sentinel::write },
    Section { name: "debug", title: "Debug", shown: Shown::ByName, write: debug::write },
];

/// The text under way, and where its facts come from.
pub struct Page<'a> {
    /// The server.
    pub server: &'a Server,
    /// The control value of this moment.
    pub control: Rc<Control>,
    text: String,
}

impl Page<'_> {
    /// Adds a line.
    pub fn field(&mut self, name: &str, value: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{name}:{value}\r\n");
    }

    /// Adds a number of bytes, as a number and for people.
    pub fn bytes(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.field(&format!("{name}_human"), human(bytes));
    }

    /// Adds one or zero.
    pub fn flag(&mut self, name: &str, on: bool) {
        self.field(name, u8::from(on));
    }

    /// Adds fields that stand for what we do not have.
    pub fn zeros(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.field(name, 0));
    }
}

/// A number of bytes with a unit, as people read it.
pub fn human(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.2}{}", UNITS[unit])
}

/// The page for the sections that `names` (the arguments behind INFO) ask for.
pub fn page(core: &mut Core<'_>, names: Args<'_>) -> String {
    core.lease.publish_counts();
    let asked = |section: &Section| {
        names.is_empty() && section.shown == Shown::Default
            || names.iter().any(|name| match name.to_ascii_lowercase().as_slice() {
                b"default" => section.shown == Shown::Default,
                b"all" | b"everything" => section.shown != Shown::ByName,
                name => name == section.name.as_bytes(),
            })
    };
    let mut page = Page { server: core.server, control: core.control(), text: String::with_capacity(4096) };
    for section in SECTIONS.iter().filter(|section| asked(section) && is_there(page.server, section)) {
        if !page.text.is_empty() {
            page.text.push_str("\r\n");
        }
        page.text.push_str("# ");
        page.text.push_str(section.title);
        page.text.push_str("\r\n");
        (section.write)(&mut page);
    }
    page.text
}

fn is_there(server: &Server, section: &Section) -> bool {
    if server.is_sentinel() { OF_A_SENTINEL.contains(&section.name) } else { section.name != "sentinel" }
}

/// The whole page, for a crash report.
pub fn everything(server: &Server) -> String {
    let control = Rc::new(Control::clone(&server.control.load()));
    let mut page = Page { server, control, text: String::new() };
    for section in SECTIONS.iter().filter(|section| is_there(server, section)) {
        let _ = write!(page.text, "# {}\r\n", section.title);
        (section.write)(&mut page);
    }
    page.text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Node, START_MS};

    fn value(text: &str, name: &str) -> String {
        let prefix = format!("{name}:");
        let line = text.split("\r\n").find(|line| line.starts_with(&prefix));
        line.unwrap_or_else(|| panic!("{name} in {text}"))[prefix.len()..].to_owned()
    }

    #[test]
    fn bytes_for_people() {
        for (bytes, text) in [(0, "0B"), (1023, "1023B"), (1024, "1.00K"), (990_976, "967.75K"), (3 << 30, "3.00G")] {
            assert_eq!(human(bytes), text);
        }
    }

    #[test]
    fn sections_are_shown_as_asked_for() {
        let mut node = Node::start("");
        let a = node.connect();
        let titles =
            |text: String| text.split("\r\n").filter_map(|line| line.strip_prefix("# ")).collect::<Vec<_>>().join(" ");
        assert_eq!(
            titles(node.say(a, "INFO")),
            "Server Clients Memory Persistence Stats Replication CPU Modules Errorstats Cluster Keyspace"
        );
        assert_eq!(titles(node.say(a, "INFO default")), titles(node.say(a, "INFO")));
        assert_eq!(titles(node.say(a, "INFO cpu CLIENTS")), "Clients CPU");
        assert_eq!(titles(node.say(a, "INFO nope")), "");
        assert!(titles(node.say(a, "INFO everything")).contains("Commandstats"));
        assert!(!titles(node.say(a, "INFO all")).contains("Debug"));
        assert!(node.say(a, "INFO server").contains("\r\nredis_version:7.2.4\r\nserver_name:rubellite\r\n"));
    }

    #[test]
    fn commands_and_errors_are_counted() {
        let mut node = Node::with_threads("", 2, 2);
        let a = node.connect();
        let b = node.connect_to(1, "127.0.0.1:7000");
        for who in [a, b] {
            node.say(who, "GET k");
            node.say(who, "GET");
            node.say(who, "LPUSH");
        }
        node.say(a, "nope");
        let text = node.say(a, "INFO commandstats errorstats stats");
        assert_eq!(value(&text, "cmdstat_get"), "calls=2,usec=0,usec_per_call=0.00,rejected_calls=2,failed_calls=0");
        assert_eq!(value(&text, "errorstat_ERR"), "count=5");
        assert_eq!(value(&text, "total_error_replies"), "5");
        assert_eq!(value(&text, "keyspace_misses"), "2");
        node.say(a, "CONFIG RESETSTAT");
        let text = node.say(a, "INFO commandstats errorstats stats");
        assert!(!text.contains("cmdstat_get") && !text.contains("errorstat_"));
    }

    #[test]
    fn clients_are_counted_by_what_they_do() {
        let mut node = Node::start("");
        let (a, b, c) = (node.connect(), node.connect(), node.connect());
        node.say(b, "WATCH x y");
        node.say(c, "BLPOP l m l 5");
        let text = node.say(a, "INFO clients");
        for (name, expect) in [
            ("connected_clients", "3"),
            ("blocked_clients", "1"),
            ("watching_clients", "1"),
            ("total_watched_keys", "2"),
            ("total_blocking_keys", "2"),
            ("clients_in_timeout_table", "1"),
            ("paused_reason", "none"),
        ] {
            assert_eq!(value(&text, name), expect, "{name}");
        }
        node.say(a, "CLIENT PAUSE 500 WRITE");
        let text = node.say(a, "INFO clients");
        assert_eq!(value(&text, "paused_reason"), "client_pause");
        assert_eq!(value(&text, "paused_actions"), "write");
        assert_eq!(value(&text, "paused_timeout_milliseconds"), "500");
    }

    #[test]
    fn keys_are_counted_without_their_locks() {
        let mut node = Node::with_threads("", 2, 8);
        let a = node.connect();
        assert_eq!(node.say(a, "INFO keyspace"), "$12\r\n# Keyspace\r\n\r\n");
        for n in 0..20 {
            node.say(a, &format!("SET k{n} v"));
        }
        assert_eq!(node.say(a, "DBSIZE"), ":20\r\n");
        node.say(a, "DEL k7");
        assert_eq!(node.say(a, "DBSIZE"), ":19\r\n");
        assert!(node.say(a, "INFO keyspace").contains("db0:keys=19,expires=0,avg_ttl=0"));
        assert_eq!(node.say(a, "MULTI"), "+OK\r\n");
        node.send(a, b"SET x 1\r\nDBSIZE\r\nEXEC\r\n");
        assert_eq!(node.heard(a), "+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n:20\r\n");
        assert_eq!(node.say(a, "TIME"), format!("*2\r\n$10\r\n{}\r\n$1\r\n0\r\n", START_MS / 1000));
    }
}
