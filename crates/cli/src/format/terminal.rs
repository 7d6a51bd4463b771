//! Terminal style: types are told, strings quoted, elements numbered and indented.

use resp::{Value, inline};

use super::push_int;

/// Appends `value` with its line end. `indent` is what the lines after the first begin with; it is
/// given back unchanged.
pub fn format(out: &mut Vec<u8>, value: &Value, indent: &mut Vec<u8>) {
    match value {
        Value::Error(text) | Value::BulkError(text) => labelled(out, "(error) ", text),
        Value::Simple(text) | Value::Verbatim { text, .. } => labelled(out, "", text),
        Value::Double(text) => labelled(out, "(double) ", text),
        Value::BigNumber(text) => labelled(out, "(big number) ", text),
        Value::Integer(n) => labelled(out, "(integer) ", n.to_string().as_bytes()),
        Value::Bool(true) => labelled(out, "(true)", b""),
        Value::Bool(false) => labelled(out, "(false)", b""),
        Value::Null | Value::NullArray => labelled(out, "(nil)", b""),
        Value::Bulk(text) => {
            inline::quote(out, text);
            out.push(b'\n');
        }
        Value::Array(items) if items.is_empty() => labelled(out, "(empty array)", b""),
        Value::Set(items) if items.is_empty() => labelled(out, "(empty set)", b""),
        Value::Push(items) if items.is_empty() => labelled(out, "(empty push)", b""),
        Value::Map(pairs) if pairs.is_empty() => labelled(out, "(empty hash)", b""),
        Value::Array(items) | Value::Push(items) => elements(out, items, b')', indent),
        Value::Set(items) => elements(out, items, b'~', indent),
        Value::Map(entries) => pairs(out, entries, indent),
        Value::Attributed(_, value) => format(out, value, indent),
    }
}

fn labelled(out: &mut Vec<u8>, label: &str, text: &[u8]) {
    out.extend_from_slice(label.as_bytes());
    out.extend_from_slice(text);
    out.push(b'\n');
}

fn elements(out: &mut Vec<u8>, items: &[Value], mark: u8, indent: &mut Vec<u8>) {
    let width = digits(items.len());
    for (i, item) in items.iter().enumerate() {
        number(out, i, width, mark, indent);
        nested(indent, width, |indent| format(out, item, indent));
    }
}

fn pairs(out: &mut Vec<u8>, entries: &[(Value, Value)], indent: &mut Vec<u8>) {
    let width = digits(entries.len());
    for (i, (key, value)) in entries.iter().enumerate() {
        number(out, i, width, b'#', indent);
        nested(indent, width, |indent| {
            format(out, key, indent);
            out.pop();
            out.extend_from_slice(b" => ");
            if takes_several_lines(value) {
                out.push(b'\n');
                out.extend_from_slice(indent);
            }
            format(out, value, indent);
        });
    }
}

/// `  7) `: the first element stands on the line of whatever encloses it, so it is not indented.
fn number(out: &mut Vec<u8>, i: usize, width: usize, mark: u8, indent: &[u8]) {
    if i > 0 {
        out.extend_from_slice(indent);
    }
    let n = (i + 1).to_string();
    out.extend(std::iter::repeat_n(b' ', width - n.len()));
    out.extend_from_slice(n.as_bytes());
    out.extend_from_slice(&[mark, b' ']);
}

fn nested(indent: &mut Vec<u8>, width: usize, write: impl FnOnce(&mut Vec<u8>)) {
    let before = indent.len();
    indent.resize(before + width + 2, b' ');
    write(indent);
    indent.truncate(before);
}

fn takes_several_lines(value: &Value) -> bool {
    match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => match items.as_slice() {
            [] => false,
            [one] => takes_several_lines(one),
            _ => true,
        },
        Value::Map(pairs) => match pairs.as_slice() {
            [] => false,
            [(_, value)] => takes_several_lines(value),
            _ => true,
        },
        Value::Attributed(_, value) => takes_several_lines(value),
        _ => false,
    }
}

fn digits(n: usize) -> usize {
    n.checked_ilog10().unwrap_or(0) as usize + 1
}

/// A push that tells of changed keys, in one line; `None` when it is another kind of push.
pub fn invalidation(value: &Value) -> Option<Vec<u8>> {
    let Value::Push(items) = value else { return None };
    let [kind, Value::Array(keys)] = items.as_slice() else { return None };
    if !kind.as_bytes()?.starts_with(b"invalidate") {
        return None;
    }
    let mut out = b"-> invalidate: ".to_vec();
    for (i, key) in keys.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        out.push(b'\'');
        match key {
            Value::Integer(n) => push_int(&mut out, *n),
            other => out.extend_from_slice(other.as_bytes().unwrap_or_default()),
        }
        out.push(b'\'');
    }
    out.push(b'\n');
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Value::{Array, Bulk, Integer, Map, Set};

    fn bulk(text: &str) -> Value {
        Bulk(text.as_bytes().to_vec())
    }

    fn check(value: Value, expect: &str) {
        let mut out = Vec::new();
        let mut indent = Vec::new();
        format(&mut out, &value, &mut indent);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
        assert!(indent.is_empty());
    }

    #[test]
    fn leaves_tell_their_type() {
        check(Value::Simple(b"OK".to_vec()), "OK\n");
        check(Value::Error(b"ERR no".to_vec()), "(error) ERR no\n");
        check(bulk("a\"\n\u{1}"), "\"a\\\"\\n\\x01\"\n");
        check(Value::Double(b"3.141".to_vec()), "(double) 3.141\n");
        check(Value::Bool(true), "(true)\n");
        check(Value::Null, "(nil)\n");
        check(Value::NullArray, "(nil)\n");
        check(Array(vec![]), "(empty array)\n");
        check(Map(vec![]), "(empty hash)\n");
        check(Set(vec![]), "(empty set)\n");
        check(Value::Push(vec![]), "(empty push)\n");
        check(Value::Verbatim { format: *b"txt", text: b"a\nb".to_vec() }, "a\nb\n");
    }

    #[test]
    fn nested_arrays_are_indented_under_their_number() {
        check(
            Array(vec![Array(vec![Integer(1), Integer(2)]), bulk("x")]),
            "1) 1) (integer) 1\n   2) (integer) 2\n2) \"x\"\n",
        );
        let mut ten = vec![Array(vec![Integer(1), Integer(2)])];
        ten.extend((0..9).map(|_| Value::Null));
        let mut expect = " 1) 1) (integer) 1\n    2) (integer) 2\n".to_owned();
        (2..10).for_each(|i| expect.push_str(&format!(" {i}) (nil)\n")));
        expect.push_str("10) (nil)\n");
        check(Array(ten), &expect);
    }

    #[test]
    fn maps_put_long_values_on_lines_of_their_own() {
        check(
            Map(vec![(bulk("k"), Set(vec![Integer(1), Integer(2)])), (bulk("l"), Array(vec![Integer(3)]))]),
            "1# \"k\" => \n   1~ (integer) 1\n   2~ (integer) 2\n2# \"l\" => 1) (integer) 3\n",
        );
    }

    #[test]
    fn invalidations_are_one_line() {
        let push = Value::Push(vec![bulk("invalidate"), Array(vec![bulk("a"), bulk("b")])]);
        assert_eq!(invalidation(&push).unwrap(), b"-> invalidate: 'a', 'b'\n");
        assert_eq!(invalidation(&Value::Push(vec![bulk("message"), Array(vec![])])), None);
        assert_eq!(invalidation(&Value::Push(vec![bulk("invalidate"), Value::Null])), None);
    }
}
