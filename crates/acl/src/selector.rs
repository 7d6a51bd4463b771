//! A selector: commands, and the keys, channels and databases on which they may be used.
//!
//! ```text
//!   -@all +@read -mget +config|get      ──►  bits of commands, and the rules themselves, to be shown again
//!   ~app:* %R~shared:*                  ──►  patterns, each with what may be done with keys like that
//!   &news.*   db=0,3                    ──►  channels, databases
//! ```
//!
//! Order matters only among rules of commands, and only the newest rule about a command is kept: `+get -get` is shown as
//! `-get`, and a rule about a container replaces those about its subcommands.
//!
//! Differs from the peers in nothing that can be seen: the texts are theirs.

use std::collections::{BTreeMap, BTreeSet};

use command::registry::RowId;
use command::row::Categories;
use resp::inline;

use crate::rule::{RuleError, Vocabulary, has_space, is};

/// Words of 64 bits that hold a bit for each row.
const WORDS: usize = 16;

/// What a pattern allows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Access {
    pub read: bool,
    pub write: bool,
}

/// Keys that look like this, and what may be done with them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeyPattern {
    pub glob: Vec<u8>,
    pub access: Access,
}

impl KeyPattern {
    fn describe(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match (self.access.read, self.access.write) {
            (true, true) => b"~",
            (true, false) => b"%R~",
            _ => b"%W~",
        });
        out.extend_from_slice(&self.glob);
    }
}

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// No command was ever taken away since `+@all`.
    pub(crate) all_commands: bool,
    pub(crate) all_keys: bool,
    pub(crate) all_channels: bool,
    pub(crate) all_databases: bool,
    /// `+@all` is what the rules begin with.
    begins_with_all: bool,
    commands: [u64; WORDS],
    /// First arguments with which commands are allowed that otherwise are not.
    first_args: BTreeMap<RowId, Vec<Vec<u8>>>,
    pub(crate) patterns: Vec<KeyPattern>,
    pub(crate) channels: Vec<Vec<u8>>,
    pub(crate) databases: BTreeSet<u32>,
    /// Whether allowed, and the command or `@category`, in the order in which they count.
    rules: Vec<(bool, Vec<u8>)>,
}

impl Selector {
    /// One that allows nothing, but maybe every channel, and every database.
    pub(crate) fn new(all_channels: bool) -> Self {
        Selector {
            all_commands: false,
            all_keys: false,
            all_channels,
            all_databases: true,
            begins_with_all: false,
            commands: [0; WORDS],
            first_args: BTreeMap::new(),
            patterns: Vec::new(),
            channels: Vec::new(),
            databases: BTreeSet::new(),
            rules: Vec::new(),
        }
    }

    /// One that is written as `(rules)`.
    pub(crate) fn parse(text: &[u8], words: Vocabulary<'_>) -> Result<Self, RuleError> {
        let mut selector = Selector::new(words.all_channels);
        for rule in inline::split_owned(text).unwrap_or_default() {
            selector.apply(&rule, words)?;
        }
        Ok(selector)
    }

    /// Whether it allows everything.
    pub(crate) fn is_free(&self) -> bool {
        self.all_commands && self.all_keys && self.all_channels && self.all_databases
    }

    /// Applies one rule. On error the selector may be half changed: the caller drops it.
    pub(crate) fn apply(&mut self, rule: &[u8], words: Vocabulary<'_>) -> Result<(), RuleError> {
        if is(rule, "allkeys") || rule == b"~*" {
            self.all_keys = true;
            self.patterns.clear();
        } else if is(rule, "resetkeys") {
            self.all_keys = false;
            self.patterns.clear();
        } else if is(rule, "allchannels") || rule == b"&*" {
            self.all_channels = true;
            self.channels.clear();
        } else if is(rule, "resetchannels") {
            self.all_channels = false;
            self.channels.clear();
        } else if is(rule, "alldbs") || is(rule, "resetdbs") {
            self.all_databases = is(rule, "alldbs");
            self.databases.clear();
        } else if rule.len() >= 3 && is(&rule[..3], "db=") {
            self.databases = databases(&rule[3..])?;
            self.all_databases = false;
        } else if is(rule, "allcommands") || is(rule, "+@all") {
            self.base(true);
        } else if is(rule, "nocommands") || is(rule, "-@all") {
            self.base(false);
        } else {
            match rule {
                [b'~' | b'%', ..] => self.add_key_pattern(rule)?,
                [b'&', pattern @ ..] => self.add_channel(pattern)?,
                [sign @ (b'+' | b'-'), b'@', ..] => self.set_category(*sign == b'+', &rule[1..], words)?,
                [b'+', name @ ..] if name.contains(&b'|') => self.allow_below(name, words)?,
                [sign @ (b'+' | b'-'), name @ ..] => {
                    let id = words.registry.by_fullname(name).ok_or(RuleError::Unknown)?;
                    self.set_command(id, *sign == b'+', words);
                    self.note_rule(*sign == b'+', words.registry.row(id).fullname.as_bytes());
                }
                _ => return Err(RuleError::Syntax),
            }
        }
        Ok(())
    }

