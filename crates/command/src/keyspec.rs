//! Where a command's keys are, found from its arguments alone.
//!
//! A *key spec* is a small recipe: where to begin (at an index, or behind a keyword) and how many to
//! take (a range, or as many as a count says):
//!
//! ```text
//!   ZUNIONSTORE dst 2 a b WEIGHTS 1 2
//!               ▲   ▲ ▲ ▲
//!   spec 0: index 1, range 0            spec 1: index 2, keynum (count at +0, first key at +1)
//!
//!   XREAD COUNT 5 STREAMS a b 0 0
//!                         ▲ ▲
//!   keyword STREAMS, range to half of what follows
//! ```
//!
//! Routing, lock planning, ACLs and tracking need the keys of nearly every command, and nearly every
//! command has one key at index 1. So each row carries a [`Plan`], made when the tables are compiled:
//! the common shapes are a match on three small numbers, and only the rest walk their specs. Commands
//! whose specs do not tell everything (`SORT … STORE`, `MIGRATE … KEYS`, repeated `STORE` options,
//! accesses that depend on options) have a [`KeyRule`].
//!
//! Arguments that make no sense (a count larger than the arguments, a missing `STREAMS`) yield
//! [`InvalidKeys`]: the command would be refused anyway, and has no keys.
//!
//! Costs: nothing is allocated up to four keys. O(arguments) for keywords, O(keys) otherwise.

mod channels;
mod databases;
mod rule;

pub use channels::{ChannelFlags, Channels};
pub use databases::Databases;
pub use rule::KeyRule;

use resp::{Args, integer};
use smallvec::SmallVec;

use crate::row::{Row, bits};

bits! {
    /// What a command does with a key.
    KeyFlags(u16) {
        /// Reads the value and returns it or something of it.
        RO = 0, "RO";
        /// Reads and changes the value.
        RW = 1, "RW";
        /// Overwrites the value without looking at it.
        OW = 2, "OW";
        /// Removes the key.
        RM = 3, "RM";
        /// Returns or copies data of the user.
        ACCESS = 4, "access";
        /// Changes data of the user.
        UPDATE = 5, "update";
        /// Adds data, changing none.
        INSERT = 6, "insert";
        /// Deletes data.
        DELETE = 7, "delete";
        /// Not a key, but routed like one (a shard channel).
        NOT_KEY = 8, "not_key";
        /// There may be keys that the spec does not find.
        INCOMPLETE = 9, "incomplete";
        /// The real flags depend on other arguments.
        VARIABLE_FLAGS = 10, "variable_flags";
    }
}

/// Where a spec's search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    Unknown,
    Index(i16),
    /// Behind the first `word` at or after argument `from`; a negative `from` counts from the end and
    /// searches backwards.
    Keyword {
        word: &'static str,
        from: i16,
    },
}

/// Which arguments from there are keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    Unknown,
    /// Every `step`-th up to `last`, which counts from the first key, or when negative from the end;
    /// with `last` -1 a `limit` above one takes only that fraction of what follows.
    Range {
        last: i16,
        step: i16,
        limit: i16,
    },
    /// The count stands at offset `count`, the keys from offset `first` on.
    Keynum {
        count: i16,
        first: i16,
        step: i16,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    pub notes: Option<&'static str>,
    pub flags: KeyFlags,
    pub begin: Begin,
    pub find: Find,
}

impl KeySpec {
    const ONE: Find = Find::Range { last: 0, step: 1, limit: 0 };

    /// One key at `index`, until told otherwise.
    pub const fn at(index: i16) -> KeySpec {
        KeySpec { notes: None, flags: KeyFlags::NONE, begin: Begin::Index(index), find: Self::ONE }
    }

    /// One key behind `word`, until told otherwise.
    pub const fn behind(word: &'static str, from: i16) -> KeySpec {
        KeySpec { notes: None, flags: KeyFlags::NONE, begin: Begin::Keyword { word, from }, find: Self::ONE }
    }

    /// Keys that no recipe finds.
    pub const fn unknown() -> KeySpec {
        KeySpec { notes: None, flags: KeyFlags::NONE, begin: Begin::Unknown, find: Find::Unknown }
    }

    pub const fn range(mut self, last: i16, step: i16, limit: i16) -> KeySpec {
        self.find = Find::Range { last, step, limit };
        self
    }

    pub const fn keynum(mut self, count: i16, first: i16, step: i16) -> KeySpec {
        self.find = Find::Keynum { count, first, step };
        self
    }

