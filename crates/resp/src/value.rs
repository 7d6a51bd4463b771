//! Replies as a client sees them: the decoder behind the command line tool, our own clients and the
//! replication handshake.
//!
//! The decoder eats bytes as they come and keeps what it has understood, so its caller may drop them
//! at once:
//!
//! ```text
//!   stack:   [ array, 2 missing ] [ map, 1 missing ]      ◄── open aggregates, outermost first
//!   text:    bytes of the bulk under way, `left` still to come
//! ```
//!
//! Invariants
//! 1. Depth, the length of a bulk or line, and the number of elements are bounded by [`Limits`].
//! 2. Memory grows with bytes received, never with a count that was only announced.
//! 3. Attributes are kept with the value that they precede.
//!
//! Deliberately absent: RESP3's streamed strings and aggregates, which no server sends.

use std::fmt;

use crate::integer;

/// One decoded reply.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Simple(Vec<u8>),
    /// With its code, without the leading `-`.
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    /// `$-1` or `_`.
    Null,
    /// `*-1`, which RESP2 alone has.
    NullArray,
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Set(Vec<Value>),
    Push(Vec<Value>),
    /// The text as it was sent, since two servers print the same number differently.
    Double(Vec<u8>),
    Bool(bool),
    BigNumber(Vec<u8>),
    BulkError(Vec<u8>),
    Verbatim {
        format: [u8; 3],
        text: Vec<u8>,
    },
    /// A value and the attributes that stood before it.
    Attributed(Vec<(Value, Value)>, Box<Value>),
}

impl Value {
    /// The text of any kind of string (not of an error).
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Simple(text) | Value::Bulk(text) | Value::BigNumber(text) | Value::Double(text) => Some(text),
            Value::Verbatim { text, .. } => Some(text),
            Value::Attributed(_, value) => value.as_bytes(),
            _ => None,
        }
    }

    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(self.as_bytes()?).ok()
    }

    pub fn as_error(&self) -> Option<&[u8]> {
        match self {
            Value::Error(text) | Value::BulkError(text) => Some(text),
            Value::Attributed(_, value) => value.as_error(),
            _ => None,
        }
    }

    /// An integer, or a string that spells one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Integer(n) => Some(*n),
            Value::Bool(b) => Some(i64::from(*b)),
            other => integer::parse(other.as_bytes()?),
        }
    }

    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Integer(n) => Some(*n as f64),
            other => other.as_str()?.parse().ok(),
        }
    }

    /// The elements of an array, set or push.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => Some(items),
            Value::Attributed(_, value) => value.as_array(),
            _ => None,
        }
    }

    pub fn is_ok(&self) -> bool {
        matches!(self, Value::Simple(text) if text == b"OK")
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null | Value::NullArray)
    }
}

/// What a reply may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Aggregates within aggregates.
    pub depth: usize,
    /// The longest bulk or line, in bytes.
    pub text: usize,
    /// The most elements of one reply, over all its aggregates.
    pub elements: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { depth: 128, text: 1 << 30, elements: 1 << 30 }
    }
}

/// Bytes that are no reply. The stream cannot be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    UnknownType(u8),
    BadLength,
    BadInteger,
    BadText,
    MissingCrlf,
    TooDeep,
    TooLong,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnknownType(byte) => {
                write!(f, "Protocol error, got \"{}\" as reply type byte", byte.escape_ascii())
            }
            DecodeError::BadLength => f.write_str("Bad length in a reply"),
            DecodeError::BadInteger => f.write_str("Bad integer value"),
            DecodeError::BadText => f.write_str("Bad value in a reply"),
            DecodeError::MissingCrlf => f.write_str("Missing line end in a reply"),
            DecodeError::TooDeep => f.write_str("Replies nested too deeply"),
            DecodeError::TooLong => f.write_str("Reply too long"),
        }
    }
}

impl std::error::Error for DecodeError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Array,
    Map,
    Set,
    Push,
    Attribute,
}

#[derive(Debug)]
struct Frame {
    kind: Aggregate,
    /// Elements (a pair counts twice) still to come.
    missing: u64,
    items: Vec<Value>,
    /// Attributes that wait for this frame's next element.
    attributes: Option<Vec<(Value, Value)>>,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    prefix: u8,
    /// Bytes still to come, the CRLF included.
    left: usize,
}

