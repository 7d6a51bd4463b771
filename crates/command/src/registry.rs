//! From a name to its row, as fast as a name can be looked up.
//!
//! ```text
//!   "CONFIG" "Get"  ──fold──►  hash(container, name)  ──probe──►  slots  ──►  RowId 217
//! ```
//!
//! Names are folded to lower case eight bytes at a time while they are hashed, so nothing is copied or
//! allocated; the table is open-addressed, at most a quarter full, and holds commands and subcommands
//! alike (a subcommand's hash includes its container). A tag of 16 bits of the hash keeps nearly every
//! probe that is not a hit from looking at the name.
//!
//! A [`RowId`] is the row's place among all rows of the tables. It does not depend on which commands are
//! known here or how they are called, so handlers, statistics and ACL bits are arrays indexed by it.
//!
//! `rename-command` changes what a name leads to, never the row: error texts, ACL rules and the journal
//! go on using the row's own name. A command that was renamed to nothing can still be found by
//! [`Registry::by_fullname`], which is how replication and AOF loading understand it.

use resp::Args;

use crate::row::{Flags, Row};
use crate::table;

/// A row's index in [`table::rows`]. There are fewer than 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId(pub u16);

impl RowId {
    #[inline]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Which program looks commands up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Server,
    Sentinel,
}

impl Mode {
    /// Whether a program of this kind knows the command.
    pub fn knows(self, row: &Row) -> bool {
        match self {
            Mode::Server => !row.has(Flags::ONLY_SENTINEL),
            Mode::Sentinel => row.has(Flags::SENTINEL),
        }
    }
}

/// What the first arguments of a request lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    Found(RowId),
    UnknownCommand,
    /// The container exists, its subcommand does not.
    UnknownSubcommand(RowId),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenameError {
    NoSuchCommand,
    TargetExists,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u16,
    /// `EMPTY` ends a probe.
    id: u16,
}

const EMPTY: u16 = u16::MAX;
const SLOTS: usize = 2048;
/// The container of commands that are no subcommands.
const TOP: u16 = u16::MAX;

/// The commands of one program, by name.
#[derive(Clone, Debug)]
pub struct Registry {
    mode: Mode,
    rows: Vec<&'static Row>,
    /// The name each row answers to: its own unless renamed; `None` when it answers to none.
    names: Vec<Option<Box<[u8]>>>,
    /// The container of each row, or `TOP`.
    parents: Vec<u16>,
    /// Rows that have subcommands here.
    containers: Vec<bool>,
    slots: Box<[Slot]>,
}

impl Registry {
    pub fn new(mode: Mode) -> Self {
        let rows: Vec<&'static Row> = table::rows().collect();
        assert!(rows.len() * 4 <= SLOTS, "the table of names must stay sparse");
        let id_of = |name: &str| rows.iter().position(|row| row.fullname == name);
        let parents: Vec<u16> =
            rows.iter().map(|row| row.parent().and_then(id_of).map_or(TOP, |id| id as u16)).collect();
        let names = rows.iter().map(|row| mode.knows(row).then(|| row.name().as_bytes().into())).collect();
        let mut containers = vec![false; rows.len()];
        for (row, &parent) in rows.iter().zip(&parents) {
            if parent != TOP && mode.knows(row) {
                containers[usize::from(parent)] = true;
            }
        }
        let mut registry = Registry { mode, rows, names, parents, containers, slots: Box::default() };
        registry.index();
        registry
    }

