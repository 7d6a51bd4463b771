//! Words of a configuration line: the grammar of inline requests, with one rule more.
//!
//! ```text
//!   save "900 1" 'it''s' a"b"c \x41        five words: save │ 900 1 │ its │ abc │ \x41
//! ```
//!
//! An inline request takes a backslash before the very last quote for itself; in a file that quote is escaped and the
//! line unbalanced, so that a path with a backslash at its end is not read by accident.

pub(crate) use resp::inline::{Unbalanced, quote};

/// The words of `line`. O(length).
pub(crate) fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, Unbalanced> {
    // A blank behind the last quote makes that quote like every other.
    resp::inline::split_owned(&[line, b" "].concat())
}

/// Without the white space around it.
pub(crate) fn trim(line: &[u8]) -> &[u8] {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let start = line.iter().position(|byte| !white(byte)).unwrap_or(line.len());
    let end = line.iter().rposition(|byte| !white(byte)).map_or(start, |last| last + 1);
    &line[start..end]
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
    fn an_open_quote_is_unbalanced_also_behind_an_escape() {
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
