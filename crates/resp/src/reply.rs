//! Replies, written straight into the connection's output.
//!
//! The same call writes what each protocol version knows:
//!
//! ```text
//!               RESP2            RESP3                     RESP2          RESP3
//!   null        $-1              _            map(n)       *2n            %n
//!   null_array  *-1              _            set(n)       *n             ~n
//!   bool        :1 :0            #t #f        push(n)      *n             >n
//!   double      bulk             ,1.5         attribute    nothing        |n
//!   big_number  bulk             (123         verbatim     bulk           =<len> txt:…
//! ```
//!
//! A handler that learns the number of elements only at the end opens a *deferred* array: room for a
//! one-digit header is reserved, and when the count is known the header is written there, moving what
//! follows by the few bytes that a longer count takes. Deferred headers nest: the one opened last is
//! set first. A handler that fails midway cuts the reply back to a [`Mark`].
//!
//! Costs: small integers, statuses and short bulks reserve once and are a few fixed-size stores; a
//! deferred header of ten or more elements moves its elements once.

use crate::encode::header;
use crate::error::Error;
use crate::{double, encode};

/// The protocol version a connection has negotiated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Proto {
    #[default]
    Resp2,
    Resp3,
}

impl Proto {
    /// `2` or `3`, as `HELLO` says it.
    pub fn number(self) -> i64 {
        match self {
            Proto::Resp2 => 2,
            Proto::Resp3 => 3,
        }
    }
}

/// A position in a reply, to cut back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(usize);

/// The place of a header whose count is not known yet.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an opened header must be given its length"]
pub struct Deferred(usize);

/// A growing reply, or several in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    pub buf: Vec<u8>,
    pub proto: Proto,
}