    pub const fn flags(mut self, flags: &[KeyFlags]) -> KeySpec {
        self.flags = KeyFlags::of(flags);
        self
    }

    pub const fn notes(mut self, notes: &'static str) -> KeySpec {
        self.notes = Some(notes);
        self
    }

    /// The arguments that this spec finds, `first..=last` in steps, or `None` when there are none.
    fn span(&self, args: &Args<'_>) -> Result<Option<Span>, InvalidKeys> {
        let argc = args.len() as i64;
        let first = match self.begin {
            Begin::Unknown => return Err(InvalidKeys),
            Begin::Index(index) => i64::from(index),
            Begin::Keyword { word, from } => match find_keyword(args, word, from) {
                Some(at) => at as i64 + 1,
                None => return Ok(None),
            },
        };
        let (first, last, step) = match self.find {
            Find::Unknown => return Err(InvalidKeys),
            Find::Range { last, step, .. } if last >= 0 => (first, first + i64::from(last), step),
            Find::Range { last, step, limit: 0 } => (first, argc + i64::from(last), step),
            Find::Range { last, step, limit } => {
                (first, first + (argc - first) / i64::from(limit) + i64::from(last), step)
            }
            Find::Keynum { count, first: offset, step } => {
                let at = usize::try_from(first + i64::from(count)).map_err(|_| InvalidKeys)?;
                let keys = args.get(at).and_then(integer::parse).filter(|&n| n >= 0).ok_or(InvalidKeys)?;
                let begin = first + i64::from(offset);
                let span = (keys - 1).checked_mul(i64::from(step)).ok_or(InvalidKeys)?;
                (begin, begin.checked_add(span).ok_or(InvalidKeys)?, step)
            }
        };
        if first < 0 || last < first || last >= argc {
            return Err(InvalidKeys);
        }
        Ok(Some(Span { first: first as u32, last: last as u32, step: step as u32 }))
    }
}

#[derive(Clone, Copy, Debug)]
struct Span {
    first: u32,
    last: u32,
    step: u32,
}

fn find_keyword(args: &Args<'_>, word: &str, from: i16) -> Option<usize> {
    let is_word = |i: &usize| args.get(*i).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    if from > 0 {
        // The last argument cannot be followed by a key, so it is not looked at.
        (from as usize..args.len().saturating_sub(1)).find(is_word)
    } else {
        let from = args.len().checked_sub(usize::from(from.unsigned_abs()))?;
        (2..=from).rev().find(is_word)
    }
}

/// A key among the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyAt {
    pub index: u32,
    pub flags: KeyFlags,
}

/// The keys of one command, in the order of its specs.
pub type Keys = SmallVec<[KeyAt; 4]>;

/// The arguments are such that the command must refuse them: it has no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidKeys;

/// How to find a command's keys, from the cheapest to the dearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    None,
    /// Exactly one key, at index 1.
    First(KeyFlags),
    /// Every `step`-th argument from `first` to `last`; a negative `last` counts from the end.
    Range {
        first: u16,
        last: i16,
        step: u16,
        flags: KeyFlags,
    },
    /// All specs, one after the other.
    Specs,
    Rule(KeyRule),
}

impl Plan {
    pub const fn of(specs: &[KeySpec]) -> Plan {
        let mut real = 0;
        let mut i = 0;
        while i < specs.len() {
            if !specs[i].flags.contains(KeyFlags::NOT_KEY) {
                real += 1;
            }
            i += 1;
        }
        if real == 0 {
            return Plan::None;
        }
        if specs.len() == 1 {
            let flags = specs[0].flags;
            if let (Begin::Index(first), Find::Range { last, step, limit: 0 }) = (specs[0].begin, specs[0].find) {
                if first == 1 && last == 0 {
                    return Plan::First(flags);
                }
                let last = if last >= 0 { first + last } else { last };
                return Plan::Range { first: first as u16, last, step: step as u16, flags };
            }
        }
        Plan::Specs
    }
}

/// First, last and step as `COMMAND` has shown them since before there were specs; zeros for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Legacy {
    pub first: i16,
    /// Negative: counted from the end.
    pub last: i16,
    pub step: i16,
}

impl Legacy {
    pub const NONE: Legacy = Legacy { first: 0, last: 0, step: 0 };

