//! A B+tree over members, in order of score, then bytes; inner nodes count, so that ranks are found on the way.
//!
//! 1. The tree owns nodes, not members.
//! 2. All leaves are at the same depth. No node is empty, apart from the root of an empty tree.
//! 3. An inner node knows the first element and the number of elements of each child exactly.
//! 4. Full nodes are split on the way down, so an insertion never comes back up. A full leaf first tries to share with a
//!    neighbour; at the ends of the tree it is split next to the end, so that elements that come in order leave full leaves.
//! 5. Nodes that have become thin are joined with a neighbour if both fit in one; elements are never moved around just for balance.

use super::member::Pointer;
use super::node::{Cut, Inner, Leaf, Node};
use std::ops::Range;

pub(super) struct Tree {
    root: Node,
    len: usize,
}

// SAFETY: the tree reads the members it points to, and whoever inserted them keeps them alive; it changes its own nodes only.
unsafe impl Send for Tree {}
// SAFETY: as above.
unsafe impl Sync for Tree {}

/// How to find the element where a removal begins.
#[derive(Clone, Copy)]
enum Target<'a> {
    Rank(usize),
    /// The last element before the cut.
    Before(Cut<'a>),
}

impl Tree {
    pub(super) fn new() -> Tree {
        Tree { root: Node::leaf(), len: 0 }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Inserts a member that is not in the tree. O(log n).
    ///
    /// # Safety
    /// The member stays alive, with the same bytes, until it is removed from the tree or the tree is gone.
    pub(super) unsafe fn insert(&mut self, score: f64, member: Pointer) {
        // SAFETY: the caller's promise.
        let bytes = unsafe { member.bytes() };
        let cut = Cut::Element { score, bytes, after: false };
        self.len += 1;
        if self.root.is_full() {
            let old = std::mem::replace(&mut self.root, Node::Inner(Box::new(Inner::new())));
            if let Node::Inner(root) = &mut self.root {
                root.insert_child(0, old);
            }
        }
        let (mut first, mut last) = (true, true);
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.insert(leaf.position(&cut), score, member),
                Node::Inner(inner) => {
                    let mut at = inner.position(&cut).saturating_sub(1);
                    if inner.child(at).is_full() {
                        inner.make_room(at, &cut, first, last);
                        at = inner.position(&cut).saturating_sub(1);
                    }
                    inner.note_insertion(at, &cut, score, member);
                    first &= at == 0;
                    last &= at + 1 == inner.len();
                    node = inner.child_mut(at);
                }
            }
        }
    }

    /// Takes a member out that stands in the tree with this score. O(log n).
    pub(super) fn remove(&mut self, score: f64, member: Pointer) {
        // SAFETY: members in the tree are alive.
        let bytes = unsafe { member.bytes() };
        let target = Target::Before(Cut::Element { score, bytes, after: true });
        let removed = self.take(target, 1, &mut |_, other| debug_assert!(other == member));
        debug_assert_eq!(removed, 1);
    }

    /// Changes the score of a member if it keeps its place by that, and answers whether it did. O(log n).
    pub(super) fn update_in_place(&mut self, old: f64, member: Pointer, new: f64) -> bool {
        // SAFETY: members in the tree are alive.
        let bytes = unsafe { member.bytes() };
        let from = Cut::Element { score: old, bytes, after: true };
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Inner(inner) => {
                    let at = inner.position(&from).saturating_sub(1);
                    node = inner.child_mut(at);
                }
                Node::Leaf(leaf) => {
                    let at = leaf.position(&from).saturating_sub(1);
                    debug_assert!(leaf.members().get(at) == Some(&member));
                    if at == 0 || at + 1 >= leaf.len() {
                        return false;
                    }
                    let to = Cut::Element { score: new, bytes, after: false };
                    let around = [at - 1, at + 1];
                    let position =
                        to.position(&around.map(|at| leaf.scores()[at]), &around.map(|at| leaf.members()[at]));
                    if position == 1 {
                        leaf.set_score(at, new);
                    }
                    return position == 1;
                }
            }
        }
    }

    /// Takes elements from rank `rank` on, at most `max` and at most to the end of their leaf, shows them in order, and answers
    /// how many. O(log n).
    pub(super) fn take_run(&mut self, rank: usize, max: usize, out: &mut dyn FnMut(f64, Pointer)) -> usize {
        self.take(Target::Rank(rank), max, out)
    }

    fn take(&mut self, target: Target<'_>, max: usize, out: &mut dyn FnMut(f64, Pointer)) -> usize {
        let taken = take(&mut self.root, target, max, out);
        self.len -= taken;
        while let Node::Inner(inner) = &mut self.root {
            match inner.len() {
                0 => self.root = Node::leaf(),
                1 => self.root = std::mem::replace(&mut **inner, Inner::new()).into_only_child(),
                _ => break,
            }
        }
        taken
    }

    /// How many elements stand before the cut. O(log n).
    pub(super) fn count_before(&self, cut: &Cut<'_>) -> usize {
        let mut before = 0;
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return before + leaf.position(cut),
                Node::Inner(inner) => {
                    let at = inner.position(cut).saturating_sub(1);
                    before += inner.count_before(at);
                    node = inner.child(at);
                }
            }
        }
    }

    /// The leaf and the place in it of the element of this rank. O(log n).
    fn seek(&self, mut rank: usize) -> (&Leaf, usize) {
        let mut node = &self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return (leaf, rank),
                Node::Inner(inner) => {
                    let (at, rest) = inner.child_of_rank(rank);
                    node = inner.child(at);
                    rank = rest;
                }
            }
        }
    }

    /// The elements of these ranks, as far as they exist.
    pub(super) fn range(&self, ranks: Range<usize>) -> Elements<'_> {
        let end = ranks.end.min(self.len);
        Elements { tree: self, ranks: ranks.start.min(end)..end, front: None, back: None }
    }

    /// Bytes of the nodes. O(n / 63).
    pub(super) fn memory(&self) -> usize {
        fn of(node: &Node) -> usize {
            match node {
                Node::Leaf(_) => size_of::<Leaf>(),
                Node::Inner(inner) => {
                    size_of::<Inner>() + (0..inner.len()).map(|at| of(inner.child(at))).sum::<usize>()
                }
            }
        }
        of(&self.root)
    }

    /// Panics if the structure contradicts itself. O(n).
    pub(super) fn check(&self) {
        fn of(node: &Node, depth: usize, depths: &mut Vec<usize>) -> usize {
            match node {
                Node::Leaf(leaf) => {
                    depths.push(depth);
                    leaf.len()
                }
                Node::Inner(inner) => (0..inner.len())
                    .map(|at| {
                        assert!(inner.child(at).width() > 0 && inner.notes_are_right(at));
                        of(inner.child(at), depth + 1, depths)
                    })
                    .sum(),
            }
        }
        let mut depths = Vec::new();
        assert_eq!(of(&self.root, 0, &mut depths), self.len);
        depths.dedup();
        assert_eq!(depths.len(), 1);
        let mut previous: Option<(f64, &[u8])> = None;
        for (rank, (bytes, score)) in self.range(0..self.len).enumerate() {
            let cut = |after| Cut::Element { score, bytes, after };
            assert_eq!((self.count_before(&cut(false)), self.count_before(&cut(true))), (rank, rank + 1));
            assert!(previous.is_none_or(|(other, others)| other < score || other == score && others < bytes));
            previous = Some((score, bytes));
        }
    }
}

