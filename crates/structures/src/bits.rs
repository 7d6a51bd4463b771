//! Bits of a string: counting, searching, combining, and integers of any width at any offset.
//!
//! Bit 0 is the *most* significant bit of byte 0, as SETBIT has it. Offsets and counts are in bits where a name says
//! `bit`. Loops run over words or plain slices, so that the compiler makes them wide.

/// What BITOP computes from its sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Bits set in all sources.
    And,
    /// Bits set in any source.
    Or,
    /// Bits set in an odd count of sources.
    Xor,
    /// Bits not set in the one source.
    Not,
    /// Bits set in the first and in no other source.
    Diff,
    /// Bits set in another source but not in the first.
    Diff1,
    /// Bits set in the first and in some other source.
    AndOr,
    /// Bits set in exactly one source.
    One,
}

/// The bit at `bit`; beyond the end bits are 0.
pub fn get(bytes: &[u8], bit: u64) -> bool {
    usize::try_from(bit / 8).ok().and_then(|at| bytes.get(at)).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0)
}

/// Sets the bit at `bit`, which lies inside `bytes`; answers the bit before.
pub fn set(bytes: &mut [u8], bit: u64, on: bool) -> bool {
    let mask = 0x80 >> (bit % 8);
    let byte = &mut bytes[(bit / 8) as usize];
    let before = *byte & mask != 0;
    if on {
        *byte |= mask;
    } else {
        *byte &= !mask;
    }
    before
}

