//! Numbers as text, exactly as Redis reads and writes them.
//!
//! Question: which texts are integers and doubles on the wire, and which bytes do we answer for a number? Encodings
//! depend on the first (a listpack stores `12` as an integer but `012` as a string, and both must read back
//! unchanged), clients and digests on the second.
//!
//! - [`parse_i64`]: canonical integers only: no `+`, no leading zero, no `-0`, no space. So text -> integer -> text
//!   is the identity, which is what lets encodings store the integer.
//! - [`parse_f64`]: decimal or scientific, `inf`/`infinity` in any case, a sign; no spaces, no `nan`, no hexadecimal.
//!   What overflows to infinity or underflows to zero is refused.
//! - [`int`] and [`double`] write into a [`Text`] on the stack. Doubles that are whole numbers are written as integers
//!   below 2^62; others by the shortest digits (`shortest`).
//! - [`fixed_point`] writes a chosen count of fractional digits (GEODIST).
//! - INCRBYFLOAT computes in 80-bit extended precision: see [`crate::extended`].
//!
//! Costs: linear in the digits, no allocation.

use std::ops::Deref;

/// A short text on the stack: the decimal form of a number.
#[derive(Clone, Copy)]
pub struct Text {
    bytes: [u8; 31],
    len: u8,
}

impl Text {
    const EMPTY: Self = Self { bytes: [0; 31], len: 0 };

    fn of(text: &[u8]) -> Self {
        let mut out = Self::EMPTY;
        out.push(text);
        out
    }

    fn push(&mut self, text: &[u8]) {
        let at = usize::from(self.len);
        self.bytes[at..at + text.len()].copy_from_slice(text);
        self.len += text.len() as u8;
    }

    /// The bytes of the text.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(self))
    }
}

/// The longest text of an `i64`: `-9223372036854775808`.
pub const MAX_INT_TEXT: usize = 20;

/// Reads a canonical decimal integer: the only text that [`int`] writes for it.
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > MAX_INT_TEXT {
        return None;
    }
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, text),
    };
    match digits {
        [] => return None,
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut value = 0u64;
    if digits.len() < MAX_INT_TEXT - 1 {
        // Up to 18 digits cannot overflow.
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u64::from(digit);
        }
    } else {
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
        }
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Reads a decimal unsigned integer, leading zeros allowed, as cursors and counts of the wire are read.
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Reads a double as a score is read.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    if value.is_nan() {
        return None;
    }
    if value.is_infinite() && text.iter().any(u8::is_ascii_digit) {
        return None;
    }
    if value == 0.0 {
        let mantissa = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
        if mantissa.into_iter().any(|byte| matches!(byte, b'1'..=b'9')) {
            return None;
        }
    }
    Some(value)
}

/// The count of decimal digits of `value`.
pub fn digits(value: u64) -> usize {
    value.checked_ilog10().unwrap_or(0) as usize + 1
}

/// The length of the text of `value`, its sign included.
pub fn int_len(value: i64) -> usize {
    digits(value.unsigned_abs()) + usize::from(value < 0)
}

/// The decimal text of an integer.
pub fn int(value: i64) -> Text {
    let mut out = Text::EMPTY;
    if value < 0 {
        out.push(b"-");
    }
    push_digits(&mut out, value.unsigned_abs());
    out
}

/// The decimal text of an unsigned integer.
pub fn unsigned(value: u64) -> Text {
    let mut out = Text::EMPTY;
    push_digits(&mut out, value);
    out
}

