//! An entry of the keyspace: key, expiry and a small value in one allocation.
//!
//! ```text
//!  ┌───────┬──────┬─────────┬──────┬──────────────┬───────────────────────────────┐
//!  │ flags │ mark │ key len │ key  │ expiry       │ integer: 8 bytes              │
//!  │  1    │  1   │ 1,2,9   │      │ 0, 6, 8      │ bytes:   len (1,2,9) │ bytes  │
//!  └───────┴──────┴─────────┴──────┴──────────────┤ value:   pad to 8    │ V      │
//!                                                 └───────────────────────────────┘
//!  flags, from the low bit:  kind (2 bits) │ raw │ expiry (2 bits: none, 6 bytes, 8 bytes)
//! ```
//!
//! 1. The key stands at the same place whatever follows, so a lookup reads one byte more than the key.
//! 2. An allocation has exactly the size class (in steps of jemalloc) of what it holds. So its size need not be stored, and a
//!    value may be overwritten in place as long as the class stays the same; at most a fifth is unused.
//! 3. Lengths below 128 take one byte, below 16384 two, others nine.
//! 4. The expiry is in milliseconds of Unix time; 6 bytes hold ±4400 years, the 8 byte form is for anything further.
//! 5. `mark` is a byte for the caller; `raw` is the answer to OBJECT ENCODING for a string that was changed in place.
//!
//! A key of 8 bytes with a string of 16 takes 32 bytes, with one of 100 bytes 112. Redis keeps an object header of 16 bytes
//! beside the embedded key or value, and since 8.2 and Valkey 9 also embeds both; big strings and all collections are a `V`
//! here, chosen by the caller.

mod payload;

pub use payload::{Payload, PayloadMut};

use crate::packed::{length_size, read_length, size_class, slice, write_bytes, write_length};
use crate::table::{Found, FoundMut, Thin};
use payload::Content;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, Ordering};

const ALIGN: usize = 8;
const KIND: u8 = 0b11;
const KIND_INT: u8 = 0;
const KIND_BYTES: u8 = 1;
const KIND_VALUE: u8 = 2;
const RAW: u8 = 1 << 2;
const EXPIRY_SHIFT: u8 = 3;
const EXPIRY_6: u8 = 1 << EXPIRY_SHIFT;
const EXPIRY_8: u8 = 2 << EXPIRY_SHIFT;

/// Where the length of the key stands.
const KEY_LEN: usize = 2;

/// An owned entry of the keyspace; as big as a pointer.
#[repr(transparent)]
pub struct Entry<V> {
    raw: NonNull<u8>,
    owned: PhantomData<V>,
}

// SAFETY: an entry owns its bytes and its value, and has no interior mutability of its own.
unsafe impl<V: Send> Send for Entry<V> {}
// SAFETY: as above.
unsafe impl<V: Sync> Sync for Entry<V> {}

// SAFETY: `raw` is an allocation with an alignment of 8, allocators give addresses below 2^48 in user space, the key is never
// changed while the entry is borrowed by a table, and copies of the pointer are harmless.
unsafe impl<V> Thin for Entry<V> {
    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        ManuallyDrop::new(self).raw
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Entry { raw, owned: PhantomData }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        // SAFETY: the entry is alive as long as the borrow of `self`.
        unsafe { key_of(self.raw) }
    }
}

impl<V> Entry<V> {
    /// An integer; `expire` is in milliseconds of Unix time, here and below.
    pub fn new_int(key: &[u8], value: i64, expire: Option<i64>) -> Entry<V> {
        Entry::build(key, 0, expire, Content::Int(value))
    }

    /// A string inside the allocation.
    pub fn new_bytes(key: &[u8], bytes: &[u8], raw: bool, expire: Option<i64>) -> Entry<V> {
        Entry::build(key, 0, expire, Content::Bytes(bytes, raw))
    }

    /// Any other value.
    pub fn new_value(key: &[u8], value: V, expire: Option<i64>) -> Entry<V> {
        Entry::build(key, 0, expire, Content::Value(value))
    }

