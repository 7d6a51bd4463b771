//! Inline requests: a line of text with shell-like quotes, for people with `telnet` and for health checks.
//!
//! ```text
//!   set  "a key\n"  'it\'s'  pre"fix"\r\n      becomes      set | a key⏎ | it's | prefix
//! ```
//!
//! Unquoting never makes a text longer, so it is done in place and costs no memory: the arguments are
//! ranges of the very line that was sent. The line is checked before the first byte is changed, so a
//! line with unbalanced quotes stays as it was and can be shown in a log.
//!
//! Rules, which are Valkey 9.1's (Redis 8 refuses a quote that is followed by anything but a space):
//! - blanks separate: space, tab, CR, LF; before an argument also VT and FF;
//! - inside `"…"`: `\xHH`, `\n \r \t \b \a`, and `\` before any other byte stands for that byte;
//! - inside `'…'`: only `\'` is an escape;
//! - quoted and unquoted parts that touch form one argument;
//! - a zero byte ends the line;
//! - a backslash that is the last byte but one of the line, before the closing quote, stands for itself.
//!
//! Where Redis differs: there the byte 0xff gets lost (it is taken for "no character"); here it is kept.

use crate::args::ArgRange;

/// The line has a quote without its partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unbalanced;

/// Splits `line` (without its line end) into arguments, unquoting in place, and appends their ranges,
/// counted from the first byte of `line`. Returns how many there are. O(length).
pub fn split(line: &mut [u8], args: &mut Vec<ArgRange>) -> Result<usize, Unbalanced> {
    let before = args.len();
    let end = text_len(line);
    let line = &mut line[..end];
    if !line.iter().any(|byte| matches!(byte, b'"' | b'\'')) {
        split_plain(line, args);
        return Ok(args.len() - before);
    }
    let mut check = 0;
    while let Some(start) = skip_blanks(line, check) {
        check = scan(line, start, |_| ())?;
    }
    let mut at = 0;
    while let Some(start) = skip_blanks(line, at) {
        // Unquoted bytes land behind the place they were read from, so a second buffer is not needed;
        // collecting them through a closure would borrow the line twice, hence the copy per argument.
        let mut text = Vec::new();
        at = scan(line, start, |byte| text.push(byte))?;
        line[start..start + text.len()].copy_from_slice(&text);
        args.push(ArgRange { start: start as u32, len: text.len() as u32 });
    }
    Ok(args.len() - before)
}

/// Splits a copy of `line` into owned arguments: for configuration files and interactive prompts,
/// which use the same grammar.
pub fn split_owned(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    let line = &line[..text_len(line)];
    let mut result = Vec::new();
    let mut at = 0;
    while let Some(start) = skip_blanks(line, at) {
        let mut text = Vec::new();
        at = scan(line, start, |byte| text.push(byte))?;
        result.push(text);
    }
    Ok(result)
}