    /// `+@all`, for the user that is there before any rule is read.
    pub(crate) fn allow_all_commands(&mut self) {
        self.base(true);
    }

    fn base(&mut self, all: bool) {
        self.commands = [if all { u64::MAX } else { 0 }; WORDS];
        self.all_commands = all;
        self.begins_with_all = all;
        self.first_args.clear();
        self.rules.clear();
    }

    fn add_key_pattern(&mut self, rule: &[u8]) -> Result<(), RuleError> {
        if self.all_keys {
            return Err(RuleError::AfterAllKeys);
        }
        let mut access = Access::default();
        let mut at = 1;
        if rule[0] == b'~' {
            access = Access { read: true, write: true };
        } else {
            loop {
                match rule.get(at).map(u8::to_ascii_uppercase) {
                    Some(b'R') if !access.read => access.read = true,
                    Some(b'W') if !access.write => access.write = true,
                    Some(b'~') => {
                        at += 1;
                        break;
                    }
                    Some(_) => return Err(RuleError::Syntax),
                    None => break,
                }
                at += 1;
            }
            if access == Access::default() {
                return Err(RuleError::Syntax);
            }
        }
        let glob = &rule[at..];
        if has_space(glob) {
            return Err(RuleError::Syntax);
        }
        match self.patterns.iter_mut().find(|known| known.glob == glob) {
            Some(known) => {
                known.access.read |= access.read;
                known.access.write |= access.write;
            }
            None => self.patterns.push(KeyPattern { glob: glob.to_vec(), access }),
        }
        Ok(())
    }

    fn add_channel(&mut self, pattern: &[u8]) -> Result<(), RuleError> {
        if self.all_channels {
            return Err(RuleError::AfterAllChannels);
        }
        if has_space(pattern) {
            return Err(RuleError::Syntax);
        }
        if !self.channels.iter().any(|known| known == pattern) {
            self.channels.push(pattern.to_vec());
        }
        Ok(())
    }

    fn set_category(&mut self, allow: bool, category: &[u8], words: Vocabulary<'_>) -> Result<(), RuleError> {
        let wanted = Categories::by_name(&category[1..]).ok_or(RuleError::Unknown)?;
        self.note_rule(allow, category);
        for (id, row) in words.rows() {
            if row.acl().contains(wanted) {
                self.set_command(id, allow, words);
            }
        }
        Ok(())
    }

    /// `+container|subcommand`, or `+command|first-argument`.
    fn allow_below(&mut self, name: &[u8], words: Vocabulary<'_>) -> Result<(), RuleError> {
        let at = name.iter().rposition(|c| *c == b'|').ok_or(RuleError::Syntax)?;
        let (command, below) = (&name[..at], &name[at + 1..]);
        let registry = words.registry;
        let id = registry.by_fullname(command).ok_or(RuleError::Unknown)?;
        if registry.parent(id).is_some() {
            return Err(RuleError::FirstArgOfSubcommand);
        }
        if below.is_empty() {
            return Err(RuleError::Syntax);
        }
        if registry.is_container(id) {
            let sub = registry.by_fullname(name).ok_or(RuleError::Unknown)?;
            self.set_command(sub, true, words);
        } else {
            let known = self.first_args.entry(id).or_default();
            if !known.iter().any(|arg| arg.eq_ignore_ascii_case(below)) {
                known.push(below.to_vec());
            }
        }
        self.note_rule(true, name);
        Ok(())
    }

    /// Allows or forbids a command, and its subcommands if it has any.
    fn set_command(&mut self, id: RowId, allow: bool, words: Vocabulary<'_>) {
        self.set_bit(id, allow);
        self.first_args.remove(&id);
        if words.registry.is_container(id) {
            words.children(id).for_each(|child| self.set_bit(child, allow));
        }
    }

