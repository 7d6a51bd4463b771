//! A listpack: a list of short texts and integers in one block of bytes.
//!
//! Question: how do small hashes, lists, sets and sorted sets cost a few bytes per element instead of an allocation
//! each? By laying their elements one behind the other, readable in both directions. The bytes are those of Redis,
//! because RDB files and DUMP payloads carry them verbatim:
//!
//! ```text
//!   +-------------+---------+---------+-- … --+---------+------+
//!   | total bytes |  count  | entry 0 |       | entry n | 0xFF |
//!   |   u32 LE    | u16 LE  |         |       |         |      |
//!   +-------------+---------+---------+-- … --+---------+------+
//!
//!   entry:  encoding [length] [data]   backlen (1-5 bytes, read from its end: 7 bits a byte, 0x80 = more)
//!
//!   0xxxxxxx                 integer 0..127                  11110001 + 2 bytes  integer, 16 bits LE
//!   10LLLLLL                 text of up to 63 bytes          11110010 + 3 bytes  integer, 24 bits LE
//!   110xxxxx + 1 byte        integer, 13 bits                11110011 + 4 bytes  integer, 32 bits LE
//!   1110LLLL + 1 byte        text of up to 4095 bytes        11110100 + 8 bytes  integer, 64 bits LE
//!   11110000 + u32 LE        text of any length
//! ```
//!
//! Invariants:
//! 1. A text that is a canonical integer is stored as the smallest integer encoding that holds it.
//! 2. `count` is exact below 65535 and 65535 from there on; then the length is found by walking.
//! 3. The bytes of a [`Listpack`] are valid: those from outside pass [`Listpack::from_bytes`], which checks every entry.
//!
//! The handle is 8 bytes; the block is sized by its length alone (see `block`).
//!
//! Costs: push and pop at the end O(1) amortised, elsewhere a memmove of what is behind; index and find walk.
//! A [`Pos`] is good until the next change before it; a stale one gives a wrong element or a panic, nothing worse.

mod entry;

use self::entry::{Encoded, back_len, decode, decode_back, entry_len};
use crate::block::{Block, capacity};
use crate::item::Item;

const HEADER: usize = 6;
const END: u8 = 0xFF;
/// The count that means "walk to find out".
const COUNT_UNKNOWN: u16 = u16::MAX;

/// No listpack grows beyond this, so that its total always fits the header.
pub const MAX_BYTES: usize = 1 << 30;

/// Bytes that are not a listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// The place of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos(u32);

impl Pos {
    fn at(offset: usize) -> Self {
        Self(offset as u32)
    }

    fn offset(self) -> usize {
        self.0 as usize
    }
}

/// A list of short elements in one allocation; see the module's page.
#[repr(transparent)]
pub struct Listpack {
    block: Block,
}

impl Listpack {
    /// An empty listpack: 7 bytes.
    pub fn new() -> Self {
        Self { block: Block::copy_of(&[HEADER as u8 + 1, 0, 0, 0, 0, 0, END]) }
    }

