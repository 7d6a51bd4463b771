//! One word out of a few, and sets of such words.

use super::{Given, Kind, RewriteLine, joined, only};
use crate::reason::{self, Reason};
use std::marker::PhantomData;

/// A type whose values have names. [`choice!`] implements it.
pub(crate) trait Choice: Copy + PartialEq + std::fmt::Debug + 'static {
    /// Every name, in the order in which an error lists them; of several for one value the first is shown.
    const NAMES: &'static [(&'static str, Self)];
}

/// Declares an enum of named values: its variants, their names, and the way back. Values compare in the order given.
macro_rules! choice {
    (
        $(#[$attribute:meta])*
        $Name:ident { $( $(#[doc = $doc:literal])* $variant:ident = $name:literal $(| $other:literal)* ),+ $(,)? }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $Name { $( $(#[doc = $doc])* $variant, )+ }

        impl $crate::kind::Choice for $Name {
            const NAMES: &'static [(&'static str, Self)] =
                &[ $( ($name, $Name::$variant), $( ($other, $Name::$variant), )* )+ ];
        }

        impl $Name {
            /// The name under which the value is shown.
            pub fn name(self) -> &'static str {
                match self { $( $Name::$variant => $name, )+ }
            }
        }
    };
}

pub(crate) struct OneOf<T>(PhantomData<fn() -> T>);

/// One of the names of `T`, in any case.
pub(crate) const fn choice<T: Choice>() -> OneOf<T> {
    OneOf(PhantomData)
}

fn named<T: Choice>(word: &[u8]) -> Option<T> {
    T::NAMES.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(word)).map(|(_, value)| *value)
}

fn name<T: Choice>(value: T) -> &'static str {
    T::NAMES.iter().find(|(_, known)| *known == value).map_or("unknown", |(name, _)| name)
}

impl<T: Choice> Kind for OneOf<T> {
    type Value = T;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, T>) -> Result<T, Reason> {
        named(only(words)).ok_or_else(|| Reason::not_one_of(T::NAMES.iter().map(|(name, _)| *name)))
    }

    fn show(&self, value: &T) -> Vec<u8> {
        name(*value).as_bytes().to_vec()
    }
}

/// What a shutdown by signal does, as `SHUTDOWN` with the same words would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ShutdownFlags {
    pub save: bool,
    pub nosave: bool,
    pub now: bool,
    pub force: bool,
    pub safe: bool,
    pub failover: bool,
}

impl ShutdownFlags {
    const NAMES: [&'static str; 7] = ["default", "save", "nosave", "now", "force", "safe", "failover"];

    fn field(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "save" => Some(&mut self.save),
            "nosave" => Some(&mut self.nosave),
            "now" => Some(&mut self.now),
            "force" => Some(&mut self.force),
            "safe" => Some(&mut self.safe),
            "failover" => Some(&mut self.failover),
            _ => None,
        }
    }
}

pub(crate) struct ShutdownKind;

/// A set of the options of `SHUTDOWN`.
pub(crate) const fn shutdown_flags() -> ShutdownKind {
    ShutdownKind
}

impl Kind for ShutdownKind {
    type Value = ShutdownFlags;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, ShutdownFlags>) -> Result<ShutdownFlags, Reason> {
        let unknown = || Reason::not_one_of(ShutdownFlags::NAMES.into_iter());
        if words.is_empty() {
            return Err(unknown());
        }
        let mut flags = ShutdownFlags::default();
        for word in words {
            let known = ShutdownFlags::NAMES.into_iter().find(|name| name.as_bytes().eq_ignore_ascii_case(word));
            if let Some(field) = flags.field(known.ok_or_else(unknown)?) {
                *field = true;
            }
        }
        if flags.save && flags.nosave { Err(reason::SAVE_AND_NOSAVE) } else { Ok(flags) }
    }

    fn show(&self, value: &ShutdownFlags) -> Vec<u8> {
        let mut flags = *value;
        let set = ShutdownFlags::NAMES.into_iter().filter(|name| flags.field(name).is_some_and(|field| *field));
        let shown = joined(set, |name| name.as_bytes().to_vec());
        if shown.is_empty() { b"default".to_vec() } else { shown }
    }

    fn lines(&self, name: &str, value: &ShutdownFlags, default: &ShutdownFlags) -> Vec<RewriteLine> {
        vec![RewriteLine::new(name, &self.show(value), value != default)]
    }
}
