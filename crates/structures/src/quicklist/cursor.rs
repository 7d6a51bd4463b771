//! Walking a quicklist in either direction without changing it.
//!
//! A compressed node is decompressed into the cursor for as long as the cursor is in it; so what a cursor lends lives until
//! its next step only, and it cannot be an `Iterator`.

use std::collections::VecDeque;

use super::node::Node;
use crate::item::Item;
use crate::listpack::{self, Listpack, Pos};

/// A walk over a list; see [`Quicklist::cursor`](super::Quicklist::cursor).
#[derive(Debug)]
pub struct Cursor<'a> {
    nodes: &'a VecDeque<Node>,
    /// The node to be opened when the open one is exhausted.
    next_node: Option<usize>,
    reverse: bool,
    open: Open<'a>,
}

/// The node that the cursor is in.
#[derive(Debug)]
enum Open<'a> {
    Nothing,
    Packed(listpack::Iter<'a>),
    Plain(Option<&'a [u8]>),
    Decompressed { pack: Listpack, next: Option<Pos> },
    DecompressedPlain { body: Vec<u8>, lent: bool },
}

impl<'a> Cursor<'a> {
    pub(super) fn new(nodes: &'a VecDeque<Node>, start: Option<(usize, usize)>, reverse: bool) -> Self {
        let mut cursor = Cursor { nodes, next_node: None, reverse, open: Open::Nothing };
        if let Some((node, offset)) = start {
            cursor.enter(node, Some(offset));
        }
        cursor
    }

    /// Opens a node at an element, or at the one where the direction begins.
    fn enter(&mut self, node: usize, offset: Option<usize>) {
        let reverse = self.reverse;
        self.next_node =
            if reverse { node.checked_sub(1) } else { Some(node + 1).filter(|next| *next < self.nodes.len()) };
        self.open = match &self.nodes[node] {
            Node::Plain(bytes) => Open::Plain(Some(bytes.as_bytes())),
            Node::Packed { pack, .. } => Open::Packed(match offset.and_then(|offset| pack.seek(offset as isize)) {
                None => pack.iter(),
                Some(pos) if reverse => pack.iter_to(pos),
                Some(pos) => pack.iter_from(pos),
            }),
            Node::Lzf { plain, data, .. } => {
                let body = data.decompressed();
                if *plain {
                    Open::DecompressedPlain { body, lent: false }
                } else {
                    let pack = Listpack::from_bytes(&body).expect("it was a listpack when it was compressed");
                    let next = match offset {
                        Some(offset) => pack.seek(offset as isize),
                        None if reverse => pack.last(),
                        None => pack.first(),
                    };
                    Open::Decompressed { pack, next }
                }
            }
        };
    }

    fn is_exhausted(&self) -> bool {
        match &self.open {
            Open::Nothing => true,
            Open::Packed(items) => items.pos().is_none(),
            Open::Plain(bytes) => bytes.is_none(),
            Open::DecompressedPlain { lent, .. } => *lent,
            Open::Decompressed { next, .. } => next.is_none(),
        }
    }

    /// The next element; it is lent until the next step.
    pub fn next_item(&mut self) -> Option<Item<'_>> {
        while self.is_exhausted() {
            let node = self.next_node?;
            self.enter(node, None);
        }
        match &mut self.open {
            Open::Packed(items) => {
                if self.reverse {
                    items.next_back()
                } else {
                    items.next()
                }
            }
            Open::Plain(bytes) => bytes.take().map(Item::Bytes),
            Open::Decompressed { pack, next } => {
                let pos = (*next)?;
                *next = if self.reverse { pack.prev(pos) } else { pack.next(pos) };
                Some(pack.get(pos))
            }
            Open::DecompressedPlain { body, lent } => {
                *lent = true;
                Some(Item::Bytes(body))
            }
            Open::Nothing => None,
        }
    }
}