    fn set_bit(&mut self, id: RowId, allow: bool) {
        let (word, bit) = (id.index() / 64, 1 << (id.index() % 64));
        if allow {
            self.commands[word] |= bit;
        } else {
            self.commands[word] &= !bit;
            self.all_commands = false;
        }
    }

    /// Keeps a rule, in the place of those that it makes void.
    fn note_rule(&mut self, allow: bool, rule: &[u8]) {
        let rule = rule.to_ascii_lowercase();
        let void = |old: &[u8]| old.strip_prefix(&rule[..]).is_some_and(|rest| rest.is_empty() || rest[0] == b'|');
        self.rules.retain(|(_, old)| !void(old));
        self.rules.push((allow, rule));
    }

    /// Whether a command may be used, its first argument being this.
    pub(crate) fn allows_command(&self, id: RowId, first: Option<&[u8]>) -> bool {
        if self.all_commands || self.commands[id.index() / 64] & 1 << (id.index() % 64) != 0 {
            return true;
        }
        let (Some(first), Some(allowed)) = (first, self.first_args.get(&id)) else { return false };
        allowed.iter().any(|arg| arg.eq_ignore_ascii_case(first))
    }

    /// Whether all keys may be read, whatever their names.
    pub(crate) fn reads_everything(&self) -> bool {
        self.all_keys || self.patterns.iter().any(|known| known.access.read && known.glob == b"*")
    }

    /// The rules about commands, as they would be given again.
    pub fn describe_commands(&self) -> Vec<u8> {
        let mut text = if self.begins_with_all { b"+@all".to_vec() } else { b"-@all".to_vec() };
        for (allow, rule) in &self.rules {
            text.extend_from_slice(if *allow { b" +" } else { b" -" });
            text.extend_from_slice(rule);
        }
        text
    }

    /// The patterns of keys.
    pub fn describe_keys(&self) -> Vec<u8> {
        if self.all_keys {
            return b"~*".to_vec();
        }
        joined(&self.patterns, |pattern, text| pattern.describe(text))
    }

    /// The patterns of channels.
    pub fn describe_channels(&self) -> Vec<u8> {
        if self.all_channels {
            return b"&*".to_vec();
        }
        joined(&self.channels, |pattern, text| {
            text.push(b'&');
            text.extend_from_slice(pattern);
        })
    }

    /// The databases; nothing when there are none.
    pub fn describe_databases(&self) -> Vec<u8> {
        if self.all_databases {
            return b"alldbs".to_vec();
        }
        if self.databases.is_empty() {
            return Vec::new();
        }
        let numbers: Vec<String> = self.databases.iter().map(u32::to_string).collect();
        format!("db={}", numbers.join(",")).into_bytes()
    }

    /// Rules that make an equal selector.
    pub fn describe(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if self.all_keys || !self.patterns.is_empty() {
            text.extend_from_slice(&self.describe_keys());
            text.push(b' ');
        }
        if !self.all_channels {
            text.extend_from_slice(b"resetchannels ");
        }
        if self.all_channels || !self.channels.is_empty() {
            text.extend_from_slice(&self.describe_channels());
            text.push(b' ');
        }
        if !self.all_databases {
            let databases = self.describe_databases();
            text.extend_from_slice(if databases.is_empty() { b"resetdbs" } else { &databases });
            text.push(b' ');
        }
        text.extend_from_slice(&self.describe_commands());
        text
    }
}

fn joined<T>(items: &[T], write: impl Fn(&T, &mut Vec<u8>)) -> Vec<u8> {
    let mut text = Vec::new();
    for item in items {
        if !text.is_empty() {
            text.push(b' ');
        }
        write(item, &mut text);
    }
    text
}

/// The numbers of `db=`.
fn databases(list: &[u8]) -> Result<BTreeSet<u32>, RuleError> {
    let number = |word: &[u8]| {
        let digits = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return Err(RuleError::Syntax);
        }
        let text = std::str::from_utf8(word).map_err(|_| RuleError::Syntax)?;
        match text.parse::<i64>() {
            Ok(n @ 0..=0x7fff_ffff) => Ok(n as u32),
            _ => Err(RuleError::DatabaseRange),
        }
    };
    list.split(|c| *c == b',').map(number).collect()
}
