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

const MAX_LITERALS: usize = 32;
const MAX_OFFSET: usize = 1 << 13;
const MIN_MATCH: usize = 3;
const MAX_MATCH: usize = 264;

/// Three compressed bytes yield at most this many.
const MAX_YIELD_OF_THREE: usize = MAX_MATCH;

/// Bytes that do not decompress to the promised length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// Compresses `input`; `None` if the result would not be shorter than `limit` bytes or the input is too short to try.
///
/// Inputs of 4 GiB and more are not compressed.
pub fn compress(input: &[u8], limit: usize) -> Option<Vec<u8>> {
    if input.len() <= MIN_MATCH || u32::try_from(input.len()).is_err() {
        return None;
    }
    // The table is cleared for each input: a small input gets a small one.
    match input.len() {
        0..=1024 => compress_with(&mut [0; 1 << 10], input, limit),
        1025..=8192 => compress_with(&mut [0; 1 << 12], input, limit),
        _ => compress_with(&mut vec![0; 1 << 15], input, limit),
    }
}

/// `table` holds, by hash, the last place of three bytes, plus one; 0 is none. Its length is a power of two.
fn compress_with(table: &mut [u32], input: &[u8], limit: usize) -> Option<Vec<u8>> {
    let shift = 32 - table.len().ilog2();
    let hash = |at: usize| {
        let word = u32::from(input[at]) | u32::from(input[at + 1]) << 8 | u32::from(input[at + 2]) << 16;
        (word.wrapping_mul(0x9E37_79B1) >> shift) as usize
    };
    let mut out = Vec::with_capacity(limit.min(input.len()));
    let mut literals = 0;
    let mut at = 0;
    let last = input.len() - MIN_MATCH;
    while at <= last {
        let slot = hash(at);
        let candidate = table[slot] as usize;
        table[slot] = at as u32 + 1;
        let found = candidate != 0 && at + 1 - candidate <= MAX_OFFSET && {
            let earlier = candidate - 1;
            input[earlier..earlier + MIN_MATCH] == input[at..at + MIN_MATCH]
        };
        if !found {
            at += 1;
            continue;
        }
        let earlier = candidate - 1;
        let most = MAX_MATCH.min(input.len() - at);
        let len = MIN_MATCH
            + input[earlier + MIN_MATCH..earlier + most]
                .iter()
                .zip(&input[at + MIN_MATCH..at + most])
                .take_while(|(a, b)| a == b)
                .count();
        write_literals(&mut out, &input[literals..at]);
        let offset = at - earlier - 1;
        let code = len - 2;
        if code < 7 {
            out.push((code << 5 | offset >> 8) as u8);
        } else {
            out.push((7 << 5 | offset >> 8) as u8);
            out.push((code - 7) as u8);
        }
        out.push(offset as u8);
        if out.len() >= limit {
            return None;
        }
        // The last places inside the match are worth remembering; all of them would cost more than they bring.
        let end = at + len;
        for place in end - 2..end {
            if place <= last {
                table[hash(place)] = place as u32 + 1;
            }
        }
        at = end;
        literals = end;
    }
    let rest = &input[literals..];
    if out.len() + rest.len() + rest.len().div_ceil(MAX_LITERALS) >= limit {
        return None;
    }
    write_literals(&mut out, rest);
    out.shrink_to_fit();
    Some(out)
}

fn write_literals(out: &mut Vec<u8>, literals: &[u8]) {
    for run in literals.chunks(MAX_LITERALS) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

/// Decompresses `input` into exactly `len` bytes. Memory stays below 88 times the input.
pub fn decompress(input: &[u8], len: usize) -> Result<Vec<u8>, Corrupt> {
    if len > (input.len() / 3 + 1).saturating_mul(MAX_YIELD_OF_THREE) {
        return Err(Corrupt);
    }
    let mut out = Vec::with_capacity(len);
    let mut rest = input;
    let take = |rest: &mut &[u8]| -> Result<usize, Corrupt> {
        let (&byte, tail) = rest.split_first().ok_or(Corrupt)?;
        *rest = tail;
        Ok(usize::from(byte))
    };
    while !rest.is_empty() {
        let code = take(&mut rest)?;
        if code < MAX_LITERALS {
            let (run, tail) = rest.split_at_checked(code + 1).ok_or(Corrupt)?;
            if run.len() > len - out.len() {
                return Err(Corrupt);
            }
            out.extend_from_slice(run);
            rest = tail;
            continue;
        }
        let mut count = code >> 5;
        if count == 7 {
            count += take(&mut rest)?;
        }
        count += 2;
        let offset = ((code & 0x1F) << 8 | take(&mut rest)?) + 1;
        let start = out.len().checked_sub(offset).ok_or(Corrupt)?;
        if count > len - out.len() {
            return Err(Corrupt);
        }
        if offset >= count {
            out.extend_from_within(start..start + count);
        } else {
            // The copy runs into what it has just written: a period of `offset` bytes.
            for i in start..start + count {
                out.push(out[i]);
            }
        }
    }
    if out.len() == len { Ok(out) } else { Err(Corrupt) }
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
