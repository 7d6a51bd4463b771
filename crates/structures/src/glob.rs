//! Glob patterns: `KEYS`, `SCAN … MATCH`, `PSUBSCRIBE`, `CONFIG GET`, ACL rules.
//!
//! ```text
//!   *        any bytes, none included          [abc]    one of these bytes
//!   ?        any one byte                      [a-z]    one of a range (either order)
//!   \x       the byte x                        [^a-z]   none of these
//! ```
//!
//! Question: how does a hostile pattern such as `*a*a*a*a*b` not cost exponential time? When what follows a `*` fails,
//! only the *latest* star takes one more byte: an earlier star cannot do better, for the later one could have
//! skipped the same bytes. So the cost is at most pattern length times text length, without recursion. As in the peers,
//! a pattern with more than `MAX_STARS` stars before its last element matches nothing.
//!
//! Particulars of Redis that are kept: a class that is not closed ends with the pattern; an empty text matches only the
//! empty pattern (not even `*`; KEYS and SCAN treat a lone `*` before they come here); bytes of ranges are compared as
//! signed; a trailing `\` stands for itself.

/// How many stars (or runs of stars) behind which the pattern goes on are followed.
const MAX_STARS: usize = 1000;

/// Whether `text` matches `pattern`.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    run(pattern, text, |byte| byte)
}

/// Whether `text` matches `pattern`, the case of ASCII letters apart.
pub fn matches_nocase(pattern: &[u8], text: &[u8]) -> bool {
    run(pattern, text, |byte| byte.to_ascii_lowercase())
}

fn run(pattern: &[u8], text: &[u8], fold: impl Fn(u8) -> u8 + Copy) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut p, mut t) = (0, 0);
    // Where the pattern goes on behind the latest star, and the text that the star has not taken yet.
    let mut star: Option<(usize, usize)> = None;
    let mut stars = 0;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            while pattern.get(p) == Some(&b'*') {
                p += 1;
            }
            if p == pattern.len() {
                return true;
            }
            stars += 1;
            if stars > MAX_STARS {
                return false;
            }
            star = Some((p, t));
            continue;
        }
        if let Some(next) = step(&pattern[p..], text[t], fold) {
            p += next;
            t += 1;
            continue;
        }
        let Some((behind, taken)) = star else { return false };
        star = Some((behind, taken + 1));
        p = behind;
        t = taken + 1;
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}

/// Matches one byte against the first element of `pattern`, which is not a star; answers the element's length.
fn step(pattern: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    match *pattern {
        [] => None,
        [b'?', ..] => Some(1),
        [b'[', ..] => class(pattern, byte, fold),
        [b'\\', escaped, ..] => (fold(escaped) == fold(byte)).then_some(2),
        [literal, ..] => (fold(literal) == fold(byte)).then_some(1),
    }
}

/// Matches one byte against the class that `pattern` opens with; answers the length of the class.
fn class(pattern: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    let mut at = 1;
    let negated = pattern.get(at) == Some(&b'^');
    if negated {
        at += 1;
    }
    let mut found = false;
    loop {
        match pattern[at..] {
            [] => break,
            [b'\\', escaped, ..] => {
                // An escaped byte is compared as it is, also where case does not matter.
                found |= escaped == byte;
                at += 2;
            }
            [b']', ..] => {
                at += 1;
                break;
            }
            [a, b'-', b, ..] => {
                let signed = |byte: u8| byte as i8;
                let (low, high) = if signed(a) <= signed(b) { (a, b) } else { (b, a) };
                found |= (signed(fold(low))..=signed(fold(high))).contains(&signed(fold(byte)));
                at += 3;
            }
            [one, ..] => {
                found |= fold(one) == fold(byte);
                at += 1;
            }
        }
    }
    (found != negated).then_some(at)
}

/// Whether the pattern has no special byte, so that it can only match itself.
pub fn is_literal(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| matches!(byte, b'*' | b'?' | b'[' | b'\\'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_match_as_in_the_peer() {
        for (pattern, text, wanted) in [
            ("*", "abc", true),
            ("*", "", false),
            ("", "", true),
            ("", "a", false),
            ("a*", "a", true),
            ("a**", "a", true),
            ("a*b", "a", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h*llo", "heeeello", true),
            ("h[ae]llo", "hallo", true),
            ("h[ae]llo", "hillo", false),
            ("h[^e]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-b]llo", "hbllo", true),
            ("h[b-a]llo", "hallo", true),
            ("[a-", "a", true),
            ("[a-", "-", true),
            ("[a", "a", true),
            ("[", "a", false),
            ("[^", "a", true),
            ("[]", "a", false),
            ("[]a]", "a]", false),
            ("[\\]]", "]", true),
            ("[\\-]", "-", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("a\\", "a\\", true),
            ("\\", "\\", true),
            ("*[ab]*c", "xxbxxc", true),
            ("a*c?", "abcabcx", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), wanted, "{pattern} {text}");
        }
        assert!(matches_nocase(b"HeL[L-M]o", b"hello"));
        assert!(!matches(b"HELLO", b"hello"));
    }

    #[test]
    fn stars_are_followed_up_to_a_number() {
        let text = vec![b'a'; 5000];
        let stars = |n: usize| [b"*?".repeat(n), b"*".to_vec()].concat();
        assert!(matches(&stars(MAX_STARS), &text));
        assert!(!matches(&stars(MAX_STARS + 1), &text));
    }

    #[test]
    fn stars_do_not_explode() {
        let pattern = b"*a".repeat(MAX_STARS);
        let text = b"a".repeat(10_000);
        assert!(matches(&pattern, &text));
        assert!(!matches(&[&pattern[..], b"b"].concat(), &text));
    }

    /// The definition, in exponential time, for texts that are not empty.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|n| slow(rest, &text[n..])),
            _ => match text {
                [] => false,
                [byte, tail @ ..] => step(pattern, *byte, |b| b).is_some_and(|n| slow(&pattern[n..], tail)),
            },
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn latest_star_suffices(pattern in "[ab*?\\[\\]^\\\\-]{0,9}", text in "[ab\\]-]{1,9}") {
            prop_assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), slow(pattern.as_bytes(), text.as_bytes()));
        }

        #[test]
        fn a_literal_matches_itself_only(a in "[a-c{}.]{1,4}", b in "[a-c{}.]{1,4}") {
            prop_assert!(is_literal(a.as_bytes()));
            prop_assert_eq!(matches(a.as_bytes(), b.as_bytes()), a == b);
        }
    }
}