fn push_digits(out: &mut Text, mut value: u64) {
    let len = digits(value);
    let start = usize::from(out.len);
    out.len += len as u8;
    let mut at = start + len;
    while value >= 100 {
        let pair = (value % 100) as usize * 2;
        value /= 100;
        at -= 2;
        out.bytes[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if value >= 10 {
        let pair = value as usize * 2;
        out.bytes[at - 2..at].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        out.bytes[at - 1] = b'0' + value as u8;
    }
}

/// `00 01 02 … 99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut i = 0;
    while i < 100 {
        pairs[2 * i] = b'0' + (i / 10) as u8;
        pairs[2 * i + 1] = b'0' + (i % 10) as u8;
        i += 1;
    }
    pairs
};

/// The text of a double in replies, in sorted sets' listpacks and in rewritten commands.
pub fn double(value: f64) -> Text {
    match whole(value) {
        Some(0) if value.is_sign_negative() => Text::of(b"-0"),
        Some(whole) => int(whole),
        None => shortest(value),
    }
}

/// The text of a double without the detour over integers: `1e+20` where [`double`] has the same, but also
/// `1e+17` where [`double`] writes all zeros. `DEBUG DIGEST` mixes scores in this form.
pub fn shortest(value: f64) -> Text {
    let mut out = Text::EMPTY;
    if value.is_nan() {
        return Text::of(b"nan");
    }
    if value.is_sign_negative() {
        out.push(b"-");
    }
    if value == 0.0 {
        out.push(b"0");
    } else if value.is_infinite() {
        out.push(b"inf");
    } else {
        let at = usize::from(out.len);
        let len = crate::shortest::decimal(value.abs()).write(value < 0.0, &mut out.bytes[at..]);
        out.len += len as u8;
    }
    out
}

/// The integer that a double is, if it is one and is far enough from the limits of `i64`.
pub fn whole(value: f64) -> Option<i64> {
    const LIMIT: f64 = (i64::MAX / 2) as f64;
    if !(-LIMIT..=LIMIT).contains(&value) {
        return None;
    }
    let truncated = value as i64;
    (truncated as f64 == value).then_some(truncated)
}

/// A double with exactly `fraction_digits` (1 to 17) digits after the point, rounded half to even, as GEODIST answers.
/// The value times `10^fraction_digits` must fit an `i64`; it saturates otherwise.
pub fn fixed_point(value: f64, fraction_digits: u32) -> Text {
    debug_assert!((1..=17).contains(&fraction_digits));
    let unit = 10u64.pow(fraction_digits);
    let scaled = (value * unit as f64).round_ties_even() as i64;
    let mut out = Text::EMPTY;
    if scaled < 0 {
        out.push(b"-");
    }
    let scaled = scaled.unsigned_abs();
    push_digits(&mut out, scaled / unit);
    out.push(b".");
    let fraction = unsigned(scaled % unit);
    out.push(&b"00000000000000000"[..fraction_digits as usize - fraction.len()]);
    out.push(&fraction);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_canonical_integers_are_integers() {
        for (text, value) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("999999999999999999", Some(999_999_999_999_999_999)),
            ("9223372036854775808", None),
            ("-9223372036854775809", None),
            ("18446744073709551616", None),
            ("99999999999999999999", None),
            ("", None),
            ("-", None),
            ("-0", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("1a", None),
            ("1:", None),
            ("1/", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn doubles_are_read_as_the_peer_reads_them() {
        for text in
            ["nan", "-nan", "0x10", " 1", "1 ", "1e", ".", "+", "1e400", "-1e400", "1e-400", "", "1_0", "in", "1e+"]
        {
            assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
        }
        for (text, value) in [
            ("inf", f64::INFINITY),
            ("+inf", f64::INFINITY),
            ("-Inf", f64::NEG_INFINITY),
            ("INFINITY", f64::INFINITY),
            (".5", 0.5),
            ("5.", 5.0),
            ("+5", 5.0),
            ("-.5e-3", -0.0005),
            ("1e-320", 1e-320),
            ("0e-999", 0.0),
            ("00012", 12.0),
        ] {
            assert_eq!(parse_f64(text.as_bytes()), Some(value), "{text:?}");
        }
    }

    #[test]
    fn doubles_are_written_as_the_peer_writes_them() {
        // Answers of ZSCORE on Valkey 9.1.
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.1 + 0.2, "0.30000000000000004"),
            (3.0e-5, "0.00003"),
            (1.5e-7, "1.5e-7"),
            (1e17, "100000000000000000"),
            (1e20, "1e+20"),
            (1.5e300, "1.5e+300"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(double(value).as_bytes(), text.as_bytes(), "{value:e}");
        }
        assert_eq!(shortest(1e17).as_bytes(), b"1e+17");
    }

    #[test]
    fn fixed_points_round_and_pad() {
        assert_eq!(fixed_point(166_274.151_561_9, 4).as_bytes(), b"166274.1516");
        assert_eq!(fixed_point(0.0, 4).as_bytes(), b"0.0000");
        assert_eq!(fixed_point(-0.05, 4).as_bytes(), b"-0.0500");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn integers_survive(value: i64) {
            let text = int(value);
            prop_assert!(*text == *value.to_string().as_bytes());
            prop_assert_eq!(text.len(), int_len(value));
            prop_assert_eq!(parse_i64(&text), Some(value));
        }

        #[test]
        fn a_text_that_is_an_integer_is_its_own_form(text in "-?[0-9]{0,20}") {
            if let Some(value) = parse_i64(text.as_bytes()) {
                prop_assert!(*int(value) == *text.as_bytes());
            }
        }

        #[test]
        fn doubles_survive(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(!value.is_nan());
            for text in [double(value), shortest(value)] {
                prop_assert_eq!(parse_f64(&text).map(f64::to_bits), Some(bits));
            }
        }

        #[test]
        fn short_decimals_survive(units in -1_000_000_000i64..1_000_000_000, scale in 0u32..9) {
            let text = format!("{}e-{scale}", units);
            let value = parse_f64(text.as_bytes()).unwrap();
            prop_assert_eq!(parse_f64(&double(value)), Some(value));
        }
    }
}
