//! An intset: a small set of integers as one sorted array.
//!
//! Question: how does a set of integers cost two, four or eight bytes per member? As a sorted array whose width is
//! that of its widest member. The bytes are those of Redis, because RDB files carry them verbatim:
//!
//! ```text
//!   +----------------+----------------+---------+---------+-- … --+
//!   | width 2, 4, 8  |     count      | smallest|         |       |     all little endian
//!   |    u32 LE      |    u32 LE      | iW LE   |         |       |
//!   +----------------+----------------+---------+---------+-- … --+
//! ```
//!
//! Invariants: members ascend strictly; every member fits the width. The width never shrinks, as in Redis.
//!
//! Costs: look-up O(log n), insert and remove O(n) by memmove, rank and index O(log n) and O(1). The handle is 8 bytes.

use crate::block::{Block, capacity};

const HEADER: usize = 8;

/// Bytes that are not an intset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// A sorted array of integers; see the module's page.
#[repr(transparent)]
pub struct Intset {
    block: Block,
}

fn width_of(value: i64) -> usize {
    if i16::try_from(value).is_ok() {
        2
    } else if i32::try_from(value).is_ok() {
        4
    } else {
        8
    }
}

fn read(members: &[u8], width: usize, index: usize) -> i64 {
    let bytes = &members[index * width..(index + 1) * width];
    match *bytes {
        [a, b] => i64::from(i16::from_le_bytes([a, b])),
        [a, b, c, d] => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => i64::from_le_bytes(bytes.try_into().expect("the width is 2, 4 or 8")),
    }
}

fn write(members: &mut [u8], width: usize, index: usize, value: i64) {
    members[index * width..(index + 1) * width].copy_from_slice(&value.to_le_bytes()[..width]);
}

impl Intset {
    /// An empty set.
    pub fn new() -> Self {
        Self { block: Block::copy_of(&[2, 0, 0, 0, 0, 0, 0, 0]) }
    }

