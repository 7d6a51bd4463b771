//! How each type with its encoding is written.
//!
//! | in memory | written as |
//! |---|---|
//! | string | `STRING` |
//! | list: listpack, quicklist | `QUICKLIST_2`: nodes verbatim, a listpack as the only node |
//! | set: intset, listpack, table | `SET_INTSET`, `SET_LISTPACK` verbatim, `SET` |
//! | sorted set: listpack, tree | `ZSET_LISTPACK` verbatim, `ZSET_2` |
//! | hash: listpack, table | `HASH_LISTPACK` verbatim, `HASH`, or `HASH_2` if fields expire |
//!
//! A tree is written from its highest member down: then every member that a reader inserts is the new first.

use structures::entry::Payload;
use structures::quicklist::NodeView;
use value::list::ListStorage;
use value::set::SetStorage;
use value::{Element, FieldView, Hash, Item, List, Set, Value, Zset};

use super::{Form, Meta, compressed, length};
use crate::{Kind, Version};

/// Fields with an expiry cannot be written in the version that the reader understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooNew;

/// A node of a quicklist holds a listpack (2) or one large element (1).
const PLAIN_NODE: u64 = 1;
const PACKED_NODE: u64 = 2;

/// The expiry of a field that has none, beside fields that have.
const NO_EXPIRY: i64 = -1;

fn set_kind(set: &Set) -> Kind {
    match set.storage() {
        SetStorage::Intset(_) => Kind::SET_INTSET,
        SetStorage::Listpack(_) | SetStorage::Table => Kind::SET,
    }
}

fn hash_kind(hash: &Hash) -> Kind {
    match hash.listpack() {
        Some(_) => Kind::HASH_LISTPACK,
        None if hash.expiring() > 0 => Kind::HASH_2,
        None => Kind::HASH,
    }
}

fn kind_of(content: Payload<'_, Value>) -> Kind {
    match content {
        Payload::Int(_) | Payload::Bytes { .. } | Payload::Value(Value::Raw(_)) => Kind::STRING,
        Payload::Value(Value::List(_)) => Kind::QUICKLIST_2,
        Payload::Value(Value::Set(set)) => set_kind(set),
        Payload::Value(Value::Zset(zset)) if zset.listpack().is_some() => Kind::ZSET_LISTPACK,
        Payload::Value(Value::Zset(_)) => Kind::ZSET_2,
        Payload::Value(Value::Hash(hash)) => hash_kind(hash),
    }
}

impl Form {
    /// The version that a value needs.
    pub fn needed(content: Payload<'_, Value>) -> Version {
        if kind_of(content) == Kind::HASH_2 { Version::FIELD_EXPIRY } else { Version::COMMON }
    }

    fn kind(self, content: Payload<'_, Value>) -> Result<Kind, TooNew> {
        if self.version < Self::needed(content) { Err(TooNew) } else { Ok(kind_of(content)) }
    }

    /// Appends a key with its whole value. Nothing is appended if the value cannot be written. O(value).
    #[inline]
    pub fn record(self, out: &mut Vec<u8>, key: &[u8], meta: &Meta, content: Payload<'_, Value>) -> Result<(), TooNew> {
        let kind = self.kind(content)?;
        self.head(out, key, meta, kind);
        self.content(out, kind, content);
        Ok(())
    }

    /// Appends the type of a value and the value, as DUMP has them. O(value).
    pub fn typed(self, out: &mut Vec<u8>, content: Payload<'_, Value>) -> Result<(), TooNew> {
        let kind = self.kind(content)?;
        out.push(kind.0);
        self.content(out, kind, content);
        Ok(())
    }

    fn content(self, out: &mut Vec<u8>, kind: Kind, content: Payload<'_, Value>) {
        match content {
            Payload::Int(value) => Self::integer(out, value),
            Payload::Bytes { bytes, .. } => self.text(out, bytes),
            Payload::Value(Value::Raw(raw)) => self.text(out, raw.as_bytes()),
            Payload::Value(Value::List(list)) => self.list(out, list),
            Payload::Value(Value::Set(set)) => self.set(out, set),
            Payload::Value(Value::Zset(zset)) => self.zset(out, zset),
            Payload::Value(Value::Hash(hash)) => self.hash(out, kind, hash),
        }
    }

    fn list(self, out: &mut Vec<u8>, list: &List) {
        match list.storage() {
            ListStorage::Listpack(pack) => {
                length(out, 1);
                self.node(out, NodeView::Packed(pack));
            }
            ListStorage::Quicklist(quick) => {
                length(out, quick.node_count() as u64);
                quick.nodes().for_each(|node| self.node(out, node));
            }
        }
    }

