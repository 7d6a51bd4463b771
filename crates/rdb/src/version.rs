//! Who wrote a file, in which version of the format, and whether we read it.
//!
//! | versions | magic | written by |
//! |---|---|---|
//! | 1–11 | `REDIS` + 4 digits | Redis up to 7.2, Valkey up to 8, and us |
//! | 12–79 | `REDIS` + 4 digits | later versions of Redis alone: *foreign* |
//! | 80– | `VALKEY` + 3 digits | Valkey 9 and later, and us where the data needs it |
//!
//! The magic decides before the version does: from 12 on both products gave the same numbers to different things.

/// A version of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u16);

impl Version {
    /// The last that all peers share: Redis 7.0. What 7.2 added is one more form of small sets, which we write as plain sets.
    pub const COMMON: Self = Self(10);
    /// The first that has hashes with expiring fields: Valkey 9.
    pub const FIELD_EXPIRY: Self = Self(80);
    /// The newest that is understood.
    pub const NEWEST: Self = Self(80);

    /// Whether this is one of Redis' own later versions.
    pub fn is_foreign(self) -> bool {
        (12..=79).contains(&self.0)
    }

    /// Whether this is later than all that is understood.
    pub fn is_future(self) -> bool {
        self > Self::NEWEST
    }
}

/// `rdb-version-check`: what to do with foreign and future versions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Acceptance {
    /// Refuse them.
    #[default]
    Strict,
    /// Read them as far as nothing unknown turns up.
    Relaxed,
}

impl Acceptance {
    /// Whether a payload without a magic may be read.
    pub fn accepts(self, version: Version) -> bool {
        version.0 >= 1 && (self == Self::Relaxed || !(version.is_foreign() || version.is_future()))
    }
}

/// The product that a file begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Magic {
    /// `REDIS`
    Redis,
    /// `VALKEY`
    Valkey,
}

/// The first nine bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Who wrote it.
    pub magic: Magic,
    /// In which version.
    pub version: Version,
}

impl Header {
    /// Its length in bytes.
    pub const LEN: usize = 9;

    /// The header that goes with a version.
    pub fn of(version: Version) -> Self {
        let magic = if version >= Version::FIELD_EXPIRY { Magic::Valkey } else { Magic::Redis };
        Self { magic, version }
    }

    /// Reads a header; `None` if the bytes begin with neither product's name. Digits that are none end the number, as with
    /// the peers, and give version 0 when there are none.
    pub fn parse(bytes: &[u8; Self::LEN]) -> Option<Self> {
        let magic = match &bytes[..6] {
            b"REDIS0" => Magic::Redis,
            b"VALKEY" => Magic::Valkey,
            _ => return None,
        };
        let digits = bytes[6..].iter().take_while(|byte| byte.is_ascii_digit());
        let version = digits.fold(0, |value, digit| value * 10 + u16::from(digit - b'0'));
        Some(Self { magic, version: Version(version) })
    }

    /// The bytes.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = match self.magic {
            Magic::Redis => *b"REDIS0000",
            Magic::Valkey => *b"VALKEY000",
        };
        let mut rest = self.version.0;
        for digit in bytes[6..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        bytes
    }

    /// Whether magic and version belong together.
    pub fn is_consistent(self) -> bool {
        match self.magic {
            Magic::Redis => self.version.0 >= 1 && self.version < Version::FIELD_EXPIRY,
            Magic::Valkey => self.version >= Version::FIELD_EXPIRY,
        }
    }

    /// Whether a file with this header may be read.
    pub fn is_accepted(self, acceptance: Acceptance) -> bool {
        self.is_consistent() && acceptance.accepts(self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_survive() {
        for (version, bytes) in [(11, b"REDIS0011"), (80, b"VALKEY080"), (5, b"REDIS0005")] {
            let header = Header::of(Version(version));
            assert_eq!(&header.to_bytes(), bytes);
            assert_eq!(Header::parse(bytes), Some(header));
            assert!(header.is_accepted(Acceptance::Strict));
        }
        assert_eq!(Header::parse(b"REDIS1011"), None);
        assert_eq!(Header::parse(b"REDIS00x1").map(|header| header.version.0), Some(0));
    }

    #[test]
    fn foreign_and_future_versions_need_to_be_allowed() {
        for (bytes, strict, relaxed) in [
            (b"REDIS0012", false, true),
            (b"REDIS0079", false, true),
            (b"REDIS0080", false, false),
            (b"VALKEY011", false, false),
            (b"VALKEY081", false, true),
            (b"REDIS0000", false, false),
        ] {
            let header = Header::parse(bytes).unwrap();
            assert_eq!(header.is_accepted(Acceptance::Strict), strict, "{header:?}");
            assert_eq!(header.is_accepted(Acceptance::Relaxed), relaxed, "{header:?}");
        }
    }
}