/// An incremental decoder for one connection's replies.
#[derive(Debug, Default)]
pub struct Decoder {
    limits: Limits,
    stack: Vec<Frame>,
    /// Attributes that stand before the whole reply.
    attributes: Option<Vec<(Value, Value)>>,
    pending: Option<Text>,
    text: Vec<u8>,
    searched: usize,
    elements: u64,
}

impl Decoder {
    pub fn new(limits: Limits) -> Self {
        Decoder { limits, ..Self::default() }
    }

    /// Decodes at most one reply from the start of `buf`: how many bytes were used up (drop them), and
    /// the reply when it is complete. With `None`, show the unused bytes again with more behind them.
    pub fn decode(&mut self, buf: &[u8]) -> Result<(usize, Option<Value>), DecodeError> {
        let mut at = 0;
        loop {
            let rest = &buf[at..];
            let leaf = match self.pending {
                Some(text) => {
                    let take = text.left.min(rest.len());
                    self.text.extend_from_slice(&rest[..take]);
                    at += take;
                    if take < text.left {
                        self.pending = Some(Text { left: text.left - take, ..text });
                        return Ok((at, None));
                    }
                    self.pending = None;
                    Some(finish_text(text.prefix, std::mem::take(&mut self.text))?)
                }
                None => {
                    let Some(found) = memchr::memchr(b'\n', &rest[self.searched.min(rest.len())..]) else {
                        if rest.len() > self.limits.text {
                            return Err(DecodeError::TooLong);
                        }
                        self.searched = rest.len();
                        return Ok((at, None));
                    };
                    let end = self.searched + found + 1;
                    self.searched = 0;
                    at += end;
                    self.line(&rest[..end])?
                }
            };
            if let Some(value) = leaf.and_then(|leaf| self.place(leaf)) {
                self.elements = 0;
                return Ok((at, Some(value)));
            }
        }
    }

    /// Whether part of a reply has been taken in.
    pub fn is_mid_reply(&self) -> bool {
        self.pending.is_some() || !self.stack.is_empty() || self.attributes.is_some()
    }

    /// Understands one line, CRLF included: a leaf, or the header of something longer.
    fn line(&mut self, line: &[u8]) -> Result<Option<Value>, DecodeError> {
        let [prefix, body @ .., b'\r', b'\n'] = line else { return Err(DecodeError::MissingCrlf) };
        let owned = || body.to_vec();
        Ok(Some(match prefix {
            b'+' => Value::Simple(owned()),
            b'-' => Value::Error(owned()),
            b':' => Value::Integer(parse_integer(body).ok_or(DecodeError::BadInteger)?),
            b',' => Value::Double(owned()),
            b'(' => Value::BigNumber(owned()),
            b'_' if body.is_empty() => Value::Null,
            b'#' if body == b"t" => Value::Bool(true),
            b'#' if body == b"f" => Value::Bool(false),
            b'_' | b'#' => return Err(DecodeError::BadText),
            b'$' | b'=' | b'!' => {
                let len = integer::parse(body).ok_or(DecodeError::BadLength)?;
                if len == -1 {
                    return Ok(Some(Value::Null));
                }
                let len = usize::try_from(len).map_err(|_| DecodeError::BadLength)?;
                if len > self.limits.text {
                    return Err(DecodeError::TooLong);
                }
                self.pending = Some(Text { prefix: *prefix, left: len + 2 });
                return Ok(None);
            }
            b'*' => return self.open(Aggregate::Array, body),
            b'%' => return self.open(Aggregate::Map, body),
            b'~' => return self.open(Aggregate::Set, body),
            b'>' => return self.open(Aggregate::Push, body),
            b'|' => return self.open(Aggregate::Attribute, body),
            other => return Err(DecodeError::UnknownType(*other)),
        }))
    }