fn take(node: &mut Node, target: Target<'_>, max: usize, out: &mut dyn FnMut(f64, Pointer)) -> usize {
    match node {
        Node::Leaf(leaf) => {
            let at = match target {
                Target::Rank(rank) => rank,
                Target::Before(cut) => leaf.position(&cut).saturating_sub(1),
            };
            let n = max.min(leaf.len().saturating_sub(at));
            leaf.scores()[at..]
                .iter()
                .zip(&leaf.members()[at..])
                .take(n)
                .for_each(|(&score, &member)| out(score, member));
            leaf.remove(at, n);
            n
        }
        Node::Inner(inner) => {
            let (at, target) = match target {
                Target::Rank(rank) => {
                    let (at, rank) = inner.child_of_rank(rank);
                    (at, Target::Rank(rank))
                }
                Target::Before(cut) => (inner.position(&cut).saturating_sub(1), target),
            };
            let n = take(inner.child_mut(at), target, max, out);
            inner.note_removal(at, n);
            n
        }
    }
}

/// Elements by rank, from both ends: bytes and score. A step is O(1), with a descent of O(log n) for each leaf.
pub struct Elements<'a> {
    tree: &'a Tree,
    ranks: Range<usize>,
    front: Option<(&'a Leaf, usize)>,
    /// The place is one behind the next element.
    back: Option<(&'a Leaf, usize)>,
}

fn element(leaf: &Leaf, at: usize) -> (&[u8], f64) {
    // SAFETY: members in the tree are alive, and the tree is borrowed as long as the leaf.
    (unsafe { leaf.members()[at].bytes() }, leaf.scores()[at])
}

impl<'a> Iterator for Elements<'a> {
    type Item = (&'a [u8], f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next()?;
        let (leaf, at) = match self.front {
            Some((leaf, at)) if at < leaf.len() => (leaf, at),
            _ => self.tree.seek(rank),
        };
        self.front = Some((leaf, at + 1));
        Some(element(leaf, at))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }

    /// O(log n).
    fn nth(&mut self, n: usize) -> Option<Self::Item> {
        self.front = None;
        self.ranks.start = self.ranks.start.saturating_add(n).min(self.ranks.end);
        self.next()
    }
}

impl DoubleEndedIterator for Elements<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        let rank = self.ranks.next_back()?;
        let (leaf, at) = match self.back {
            Some((leaf, end)) if end > 0 => (leaf, end - 1),
            _ => self.tree.seek(rank),
        };
        self.back = Some((leaf, at));
        Some(element(leaf, at))
    }

    /// O(log n).
    fn nth_back(&mut self, n: usize) -> Option<Self::Item> {
        self.back = None;
        self.ranks.end = self.ranks.end.saturating_sub(n).max(self.ranks.start);
        self.next_back()
    }
}

impl ExactSizeIterator for Elements<'_> {}
