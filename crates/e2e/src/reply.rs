//! What a server answered, and how it is written down.
//!
//! The notation is that of `redis-cli` on a terminal, so that what a test expects can be pasted from a shell:
//!
//! ```text
//!   OK    (error) ERR no    (integer) 1    (double) 1.5    (true)    (nil)    "bytes\x00"
//!   1) "a"                 array          1~ "a"            set (RESP3)
//!   2) 1) "nested"                        1# "k" => "v"     map (RESP3)
//! ```
//!
//! It says more than the CLI in four places in which the CLI shows two things alike: the null array of RESP2 is
//! `(nil array)`, a big number `(big number) 7`, a verbatim string `(verbatim txt) "text"`, and the elements of a
//! push message are numbered `1> `.

use crate::words;
use std::fmt::{self, Display};
use std::io::{self, BufRead, Read};

/// A reply of RESP2 or RESP3, with the difference between types kept.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Status(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    /// `$-1` of RESP2, `_` of RESP3.
    Nil,
    /// `*-1` of RESP2.
    NilArray,
    Array(Vec<Reply>),
    /// Keys and values in turn, in the order in which they came.
    Map(Vec<(Reply, Reply)>),
    Set(Vec<Reply>),
    Push(Vec<Reply>),
    /// As written by the server.
    Double(Vec<u8>),
    Boolean(bool),
    BigNumber(Vec<u8>),
    Verbatim {
        format: Vec<u8>,
        text: Vec<u8>,
    },
}

/// Nesting deeper than any command answers: a reply that claims more is an error of the server under test.
const DEEPEST: usize = 64;

impl Reply {
    /// Reads one reply.
    pub fn read(from: &mut impl BufRead) -> io::Result<Reply> {
        Reply::read_nested(from, 0)
    }

    fn read_nested(from: &mut impl BufRead, depth: usize) -> io::Result<Reply> {
        if depth > DEEPEST {
            return Err(broken("nested too deeply"));
        }
        let mut line = Vec::new();
        from.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some([kind, rest @ ..]) = line.strip_suffix(b"\r\n") else { return Err(broken("no line end")) };
        let many = |from: &mut _, count: i64| -> io::Result<Vec<Reply>> {
            (0..count).map(|_| Reply::read_nested(from, depth + 1)).collect()
        };
        Ok(match kind {
            b'+' => Reply::Status(rest.to_vec()),
            b'-' => Reply::Error(rest.to_vec()),
            b':' => Reply::Integer(number(rest)?),
            b'$' => match number(rest)? {
                -1 => Reply::Nil,
                length => Reply::Bulk(body(from, length)?),
            },
            b'*' => match number(rest)? {
                -1 => Reply::NilArray,
                count => Reply::Array(many(from, count)?),
            },
            b'%' => {
                let flat = many(from, number(rest)? * 2)?;
                Reply::Map(flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
            }
            b'~' => Reply::Set(many(from, number(rest)?)?),
            b'>' => Reply::Push(many(from, number(rest)?)?),
            b'_' => Reply::Nil,
            b',' => Reply::Double(rest.to_vec()),
            b'#' if rest == b"t" || rest == b"f" => Reply::Boolean(rest == b"t"),
            b'(' => Reply::BigNumber(rest.to_vec()),
            b'!' => Reply::Error(body(from, number(rest)?)?),
            b'=' => {
                let body = body(from, number(rest)?)?;
                match body.get(..4) {
                    Some([format @ .., b':']) => Reply::Verbatim { format: format.to_vec(), text: body[4..].to_vec() },
                    _ => return Err(broken("a verbatim string without a format")),
                }
            }
            _ => return Err(broken(&format!("unknown type in {}", words::quote(&line)))),
        })
    }

    /// The reply as a client of RESP2 would have got it, by the general rule: maps and sets as flat arrays, doubles
    /// and verbatim strings as bulk strings, booleans as integers, every null as `(nil)`.
    pub fn in_resp2(self) -> Reply {
        let all = |replies: Vec<Reply>| replies.into_iter().map(Reply::in_resp2).collect();
        match self {
            Reply::NilArray => Reply::Nil,
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => Reply::Array(all(items)),
            Reply::Map(pairs) => Reply::Array(all(pairs.into_iter().flat_map(|(k, v)| [k, v]).collect())),
            Reply::Double(text) | Reply::BigNumber(text) | Reply::Verbatim { text, .. } => Reply::Bulk(text),
            Reply::Boolean(value) => Reply::Integer(value.into()),
            other => other,
        }
    }

    /// The bytes of a string of any kind.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Reply::Status(b) | Reply::Bulk(b) | Reply::Double(b) | Reply::Verbatim { text: b, .. } => Some(b),
            _ => None,
        }
    }

    /// A string of any kind as text; panics on other replies.
    pub fn text(&self) -> String {
        let bytes = self.bytes().unwrap_or_else(|| panic!("not a string: {self}"));
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// An integer; panics on other replies.
    pub fn integer(&self) -> i64 {
        match self {
            Reply::Integer(value) => *value,
            _ => panic!("not an integer: {self}"),
        }
    }

    /// The elements of an array, set or push; panics on other replies.
    pub fn items(&self) -> &[Reply] {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => items,
            _ => panic!("not an array: {self}"),
        }
    }

    pub fn is_error(&self) -> bool {
        matches!(self, Reply::Error(_))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Reply::Status(text) => f.write_str(&plain(text)),
            Reply::Error(text) => write!(f, "(error) {}", plain(text)),
            Reply::Integer(value) => write!(f, "(integer) {value}"),
            Reply::Bulk(bytes) => f.write_str(&words::quote(bytes)),
            Reply::Nil => f.write_str("(nil)"),
            Reply::NilArray => f.write_str("(nil array)"),
            Reply::Double(text) => write!(f, "(double) {}", plain(text)),
            Reply::Boolean(value) => write!(f, "({value})"),
            Reply::BigNumber(text) => write!(f, "(big number) {}", plain(text)),
            Reply::Verbatim { format, text } => write!(f, "(verbatim {}) {}", plain(format), words::quote(text)),
            Reply::Array(items) => list(f, items, indent, ')', "(empty array)"),
            Reply::Set(items) => list(f, items, indent, '~', "(empty set)"),
            Reply::Push(items) => list(f, items, indent, '>', "(empty push)"),
            Reply::Map(pairs) => map(f, pairs, indent),
        }
    }

    /// Whether it takes more than one line.
    fn is_tall(&self) -> bool {
        match self {
            Reply::Array(items) | Reply::Set(items) | Reply::Push(items) => !items.is_empty(),
            Reply::Map(pairs) => !pairs.is_empty(),
            _ => false,
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, items: &[Reply], indent: usize, mark: char, empty: &str) -> fmt::Result {
    if items.is_empty() {
        return f.write_str(empty);
    }
    let width = items.len().to_string().len();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            write!(f, "\n{:indent$}", "")?;
        }
        write!(f, "{:>width$}{mark} ", at + 1)?;
        item.write(f, indent + width + 2)?;
    }
    Ok(())
}

