//! A row: everything that is known of a command before it runs.
//!
//! One table of rows serves arity checks, ACL categories, cluster routing, `COMMAND`, the hints of the
//! command line tool and the documentation. A row is plain data that the compiler lays out; it knows
//! neither a handler nor a client. Rows are built by chained `const` functions, so that the tables read
//! like this:
//!
//! ```text
//!   Row::new("getdel", String, "6.2.0", 2)
//!       .summary("Take a string away and return it")
//!       .complexity("O(1)")
//!       .flags(&[WRITE, FAST])
//!       .categories(&[STRING])
//!       .keys(&[KeySpec::at(1).flags(&[RW, ACCESS, DELETE])])
//!       .args(&[key("key", 0)])
//! ```
//!
//! A subcommand is a row of its own, named `container|subcommand`.
//!
//! Invariants
//! 1. Names are lower case, a full name is unique, and a subcommand's container has a row, too.
//! 2. Categories that flags imply are not written down but derived ([`Row::acl`]), so they cannot
//!    contradict the flags.
//! 3. `plan` says how keys are found; it is computed from the key specs when the table is compiled.

pub mod arg;

use crate::keyspec::{Channels, Databases, KeyRule, KeySpec, Legacy, Plan};
use crate::traits::{Permit, Traits};

/// What `COMMAND DOCS` files a command under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    Pubsub,
    Transactions,
    Connection,
    Server,
    Scripting,
    Hyperloglog,
    Cluster,
    Sentinel,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::Pubsub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::Hyperloglog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Sentinel => "sentinel",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }
}

/// Defines a set of named bits: the type, its members, and the names that clients see, in their order.
macro_rules! bits {
    ($(#[$doc:meta])* $set:ident($int:ty) { $($(#[$member_doc:meta])* $member:ident = $bit:expr, $name:expr;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
        pub struct $set(pub $int);

        impl $set {
            $($(#[$member_doc])* pub const $member: $set = $set(1 << $bit);)*

            pub const NONE: $set = $set(0);

            /// Every member with the name that clients see; an empty name is not shown.
            pub const ALL: &'static [($set, &'static str)] = &[$(($set::$member, $name)),*];

            /// All of `members` together.
            pub const fn of(members: &[$set]) -> $set {
                let mut result = 0;
                let mut i = 0;
                while i < members.len() {
                    result |= members[i].0;
                    i += 1;
                }
                $set(result)
            }

            pub const fn union(self, other: $set) -> $set {
                $set(self.0 | other.0)
            }

            /// What both have.
            pub const fn intersection(self, other: $set) -> $set {
                $set(self.0 & other.0)
            }

            /// Whether all of `other` are in this set.
            pub const fn contains(self, other: $set) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any of `other` is in this set.
            pub const fn intersects(self, other: $set) -> bool {
                self.0 & other.0 != 0
            }

            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// The shown names of the members present, in the order of their definition.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                let shown = move |(bit, name): &&($set, &str)| self.contains(*bit) && !name.is_empty();
                Self::ALL.iter().filter(shown).map(|(_, name)| *name)
            }

            /// The member with this name, in any case.
            pub fn by_name(name: &[u8]) -> Option<$set> {
                let mut named = Self::ALL.iter().filter(|(_, known)| !known.is_empty());
                named.find(|(_, known)| known.as_bytes().eq_ignore_ascii_case(name)).map(|(bit, _)| *bit)
            }
        }

        impl std::fmt::Debug for $set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($set))?;
                f.debug_set().entries(self.names()).finish()
            }
        }
    };
}
pub(crate) use bits;

