//! Numbers as C's `atoi` and `atof` read them, which scripts rely on: what can be read from the start
//! counts, and nothing at all is zero.

/// A decimal integer at the start of `text`, after blanks; saturating.
pub fn leading_int(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let magnitude = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0i64, |n, byte| n.saturating_mul(10).saturating_add(i64::from(byte - b'0')));
    if negative { -magnitude } else { magnitude }
}

/// A decimal fraction at the start of `text`: the longest prefix that is a number.
pub fn leading_float(text: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(text.trim_ascii_start());
    (0..=text.len()).rev().filter_map(|end| text.get(..end)?.parse().ok()).next().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (text, int, float) in [
            ("12", 12, 12.0),
            (" -3x", -3, -3.0),
            ("0.25", 0, 0.25),
            ("1.5.2", 1, 1.5),
            ("abc", 0, 0.0),
            ("", 0, 0.0),
            ("99999999999999999999", i64::MAX, 1e20),
        ] {
            assert_eq!(leading_int(text.as_bytes()), int, "{text}");
            assert_eq!(leading_float(text.as_bytes()), float, "{text}");
        }
    }
}
