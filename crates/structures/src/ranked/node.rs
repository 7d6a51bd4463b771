//! The nodes of the tree, and positions in them.
//!
//! A leaf keeps scores and members in two arrays: a search by score reads half a kilobyte in sequence and follows no pointer
//! unless scores are equal. An inner node keeps, for each child, the child's first element and how many elements it holds.

use super::member::Pointer;

/// Elements in a leaf: with the length it takes 1016 bytes.
pub(super) const LEAF: usize = 63;

/// Children of an inner node.
pub(super) const FANOUT: usize = 63;

/// A node that is thinner than this looks for a neighbour to join.
const THIN: usize = LEAF / 3;

/// Room that stays free after a join, so that the next insertion does not undo it.
const SPARE: usize = 8;

/// A cut between two elements: the elements before it are a prefix of the order.
#[derive(Clone, Copy)]
pub(super) enum Cut<'a> {
    /// Before or after all elements with this score.
    Score { score: f64, after: bool },
    /// Before or after this element.
    Element { score: f64, bytes: &'a [u8], after: bool },
    /// Before or after these bytes, where all scores are equal.
    Lex { bytes: &'a [u8], after: bool },
}

impl Cut<'_> {
    /// How many of the elements, which are in order, stand before the cut.
    #[inline]
    pub(super) fn position(&self, scores: &[f64], members: &[Pointer]) -> usize {
        match *self {
            Cut::Score { score, after: false } => count_below(scores, score),
            Cut::Score { score, after: true } => count_up_to(scores, score),
            Cut::Element { score, bytes, after } => {
                let first = count_below(scores, score);
                if scores.get(first) != Some(&score) {
                    return first;
                }
                let end = first + count_up_to(&scores[first..], score);
                first + position_by_bytes(&members[first..end], bytes, after)
            }
            Cut::Lex { bytes, after } => position_by_bytes(members, bytes, after),
        }
    }
}

#[inline]
fn count_below(scores: &[f64], score: f64) -> usize {
    scores.iter().filter(|&&other| other < score).count()
}

#[inline]
fn count_up_to(scores: &[f64], score: f64) -> usize {
    scores.iter().filter(|&&other| other <= score).count()
}

fn position_by_bytes(members: &[Pointer], bytes: &[u8], after: bool) -> usize {
    members.partition_point(|member| {
        // SAFETY: whoever put the member into the tree promised that it lives as long as it is there.
        let other = unsafe { member.bytes() };
        other < bytes || after && other == bytes
    })
}

pub(super) struct Leaf {
    len: usize,
    scores: [f64; LEAF],
    members: [Pointer; LEAF],
}

impl Leaf {
    pub(super) fn new() -> Leaf {
        Leaf { len: 0, scores: [0.0; LEAF], members: [Pointer::NONE; LEAF] }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn scores(&self) -> &[f64] {
        &self.scores[..self.len]
    }

    #[inline]
    pub(super) fn members(&self) -> &[Pointer] {
        &self.members[..self.len]
    }

    #[inline]
    pub(super) fn position(&self, cut: &Cut<'_>) -> usize {
        cut.position(self.scores(), self.members())
    }

    #[inline]
    pub(super) fn set_score(&mut self, at: usize, score: f64) {
        self.scores[at] = score;
    }

    pub(super) fn insert(&mut self, at: usize, score: f64, member: Pointer) {
        insert(&mut self.scores, self.len, at, score);
        insert(&mut self.members, self.len, at, member);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, at: usize, n: usize) {
        self.scores.copy_within(at + n..self.len, at);
        self.members.copy_within(at + n..self.len, at);
        self.len -= n;
    }

    /// Moves the last `n` elements to the front of the right neighbour.
    fn shift_right(&mut self, right: &mut Leaf, n: usize) {
        right.scores.copy_within(..right.len, n);
        right.members.copy_within(..right.len, n);
        let from = self.len - n;
        right.scores[..n].copy_from_slice(&self.scores[from..self.len]);
        right.members[..n].copy_from_slice(&self.members[from..self.len]);
        self.len -= n;
        right.len += n;
    }

    /// Moves the first `n` elements of the right neighbour to the end.
    fn shift_left(&mut self, right: &mut Leaf, n: usize) {
        self.scores[self.len..self.len + n].copy_from_slice(&right.scores[..n]);
        self.members[self.len..self.len + n].copy_from_slice(&right.members[..n]);
        self.len += n;
        right.remove(0, n);
    }
}

pub(super) struct Inner {
    len: usize,
    /// The first element of each child.
    scores: [f64; FANOUT],
    members: [Pointer; FANOUT],
    /// The number of elements under each child.
    counts: [usize; FANOUT],
    children: [Option<Node>; FANOUT],
}

pub(super) enum Node {
    Leaf(Box<Leaf>),
    Inner(Box<Inner>),
}

impl Node {
    pub(super) fn leaf() -> Node {
        Node::Leaf(Box::new(Leaf::new()))
    }

