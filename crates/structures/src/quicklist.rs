//! A quicklist: a long list as a deque of listpacks.
//!
//! Question: how does a list of millions of elements push and pop at both ends in O(1), find an index without walking all
//! elements, and still cost a few bytes per element? By chaining listpacks of a few kilobytes:
//!
//! ```text
//!   deque of nodes, 16 bytes each
//!   ┌──────────┬──────────┬──────────┬──────────┬──────────┐
//!   │ packed 9 │ packed 7 │ lzf    8 │ plain  1 │ packed 3 │      kind, count of elements, reference-counted body
//!   └────┬─────┴────┬─────┴────┬─────┴────┬─────┴────┬─────┘
//!     listpack   listpack   compressed  one large   listpack
//!                           listpack    element
//! ```
//!
//! Invariants:
//! 1. No node is empty; `len` is the sum of the counts.
//! 2. The first and the last node are not compressed, so pushes and pops never decompress.
//! 3. An element beyond the node limit stands alone in a plain node.
//! 4. Bodies are shared: a clone of the list costs one reference per node, and a change copies the node that it touches if a
//!    clone still refers to it. That is what a snapshot of a list under change rests on.
//!
//! [`Options`] carry `list-max-listpack-size` (how full a node may be) and `list-compress-depth` (how many nodes at each end
//! stay uncompressed); they are given to each change, so a changed configuration holds for existing lists as they are used.
//!
//! Costs: ends O(1); index O(nodes) over 16 bytes a node, then within a node; insert and remove that plus O(nodes) moved at
//! worst. Redis chains nodes by pointers: 32 bytes a node and a cache miss per node passed.

mod cursor;
mod node;

use std::collections::VecDeque;
use std::sync::Arc;

pub use self::cursor::Cursor;
use self::node::Node;
pub use self::node::NodeView;
use crate::buffer::Buffer;
use crate::item::Item;
use crate::listpack::Listpack;

/// Nodes limited by count do not exceed this many bytes either.
const SAFE_BYTES: usize = 8192;

/// What an element costs in a listpack beside its bytes, estimated high.
const ENTRY_OVERHEAD: usize = 8;

/// The end of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Index 0: LPUSH, LPOP.
    Front,
    /// The highest index: RPUSH, RPOP.
    Back,
}

/// How nodes are filled and compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `list-max-listpack-size`: a positive number limits the elements of a node, -1 to -5 its bytes to 4, 8, 16, 32, 64 KiB.
    pub fill: i32,
    /// `list-compress-depth`: how many nodes at each end are never compressed; 0 compresses none.
    pub compress_depth: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { fill: -2, compress_depth: 0 }
    }
}

impl Options {
    /// The limits of a node: bytes and elements.
    pub fn node_limits(self) -> (usize, usize) {
        match self.fill {
            0 => (usize::MAX, 1),
            1.. => (usize::MAX, self.fill as usize),
            _ => (4096 << (self.fill.unsigned_abs().min(5) - 1), usize::MAX),
        }
    }

    /// Whether a node of this size would be too full.
    pub fn exceeded(self, bytes: usize, count: usize) -> bool {
        match self.node_limits() {
            (usize::MAX, most) => bytes > SAFE_BYTES || count > most,
            (most, _) => bytes > most,
        }
    }

    /// Whether an element of `len` bytes gets a node of its own.
    pub fn is_large(self, len: usize) -> bool {
        match self.node_limits() {
            (usize::MAX, _) => len > SAFE_BYTES,
            (most, _) => len > most,
        }
    }

    fn accepts(self, node: Option<&Node>, len: usize) -> bool {
        match node {
            Some(Node::Packed { count, pack }) => {
                !self.is_large(len) && !self.exceeded(pack.byte_len() + len + ENTRY_OVERHEAD, *count as usize + 1)
            }
            _ => false,
        }
    }
}

/// A list of elements in a deque of nodes; see the module's page.
#[derive(Clone, Debug, Default)]
pub struct Quicklist {
    nodes: VecDeque<Node>,
    len: usize,
}

impl Quicklist {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// A list of one node, if there are elements.
    pub fn from_listpack(pack: Listpack) -> Self {
        let mut list = Self::new();
        list.push_packed_node(pack);
        list
    }

    /// The only node, if there is one only and it is packed; else the list comes back.
    pub fn into_listpack(mut self) -> Result<Listpack, Self> {
        match self.nodes.pop_front() {
            Some(Node::Packed { pack, .. }) if self.nodes.is_empty() => {
                Ok(Arc::try_unwrap(pack).unwrap_or_else(|shared| (*shared).clone()))
            }
            Some(node) => {
                self.nodes.push_front(node);
                Err(self)
            }
            None => Ok(Listpack::new()),
        }
    }