    fn open(&mut self, kind: Aggregate, body: &[u8]) -> Result<Option<Value>, DecodeError> {
        let count = integer::parse(body).ok_or(DecodeError::BadLength)?;
        if count == -1 && kind == Aggregate::Array {
            return Ok(Some(Value::NullArray));
        }
        let count = u64::try_from(count).map_err(|_| DecodeError::BadLength)?;
        let per = if matches!(kind, Aggregate::Map | Aggregate::Attribute) { 2 } else { 1 };
        let missing = count.checked_mul(per).ok_or(DecodeError::TooLong)?;
        self.elements = self.elements.saturating_add(missing);
        if self.elements > self.limits.elements {
            return Err(DecodeError::TooLong);
        }
        let frame = Frame { kind, missing, items: Vec::new(), attributes: None };
        if missing == 0 {
            return Ok(self.close(frame));
        }
        if self.stack.len() >= self.limits.depth {
            return Err(DecodeError::TooDeep);
        }
        self.stack.push(frame);
        Ok(None)
    }

    /// A complete aggregate as a value; attributes are laid aside for the next value.
    fn close(&mut self, frame: Frame) -> Option<Value> {
        let items = frame.items;
        Some(match frame.kind {
            Aggregate::Array => Value::Array(items),
            Aggregate::Set => Value::Set(items),
            Aggregate::Push => Value::Push(items),
            Aggregate::Map => Value::Map(pairs(items)),
            Aggregate::Attribute => {
                let waiting = match self.stack.last_mut() {
                    Some(parent) => &mut parent.attributes,
                    None => &mut self.attributes,
                };
                waiting.get_or_insert_default().extend(pairs(items));
                return None;
            }
        })
    }

    /// Puts a complete value where it belongs; the whole reply, if this was its last piece.
    fn place(&mut self, mut value: Value) -> Option<Value> {
        loop {
            let Some(parent) = self.stack.last_mut() else {
                return Some(match self.attributes.take() {
                    Some(attributes) => Value::Attributed(attributes, Box::new(value)),
                    None => value,
                });
            };
            if let Some(attributes) = parent.attributes.take() {
                value = Value::Attributed(attributes, Box::new(value));
            }
            parent.items.push(value);
            parent.missing -= 1;
            if parent.missing > 0 {
                return None;
            }
            let done = self.stack.pop()?;
            value = self.close(done)?;
        }
    }
}

fn pairs(items: Vec<Value>) -> Vec<(Value, Value)> {
    let mut result = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        result.push((key, value));
    }
    result
}

fn finish_text(prefix: u8, mut text: Vec<u8>) -> Result<Value, DecodeError> {
    if !text.ends_with(b"\r\n") {
        return Err(DecodeError::MissingCrlf);
    }
    text.truncate(text.len() - 2);
    Ok(match prefix {
        b'$' => Value::Bulk(text),
        b'!' => Value::BulkError(text),
        _ => match text[..] {
            [a, b, c, b':', ..] => {
                text.drain(..4);
                Value::Verbatim { format: [a, b, c], text }
            }
            _ => return Err(DecodeError::BadText),
        },
    })
}

