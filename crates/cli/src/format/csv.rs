//! CSV style: one line; aggregates of any kind and depth are flattened.

use resp::{Value, inline};

use super::push_int;

/// Appends `value` without an end of line.
pub fn format(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Error(text) | Value::BulkError(text) => {
            out.extend_from_slice(b"ERROR,");
            inline::quote(out, text);
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => inline::quote(out, text),
        Value::Double(text) | Value::BigNumber(text) => out.extend_from_slice(text),
        Value::Integer(n) => push_int(out, *n),
        Value::Null | Value::NullArray => out.extend_from_slice(b"NULL"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => joined(out, items.iter()),
        Value::Map(pairs) => joined(out, pairs.iter().flat_map(|(key, value)| [key, value])),
        Value::Attributed(_, value) => format(out, value),
    }
}

fn joined<'a>(out: &mut Vec<u8>, items: impl Iterator<Item = &'a Value>) {
    for (i, item) in items.enumerate() {
        if i > 0 {
            out.push(b',');
        }
        format(out, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aggregates_are_flat() {
        let value = Value::Array(vec![
            Value::Map(vec![(Value::Bulk(b"k".to_vec()), Value::Bool(false))]),
            Value::Null,
            Value::Error(b"ERR \"x\"".to_vec()),
        ]);
        let mut out = Vec::new();
        format(&mut out, &value);
        assert_eq!(String::from_utf8(out).unwrap(), r#""k",false,NULL,ERROR,"ERR \"x\"""#);
    }
}
