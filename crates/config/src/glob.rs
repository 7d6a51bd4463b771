//! Glob patterns over directive names, blind to case.
//!
//! `*` any run, `?` any byte, `[a-z]` and `[^a-z]` classes, `\` before a byte taken literally. A star is retried
//! from the last star only: an earlier one can gain nothing that the last one cannot, so the cost is the product
//! of the two lengths at worst and no pattern runs away.

/// Whether `pattern` has a character that makes it more than a name.
pub(crate) fn is_pattern(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| matches!(byte, b'[' | b'*' | b'?'))
}

/// Whether all of `name` matches `pattern`.
pub(crate) fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut rest, mut text) = (pattern, name);
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', after @ ..] = rest {
            star = Some((after, text));
            rest = after;
            continue;
        }
        if let (Some((after, true)), [_, left @ ..]) = (text.first().and_then(|byte| single(rest, *byte)), text) {
            (rest, text) = (after, left);
            continue;
        }
        if rest.is_empty() && text.is_empty() {
            return true;
        }
        match star {
            Some((after, [_, longer @ ..])) => {
                star = Some((after, longer));
                (rest, text) = (after, longer);
            }
            _ => return false,
        }
    }
}

/// Compares `byte` with the first element of `pattern`, which is no star: what follows it, and whether it matched.
fn single(pattern: &[u8], byte: u8) -> Option<(&[u8], bool)> {
    match pattern {
        [] => None,
        [b'?', rest @ ..] => Some((rest, true)),
        [b'[', rest @ ..] => Some(class(rest, byte)),
        [b'\\', literal, rest @ ..] => Some((rest, literal.eq_ignore_ascii_case(&byte))),
        [literal, rest @ ..] => Some((rest, literal.eq_ignore_ascii_case(&byte))),
    }
}

/// The class after `[`; one that is not closed ends with the pattern.
fn class(mut pattern: &[u8], byte: u8) -> (&[u8], bool) {
    let negated = pattern.first() == Some(&b'^');
    if negated {
        pattern = &pattern[1..];
    }
    let byte = byte.to_ascii_lowercase();
    let mut found = false;
    loop {
        match pattern {
            [] => return (pattern, found != negated),
            [b']', rest @ ..] => return (rest, found != negated),
            [b'\\', literal, rest @ ..] => {
                found |= literal.to_ascii_lowercase() == byte;
                pattern = rest;
            }
            [low, b'-', high, rest @ ..] => {
                let (low, high) = (low.to_ascii_lowercase(), high.to_ascii_lowercase());
                found |= (low.min(high)..=low.max(high)).contains(&byte);
                pattern = rest;
            }
            [literal, rest @ ..] => {
                found |= literal.to_ascii_lowercase() == byte;
                pattern = rest;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        for name in yes {
            assert!(matches(pattern.as_bytes(), name.as_bytes()), "{pattern} should match {name}");
        }
        for name in no {
            assert!(!matches(pattern.as_bytes(), name.as_bytes()), "{pattern} should not match {name}");
        }
    }

    #[test]
    fn patterns_match_as_in_redis() {
        check("*", &["", "port"], &[]);
        check("maxmem*", &["maxmemory", "maxmemory-policy", "MAXMEM"], &["max"]);
        check("*of", &["replicaof", "slaveof"], &["off"]);
        check("h?", &["hz", "HZ"], &["h", "hzz"]);
        check("[h]z", &["hz"], &["z", "[h]z"]);
        check("[^h]z", &["az"], &["hz"]);
        check("[a-c]x", &["ax", "Bx"], &["dx"]);
        check("a*b*c", &["abc", "axxbyyc", "abbcbc"], &["acb", "ab"]);
        check("h\\*", &["h*"], &["hz"]);
        check("hz\\", &["hz\\"], &["hz"]);
        check("", &[""], &["a"]);
    }

    proptest! {
        #[test]
        fn no_pattern_panics(pattern in proptest::collection::vec(any::<u8>(), 0..24), name in "[a-z*-]{0,16}") {
            let _ = matches(&pattern, name.as_bytes());
        }
    }
}
