//! Values in the making, element by element.
//!
//! A value that is one string (a listpack, an intset, a ziplist …) is made at once. One that is a count and elements begins as
//! a [`Build`] and grows with each element that has come completely; the count is believed only as a reason to stop. Every
//! element twice is damage, as with the peers: a listpack that became a table would lose one of them.

mod skip;

use structures::intset::Intset;
use structures::listpack::{self, Listpack};
use structures::number;
use structures::quicklist::Quicklist;
use structures::ranked::Unranked;
use value::{Change, End, Hash, Item, Limits, List, Set, Value, Zset};

use super::step::module_name;
use crate::old::{Corrupt, ziplist, zipmap};
use crate::read::{Reader, Step, Text};
use crate::{Content, Damage, Kind};

pub(crate) use skip::Skip;

/// A collection that was read.
#[derive(Debug)]
pub(crate) enum Done {
    Value(Value),
    Int(i64),
    Text(Vec<u8>),
    Empty,
    Skipped(u64),
}

impl From<Done> for Content<'_> {
    fn from(done: Done) -> Self {
        match done {
            Done::Value(value) => Self::Value(value),
            Done::Int(value) => Self::Int(value),
            Done::Text(text) => Self::Value(Value::Raw(value::RawString::from_bytes(&text))),
            Done::Empty => Self::Empty,
            Done::Skipped(count) => Self::Skipped(count),
        }
    }
}

/// What the beginning of a value leads to.
#[derive(Debug)]
pub(crate) enum Begun {
    Done(Done),
    Elements(Build),
}

/// A collection of which `left` elements are still to come.
#[derive(Debug)]
pub(crate) enum Build {
    List {
        left: u64,
        list: List,
    },
    Set {
        left: u64,
        set: Set,
    },
    Zset {
        left: u64,
        zset: Zset,
        kind: Kind,
    },
    /// A sorted set that will be a tree.
    Members {
        left: u64,
        members: Unranked,
        kind: Kind,
    },
    Hash {
        left: u64,
        hash: Hash,
        expiry: FieldExpiry,
    },
    /// Nodes of a quicklist.
    Nodes {
        left: u64,
        list: Quicklist,
        kind: Kind,
    },
    /// A value that is passed over.
    Skip(Skip),
}

/// Whether and how fields tell when they expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldExpiry {
    None,
    /// 8 bytes behind the value; -1 is never.
    Behind,
    /// A length before the field, from this time on, plus one; 0 is never.
    Before(i64),
}

impl Build {
    /// Begins a value of this type.
    pub(crate) fn begin(kind: Kind, reader: &mut Reader<'_>, limits: &Limits, skip: bool) -> Step<Begun> {
        let build = match kind {
            Kind::STRING => {
                return Ok(Begun::Done(match reader.text()? {
                    Text::Int(value) => Done::Int(i64::from(value)),
                    text => {
                        let mut bytes = Vec::new();
                        text.append_to(&mut bytes)?;
                        number::parse_i64(&bytes).map_or(Done::Text(bytes), Done::Int)
                    }
                }));
            }
            Kind::LIST => Self::List { left: reader.length()?, list: List::new() },
            Kind::QUICKLIST | Kind::QUICKLIST_2 => Self::Nodes { left: reader.length()?, list: Quicklist::new(), kind },
            Kind::SET => {
                let left = reader.length()?;
                let mut set = Set::new();
                if exceeds(left, limits.set_intset_entries) {
                    set.prepare(b"", limits.set_listpack_entries.saturating_add(1), limits);
                }
                Self::Set { left, set }
            }
            Kind::ZSET | Kind::ZSET_2 => {
                let left = reader.length()?;
                if exceeds(left, limits.zset_listpack_entries) {
                    Self::Members { left, members: Unranked::new(), kind }
                } else {
                    Self::Zset { left, zset: Zset::new(), kind }
                }
            }
            Kind::HASH | Kind::HASH_2 | Kind::HASH_METADATA => {
                let expiry = match kind {
                    Kind::HASH => FieldExpiry::None,
                    Kind::HASH_2 => FieldExpiry::Behind,
                    _ => FieldExpiry::Before(reader.i64_le()?),
                };
                let left = reader.length()?;
                let mut hash = Hash::new();
                if exceeds(left, limits.hash_listpack_entries) {
                    // Nothing but a field that is too long makes a hash a table before there are fields.
                    let long = vec![0; limits.hash_listpack_value.saturating_add(1).min(1 << 16)];
                    hash.prepare([&long[..], b""], limits);
                }
                Self::Hash { left, hash, expiry }
            }
            Kind::HASH_LISTPACK_EX => {
                let earliest = reader.i64_le()?;
                return Ok(Begun::Done(with_expiries(&reader.text()?, earliest, limits)?));
            }
            Kind::HASH_ZIPMAP
            | Kind::LIST_ZIPLIST
            | Kind::SET_INTSET
            | Kind::ZSET_ZIPLIST
            | Kind::HASH_ZIPLIST
            | Kind::HASH_LISTPACK
            | Kind::ZSET_LISTPACK
            | Kind::SET_LISTPACK => return Ok(Begun::Done(packed(kind, &reader.text()?, limits)?)),
            _ if kind.is_stream() && skip => Self::Skip(Skip::stream(kind, reader.length()?)),
            Kind::MODULE_2 => {
                let name = module_name(reader.length()?);
                if !skip {
                    return Err(Damage::Module(name).into());
                }
                Self::Skip(Skip::Module)
            }
            _ => return Err(Damage::Unsupported(kind).into()),
        };
        if build.announces_nothing() {
            return Ok(Begun::Done(Done::Empty));
        }
        Ok(Begun::Elements(build))
    }

