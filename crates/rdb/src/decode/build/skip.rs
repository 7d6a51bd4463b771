//! Passing over values of types that this server does not hold, so that the rest of a file can be checked.
//!
//! ```text
//!   stream:  nodes, each an id (16 bytes) and a listpack
//!            length   last id   [v2: first id, greatest deleted id, entries ever added]
//!            groups:  name   last id   [v2: entries read]
//!                     pending:   id (16 bytes)   delivery time (8 bytes)   delivery count
//!                     consumers: name   seen time   [v3: active time]   their pending ids (16 bytes each)
//!   module:  opcodes: 1 and 2 an integer, 3 a float, 4 a double, 5 a string, 0 the end
//! ```

use structures::listpack::Listpack;

use super::Done;
use crate::read::{Reader, Step};
use crate::{Damage, Kind};

const ID: usize = 16;
const TIME: usize = 8;

/// Where in the value we are.
#[derive(Debug)]
pub(crate) enum Skip {
    Nodes {
        kind: Kind,
        left: u64,
    },
    /// Between nodes and groups.
    About {
        kind: Kind,
    },
    Groups {
        kind: Kind,
        left: u64,
        len: u64,
    },
    Pending {
        kind: Kind,
        groups: u64,
        left: u64,
        len: u64,
    },
    Consumers {
        kind: Kind,
        groups: u64,
        left: u64,
        len: u64,
    },
    Owned {
        kind: Kind,
        groups: u64,
        consumers: u64,
        left: u64,
        len: u64,
    },
    Module,
    End {
        len: u64,
    },
}

impl Skip {
    pub(super) fn stream(kind: Kind, nodes: u64) -> Self {
        Self::Nodes { kind, left: nodes }
    }

    /// Passes over up to `most` elements.
    pub(crate) fn advance(&mut self, reader: &mut Reader<'_>, most: usize) -> Step<Option<Done>> {
        for _ in 0..most {
            if let Self::End { len } = self {
                return Ok(Some(Done::Skipped(*len)));
            }
            let start = reader.at();
            match self.element(reader) {
                Ok(next) => *self = next,
                Err(halt) => {
                    reader.rewind(start);
                    return Err(halt);
                }
            }
        }
        Ok(None)
    }

    /// Passes over one element and answers where that leads.
    fn element(&self, reader: &mut Reader<'_>) -> Step<Self> {
        Ok(match *self {
            Self::Nodes { kind, left: 0 } => Self::About { kind },
            Self::Nodes { kind, left } => {
                let mut scratch = Vec::new();
                let id = reader.text()?.bytes(&mut scratch)?.len();
                let pack = reader.text()?;
                let sound = Listpack::validate(pack.bytes(&mut scratch)?).is_ok();
                if id != ID || !sound {
                    return Err(Damage::Structure(kind).into());
                }
                Self::Nodes { kind, left: left - 1 }
            }
            Self::About { kind } => {
                let len = reader.length()?;
                let others = if kind == Kind::STREAM { 2 } else { 7 };
                for _ in 0..others {
                    reader.length()?;
                }
                Self::Groups { kind, left: reader.length()?, len }
            }
            Self::Groups { left: 0, len, .. } => Self::End { len },
            Self::Groups { kind, left, len } => {
                reader.text()?;
                let others = if kind == Kind::STREAM { 2 } else { 3 };
                for _ in 0..others {
                    reader.length()?;
                }
                Self::Pending { kind, groups: left - 1, left: reader.length()?, len }
            }
            Self::Pending { kind, groups, left: 0, len } => {
                Self::Consumers { kind, groups, left: reader.length()?, len }
            }
            Self::Pending { kind, groups, left, len } => {
                reader.take(ID + TIME)?;
                reader.length()?;
                Self::Pending { kind, groups, left: left - 1, len }
            }
            Self::Consumers { kind, groups, left: 0, len } => Self::Groups { kind, left: groups, len },
            Self::Consumers { kind, groups, left, len } => {
                reader.text()?;
                reader.take(if kind == Kind::STREAM_3 { 2 * TIME } else { TIME })?;
                Self::Owned { kind, groups, consumers: left - 1, left: reader.length()?, len }
            }
            Self::Owned { kind, groups, consumers, left: 0, len } => {
                Self::Consumers { kind, groups, left: consumers, len }
            }
            Self::Owned { kind, groups, consumers, left, len } => {
                reader.take(ID)?;
                Self::Owned { kind, groups, consumers, left: left - 1, len }
            }
            Self::Module => match reader.length()? {
                0 => Self::End { len: 1 },
                1 | 2 => {
                    reader.length()?;
                    Self::Module
                }
                3 => {
                    reader.take(4)?;
                    Self::Module
                }
                4 => {
                    reader.take(8)?;
                    Self::Module
                }
                5 => {
                    reader.text()?;
                    Self::Module
                }
                _ => return Err(Damage::Structure(Kind::MODULE_2).into()),
            },
            Self::End { len } => Self::End { len },
        })
    }
}
