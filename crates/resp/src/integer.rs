//! Integers as the protocol writes them: canonical decimal, and nothing else.
//!
//! A text is an integer when it is exactly what printing that integer would give: no sign but a
//! leading `-`, no leading zeros, no spaces, no `-0`, within 64 signed bits. Lengths on the wire and
//! integer arguments of commands obey the same rule, as they do in Redis.

/// The signed 64-bit integer that `text` spells canonically, or `None`. O(length), at most 20 digits.
#[inline]
pub fn parse(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    let magnitude = parse_unsigned(digits)?;
    if negative {
        if magnitude == 0 || magnitude > 1 << 63 {
            return None;
        }
        Some((magnitude as i64).wrapping_neg())
    } else {
        i64::try_from(magnitude).ok()
    }
}

/// The unsigned 64-bit integer that `digits` spells canonically, or `None`.
#[inline]
pub fn parse_unsigned(digits: &[u8]) -> Option<u64> {
    match digits {
        [] => return None,
        [b'0'] => return Some(0),
        [b'0', ..] => return None,
        _ => {}
    }
    let mut value: u64 = 0;
    if digits.len() <= 19 {
        // Nineteen digits cannot overflow 64 bits, so the loop needs no check.
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u64::from(digit);
        }
        return Some(value);
    }
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_canonical_spelling_is_an_integer() {
        let cases: [(&[u8], Option<i64>); 16] = [
            (b"0", Some(0)),
            (b"-1", Some(-1)),
            (b"9223372036854775807", Some(i64::MAX)),
            (b"-9223372036854775808", Some(i64::MIN)),
            (b"9223372036854775808", None),
            (b"-9223372036854775809", None),
            (b"99999999999999999999999", None),
            (b"", None),
            (b"-", None),
            (b"-0", None),
            (b"+1", None),
            (b"01", None),
            (b" 1", None),
            (b"1 ", None),
            (b"1x", None),
            (b"\xff", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    proptest! {
        #[test]
        fn printing_and_parsing_are_inverse(n: i64) {
            prop_assert_eq!(parse(n.to_string().as_bytes()), Some(n));
        }

        #[test]
        fn what_parses_prints_the_same(text in "[-0-9]{0,22}") {
            if let Some(n) = parse(text.as_bytes()) {
                prop_assert_eq!(n.to_string(), text);
            }
        }
    }
}