    fn set(self, out: &mut Vec<u8>, set: &Set) {
        match set.storage() {
            SetStorage::Intset(ints) => self.blob(out, ints.as_bytes()),
            // A listpack of a set is not known before Redis 7.2.
            SetStorage::Listpack(_) | SetStorage::Table => {
                length(out, set.len() as u64);
                set.iter().for_each(|member| self.item(out, member));
            }
        }
    }

    fn zset(self, out: &mut Vec<u8>, zset: &Zset) {
        match zset.listpack() {
            Some(pack) => self.blob(out, pack.as_bytes()),
            None => {
                length(out, zset.len() as u64);
                zset.iter().rev().for_each(|(member, score)| self.scored(out, member, score));
            }
        }
    }

    fn hash(self, out: &mut Vec<u8>, kind: Kind, hash: &Hash) {
        match hash.listpack() {
            Some(pack) => self.blob(out, pack.as_bytes()),
            None => {
                length(out, hash.len() as u64);
                hash.iter().for_each(|field| self.field(out, field, kind == Kind::HASH_2));
            }
        }
    }

    // --- big values in steps

    /// Begins a set of `len` members; as many calls of [`Form::element`] must follow.
    pub fn begin_set(self, out: &mut Vec<u8>, key: &[u8], meta: &Meta, len: usize) {
        self.head(out, key, meta, Kind::SET);
        length(out, len as u64);
    }

    /// Begins a sorted set of `len` members; as many calls of [`Form::element`] must follow.
    pub fn begin_zset(self, out: &mut Vec<u8>, key: &[u8], meta: &Meta, len: usize) {
        self.head(out, key, meta, Kind::ZSET_2);
        length(out, len as u64);
    }

    /// Begins a hash of `len` fields, of which some expire or none; as many calls of [`Form::element`] must follow, with the
    /// answer of this.
    pub fn begin_hash(
        self,
        out: &mut Vec<u8>,
        key: &[u8],
        meta: &Meta,
        len: usize,
        expiring: bool,
    ) -> Result<(), TooNew> {
        if expiring && self.version < Version::FIELD_EXPIRY {
            return Err(TooNew);
        }
        self.head(out, key, meta, if expiring { Kind::HASH_2 } else { Kind::HASH });
        length(out, len as u64);
        Ok(())
    }

    /// Begins a list of `nodes` nodes; as many calls of [`Form::node`] must follow.
    pub fn begin_list(self, out: &mut Vec<u8>, key: &[u8], meta: &Meta, nodes: usize) {
        self.head(out, key, meta, Kind::QUICKLIST_2);
        length(out, nodes as u64);
    }

    /// Begins a string of `len` bytes, which must follow as they are, in any number of pieces.
    pub fn begin_string(self, out: &mut Vec<u8>, key: &[u8], meta: &Meta, len: usize) {
        self.head(out, key, meta, Kind::STRING);
        length(out, len as u64);
    }

    /// Appends an element of a collection that was begun. `expiring` is what [`Form::begin_hash`] was told, and means
    /// nothing to other types.
    pub fn element(self, out: &mut Vec<u8>, element: Element<'_>, expiring: bool) {
        match element {
            Element::Member(member) => self.text(out, member),
            Element::Field(field) => self.field(out, field, expiring),
            Element::Scored(member, score) => self.scored(out, Item::Bytes(member), score),
        }
    }

    /// Appends a node of a list that was begun.
    pub fn node(self, out: &mut Vec<u8>, node: NodeView<'_>) {
        match node {
            NodeView::Packed(pack) => {
                length(out, PACKED_NODE);
                self.blob(out, pack.as_bytes());
            }
            NodeView::Plain(bytes) => {
                length(out, PLAIN_NODE);
                self.text(out, bytes);
            }
            NodeView::Lzf { plain, data, len } => {
                length(out, if plain { PLAIN_NODE } else { PACKED_NODE });
                compressed(out, data, len);
            }
        }
    }

    fn field(self, out: &mut Vec<u8>, field: FieldView<'_>, expiring: bool) {
        self.item(out, field.field);
        self.item(out, field.value);
        if expiring {
            out.extend_from_slice(&field.expire.unwrap_or(NO_EXPIRY).to_le_bytes());
        }
    }

    fn scored(self, out: &mut Vec<u8>, member: Item<'_>, score: f64) {
        self.item(out, member);
        out.extend_from_slice(&score.to_le_bytes());
    }
}