    fn announces_nothing(&self) -> bool {
        match self {
            Self::List { left, .. }
            | Self::Set { left, .. }
            | Self::Zset { left, .. }
            | Self::Members { left, .. }
            | Self::Hash { left, .. }
            | Self::Nodes { left, .. } => *left == 0,
            Self::Skip(_) => false,
        }
    }

    /// Reads up to `most` elements; the value, when there are no more. When an element is cut off, the reader is at its
    /// beginning, and those before it are read.
    pub(crate) fn advance(&mut self, reader: &mut Reader<'_>, limits: &Limits, most: usize) -> Step<Option<Done>> {
        if let Self::Skip(skip) = self {
            return skip.advance(reader, most);
        }
        let mut scratch = (Vec::new(), Vec::new());
        for _ in 0..most {
            let start = reader.at();
            match self.element(reader, limits, &mut scratch) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(self.done(limits))),
                Err(halt) => {
                    reader.rewind(start);
                    return Err(halt);
                }
            }
        }
        Ok(None)
    }

    /// Reads one element; false when there are no more.
    fn element(
        &mut self,
        reader: &mut Reader<'_>,
        limits: &Limits,
        (first, second): &mut (Vec<u8>, Vec<u8>),
    ) -> Step<bool> {
        let left = match self {
            Self::List { left: 0, .. }
            | Self::Set { left: 0, .. }
            | Self::Zset { left: 0, .. }
            | Self::Members { left: 0, .. }
            | Self::Hash { left: 0, .. }
            | Self::Nodes { left: 0, .. }
            | Self::Skip(_) => return Ok(false),
            Self::List { left, list } => {
                let element = reader.text()?;
                list.push(End::Back, [element.bytes(first)?], limits);
                left
            }
            Self::Set { left, set } => {
                let member = reader.text()?;
                if !set.add(member.bytes(first)?, limits) {
                    return Err(Damage::Duplicate(Kind::SET).into());
                }
                left
            }
            Self::Zset { left, zset, kind } => {
                let (member, score) = scored(reader, *kind)?;
                if zset.insert(member.bytes(first)?, score, limits) != Change::Added {
                    return Err(Damage::Duplicate(*kind).into());
                }
                left
            }
            Self::Members { left, members, kind } => {
                let (member, score) = scored(reader, *kind)?;
                if !members.add(member.bytes(first)?, score) {
                    return Err(Damage::Duplicate(*kind).into());
                }
                left
            }
            Self::Hash { left, hash, expiry } => {
                field(reader, hash, *expiry, limits, (first, second))?;
                left
            }
            Self::Nodes { left, list, kind } => {
                node(reader, list, *kind, limits, first)?;
                left
            }
        };
        *left -= 1;
        Ok(true)
    }

    /// The collection, which is left behind empty.
    fn done(&mut self, limits: &Limits) -> Done {
        let value = match self {
            Self::List { list, .. } => settled_list(std::mem::take(list), limits),
            Self::Nodes { list, .. } => settled_list(List::from(std::mem::take(list)), limits),
            Self::Set { set, .. } => Value::Set(std::mem::take(set)),
            Self::Zset { zset, .. } => {
                zset.settle(limits);
                Value::Zset(std::mem::take(zset))
            }
            Self::Members { members, .. } => {
                let mut zset = Zset::from_unranked(std::mem::take(members));
                zset.settle(limits);
                Value::Zset(zset)
            }
            Self::Hash { hash, .. } => Value::Hash(std::mem::take(hash)),
            Self::Skip(_) => return Done::Empty,
        };
        non_empty(value)
    }
}