    /// The count of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The count of nodes.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes in order, as RDB files hold them.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeView<'_>> {
        self.nodes.iter().map(Node::view)
    }

    /// The bytes allocated. O(nodes).
    pub fn memory(&self) -> usize {
        self.nodes.capacity() * size_of::<Node>() + self.nodes.iter().map(Node::memory).sum::<usize>()
    }

    /// Appends a node that was read from a file. An empty listpack adds nothing.
    pub fn push_packed_node(&mut self, pack: Listpack) {
        let count = pack.len();
        if count > 0 {
            self.len += count;
            self.nodes.push_back(Node::Packed { count: count as u32, pack: Arc::new(pack) });
        }
    }

    /// Appends a node of one large element that was read from a file.
    pub fn push_plain_node(&mut self, bytes: &[u8]) {
        self.len += 1;
        self.nodes.push_back(Node::plain(bytes));
    }

    /// Compresses what `options` want compressed. To be called when a file's nodes have been pushed.
    pub fn compress(&mut self, options: Options) {
        let depth = options.compress_depth as usize;
        if depth > 0 {
            for index in depth..self.nodes.len().saturating_sub(depth) {
                self.nodes[index].compress();
            }
        }
    }

    /// Brings the ends and the node at `touched` into the state that `options` want.
    fn settle(&mut self, touched: usize, options: Options) {
        let count = self.nodes.len();
        let depth = options.compress_depth as usize;
        for index in 0..depth.max(1).min(count) {
            self.nodes[index].decompress();
            self.nodes[count - 1 - index].decompress();
        }
        if depth == 0 || count <= 2 * depth {
            return;
        }
        for index in [depth, touched, count - 1 - depth] {
            if (depth..count - depth).contains(&index) {
                self.nodes[index].compress();
            }
        }
    }

    /// The node of element `index` and the element's place in it. O(nodes), from the nearer end.
    fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut left = index;
            for (at, node) in self.nodes.iter().enumerate() {
                if left < node.count() {
                    return Some((at, left));
                }
                left -= node.count();
            }
        } else {
            let mut behind = self.len;
            for (at, node) in self.nodes.iter().enumerate().rev() {
                behind -= node.count();
                if index >= behind {
                    return Some((at, index - behind));
                }
            }
        }
        unreachable!("the counts of the nodes sum up to the length")
    }

    // --- reading

    /// Lends the element at `index` to `f`.
    pub fn with<R>(&self, index: usize, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        self.cursor(index, false).next_item().map(f)
    }

    /// A cursor that starts at `index` and goes towards the end, or towards the front if `reverse`.
    pub fn cursor(&self, index: usize, reverse: bool) -> Cursor<'_> {
        Cursor::new(&self.nodes, self.locate(index), reverse)
    }

    // --- the ends

    /// Adds an element at an end. O(1), and a memmove of a node at the front.
    pub fn push(&mut self, end: End, element: &[u8], options: Options) {
        let node = match end {
            End::Front => self.nodes.front_mut(),
            End::Back => self.nodes.back_mut(),
        };
        self.len += 1;
        if options.accepts(node.as_deref(), element.len())
            && let Some(Node::Packed { count, pack }) = node
        {
            let pack = Arc::make_mut(pack);
            match end {
                End::Front => pack.push_front(element),
                End::Back => pack.push_back(element),
            }
            *count += 1;
            return;
        }
        let node = Node::of(element, options);
        match end {
            End::Front => self.nodes.push_front(node),
            End::Back => self.nodes.push_back(node),
        }
        self.settle(0, options);
    }

    /// Lends the element at an end to `f` and removes it. O(1), and a memmove of a node at the front.
    pub fn pop<R>(&mut self, end: End, options: Options, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        let node = match end {
            End::Front => self.nodes.front_mut(),
            End::Back => self.nodes.back_mut(),
        }?;
        node.decompress();
        let (result, emptied) = match node {
            Node::Packed { count, pack } => {
                let pos = match end {
                    End::Front => pack.first(),
                    End::Back => pack.last(),
                }
                .expect("no node is empty");
                let result = f(pack.get(pos));
                *count -= 1;
                if *count > 0 {
                    Arc::make_mut(pack).remove(pos);
                }
                (result, *count == 0)
            }
            Node::Plain(bytes) => (f(Item::Bytes(bytes.as_bytes())), true),
            Node::Lzf { .. } => unreachable!("the node was decompressed"),
        };
        self.len -= 1;
        if emptied {
            match end {
                End::Front => self.nodes.pop_front(),
                End::Back => self.nodes.pop_back(),
            };
            self.settle(0, options);
        }
        Some(result)
    }

    // --- inside

    /// Puts an element before that at `index`; at the end if `index` is the length. Panics beyond it.
    pub fn insert(&mut self, index: usize, element: &[u8], options: Options) {
        if index == self.len {
            return self.push(End::Back, element, options);
        }
        let (mut at, offset) = self.locate(index).expect("the index is at most the length");
        self.len += 1;
        if offset == 0 && at > 0 && !options.accepts(self.nodes.get(at), element.len()) {
            self.nodes[at - 1].decompress();
            if options.accepts(self.nodes.get(at - 1), element.len()) {
                self.nodes[at - 1].push_back(element);
                return self.settle(at - 1, options);
            }
            self.settle(at - 1, options);
        }
        self.nodes[at].decompress();
        if options.accepts(self.nodes.get(at), element.len()) {
            self.nodes[at].insert(offset, element);
            return self.settle(at, options);
        }
        if offset > 0 {
            let tail = self.nodes[at].split_off(offset);
            self.nodes.insert(at + 1, tail);
            if options.accepts(self.nodes.get(at), element.len()) {
                self.nodes[at].push_back(element);
                self.merge(at + 1, options);
                self.merge(at, options);
                return self.settle(at.min(self.nodes.len() - 1), options);
            }
            self.settle(at, options);
            at += 1;
        }
        self.nodes.insert(at, Node::of(element, options));
        self.merge(at + 1, options);
        self.settle(at, options);
    }

    /// Joins the nodes at `at` and `at + 1` if both are packed and fit together.
    fn merge(&mut self, at: usize, options: Options) {
        if let (Some(Node::Packed { count: a, pack: left }), Some(Node::Packed { count: b, pack: right })) =
            (self.nodes.get(at), self.nodes.get(at + 1))
            && !options.exceeded(left.byte_len() + right.byte_len() - 7, (*a + *b) as usize)
        {
            let right = self.nodes.remove(at + 1);
            if let (Some(Node::Packed { count: b, pack: right }), Node::Packed { count: a, pack: left }) =
                (right, &mut self.nodes[at])
            {
                Arc::make_mut(left).append(&right);
                *a += b;
            }
        }
    }

    /// Puts another element in the place of that at `index`; answers whether there was one.
    pub fn replace(&mut self, index: usize, element: &[u8], options: Options) -> bool {
        let Some((at, offset)) = self.locate(index) else { return false };
        let large = options.is_large(element.len());
        self.nodes[at].decompress();
        match &mut self.nodes[at] {
            Node::Packed { pack, .. } if !large => {
                let pack = Arc::make_mut(pack);
                let pos = pack.seek(offset as isize).expect("the count of the node is right");
                pack.replace(pos, element);
                self.settle(at, options);
            }
            node @ Node::Plain(_) if large => {
                *node = Node::plain(element);
                self.settle(at, options);
            }
            _ => {
                self.remove_range(index, 1, options);
                self.insert(index, element, options);
            }
        }
        true
    }

    /// Removes up to `count` elements from `index` on; answers how many there were.
    pub fn remove_range(&mut self, index: usize, count: usize, options: Options) -> usize {
        let count = count.min(self.len.saturating_sub(index));
        let Some((first, offset)) = self.locate(index).filter(|_| count > 0) else { return 0 };
        self.len -= count;
        let mut left = count;
        let mut at = first;
        if offset > 0 {
            let here = left.min(self.nodes[at].count() - offset);
            self.nodes[at].remove_range(offset, here);
            left -= here;
            at += 1;
        }
        let whole = at;
        while left > 0 && self.nodes[at].count() <= left {
            left -= self.nodes[at].count();
            at += 1;
        }
        self.nodes.drain(whole..at);
        if left > 0 {
            self.nodes[whole].remove_range(0, left);
            self.settle(whole, options);
        }
        self.settle(first, options);
        count
    }

    /// Removes the first `most` elements that equal `needle`, or the last ones if `reverse`; answers how many. O(n).
    pub fn remove_equal(&mut self, needle: &[u8], most: usize, reverse: bool, options: Options) -> usize {
        let mut removed = 0;
        let mut at = if reverse { self.nodes.len() } else { 0 };
        while removed < most {
            if reverse {
                if at == 0 {
                    break;
                }
                at -= 1;
            } else if at == self.nodes.len() {
                break;
            }
            let found = self.nodes[at].remove_equal(needle, most - removed, reverse);
            removed += found;
            self.len -= found;
            if self.nodes[at].count() == 0 {
                self.nodes.remove(at);
            } else {
                if found > 0 {
                    self.settle(at, options);
                }
                if !reverse {
                    at += 1;
                }
            }
        }
        if removed > 0 {
            self.settle(0, options);
        }
        removed
    }

    /// Whether the parts agree: counts, lengths, and no compressed end. For tests.
    #[doc(hidden)]
    pub fn check(&self) {
        assert_eq!(self.len, self.nodes.iter().map(Node::count).sum::<usize>());
        assert!(self.nodes.iter().all(|node| node.count() > 0 && node.is_sound()));
        for end in [self.nodes.front(), self.nodes.back()] {
            assert!(!matches!(end, Some(Node::Lzf { .. })), "an end is compressed");
        }
    }
}

#[cfg(test)]
mod tests;