/// The count of set bits.
pub fn count(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    words + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// The count of set bits from `first_bit` to `last_bit`, both included, as far as there are bits.
pub fn count_range(bytes: &[u8], first_bit: u64, last_bit: u64) -> u64 {
    let Some((slice, head, tail)) = window(bytes, first_bit, last_bit) else { return 0 };
    let outside = (slice[0] & !head).count_ones() + (slice[slice.len() - 1] & !tail).count_ones();
    count(slice) - u64::from(outside)
}

/// The bytes that hold a range of bits, and the masks of its bits in the first and in the last of them.
fn window(bytes: &[u8], first_bit: u64, last_bit: u64) -> Option<(&[u8], u8, u8)> {
    let bits = bytes.len() as u64 * 8;
    if first_bit > last_bit || first_bit >= bits {
        return None;
    }
    let last_bit = last_bit.min(bits - 1);
    let slice = &bytes[(first_bit / 8) as usize..=(last_bit / 8) as usize];
    Some((slice, 0xFF >> (first_bit % 8), 0xFF << (7 - last_bit % 8)))
}

/// The place of the first bit that is `on` from `first_bit` to `last_bit`, both included, as far as there are bits.
pub fn position(bytes: &[u8], on: bool, first_bit: u64, last_bit: u64) -> Option<u64> {
    let (slice, head, tail) = window(bytes, first_bit, last_bit)?;
    let flip = if on { 0 } else { 0xFF };
    let start = first_bit / 8 * 8;
    let place = |at: usize, byte: u8| start + at as u64 * 8 + u64::from(byte.leading_zeros());
    let end = slice.len() - 1;
    let wanted = |at: usize| {
        let mut byte = slice[at] ^ flip;
        if at == 0 {
            byte &= head;
        }
        if at == end {
            byte &= tail;
        }
        byte
    };
    if wanted(0) != 0 {
        return Some(place(0, wanted(0)));
    }
    let mut at = 1;
    let dull = if on { 0 } else { u64::MAX };
    while at + 8 <= end && slice[at..at + 8] == dull.to_ne_bytes() {
        at += 8;
    }
    while at < slice.len() {
        if wanted(at) != 0 {
            return Some(place(at, wanted(at)));
        }
        at += 1;
        while at + 8 <= end && slice[at..at + 8] == dull.to_ne_bytes() {
            at += 8;
        }
    }
    None
}

/// Combines `sources` into as many bytes as the longest has; shorter ones go on with zeros. `Not` takes the first only.
pub fn combine(op: Op, sources: &[&[u8]]) -> Vec<u8> {
    let Some((&first, others)) = sources.split_first() else { return Vec::new() };
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    match op {
        Op::Not => first.iter().map(|byte| !byte).collect(),
        Op::And => {
            let mut out = padded(first, len);
            for source in others {
                out.iter_mut().zip(*source).for_each(|(a, b)| *a &= b);
                out[source.len()..].fill(0);
            }
            out
        }
        Op::Or => {
            let mut out = padded(first, len);
            or_all(&mut out, others);
            out
        }
        Op::Xor => {
            let mut out = padded(first, len);
            for source in others {
                out.iter_mut().zip(*source).for_each(|(a, b)| *a ^= b);
            }
            out
        }
        Op::Diff | Op::Diff1 | Op::AndOr => {
            let mut out = vec![0; len];
            or_all(&mut out, others);
            let (front, back) = out.split_at_mut(first.len());
            let pairs = front.iter_mut().zip(first);
            match op {
                Op::Diff => pairs.for_each(|(any, x)| *any = x & !*any),
                Op::Diff1 => pairs.for_each(|(any, x)| *any &= !x),
                _ => pairs.for_each(|(any, x)| *any &= x),
            }
            if op != Op::Diff1 {
                back.fill(0);
            }
            out
        }
        Op::One => {
            let mut once = padded(first, len);
            let mut more = vec![0u8; len];
            for source in others {
                for ((once, more), byte) in once.iter_mut().zip(&mut more).zip(*source) {
                    *more |= *once & byte;
                    *once |= byte;
                }
            }
            once.iter_mut().zip(&more).for_each(|(once, more)| *once &= !more);
            once
        }
    }
}

fn padded(source: &[u8], len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(source);
    out.resize(len, 0);
    out
}

fn or_all(out: &mut [u8], sources: &[&[u8]]) {
    for source in sources {
        out.iter_mut().zip(*source).for_each(|(a, b)| *a |= b);
    }
}

/// The unsigned integer of `width` (1 to 64) bits at `first_bit`; beyond the end bits are 0.
pub fn unsigned(bytes: &[u8], first_bit: u64, width: u32) -> u64 {
    debug_assert!((1..=64).contains(&width));
    let mut window = [0; 9];
    if let Some(tail) = usize::try_from(first_bit / 8).ok().and_then(|at| bytes.get(at..)) {
        let len = tail.len().min(9);
        window[..len].copy_from_slice(&tail[..len]);
    }
    let mut wide = [0; 16];
    wide[..9].copy_from_slice(&window);
    let bits = u128::from_be_bytes(wide) << (first_bit % 8);
    (bits >> (128 - width)) as u64
}

/// The signed integer (two's complement) of `width` (1 to 64) bits at `first_bit`.
pub fn signed(bytes: &[u8], first_bit: u64, width: u32) -> i64 {
    let shift = 64 - width;
    ((unsigned(bytes, first_bit, width) << shift) as i64) >> shift
}

/// Writes the low `width` (1 to 64) bits of `value` at `first_bit`. The bits lie inside `bytes`.
pub fn write(bytes: &mut [u8], first_bit: u64, width: u32, value: u64) {
    debug_assert!((1..=64).contains(&width));
    let offset = (first_bit % 8) as u32;
    let at = (first_bit / 8) as usize;
    let len = (offset + width).div_ceil(8) as usize;
    let place = 128 - offset - width;
    let mask = (u128::MAX >> (128 - width)) << place;
    let window = &mut bytes[at..at + len];
    let mut wide = [0; 16];
    wide[..len].copy_from_slice(window);
    let bits = (u128::from_be_bytes(wide) & !mask) | (u128::from(value) << place & mask);
    window.copy_from_slice(&bits.to_be_bytes()[..len]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(prop_oneof![Just(0), Just(0xFF), any::<u8>()], 0..60)
    }

    fn bools(bytes: &[u8]) -> Vec<bool> {
        (0..bytes.len() as u64 * 8).map(|bit| get(bytes, bit)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn ranges_count_and_search_as_bits(bytes in bytes(), a in 0u64..500, b in 0u64..500, on: bool) {
            let bits = bools(&bytes);
            let inside = |i: &usize| (a..=b).contains(&(*i as u64));
            let wanted = bits.iter().enumerate().filter(|(i, bit)| inside(i) && **bit).count();
            prop_assert_eq!(count_range(&bytes, a, b), wanted as u64);
            let wanted = (0..bits.len()).find(|i| inside(i) && bits[*i] == on);
            prop_assert_eq!(position(&bytes, on, a, b), wanted.map(|i| i as u64));
            prop_assert_eq!(count(&bytes), bits.iter().filter(|bit| **bit).count() as u64);
        }

        #[test]
        fn combinations_are_those_of_single_bits(sources in proptest::collection::vec(bytes(), 1..5)) {
            let slices: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
            let len = slices.iter().map(|source| source.len()).max().unwrap();
            for op in [Op::And, Op::Or, Op::Xor, Op::Diff, Op::Diff1, Op::AndOr, Op::One] {
                let out = combine(op, &slices);
                prop_assert_eq!(out.len(), len);
                for bit in 0..len as u64 * 8 {
                    let first = get(slices[0], bit);
                    let set = slices.iter().filter(|source| get(source, bit)).count();
                    let others = set - usize::from(first);
                    let wanted = match op {
                        Op::And => set == slices.len(),
                        Op::Or => set > 0,
                        Op::Xor => set % 2 == 1,
                        Op::Not => !first,
                        Op::Diff => first && others == 0,
                        Op::Diff1 => !first && others > 0,
                        Op::AndOr => first && others > 0,
                        Op::One => set == 1,
                    };
                    prop_assert_eq!(get(&out, bit), wanted, "{:?} {}", op, bit);
                }
            }
            let not: Vec<u8> = slices[0].iter().map(|byte| !byte).collect();
            prop_assert_eq!(combine(Op::Not, &slices[..1]), not);
        }

        #[test]
        fn fields_are_their_bits(mut bytes in bytes(), first in 0u64..480, width in 1u32..=64, value: u64) {
            let read = |bytes: &[u8]| (0..u64::from(width)).fold(0, |acc, i| acc << 1 | u64::from(get(bytes, first + i)));
            prop_assert_eq!(unsigned(&bytes, first, width), read(&bytes));
            let shift = 64 - width;
            prop_assert_eq!(signed(&bytes, first, width), ((read(&bytes) << shift) as i64) >> shift);
            if first + u64::from(width) <= bytes.len() as u64 * 8 {
                let before = bytes.clone();
                write(&mut bytes, first, width, value);
                prop_assert_eq!(read(&bytes), value << shift >> shift);
                for bit in (0..first).chain(first + u64::from(width)..bytes.len() as u64 * 8) {
                    prop_assert_eq!(get(&bytes, bit), get(&before, bit));
                }
            }
        }

        #[test]
        fn a_set_bit_is_set(mut bytes in bytes(), bit in 0u64..480, on: bool) {
            prop_assume!(bit < bytes.len() as u64 * 8);
            let before = get(&bytes, bit);
            prop_assert_eq!(set(&mut bytes, bit, on), before);
            prop_assert_eq!(get(&bytes, bit), on);
        }
    }
}