/// A member of a sorted set with its score.
fn scored<'a>(reader: &mut Reader<'a>, kind: Kind) -> Step<(Text<'a>, f64)> {
    let member = reader.text()?;
    let score = if kind == Kind::ZSET { reader.old_double()? } else { Some(reader.double()?) };
    let score = score.filter(|score| !score.is_nan()).ok_or(Damage::Score(kind))?;
    Ok((member, score))
}

fn exceeds(count: u64, most: usize) -> bool {
    usize::try_from(count).map_or(true, |count| count > most)
}

fn settled_list(mut list: List, limits: &Limits) -> Value {
    list.settle(limits);
    Value::List(list)
}

fn non_empty(value: Value) -> Done {
    let empty = match &value {
        Value::Raw(_) => false,
        Value::List(list) => list.is_empty(),
        Value::Set(set) => set.is_empty(),
        Value::Zset(zset) => zset.is_empty(),
        Value::Hash(hash) => hash.is_empty(),
    };
    if empty { Done::Empty } else { Done::Value(value) }
}

fn field(
    reader: &mut Reader<'_>,
    hash: &mut Hash,
    expiry: FieldExpiry,
    limits: &Limits,
    (first, second): (&mut Vec<u8>, &mut Vec<u8>),
) -> Step<()> {
    let before = match expiry {
        FieldExpiry::Before(earliest) => relative(reader.length()?, earliest)?,
        _ => None,
    };
    let (name, value) = (reader.text()?, reader.text()?);
    let expire = match expiry {
        FieldExpiry::Behind => match reader.i64_le()? {
            -1 => None,
            expire if expire < 0 => return Err(Damage::FieldExpiry.into()),
            expire => Some(expire),
        },
        _ => before,
    };
    let name = name.bytes(first)?;
    if !hash.set(name, value.bytes(second)?, limits) {
        return Err(Damage::Duplicate(Kind::HASH).into());
    }
    if expire.is_some() {
        hash.set_expire(name, expire);
    }
    Ok(())
}

/// The expiry that stands relative to the earliest one.
fn relative(distance: u64, earliest: i64) -> Result<Option<i64>, Damage> {
    let Some(distance) = distance.checked_sub(1) else { return Ok(None) };
    let expire = i64::try_from(distance).ok().and_then(|distance| earliest.checked_add(distance));
    expire.filter(|expire| *expire >= 0).map(Some).ok_or(Damage::FieldExpiry)
}

/// A node of a list: a container's number (not in the first version) and a string.
fn node(reader: &mut Reader<'_>, list: &mut Quicklist, kind: Kind, limits: &Limits, scratch: &mut Vec<u8>) -> Step<()> {
    const PLAIN: u64 = 1;
    const PACKED: u64 = 2;
    let container = if kind == Kind::QUICKLIST { PACKED } else { reader.length()? };
    if !matches!(container, PLAIN | PACKED) {
        return Err(Damage::Container(container).into());
    }
    let text = reader.text()?;
    let bytes = text.bytes(scratch)?;
    if bytes.is_empty() {
        return Err(Damage::Structure(kind).into());
    }
    if container == PLAIN {
        list.push_plain_node(bytes);
    } else if kind == Kind::QUICKLIST {
        from_ziplist(kind, bytes, |item| push_item(list, item, limits))?;
    } else {
        list.push_packed_node(listpack_of(kind, bytes)?);
    }
    Ok(())
}

