//! The arguments of one command: slices of the bytes that the client sent.
//!
//! ```text
//!   buf     *3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n
//!                     ▲▲▲         ▲          ▲▲▲▲▲
//!   ranges            (8,3)       (17,1)     (24,5)        raw = all of it
//! ```
//!
//! [`Args`] is two pointers and two lengths and is passed by value; nothing is copied until a handler
//! stores an argument. A request that outlives the input buffer (queued by `MULTI`, parked, blocked)
//! becomes an [`OwnedArgs`]: one block of bytes and one of ranges.
//!
//! Invariants
//! 1. Every range lies inside `buf`.
//! 2. `raw`, when present, is exactly one multibulk request whose arguments are these: it may be
//!    appended to a journal in place of an encoding.
//! 3. Offsets are 32 bits wide: a request is smaller than 4 GiB, which the parser enforces.

use std::fmt;
use std::ops::Index;

use crate::encode;

/// Where one argument lies: byte offset from the first byte of the request, and length in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArgRange {
    pub start: u32,
    pub len: u32,
}

impl ArgRange {
    /// The bytes of this range. Panics when the range is not inside `buf`.
    #[inline]
    pub fn of(self, buf: &[u8]) -> &[u8] {
        &buf[self.start as usize..self.start as usize + self.len as usize]
    }
}

/// Borrowed arguments, the command name first.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    buf: &'a [u8],
    ranges: &'a [ArgRange],
    raw: Option<&'a [u8]>,
}

impl<'a> Args<'a> {
    /// Arguments at `ranges` of `buf`; `raw` is the request's exact bytes when it came as a multibulk.
    #[inline]
    pub fn new(buf: &'a [u8], ranges: &'a [ArgRange], raw: Option<&'a [u8]>) -> Self {
        Args { buf, ranges, raw }
    }

    /// How many arguments there are, the command name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Argument `i` with the lifetime of the buffer, which indexing cannot give. Panics past the end.
    #[inline]
    pub fn at(&self, i: usize) -> &'a [u8] {
        self.ranges[i].of(self.buf)
    }

    #[inline]
    pub fn get(&self, i: usize) -> Option<&'a [u8]> {
        self.ranges.get(i).map(|range| range.of(self.buf))
    }

    #[inline]
    pub fn iter(&self) -> Iter<'a> {
        Iter { buf: self.buf, ranges: self.ranges.iter() }
    }

    /// The arguments from `i` on; empty when there are fewer. The result is no whole request, so it
    /// has no `raw`.
    #[inline]
    pub fn from(&self, i: usize) -> Args<'a> {
        Args { buf: self.buf, ranges: self.ranges.get(i..).unwrap_or(&[]), raw: None }
    }

    /// The request's exact bytes, when it came as a multibulk.
    #[inline]
    pub fn raw(&self) -> Option<&'a [u8]> {
        self.raw
    }

    /// Appends the request as a multibulk: verbatim when its bytes are at hand, encoded otherwise.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        match self.raw {
            Some(raw) => out.extend_from_slice(raw),
            None => {
                encode::begin(out, self.len());
                self.iter().for_each(|argument| encode::arg(out, argument));
            }
        }
    }

    /// The sum of the arguments' lengths, in bytes.
    pub fn payload_len(&self) -> usize {
        self.ranges.iter().map(|range| range.len as usize).sum()
    }

    /// A copy that owns its bytes. Two allocations.
    pub fn to_owned_args(&self) -> OwnedArgs {
        match self.raw {
            // Ranges count from the request's first byte, which is where `raw` begins, too; but the
            // buffer may begin elsewhere, so this holds only when both are the same slice.
            Some(raw) if std::ptr::eq(raw.as_ptr(), self.buf.as_ptr()) => {
                OwnedArgs { bytes: raw.into(), ranges: self.ranges.into() }
            }
            _ => OwnedArgs::collect(self.len(), self.iter()),
        }
    }
}

impl Index<usize> for Args<'_> {
    type Output = [u8];

    #[inline]
    fn index(&self, i: usize) -> &[u8] {
        self.at(i)
    }
}

impl<'a> IntoIterator for Args<'a> {
    type Item = &'a [u8];
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|argument| argument.escape_ascii().to_string())).finish()
    }
}

/// Iterates over arguments in order.
#[derive(Clone)]
pub struct Iter<'a> {
    buf: &'a [u8],
    ranges: std::slice::Iter<'a, ArgRange>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.ranges.next().map(|range| range.of(self.buf))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranges.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.ranges.next_back().map(|range| range.of(self.buf))
    }
}

/// Arguments that own their bytes, always in the form of one multibulk request.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OwnedArgs {
    bytes: Box<[u8]>,
    ranges: Box<[ArgRange]>,
}

impl OwnedArgs {
    /// Encodes `slices` as one request. Panics when it would reach 4 GiB, which arguments that came
    /// through the parser cannot.
    pub fn from_slices<S: AsRef<[u8]>>(slices: &[S]) -> Self {
        Self::collect(slices.len(), slices.iter().map(AsRef::as_ref))
    }

    fn collect<'s>(count: usize, slices: impl Iterator<Item = &'s [u8]> + Clone) -> Self {
        let payload: usize = slices.clone().map(|s| s.len() + 16).sum();
        let mut bytes = Vec::with_capacity(payload + 16);
        let mut ranges = Vec::with_capacity(count);
        encode::begin(&mut bytes, count);
        for slice in slices {
            encode::arg(&mut bytes, slice);
            let end = u32::try_from(bytes.len()).expect("a request is smaller than 4 GiB");
            let len = slice.len() as u32;
            ranges.push(ArgRange { start: end - 2 - len, len });
        }
        OwnedArgs { bytes: bytes.into_boxed_slice(), ranges: ranges.into_boxed_slice() }
    }

    #[inline]
    pub fn as_args(&self) -> Args<'_> {
        Args { buf: &self.bytes, ranges: &self.ranges, raw: Some(&self.bytes) }
    }

    /// Heap bytes held, for the accounting of clients and queues.
    pub fn heap_bytes(&self) -> usize {
        self.bytes.len() + std::mem::size_of_val::<[ArgRange]>(&self.ranges)
    }
}

impl fmt::Debug for OwnedArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_args().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn owned_arguments_are_a_verbatim_request() {
        let owned = OwnedArgs::from_slices(&[&b"SET"[..], b"k", b""]);
        let args = owned.as_args();
        assert_eq!(args.raw(), Some(&b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n"[..]));
        assert_eq!((&args[0], &args[1], &args[2]), (&b"SET"[..], &b"k"[..], &b""[..]));
        assert_eq!(args.get(3), None);
        assert_eq!(args.payload_len(), 4);
    }

    #[test]
    fn a_tail_is_encoded_anew() {
        let owned = OwnedArgs::from_slices(&["CONFIG", "GET", "save"]);
        let mut out = Vec::new();
        owned.as_args().from(1).encode_into(&mut out);
        assert_eq!(out, b"*2\r\n$3\r\nGET\r\n$4\r\nsave\r\n");
        assert!(owned.as_args().from(9).is_empty());
        assert_eq!(owned.as_args().from(1).to_owned_args(), OwnedArgs::from_slices(&["GET", "save"]));
    }

    proptest! {
        #[test]
        fn owning_changes_nothing(slices in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
            let owned = OwnedArgs::from_slices(&slices);
            let again = owned.as_args().to_owned_args();
            prop_assert_eq!(&again, &owned);
            let seen: Vec<Vec<u8>> = again.as_args().iter().map(<[u8]>::to_vec).collect();
            prop_assert_eq!(seen, slices);
        }
    }
}
