//! What can be wrong with a file, and where.

use std::fmt;

use crate::Kind;

/// Damage at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Bytes before the damaged part, from the beginning of the input.
    pub offset: u64,
    /// What is wrong there.
    pub damage: Damage,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Damage {
    /// The input does not begin with `REDIS0` or `VALKEY`.
    Signature,
    /// A version that is not read; see [`crate::Acceptance`].
    Version(u16),
    /// The input ended inside something.
    Truncated,
    /// A length begins with this byte, which no length does, or is the marker of a special string.
    Length(u8),
    /// A special string of an encoding that does not exist.
    StringEncoding(u8),
    /// A compressed string that does not decompress to its length.
    Lzf,
    /// A byte that is neither an opcode nor a type.
    Type(u8),
    /// A byte that may mean anything in a file of this foreign version.
    Foreign(u8),
    /// A type that is known but not held by this server.
    Unsupported(Kind),
    /// A module's value, with the module's name.
    Module(Box<str>),
    /// The value of this type is not what its type promises.
    Structure(Kind),
    /// A collection holds an element twice.
    Duplicate(Kind),
    /// A sorted set with a score that is no number.
    Score(Kind),
    /// A field's expiry that cannot be.
    FieldExpiry,
    /// A node of a list that is neither packed nor plain.
    Container(u64),
    /// Functions of a release candidate.
    FunctionPreRelease,
    /// A slot import's name is not 40 bytes long.
    SlotImportName,
    /// A range of slots that is none.
    SlotRange,
    /// A module's data that does not follow the rules for such data.
    ModuleAux,
    /// The checksum at the end.
    Checksum {
        /// That of the bytes.
        computed: u64,
        /// That in the file.
        stored: u64,
    },
    /// Bytes behind the end.
    Trailing,
}

/// What the peers call a value of this type in their logs.
fn words(kind: Kind) -> &'static str {
    match kind {
        Kind::HASH_ZIPMAP => "Zipmap",
        Kind::LIST_ZIPLIST => "List ziplist",
        Kind::SET_INTSET => "Intset",
        Kind::SET_LISTPACK => "Set listpack",
        Kind::ZSET_ZIPLIST => "Zset ziplist",
        Kind::ZSET_LISTPACK => "Zset listpack",
        Kind::HASH_ZIPLIST => "Hash ziplist",
        Kind::HASH_LISTPACK | Kind::HASH_LISTPACK_EX => "Hash listpack",
        Kind::QUICKLIST => "Ziplist",
        Kind::QUICKLIST_2 => "Listpack",
        _ => "Value",
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signature => write!(f, "Wrong signature trying to load DB from file"),
            Self::Version(version) => write!(f, "Can't handle RDB format version {version}"),
            Self::Truncated => write!(f, "Unexpected EOF reading RDB file"),
            Self::Length(byte) => write!(f, "Unknown length encoding {byte}"),
            Self::StringEncoding(code) => write!(f, "Unknown RDB string encoding type {code}"),
            Self::Lzf => write!(f, "Invalid LZF compressed string"),
            Self::Type(byte) => write!(f, "Invalid object type: {byte}"),
            Self::Foreign(byte) => write!(f, "Can't handle foreign type or opcode {byte}"),
            Self::Unsupported(kind) => write!(f, "Unsupported object type {} ({})", kind.0, kind.name()),
            Self::Module(name) => {
                write!(f, "The RDB file contains module data I can't load: no matching module type '{name}'")
            }
            Self::Structure(kind) => {
                write!(f, "{} integrity check failed. Type {} ({})", words(*kind), kind.0, kind.name())
            }
            Self::Duplicate(kind) => write!(f, "Duplicate elements in a value of type {} ({})", kind.0, kind.name()),
            Self::Score(_) => write!(f, "Zset with NAN score detected"),
            Self::FieldExpiry => write!(f, "Hash field with an invalid expiry"),
            Self::Container(_) => write!(f, "Quicklist integrity check failed."),
            Self::FunctionPreRelease => write!(f, "Pre-release function format not supported."),
            Self::SlotImportName => write!(f, "Invalid slot import job name length in RDB"),
            Self::SlotRange => write!(f, "Invalid slot import range in RDB"),
            Self::ModuleAux => write!(f, "bad when_opcode"),
            Self::Checksum { computed, stored } => {
                write!(f, "Wrong RDB checksum expected: ({computed:x}) but got ({stored:x})")
            }
            Self::Trailing => write!(f, "Unexpected bytes behind the value"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}", self.damage, self.offset)
    }
}

impl std::error::Error for Error {}
