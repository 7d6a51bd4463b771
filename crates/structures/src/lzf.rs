//! LZF: the light compression of RDB strings and of quicklist nodes.
//!
//! Question: how are bytes made smaller at the speed of a copy? By naming earlier occurrences of three bytes or more
//! within the last 8 KiB, found through one table of the last place of each three-byte hash. The format is liblzf's:
//!
//! ```text
//!   000LLLLL  L+1 literal bytes                        1..32 of them
//!   LLLooooo oooooooo            L+2 bytes (3..8) from o+1 bytes back
//!   111ooooo LLLLLLLL oooooooo   L+9 bytes (9..264) from o+1 bytes back
//! ```
//!
//! The compressed length is not in the data, nor is the length of what comes out: both are stored beside it.
//! [`decompress`] trusts neither: every copy is checked, the length must come out exactly, and memory is only
//! allocated when the input is long enough to possibly yield it.
//!
//! Costs: the table of places belongs to the thread and is never cleared: places count on from input to input, so those of former
//! inputs are seen to be old. A short string costs no more than its bytes. Where nothing matches, the steps become longer,
//! so noise is passed over quickly. Decompression copies 16 or 32 bytes at a time where there is room, too many rather than
//! one by one, and writes over the excess.

use std::cell::RefCell;

const MAX_LITERALS: usize = 32;
const MAX_OFFSET: usize = 1 << 13;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 264;

/// Three compressed bytes yield at most this many.
const MAX_YIELD_OF_THREE: usize = MAX_MATCH;

/// Slots of the table: as many as there are places in the window. 32 KiB for each thread that compresses.
const SLOT_BITS: u32 = 13;

/// Misses in a row after which the steps become longer.
const PATIENCE_BITS: u32 = 5;

/// Bytes that do not decompress to the promised length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// The last place of each hash of three bytes, counted over all inputs.
struct Places {
    slots: Box<[u32; 1 << SLOT_BITS]>,
    /// What is at or below this is a place of a former input.
    base: u32,
}

thread_local! {
    static PLACES: RefCell<Places> = RefCell::new(Places { slots: Box::new([0; 1 << SLOT_BITS]), base: 0 });
}

/// Compresses `input`; `None` if the result would not be shorter than `limit` bytes or the input is too short to try.
///
/// Inputs of 4 GiB and more are not compressed.
pub fn compress(input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(limit.min(input.len()));
    compress_into(&mut out, input, limit).then(|| {
        out.shrink_to_fit();
        out
    })
}

/// As [`compress`], behind what `out` holds; if that is in vain, `out` is as it was, and the answer is false.
pub fn compress_into(out: &mut Vec<u8>, input: &[u8], limit: usize) -> bool {
    let Ok(len) = u32::try_from(input.len()) else { return false };
    if input.len() <= MIN_MATCH {
        return false;
    }
    let start = out.len();
    let done = PLACES.with_borrow_mut(|places| {
        if places.base.checked_add(len).is_none_or(|end| end == u32::MAX) {
            // After 4 GiB the count begins anew.
            places.slots.fill(0);
            places.base = 0;
        }
        let done = compress_with(&mut places.slots, places.base, out, input, limit);
        places.base = places.base.saturating_add(len).saturating_add(1);
        done
    });
    if !done {
        out.truncate(start);
    }
    done
}

/// Three bytes as a number.
#[inline]
fn three(input: &[u8], at: usize) -> u32 {
    u32::from(input[at]) | u32::from(input[at + 1]) << 8 | u32::from(input[at + 2]) << 16
}