    /// Takes over bytes from outside, every entry checked. O(n).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corrupt> {
        Self::validate(bytes)?;
        Ok(Self { block: Block::copy_of(bytes) })
    }

    /// Checks that `bytes` are a listpack: the total, each entry with its backlen, the end mark, the count. O(n).
    pub fn validate(bytes: &[u8]) -> Result<(), Corrupt> {
        if bytes.len() < HEADER + 1 || bytes.len() > u32::MAX as usize {
            return Err(Corrupt);
        }
        let total = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let end = bytes.len() - 1;
        if total != bytes.len() || bytes[end] != END {
            return Err(Corrupt);
        }
        let mut at = HEADER;
        let mut count = 0usize;
        while at < end {
            let len = entry_len(&bytes[..end], at).ok_or(Corrupt)?;
            let next = at + len + back_len(len);
            if next > end || decode_back(bytes, next) != Some((len, back_len(len))) {
                return Err(Corrupt);
            }
            at = next;
            count += 1;
        }
        let told = u16::from_le_bytes([bytes[4], bytes[5]]);
        if told != COUNT_UNKNOWN && usize::from(told) != count { Err(Corrupt) } else { Ok(()) }
    }

    /// All bytes, as RDB files hold them.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the header's total is the length of the block; `new`, `from_bytes` and `splice` keep it so.
        unsafe { self.block.bytes(self.byte_len()) }
    }

    /// The count of bytes.
    #[inline]
    pub fn byte_len(&self) -> usize {
        // SAFETY: every listpack has a header.
        let head: &[u8; 4] = unsafe { self.block.head() };
        u32::from_le_bytes(*head) as usize
    }

    /// The bytes allocated.
    pub fn memory(&self) -> usize {
        capacity(self.byte_len())
    }

    /// The count of elements. O(1) below 65535 elements, else O(n).
    pub fn len(&self) -> usize {
        match self.told_count() {
            COUNT_UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.byte_len() == HEADER + 1
    }

    fn told_count(&self) -> u16 {
        // SAFETY: every listpack has a header.
        let head: &[u8; HEADER] = unsafe { self.block.head() };
        u16::from_le_bytes([head[4], head[5]])
    }

    fn end(&self) -> usize {
        self.byte_len() - 1
    }

    /// The bytes that an element would take. O(1), but a text that may be an integer is read as one.
    pub fn cost<'a>(item: impl Into<Item<'a>>) -> usize {
        Encoded::new(item.into()).size()
    }

    /// The bytes of a listpack of `count` times the integer `value`.
    pub fn estimate(value: i64, count: usize) -> usize {
        HEADER + 1 + Self::cost(value) * count
    }

    // --- positions

    /// The first entry.
    pub fn first(&self) -> Option<Pos> {
        (!self.is_empty()).then_some(Pos::at(HEADER))
    }

    /// The last entry.
    pub fn last(&self) -> Option<Pos> {
        self.before(self.end())
    }

    /// The entry behind `pos`.
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        let next = decode(self.as_bytes(), pos.offset()).1;
        (next < self.end()).then_some(Pos::at(next))
    }

    /// The entry before `pos`.
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        self.before(pos.offset())
    }

    fn before(&self, offset: usize) -> Option<Pos> {
        if offset <= HEADER {
            return None;
        }
        let (entry, back) = decode_back(self.as_bytes(), offset).expect("entries are valid");
        Some(Pos::at(offset - back - entry))
    }

    /// The entry at `index`; negative indices count from the end, -1 being the last. O(n), from the nearer end.
    pub fn seek(&self, index: isize) -> Option<Pos> {
        let count = self.len();
        let index = if index < 0 { count.checked_sub(index.unsigned_abs())? } else { index as usize };
        if index >= count {
            return None;
        }
        if index <= count / 2 {
            let bytes = self.as_bytes();
            let mut at = HEADER;
            for _ in 0..index {
                at = decode(bytes, at).1;
            }
            Some(Pos::at(at))
        } else {
            let mut pos = self.last()?;
            for _ in index + 1..count {
                pos = self.prev(pos)?;
            }
            Some(pos)
        }
    }

    /// The element at `pos`.
    pub fn get(&self, pos: Pos) -> Item<'_> {
        decode(self.as_bytes(), pos.offset()).0
    }

    /// The element at `index`; negative indices count from the end. O(n).
    pub fn index(&self, index: isize) -> Option<Item<'_>> {
        self.seek(index).map(|pos| self.get(pos))
    }

    /// The first entry from `from` on whose text is `needle`, looking at every `skip + 1`th entry only. O(n).
    pub fn find(&self, from: Pos, needle: &[u8], skip: usize) -> Option<Pos> {
        let bytes = self.as_bytes();
        let end = bytes.len() - 1;
        let needle = Item::Bytes(needle).canonical();
        let mut at = from.offset();
        while at < end {
            let (item, next) = decode(bytes, at);
            let found = match (item, needle) {
                (Item::Int(a), Item::Int(b)) => a == b,
                (Item::Bytes(a), Item::Bytes(b)) => a == b,
                // A foreign listpack may hold an integer as text.
                (Item::Bytes(text), Item::Int(value)) => {
                    text.len() < 21 && crate::number::parse_i64(text) == Some(value)
                }
                (Item::Int(_), Item::Bytes(_)) => false,
            };
            if found {
                return Some(Pos::at(at));
            }
            at = next;
            for _ in 0..skip {
                if at >= end {
                    break;
                }
                at = decode(bytes, at).1;
            }
        }
        None
    }

    /// The elements from the first to the last; `rev()` walks the other way.
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: HEADER, back: self.end() }
    }

    /// The elements with these indices, as far as they exist. O(n) to begin.
    pub fn range(&self, indices: std::ops::Range<usize>) -> Iter<'_> {
        let bytes = self.as_bytes();
        let end = indices.end.min(self.len());
        if indices.start >= end {
            return Iter { bytes, front: HEADER, back: HEADER };
        }
        let place = |index: usize| self.seek(index as isize).map_or(bytes.len() - 1, Pos::offset);
        Iter { bytes, front: place(indices.start), back: place(end) }
    }

    /// The elements from `pos` to the last.
    pub fn iter_from(&self, pos: Pos) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: pos.offset(), back: self.end() }
    }

    /// The elements from the first up to `pos`, inclusive.
    pub fn iter_to(&self, pos: Pos) -> Iter<'_> {
        let bytes = self.as_bytes();
        Iter { bytes, front: HEADER, back: decode(bytes, pos.offset()).1 }
    }

    // --- changes

    /// Replaces `removed` bytes at `at`, which hold whole entries, by `added` bytes for the caller to fill, and
    /// adds `delta` to the count.
    fn splice(&mut self, at: usize, removed: usize, added: usize, delta: isize) -> &mut [u8] {
        let old = self.byte_len();
        let new = old - removed + added;
        assert!(at >= HEADER && at + removed < old, "the entries lie inside");
        assert!(new <= u32::MAX as usize, "a listpack stays below 4 GiB");
        let known = self.told_count();
        if new > old {
            // SAFETY: `old` is the length; the header gets the new one right below.
            unsafe { self.block.resize(old, new) };
            // SAFETY: `new` is the length now.
            let bytes = unsafe { self.block.bytes_mut(new) };
            bytes[..4].copy_from_slice(&(new as u32).to_le_bytes());
            bytes.copy_within(at + removed..old, at + added);
        } else if new < old {
            // SAFETY: `old` is the length until the resize.
            let bytes = unsafe { self.block.bytes_mut(old) };
            bytes.copy_within(at + removed..old, at + added);
            bytes[..4].copy_from_slice(&(new as u32).to_le_bytes());
            // SAFETY: as above; the header tells the new length already.
            unsafe { self.block.resize(old, new) };
        }
        if delta != 0 {
            if known != COUNT_UNKNOWN {
                let count = usize::from(known).saturating_add_signed(delta);
                self.set_count(count);
            } else if delta < 0 {
                let count = self.iter().count();
                self.set_count(count);
            }
        }
        // SAFETY: `new` is the length.
        let bytes = unsafe { self.block.bytes_mut(new) };
        &mut bytes[at..at + added]
    }

    fn set_count(&mut self, count: usize) {
        let told = u16::try_from(count).unwrap_or(COUNT_UNKNOWN);
        let len = self.byte_len();
        // SAFETY: the header tells the length.
        let bytes = unsafe { self.block.bytes_mut(len) };
        bytes[4..6].copy_from_slice(&told.to_le_bytes());
    }

    fn insert_at(&mut self, at: usize, item: Item<'_>) -> Pos {
        let encoded = Encoded::new(item);
        encoded.write(self.splice(at, 0, encoded.size(), 1));
        Pos::at(at)
    }

    /// Appends an element. O(1) amortised.
    pub fn push_back<'a>(&mut self, item: impl Into<Item<'a>>) {
        self.insert_at(self.end(), item.into());
    }

    /// Puts an element before the first. O(n).
    pub fn push_front<'a>(&mut self, item: impl Into<Item<'a>>) {
        self.insert_at(HEADER, item.into());
    }

    /// Puts an element before `pos` and answers its place.
    pub fn insert_before<'a>(&mut self, pos: Pos, item: impl Into<Item<'a>>) -> Pos {
        self.insert_at(pos.offset(), item.into())
    }

    /// Puts an element behind `pos` and answers its place.
    pub fn insert_after<'a>(&mut self, pos: Pos, item: impl Into<Item<'a>>) -> Pos {
        let next = decode(self.as_bytes(), pos.offset()).1;
        self.insert_at(next, item.into())
    }

    /// Puts another element in the place of that at `pos`.
    pub fn replace<'a>(&mut self, pos: Pos, item: impl Into<Item<'a>>) {
        let encoded = Encoded::new(item.into());
        let at = pos.offset();
        let next = decode(self.as_bytes(), at).1;
        encoded.write(self.splice(at, next - at, encoded.size(), 0));
    }

    /// Removes the element at `pos` and answers the place of the one behind it, which is `pos` again.
    pub fn remove(&mut self, pos: Pos) -> Option<Pos> {
        self.remove_from(pos, 1)
    }

    /// Removes up to `count` elements from `pos` on; answers the place of the one behind them.
    pub fn remove_from(&mut self, pos: Pos, count: usize) -> Option<Pos> {
        let (mut at, mut removed) = (pos.offset(), 0);
        let end = self.end();
        while removed < count && at < end {
            at = decode(self.as_bytes(), at).1;
            removed += 1;
        }
        self.splice(pos.offset(), at - pos.offset(), 0, -(removed as isize));
        (pos.offset() < self.end()).then_some(pos)
    }

    /// Removes up to `count` elements from `index` on.
    pub fn remove_range(&mut self, index: usize, count: usize) {
        if count == 0 {
            return;
        }
        if let Some(pos) = isize::try_from(index).ok().and_then(|index| self.seek(index)) {
            self.remove_from(pos, count);
        }
    }

    /// Removes all elements at `places`, which ascend, in one pass. O(n).
    pub fn remove_many(&mut self, places: &[Pos]) {
        let Some(first) = places.first() else { return };
        let old = self.byte_len();
        // SAFETY: `old` is the length.
        let bytes = unsafe { self.block.bytes_mut(old) };
        let mut to = first.offset();
        for (i, place) in places.iter().enumerate() {
            let keep = decode(bytes, place.offset()).1;
            let until = places.get(i + 1).map_or(old - 1, |next| next.offset());
            assert!(keep <= until && until < old, "places ascend");
            bytes.copy_within(keep..until, to);
            to += until - keep;
        }
        // What was kept stands in front; the rest up to the end mark goes.
        self.splice(to, old - 1 - to, 0, -(places.len() as isize));
    }

    /// Appends all elements of `other`. O(bytes of other).
    pub fn append(&mut self, other: &Self) {
        let bytes = other.as_bytes();
        let entries = &bytes[HEADER..bytes.len() - 1];
        if entries.is_empty() {
            return;
        }
        let count = self.len() + other.len();
        self.splice(self.end(), 0, entries.len(), 0).copy_from_slice(entries);
        self.set_count(count);
    }

    /// Takes the elements from `index` on away into a listpack of their own.
    pub fn split_off(&mut self, index: usize) -> Self {
        let mut tail = Self::new();
        let count = self.len();
        let Some(pos) = isize::try_from(index).ok().and_then(|index| self.seek(index)) else { return tail };
        let (at, end) = (pos.offset(), self.end());
        let entries = &self.as_bytes()[at..end];
        tail.splice(HEADER, 0, entries.len(), 0).copy_from_slice(entries);
        tail.set_count(count - index);
        self.splice(at, end - at, 0, 0);
        self.set_count(index);
        tail
    }
}

