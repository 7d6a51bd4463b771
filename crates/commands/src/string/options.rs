//! The options of SET, GETEX and MSETEX: conditions, and when the value shall expire.
//!
//! The three commands share one grammar and differ in what of it they allow. Options that exclude each other are a
//! syntax error; one that is said twice counts once, and of a time said twice the last one counts.

use command::context::Context;
use resp::args::Args;
use resp::error::{self, Error};

use crate::options::{Time, TimeUnit, is};

/// Whose options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Set,
    Getex,
    Msetex,
}

/// What must hold for a value to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition<'a> {
    Always,
    /// NX: there is no such key.
    Absent,
    /// XX: there is one.
    Present,
    /// IFEQ: there is a string, and it is this one.
    Equal(&'a [u8]),
}

/// What becomes of the key's expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lifetime<'a> {
    /// Nothing was said.
    Unsaid,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
    /// EX, PX, EXAT or PXAT, found at this index of the arguments.
    Until(Time<'a>, usize),
}

/// The options of one command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a> {
    pub(super) condition: Condition<'a>,
    pub(super) lifetime: Lifetime<'a>,
    /// GET: answer the former value.
    pub(super) get: bool,
}

impl<'a> Options<'a> {
    /// Those of a command without any.
    pub(super) const NONE: Self = Options { condition: Condition::Always, lifetime: Lifetime::Unsaid, get: false };

    /// Reads the arguments from `first` on.
    pub(super) fn parse(args: &Args<'a>, first: usize, verb: Verb) -> Result<Self, Error> {
        let mut options = Self::NONE;
        let writes = verb != Verb::Getex;
        let mut at = first;
        while let Some(word) = args.get(at) {
            let Options { condition, lifetime, .. } = options;
            if let (Some(unit), Some(amount)) = (TimeUnit::read(word), args.get(at + 1)) {
                match lifetime {
                    Lifetime::Unsaid => {}
                    Lifetime::Until(time, _) if time.unit == unit => {}
                    _ => return Err(error::common::SYNTAX),
                }
                options.lifetime = Lifetime::Until(Time { unit, amount }, at);
                at += 1;
            } else if writes && is(word, "NX") && matches!(condition, Condition::Always | Condition::Absent) {
                options.condition = Condition::Absent;
            } else if writes && is(word, "XX") && matches!(condition, Condition::Always | Condition::Present) {
                options.condition = Condition::Present;
            } else if verb == Verb::Set && is(word, "IFEQ") && condition == Condition::Always {
                options.condition = Condition::Equal(args.get(at + 1).ok_or(error::common::SYNTAX)?);
                at += 1;
            } else if verb == Verb::Set && is(word, "GET") {
                options.get = true;
            } else if writes && is(word, "KEEPTTL") && matches!(lifetime, Lifetime::Unsaid | Lifetime::Keep) {
                options.lifetime = Lifetime::Keep;
            } else if !writes && is(word, "PERSIST") && matches!(lifetime, Lifetime::Unsaid | Lifetime::Persist) {
                options.lifetime = Lifetime::Persist;
            } else {
                return Err(error::common::SYNTAX);
            }
            at += 1;
        }
        Ok(options)
    }

    /// The time at which the value shall expire, if one was said.
    pub(super) fn expire_at(&self, ctx: &Context<'_, '_>) -> Result<Option<keyspace::UnixMillis>, Error> {
        match self.lifetime {
            Lifetime::Until(time, _) => time.at(ctx).map(Some),
            _ => Ok(None),
        }
    }
}
