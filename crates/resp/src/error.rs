//! The errors that go to clients: their type, and the home of every one of their texts.
//!
//! Clients match on these texts and people search the web for them, so each is byte for byte what
//! Valkey 9.1 sends, and each stands in exactly one place: a constant, or a function where the text
//! names something, in the file of its subject below. A text begins with its code (`ERR`,
//! `WRONGTYPE`, `NOSCRIPT`, …), by which `INFO errorstats` counts and clients choose their exceptions;
//! the `-` before it is the writer's.
//!
//! What came from a client and stands in a text is cut at its first zero byte, because the peer's
//! formatting cuts it there; line ends in it are made spaces by the reply writer.

pub mod acl;
pub mod bitmap;
pub mod client;
pub mod cluster;
pub mod common;
pub mod config;
pub mod debug;
pub mod geo;
pub mod hash;
pub mod hyperloglog;
pub mod keys;
pub mod list;
pub mod multi;
pub mod persistence;
pub mod pubsub;
pub mod replication;
pub mod script;
pub mod sentinel;
pub mod server;
pub mod set;
pub mod stream;
pub mod string;
pub mod zset;

use std::fmt;

/// One error reply. A fixed text costs nothing to make or copy; a composed one, one allocation.
#[derive(Clone)]
pub struct Error(Repr);

#[derive(Clone)]
enum Repr {
    Fixed(&'static str),
    Composed(Box<[u8]>),
}

impl Error {
    /// An error whose whole text is known, code first.
    pub const fn fixed(text: &'static str) -> Self {
        Error(Repr::Fixed(text))
    }

    /// An error with a text made of `pieces`, code first.
    pub fn composed(pieces: &[&[u8]]) -> Self {
        Error(Repr::Composed(pieces.concat().into_boxed_slice()))
    }

    /// An error whose text, code included, was made elsewhere: by a script, or by another server.
    pub fn foreign(text: &[u8]) -> Self {
        Error(Repr::Composed(text.into()))
    }

    /// The whole text, without the leading `-`.
    pub fn text(&self) -> &[u8] {
        match &self.0 {
            Repr::Fixed(text) => text.as_bytes(),
            Repr::Composed(text) => text,
        }
    }

    /// The first word: `ERR`, `WRONGTYPE`, …; `ERR` when the first 32 bytes hold no space.
    pub fn code(&self) -> &[u8] {
        let text = self.text();
        let head = &text[..text.len().min(31)];
        match memchr::memchr(b' ', head) {
            Some(end) => &head[..end],
            None => b"ERR",
        }
    }

    /// The text behind the code and its space.
    pub fn message(&self) -> &[u8] {
        let text = self.text();
        memchr::memchr(b' ', text).map_or(text, |space| &text[space + 1..])
    }
}

impl PartialEq for Error {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-{}", self.text().escape_ascii())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.text()))
    }
}

impl std::error::Error for Error {}

/// What a client sent, as far as the peer would print it: up to the first zero byte.
fn cut(text: &[u8]) -> &[u8] {
    memchr::memchr(0, text).map_or(text, |end| &text[..end])
}

/// As [`cut`], and `max` bytes at most.
fn cut_to(text: &[u8], max: usize) -> &[u8] {
    let text = cut(text);
    &text[..text.len().min(max)]
}

/// `before`, what a client sent, `after`.
fn naming(before: &str, text: &[u8], after: &str) -> Error {
    Error::composed(&[before.as_bytes(), cut(text), after.as_bytes()])
}

/// A text of our own words and numbers.
fn formatted(text: fmt::Arguments<'_>) -> Error {
    Error(Repr::Composed(text.to_string().into_bytes().into_boxed_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_the_first_word() {
        assert_eq!(common::WRONGTYPE.code(), b"WRONGTYPE");
        assert_eq!(common::WRONGTYPE.message(), b"Operation against a key holding the wrong kind of value");
        assert_eq!(common::SYNTAX.code(), b"ERR");
        assert_eq!(Error::fixed("ERR").code(), b"ERR");
        assert_eq!(Error::foreign(b"AVERYLONGWORDTHATISNOTACODEBUTTEXT then").code(), b"ERR");
        assert_eq!(Error::foreign(b"").code(), b"ERR");
    }

    #[test]
    fn fixed_and_composed_texts_compare_alike() {
        assert_eq!(Error::foreign(b"ERR syntax error"), common::SYNTAX);
        assert!(std::mem::size_of::<Error>() <= 24);
    }

    #[test]
    fn what_clients_sent_ends_at_a_zero_byte() {
        assert_eq!(naming("ERR '", b"ab\0cd", "'").text(), b"ERR 'ab'");
        assert_eq!(cut_to(b"abcdef", 3), b"abc");
    }
}
