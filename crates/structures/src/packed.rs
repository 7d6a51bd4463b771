//! What allocations that hold several parts one behind the other are made of: lengths, bytes, size classes.
//!
//! A length below 128 takes one byte, below 16384 two (the top bits `10`), any other nine (the first is `0xc0`).

use std::ptr::NonNull;

/// The size that the allocator gives for a request of `bytes`: steps of 8 up to 64, then four steps to each doubling.
pub(crate) const fn size_class(bytes: usize) -> usize {
    if bytes <= 8 {
        return 8;
    }
    let step = (1usize << (bytes - 1).ilog2()) / 4;
    bytes.next_multiple_of(if step < 8 { 8 } else { step })
}

/// Bytes of the length `len`.
pub(crate) const fn length_size(len: usize) -> usize {
    match len {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        _ => 9,
    }
}

/// Writes a length at offset `at` and answers the offset behind it.
///
/// # Safety
/// The allocation has room for it.
#[inline]
pub(crate) unsafe fn write_length(raw: NonNull<u8>, at: usize, len: usize) -> usize {
    let size = length_size(len);
    let mut bytes = [0; 9];
    match size {
        1 => bytes[0] = len as u8,
        2 => bytes[..2].copy_from_slice(&(0x8000 | len as u16).to_be_bytes()),
        _ => {
            bytes[0] = 0xc0;
            bytes[1..].copy_from_slice(&(len as u64).to_be_bytes());
        }
    }
    // SAFETY: the caller's promise.
    unsafe { write_bytes(raw, at, &bytes[..size]) };
    at + size
}

/// Reads the length at offset `at`: the offset behind it, and the length.
///
/// # Safety
/// `write_length` has written there.
#[inline]
pub(crate) unsafe fn read_length(raw: NonNull<u8>, at: usize) -> (usize, usize) {
    // SAFETY: the caller's promise; the first byte tells how many follow.
    unsafe {
        let first = raw.add(at).read();
        if first < 0x80 {
            (at + 1, first.into())
        } else if first < 0xc0 {
            (at + 2, usize::from(first & 0x3f) << 8 | usize::from(raw.add(at + 1).read()))
        } else {
            (at + 9, u64::from_be_bytes(raw.add(at + 1).cast::<[u8; 8]>().read()) as usize)
        }
    }
}

/// # Safety
/// The allocation has `bytes.len()` bytes at `at`, and `bytes` lies elsewhere.
#[inline]
pub(crate) unsafe fn write_bytes(raw: NonNull<u8>, at: usize, bytes: &[u8]) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), raw.add(at).as_ptr(), bytes.len()) }
}

/// # Safety
/// The allocation has `len` initialized bytes at `at` that are not changed for `'a`.
#[inline]
pub(crate) unsafe fn slice<'a>(raw: NonNull<u8>, at: usize, len: usize) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(raw.add(at).as_ptr(), len) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_are_those_of_the_allocator() {
        let mut classes: Vec<usize> = (1..=1024).map(size_class).collect();
        classes.dedup();
        assert_eq!(
            classes,
            [
                8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896,
                1024
            ]
        );
    }

    #[test]
    fn lengths_come_back() {
        for len in [0, 1, 127, 128, 300, 16383, 16384, 1 << 29, usize::MAX >> 1] {
            let mut bytes = [0xffu8; 12];
            let raw = NonNull::from(&mut bytes).cast();
            // SAFETY: a length takes at most nine of the twelve bytes.
            let (end, read) = unsafe {
                let end = write_length(raw, 1, len);
                (end, read_length(raw, 1))
            };
            assert_eq!(end, 1 + length_size(len));
            assert_eq!(read, (end, len));
            assert_eq!((bytes[0], bytes[end]), (0xff, 0xff));
        }
    }
}