    /// The best such triple, and whether it leaves keys out ("movable keys").
    pub const fn of(specs: &[KeySpec]) -> (Legacy, bool) {
        if specs.len() == 1
            && let Begin::Index(first) = specs[0].begin
            && let Find::Range { last, step, .. } = specs[0].find
        {
            let last = if last >= 0 { first + last } else { last };
            return (Legacy { first, last, step }, specs[0].flags.contains(KeyFlags::INCOMPLETE));
        }
        let mut movable = false;
        let mut legacy = Legacy::NONE;
        let mut previous = 0;
        let mut i = 0;
        while i < specs.len() {
            let spec = specs[i];
            i += 1;
            let (Begin::Index(first), Find::Range { last, step: 1, .. }) = (spec.begin, spec.find) else {
                movable = true;
                continue;
            };
            // Only ranges that lie side by side can be told as one.
            if previous != 0 && previous != first - 1 {
                movable = true;
                continue;
            }
            if spec.flags.contains(KeyFlags::INCOMPLETE) {
                movable = true;
            }
            let last = if last >= 0 { first + last } else { last };
            if legacy.first == 0 || first < legacy.first {
                legacy.first = first;
            }
            // "To the end" is further than any index.
            if legacy.last >= 0 && (last < 0 || last > legacy.last) {
                legacy.last = last;
            }
            legacy.step = 1;
            previous = legacy.last;
        }
        (legacy, !specs.is_empty() && (movable || legacy.first == 0))
    }
}

impl Row {
    /// The keys among `args`, whose first is the command's name (a subcommand's: both names).
    #[inline]
    pub fn keys_of(&self, args: &Args<'_>) -> Result<Keys, InvalidKeys> {
        match self.plan {
            Plan::None => Ok(Keys::new()),
            Plan::First(flags) if args.len() > 1 => Ok(SmallVec::from_slice(&[KeyAt { index: 1, flags }])),
            Plan::First(_) => Err(InvalidKeys),
            Plan::Range { first, last, step, flags } => {
                let last = if last >= 0 { last as usize } else { args.len().saturating_sub(-last as usize) };
                if last < usize::from(first) || last >= args.len() {
                    return Err(InvalidKeys);
                }
                Ok((u32::from(first)..=last as u32)
                    .step_by(usize::from(step))
                    .map(|index| KeyAt { index, flags })
                    .collect())
            }
            Plan::Specs => by_specs(self.key_specs, args),
            Plan::Rule(rule) => rule::find(rule, args),
        }
    }

    /// The index of the only key, for commands that always have one at index 1.
    #[inline]
    pub const fn only_key(&self) -> Option<(usize, KeyFlags)> {
        match self.plan {
            Plan::First(flags) => Some((1, flags)),
            Plan::Rule(KeyRule::Set) => Some((1, KeyFlags::RW)),
            _ => None,
        }
    }

    /// Whether there can be keys among the arguments.
    pub const fn has_keys(&self) -> bool {
        !matches!(self.plan, Plan::None)
    }

    /// What routes this command to a slot: its keys, and shard channels, which are routed like keys.
    pub fn routed_by(&self, args: &Args<'_>) -> Result<Keys, InvalidKeys> {
        match self.plan {
            Plan::None => {
                let mut found = Keys::new();
                for spec in self.key_specs {
                    take(spec, args, &mut found)?;
                }
                Ok(found)
            }
            _ => self.keys_of(args),
        }
    }
}

fn take(spec: &KeySpec, args: &Args<'_>, found: &mut Keys) -> Result<(), InvalidKeys> {
    if let Some(span) = spec.span(args)? {
        let indexes = (span.first..=span.last).step_by(span.step as usize);
        found.extend(indexes.map(|index| KeyAt { index, flags: spec.flags }));
    }
    Ok(())
}

