//! Lists: a listpack while short, a quicklist when long.
//!
//! ```text
//!                 grows beyond list-max-listpack-size
//!    listpack ─────────────────────────────────────────► quicklist
//!             ◄─────────────────────────────────────────
//!                 one packed node is left, at half of the limit
//! ```
//!
//! The half is the hysteresis that keeps a list at the border from converting at every push and pop. Conversions happen where
//! the peer has them, so that OBJECT ENCODING agrees: growth is judged once per command, by the sum of the bytes to come.
//!
//! Indices are from the front; [`List::resolve`] turns the wire's negative ones. Costs are those of
//! [`structures::quicklist`]; a clone of a quicklist shares its nodes, which is how a snapshot keeps a long list.

use structures::dual::{Dual, DualMut, DualRef};
use structures::listpack::{self, Listpack};
pub use structures::quicklist::End;
use structures::quicklist::{Cursor, NodeView, Quicklist};

use crate::{Item, Limits};

/// A list of elements; see the module's page.
#[derive(Clone, Debug)]
pub struct List {
    repr: Repr,
}

type Repr = Dual<Listpack, Quicklist>;

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Listpack> for List {
    fn from(pack: Listpack) -> Self {
        Self { repr: Repr::small(pack) }
    }
}

impl From<Quicklist> for List {
    fn from(list: Quicklist) -> Self {
        Self { repr: Repr::big(Box::new(list)) }
    }
}

impl List {
    /// An empty list.
    pub fn new() -> Self {
        Listpack::new().into()
    }

    /// The count of elements.
    pub fn len(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(pack) => pack.len(),
            DualRef::Big(list) => list.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        match self.repr.get() {
            DualRef::Small(pack) => pack.is_empty(),
            DualRef::Big(list) => list.is_empty(),
        }
    }

