//! Commands by chance, from the grammar in the table of commands.
//!
//! ```text
//!   SET key value [NX | XX | IFEQ v] [GET] [EX s | PX ms | …]      the row
//!   SET string:3 kx81 GET EX 42                                    one walk through it
//! ```
//!
//! Optional parts are taken half of the time, of alternatives one, of repeatable parts one to three. Keys are of a few
//! names for each type, so that commands meet each other's data; one in ten is of another type. Whole numbers stay
//! small, so that no command asks for gigabytes or years. A `numkeys` is followed by as many keys.
//!
//! What would end the server, the connection or the run is left out, and so is what blocks.

use command::row::{Arg, ArgFlags, ArgKind, Flags, Group, Row};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};

/// Containers and commands that are never sent.
const NEVER: &[&str] = &[
    "acl",
    "asking",
    "cluster",
    "debug",
    "failover",
    "migrate",
    "module",
    "monitor",
    "psync",
    "quit",
    "replconf",
    "replicaof",
    "restore-asking",
    "save",
    "sentinel",
    "shutdown",
    "slaveof",
    "sync",
];

/// Subcommands that are never sent.
const NEVER_SUB: &[&str] = &[
    "client|kill",
    "client|pause",
    "client|reply",
    "client|tracking",
    "config|rewrite",
    "config|set",
    "function|kill",
    "script|debug",
    "script|kill",
];

/// Directives that may be set when that is allowed: limits of encodings, which are harmless at any value.
const DIRECTIVES: &[&str] = &[
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "list-compress-depth",
    "set-max-intset-entries",
    "set-max-listpack-entries",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
];

/// Types that keys are named after.
const TYPES: &[&str] = &["string", "list", "set", "zset", "hash", "stream", "bitmap", "hll", "geo"];

/// Keys of each type.
const KEYS: u32 = 5;

const MOST_REPEATED: usize = 3;
const LARGEST: i64 = 100;
const LONGEST: usize = 50;

/// What may be sent to one server.
#[derive(Clone)]
pub struct Grammar {
    rows: Vec<&'static Row>,
    config: bool,
}

impl Grammar {
    /// Of the commands that the server knows, in lower case; of all when it did not tell.
    pub fn new(known: Option<&[String]>, config: bool) -> Self {
        let is_known = |row: &Row| known.is_none_or(|known| known.iter().any(|name| name == top(row)));
        let rows: Vec<&'static Row> = command::table::rows().collect();
        let is_container = |row: &Row| rows.iter().any(|other| other.parent() == Some(row.fullname));
        let may_be_sent = |row: &&&'static Row| {
            let subscribes = row.group == Group::Pubsub && row.fullname.ends_with("subscribe");
            !NEVER.contains(&top(row))
                && !NEVER_SUB.contains(&row.fullname)
                && !row.has(Flags::BLOCKING)
                && !subscribes
                && !is_container(row)
                && is_known(row)
        };
        Grammar { rows: rows.iter().filter(may_be_sent).copied().collect(), config }
    }

    /// The words of one command.
    pub fn command(&self, chance: &mut SmallRng) -> Vec<Vec<u8>> {
        if self.config && chance.random_ratio(1, 50) {
            let value = chance.random_range(0..LARGEST).to_string();
            let directive = DIRECTIVES.choose(chance).copied().unwrap_or_default();
            return ["CONFIG", "SET", directive, &value].map(|word| word.as_bytes().to_vec()).to_vec();
        }
        let Some(row) = self.rows.choose(chance) else { return vec![b"PING".to_vec()] };
        let mut walk = Walk { chance, kind: kind_of(row.group), keys: None, words: Vec::new() };
        walk.words.extend(row.fullname.split('|').map(|word| word.to_uppercase().into_bytes()));
        walk.all(row.args);
        walk.words
    }
}

/// Makes a command wrong in one way.
pub fn spoil(words: &mut Vec<Vec<u8>>, chance: &mut SmallRng) {
    let at = chance.random_range(0..words.len());
    match chance.random_range(0..5) {
        0 if words.len() > 1 => drop(words.remove(at.max(1))),
        1 => words.insert(at + 1, words[at].clone()),
        2 => words[1..].shuffle(chance),
        3 => words[at] = (0..chance.random_range(0..LONGEST)).map(|_| chance.random()).collect(),
        _ => words.push(b"9223372036854775808".to_vec()),
    }
}

fn top(row: &Row) -> &'static str {
    row.parent().unwrap_or(row.fullname)
}

/// The type that a group's commands work on.
fn kind_of(group: Group) -> &'static str {
    match group {
        Group::List => "list",
        Group::Set => "set",
        Group::SortedSet => "zset",
        Group::Hash => "hash",
        Group::Stream => "stream",
        Group::Bitmap => "bitmap",
        Group::Hyperloglog => "hll",
        Group::Geo => "geo",
        _ => "string",
    }
}

/// One way through a grammar.
struct Walk<'a> {
    chance: &'a mut SmallRng,
    kind: &'static str,
    /// How many keys were announced and not given yet.
    keys: Option<usize>,
    words: Vec<Vec<u8>>,
}