bits! {
    /// How a command behaves: what may forbid it, where it may run, what it may do.
    Flags(u32) {
        WRITE = 0, "write";
        READONLY = 1, "readonly";
        /// Refused when memory is over the limit.
        DENYOOM = 2, "denyoom";
        ADMIN = 4, "admin";
        PUBSUB = 5, "pubsub";
        NOSCRIPT = 6, "noscript";
        BLOCKING = 7, "blocking";
        /// Allowed while the data set is being loaded.
        LOADING = 8, "loading";
        /// Allowed on a replica that has lost its primary and does not serve stale data.
        STALE = 9, "stale";
        SKIP_MONITOR = 10, "skip_monitor";
        SKIP_COMMANDLOG = 11, "skip_commandlog";
        /// Acts as if `ASKING` had been sent before.
        ASKING = 12, "asking";
        FAST = 13, "fast";
        /// Allowed before authentication.
        NO_AUTH = 14, "no_auth";
        /// Writes nothing itself but may cause something to be propagated.
        MAY_REPLICATE = 15, "";
        /// Known to Sentinel, too.
        SENTINEL = 16, "";
        /// Known to Sentinel only.
        ONLY_SENTINEL = 17, "";
        NO_MANDATORY_KEYS = 18, "no_mandatory_keys";
        NO_ASYNC_LOADING = 20, "no_async_loading";
        NO_MULTI = 21, "no_multi";
        /// Keys cannot be found from first, last and step alone.
        MOVABLE_KEYS = 22, "movablekeys";
        /// Allowed while a script has been running for too long.
        ALLOW_BUSY = 23, "allow_busy";
        TOUCHES_ARBITRARY_KEYS = 24, "";
        /// Acts on every database.
        ALL_DBS = 25, "";
    }
}

bits! {
    /// ACL categories.
    Categories(u32) {
        KEYSPACE = 0, "keyspace";
        READ = 1, "read";
        WRITE = 2, "write";
        SET = 3, "set";
        SORTEDSET = 4, "sortedset";
        LIST = 5, "list";
        HASH = 6, "hash";
        STRING = 7, "string";
        BITMAP = 8, "bitmap";
        HYPERLOGLOG = 9, "hyperloglog";
        GEO = 10, "geo";
        STREAM = 11, "stream";
        PUBSUB = 12, "pubsub";
        ADMIN = 13, "admin";
        FAST = 14, "fast";
        SLOW = 15, "slow";
        BLOCKING = 16, "blocking";
        DANGEROUS = 17, "dangerous";
        CONNECTION = 18, "connection";
        TRANSACTION = 19, "transaction";
        SCRIPTING = 20, "scripting";
    }
}

bits! {
    /// Marks of a command's documentation.
    DocFlags(u8) {
        DEPRECATED = 0, "deprecated";
        SYSCMD = 1, "syscmd";
    }
}

bits! {
    /// How often an argument may stand.
    ArgFlags(u8) {
        OPTIONAL = 0, "optional";
        MULTIPLE = 1, "multiple";
        MULTIPLE_TOKEN = 2, "multiple_token";
    }
}

/// What an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgKind {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    PureToken,
    OneOf,
    Block,
}

impl ArgKind {
    pub const fn name(self) -> &'static str {
        match self {
            ArgKind::String => "string",
            ArgKind::Integer => "integer",
            ArgKind::Double => "double",
            ArgKind::Key => "key",
            ArgKind::Pattern => "pattern",
            ArgKind::UnixTime => "unix-time",
            ArgKind::PureToken => "pure-token",
            ArgKind::OneOf => "oneof",
            ArgKind::Block => "block",
        }
    }
}

/// One argument of a command's grammar; `OneOf` and `Block` have arguments of their own.
#[derive(Clone, Copy, Debug)]
pub struct Arg {
    pub name: &'static str,
    pub kind: ArgKind,
    /// The word that stands before the argument, or is the argument (`PureToken`).
    pub token: Option<&'static str>,
    /// Which key spec finds it.
    pub key_spec: Option<u8>,
    pub flags: ArgFlags,
    pub since: Option<&'static str>,
    pub deprecated_since: Option<&'static str>,
    pub summary: Option<&'static str>,
    pub display: Option<&'static str>,
    pub args: &'static [Arg],
}

impl Arg {
    pub const fn new(name: &'static str, kind: ArgKind) -> Arg {
        Arg {
            name,
            kind,
            token: None,
            key_spec: None,
            flags: ArgFlags::NONE,
            since: None,
            deprecated_since: None,
            summary: None,
            display: None,
            args: &[],
        }
    }

    pub const fn token(mut self, token: &'static str) -> Arg {
        self.token = Some(token);
        self
    }