impl Drop for Listpack {
    fn drop(&mut self) {
        let len = self.byte_len();
        // SAFETY: the header tells the length, and nothing uses the block behind its drop.
        unsafe { self.block.free(len) };
    }
}

impl Clone for Listpack {
    fn clone(&self) -> Self {
        Self { block: Block::copy_of(self.as_bytes()) }
    }
}

impl Default for Listpack {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Item<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a, T: Into<Item<'a>>> FromIterator<T> for Listpack {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut pack = Self::new();
        for item in items {
            pack.push_back(item);
        }
        pack
    }
}

/// The elements of a listpack, from either end.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iter<'a> {
    /// The place of the element that `next` gives next.
    pub fn pos(&self) -> Option<Pos> {
        (self.front < self.back).then_some(Pos::at(self.front))
    }

    /// The next element with its place.
    pub fn next_entry(&mut self) -> Option<(Pos, Item<'a>)> {
        let pos = self.pos()?;
        self.next().map(|item| (pos, item))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (item, next) = decode(self.bytes, self.front);
        self.front = next;
        Some(item)
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let (entry, back) = decode_back(self.bytes, self.back).expect("entries are valid");
        self.back -= back + entry;
        Some(decode(self.bytes, self.back).0)
    }
}

#[cfg(test)]
mod tests;