    /// Which program's commands these are.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The row of an id. Ids come from this registry, so they are in range.
    #[inline]
    pub fn row(&self, id: RowId) -> &'static Row {
        self.rows[id.index()]
    }

    /// The number of ids: the length of arrays indexed by [`RowId`].
    pub fn id_count(&self) -> usize {
        self.rows.len()
    }

    /// The rows this program knows, containers before their subcommands; renamed ones included, removed
    /// ones not.
    pub fn iter(&self) -> impl Iterator<Item = (RowId, &'static Row)> + '_ {
        let ids = (0..self.rows.len()).filter(|&i| self.names[i].is_some());
        ids.map(|i| (RowId(i as u16), self.rows[i]))
    }

    /// The subcommands of a container.
    pub fn subcommands(&self, container: RowId) -> impl Iterator<Item = (RowId, &'static Row)> + '_ {
        self.iter().filter(move |(id, _)| self.parents[id.index()] == container.0)
    }

    /// The container of a subcommand.
    pub fn parent(&self, id: RowId) -> Option<RowId> {
        Some(self.parents[id.index()]).filter(|&parent| parent != TOP).map(RowId)
    }

    pub fn is_container(&self, id: RowId) -> bool {
        self.containers[id.index()]
    }

    /// The row for a request: of the subcommand when the first argument names a container and there is
    /// a second.
    #[inline]
    pub fn lookup(&self, args: &Args<'_>) -> Lookup {
        let Some(id) = args.get(0).and_then(|name| self.command(name)) else { return Lookup::UnknownCommand };
        if !self.containers[id.index()] {
            return Lookup::Found(id);
        }
        match args.get(1) {
            None => Lookup::Found(id),
            Some(name) => match self.subcommand(id, name) {
                Some(sub) => Lookup::Found(sub),
                None => Lookup::UnknownSubcommand(id),
            },
        }
    }

    /// The command that answers to `name`, in any case. About 5 ns.
    #[inline]
    pub fn command(&self, name: &[u8]) -> Option<RowId> {
        self.find(TOP, name)
    }

    #[inline]
    pub fn subcommand(&self, container: RowId, name: &[u8]) -> Option<RowId> {
        self.find(container.0, name)
    }

    /// The row with this full name (`get`, `config|get`), in any case, whatever it was renamed to: how
    /// ACL rules, `COMMAND INFO`, replication and AOF loading name commands.
    pub fn by_fullname(&self, fullname: &[u8]) -> Option<RowId> {
        let same = |row: &'static Row| row.fullname.as_bytes().eq_ignore_ascii_case(fullname) && self.mode.knows(row);
        self.rows.iter().copied().position(same).map(|i| RowId(i as u16))
    }

    /// Lets the command `from` answer to `to` instead; to nothing when `to` is empty. Only before the
    /// server starts: O(rows).
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), RenameError> {
        let id = self.command(from).ok_or(RenameError::NoSuchCommand)?;
        if to.is_empty() {
            self.names[id.index()] = None;
        } else if self.command(to).is_some() {
            return Err(RenameError::TargetExists);
        } else {
            self.names[id.index()] = Some(to.into());
        }
        self.index();
        Ok(())
    }

    fn index(&mut self) {
        let mut slots = vec![Slot { tag: 0, id: EMPTY }; SLOTS].into_boxed_slice();
        for (i, name) in self.names.iter().enumerate() {
            let Some(name) = name else { continue };
            let hash = hash(self.parents[i], name);
            let mut at = hash as usize % SLOTS;
            while slots[at].id != EMPTY {
                at = (at + 1) % SLOTS;
            }
            slots[at] = Slot { tag: tag(hash), id: i as u16 };
        }
        self.slots = slots;
    }

    #[inline]
    fn find(&self, parent: u16, name: &[u8]) -> Option<RowId> {
        let hash = hash(parent, name);
        let mut at = hash as usize % SLOTS;
        loop {
            let slot = self.slots[at];
            if slot.id == EMPTY {
                return None;
            }
            let id = usize::from(slot.id);
            if slot.tag == tag(hash)
                && self.parents[id] == parent
                && self.names[id].as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))
            {
                return Some(RowId(slot.id));
            }
            at = (at + 1) % SLOTS;
        }
    }
}

#[inline]
fn tag(hash: u64) -> u16 {
    (hash >> 32) as u16
}