/// Integers of replies may carry a plus sign.
fn parse_integer(body: &[u8]) -> Option<i64> {
    integer::parse(body.strip_prefix(b"+").unwrap_or(body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::{Proto, Reply};
    use proptest::prelude::*;

    fn decode_in_pieces(input: &[u8], piece: usize) -> Result<Vec<Value>, DecodeError> {
        let mut decoder = Decoder::new(Limits::default());
        let mut values = Vec::new();
        let mut buf = Vec::new();
        for part in input.chunks(piece.max(1)) {
            buf.extend_from_slice(part);
            loop {
                let (used, value) = decoder.decode(&buf)?;
                buf.drain(..used);
                match value {
                    Some(value) => values.push(value),
                    None => break,
                }
            }
        }
        Ok(values)
    }

    fn write(reply: &mut Reply, value: &Value) {
        match value {
            Value::Simple(text) => reply.status_bytes(text),
            Value::Error(text) => reply.error_bytes(text),
            Value::Integer(n) => reply.integer(*n),
            Value::Bulk(text) => reply.bulk(text),
            Value::Null => reply.null(),
            Value::NullArray => reply.raw(b"*-1\r\n"),
            Value::Array(items) => {
                reply.array(items.len());
                items.iter().for_each(|item| write(reply, item));
            }
            Value::Set(items) => {
                reply.set(items.len());
                items.iter().for_each(|item| write(reply, item));
            }
            Value::Push(items) => {
                reply.push(items.len());
                items.iter().for_each(|item| write(reply, item));
            }
            Value::Map(pairs) => {
                reply.map(pairs.len());
                pairs.iter().for_each(|(key, value)| {
                    write(reply, key);
                    write(reply, value);
                });
            }
            Value::Double(text) => reply.double_text(text),
            Value::Bool(b) => reply.bool(*b),
            Value::BigNumber(text) => reply.big_number(text),
            Value::BulkError(text) => {
                reply.raw(format!("!{}\r\n", text.len()).as_bytes());
                reply.raw(text);
                reply.raw(b"\r\n");
            }
            Value::Verbatim { format, text } => reply.verbatim(format, text),
            Value::Attributed(pairs, value) => {
                assert!(reply.attribute(pairs.len()));
                pairs.iter().for_each(|(key, value)| {
                    write(reply, key);
                    write(reply, value);
                });
                write(reply, value);
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..12);
        let line = || "[ -~]{0,8}".prop_map(String::into_bytes);
        let leaf = prop_oneof![
            "[ -~]{0,8}".prop_map(|s| Value::Simple(s.into_bytes())),
            "[ -~]{1,8}".prop_map(|s| Value::Error(s.into_bytes())),
            any::<i64>().prop_map(Value::Integer),
            bytes().prop_map(Value::Bulk),
            Just(Value::Null),
            Just(Value::NullArray),
            line().prop_map(Value::Double),
            any::<bool>().prop_map(Value::Bool),
            line().prop_map(Value::BigNumber),
            bytes().prop_map(Value::BulkError),
            (any::<[u8; 3]>(), bytes()).prop_map(|(format, text)| Value::Verbatim { format, text }),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let items = || proptest::collection::vec(inner.clone(), 0..5);
            let pairs = || proptest::collection::vec((inner.clone(), inner.clone()), 0..3);
            prop_oneof![
                items().prop_map(Value::Array),
                items().prop_map(Value::Set),
                items().prop_map(Value::Push),
                pairs().prop_map(Value::Map),
                (pairs(), inner.clone()).prop_filter_map("attributes of one value are merged", |(pairs, value)| {
                    let plain = !matches!(value, Value::Attributed(..));
                    plain.then(|| Value::Attributed(pairs, Box::new(value)))
                }),
            ]
        })
    }

    #[test]
    fn hostile_replies_are_refused() {
        for (input, error) in [
            (&b"?\r\n"[..], DecodeError::UnknownType(b'?')),
            (b"+a\n", DecodeError::MissingCrlf),
            (b":1x\r\n", DecodeError::BadInteger),
            (b"$-2\r\n", DecodeError::BadLength),
            (b"$99999999999\r\n", DecodeError::TooLong),
            (b"*99999999999\r\n", DecodeError::TooLong),
            (b"%9223372036854775807\r\n", DecodeError::TooLong),
            (b"$1\r\nabc", DecodeError::MissingCrlf),
            (b"=2\r\nab\r\n", DecodeError::BadText),
            (b"#x\r\n", DecodeError::BadText),
        ] {
            assert_eq!(decode_in_pieces(input, 1), Err(error), "{}", input.escape_ascii());
        }
        assert_eq!(decode_in_pieces(&b"*1\r\n".repeat(129), 7), Err(DecodeError::TooDeep));
    }

    #[test]
    fn a_promise_costs_nothing() {
        let mut decoder = Decoder::new(Limits::default());
        assert_eq!(decoder.decode(b"*1000000000\r\n$1000000000\r\nab"), Ok((28, None)));
        assert!(decoder.is_mid_reply());
        assert!(decoder.text.capacity() < 100 && decoder.stack[0].items.capacity() < 100);
    }

    proptest! {
        #[test]
        fn values_survive_the_wire(values in proptest::collection::vec(value(), 1..4), piece in 1usize..40) {
            let mut reply = Reply::new(Proto::Resp3);
            values.iter().for_each(|value| write(&mut reply, value));
            prop_assert_eq!(decode_in_pieces(&reply.buf, piece), Ok(values));
        }

        #[test]
        fn hostile_bytes_are_survived(input in "[*$%~>|=!+:,(#_0-9a\r\n\\-]{0,50}", piece in 1usize..9) {
            let whole = decode_in_pieces(input.as_bytes(), 100);
            prop_assert_eq!(decode_in_pieces(input.as_bytes(), piece), whole);
        }
    }
}
