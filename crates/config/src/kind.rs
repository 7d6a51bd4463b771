//! Kinds of values: how each is spelled in a line, shown by `CONFIG GET`, and written by `CONFIG REWRITE`.
//!
//! | kind | read | shown | written |
//! |---|---|---|---|
//! | yes/no | `YES` | `yes` | `yes` |
//! | integer | canonical decimal within a range | `7` | `7` |
//! | octal | `0700` | `700` | `700` |
//! | memory | `1gb`, `1G` (10⁹), `5` | `1073741824` | `1gb` |
//! | share | memory or `5%` | `5%` | `5%` |
//! | text | one word | as it is | quoted |
//! | choice | one of its words | the word | the word |
//! | lists | several words, each its own grammar | joined by spaces | one line, or one per class |

#[macro_use]
mod choice;
mod lists;
mod number;
mod text;

pub(crate) use choice::{Choice, choice, shutdown_flags};
pub(crate) use lists::{addresses, buffer_limits, events, oom_scores, percentiles, primary, save_points, seeds};
pub(crate) use number::{hertz, int, memory, octal, optional_int, share, signed_memory};
pub(crate) use text::{YES_NO, anything, directory, optional_text, text};

pub use choice::ShutdownFlags;
pub use lists::{Endpoint, OutputBufferLimit, OutputBufferLimits, SavePoint, Seed};
pub use number::{Share, parse_bytes};

use crate::reason::Reason;
use std::fmt::Debug;

/// How values of one type are spelled.
pub(crate) trait Kind: Sync + 'static {
    type Value: Clone + PartialEq + Debug + 'static;
    /// Several words make one value. Otherwise `parse` is called with exactly one.
    const TAKES_WORDS: bool = false;

    fn parse(&self, words: &[Vec<u8>], given: Given<'_, Self::Value>) -> Result<Self::Value, Reason>;

    fn show(&self, value: &Self::Value) -> Vec<u8>;

    /// The lines that set `value`. Lines of the old file that are not needed for them vanish.
    fn lines(&self, name: &str, value: &Self::Value, default: &Self::Value) -> Vec<RewriteLine> {
        vec![RewriteLine::new(name, &self.show(value), value != default)]
    }
}

/// What a value is set over.
pub(crate) struct Given<'a, V> {
    pub current: &'a V,
    /// The same load has set this directive before.
    pub again: bool,
}

/// A line that `CONFIG REWRITE` wants in the file.
pub(crate) struct RewriteLine {
    pub text: Vec<u8>,
    /// Append it when the old file has no line to put it in; otherwise only an existing line is replaced.
    pub forced: bool,
}

impl RewriteLine {
    pub fn new(name: &str, value: &[u8], forced: bool) -> RewriteLine {
        RewriteLine { text: [name.as_bytes(), b" ", value].concat(), forced }
    }
}

/// The only word of a kind that does not take several.
fn only(words: &[Vec<u8>]) -> &[u8] {
    words.first().map_or(b"", Vec::as_slice)
}

/// The integer that `text` spells as C reads it: a sign and leading zeros allowed.
fn lenient(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `items` as shown by `each`, with spaces between.
fn joined<T>(items: impl IntoIterator<Item = T>, each: impl Fn(T) -> Vec<u8>) -> Vec<u8> {
    items.into_iter().map(each).collect::<Vec<_>>().join(&b' ')
}