    /// Takes over bytes from outside: a width, a count that fits the length and is not 0, ascending members. O(n).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Corrupt> {
        let (head, members) = bytes.split_at_checked(HEADER).ok_or(Corrupt)?;
        let width = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let count = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        if !matches!(width, 2 | 4 | 8) || count == 0 || count.checked_mul(width) != Some(members.len()) {
            return Err(Corrupt);
        }
        if (1..count).any(|i| read(members, width, i) <= read(members, width, i - 1)) {
            return Err(Corrupt);
        }
        Ok(Self { block: Block::copy_of(bytes) })
    }

    fn header(&self) -> (usize, usize) {
        // SAFETY: every intset has a header.
        let head: &[u8; HEADER] = unsafe { self.block.head() };
        let width = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let count = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        (width as usize, count as usize)
    }

    /// The count of bytes.
    pub fn byte_len(&self) -> usize {
        let (width, count) = self.header();
        HEADER + width * count
    }

    /// All bytes, as RDB files hold them.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the header tells the length of the block; `new`, `from_bytes` and `resize` keep it so.
        unsafe { self.block.bytes(self.byte_len()) }
    }

    /// The bytes allocated.
    pub fn memory(&self) -> usize {
        capacity(self.byte_len())
    }

    /// The count of members.
    pub fn len(&self) -> usize {
        self.header().1
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn members(&self) -> (&[u8], usize, usize) {
        let (width, count) = self.header();
        (&self.as_bytes()[HEADER..], width, count)
    }

    /// The place of `value`, or the place where it belongs.
    fn search(&self, value: i64) -> Result<usize, usize> {
        let (members, width, count) = self.members();
        if count > 0 && value > read(members, width, count - 1) {
            return Err(count);
        }
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = (low + high) / 2;
            match read(members, width, middle).cmp(&value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    /// Whether `value` is a member.
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// The member at `index` in ascending order.
    pub fn get(&self, index: usize) -> Option<i64> {
        let (members, width, count) = self.members();
        (index < count).then(|| read(members, width, index))
    }

    /// The smallest member.
    pub fn min(&self) -> Option<i64> {
        self.get(0)
    }

    /// The greatest member.
    pub fn max(&self) -> Option<i64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// The members in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone + '_ {
        let (members, width, count) = self.members();
        (0..count).map(move |i| read(members, width, i))
    }

    /// Gives the array another width and count. Members are kept where their place does not change.
    fn resize(&mut self, width: usize, count: usize) {
        let old = self.byte_len();
        let new = HEADER + width * count;
        let set = |bytes: &mut [u8]| {
            bytes[..4].copy_from_slice(&(width as u32).to_le_bytes());
            bytes[4..8].copy_from_slice(&(count as u32).to_le_bytes());
        };
        assert!(u32::try_from(count).is_ok(), "the count fits the header");
        if new >= old {
            // SAFETY: `old` is the length; the header gets the new one right below.
            unsafe { self.block.resize(old, new) };
            // SAFETY: `new` is the length now.
            set(unsafe { self.block.bytes_mut(new) });
        } else {
            // SAFETY: `old` is the length until the resize.
            set(unsafe { self.block.bytes_mut(old) });
            // SAFETY: as above.
            unsafe { self.block.resize(old, new) };
        }
    }

    fn members_mut(&mut self) -> &mut [u8] {
        let len = self.byte_len();
        // SAFETY: the header tells the length.
        let bytes = unsafe { self.block.bytes_mut(len) };
        &mut bytes[HEADER..]
    }

    /// Adds `value`; answers whether it was new.
    pub fn insert(&mut self, value: i64) -> bool {
        let (width, count) = self.header();
        let needed = width_of(value);
        if needed > width {
            // Wider than all members, so it is the new first or the new last.
            self.resize(needed, count + 1);
            let shift = usize::from(value < 0);
            let members = self.members_mut();
            for i in (0..count).rev() {
                write(members, needed, i + shift, read(members, width, i));
            }
            write(members, needed, if value < 0 { 0 } else { count }, value);
            return true;
        }
        let Err(at) = self.search(value) else { return false };
        self.resize(width, count + 1);
        let members = self.members_mut();
        members.copy_within(at * width..count * width, (at + 1) * width);
        write(members, width, at, value);
        true
    }

    /// Removes `value`; answers whether it was a member.
    pub fn remove(&mut self, value: i64) -> bool {
        let Ok(at) = self.search(value) else { return false };
        let (width, count) = self.header();
        self.members_mut().copy_within((at + 1) * width..count * width, at * width);
        self.resize(width, count - 1);
        true
    }
}

impl Drop for Intset {
    fn drop(&mut self) {
        let len = self.byte_len();
        // SAFETY: the header tells the length, and nothing uses the block behind its drop.
        unsafe { self.block.free(len) };
    }
}

impl Clone for Intset {
    fn clone(&self) -> Self {
        Self { block: Block::copy_of(self.as_bytes()) }
    }
}

impl Default for Intset {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Intset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<i64> for Intset {
    fn from_iter<I: IntoIterator<Item = i64>>(values: I) -> Self {
        let mut set = Self::new();
        for value in values {
            set.insert(value);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_format() {
        assert_eq!(size_of::<Option<Intset>>(), 8);
        let set: Intset = [3, -1].into_iter().collect();
        assert_eq!(set.as_bytes(), b"\x02\0\0\0\x02\0\0\0\xff\xff\x03\0");
        let set: Intset = [3, 70_000].into_iter().collect();
        assert_eq!(set.as_bytes(), b"\x04\0\0\0\x02\0\0\0\x03\0\0\0\x70\x11\x01\0");
    }

    #[test]
    fn hostile_bytes_are_refused() {
        for bad in [
            &b""[..],
            b"\x02\0\0\0",
            b"\x02\0\0\0\0\0\0\0",
            b"\x03\0\0\0\x01\0\0\0\x01\0\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x01\0\x01\0",
            b"\x02\0\0\0\x02\0\0\0\x02\0\x01\0",
            b"\x08\0\0\0\xff\xff\xff\xff\x02\0\x01\0",
        ] {
            assert!(Intset::from_bytes(bad).is_err(), "{bad:?}");
        }
        assert!(Intset::from_bytes(b"\x02\0\0\0\x02\0\0\0\x01\0\x02\0").is_ok());
    }

    fn value() -> impl Strategy<Value = i64> {
        prop_oneof![-20i64..20, -40_000i64..40_000, any::<i32>().prop_map(i64::from), any::<i64>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn behaves_as_a_sorted_set(steps in proptest::collection::vec((any::<bool>(), value()), 0..120)) {
            let mut set = Intset::new();
            let mut model = BTreeSet::new();
            for (add, value) in steps {
                if add {
                    prop_assert_eq!(set.insert(value), model.insert(value));
                } else {
                    prop_assert_eq!(set.remove(value), model.remove(&value));
                }
                prop_assert_eq!(set.contains(value), model.contains(&value));
                prop_assert!(set.iter().eq(model.iter().copied()));
                prop_assert_eq!(set.min(), model.first().copied());
                prop_assert_eq!(set.max(), model.last().copied());
                if !model.is_empty() {
                    prop_assert!(Intset::from_bytes(set.as_bytes()).is_ok());
                }
            }
        }
    }
}