fn map(f: &mut fmt::Formatter<'_>, pairs: &[(Reply, Reply)], indent: usize) -> fmt::Result {
    if pairs.is_empty() {
        return f.write_str("(empty hash)");
    }
    let width = pairs.len().to_string().len();
    let inner = indent + width + 2;
    for (at, (key, value)) in pairs.iter().enumerate() {
        if at > 0 {
            write!(f, "\n{:indent$}", "")?;
        }
        write!(f, "{:>width$}# ", at + 1)?;
        key.write(f, inner)?;
        f.write_str(" => ")?;
        if value.is_tall() {
            write!(f, "\n{:inner$}", "")?;
        }
        value.write(f, inner)?;
    }
    Ok(())
}

impl Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

fn number(text: &[u8]) -> io::Result<i64> {
    let parsed = std::str::from_utf8(text).ok().and_then(|t| t.parse().ok());
    parsed.ok_or_else(|| broken(&format!("not a number: {}", words::quote(text))))
}

/// The bytes of a string of that length, and its line end.
fn body(from: &mut impl Read, length: i64) -> io::Result<Vec<u8>> {
    let length = u64::try_from(length).map_err(|_| broken("a negative length"))?;
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes)?;
    let mut end = [0; 2];
    from.read_exact(&mut end)?;
    if bytes.len() as u64 != length || end != *b"\r\n" {
        return Err(broken("a string that does not end where it says"));
    }
    Ok(bytes)
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("broken reply: {what}"))
}

#[cfg(test)]
mod tests {
    use super::Reply;

    fn shown(wire: &[u8]) -> String {
        let mut rest = wire;
        let reply = Reply::read(&mut rest).unwrap();
        assert!(rest.is_empty());
        reply.to_string()
    }

    #[test]
    fn shows_what_the_cli_shows() {
        assert_eq!(shown(b"+OK\r\n"), "OK");
        assert_eq!(shown(b"-ERR no\r\n"), "(error) ERR no");
        assert_eq!(shown(b"$3\r\na\x00b\r\n"), r#""a\x00b""#);
        assert_eq!(shown(b"*2\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n"), "1) (integer) 1\n2) 1) \"a\"\n   2) (nil)");
        assert_eq!(
            shown(b"%2\r\n$1\r\na\r\n,1.5\r\n$1\r\nb\r\n*1\r\n#t\r\n"),
            "1# \"a\" => (double) 1.5\n2# \"b\" => \n   1) (true)"
        );
        assert_eq!(shown(b"~0\r\n"), "(empty set)");
        assert_eq!(shown(b"=7\r\ntxt:abc\r\n"), "(verbatim txt) \"abc\"");
    }

    #[test]
    fn refuses_what_is_broken() {
        for wire in [b"?1\r\n".as_slice(), b":x\r\n", b"$2\r\nabc\r\n", b"$5\r\na\r\n", b"+OK\n", b"$-7\r\n"] {
            assert!(Reply::read(&mut &*wire).is_err(), "{wire:?}");
        }
    }

    #[test]
    fn the_general_rule_from_resp3_to_resp2() {
        let map = Reply::Map(vec![(Reply::Bulk(b"a".to_vec()), Reply::Double(b"1".to_vec()))]);
        assert_eq!(map.in_resp2().to_string(), "1) \"a\"\n2) \"1\"");
    }
}
