//! Randomness from the system: for seeds, ids and secrets. Speed is not its point; who needs many numbers draws a seed.

/// Fills a buffer with random bytes.
pub fn fill(buf: &mut [u8]) {
    let mut rest = buf;
    while !rest.is_empty() {
        // At most 256 bytes at a time are never cut short by a signal.
        let n = rest.len().min(256);
        // SAFETY: the buffer is writable for the length given.
        let done = unsafe { libc::getentropy(rest.as_mut_ptr().cast(), n) } == 0;
        // Only a kernel without the call fails here, and without randomness no server is safe to run.
        assert!(done, "the system gives no random bytes: {}", std::io::Error::last_os_error());
        rest = &mut rest[n..];
    }
}

/// A random number.
pub fn seed() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// Forty random hexadecimal digits: a run id, a replication id, a node's name.
pub fn hex_id() -> [u8; 40] {
    let mut bytes = [0; 20];
    fill(&mut bytes);
    let mut id = [0; 40];
    for (pair, byte) in id.chunks_exact_mut(2).zip(bytes) {
        pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
        pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_hexadecimal_and_differ() {
        let (a, b) = (hex_id(), hex_id());
        assert_ne!(a, b);
        assert!(a.iter().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f')));
    }

    #[test]
    fn long_buffers_are_filled_to_their_end() {
        let mut buf = vec![0u8; 1000];
        fill(&mut buf);
        // 64 zero bytes in a row would be one chance in 2^512.
        assert!(buf.chunks(64).all(|c| c.iter().any(|b| *b != 0)));
        assert_ne!(seed(), seed());
    }
}
