//! Texts: a word taken as it is, perhaps checked, and the oldest kind of all, yes or no.

use super::{Given, Kind, RewriteLine, only};
use crate::reason::{self, Reason};
use crate::words::quote;

/// `yes` or `no`, in any case.
pub(crate) struct YesNo;

pub(crate) const YES_NO: YesNo = YesNo;

impl Kind for YesNo {
    type Value = bool;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, bool>) -> Result<bool, Reason> {
        let word = only(words);
        if word.eq_ignore_ascii_case(b"yes") {
            Ok(true)
        } else if word.eq_ignore_ascii_case(b"no") {
            Ok(false)
        } else {
            Err(reason::NOT_YES_NO)
        }
    }

    fn show(&self, value: &bool) -> Vec<u8> {
        if *value { b"yes".to_vec() } else { b"no".to_vec() }
    }
}

/// A rule that a text must meet.
pub(crate) type Check = fn(&[u8]) -> Result<(), Reason>;

/// The rule that every text meets.
pub(crate) fn anything(_: &[u8]) -> Result<(), Reason> {
    Ok(())
}

pub(crate) struct Text(Check);

/// A text that is always there, perhaps empty.
pub(crate) const fn text(check: Check) -> Text {
    Text(check)
}

impl Kind for Text {
    type Value = Vec<u8>;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Vec<u8>>) -> Result<Vec<u8>, Reason> {
        (self.0)(only(words))?;
        Ok(only(words).to_vec())
    }

    fn show(&self, value: &Vec<u8>) -> Vec<u8> {
        value.clone()
    }

    fn lines(&self, name: &str, value: &Vec<u8>, default: &Vec<u8>) -> Vec<RewriteLine> {
        vec![quoted(name, value, value != default)]
    }
}

pub(crate) struct OptionalText(Check);

/// A text that may be absent; the empty one means that it is.
pub(crate) const fn optional_text(check: Check) -> OptionalText {
    OptionalText(check)
}

impl Kind for OptionalText {
    type Value = Option<Vec<u8>>;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Self::Value>) -> Result<Self::Value, Reason> {
        (self.0)(only(words))?;
        Ok(Some(only(words).to_vec()).filter(|word| !word.is_empty()))
    }

    fn show(&self, value: &Self::Value) -> Vec<u8> {
        value.clone().unwrap_or_default()
    }

    /// An absent text must be absent from the file.
    fn lines(&self, name: &str, value: &Self::Value, default: &Self::Value) -> Vec<RewriteLine> {
        value.iter().map(|text| quoted(name, text, value != default)).collect()
    }
}

/// The working directory. It is always written, as the absolute path that the caller has put here, because a
/// relative one would mean another place at the next start.
pub(crate) struct Directory;

pub(crate) const fn directory() -> Directory {
    Directory
}

impl Kind for Directory {
    type Value = Vec<u8>;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Vec<u8>>) -> Result<Vec<u8>, Reason> {
        if only(words).is_empty() { Err(reason::DIR_EMPTY) } else { Ok(only(words).to_vec()) }
    }

    fn show(&self, value: &Vec<u8>) -> Vec<u8> {
        value.clone()
    }

    fn lines(&self, name: &str, value: &Vec<u8>, _: &Vec<u8>) -> Vec<RewriteLine> {
        vec![quoted(name, value, true)]
    }
}

fn quoted(name: &str, value: &[u8], forced: bool) -> RewriteLine {
    let mut text = Vec::new();
    quote(&mut text, value);
    RewriteLine::new(name, &text, forced)
}