/// The count of bytes, up to `most`, in which what is at `a` equals what is at `b`, which is behind it.
#[inline]
fn common(input: &[u8], a: usize, b: usize, most: usize) -> usize {
    let (left, right) = (&input[a..a + most], &input[b..b + most]);
    let (left_words, left_rest) = left.as_chunks::<8>();
    let (right_words, right_rest) = right.as_chunks::<8>();
    let mut len = 0;
    for (x, y) in left_words.iter().zip(right_words) {
        let differ = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differ != 0 {
            return len + differ.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    len + left_rest.iter().zip(right_rest).take_while(|(x, y)| x == y).count()
}

/// A slot holds `base` plus a place plus one.
fn compress_with(slots: &mut [u32; 1 << SLOT_BITS], base: u32, out: &mut Vec<u8>, input: &[u8], limit: usize) -> bool {
    let slot_of = |word: u32| (word.wrapping_mul(0x9E37_79B1) >> (32 - SLOT_BITS)) as usize;
    let start = out.len();
    let mut literals = 0;
    let mut at = 0;
    let mut misses = 0usize;
    let last = input.len() - MIN_MATCH;
    while at <= last {
        let word = three(input, at);
        let slot = &mut slots[slot_of(word)];
        let candidate = slot.saturating_sub(base) as usize;
        *slot = base + at as u32 + 1;
        let found = candidate != 0 && at + 1 - candidate <= MAX_OFFSET && three(input, candidate - 1) == word;
        if !found {
            misses += 1;
            at += 1 + (misses >> PATIENCE_BITS);
            continue;
        }
        misses = 0;
        let earlier = candidate - 1;
        let most = MAX_MATCH.min(input.len() - at);
        let len = MIN_MATCH + common(input, earlier + MIN_MATCH, at + MIN_MATCH, most - MIN_MATCH);
        write_literals(out, &input[literals..at]);
        let offset = at - earlier - 1;
        let code = len - 2;
        if code < 7 {
            out.extend_from_slice(&[(code << 5 | offset >> 8) as u8, offset as u8]);
        } else {
            out.extend_from_slice(&[(7 << 5 | offset >> 8) as u8, (code - 7) as u8, offset as u8]);
        }
        if out.len() - start >= limit {
            return false;
        }
        // The last places inside the match are worth remembering; all of them would cost more than they bring.
        let end = at + len;
        for place in end - 2..end {
            if place <= last {
                slots[slot_of(three(input, place))] = base + place as u32 + 1;
            }
        }
        at = end;
        literals = end;
    }
    let rest = &input[literals..];
    if out.len() - start + rest.len() + rest.len().div_ceil(MAX_LITERALS) >= limit {
        return false;
    }
    write_literals(out, rest);
    true
}

fn write_literals(out: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(MAX_LITERALS) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

/// Decompresses `input` into exactly `len` bytes. Memory stays below 88 times the input.
pub fn decompress(input: &[u8], len: usize) -> Result<Vec<u8>, Corrupt> {
    let mut out = Vec::new();
    decompress_into(&mut out, input, len)?;
    Ok(out)
}

/// As [`decompress`], behind what `out` holds; if the input is corrupt, `out` is as it was.
pub fn decompress_into(out: &mut Vec<u8>, input: &[u8], len: usize) -> Result<(), Corrupt> {
    if len > (input.len() / 3 + 1).saturating_mul(MAX_YIELD_OF_THREE) {
        return Err(Corrupt);
    }
    let start = out.len();
    out.resize(start + len, 0);
    let result = decompress_to(&mut out[start..], input);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn decompress_to(out: &mut [u8], input: &[u8]) -> Result<(), Corrupt> {
    let mut rest = input;
    let mut at = 0;
    while let Some((&code, tail)) = rest.split_first() {
        let code = usize::from(code);
        if code < MAX_LITERALS {
            let count = code + 1;
            if count > tail.len() || count > out.len() - at {
                return Err(Corrupt);
            }
            match (out[at..].first_chunk_mut::<MAX_LITERALS>(), tail.first_chunk::<MAX_LITERALS>()) {
                (Some(to), Some(from)) => *to = *from,
                _ => out[at..at + count].copy_from_slice(&tail[..count]),
            }
            at += count;
            rest = &tail[count..];
            continue;
        }
        let (count, low, tail) = match (code >> 5, tail) {
            (7, [more, low, tail @ ..]) => (9 + usize::from(*more), *low, tail),
            (7, _) | (_, []) => return Err(Corrupt),
            (count, [low, tail @ ..]) => (count + 2, *low, tail),
        };
        let offset = ((code & 0x1F) << 8 | usize::from(low)) + 1;
        let from = at.checked_sub(offset).ok_or(Corrupt)?;
        if count > out.len() - at {
            return Err(Corrupt);
        }
        if count <= 16 && offset >= 16 && out.len() - at >= 16 {
            let (before, behind) = out.split_at_mut(at);
            behind[..16].copy_from_slice(&before[from..from + 16]);
        } else if offset >= count {
            out.copy_within(from..from + count, at);
        } else {
            // The copy runs into what it has just written: a period of `offset` bytes, which doubles with each copy.
            let (mut done, mut period) = (0, offset);
            while done < count {
                let step = period.min(count - done);
                out.copy_within(from..from + step, at + done);
                done += step;
                period += step;
            }
        }
        at += count;
        rest = tail;
    }
    if at == out.len() { Ok(()) } else { Err(Corrupt) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn repetition_is_folded() {
        let input = vec![b'a'; 100_000];
        let packed = compress(&input, input.len()).unwrap();
        assert!(packed.len() < 1200, "{}", packed.len());
        assert_eq!(decompress(&packed, input.len()), Ok(input));
    }

    #[test]
    fn places_of_former_inputs_are_forgotten() {
        let text = b"the quick brown fox jumps over the lazy dog and the quick brown cat";
        let first = compress(text, text.len());
        assert!(first.is_some());
        assert_eq!(compress(text, text.len()), first);
        PLACES.with_borrow_mut(|places| places.base = u32::MAX - 80);
        for _ in 0..3 {
            assert_eq!(compress(text, text.len()), first);
        }
    }

    #[test]
    fn appending_leaves_what_is_there() {
        let input = [b'x'; 100];
        let mut out = b"before".to_vec();
        assert!(compress_into(&mut out, &input, 50));
        let packed = out.split_off(6);
        assert_eq!(out, b"before");
        assert!(!compress_into(&mut out, &input, 3));
        assert_eq!(decompress_into(&mut out, &packed, 99), Err(Corrupt));
        assert_eq!(out, b"before");
        assert_eq!(decompress_into(&mut out, &packed, 100), Ok(()));
        assert_eq!(out[6..], input);
    }

    #[test]
    fn a_stream_of_liblzf_is_read() {
        // `aaaaaaaaaa` then `b`, as liblzf writes it: literal a, 8 more by reference, literals.
        assert_eq!(decompress(b"\x00a\xe0\x00\x00\x00b", 11), Ok(b"aaaaaaaaaab".to_vec()));
    }

    #[test]
    fn hostile_streams_are_refused() {
        for (input, len) in [
            (&b"\x05abc"[..], 6),
            (b"\x00a\x20", 4),
            (b"\x00a\xe0", 12),
            (b"\x00a\xe0\x00", 12),
            (b"\x00a\x20\x01", 4),
            (b"\x00a\x20\x00", 3),
            (b"\x00a\x20\x00", 5),
            (b"\x00a", usize::MAX),
            (b"", 1),
        ] {
            assert_eq!(decompress(input, len), Err(Corrupt), "{input:?}");
        }
        assert_eq!(decompress(b"", 0), Ok(Vec::new()));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn what_is_compressed_comes_back(words in proptest::collection::vec("[a-d]{0,9}", 0..2000), noise in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut input = words.concat().into_bytes();
            input.extend(noise);
            if let Some(packed) = compress(&input, input.len()) {
                prop_assert!(packed.len() < input.len());
                prop_assert_eq!(decompress(&packed, input.len()), Ok(input));
            }
        }

        #[test]
        fn any_bytes_are_survived(input in proptest::collection::vec(any::<u8>(), 0..300), len in 0usize..5000) {
            if let Ok(out) = decompress(&input, len) {
                prop_assert_eq!(out.len(), len);
            }
        }
    }
}