    /// The bytes that a string of `len` bytes with a key of `key_len` bytes takes, to decide whether it shall stand inside.
    pub const fn size_with_bytes(key_len: usize, len: usize, expires: bool) -> usize {
        let expiry = if expires { 6 } else { 0 };
        size_class(KEY_LEN + length_size(key_len) + key_len + expiry + length_size(len) + len)
    }

    fn build(key: &[u8], mark: u8, expire: Option<i64>, content: Content<'_, V>) -> Entry<V> {
        const { assert!(align_of::<V>() <= ALIGN) };
        let width = expire.map_or(0, expiry_width);
        let expiry_at = KEY_LEN + length_size(key.len()) + key.len();
        let start = expiry_at + width;
        let layout = layout(content.end(start));
        // SAFETY: the layout has a size above zero.
        let Some(raw) = NonNull::new(unsafe { alloc(layout) }) else { handle_alloc_error(layout) };
        let flags = content.flags() | expiry_flags(width);
        // SAFETY: the layout was made for these parts, one behind the other; the source bytes are borrowed from elsewhere.
        unsafe {
            raw.write(flags);
            raw.add(1).write(mark);
            let key_at = write_length(raw, KEY_LEN, key.len());
            write_bytes(raw, key_at, key);
            if let Some(expire) = expire {
                write_bytes(raw, expiry_at, &expire.to_le_bytes()[..width]);
            }
            match content {
                Content::Int(value) => write_bytes(raw, start, &value.to_le_bytes()),
                Content::Bytes(bytes, _) => {
                    let bytes_at = write_length(raw, start, bytes.len());
                    write_bytes(raw, bytes_at, bytes);
                }
                Content::Value(value) => raw.add(start.next_multiple_of(ALIGN)).cast::<V>().write(value),
            }
        }
        Entry { raw, owned: PhantomData }
    }

    #[inline]
    fn flags(&self) -> u8 {
        // SAFETY: the first byte of a living allocation.
        unsafe { self.raw.read() }
    }

    #[inline]
    fn kind(&self) -> u8 {
        self.flags() & KIND
    }

    /// Offset of the expiry, thus the end of the key.
    #[inline]
    fn expiry_at(&self) -> usize {
        // SAFETY: the entry is alive.
        let (key_at, len) = unsafe { read_length(self.raw, KEY_LEN) };
        key_at + len
    }

    /// Offset of the payload, before any padding.
    #[inline]
    fn start(&self) -> usize {
        self.expiry_at() + width_of(self.flags())
    }

    #[inline]
    fn value_pointer(&self) -> NonNull<V> {
        // SAFETY: inside the allocation when the kind is a value, which the callers have seen.
        unsafe { self.raw.add(self.start().next_multiple_of(ALIGN)).cast() }
    }

    fn end(&self) -> usize {
        let start = self.start();
        match self.kind() {
            KIND_INT => start + 8,
            KIND_BYTES => {
                // SAFETY: the entry is alive and holds bytes.
                let (at, len) = unsafe { read_length(self.raw, start) };
                at + len
            }
            _ => start.next_multiple_of(ALIGN) + size_of::<V>(),
        }
    }

    /// Bytes of the allocation; what a `V` owns elsewhere is not included.
    pub fn allocation_size(&self) -> usize {
        size_class(self.end())
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        Thin::key(self)
    }

    /// A byte for the caller's own use; 0 in a new entry.
    #[inline]
    pub fn mark(&self) -> u8 {
        // SAFETY: the second byte of a living allocation.
        unsafe { self.raw.add(1).read() }
    }

    #[inline]
    pub fn set_mark(&mut self, mark: u8) {
        // SAFETY: as in `mark`, and the entry is borrowed mutably.
        unsafe { self.raw.add(1).write(mark) }
    }

    /// When the entry expires, in milliseconds of Unix time.
    #[inline]
    pub fn expire(&self) -> Option<i64> {
        let width = width_of(self.flags());
        if width == 0 {
            return None;
        }
        let mut bytes = [0; 8];
        // SAFETY: the entry is alive and has an expiry of this width.
        bytes[..width].copy_from_slice(unsafe { slice(self.raw, self.expiry_at(), width) });
        let unused = 64 - 8 * width as u32;
        Some(i64::from_le_bytes(bytes) << unused >> unused)
    }

