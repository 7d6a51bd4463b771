//! Raw style: the bytes of each element, and nothing that tells where one ends but the delimiter.

use resp::Value;

use super::push_int;

/// Appends `value` without an end of line, except that an error brings its own.
pub fn format(out: &mut Vec<u8>, value: &Value, delimiter: &[u8]) {
    match value {
        Value::Null | Value::NullArray => (),
        Value::Error(text) | Value::BulkError(text) => {
            out.extend_from_slice(text);
            out.push(b'\n');
        }
        Value::Simple(text)
        | Value::Bulk(text)
        | Value::Double(text)
        | Value::BigNumber(text)
        | Value::Verbatim { text, .. } => out.extend_from_slice(text),
        Value::Bool(true) => out.extend_from_slice(b"(true)"),
        Value::Bool(false) => out.extend_from_slice(b"(false)"),
        Value::Integer(n) => push_int(out, *n),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(delimiter);
                }
                format(out, item, delimiter);
            }
        }
        Value::Map(pairs) => {
            for (i, (key, value)) in pairs.iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(delimiter);
                }
                format(out, key, delimiter);
                out.push(b' ');
                format(out, value, delimiter);
            }
        }
        Value::Attributed(_, value) => format(out, value, delimiter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_joined() {
        let value = Value::Array(vec![
            Value::Bulk(b"a".to_vec()),
            Value::Null,
            Value::Map(vec![
                (Value::Integer(1), Value::Bool(true)),
                (Value::Integer(2), Value::Error(b"ERR x".to_vec())),
            ]),
        ]);
        let mut out = Vec::new();
        format(&mut out, &value, b"|");
        assert_eq!(String::from_utf8(out).unwrap(), "a||1 (true)|2 ERR x\n");
    }
}
