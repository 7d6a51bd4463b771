//! A line of text as a command: words apart by blanks, quoted where they must be, as `redis-cli` reads them.
//!
//! ```text
//!   SET "a key\x00" 'it''s' plain
//! ```
//!
//! Double quotes know `\n \r \t \b \a \" \\` and `\xHH`; single quotes only `\'`.

/// Splits a line into its words; `None` if a quote is not closed or is followed by something else than a blank.
pub fn split(line: &str) -> Option<Vec<Vec<u8>>> {
    let mut rest = line.as_bytes();
    let mut words = Vec::new();
    loop {
        rest = rest.trim_ascii_start();
        if rest.is_empty() {
            return Some(words);
        }
        let (word, after) = word(rest)?;
        words.push(word);
        rest = after;
    }
}

fn word(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut word = Vec::new();
    loop {
        match rest.first() {
            None => return Some((word, rest)),
            Some(b) if b.is_ascii_whitespace() => return Some((word, rest)),
            Some(b'"') => rest = double_quoted(&rest[1..], &mut word)?,
            Some(b'\'') => rest = single_quoted(&rest[1..], &mut word)?,
            Some(&b) => {
                word.push(b);
                rest = &rest[1..];
                continue;
            }
        }
        return rest.first().is_none_or(u8::is_ascii_whitespace).then_some((word, rest));
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (&first, after) = rest.split_first()?;
        match first {
            b'"' => return Some(after),
            b'\\' => {
                let hex = after.get(1..3).filter(|_| after[0] == b'x').and_then(hex_byte);
                if let Some(byte) = hex {
                    word.push(byte);
                    rest = &after[3..];
                    continue;
                }
                let (&escaped, after) = after.split_first()?;
                word.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => other,
                });
                rest = after;
            }
            other => {
                word.push(other);
                rest = after;
            }
        }
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [b'\\', b'\'', after @ ..] => {
                word.push(b'\'');
                rest = after;
            }
            [b'\'', after @ ..] => return Some(after),
            [other, after @ ..] => {
                word.push(*other);
                rest = after;
            }
            [] => return None,
        }
    }
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok()?;
    u8::from_str_radix(text, 16).ok()
}

/// Bytes between double quotes, such that [`split`] reads them back.
pub fn quote(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'"' => text.push_str("\\\""),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            0x07 => text.push_str("\\a"),
            0x08 => text.push_str("\\b"),
            b' '..=b'~' => text.push(byte as char),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push('"');
    text
}

/// A command as one line: words as they are where that can be read back, quoted where not.
pub fn join<W: AsRef<[u8]>>(words: &[W]) -> String {
    let shown = words.iter().map(AsRef::as_ref).map(|word| {
        let plain = !word.is_empty() && word.iter().all(|b| b.is_ascii_graphic() && !b"\"'\\".contains(b));
        if plain { String::from_utf8_lossy(word).into_owned() } else { quote(word) }
    });
    shown.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Option<Vec<String>> {
        Some(split(line)?.into_iter().map(|w| String::from_utf8_lossy(&w).into_owned()).collect())
    }

    #[test]
    fn splits_as_the_cli_does() {
        assert_eq!(words(r#"SET  "a b\x41\n" 'c\'d' e"#).unwrap(), ["SET", "a bA\n", "c'd", "e"]);
        assert_eq!(words(r#"SET """#).unwrap(), ["SET", ""]);
        assert_eq!(words(r#"SET "a"b"#), None);
        assert_eq!(words(r#"SET "a"#), None);
        assert_eq!(words("  ").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn every_byte_survives_quoting() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(split(&quote(&all)).unwrap(), std::slice::from_ref(&all));
        assert_eq!(split(&join(&[b"SET".to_vec(), all.clone(), Vec::new()])).unwrap(), [b"SET".to_vec(), all, vec![]]);
    }
}