    /// Sets or takes away the expiry. The allocation changes when there was none, or there is none now.
    pub fn set_expire(&mut self, expire: Option<i64>) {
        let width = expire.map_or(0, expiry_width);
        if width != width_of(self.flags()) {
            self.rebuild(None, expire);
        } else if let Some(expire) = expire {
            // SAFETY: the entry has an expiry of this width, and is borrowed mutably.
            unsafe { write_bytes(self.raw, self.expiry_at(), &expire.to_le_bytes()[..width]) }
        }
    }

    #[inline]
    pub fn payload(&self) -> Payload<'_, V> {
        // SAFETY: the entry is alive as long as the borrow of `self`.
        unsafe { self.payload_for() }
    }

    /// # Safety
    /// The entry is alive and not changed for `'a`.
    #[inline]
    unsafe fn payload_for<'a>(&self) -> Payload<'a, V> {
        let start = self.start();
        match self.kind() {
            // SAFETY: an integer takes eight bytes.
            KIND_INT => Payload::Int(i64::from_le_bytes(unsafe { self.raw.add(start).cast::<[u8; 8]>().read() })),
            KIND_BYTES => {
                // SAFETY: a length and as many bytes stand here.
                let bytes = unsafe {
                    let (at, len) = read_length(self.raw, start);
                    slice(self.raw, at, len)
                };
                Payload::Bytes { bytes, raw: self.flags() & RAW != 0 }
            }
            // SAFETY: a living value stands here.
            _ => Payload::Value(unsafe { self.value_pointer().as_ref() }),
        }
    }

    pub fn payload_mut(&mut self) -> PayloadMut<'_, V> {
        let raw = self.flags() & RAW != 0;
        match self.payload() {
            Payload::Int(value) => PayloadMut::Int(value),
            Payload::Bytes { .. } => {
                // SAFETY: a length and as many bytes stand here, and the entry is borrowed mutably.
                let bytes = unsafe {
                    let (at, len) = read_length(self.raw, self.start());
                    std::slice::from_raw_parts_mut(self.raw.add(at).as_ptr(), len)
                };
                PayloadMut::Bytes { bytes, raw }
            }
            // SAFETY: a living value stands here, and the entry is borrowed mutably.
            Payload::Value(_) => PayloadMut::Value(unsafe { self.value_pointer().as_mut() }),
        }
    }

    /// Makes the payload an integer, in place if it is one; answers the value that was there before, if it was a `V`.
    pub fn set_int(&mut self, value: i64) -> Option<V> {
        if self.kind() == KIND_INT {
            // SAFETY: an integer takes eight bytes, and the entry is borrowed mutably.
            unsafe { write_bytes(self.raw, self.start(), &value.to_le_bytes()) };
            return None;
        }
        self.replace(Content::Int(value))
    }

    /// Makes the payload a string, in place if that wastes nothing; answers the value that was there before, if it was a `V`.
    pub fn set_bytes(&mut self, bytes: &[u8], raw: bool) -> Option<V> {
        if self.try_set_bytes_in_place(bytes, raw) { None } else { self.replace(Content::Bytes(bytes, raw)) }
    }

    /// Makes the payload a `V`; answers the value that was there before, if it was a `V`, too.
    pub fn set_value(&mut self, value: V) -> Option<V> {
        if self.kind() == KIND_VALUE {
            // SAFETY: a living value stands here, and the entry is borrowed mutably.
            return Some(std::mem::replace(unsafe { self.value_pointer().as_mut() }, value));
        }
        self.replace(Content::Value(value))
    }

    /// Overwrites an integer or a string with a string if the allocation has just the right size class for it; answers
    /// whether it did.
    pub fn try_set_bytes_in_place(&mut self, bytes: &[u8], raw: bool) -> bool {
        let start = self.start();
        let content = Content::<V>::Bytes(bytes, raw);
        if self.kind() == KIND_VALUE || size_class(content.end(start)) != self.allocation_size() {
            return false;
        }
        // SAFETY: the new end is inside the allocation; the old payload needs no drop, and `bytes` is borrowed from elsewhere.
        unsafe {
            self.raw.write(self.flags() & !(KIND | RAW) | content.flags());
            let at = write_length(self.raw, start, bytes.len());
            write_bytes(self.raw, at, bytes);
        }
        true
    }

    /// Says whether the string counts as changed in place; nothing happens to other payloads.
    pub fn set_raw(&mut self, raw: bool) {
        if self.kind() == KIND_BYTES {
            // SAFETY: the first byte of a living allocation, which is borrowed mutably.
            unsafe { self.raw.write(self.flags() & !RAW | (RAW * raw as u8)) }
        }
    }

    /// Gives the entry another key. Not for an entry in a table.
    pub fn rename(&mut self, key: &[u8]) {
        self.rebuild(Some(key), self.expire());
    }

    /// The value, if there is a `V`; the rest goes.
    pub fn into_value(self) -> Option<V> {
        let this = ManuallyDrop::new(self);
        // SAFETY: the value is moved out, if there is one, and nothing is used afterwards.
        unsafe {
            let value = (this.kind() == KIND_VALUE).then(|| this.value_pointer().read());
            this.free();
            value
        }
    }

    /// Another payload, the rest as it is.
    fn replace(&mut self, content: Content<'_, V>) -> Option<V> {
        let new = Entry::build(self.key(), self.mark(), self.expire(), content);
        std::mem::replace(self, new).into_value()
    }

    /// Another key or expiry, the payload as it is.
    fn rebuild(&mut self, key: Option<&[u8]>, expire: Option<i64>) {
        let content = match self.payload() {
            Payload::Int(value) => Content::Int(value),
            Payload::Bytes { bytes, raw } => Content::Bytes(bytes, raw),
            // SAFETY: the value is moved to the new allocation; the old one is freed without a drop of it.
            Payload::Value(_) => Content::Value(unsafe { self.value_pointer().read() }),
        };
        let new = Entry::build(key.unwrap_or(self.key()), self.mark(), expire, content);
        let old = ManuallyDrop::new(std::mem::replace(self, new));
        // SAFETY: nothing refers to the old allocation any more.
        unsafe { old.free() };
    }

    /// Frees the allocation without a drop of the value.
    ///
    /// # Safety
    /// The entry is not used again.
    unsafe fn free(&self) {
        // SAFETY: the size of an allocation is always the class of what it holds.
        unsafe { dealloc(self.raw.as_ptr(), layout(self.end())) }
    }
}

