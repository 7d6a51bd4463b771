//! CRC64 (Jones), the checksum of RDB files and DUMP payloads.
//!
//! Polynomial 0xad93d23594c935a9, reflected, start 0, no final xor; the check value of `123456789` is
//! 0xe9c6d914c4b8d9ca. It can be continued: `crc64(crc64(0, a), b) == crc64(0, ab)`.
//!
//! Cost: *slicing by 16*: sixteen bytes are looked up at once in sixteen tables (32 KiB, computed at compile time), where
//! table `n` tells what a byte contributes after `n` more bytes of zeros. The look-ups do not wait for each other.

const POLYNOMIAL: u64 = 0xad93_d235_94c9_35a9u64.reverse_bits();

static TABLES: [[u64; 256]; 16] = {
    let mut tables = [[0; 256]; 16];
    let mut i = 0;
    while i < 256 {
        let mut crc = i as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        tables[0][i] = crc;
        i += 1;
    }
    let mut n = 1;
    while n < 16 {
        let mut i = 0;
        while i < 256 {
            let before = tables[n - 1][i];
            tables[n][i] = (before >> 8) ^ tables[0][(before & 0xff) as usize];
            i += 1;
        }
        n += 1;
    }
    tables
};

/// Continues the checksum `crc` (0 at the start) over `bytes`.
pub fn crc64(crc: u64, bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let mut crc = crc;
    for block in blocks {
        let word = u128::from_le_bytes(*block) ^ u128::from(crc);
        let mixed = word.to_le_bytes();
        crc = 0;
        for (i, &byte) in mixed.iter().enumerate() {
            crc ^= TABLES[15 - i][usize::from(byte)];
        }
    }
    for &byte in rest {
        crc = (crc >> 8) ^ TABLES[0][usize::from(crc as u8 ^ byte)];
    }
    crc
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn check_values() {
        assert_eq!(crc64(0, b"123456789"), 0xe9c6_d914_c4b8_d9ca);
        assert_eq!(crc64(0, b""), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn blocks_and_bytes_agree(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut: prop::sample::Index) {
            let slow = bytes.iter().fold(0u64, |crc, &byte| {
                let mut crc = crc ^ u64::from(byte);
                for _ in 0..8 {
                    crc = if crc & 1 != 0 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
                }
                crc
            });
            prop_assert_eq!(crc64(0, &bytes), slow);
            let (a, b) = bytes.split_at(cut.index(bytes.len() + 1));
            prop_assert_eq!(crc64(crc64(0, a), b), slow);
        }
    }
}