    /// `listpack` or `quicklist`.
    pub fn encoding(&self) -> &'static str {
        match self.repr.get() {
            DualRef::Small(_) => "listpack",
            DualRef::Big(_) => "quicklist",
        }
    }

    /// The index from the front that the wire means by `index`, where negative ones count from the end. May be the length or
    /// beyond; `None` if it is before the front.
    pub fn resolve(&self, index: i64) -> Option<usize> {
        if index >= 0 {
            usize::try_from(index).ok()
        } else {
            self.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)
        }
    }

    // --- conversions

    /// Converts to a quicklist if `count` more elements of `bytes` bytes together exceed the limit.
    fn grow(&mut self, bytes: usize, count: usize, limits: &Limits) {
        if let DualMut::Small(pack) = self.repr.get_mut()
            && limits.list().exceeded(pack.byte_len() + bytes, pack.len() + count)
        {
            let pack = std::mem::take(pack);
            self.repr = Repr::big(Box::new(Quicklist::from_listpack(pack)));
        }
    }

    /// Converts to a listpack if one packed node is left, within the limits divided by `divisor`.
    fn shrink(&mut self, divisor: usize, limits: &Limits) {
        let DualMut::Big(list) = self.repr.get_mut() else { return };
        let mut nodes = list.nodes();
        let (Some(NodeView::Packed(pack)), None) = (nodes.next(), nodes.next()) else { return };
        let (most_bytes, most) = limits.list().node_limits();
        if pack.byte_len() > most_bytes / divisor || list.len() > most / divisor {
            return;
        }
        drop(nodes);
        match std::mem::take(list).into_listpack() {
            Ok(pack) => self.repr = Repr::small(pack),
            Err(same) => *list = same,
        }
    }

    /// Brings a list that was read from a file into the encoding that the limits ask for.
    pub fn settle(&mut self, limits: &Limits) {
        self.grow(0, 0, limits);
        self.shrink(1, limits);
        if let DualMut::Big(list) = self.repr.get_mut() {
            list.compress(limits.list());
        }
    }

    // --- the ends

    /// Pushes elements one by one at an end (so at the front they end up reversed), as LPUSH and RPUSH do. O(1) each.
    pub fn push<'a, I>(&mut self, end: End, elements: I, limits: &Limits)
    where
        I: IntoIterator<Item = &'a [u8]>,
        I::IntoIter: Clone,
    {
        let elements = elements.into_iter();
        if matches!(self.repr.get(), DualRef::Small(_)) {
            let (bytes, count) = elements.clone().fold((0, 0), |(bytes, count), e| (bytes + e.len(), count + 1));
            self.grow(bytes, count, limits);
        }
        for element in elements {
            match self.repr.get_mut() {
                DualMut::Small(pack) if end == End::Front => pack.push_front(element),
                DualMut::Small(pack) => pack.push_back(element),
                DualMut::Big(list) => list.push(end, element, limits.list()),
            }
        }
    }

    /// Lends the element at an end to `f` and removes it. O(1).
    pub fn pop<R>(&mut self, end: End, limits: &Limits, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let pos = if end == End::Front { pack.first() } else { pack.last() }?;
                let result = f(pack.get(pos));
                pack.remove(pos);
                Some(result)
            }
            DualMut::Big(list) => {
                let result = list.pop(end, limits.list(), f);
                self.shrink(2, limits);
                result
            }
        }
    }

    // --- reading

    /// Lends the element at `index` to `f`. O(nodes).
    pub fn get<R>(&self, index: usize, f: impl FnOnce(Item<'_>) -> R) -> Option<R> {
        match self.repr.get() {
            DualRef::Small(pack) => pack.index(isize::try_from(index).ok()?).map(f),
            DualRef::Big(list) => list.with(index, f),
        }
    }

    /// A walk over all elements from the front.
    pub fn iter(&self) -> Elements<'_> {
        self.iter_from(0, false)
    }

    /// A walk that starts at `index` and goes towards the end, or towards the front if `reverse`.
    pub fn iter_from(&self, index: usize, reverse: bool) -> Elements<'_> {
        let walk = match self.repr.get() {
            DualRef::Small(pack) => {
                let start = isize::try_from(index).ok().and_then(|index| pack.seek(index));
                Walk::Packed(start.map(|pos| if reverse { pack.iter_to(pos) } else { pack.iter_from(pos) }))
            }
            DualRef::Big(list) => Walk::Quick(list.cursor(index, reverse)),
        };
        Elements { walk, reverse }
    }

    // --- changes inside

    /// Puts another element in the place of that at `index`; answers whether there was one. O(nodes).
    pub fn set(&mut self, index: usize, element: &[u8], limits: &Limits) -> bool {
        self.grow(element.len(), 1, limits);
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let Some(pos) = isize::try_from(index).ok().and_then(|index| pack.seek(index)) else { return false };
                pack.replace(pos, element);
                true
            }
            DualMut::Big(list) => {
                let done = list.replace(index, element, limits.list());
                if done {
                    self.shrink(2, limits);
                }
                done
            }
        }
    }

    /// Puts an element before the first that equals `pivot`, or behind it if `after`; answers whether there is such a pivot.
    /// O(n).
    pub fn insert(&mut self, pivot: &[u8], after: bool, element: &[u8], limits: &Limits) -> bool {
        self.grow(element.len(), 1, limits);
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let Some(pos) = pack.first().and_then(|first| pack.find(first, pivot, 0)) else { return false };
                if after {
                    pack.insert_after(pos, element);
                } else {
                    pack.insert_before(pos, element);
                }
                true
            }
            DualMut::Big(list) => {
                let pivot = Item::Bytes(pivot).canonical();
                let mut cursor = list.cursor(0, false);
                let mut index = 0;
                while let Some(item) = cursor.next_item() {
                    if item == pivot {
                        list.insert(index + usize::from(after), element, limits.list());
                        return true;
                    }
                    index += 1;
                }
                false
            }
        }
    }

    /// Removes the first `most` elements that equal `needle`, or the last ones if `reverse`; answers how many. O(n).
    pub fn remove_equal(&mut self, needle: &[u8], most: usize, reverse: bool, limits: &Limits) -> usize {
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let needle = Item::Bytes(needle).canonical();
                let mut places = Vec::new();
                let mut entries = pack.iter();
                while let Some((pos, item)) = entries.next_entry() {
                    if item == needle {
                        places.push(pos);
                        if !reverse && places.len() == most {
                            break;
                        }
                    }
                }
                let skipped = if reverse { places.len().saturating_sub(most) } else { 0 };
                pack.remove_many(&places[skipped..]);
                places.len() - skipped
            }
            DualMut::Big(list) => {
                let removed = list.remove_equal(needle, most, reverse, limits.list());
                if removed > 0 {
                    self.shrink(2, limits);
                }
                removed
            }
        }
    }

    /// Removes up to `count` elements from `index` on; answers how many there were.
    pub fn remove_range(&mut self, index: usize, count: usize, limits: &Limits) -> usize {
        match self.repr.get_mut() {
            DualMut::Small(pack) => {
                let before = pack.len();
                pack.remove_range(index, count);
                before - pack.len()
            }
            DualMut::Big(list) => {
                let removed = list.remove_range(index, count, limits.list());
                self.shrink(2, limits);
                removed
            }
        }
    }

    /// Keeps `count` elements from `index` on only, as LTRIM does.
    pub fn trim(&mut self, index: usize, count: usize, limits: &Limits) {
        let len = self.len();
        let end = index.saturating_add(count).min(len);
        self.remove_range(end, len - end, limits);
        self.remove_range(0, index.min(end), limits);
    }

    // --- for codecs and statistics

    /// The listpack, or the nodes of the quicklist.
    pub fn storage(&self) -> ListStorage<'_> {
        match self.repr.get() {
            DualRef::Small(pack) => ListStorage::Listpack(pack),
            DualRef::Big(list) => ListStorage::Quicklist(list),
        }
    }

    /// The bytes allocated. O(nodes).
    pub fn memory(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(pack) => pack.memory(),
            DualRef::Big(list) => size_of::<Quicklist>() + list.memory(),
        }
    }

    /// The allocations to free, roughly: what decides about lazy freeing.
    pub fn free_effort(&self) -> usize {
        match self.repr.get() {
            DualRef::Small(_) => 1,
            DualRef::Big(list) => list.node_count(),
        }
    }
}

