//! A small or a big encoding of a collection, owned by one word.
//!
//! Question: how does a collection that is either a listpack or a boxed table take 8 bytes in the entry of its key, where an enum
//! takes 16? By the low bit of the pointer: both kinds of allocation are aligned to 8 bytes.
//!
//! ```text
//!   …xxxxx000   Small: a handle that is itself one pointer (a listpack)
//!   …xxxxx001   Big:   the address of a boxed `B`, plus one
//! ```
//!
//! A small handle is lent by reference to the word itself, since the bit is clear there; a big one by reference to what the
//! address, less the bit, points to.
//!
//! [`SmallSet`] goes one step further: an intset and a listpack share the unmarked form, because their first four bytes tell
//! them apart: 2, 4 or 8 (a width) begins an intset, while a listpack begins with its length, which is 7 or at least 9.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use crate::intset::Intset;
use crate::listpack::Listpack;

/// A handle that is one pointer to an allocation aligned to at least 2 bytes.
///
/// # Safety
/// The type is `repr(transparent)` over such a pointer, never null, whatever is done to it.
pub unsafe trait Handle {}

// SAFETY: a listpack is transparent over a block, whose alignment is 8.
unsafe impl Handle for Listpack {}
// SAFETY: transparent over a union of handles to blocks, whose alignment is 8.
unsafe impl Handle for SmallSet {}

/// One word that owns an `S` or a boxed `B`; see the module's page.
pub struct Dual<S: Handle, B> {
    word: NonNull<u8>,
    owned: PhantomData<(S, Box<B>)>,
}

/// What a [`Dual`] holds, to be read.
pub enum DualRef<'a, S, B> {
    /// The small encoding.
    Small(&'a S),
    /// The big encoding.
    Big(&'a B),
}

/// What a [`Dual`] holds, to be changed.
pub enum DualMut<'a, S, B> {
    /// The small encoding.
    Small(&'a mut S),
    /// The big encoding.
    Big(&'a mut B),
}

// SAFETY: a dual owns one of the two.
unsafe impl<S: Handle + Send, B: Send> Send for Dual<S, B> {}
// SAFETY: a shared dual lends shared references to one of the two.
unsafe impl<S: Handle + Sync, B: Sync> Sync for Dual<S, B> {}

impl<S: Handle, B> Dual<S, B> {
    const ALIGNED: () = assert!(align_of::<B>() >= 2 && size_of::<S>() == 8 && size_of::<B>() > 0);

    /// Holds a small encoding.
    pub fn small(small: S) -> Self {
        let () = Self::ALIGNED;
        let small = ManuallyDrop::new(small);
        // SAFETY: a handle is transparent over a pointer that is never null; it is moved here.
        let word = unsafe { (&raw const small).cast::<NonNull<u8>>().read() };
        debug_assert!(word.addr().get() & 1 == 0);
        Self { word, owned: PhantomData }
    }

    /// Holds a big encoding.
    pub fn big(big: Box<B>) -> Self {
        let () = Self::ALIGNED;
        // SAFETY: a box is never null, nor is the byte behind its first, which is inside it.
        let word = unsafe { NonNull::new_unchecked(Box::into_raw(big).cast::<u8>().wrapping_add(1)) };
        Self { word, owned: PhantomData }
    }

    #[inline]
    fn is_big(&self) -> bool {
        self.word.addr().get() & 1 == 1
    }

    #[inline]
    fn pointer(&self) -> *mut B {
        self.word.as_ptr().wrapping_sub(1).cast()
    }

    /// What it holds.
    #[inline]
    pub fn get(&self) -> DualRef<'_, S, B> {
        if self.is_big() {
            // SAFETY: a marked word is the address of a boxed `B` that this dual owns.
            DualRef::Big(unsafe { &*self.pointer() })
        } else {
            // SAFETY: an unmarked word is a handle, of which `S` is the transparent form.
            DualRef::Small(unsafe { &*(&raw const self.word).cast::<S>() })
        }
    }

    /// What it holds, to be changed.
    #[inline]
    pub fn get_mut(&mut self) -> DualMut<'_, S, B> {
        if self.is_big() {
            // SAFETY: as in `get`, and the dual is borrowed mutably.
            DualMut::Big(unsafe { &mut *self.pointer() })
        } else {
            // SAFETY: as in `get`; whatever becomes of the handle, it stays an unmarked pointer.
            DualMut::Small(unsafe { &mut *(&raw mut self.word).cast::<S>() })
        }
    }
}

impl<S: Handle, B> Drop for Dual<S, B> {
    fn drop(&mut self) {
        if self.is_big() {
            // SAFETY: a marked word owns the box; nothing uses it behind its drop.
            drop(unsafe { Box::from_raw(self.pointer()) });
        } else {
            // SAFETY: an unmarked word owns the handle; nothing uses it behind its drop.
            unsafe { (&raw mut self.word).cast::<S>().drop_in_place() };
        }
    }
}

impl<S: Handle + Clone, B: Clone> Clone for Dual<S, B> {
    fn clone(&self) -> Self {
        match self.get() {
            DualRef::Small(small) => Self::small(small.clone()),
            DualRef::Big(big) => Self::big(Box::new(big.clone())),
        }
    }
}

