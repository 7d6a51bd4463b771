//! Words written as quoted strings, for bytes that a shell cannot pass.

use resp::inline;

/// The one word that `text` stands for; `None` when it stands for none, for several, or is not well quoted.
pub fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let words: Result<[Vec<u8>; 1], _> = inline::split_owned(text).ok()?.try_into();
    words.ok().map(|[word]| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_word_is_exactly_one() {
        assert_eq!(unquote(br#""\x00a b""#), Some(b"\x00a b".to_vec()));
        assert_eq!(unquote(b"plain"), Some(b"plain".to_vec()));
        assert_eq!(unquote(br#""a" "b""#), None);
        assert_eq!(unquote(br#""a"#), None);
        assert_eq!(unquote(b""), None);
    }
}