fn push_item(list: &mut Quicklist, item: Item<'_>, limits: &Limits) {
    let options =
        structures::quicklist::Options { fill: limits.list_listpack_size, compress_depth: limits.list_compress_depth };
    list.push(End::Back, &item.text(), options);
}

fn listpack_of(kind: Kind, bytes: &[u8]) -> Result<Listpack, Damage> {
    Listpack::from_bytes(bytes).map_err(|listpack::Corrupt| Damage::Structure(kind))
}

fn from_ziplist<'a>(kind: Kind, bytes: &'a [u8], f: impl FnMut(Item<'a>)) -> Result<(), Damage> {
    // What is packed anew may grow a little; it must stay a listpack.
    if bytes.len() > listpack::MAX_BYTES {
        return Err(Damage::Structure(kind));
    }
    ziplist::read(bytes, f).map_err(|Corrupt| Damage::Structure(kind))
}

/// A collection that is one string.
fn packed(kind: Kind, text: &Text<'_>, limits: &Limits) -> Result<Done, Damage> {
    let damage = Damage::Structure(kind);
    let mut scratch = Vec::new();
    let bytes = text.bytes(&mut scratch)?;
    let repacked = || -> Result<Listpack, Damage> {
        let mut pack = Listpack::new();
        from_ziplist(kind, bytes, |item| pack.push_back(item))?;
        Ok(pack)
    };
    let value = match kind {
        Kind::SET_INTSET => {
            let mut set = Set::from(Intset::from_bytes(bytes).map_err(|_| damage)?);
            set.settle(limits);
            Value::Set(set)
        }
        Kind::SET_LISTPACK => {
            let mut set = Set::from_listpack(listpack_of(kind, bytes)?).ok_or(damage)?;
            set.settle(limits);
            Value::Set(set)
        }
        Kind::HASH_LISTPACK => settled_hash(listpack_of(kind, bytes)?, limits).ok_or(damage)?,
        Kind::HASH_ZIPLIST => settled_hash(repacked()?, limits).ok_or(damage)?,
        Kind::HASH_ZIPMAP => {
            if bytes.len() > listpack::MAX_BYTES {
                return Err(damage);
            }
            let mut pack = Listpack::new();
            zipmap::read(bytes, |field, value| {
                pack.push_back(field);
                pack.push_back(value);
            })
            .map_err(|Corrupt| damage.clone())?;
            settled_hash(pack, limits).ok_or(damage)?
        }
        Kind::ZSET_LISTPACK => settled_zset(listpack_of(kind, bytes)?, limits).ok_or(damage)?,
        Kind::ZSET_ZIPLIST => settled_zset(repacked()?, limits).ok_or(damage)?,
        _ => {
            let mut list = Quicklist::new();
            from_ziplist(kind, bytes, |item| push_item(&mut list, item, limits))?;
            settled_list(List::from(list), limits)
        }
    };
    Ok(non_empty(value))
}

fn settled_hash(pack: Listpack, limits: &Limits) -> Option<Value> {
    let mut hash = Hash::from_listpack(pack)?;
    hash.settle(limits);
    Some(Value::Hash(hash))
}

fn settled_zset(pack: Listpack, limits: &Limits) -> Option<Value> {
    let mut zset = Zset::from_listpack(pack)?;
    zset.settle(limits);
    Some(Value::Zset(zset))
}

/// A listpack of fields, values and times.
fn with_expiries(text: &Text<'_>, earliest: i64, limits: &Limits) -> Result<Done, Damage> {
    let kind = Kind::HASH_LISTPACK_EX;
    let mut scratch = Vec::new();
    let pack = listpack_of(kind, text.bytes(&mut scratch)?)?;
    // The times stand as they are; the earliest is only a hint to the writer's own loader.
    let _ = earliest;
    let mut hash = Hash::new();
    let mut items = pack.iter();
    while let Some(name) = items.next() {
        let (Some(value), Some(expire)) = (items.next(), items.next()) else { return Err(Damage::Structure(kind)) };
        let expire = expire.int().filter(|expire| *expire >= 0).ok_or(Damage::FieldExpiry)?;
        if !hash.set(&name.text(), &value.text(), limits) {
            return Err(Damage::Duplicate(kind));
        }
        if expire > 0 {
            hash.set_expire(&name.text(), Some(expire));
        }
    }
    Ok(non_empty(Value::Hash(hash)))
}