impl<V> Drop for Entry<V> {
    fn drop(&mut self) {
        // SAFETY: the last use of the entry.
        unsafe {
            if self.kind() == KIND_VALUE {
                self.value_pointer().drop_in_place();
            }
            self.free();
        }
    }
}

/// What an entry in a table lends for as long as the table is borrowed.
impl<'a, V> Found<'a, Entry<V>> {
    #[inline]
    pub fn key(&self) -> &'a [u8] {
        // SAFETY: entries of a table stay as they are while the table is borrowed.
        unsafe { key_of(self.raw()) }
    }

    /// Writes the caller's byte. Like the access word it may be written by readers: one of them wins.
    #[inline]
    pub fn touch_mark(&self, mark: u8) {
        // SAFETY: the second byte of a living allocation; everybody who shares the table reaches it as an atomic.
        unsafe { AtomicU8::from_ptr(self.raw().as_ptr().add(1)) }.store(mark, Ordering::Relaxed);
    }

    #[inline]
    pub fn payload(&self) -> Payload<'a, V> {
        // SAFETY: as above.
        unsafe { self.payload_for() }
    }
}

/// What an entry in a table lends for changes in place, for as long as the table is borrowed.
impl<'a, V> FoundMut<'a, Entry<V>> {
    /// The payload to be changed in place; key, expiry and allocation stay.
    #[inline]
    pub fn into_payload_mut(self) -> PayloadMut<'a, V> {
        let raw = self.get().raw;
        drop(self);
        let mut entry = ManuallyDrop::new(Entry { raw, owned: PhantomData::<V> });
        // SAFETY: the table owns the entry and is borrowed mutably for `'a`, so nobody else reaches the allocation; the
        // payload lies in the allocation, not in the handle, and the handle is not dropped.
        unsafe { std::mem::transmute::<PayloadMut<'_, V>, PayloadMut<'a, V>>(entry.payload_mut()) }
    }
}