fn by_specs(specs: &[KeySpec], args: &Args<'_>) -> Result<Keys, InvalidKeys> {
    let mut found = Keys::new();
    for spec in specs.iter().filter(|spec| !spec.flags.contains(KeyFlags::NOT_KEY)) {
        take(spec, args, &mut found)?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::{Lookup, Mode, Registry};
    use resp::OwnedArgs;

    /// The keys and flags of a request, written as `COMMAND GETKEYSANDFLAGS` shows them.
    fn keys(request: &str) -> Result<String, InvalidKeys> {
        let words: Vec<&str> = request.split(' ').map(|word| word.trim_matches('"')).collect();
        let owned = OwnedArgs::from_slices(&words);
        let args = owned.as_args();
        let registry = Registry::new(Mode::Server);
        let Lookup::Found(id) = registry.lookup(&args) else { panic!("{request}: no such command") };
        let keys = registry.row(id).keys_of(&args)?;
        let shown = keys.iter().map(|key| {
            let flags: Vec<_> = key.flags.names().collect();
            format!("{}[{}]", words[key.index as usize], flags.join(" "))
        });
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn keys_of_all_shapes() {
        let cases = [
            ("get key", "key[RO access]"),
            ("ping", ""),
            ("set k1 v1", "k1[OW update]"),
            ("set k1 v1 ex 10 get", "k1[RW access update]"),
            ("mset k1 v1 k2 v2", "k1[OW update] k2[OW update]"),
            ("del a b c", "a[RM delete] b[RM delete] c[RM delete]"),
            ("lmove k1 k2 left right", "k1[RW access delete] k2[RW insert]"),
            ("blpop a b 0", "a[RW access delete] b[RW access delete]"),
            ("memory usage key", "key[RO]"),
            ("xgroup create key group $", "key[RW insert]"),
            ("lcs k1 k2", "k1[RO access] k2[RO access]"),
            ("msetex 2 k1 v1 k2 v2 ex 10", "k1[OW update] k2[OW update]"),
            ("sort k1 store k2", "k1[RO access] k2[OW update]"),
            ("sort k1 by store get # store k2 store k3", "k1[RO access] k3[OW update]"),
            ("sort k1 limit 0 store", "k1[RO access]"),
            ("sort_ro k1 get store", "k1[RO access]"),
            ("eval return 1 key arg", "key[RW access update]"),
            ("fcall_ro f 2 a b c", "a[RO access] b[RO access]"),
            ("zunionstore dst 2 a b weights 1 2", "dst[OW update] a[RO access] b[RO access]"),
            ("zunion 1 a withscores", "a[RO access]"),
            ("bzmpop 0 2 a b min", "a[RW access delete] b[RW access delete]"),
            ("xread count 5 streams a b 0 0", "a[RO access] b[RO access]"),
            ("xreadgroup group streams c streams a >", "a[RO access]"),
            ("xread count 5", ""),
            ("georadius k 0 0 1 m", "k[RO access]"),
            ("georadius k 0 0 1 m store a storedist b", "k[RO access] b[OW update]"),
            ("georadiusbymember k m 1 km store a", "k[RO access] a[OW update]"),
            ("bitfield k get u8 0", "k[RO access]"),
            ("bitfield k overflow sat get u8 0", "k[RO access]"),
            ("bitfield k get u8 0 set u8 0 1", "k[RW access update]"),
            ("migrate host 6379 key 0 1000", "key[RW access delete]"),
            ("migrate host 6379 \"\" 0 1000 copy auth keys keys a b", "a[RW access delete] b[RW access delete]"),
            ("migrate host 6379 key 0 1000 keys", "key[RW access delete]"),
            ("publish channel message", ""),
            ("spublish channel message", ""),
        ];
        for (request, expected) in cases {
            assert_eq!(keys(request).as_deref(), Ok(expected), "{request}");
        }
    }

    #[test]
    fn nonsense_has_no_keys() {
        for request in [
            "eval return 0",
            "eval return 2147483647 key1",
            "eval return x key1",
            "eval return -1 key1",
            "zunionstore dst 9223372036854775807 a",
            "zunion 3 a b",
            "xread streams a",
            "get",
            "mset",
            "migrate host 6379 key 0 1000 keys a",
            "migrate host keys key 0 1000 keys",
        ] {
            assert_eq!(keys(request), Err(InvalidKeys), "{request}");
        }
    }

    #[test]
    fn shard_channels_route_but_are_no_keys() {
        let owned = OwnedArgs::from_slices(&["ssubscribe", "a", "b"]);
        let registry = Registry::new(Mode::Server);
        let row = registry.row(registry.command(b"ssubscribe").unwrap());
        assert!(!row.has_keys());
        let routed: Vec<u32> = row.routed_by(&owned.as_args()).unwrap().iter().map(|key| key.index).collect();
        assert_eq!(routed, [1, 2]);
    }

    #[test]
    fn common_shapes_are_planned_ahead() {
        let registry = Registry::new(Mode::Server);
        let plan = |name: &str| registry.row(registry.by_fullname(name.as_bytes()).unwrap()).plan;
        assert!(matches!(plan("get"), Plan::First(_)));
        assert!(matches!(plan("mget"), Plan::Range { first: 1, last: -1, step: 1, .. }));
        assert!(matches!(plan("mset"), Plan::Range { first: 1, last: -1, step: 2, .. }));
        assert!(matches!(plan("memory|usage"), Plan::Range { first: 2, last: 2, step: 1, .. }));
        assert_eq!(plan("ping"), Plan::None);
        assert_eq!(plan("xread"), Plan::Specs);
    }
}