    pub const fn key_spec(mut self, index: u8) -> Arg {
        self.key_spec = Some(index);
        self
    }

    pub const fn optional(mut self) -> Arg {
        self.flags = self.flags.union(ArgFlags::OPTIONAL);
        self
    }

    pub const fn multiple(mut self) -> Arg {
        self.flags = self.flags.union(ArgFlags::MULTIPLE);
        self
    }

    /// May be repeated, its token with it.
    pub const fn multiple_token(mut self) -> Arg {
        self.flags = self.flags.union(ArgFlags::MULTIPLE).union(ArgFlags::MULTIPLE_TOKEN);
        self
    }

    pub const fn since(mut self, version: &'static str) -> Arg {
        self.since = Some(version);
        self
    }

    pub const fn deprecated_since(mut self, version: &'static str) -> Arg {
        self.deprecated_since = Some(version);
        self
    }

    pub const fn summary(mut self, summary: &'static str) -> Arg {
        self.summary = Some(summary);
        self
    }

    /// The text that hints show instead of the name.
    pub const fn display(mut self, text: &'static str) -> Arg {
        self.display = Some(text);
        self
    }
}

/// A command or subcommand.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `get`, or `config|get`.
    pub fullname: &'static str,
    pub group: Group,
    pub since: &'static str,
    /// The number of arguments, the name included (of a subcommand: both names); negative: at least.
    pub arity: i16,
    pub summary: &'static str,
    pub complexity: Option<&'static str>,
    pub flags: Flags,
    pub traits: Traits,
    pub permit: Option<Permit>,
    /// The categories that flags do not imply; [`Row::acl`] has all.
    pub categories: Categories,
    pub key_specs: &'static [KeySpec],
    pub plan: Plan,
    pub legacy: Legacy,
    pub channels: Channels,
    pub databases: Databases,
    pub args: &'static [Arg],
    pub tips: &'static [&'static str],
    /// Version and what changed in it.
    pub history: &'static [(&'static str, &'static str)],
    pub doc_flags: DocFlags,
    pub deprecated_since: Option<&'static str>,
    pub replaced_by: Option<&'static str>,
}

impl Row {
    pub const fn new(fullname: &'static str, group: Group, since: &'static str, arity: i16) -> Row {
        Row {
            fullname,
            group,
            since,
            arity,
            summary: "",
            complexity: None,
            flags: Flags::NONE,
            traits: Traits::NONE,
            permit: None,
            categories: Categories::NONE,
            key_specs: &[],
            plan: Plan::None,
            legacy: Legacy::NONE,
            channels: Channels::NONE,
            databases: Databases::None,
            args: &[],
            tips: &[],
            history: &[],
            doc_flags: DocFlags::NONE,
            deprecated_since: None,
            replaced_by: None,
        }
    }

    pub const fn summary(mut self, text: &'static str) -> Row {
        self.summary = text;
        self
    }

    pub const fn complexity(mut self, text: &'static str) -> Row {
        self.complexity = Some(text);
        self
    }

    pub const fn flags(mut self, flags: &[Flags]) -> Row {
        self.flags = self.flags.union(Flags::of(flags));
        self
    }

    pub const fn traits(mut self, traits: Traits) -> Row {
        self.traits = traits;
        self
    }

    pub const fn permit(mut self, permit: Permit) -> Row {
        self.permit = Some(permit);
        self
    }

    pub const fn categories(mut self, categories: &[Categories]) -> Row {
        self.categories = Categories::of(categories);
        self
    }

    pub const fn keys(mut self, specs: &'static [KeySpec]) -> Row {
        self.key_specs = specs;
        self.plan = Plan::of(specs);
        let (legacy, movable) = Legacy::of(specs);
        self.legacy = legacy;
        if movable {
            self.flags = self.flags.union(Flags::MOVABLE_KEYS);
        }
        self
    }

    /// Keys that the specs cannot tell, or can tell only in part.
    pub const fn key_rule(mut self, rule: KeyRule) -> Row {
        self.plan = Plan::Rule(rule);
        self
    }

    pub const fn channels(mut self, channels: Channels) -> Row {
        self.channels = channels;
        self
    }

    pub const fn databases(mut self, databases: Databases) -> Row {
        self.databases = databases;
        self
    }