impl<V: std::fmt::Debug> std::fmt::Debug for Entry<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("key", &self.key().escape_ascii().to_string())
            .field("expire", &self.expire())
            .field("payload", &self.payload())
            .finish()
    }
}

fn layout(end: usize) -> Layout {
    Layout::from_size_align(size_class(end), ALIGN).expect("an entry fits the address space")
}

/// Bytes of an expiry.
fn expiry_width(expire: i64) -> usize {
    if expire << 16 >> 16 == expire { 6 } else { 8 }
}

#[inline]
fn width_of(flags: u8) -> usize {
    match flags & (EXPIRY_6 | EXPIRY_8) {
        0 => 0,
        EXPIRY_6 => 6,
        _ => 8,
    }
}

fn expiry_flags(width: usize) -> u8 {
    match width {
        0 => 0,
        6 => EXPIRY_6,
        _ => EXPIRY_8,
    }
}

/// # Safety
/// The entry is alive and its key is not changed for `'a`.
#[inline]
unsafe fn key_of<'a>(raw: NonNull<u8>) -> &'a [u8] {
    // SAFETY: an entry has its key behind the key's length.
    unsafe {
        let (at, len) = read_length(raw, KEY_LEN);
        slice(raw, at, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::rc::Rc;

    type Plain = Entry<u64>;

    #[test]
    fn sizes_are_as_drawn() {
        assert_eq!(Plain::new_bytes(b"12345678", &[0; 16], false, None).allocation_size(), 32);
        assert_eq!(Plain::new_bytes(b"12345678", &[0; 100], false, None).allocation_size(), 112);
        assert_eq!(Plain::new_bytes(b"12345678", &[0; 10], false, Some(1 << 41)).allocation_size(), 32);
        assert_eq!(Plain::new_int(b"12345678", 7, None).allocation_size(), 24);
        assert_eq!(Plain::new_value(b"1234", 7, None).allocation_size(), 16);
        assert_eq!(Plain::size_with_bytes(8, 100, false), 112);
        assert_eq!(size_of::<Option<Plain>>(), 8);
    }

    #[test]
    fn values_are_dropped_once() {
        let value = Rc::new(());
        let mut entry = Entry::new_value(b"key", value.clone(), None);
        entry.set_expire(Some(5));
        entry.rename(&[b'k'; 300]);
        assert_eq!(Rc::strong_count(&value), 2);
        assert!(entry.set_value(value.clone()).is_some());
        assert_eq!(Rc::strong_count(&value), 2);
        assert_eq!((entry.key(), entry.expire()), (&[b'k'; 300][..], Some(5)));
        assert!(entry.set_bytes(b"text", true).is_some());
        assert_eq!(Rc::strong_count(&value), 1);
        assert!(entry.set_value(value.clone()).is_none());
        assert_eq!(Rc::strong_count(&entry.into_value().expect("a value")), 2);
        drop(Entry::new_value(b"other", value.clone(), Some(i64::MAX)));
        assert_eq!(Rc::strong_count(&value), 1);
    }

    #[test]
    fn long_keys_and_strings() {
        for len in [0, 1, 127, 128, 16383, 16384, 100_000] {
            let bytes = vec![b'x'; len];
            let entry = Plain::new_bytes(&bytes, &bytes, false, Some(-1));
            assert_eq!(entry.key(), bytes);
            assert_eq!(entry.payload(), Payload::Bytes { bytes: &bytes, raw: false });
            assert_eq!(entry.expire(), Some(-1));
        }
    }

    #[derive(Clone, Debug)]
    enum Change {
        Int(i64),
        Bytes(Vec<u8>, bool),
        InPlace(Vec<u8>, bool),
        Value(u64),
        Expire(Option<i64>),
        Rename(Vec<u8>),
        Raw(bool),
        Mark(u8),
        Flip,
    }

    fn change() -> impl Strategy<Value = Change> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..300);
        prop_oneof![
            any::<i64>().prop_map(Change::Int),
            (bytes(), any::<bool>()).prop_map(|(bytes, raw)| Change::Bytes(bytes, raw)),
            (bytes(), any::<bool>()).prop_map(|(bytes, raw)| Change::InPlace(bytes, raw)),
            any::<u64>().prop_map(Change::Value),
            prop::option::of(any::<i64>()).prop_map(Change::Expire),
            prop::option::of(-(1i64 << 47)..1 << 47).prop_map(Change::Expire),
            bytes().prop_map(Change::Rename),
            any::<bool>().prop_map(Change::Raw),
            any::<u8>().prop_map(Change::Mark),
            Just(Change::Flip),
        ]
    }

    #[derive(Clone, Debug, PartialEq)]
    enum Held {
        Int(i64),
        Bytes(Vec<u8>, bool),
        Value(u64),
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn an_entry_is_its_parts(changes in prop::collection::vec(change(), 1..40)) {
            let mut entry = Plain::new_int(b"k", 0, None);
            let (mut key, mut expire, mut mark, mut held) = (b"k".to_vec(), None, 0, Held::Int(0));
            for change in changes {
                match change {
                    Change::Int(value) => {
                        entry.set_int(value);
                        held = Held::Int(value);
                    }
                    Change::Bytes(bytes, raw) => {
                        entry.set_bytes(&bytes, raw);
                        held = Held::Bytes(bytes, raw);
                    }
                    Change::InPlace(bytes, raw) => {
                        let size = entry.allocation_size();
                        let fitting = Plain::new_bytes(&key, &bytes, raw, expire).allocation_size() == size;
                        let done = entry.try_set_bytes_in_place(&bytes, raw);
                        prop_assert_eq!(done, fitting && !matches!(held, Held::Value(_)));
                        if done {
                            held = Held::Bytes(bytes, raw);
                        }
                    }
                    Change::Value(value) => {
                        let old = entry.set_value(value);
                        prop_assert_eq!(old, if let Held::Value(old) = held { Some(old) } else { None });
                        held = Held::Value(value);
                    }
                    Change::Expire(at) => {
                        entry.set_expire(at);
                        expire = at;
                    }
                    Change::Rename(name) => {
                        entry.rename(&name);
                        key = name;
                    }
                    Change::Raw(to) => {
                        entry.set_raw(to);
                        if let Held::Bytes(_, raw) = &mut held {
                            *raw = to;
                        }
                    }
                    Change::Mark(byte) => {
                        entry.set_mark(byte);
                        mark = byte;
                    }
                    Change::Flip => match (entry.payload_mut(), &mut held) {
                        (PayloadMut::Int(value), Held::Int(expected)) => prop_assert_eq!(value, *expected),
                        (PayloadMut::Bytes { bytes, .. }, Held::Bytes(expected, _)) => {
                            bytes.iter_mut().for_each(|byte| *byte = !*byte);
                            expected.iter_mut().for_each(|byte| *byte = !*byte);
                        }
                        (PayloadMut::Value(value), Held::Value(expected)) => {
                            *value = !*value;
                            *expected = !*expected;
                        }
                        (payload, held) => prop_assert!(false, "{:?} is not {:?}", payload, held),
                    },
                }
                prop_assert_eq!(entry.key(), &key[..]);
                prop_assert_eq!((entry.expire(), entry.mark()), (expire, mark));
                let is = match entry.payload() {
                    Payload::Int(value) => Held::Int(value),
                    Payload::Bytes { bytes, raw } => Held::Bytes(bytes.to_vec(), raw),
                    Payload::Value(value) => Held::Value(*value),
                };
                prop_assert_eq!(&is, &held);
            }
        }
    }
}