/// Appends `text` in double quotes such that [`split`] gives it back: the form in which logs,
/// `MONITOR` and configuration files show arbitrary bytes.
pub fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    for &byte in text {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x20..=0x7e => out.push(byte),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(&[b'\\', b'x', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
    }
    out.push(b'"');
}

fn text_len(line: &[u8]) -> usize {
    memchr::memchr(0, line).unwrap_or(line.len())
}

fn split_plain(line: &[u8], args: &mut Vec<ArgRange>) {
    let mut at = 0;
    while let Some(start) = skip_blanks(line, at) {
        let len = line[start..].iter().position(|&byte| ends_argument(byte)).unwrap_or(line.len() - start);
        args.push(ArgRange { start: start as u32, len: len as u32 });
        at = start + len;
    }
}

/// The first byte at or after `at` that begins an argument.
fn skip_blanks(line: &[u8], at: usize) -> Option<usize> {
    let blanks = line.get(at..)?.iter().position(|&byte| !matches!(byte, b' ' | 0x09..=0x0d));
    blanks.map(|n| at + n)
}

fn ends_argument(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Reads the argument that begins at `start`, handing each unquoted byte to `emit`; returns the
/// position behind it.
fn scan(line: &[u8], start: usize, mut emit: impl FnMut(u8)) -> Result<usize, Unbalanced> {
    let mut at = start;
    let mut quote = None;
    while let Some(&byte) = line.get(at) {
        // An escape counts only when something follows it: the closing quote, if all is well.
        let escaped = if byte == b'\\' && at + 2 < line.len() { line.get(at + 1).copied() } else { None };
        match quote {
            Some(b'"') => match (byte, escaped) {
                (_, Some(b'x'))
                    if at + 4 < line.len() && hex(line[at + 2]).is_some() && hex(line[at + 3]).is_some() =>
                {
                    emit(hex(line[at + 2]).unwrap_or(0) << 4 | hex(line[at + 3]).unwrap_or(0));
                    at += 4;
                }
                (_, Some(letter)) => {
                    emit(match letter {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 0x08,
                        b'a' => 0x07,
                        other => other,
                    });
                    at += 2;
                }
                (b'"', None) => {
                    quote = None;
                    at += 1;
                }
                (other, None) => {
                    emit(other);
                    at += 1;
                }
            },
            Some(_) => match (byte, escaped) {
                (_, Some(b'\'')) => {
                    emit(b'\'');
                    at += 2;
                }
                (b'\'', _) => {
                    quote = None;
                    at += 1;
                }
                (other, _) => {
                    emit(other);
                    at += 1;
                }
            },
            None if ends_argument(byte) => return Ok(at + 1),
            None => {
                if matches!(byte, b'"' | b'\'') {
                    quote = Some(byte);
                } else {
                    emit(byte);
                }
                at += 1;
            }
        }
    }
    if quote.is_some() { Err(Unbalanced) } else { Ok(at) }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(line: &[u8], expected: Result<&[&[u8]], Unbalanced>) {
        let mut copy = line.to_vec();
        let mut ranges = Vec::new();
        let got = split(&mut copy, &mut ranges);
        let texts: Vec<&[u8]> = ranges.iter().map(|range| range.of(&copy)).collect();
        assert_eq!(got.map(|_| &texts[..]), expected, "{}", line.escape_ascii());
        if got.is_err() {
            assert_eq!(copy, line, "a refused line is left alone");
            assert!(ranges.is_empty());
        }
        assert_eq!(split_owned(line), expected.map(|texts| texts.iter().map(|t| t.to_vec()).collect()));
    }

    #[test]
    fn lines_split_as_the_peer_splits_them() {
        check(b"", Ok(&[]));
        check(b"  \t ", Ok(&[]));
        check(b"PING", Ok(&[b"PING"]));
        check(b" set  key\tvalue ", Ok(&[b"set", b"key", b"value"]));
        check(br#"set """tes"t-'k'e"y" "test"'-'value"#, Ok(&[b"set", b"test-key", b"test-value"]));
        check(br#"echo "\x41\n\q\"" 'a\'b\n'"#, Ok(&[b"echo", b"A\nq\"", b"a'b\\n"]));
        check(br#"echo "\xzz" "#, Ok(&[b"echo", b"xzz"]));
        check(br#"echo """#, Ok(&[b"echo", b""]));
        check(br#"echo "abc\""#, Ok(&[b"echo", b"abc\\"]));
        check(b"get k\0 rest", Ok(&[b"get", b"k"]));
        check(br#"set foo 'b'a'r"#, Err(Unbalanced));
        check(br#"set foo "b"a"r"#, Err(Unbalanced));
        check(br#"set ""#, Err(Unbalanced));
    }

    proptest! {
        #[test]
        fn quoting_and_splitting_are_inverse(texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..6)) {
            let mut line = Vec::new();
            for text in &texts {
                quote(&mut line, text);
                line.push(b' ');
            }
            prop_assert_eq!(split_owned(&line).unwrap(), texts);
        }

        #[test]
        fn any_line_is_survived_and_both_splits_agree(line in "[ -~\t\"'\\\\x]{0,40}") {
            let mut copy = line.clone().into_bytes();
            let mut ranges = Vec::new();
            let in_place = split(&mut copy, &mut ranges)
                .map(|_| ranges.iter().map(|range| range.of(&copy).to_vec()).collect::<Vec<_>>());
            prop_assert_eq!(in_place, split_owned(line.as_bytes()));
        }
    }
}
