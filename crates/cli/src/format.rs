//! Replies as text, in the five styles that scripts and people know.
//!
//! ```text
//!   terminal   1) "a"            raw   a     csv   "a",1     json   ["a",1]
//!              2) (integer) 1          1
//! ```
//!
//! The bytes are those of the peers' tools, also where these are odd (an error in a JSON document, a
//! raw error with an empty line behind it), since scripts parse them. Two things are printed that the
//! peers give up on: big numbers, and values with attributes, of which the value is shown.
//!
//! Each style is a function of the value alone; the caller adds what ends a reply. O(size of reply).

mod csv;
mod json;
mod raw;
mod terminal;

use resp::Value;

pub use terminal::invalidation;

/// How replies are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With types, quotes and numbered elements.
    Terminal,
    Raw,
    Csv,
    Json,
    /// JSON whose strings are escaped twice, so that it is ASCII and no byte is lost.
    QuotedJson,
}

/// What raw style puts between elements and after replies.
#[derive(Clone, Copy, Debug)]
pub struct Delimiters<'a> {
    pub element: &'a [u8],
    pub reply: &'a [u8],
}

/// A whole reply with its end of line.
pub fn reply(value: &Value, style: Style, delimiters: Delimiters<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match style {
        Style::Terminal => terminal::format(&mut out, value, &mut Vec::new()),
        Style::Raw => {
            raw::format(&mut out, value, delimiters.element);
            out.extend_from_slice(delimiters.reply);
        }
        Style::Csv => {
            csv::format(&mut out, value);
            out.push(b'\n');
        }
        Style::Json | Style::QuotedJson => {
            json::format(&mut out, value, style == Style::QuotedJson);
            out.push(b'\n');
        }
    }
    out
}

/// A text that is meant for people as it stands (INFO, CLIENT LIST): raw, with nothing behind it.
pub fn plain(value: &Value, delimiters: Delimiters<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    raw::format(&mut out, value, delimiters.element);
    out
}

fn push_int(out: &mut Vec<u8>, n: i64) {
    out.extend_from_slice(n.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// Any reply that a server may send, nested a little.
    fn values() -> impl Strategy<Value = Value> {
        let text = || vec(any::<u8>(), 0..12);
        let leaf = prop_oneof![
            text().prop_map(Value::Bulk),
            text().prop_map(Value::Error),
            text().prop_map(Value::Simple),
            text().prop_map(|text| Value::Verbatim { format: *b"txt", text }),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_map(|n| Value::Double(n.to_string().into_bytes())),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
            Just(Value::NullArray),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                vec(inner.clone(), 0..6).prop_map(Value::Array),
                vec(inner.clone(), 0..6).prop_map(Value::Set),
                vec(inner, 0..6).prop_map(Value::Push),
                vec(pair, 0..6).prop_map(Value::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_reply_of_any_kind_is_printed(value in values()) {
            let delimiters = Delimiters { element: b"\n", reply: b"\n" };
            let printed = |style| reply(&value, style, delimiters);
            // Whatever bytes are in it, these styles take one line.
            for style in [Style::Csv, Style::Json, Style::QuotedJson] {
                let line = printed(style);
                prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
                prop_assert_eq!(line.last(), Some(&b'\n'));
            }
            prop_assert!(printed(Style::QuotedJson).is_ascii());
            prop_assert!(printed(Style::Csv).is_ascii());
            prop_assert!(printed(Style::Terminal).ends_with(b"\n"));
            let mut raw = plain(&value, delimiters);
            raw.push(b'\n');
            prop_assert_eq!(raw, printed(Style::Raw));
        }
    }
}
