//! JSON style, plain and quoted.
//!
//! Plain strings keep their bytes, so that text in any encoding passes through; only what JSON
//! forbids is escaped. Quoted strings show every byte outside of printable ASCII as `\\xHH`: decode
//! the JSON and what comes out is the notation that `--quoted-input` reads. Errors, infinities and
//! NaN have no form in JSON and are printed as the peers do, which a parser will refuse.

use resp::{Value, inline};

use super::push_int;

/// Appends `value` without an end of line.
pub fn format(out: &mut Vec<u8>, value: &Value, quoted: bool) {
    match value {
        Value::Error(text) | Value::BulkError(text) => {
            out.extend_from_slice(b"error:");
            string(out, text, quoted);
        }
        Value::Simple(text) | Value::Bulk(text) | Value::Verbatim { text, .. } => string(out, text, quoted),
        Value::Double(text) | Value::BigNumber(text) => out.extend_from_slice(text),
        Value::Integer(n) => push_int(out, *n),
        Value::Null | Value::NullArray => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                format(out, item, quoted);
            }
            out.push(b']');
        }
        Value::Map(pairs) => {
            out.push(b'{');
            for (i, (key, value)) in pairs.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                member_name(out, key, quoted);
                out.push(b':');
                format(out, value, quoted);
            }
            out.push(b'}');
        }
        Value::Attributed(_, value) => format(out, value, quoted),
    }
}

/// Names of members are strings in JSON, whatever the keys of the map are.
fn member_name(out: &mut Vec<u8>, key: &Value, quoted: bool) {
    let at = out.len();
    format(out, key, quoted);
    let is_text = matches!(
        key,
        Value::Error(_) | Value::BulkError(_) | Value::Simple(_) | Value::Bulk(_) | Value::Verbatim { .. }
    );
    if !is_text && out[at..].first() != Some(&b'"') {
        out.insert(at, b'"');
        out.push(b'"');
    }
}

fn string(out: &mut Vec<u8>, text: &[u8], quoted: bool) {
    if quoted {
        let mut once = Vec::new();
        inline::quote(&mut once, text);
        for byte in once {
            if byte == b'\\' {
                out.push(b'\\');
            }
            out.push(byte);
        }
        return;
    }
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &Value, plain: &str, quoted: &str) {
        for (mode, expect) in [(false, plain), (true, quoted)] {
            let mut out = Vec::new();
            format(&mut out, value, mode);
            assert_eq!(String::from_utf8_lossy(&out), expect);
        }
    }

    #[test]
    fn strings_are_escaped() {
        check(&Value::Bulk(b"a\"\\\n\x00\x0c".to_vec()), r#""a\"\\\n\u0000\f""#, r#""a\\"\\\\\\n\\x00\\x0c""#);
        check(&Value::Bulk("ð".as_bytes().to_vec()), "\"ð\"", r#""\\xc3\\xb0""#);
    }

    #[test]
    fn keys_of_maps_become_strings() {
        let map = Value::Map(vec![
            (Value::Integer(1), Value::Bool(true)),
            (Value::Bulk(b"k".to_vec()), Value::Array(vec![Value::Null, Value::Integer(-1)])),
        ]);
        check(&map, r#"{"1":true,"k":[null,-1]}"#, r#"{"1":true,"k":[null,-1]}"#);
    }
}
