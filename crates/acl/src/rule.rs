//! What rules may refer to, and why one is refused.

use command::registry::{Registry, RowId};
use command::row::Row;
use resp::error::acl::reason;

/// What rules are read against.
#[derive(Clone, Copy)]
pub struct Vocabulary<'a> {
    /// The commands. Rules name them as the table does, whatever they were renamed to.
    pub registry: &'a Registry,
    /// Whether a new selector may use every channel (`acl-pubsub-default`).
    pub all_channels: bool,
}

impl<'a> Vocabulary<'a> {
    /// Every command and subcommand of this program, those renamed to nothing too.
    pub(crate) fn rows(self) -> impl Iterator<Item = (RowId, &'static Row)> + 'a {
        let registry = self.registry;
        let rows = (0..registry.id_count()).map(move |i| RowId(i as u16)).map(move |id| (id, registry.row(id)));
        rows.filter(move |(_, row)| registry.mode().knows(row))
    }

    /// The subcommands of a container.
    pub(crate) fn children(self, container: RowId) -> impl Iterator<Item = RowId> + 'a {
        self.rows().map(|(id, _)| id).filter(move |id| self.registry.parent(*id) == Some(container))
    }
}

/// Why a rule was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleError {
    /// No rule looks like that, or a pattern holds white space.
    Syntax,
    /// There is no such command or category.
    Unknown,
    /// A key pattern beside `~*`.
    AfterAllKeys,
    /// A channel pattern beside `&*`.
    AfterAllChannels,
    /// The password to be removed is not there.
    NoSuchPassword,
    /// Not 64 hexadecimal digits in lower case.
    PasswordHash,
    /// `+config|get|x`.
    FirstArgOfSubcommand,
    /// A number that no database can have.
    DatabaseRange,
    /// A user was declared before.
    DuplicateUser,
}

impl RuleError {
    /// The words that clients see.
    pub fn text(self) -> &'static str {
        match self {
            RuleError::Syntax => reason::SYNTAX,
            RuleError::Unknown => reason::UNKNOWN,
            RuleError::AfterAllKeys => reason::AFTER_ALLKEYS,
            RuleError::AfterAllChannels => reason::AFTER_ALLCHANNELS,
            RuleError::NoSuchPassword => reason::NO_SUCH_PASSWORD,
            RuleError::PasswordHash => reason::PASSWORD_HASH,
            RuleError::FirstArgOfSubcommand => reason::FIRST_ARG_OF_SUBCOMMAND,
            RuleError::DatabaseRange => reason::DATABASE_RANGE,
            RuleError::DuplicateUser => reason::DUPLICATE_USER,
        }
    }
}

/// Whether a name or a pattern could not stand in a line of rules.
pub(crate) fn has_space(text: &[u8]) -> bool {
    text.iter().any(|c| matches!(c, b' ' | b'\t'..=b'\r' | 0))
}

/// Compares a rule with a word.
pub(crate) fn is(rule: &[u8], word: &str) -> bool {
    rule.eq_ignore_ascii_case(word.as_bytes())
}
