//! One directive: its row in the table, and the macro that declares it together with the field it fills.
//!
//! ```text
//!   section! {                                   pub struct Network { pub port: u16, … }      what the server reads
//!       Network in network;              ───►    impl Default for Network
//!       /// Port for TCP.                        static TABLE: &[Directive] = &[              what texts derive from
//!       port: u16 = 6379 => "port",                  Directive { name: "port", setting: &Slot { kind, default,
//!           int(0, 65535);                                        get, get_mut } }, … ]
//!   }
//! ```
//!
//! A [`Slot`] joins a *kind* (how values are spelled, see [`crate::kind`]) with the field it fills; behind
//! [`Setting`] slots of all types look alike.

use crate::directives::Config;
use crate::kind::{Given, Kind, RewriteLine};
use crate::reason::{self, Reason};
use std::fmt;

/// A row of the table.
pub struct Directive {
    /// The name under which it is shown and written.
    pub name: &'static str,
    /// Other spellings, read and shown alike and written under `name`.
    pub aliases: &'static [&'static str],
    /// What it does, in lines of prose.
    pub doc: &'static [&'static str],
    pub flags: Flags,
    pub effect: Effect,
    pub(crate) setting: &'static dyn Setting,
}

/// Whether a directive does anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Implemented,
    /// Read, checked, shown and kept, but without effect, for this reason.
    Accepted(&'static str),
}

/// What may be done with a directive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Set at start only.
    pub immutable: bool,
    /// Its value must not reach logs, `MONITOR` and the command log.
    pub sensitive: bool,
    /// Shown by `CONFIG GET` only when named exactly.
    pub hidden: bool,
    /// Set at run time only where `enable-protected-configs` allows.
    pub protected: bool,
    /// Not set while the data set is loading.
    pub denied_while_loading: bool,
    /// Setting the same value again counts as a change: what it names may have changed.
    pub volatile: bool,
}

impl Flags {
    pub(crate) const fn none() -> Flags {
        Flags {
            immutable: false,
            sensitive: false,
            hidden: false,
            protected: false,
            denied_while_loading: false,
            volatile: false,
        }
    }
    pub(crate) const fn immutable(self) -> Flags {
        Flags { immutable: true, ..self }
    }
    pub(crate) const fn sensitive(self) -> Flags {
        Flags { sensitive: true, ..self }
    }
    pub(crate) const fn hidden(self) -> Flags {
        Flags { hidden: true, ..self }
    }
    pub(crate) const fn protected(self) -> Flags {
        Flags { protected: true, ..self }
    }
    pub(crate) const fn denied_while_loading(self) -> Flags {
        Flags { denied_while_loading: true, ..self }
    }
    pub(crate) const fn volatile(self) -> Flags {
        Flags { volatile: true, ..self }
    }
}

impl Directive {
    /// The value in `config` as `CONFIG GET` shows it.
    pub fn show(&self, config: &Config) -> Vec<u8> {
        self.setting.show(config)
    }

    /// Whether a line may give several words.
    pub fn takes_words(&self) -> bool {
        self.setting.takes_words()
    }

    /// Whether two configurations agree on this directive.
    pub fn same(&self, one: &Config, other: &Config) -> bool {
        self.setting.same(one, other)
    }

    /// Sets the value that `words` spell. Says whether it differs from the former one; on error nothing changes.
    pub fn set(&self, config: &mut Config, words: &[Vec<u8>]) -> Result<bool, Reason> {
        self.setting.set(config, words, false)
    }

    /// Every name, the main one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }
}

impl fmt::Debug for Directive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Directive {
    fn eq(&self, other: &Directive) -> bool {
        self.name == other.name
    }
}

/// A slot of any type.
pub(crate) trait Setting: Sync {
    fn takes_words(&self) -> bool;
    /// `again` says that a line of the same load has set this directive already, which `save` adds to.
    fn set(&self, config: &mut Config, words: &[Vec<u8>], again: bool) -> Result<bool, Reason>;
    fn show(&self, config: &Config) -> Vec<u8>;
    fn lines(&self, name: &str, config: &Config) -> Vec<RewriteLine>;
    fn same(&self, one: &Config, other: &Config) -> bool;
}

/// A kind of value and the field that holds it.
pub(crate) struct Slot<K: Kind> {
    pub kind: K,
    pub default: fn() -> K::Value,
    pub get: fn(&Config) -> &K::Value,
    pub get_mut: fn(&mut Config) -> &mut K::Value,
}

impl<K: Kind> Setting for Slot<K> {
    fn takes_words(&self) -> bool {
        K::TAKES_WORDS
    }

    fn set(&self, config: &mut Config, words: &[Vec<u8>], again: bool) -> Result<bool, Reason> {
        if !K::TAKES_WORDS && words.len() != 1 {
            return Err(reason::WRONG_NUMBER);
        }
        let value = self.kind.parse(words, Given { current: (self.get)(config), again })?;
        let field = (self.get_mut)(config);
        let changed = *field != value;
        *field = value;
        Ok(changed)
    }

    fn show(&self, config: &Config) -> Vec<u8> {
        self.kind.show((self.get)(config))
    }

    fn lines(&self, name: &str, config: &Config) -> Vec<RewriteLine> {
        self.kind.lines(name, (self.get)(config), &(self.default)())
    }

    fn same(&self, one: &Config, other: &Config) -> bool {
        (self.get)(one) == (self.get)(other)
    }
}

/// Declares a section of the configuration: a struct, its defaults, and its part of the table.
macro_rules! section {
    (
        $(#[doc = $section_doc:literal])*
        $Section:ident in $at:ident;
        $(
            $(#[doc = $doc:literal])*
            $field:ident: $type:ty = $default:expr => $name:literal $(| $alias:literal)*, $kind:expr
            $(, [$($flag:ident),+])? $(, accepted $why:expr)?;
        )*
    ) => {
        $(#[doc = $section_doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $Section { $( $(#[doc = $doc])* pub $field: $type, )* }

        impl Default for $Section {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        pub(crate) static TABLE: &[$crate::directive::Directive] = &[ $(
            $crate::directive::Directive {
                name: $name,
                aliases: &[$($alias),*],
                doc: &[$($doc),*],
                flags: $crate::directive::Flags::none()$($(.$flag())+)?,
                effect: section!(@effect $($why)?),
                setting: &$crate::directive::Slot {
                    kind: $kind,
                    default: || $default,
                    get: |config| &config.$at.$field,
                    get_mut: |config| &mut config.$at.$field,
                },
            },
        )* ];
    };
    (@effect) => { $crate::directive::Effect::Implemented };
    (@effect $why:expr) => { $crate::directive::Effect::Accepted($why) };
}