    /// Elements of a leaf, children of an inner node.
    #[inline]
    pub(super) fn width(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.len,
        }
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        match self {
            Node::Leaf(leaf) => leaf.len == LEAF,
            Node::Inner(inner) => inner.len == FANOUT,
        }
    }

    /// The number of elements.
    pub(super) fn count(&self) -> usize {
        match self {
            Node::Leaf(leaf) => leaf.len,
            Node::Inner(inner) => inner.counts[..inner.len].iter().sum(),
        }
    }

    /// The first element of a node that is not empty.
    fn first(&self) -> (f64, Pointer) {
        match self {
            Node::Leaf(leaf) => (leaf.scores[0], leaf.members[0]),
            Node::Inner(inner) => (inner.scores[0], inner.members[0]),
        }
    }

    /// Moves everything from `at` on into a new right neighbour.
    fn split_off(&mut self, at: usize) -> Node {
        match self {
            Node::Leaf(leaf) => {
                let mut right = Box::new(Leaf::new());
                leaf.shift_right(&mut right, leaf.len - at);
                Node::Leaf(right)
            }
            Node::Inner(inner) => {
                let mut right = Box::new(Inner::new());
                right.append(inner, at);
                Node::Inner(right)
            }
        }
    }

    /// Moves everything from the right neighbour, a node of the same kind, into this one.
    fn join(&mut self, right: Node) {
        match (self, right) {
            (Node::Leaf(leaf), Node::Leaf(mut right)) => {
                let n = right.len;
                leaf.shift_left(&mut right, n);
            }
            (Node::Inner(inner), Node::Inner(mut right)) => inner.append(&mut right, 0),
            _ => unreachable!("all leaves are at the same depth"),
        }
    }
}