/// How a list is stored, to be written.
#[derive(Clone, Copy, Debug)]
pub enum ListStorage<'a> {
    /// All elements in one listpack.
    Listpack(&'a Listpack),
    /// A deque of nodes.
    Quicklist(&'a Quicklist),
}

/// A walk over a list. What it lends lives until the next step, because a compressed node is decompressed into the walk.
#[derive(Debug)]
pub struct Elements<'a> {
    walk: Walk<'a>,
    reverse: bool,
}

#[derive(Debug)]
enum Walk<'a> {
    Packed(Option<listpack::Iter<'a>>),
    Quick(Cursor<'a>),
}

impl Elements<'_> {
    /// The next element.
    pub fn next_item(&mut self) -> Option<Item<'_>> {
        match &mut self.walk {
            Walk::Packed(items) => {
                let items = items.as_mut()?;
                if self.reverse { items.next_back() } else { items.next() }
            }
            Walk::Quick(cursor) => cursor.next_item(),
        }
    }

    /// Lends up to `count` elements to `f`.
    pub fn for_each(mut self, count: usize, mut f: impl FnMut(Item<'_>)) {
        for _ in 0..count {
            let Some(item) = self.next_item() else { break };
            f(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn elements(list: &List) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        list.iter().for_each(usize::MAX, |item| out.push(item.to_vec()));
        out
    }

    fn list_of(texts: &[&str], limits: &Limits) -> List {
        let mut list = List::new();
        list.push(End::Back, texts.iter().map(|text| text.as_bytes()), limits);
        list
    }

    #[test]
    fn encodings_change_where_the_peer_changes_them() {
        let limits = Limits { list_listpack_size: 4, ..Limits::default() };
        let mut list = list_of(&["a", "b", "c", "d"], &limits);
        assert_eq!(list.encoding(), "listpack");
        list.push(End::Front, [&b"e"[..]], &limits);
        assert_eq!(list.encoding(), "quicklist");
        // Two nodes: e, and a b c d.
        list.pop(End::Front, &limits, |_| ());
        assert_eq!(list.encoding(), "quicklist");
        list.pop(End::Back, &limits, |_| ());
        assert_eq!(list.encoding(), "quicklist");
        list.pop(End::Back, &limits, |_| ());
        assert_eq!((list.encoding(), list.len()), ("listpack", 2));
        // By bytes: the sum of what comes is judged, before anything is pushed.
        let limits = Limits { list_listpack_size: -1, ..Limits::default() };
        assert_eq!(list_of(&["x".repeat(4000).as_str()], &limits).encoding(), "listpack");
        assert_eq!(list_of(&["x".repeat(4090).as_str()], &limits).encoding(), "quicklist");
        let many = vec!["1234567"; 580];
        assert_eq!(list_of(&many, &limits).encoding(), "listpack");
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(End, Vec<Vec<u8>>),
        Pop(End),
        Set(usize, Vec<u8>),
        Insert(Vec<u8>, bool, Vec<u8>),
        RemoveEqual(Vec<u8>, usize, bool),
        Trim(usize, usize),
        Settle,
    }

    fn element() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            8 => "[ab]{0,2}".prop_map(String::into_bytes),
            4 => (0i64..30).prop_map(|i| i.to_string().into_bytes()),
            1 => (b'a'..b'd', 1000usize..9000).prop_map(|(byte, len)| vec![byte; len]),
        ]
    }

    fn step() -> impl Strategy<Value = Step> {
        let end = || prop_oneof![Just(End::Front), Just(End::Back)];
        prop_oneof![
            6 => (end(), proptest::collection::vec(element(), 1..4)).prop_map(|(end, e)| Step::Push(end, e)),
            3 => end().prop_map(Step::Pop),
            2 => (0usize..20, element()).prop_map(|(i, e)| Step::Set(i, e)),
            2 => (element(), any::<bool>(), element()).prop_map(|(p, after, e)| Step::Insert(p, after, e)),
            1 => (element(), 1usize..4, any::<bool>()).prop_map(|(e, n, r)| Step::RemoveEqual(e, n, r)),
            1 => (0usize..10, 0usize..40).prop_map(|(i, n)| Step::Trim(i, n)),
            1 => Just(Step::Settle),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

        #[test]
        fn behaves_as_a_vector(fill in prop_oneof![Just(-2), Just(-1), 0..5i32], depth in 0u32..3, steps in proptest::collection::vec(step(), 0..60)) {
            let limits = Limits { list_listpack_size: fill, list_compress_depth: depth, ..Limits::default() };
            let mut list = List::new();
            let mut model: Vec<Vec<u8>> = Vec::new();
            for step in steps {
                match step {
                    Step::Push(end, elements) => {
                        list.push(end, elements.iter().map(Vec::as_slice), &limits);
                        for e in elements {
                            let at = if end == End::Front { 0 } else { model.len() };
                            model.insert(at, e);
                        }
                    }
                    Step::Pop(end) => {
                        let wanted = match end {
                            End::Front if model.is_empty() => None,
                            End::Front => Some(model.remove(0)),
                            End::Back => model.pop(),
                        };
                        prop_assert_eq!(list.pop(end, &limits, |item| item.to_vec()), wanted);
                    }
                    Step::Set(i, e) => {
                        prop_assert_eq!(list.set(i, &e, &limits), i < model.len());
                        if i < model.len() { model[i] = e; }
                    }
                    Step::Insert(pivot, after, e) => {
                        let at = model.iter().position(|e| *e == pivot);
                        prop_assert_eq!(list.insert(&pivot, after, &e, &limits), at.is_some());
                        if let Some(at) = at { model.insert(at + usize::from(after), e); }
                    }
                    Step::RemoveEqual(e, most, reverse) => {
                        let mut places: Vec<usize> = (0..model.len()).filter(|i| model[*i] == e).collect();
                        if reverse { places.reverse(); }
                        places.truncate(most);
                        prop_assert_eq!(list.remove_equal(&e, most, reverse, &limits), places.len());
                        places.sort_unstable();
                        for i in places.into_iter().rev() { model.remove(i); }
                    }
                    Step::Trim(i, n) => {
                        list.trim(i, n, &limits);
                        model = model.into_iter().skip(i).take(n).collect();
                    }
                    Step::Settle => {
                        list.settle(&limits);
                        if let ListStorage::Listpack(pack) = list.storage() {
                            prop_assert!(!limits.list().exceeded(pack.byte_len(), pack.len()));
                        }
                    }
                }
                prop_assert_eq!(elements(&list), model.clone());
                prop_assert_eq!((list.len(), list.is_empty()), (model.len(), model.is_empty()));
            }
            for i in 0..=model.len() {
                prop_assert_eq!(list.get(i, |item| item.to_vec()), model.get(i).cloned());
                let mut rest = Vec::new();
                list.iter_from(i, true).for_each(2, |item| rest.push(item.to_vec()));
                let wanted: Vec<_> = model.iter().take(i + 1).rev().take(2).cloned().collect();
                prop_assert_eq!(rest, if i < model.len() { wanted } else { Vec::new() });
            }
            prop_assert_eq!(list.resolve(-1), model.len().checked_sub(1));
        }
    }
}
