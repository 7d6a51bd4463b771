//! A password as it is kept: its SHA-256, so that neither a configuration file nor a dump of memory gives it away.

use sha2::{Digest, Sha256};

/// The SHA-256 of a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PasswordHash([u8; 32]);

impl PasswordHash {
    /// Hashes a password.
    pub fn of(password: &[u8]) -> Self {
        PasswordHash(Sha256::digest(password).into())
    }

    /// Reads 64 hexadecimal digits, in lower case only: one hash has one spelling.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Some(c - b'0'),
            b'a'..=b'f' => Some(c - b'a' + 10),
            _ => None,
        };
        if hex.len() != 64 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(PasswordHash(bytes))
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|nibble| b"0123456789abcdef"[nibble as usize])
            .collect()
    }

    /// Compares in a time that does not depend on where the hashes differ.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |diff, (a, b)| diff | (a ^ b)) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_spelling() {
        let hash = PasswordHash::of(b"passwd1");
        let hex = hash.hex();
        assert_eq!(hex, b"3b1d7e9a7c37141350fb473fa099b8b18030cde1909f363e3758e52d4ea1a7b4");
        assert_eq!(PasswordHash::from_hex(&hex), Some(hash));
        assert_eq!(PasswordHash::from_hex(&hex.to_ascii_uppercase()), None);
        assert_eq!(PasswordHash::from_hex(&hex[1..]), None);
    }
}
