//! The types of values and the opcodes of a file: one byte each.

/// The type of a value, as the byte before its key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind(pub u8);

impl Kind {
    pub const STRING: Self = Self(0);
    /// Elements one by one; Redis before 2.4, and long ones up to 3.0.
    pub const LIST: Self = Self(1);
    pub const SET: Self = Self(2);
    /// Scores as text.
    pub const ZSET: Self = Self(3);
    pub const HASH: Self = Self(4);
    /// Scores as 8 bytes.
    pub const ZSET_2: Self = Self(5);
    pub const MODULE: Self = Self(6);
    pub const MODULE_2: Self = Self(7);
    pub const HASH_ZIPMAP: Self = Self(9);
    pub const LIST_ZIPLIST: Self = Self(10);
    pub const SET_INTSET: Self = Self(11);
    pub const ZSET_ZIPLIST: Self = Self(12);
    pub const HASH_ZIPLIST: Self = Self(13);
    /// Nodes that are ziplists.
    pub const QUICKLIST: Self = Self(14);
    pub const STREAM: Self = Self(15);
    pub const HASH_LISTPACK: Self = Self(16);
    pub const ZSET_LISTPACK: Self = Self(17);
    /// Nodes that are listpacks or single large elements.
    pub const QUICKLIST_2: Self = Self(18);
    pub const STREAM_2: Self = Self(19);
    pub const SET_LISTPACK: Self = Self(20);
    pub const STREAM_3: Self = Self(21);
    /// Valkey: fields with an expiry each.
    pub const HASH_2: Self = Self(22);
    /// Redis 7.4: fields with an expiry each, relative to the first that is due.
    pub const HASH_METADATA: Self = Self(24);
    /// Redis 7.4: a listpack of fields, values and expiries.
    pub const HASH_LISTPACK_EX: Self = Self(25);

    /// The name that the checking program prints, if the type is known.
    pub fn name(self) -> &'static str {
        match self {
            Self::STRING => "string",
            Self::LIST => "list-linked",
            Self::SET => "set-hashtable",
            Self::ZSET => "zset-v1",
            Self::HASH => "hash-hashtable",
            Self::ZSET_2 => "zset-v2",
            Self::MODULE => "module-pre-release",
            Self::MODULE_2 => "module-value",
            Self::HASH_ZIPMAP => "hash-zipmap",
            Self::LIST_ZIPLIST => "list-ziplist",
            Self::SET_INTSET => "set-intset",
            Self::ZSET_ZIPLIST => "zset-ziplist",
            Self::HASH_ZIPLIST => "hash-ziplist",
            Self::QUICKLIST => "quicklist",
            Self::STREAM => "stream",
            Self::HASH_LISTPACK => "hash-listpack",
            Self::ZSET_LISTPACK => "zset-listpack",
            Self::QUICKLIST_2 => "quicklist-v2",
            Self::STREAM_2 => "stream-v2",
            Self::SET_LISTPACK => "set-listpack",
            Self::STREAM_3 => "stream-v3",
            Self::HASH_2 => "hash-volatile-items",
            Self::HASH_METADATA => "hash-hashtable-md",
            Self::HASH_LISTPACK_EX => "hash-listpack-md",
            _ => "unknown",
        }
    }

    /// Whether this is a stream of any version.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::STREAM | Self::STREAM_2 | Self::STREAM_3)
    }

    /// Whether files of version 11 may hold it.
    pub(crate) fn is_common(self) -> bool {
        self.0 <= 21 && self.0 != 8
    }
}

/// A foreign file's bytes in this range may mean anything.
pub(crate) const FOREIGN: std::ops::RangeInclusive<u8> = 22..=243;

pub(crate) const SLOT_IMPORT: u8 = 243;
pub(crate) const SLOT_INFO: u8 = 244;
pub(crate) const FUNCTION_2: u8 = 245;
pub(crate) const FUNCTION_PRE_GA: u8 = 246;
pub(crate) const MODULE_AUX: u8 = 247;
pub(crate) const IDLE: u8 = 248;
pub(crate) const FREQ: u8 = 249;
pub(crate) const AUX: u8 = 250;
pub(crate) const RESIZE_DB: u8 = 251;
pub(crate) const EXPIRE_MS: u8 = 252;
pub(crate) const EXPIRE_SECONDS: u8 = 253;
pub(crate) const SELECT_DB: u8 = 254;
pub(crate) const EOF: u8 = 255;