impl<S: Handle + std::fmt::Debug, B: std::fmt::Debug> std::fmt::Debug for Dual<S, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.get() {
            DualRef::Small(small) => small.fmt(f),
            DualRef::Big(big) => big.fmt(f),
        }
    }
}

/// An intset or a listpack, told apart by their first bytes; see the module's page.
#[repr(transparent)]
pub struct SmallSet {
    either: Either,
}

#[repr(C)]
union Either {
    ints: ManuallyDrop<Intset>,
    pack: ManuallyDrop<Listpack>,
}

/// What a [`SmallSet`] is, to be read.
pub enum SmallSetRef<'a> {
    /// A sorted array of integers.
    Ints(&'a Intset),
    /// A listpack of members.
    Pack(&'a Listpack),
}

/// What a [`SmallSet`] is, to be changed.
pub enum SmallSetMut<'a> {
    /// A sorted array of integers.
    Ints(&'a mut Intset),
    /// A listpack of members.
    Pack(&'a mut Listpack),
}

impl From<Intset> for SmallSet {
    fn from(ints: Intset) -> Self {
        Self { either: Either { ints: ManuallyDrop::new(ints) } }
    }
}

impl From<Listpack> for SmallSet {
    fn from(pack: Listpack) -> Self {
        Self { either: Either { pack: ManuallyDrop::new(pack) } }
    }
}

impl SmallSet {
    fn is_ints(&self) -> bool {
        // SAFETY: both forms are transparent over a block of at least seven bytes, so its first four can be read as either.
        let length_or_width = unsafe { &self.either.pack }.byte_len();
        matches!(length_or_width, 2 | 4 | 8)
    }

    /// Which of the two it is.
    #[inline]
    pub fn get(&self) -> SmallSetRef<'_> {
        if self.is_ints() {
            // SAFETY: the first bytes are the width of an intset.
            SmallSetRef::Ints(unsafe { &self.either.ints })
        } else {
            // SAFETY: the first bytes are not the width of an intset, so they are the length of a listpack.
            SmallSetRef::Pack(unsafe { &self.either.pack })
        }
    }

    /// Which of the two it is, to be changed.
    #[inline]
    pub fn get_mut(&mut self) -> SmallSetMut<'_> {
        if self.is_ints() {
            // SAFETY: as in `get`.
            SmallSetMut::Ints(unsafe { &mut self.either.ints })
        } else {
            // SAFETY: as in `get`.
            SmallSetMut::Pack(unsafe { &mut self.either.pack })
        }
    }
}

impl Drop for SmallSet {
    fn drop(&mut self) {
        // SAFETY: the form is the one that `is_ints` tells; it is dropped once.
        unsafe {
            if self.is_ints() {
                ManuallyDrop::drop(&mut self.either.ints);
            } else {
                ManuallyDrop::drop(&mut self.either.pack);
            }
        }
    }
}

impl Clone for SmallSet {
    fn clone(&self) -> Self {
        match self.get() {
            SmallSetRef::Ints(ints) => ints.clone().into(),
            SmallSetRef::Pack(pack) => pack.clone().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    type Held = Dual<Listpack, (Rc<()>, u64)>;

    #[test]
    fn a_dual_is_one_word() {
        assert_eq!(size_of::<Option<Held>>(), 8);
        assert_eq!(size_of::<Option<Dual<SmallSet, u64>>>(), 8);
    }

    #[test]
    fn it_is_what_was_put_in() {
        let counted = Rc::new(());
        let mut dual = Held::small(Listpack::new());
        for i in 0..100 {
            match dual.get_mut() {
                DualMut::Small(pack) => pack.push_back(i),
                DualMut::Big(_) => panic!("it is small"),
            }
        }
        let copy = dual.clone();
        dual = Held::big(Box::new((counted.clone(), 7)));
        assert_eq!(Rc::strong_count(&counted), 2);
        if let DualMut::Big((_, number)) = dual.get_mut() {
            *number += 1;
        }
        assert!(matches!(dual.get(), DualRef::Big((_, 8))));
        assert!(matches!(copy.get(), DualRef::Small(pack) if pack.len() == 100));
        assert_eq!(Rc::strong_count(&counted), 2);
        drop(dual);
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn a_small_set_knows_which_it_is() {
        let mut set: SmallSet = Intset::new().into();
        for value in [1i64, 70_000, 1 << 40] {
            match set.get_mut() {
                SmallSetMut::Ints(ints) => assert!(ints.insert(value)),
                SmallSetMut::Pack(_) => panic!("it is an intset"),
            }
        }
        assert!(matches!(set.clone().get(), SmallSetRef::Ints(ints) if ints.len() == 3));
        set = Listpack::new().into();
        for len in 0..40 {
            match set.get_mut() {
                SmallSetMut::Pack(pack) => pack.push_back(&vec![b'x'; len]),
                SmallSetMut::Ints(_) => panic!("it is a listpack"),
            }
        }
        assert!(matches!(set.clone().get(), SmallSetRef::Pack(pack) if pack.len() == 40));
        if let SmallSetMut::Pack(pack) = set.get_mut() {
            while let Some(pos) = pack.first() {
                pack.remove(pos);
            }
        }
        assert!(matches!(set.get(), SmallSetRef::Pack(pack) if pack.is_empty()));
    }
}