    pub const fn args(mut self, args: &'static [Arg]) -> Row {
        self.args = args;
        self
    }

    pub const fn tips(mut self, tips: &'static [&'static str]) -> Row {
        self.tips = tips;
        self
    }

    pub const fn history(mut self, history: &'static [(&'static str, &'static str)]) -> Row {
        self.history = history;
        self
    }

    /// No page of its own in the documentation: other programs speak it, not people.
    pub const fn syscmd(mut self) -> Row {
        self.doc_flags = self.doc_flags.union(DocFlags::SYSCMD);
        self
    }

    pub const fn deprecated(mut self, since: &'static str, replaced_by: &'static str) -> Row {
        self.doc_flags = self.doc_flags.union(DocFlags::DEPRECATED);
        self.deprecated_since = Some(since);
        self.replaced_by = Some(replaced_by);
        self
    }

    /// The name of the container, when this is a subcommand.
    pub fn parent(&self) -> Option<&'static str> {
        self.fullname.split_once('|').map(|(parent, _)| parent)
    }

    /// The last word of the name.
    pub fn name(&self) -> &'static str {
        self.fullname.split_once('|').map_or(self.fullname, |(_, name)| name)
    }

    /// Whether `argc` arguments, the name included, are neither too few nor too many.
    #[inline]
    pub const fn accepts(&self, argc: usize) -> bool {
        if self.arity >= 0 { argc == self.arity as usize } else { argc >= -(self.arity as isize) as usize }
    }

    #[inline]
    pub const fn has(&self, flag: Flags) -> bool {
        self.flags.contains(flag)
    }

    #[inline]
    pub const fn is(&self, what: Traits) -> bool {
        self.traits.contains(what)
    }

    /// All ACL categories: the written ones and those that the flags imply.
    pub const fn acl(&self) -> Categories {
        let mut all = self.categories;
        if self.has(Flags::WRITE) {
            all = all.union(Categories::WRITE);
        }
        // A script's keys are the script's business: EVAL_RO reads, but is not filed under reading.
        if self.has(Flags::READONLY) && !all.contains(Categories::SCRIPTING) {
            all = all.union(Categories::READ);
        }
        if self.has(Flags::ADMIN) {
            all = all.union(Categories::ADMIN).union(Categories::DANGEROUS);
        }
        if self.has(Flags::PUBSUB) {
            all = all.union(Categories::PUBSUB);
        }
        if self.has(Flags::BLOCKING) {
            all = all.union(Categories::BLOCKING);
        }
        all.union(if self.has(Flags::FAST) { Categories::FAST } else { Categories::SLOW })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arity_counts_the_name() {
        assert!(Row::new("get", Group::String, "1.0.0", 2).accepts(2));
        assert!(!Row::new("get", Group::String, "1.0.0", 2).accepts(3));
        let at_least = Row::new("del", Group::Generic, "1.0.0", -2);
        assert!(!at_least.accepts(1) && at_least.accepts(2) && at_least.accepts(99));
    }

    #[test]
    fn names_split_at_the_bar() {
        let row = Row::new("config|get", Group::Server, "2.0.0", -3);
        assert_eq!((row.parent(), row.name()), (Some("config"), "get"));
        let row = Row::new("get", Group::String, "1.0.0", 2);
        assert_eq!((row.parent(), row.name()), (None, "get"));
    }

    #[test]
    fn flags_imply_categories() {
        let row = Row::new("x", Group::String, "1.0.0", 2).flags(&[Flags::WRITE, Flags::FAST, Flags::ADMIN]);
        let names: Vec<_> = row.acl().names().collect();
        assert_eq!(names, ["write", "admin", "fast", "dangerous"]);
        let script =
            Row::new("x", Group::Scripting, "1.0.0", 2).flags(&[Flags::READONLY]).categories(&[Categories::SCRIPTING]);
        assert_eq!(script.acl().names().collect::<Vec<_>>(), ["slow", "scripting"]);
        assert_eq!(Categories::by_name(b"SortedSet"), Some(Categories::SORTEDSET));
        assert_eq!(Flags::by_name(b""), None);
    }
}