impl Inner {
    pub(super) fn new() -> Inner {
        Inner {
            len: 0,
            scores: [0.0; FANOUT],
            members: [Pointer::NONE; FANOUT],
            counts: [0; FANOUT],
            children: [const { None }; FANOUT],
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn child(&self, at: usize) -> &Node {
        self.children[at].as_ref().expect("a child below the length")
    }

    #[inline]
    pub(super) fn child_mut(&mut self, at: usize) -> &mut Node {
        self.children[at].as_mut().expect("a child below the length")
    }

    /// How many children begin before the cut.
    #[inline]
    pub(super) fn position(&self, cut: &Cut<'_>) -> usize {
        cut.position(&self.scores[..self.len], &self.members[..self.len])
    }

    /// The number of elements before child `at`.
    #[inline]
    pub(super) fn count_before(&self, at: usize) -> usize {
        self.counts[..at].iter().sum()
    }

    /// The child that holds the element of this rank, and the rank inside it; the end belongs to the last child.
    #[inline]
    pub(super) fn child_of_rank(&self, mut rank: usize) -> (usize, usize) {
        let mut at = 0;
        while at + 1 < self.len && rank >= self.counts[at] {
            rank -= self.counts[at];
            at += 1;
        }
        (at, rank)
    }

    /// Counts one element more in child `at`, and lowers the child's first element to it if the cut before the new element is
    /// before the child.
    #[inline]
    pub(super) fn note_insertion(&mut self, at: usize, cut: &Cut<'_>, score: f64, member: Pointer) {
        self.counts[at] += 1;
        if at == 0 && cut.position(&self.scores[..1], &self.members[..1]) == 0 {
            self.scores[0] = score;
            self.members[0] = member;
        }
    }

    /// Whether what is noted about child `at` is so.
    pub(super) fn notes_are_right(&self, at: usize) -> bool {
        let child = self.child(at);
        child.first() == (self.scores[at], self.members[at]) && child.count() == self.counts[at]
    }

    pub(super) fn insert_child(&mut self, at: usize, child: Node) {
        let (score, member) = child.first();
        insert(&mut self.scores, self.len, at, score);
        insert(&mut self.members, self.len, at, member);
        insert(&mut self.counts, self.len, at, child.count());
        self.children[at..=self.len].rotate_right(1);
        self.children[at] = Some(child);
        self.len += 1;
    }

    fn remove_child(&mut self, at: usize) -> Node {
        self.scores.copy_within(at + 1..self.len, at);
        self.members.copy_within(at + 1..self.len, at);
        self.counts.copy_within(at + 1..self.len, at);
        self.children[at..self.len].rotate_left(1);
        self.len -= 1;
        self.children[self.len].take().expect("a child below the length")
    }

    /// Takes the only child out.
    pub(super) fn into_only_child(mut self) -> Node {
        debug_assert_eq!(self.len, 1);
        self.remove_child(0)
    }

    /// Moves the children of `other` from `from` on to the end.
    fn append(&mut self, other: &mut Inner, from: usize) {
        let n = other.len - from;
        let to = self.len..self.len + n;
        self.scores[to.clone()].copy_from_slice(&other.scores[from..other.len]);
        self.members[to.clone()].copy_from_slice(&other.members[from..other.len]);
        self.counts[to.clone()].copy_from_slice(&other.counts[from..other.len]);
        self.children[to].swap_with_slice(&mut other.children[from..other.len]);
        self.len += n;
        other.len = from;
    }

    /// Reads anew what is noted about child `at`.
    fn refresh(&mut self, at: usize) {
        let child = self.child(at);
        let (first, count) = (child.first(), child.count());
        (self.scores[at], self.members[at]) = first;
        self.counts[at] = count;
    }

    /// Makes room in the full child `at` for an element at `cut`; this node has room for another child. Where the tree grows at
    /// one of its ends, `first` or `last`, what is there already stays packed.
    pub(super) fn make_room(&mut self, at: usize, cut: &Cut<'_>, first: bool, last: bool) {
        let width = self.child(at).width();
        let position = match self.child(at) {
            Node::Leaf(leaf) => leaf.position(cut),
            Node::Inner(inner) => inner.position(cut),
        };
        let split = if last && at + 1 == self.len && position == width {
            width - 1
        } else if first && at == 0 && position == 0 {
            1
        } else if self.share(at) {
            return;
        } else {
            width / 2
        };
        let right = self.child_mut(at).split_off(split);
        self.insert_child(at + 1, right);
        self.refresh(at);
    }

    /// Moves some elements of the full leaf `at` to the emptier neighbour; answers false if none is empty enough.
    fn share(&mut self, at: usize) -> bool {
        let free = |other: Option<usize>| match other.and_then(|other| self.children.get(other)) {
            Some(Some(Node::Leaf(leaf))) => LEAF - leaf.len,
            _ => 0,
        };
        let (left_free, right_free) = (free(at.checked_sub(1)), free(Some(at + 1)));
        let most = left_free.max(right_free);
        if most < SPARE {
            return false;
        }
        let first = if left_free > right_free { at - 1 } else { at };
        let [Some(Node::Leaf(left)), Some(Node::Leaf(right))] = &mut self.children[first..first + 2] else {
            return false;
        };
        if first == at {
            left.shift_right(right, most / 2)
        } else {
            left.shift_left(right, most / 2)
        }
        self.refresh(first);
        self.refresh(first + 1);
        true
    }

    /// Puts things right after `n` elements have left child `at`.
    pub(super) fn note_removal(&mut self, at: usize, n: usize) {
        self.counts[at] -= n;
        let width = self.child(at).width();
        if width == 0 {
            self.remove_child(at);
            return;
        }
        (self.scores[at], self.members[at]) = self.child(at).first();
        if width >= THIN {
            return;
        }
        for left in [Some(at), at.checked_sub(1)].into_iter().flatten().filter(|left| left + 1 < self.len) {
            // Leaves and inner nodes are equally wide.
            if self.child(left).width() + self.child(left + 1).width() <= LEAF - SPARE {
                let right = self.remove_child(left + 1);
                self.child_mut(left).join(right);
                self.refresh(left);
                return;
            }
        }
    }
}

/// Inserts into the first `len` items of an array that has room.
#[inline]
fn insert<T: Copy>(items: &mut [T], len: usize, at: usize, item: T) {
    items.copy_within(at..len, at + 1);
    items[at] = item;
}