/// Folds case by setting bit 5 of every byte. That maps some other characters together, too (`@` and a
/// backquote), which only costs a comparison.
#[inline]
fn hash(parent: u16, name: &[u8]) -> u64 {
    const FOLD: u64 = 0x2020_2020_2020_2020;
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = u64::from(parent) ^ (name.len() as u64) << 16;
    let mut mix = |word: u64| {
        state = (state ^ (word | FOLD)).wrapping_mul(MULTIPLIER);
        state ^= state >> 29;
    };
    let mut chunks = name.chunks_exact(8);
    for chunk in &mut chunks {
        mix(u64::from_le_bytes(chunk.try_into().expect("chunks of eight")));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        mix(rest.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)));
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use resp::OwnedArgs;

    fn lookup(registry: &Registry, words: &[&str]) -> Result<&'static str, Lookup> {
        match registry.lookup(&OwnedArgs::from_slices(words).as_args()) {
            Lookup::Found(id) => Ok(registry.row(id).fullname),
            other => Err(other),
        }
    }

    #[test]
    fn every_row_is_found_by_its_names() {
        let registry = Registry::new(Mode::Server);
        for (id, row) in registry.iter() {
            assert_eq!(registry.by_fullname(row.fullname.as_bytes()), Some(id));
            let words: Vec<String> = row.fullname.split('|').map(str::to_ascii_uppercase).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            assert_eq!(lookup(&registry, &words), Ok(row.fullname));
            assert_eq!(registry.parent(id).map(|parent| registry.row(parent).fullname), row.parent());
        }
    }

    #[test]
    fn containers_lead_to_subcommands() {
        let registry = Registry::new(Mode::Server);
        let config = registry.command(b"config").unwrap();
        assert_eq!(lookup(&registry, &["config"]), Ok("config"));
        assert_eq!(lookup(&registry, &["CoNfIg", "gEt", "save"]), Ok("config|get"));
        assert_eq!(lookup(&registry, &["config", "zip"]), Err(Lookup::UnknownSubcommand(config)));
        assert_eq!(lookup(&registry, &["config|get"]), Err(Lookup::UnknownCommand));
        assert_eq!(lookup(&registry, &["get", "zip"]), Ok("get"));
        assert_eq!(lookup(&registry, &[]), Err(Lookup::UnknownCommand));
        assert!(registry.subcommands(config).any(|(_, row)| row.fullname == "config|rewrite"));
    }

    #[test]
    fn sentinel_knows_other_commands() {
        let server = Registry::new(Mode::Server);
        let sentinel = Registry::new(Mode::Sentinel);
        assert_eq!(lookup(&sentinel, &["sentinel", "masters"]), Ok("sentinel|masters"));
        assert_eq!(lookup(&server, &["sentinel", "masters"]), Err(Lookup::UnknownCommand));
        assert_eq!(lookup(&sentinel, &["get", "k"]), Err(Lookup::UnknownCommand));
        assert_eq!(lookup(&sentinel, &["ping"]), Ok("ping"));
        assert_eq!(sentinel.command(b"ping"), server.command(b"ping"), "ids do not depend on the program");
    }

    #[test]
    fn renaming_changes_the_name_only() {
        let mut registry = Registry::new(Mode::Server);
        let config = registry.command(b"config").unwrap();
        registry.rename(b"CONFIG", b"secret").unwrap();
        assert_eq!(lookup(&registry, &["config", "get", "x"]), Err(Lookup::UnknownCommand));
        assert_eq!(lookup(&registry, &["SECRET", "get", "x"]), Ok("config|get"));
        assert_eq!(registry.by_fullname(b"config"), Some(config));
        assert_eq!(registry.rename(b"config", b"other"), Err(RenameError::NoSuchCommand));
        assert_eq!(registry.rename(b"get", b"SET"), Err(RenameError::TargetExists));
        registry.rename(b"flushall", b"").unwrap();
        assert_eq!(registry.command(b"flushall"), None);
        assert!(registry.by_fullname(b"FLUSHALL").is_some());
        assert!(registry.iter().all(|(_, row)| row.fullname != "flushall"));
    }

    proptest! {
        #[test]
        fn no_other_name_is_found(name in proptest::collection::vec(any::<u8>(), 0..24)) {
            let registry = Registry::new(Mode::Server);
            let expected = table::rows().position(|row| {
                row.parent().is_none() && Mode::Server.knows(row) && row.fullname.as_bytes().eq_ignore_ascii_case(&name)
            });
            prop_assert_eq!(registry.command(&name).map(RowId::index), expected);
        }
    }
}