impl Walk<'_> {
    fn all(&mut self, args: &[Arg]) {
        args.iter().for_each(|arg| self.one(arg));
    }

    fn one(&mut self, arg: &Arg) {
        if arg.flags.contains(ArgFlags::OPTIONAL) && self.chance.random() {
            return;
        }
        let mut times = 1;
        if arg.flags.contains(ArgFlags::MULTIPLE) {
            let announced = if arg.kind == ArgKind::Key { self.keys.take() } else { None };
            times = announced.unwrap_or_else(|| self.chance.random_range(1..=MOST_REPEATED));
        }
        for time in 0..times {
            let repeats_token = arg.flags.contains(ArgFlags::MULTIPLE_TOKEN);
            if let Some(token) = arg.token
                && (time == 0 || repeats_token)
            {
                self.words.push(token.as_bytes().to_vec());
            }
            self.value(arg);
        }
    }

    fn value(&mut self, arg: &Arg) {
        let word = match arg.kind {
            ArgKind::PureToken => return,
            ArgKind::Block => return self.all(arg.args),
            ArgKind::OneOf => {
                if let Some(choice) = arg.args.choose(self.chance) {
                    // What is optional in it was decided by choosing it.
                    self.one(&Arg { flags: ArgFlags(choice.flags.0 & !ArgFlags::OPTIONAL.0), ..*choice });
                }
                return;
            }
            ArgKind::Key => self.key(),
            ArgKind::Integer if arg.name == "numkeys" => {
                let count = self.chance.random_range(1..=MOST_REPEATED);
                self.keys = Some(count);
                count.to_string()
            }
            ArgKind::Integer | ArgKind::UnixTime => self.integer().to_string(),
            ArgKind::Double => format!("{:.2}", self.chance.random_range(-100.0..100.0)),
            ArgKind::Pattern => ["*", "key*", "[a-m]*", "*?"].choose(self.chance).copied().unwrap_or("*").to_owned(),
            ArgKind::String => self.text(arg.name),
        };
        self.words.push(word.into_bytes());
    }

    fn integer(&mut self) -> i64 {
        if self.chance.random_ratio(1, 10) { -1 } else { self.chance.random_range(0..LARGEST) }
    }

    fn key(&mut self) -> String {
        let is_other = self.chance.random_ratio(1, 10);
        let kind = if is_other { TYPES.choose(self.chance).copied().unwrap_or(self.kind) } else { self.kind };
        format!("{kind}:{}", self.chance.random_range(0..KEYS))
    }

    fn text(&mut self, name: &str) -> String {
        match name {
            "min" | "max" | "start" | "end" | "stop" => {
                ["-", "+", "-inf", "+inf", "(1", "[a", "0", "5"].choose(self.chance).copied().unwrap_or("0").to_owned()
            }
            "id" | "lastid" | "last-id" => format!("{}-{}", self.integer().max(0), self.integer().max(0)),
            "field" | "member" | "element" => format!("{name}:{}", self.chance.random_range(0..20)),
            "group" | "consumer" => format!("{name}-{}", self.chance.random_range(0..KEYS)),
            _ if self.chance.random() => self.integer().to_string(),
            _ => {
                let length = self.chance.random_range(0..LONGEST);
                (0..length).map(|_| char::from(self.chance.random_range(b' '..=b'~'))).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn commands(grammar: &Grammar, count: usize) -> Vec<Vec<String>> {
        let mut chance = SmallRng::seed_from_u64(1);
        let text = |words: Vec<Vec<u8>>| words.iter().map(|w| String::from_utf8_lossy(w).into_owned()).collect();
        (0..count).map(|_| text(grammar.command(&mut chance))).collect()
    }

    #[test]
    fn what_is_dangerous_is_never_sent() {
        for words in commands(&Grammar::new(None, false), 5000) {
            let name = words[0].to_lowercase();
            let both = format!("{name}|{}", words.get(1).map(|word| word.to_lowercase()).unwrap_or_default());
            assert!(!NEVER.contains(&name.as_str()) && !NEVER_SUB.contains(&both.as_str()), "{words:?}");
            assert!(!name.ends_with("subscribe") && name != "blpop" && name != "wait", "{words:?}");
        }
    }

    #[test]
    fn commands_are_long_enough_and_varied() {
        let table: Vec<&'static Row> = command::table::rows().collect();
        let (mut seen, mut too_short) = (std::collections::HashSet::new(), 0);
        for words in commands(&Grammar::new(None, false), 5000) {
            let name = words[0].to_lowercase();
            if let Some(row) = table.iter().find(|row| row.fullname == name) {
                too_short += usize::from(!row.accepts(words.len()));
            }
            seen.insert(name);
        }
        assert!(seen.len() > 150, "{}", seen.len());
        // Some grammars call optional what is needed in one of several ways.
        assert!(too_short < 50, "{too_short}");
    }

    #[test]
    fn keys_are_as_many_as_announced() {
        let known = ["sintercard".to_owned()];
        for words in commands(&Grammar::new(Some(&known), false), 100) {
            let count: usize = words[1].parse().unwrap();
            assert!(words[2..2 + count].iter().all(|key| key.contains(':')), "{words:?}");
        }
    }

    #[test]
    fn a_spoiled_command_still_has_a_name() {
        let mut chance = SmallRng::seed_from_u64(1);
        let grammar = Grammar::new(None, true);
        for _ in 0..2000 {
            let mut words = grammar.command(&mut chance);
            spoil(&mut words, &mut chance);
            assert!(!words.is_empty());
        }
    }
}