impl Reply {
    pub fn new(proto: Proto) -> Self {
        Reply { buf: Vec::new(), proto }
    }

    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.proto == Proto::Resp3
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.buf.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.buf.is_empty()
    }

    #[inline]
    pub fn mark(&self) -> Mark {
        Mark(self.buf.len())
    }

    /// Removes everything written since `mark`.
    #[inline]
    pub fn truncate(&mut self, mark: Mark) {
        self.buf.truncate(mark.0);
    }

    /// What has been written since `mark`.
    #[inline]
    pub fn since(&self, mark: Mark) -> &[u8] {
        &self.buf[mark.0..]
    }

    /// Appends bytes that are complete protocol already.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    #[inline]
    pub fn ok(&mut self) {
        self.buf.extend_from_slice(b"+OK\r\n");
    }

    /// `QUEUED`, the answer to a command within `MULTI`.
    #[inline]
    pub fn queued(&mut self) {
        self.buf.extend_from_slice(b"+QUEUED\r\n");
    }

    /// A simple string. Line ends in it, which the protocol cannot carry, become spaces.
    pub fn status(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// As [`Reply::status`], for text that is not ours.
    pub fn status_bytes(&mut self, text: &[u8]) {
        self.line(b'+', text);
    }

    /// An error. Line ends around it are cut off, those within become spaces.
    pub fn error(&mut self, error: &Error) {
        self.error_bytes(error.text());
    }

    /// As [`Reply::error`], for a text with its code that came from elsewhere (a script, a peer).
    pub fn error_bytes(&mut self, text: &[u8]) {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let start = text.iter().position(|byte| !is_end(byte)).unwrap_or(text.len());
        let end = text.iter().rposition(|byte| !is_end(byte)).map_or(start, |last| last + 1);
        self.line(b'-', &text[start..end]);
    }

    fn line(&mut self, prefix: u8, text: &[u8]) {
        self.buf.reserve(text.len() + 3);
        self.buf.push(prefix);
        let from = self.buf.len();
        self.buf.extend_from_slice(text);
        for byte in &mut self.buf[from..] {
            if matches!(*byte, b'\r' | b'\n') {
                *byte = b' ';
            }
        }
        self.buf.extend_from_slice(b"\r\n");
    }

    #[inline]
    pub fn integer(&mut self, n: i64) {
        match n {
            0..=9 => self.buf.extend_from_slice(&[b':', b'0' + n as u8, b'\r', b'\n']),
            10..=99 => {
                self.buf.extend_from_slice(&[b':', b'0' + (n / 10) as u8, b'0' + (n % 10) as u8, b'\r', b'\n']);
            }
            _ => {
                let mut digits = itoa::Buffer::new();
                let digits = digits.format(n).as_bytes();
                self.buf.reserve(digits.len() + 3);
                self.buf.push(b':');
                self.buf.extend_from_slice(digits);
                self.buf.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A length or count as an integer.
    #[inline]
    pub fn length(&mut self, n: usize) {
        self.integer(n as i64);
    }

    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        encode::arg(&mut self.buf, bytes);
    }

    /// A bulk whose text comes in two pieces, for values that are stored in two.
    pub fn bulk_concat(&mut self, first: &[u8], second: &[u8]) {
        let len = first.len() + second.len();
        self.buf.reserve(len + 24);
        header(&mut self.buf, b'$', len);
        self.buf.extend_from_slice(first);
        self.buf.extend_from_slice(second);
        self.buf.extend_from_slice(b"\r\n");
    }

    /// An integer in the form of a bulk.
    #[inline]
    pub fn bulk_int(&mut self, n: i64) {
        encode::arg(&mut self.buf, itoa::Buffer::new().format(n).as_bytes());
    }

    /// A bulk of `len` bytes that `write` appends itself. Panics when it appends another number.
    pub fn bulk_with(&mut self, len: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.buf.reserve(len + 24);
        header(&mut self.buf, b'$', len);
        let from = self.buf.len();
        write(&mut self.buf);
        assert_eq!(self.buf.len() - from, len, "a bulk must have the announced length");
        self.buf.extend_from_slice(b"\r\n");
    }

    #[inline]
    pub fn null(&mut self) {
        match self.proto {
            Proto::Resp2 => self.buf.extend_from_slice(b"$-1\r\n"),
            Proto::Resp3 => self.buf.extend_from_slice(b"_\r\n"),
        }
    }

    #[inline]
    pub fn null_array(&mut self) {
        match self.proto {
            Proto::Resp2 => self.buf.extend_from_slice(b"*-1\r\n"),
            Proto::Resp3 => self.buf.extend_from_slice(b"_\r\n"),
        }
    }

    /// The header of an array of `n` elements, which the caller writes next; so with all below.
    #[inline]
    pub fn array(&mut self, n: usize) {
        header(&mut self.buf, b'*', n);
    }

    #[inline]
    pub fn empty_array(&mut self) {
        self.buf.extend_from_slice(b"*0\r\n");
    }

    /// The header of a map of `n` pairs.
    #[inline]
    pub fn map(&mut self, n: usize) {
        match self.proto {
            Proto::Resp2 => header(&mut self.buf, b'*', 2 * n),
            Proto::Resp3 => header(&mut self.buf, b'%', n),
        }
    }

    #[inline]
    pub fn set(&mut self, n: usize) {
        let prefix = if self.is_resp3() { b'~' } else { b'*' };
        header(&mut self.buf, prefix, n);
    }

    /// The header of out-of-band data (messages, invalidations).
    #[inline]
    pub fn push(&mut self, n: usize) {
        let prefix = if self.is_resp3() { b'>' } else { b'*' };
        header(&mut self.buf, prefix, n);
    }

    /// The header of `n` pairs of attributes before a reply. RESP2 has none: the answer is false, and
    /// the caller writes no pairs.
    #[must_use = "the pairs are written only when this is true"]
    pub fn attribute(&mut self, n: usize) -> bool {
        if self.is_resp3() {
            header(&mut self.buf, b'|', n);
        }
        self.is_resp3()
    }

    pub fn double(&mut self, value: f64) {
        self.double_text(double::format(value).as_bytes());
    }

    /// A double whose text the caller has made (increments keep 17 digits, distances 4).
    pub fn double_text(&mut self, text: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(text),
            Proto::Resp3 => self.line(b',', text),
        }
    }

    pub fn bool(&mut self, value: bool) {
        self.buf.extend_from_slice(match (self.proto, value) {
            (Proto::Resp2, true) => b":1\r\n",
            (Proto::Resp2, false) => b":0\r\n",
            (Proto::Resp3, true) => b"#t\r\n",
            (Proto::Resp3, false) => b"#f\r\n",
        });
    }

    /// An integer beyond 64 bits, as text.
    pub fn big_number(&mut self, digits: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(digits),
            Proto::Resp3 => self.line(b'(', digits),
        }
    }

    /// Text for people, with the three letters of its format: `txt` or `mkd`.
    pub fn verbatim(&mut self, format: &[u8; 3], text: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(text),
            Proto::Resp3 => {
                self.buf.reserve(text.len() + 28);
                header(&mut self.buf, b'=', text.len() + 4);
                self.buf.extend_from_slice(format);
                self.buf.push(b':');
                self.buf.extend_from_slice(text);
                self.buf.extend_from_slice(b"\r\n");
            }
        }
    }

    /// A `HELP` answer: an array of status lines.
    pub fn help(&mut self, lines: &[&str]) {
        self.array(lines.len());
        lines.iter().for_each(|line| self.status(line));
    }

    /// Opens an array, map, set or push whose count is given later by the matching `set_…_len`.
    #[inline]
    pub fn deferred(&mut self) -> Deferred {
        let at = self.buf.len();
        self.buf.extend_from_slice(b"*0\r\n");
        Deferred(at)
    }

    #[inline]
    pub fn array_deferred(&mut self) -> Deferred {
        self.deferred()
    }

    #[inline]
    pub fn set_array_len(&mut self, at: Deferred, n: usize) {
        self.set_header(at, b'*', n);
    }

    /// `n` counts pairs.
    #[inline]
    pub fn set_map_len(&mut self, at: Deferred, n: usize) {
        match self.proto {
            Proto::Resp2 => self.set_header(at, b'*', 2 * n),
            Proto::Resp3 => self.set_header(at, b'%', n),
        }
    }

    #[inline]
    pub fn set_set_len(&mut self, at: Deferred, n: usize) {
        let prefix = if self.is_resp3() { b'~' } else { b'*' };
        self.set_header(at, prefix, n);
    }

    /// Turns what was written since `at` was opened into a null array, dropping it.
    pub fn set_null_array(&mut self, at: Deferred) {
        self.buf.truncate(at.0);
        self.null_array();
    }

    fn set_header(&mut self, at: Deferred, prefix: u8, n: usize) {
        let at = at.0;
        if n < 10 {
            self.buf[at] = prefix;
            self.buf[at + 1] = b'0' + n as u8;
            return;
        }
        let mut text = itoa::Buffer::new();
        let text = text.format(n).as_bytes();
        let grow = text.len() - 1;
        let old_len = self.buf.len();
        self.buf.resize(old_len + grow, 0);
        self.buf.copy_within(at + 4..old_len, at + 4 + grow);
        self.buf[at] = prefix;
        self.buf[at + 1..at + 1 + text.len()].copy_from_slice(text);
        self.buf[at + 1 + text.len()..at + 3 + text.len()].copy_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::common;

    fn check(write: impl Fn(&mut Reply), resp2: &[u8], resp3: &[u8]) {
        for (proto, expected) in [(Proto::Resp2, resp2), (Proto::Resp3, resp3)] {
            let mut reply = Reply::new(proto);
            write(&mut reply);
            assert_eq!(reply.buf.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{proto:?}");
        }
    }

    #[test]
    fn each_type_in_each_protocol() {
        check(|r| r.ok(), b"+OK\r\n", b"+OK\r\n");
        check(|r| r.null(), b"$-1\r\n", b"_\r\n");
        check(|r| r.null_array(), b"*-1\r\n", b"_\r\n");
        check(|r| r.bool(true), b":1\r\n", b"#t\r\n");
        check(|r| r.double(1.5), b"$3\r\n1.5\r\n", b",1.5\r\n");
        check(|r| r.double(f64::NEG_INFINITY), b"$4\r\n-inf\r\n", b",-inf\r\n");
        check(|r| r.map(3), b"*6\r\n", b"%3\r\n");
        check(|r| r.set(120), b"*120\r\n", b"~120\r\n");
        check(|r| r.push(2), b"*2\r\n", b">2\r\n");
        check(|r| assert_eq!(r.attribute(1), r.is_resp3()), b"", b"|1\r\n");
        check(|r| r.big_number(b"12"), b"$2\r\n12\r\n", b"(12\r\n");
        check(|r| r.verbatim(b"txt", b"a\nb"), b"$3\r\na\nb\r\n", b"=7\r\ntxt:a\nb\r\n");
        check(|r| r.error(&common::SYNTAX), b"-ERR syntax error\r\n", b"-ERR syntax error\r\n");
        check(|r| r.bulk_concat(b"ab", b"c"), b"$3\r\nabc\r\n", b"$3\r\nabc\r\n");
    }

    #[test]
    fn numbers_of_every_width() {
        let mut n: i64 = 1;
        for _ in 0..18 {
            for n in [n - 1, n, -n] {
                check(|r| r.integer(n), format!(":{n}\r\n").as_bytes(), format!(":{n}\r\n").as_bytes());
                let bulk = format!("${}\r\n{n}\r\n", n.to_string().len());
                check(|r| r.bulk_int(n), bulk.as_bytes(), bulk.as_bytes());
            }
            n *= 10;
        }
    }

    #[test]
    fn no_text_can_break_the_framing() {
        check(|r| r.error_bytes(b"\r\nERR a\r\nb\n"), b"-ERR a  b\r\n", b"-ERR a  b\r\n");
        check(|r| r.error_bytes(b"\n"), b"-\r\n", b"-\r\n");
        check(|r| r.status("a\nb"), b"+a b\r\n", b"+a b\r\n");
    }

    #[test]
    fn deferred_headers_nest() {
        for (inner, outer) in [(0, 1), (9, 10), (10, 9), (100, 99), (1000, 12345)] {
            let mut deferred = Reply::new(Proto::Resp3);
            let mut direct = Reply::new(Proto::Resp3);
            deferred.ok();
            let a = deferred.deferred();
            let b = deferred.array_deferred();
            direct.ok();
            direct.map(outer);
            direct.array(inner);
            for reply in [&mut deferred, &mut direct] {
                (0..inner).for_each(|i| reply.length(i));
                reply.bulk(b"tail");
            }
            deferred.set_array_len(b, inner);
            deferred.set_map_len(a, outer);
            assert_eq!(deferred, direct);
        }
    }

    #[test]
    fn a_partial_reply_can_be_taken_back() {
        let mut reply = Reply::new(Proto::Resp2);
        reply.ok();
        let mark = reply.mark();
        reply.array(2);
        reply.bulk(b"half");
        assert_eq!(reply.since(mark), b"*2\r\n$4\r\nhalf\r\n");
        reply.truncate(mark);
        reply.error(&common::WRONGTYPE);
        assert!(reply.buf.starts_with(b"+OK\r\n-WRONGTYPE "));
    }
}
