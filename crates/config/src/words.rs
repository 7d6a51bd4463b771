//! Words of a configuration line: split as the peers split them, and quoted so that they split back.
//!
//! ```text
//!   save "900 1" 'it''s' a"b"c \x41        five words: save │ 900 1 │ its │ abc │ \x41
//! ```
//!
//! Double quotes know `\n \r \t \a \b \xHH` and `\` before anything else; single quotes only `\'`. Quotes open
//! and close inside a word too. Outside of quotes a backslash is a byte like any other.

/// A quote was opened and not closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unbalanced;

/// The words of `line`. O(length).
pub(crate) fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let mut words = Vec::new();
    let mut bytes = line;
    loop {
        let blanks = bytes.iter().take_while(|byte| is_blank(**byte)).count();
        bytes = &bytes[blanks..];
        if bytes.is_empty() {
            return Ok(words);
        }
        let (word, rest) = one(bytes)?;
        words.push(word);
        bytes = rest;
    }
}

/// The word at the start of `bytes`, and what follows it.
fn one(mut bytes: &[u8]) -> Result<(Vec<u8>, &[u8]), Unbalanced> {
    let mut word = Vec::new();
    loop {
        match bytes {
            [] => return Ok((word, bytes)),
            [blank, rest @ ..] if is_blank(*blank) => return Ok((word, rest)),
            [b'"', rest @ ..] => bytes = double_quoted(rest, &mut word)?,
            [b'\'', rest @ ..] => bytes = single_quoted(rest, &mut word)?,
            [byte, rest @ ..] => {
                word.push(*byte);
                bytes = rest;
            }
        }
    }
}

fn double_quoted<'a>(mut bytes: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match bytes {
            [] => return Err(Unbalanced),
            [b'"', rest @ ..] => return Ok(rest),
            [b'\\', b'x', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                word.push(hex(*high) << 4 | hex(*low));
                bytes = rest;
            }
            [b'\\', escaped, rest @ ..] => {
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                bytes = rest;
            }
            [byte, rest @ ..] => {
                word.push(*byte);
                bytes = rest;
            }
        }
    }
}

fn single_quoted<'a>(mut bytes: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], Unbalanced> {
    loop {
        match bytes {
            [] => return Err(Unbalanced),
            [b'\'', rest @ ..] => return Ok(rest),
            [b'\\', b'\'', rest @ ..] => {
                word.push(b'\'');
                bytes = rest;
            }
            [byte, rest @ ..] => {
                word.push(*byte);
                bytes = rest;
            }
        }
    }
}

/// Appends `word` in double quotes, such that [`split`] gives it back.
pub(crate) fn quote(out: &mut Vec<u8>, word: &[u8]) {
    out.push(b'"');
    for &byte in word {
        match byte {
            b'\\' | b'"' => out.extend([b'\\', byte]),
            b'\n' => out.extend(b"\\n"),
            b'\r' => out.extend(b"\\r"),
            b'\t' => out.extend(b"\\t"),
            0x07 => out.extend(b"\\a"),
            0x08 => out.extend(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => out.extend(format!("\\x{byte:02x}").into_bytes()),
        }
    }
    out.push(b'"');
}

/// Without the white space around it.
pub(crate) fn trim(line: &[u8]) -> &[u8] {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !white(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !white(byte)).map_or(start, |last| last + 1);
    &line[start..end]
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | 0)
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.to_ascii_uppercase().wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn check(line: &str, expect: &[&str]) {
        let words = split(line.as_bytes()).expect("balanced");
        assert_eq!(words, expect.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>(), "{line}");
    }

    #[test]
    fn quotes_open_anywhere_and_know_their_escapes() {
        check("", &[]);
        check("  port  7000\t", &["port", "7000"]);
        check(r#"save "900 1""#, &["save", "900 1"]);
        check(r#"a'b c'd "e"f"#, &["ab cd", "ef"]);
        check(r#"x "" ''"#, &["x", "", ""]);
        check(r#""\x41\n\"\q""#, &["A\n\"q"]);
        check(r"'it\'s \n'", &[r"it's \n"]);
        check(r"a\x41", &[r"a\x41"]);
    }

    #[test]
    fn an_open_quote_is_unbalanced() {
        for line in ["\"a", "'a", "a 'b", "\"\\", "x \"y\\\""] {
            assert_eq!(split(line.as_bytes()), Err(Unbalanced), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_splits_back(words in vec(vec(any::<u8>(), 0..20), 0..6)) {
            let mut line = Vec::new();
            for word in &words {
                line.push(b' ');
                quote(&mut line, word);
            }
            prop_assert_eq!(split(&line), Ok(words));
        }

        #[test]
        fn no_line_panics(line in vec(any::<u8>(), 0..64)) {
            let _ = split(&line);
            let _ = trim(&line);
        }
    }
}
