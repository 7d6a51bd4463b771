//! Doubles as text, as Valkey prints scores.
//!
//! Redis' format is not C's: an integral value within half of the signed 64-bit range is printed as
//! an integer; anything else gets the shortest digits that read back to the same value, laid out by these rules, where the
//! value is `digits × 10^k` and `e` the decimal exponent of its first digit:
//!
//! ```text
//!   k ≥ 0 and |e| < number of digits + 7    integer        12 digits and zeros: 123000000
//!   k < 0 and (k > -7 or |e| < 4)           plain          0.000015  1.5  0.001234567891
//!   otherwise                               scientific     1e+21  1.5e-7  1.7976931348623157e+308
//! ```
//!
//! Where Redis and Valkey differ from this: their search for the shortest digits gives up a little early
//! for about one double in seven hundred (`523150.34951` becomes `5.2315034950999997e+5`). Both texts
//! read back to the same value; we print the shorter.
//!
//! Infinities are `inf` and `-inf`, a negative zero is `-0`, and any NaN is `nan`.

use std::io::Write;

/// A double's text; at most 32 bytes, on the stack.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    bytes: [u8; 32],
    len: u8,
}

impl Text {
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    fn of(text: &[u8]) -> Self {
        let mut result = Text { bytes: [0; 32], len: 0 };
        result.put(text);
        result
    }

    fn put(&mut self, text: &[u8]) {
        let from = usize::from(self.len);
        self.bytes[from..from + text.len()].copy_from_slice(text);
        self.len += text.len() as u8;
    }

    fn zeros(&mut self, n: usize) {
        self.put(&[b'0'; 24][..n]);
    }
}

/// Beyond this an integral double is no longer printed as an integer.
const INTEGRAL_LIMIT: f64 = (i64::MAX / 2) as f64;

/// The text of `value`. Integral values cost an `itoa`; others with few
/// decimals about twice that; the rest a search for the shortest digits (about 100 ns).
pub fn format(value: f64) -> Text {
    if value.is_nan() {
        return Text::of(b"nan");
    }
    if value.is_infinite() {
        return Text::of(if value < 0.0 { b"-inf" } else { b"inf" });
    }
    if value == 0.0 {
        return Text::of(if value.is_sign_negative() { b"-0" } else { b"0" });
    }
    if value.abs() <= INTEGRAL_LIMIT {
        let integer = value as i64;
        if integer as f64 == value {
            return Text::of(itoa::Buffer::new().format(integer).as_bytes());
        }
    }
    few_decimals(value).unwrap_or_else(|| shortest(value))
}

/// Values that are not integral, of at most fifteen digits, four of them behind the point: most scores and prices. Decimals of
/// up to fifteen digits stand for different doubles, so one that reads back is the shortest there is.
fn few_decimals(value: f64) -> Option<Text> {
    let magnitude = value.abs();
    if !(1e-4..1e11).contains(&magnitude) {
        return None;
    }
    let scales = [10.0, 100.0, 1000.0, 10_000.0];
    let (places, scaled) = (1..).zip(scales).find_map(|(places, scale)| {
        let scaled = (magnitude * scale + 0.5) as u64;
        (scaled as f64 / scale == magnitude).then_some((places, scaled))
    })?;
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(scaled).as_bytes();
    Some(layout(value.is_sign_negative(), digits, digits.len() as i32 - 1 - places))
}

fn shortest(value: f64) -> Text {
    // Rust prints the shortest digits that read back the same, in the form `d.ddde±x`.
    let mut scratch = [0u8; 40];
    let mut cursor = &mut scratch[..];
    write!(cursor, "{:e}", value.abs()).expect("the longest such text has 23 bytes");
    let left = cursor.len();
    let text = &scratch[..40 - left];
    let (mantissa, exponent) = text.split_at(memchr::memchr(b'e', text).expect("asked for an exponent"));
    let exponent = std::str::from_utf8(&exponent[1..]).ok().and_then(|e| e.parse::<i32>().ok()).expect("an exponent");
    let mut digits = [0u8; 20];
    let mut count = 0;
    for &byte in mantissa.iter().filter(|byte| byte.is_ascii_digit()) {
        digits[count] = byte;
        count += 1;
    }
    layout(value.is_sign_negative(), &digits[..count], exponent)
}

/// Lays out `digits`, the first of which has the decimal exponent `first`.
fn layout(negative: bool, digits: &[u8], first: i32) -> Text {
    let count = digits.len() as i32;
    let k = first + 1 - count;
    let mut text = Text::of(if negative { b"-" } else { b"" });
    if k >= 0 && first.abs() < count + 7 {
        text.put(digits);
        text.zeros(k as usize);
    } else if k < 0 && (k > -7 || first.abs() < 4) {
        if first < 0 {
            text.put(b"0.");
            text.zeros((-1 - first) as usize);
            text.put(digits);
        } else {
            let (whole, fraction) = digits.split_at(first as usize + 1);
            text.put(whole);
            text.put(b".");
            text.put(fraction);
        }
    } else {
        text.put(&digits[..1]);
        if count > 1 {
            text.put(b".");
            text.put(&digits[1..]);
        }
        text.put(if first < 0 { b"e-" } else { b"e+" });
        text.put(itoa::Buffer::new().format(first.unsigned_abs()).as_bytes());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn doubles_look_as_the_peer_prints_them() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (-3.5, "-3.5"),
            (0.1, "0.1"),
            (1.0 / 3.0, "0.3333333333333333"),
            (9007199254740991.0, "9007199254740991"),
            (1e17, "100000000000000000"),
            (4.611686018427388e18, "4611686018427387904"),
            (4.611686018427389e18, "4611686018427389000"),
            (1e19, "1e+19"),
            (1.2345678e19, "1.2345678e+19"),
            (1.2345678901234e19, "12345678901234000000"),
            (1e21, "1e+21"),
            (1e-5, "0.00001"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-6, "1.5e-6"),
            (1.5e-5, "0.000015"),
            (0.0001234567, "1.234567e-4"),
            (0.001234567, "0.001234567"),
            (1.5e-10, "1.5e-10"),
            (f64::MAX, "1.7976931348623157e+308"),
            (5e-324, "5e-324"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
        ];
        for (value, text) in cases {
            assert_eq!(std::str::from_utf8(format(value).as_bytes()), Ok(text));
        }
    }

    proptest! {
        #[test]
        fn every_double_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            prop_assume!(value.is_finite());
            let text = format(value);
            let back: f64 = std::str::from_utf8(text.as_bytes()).unwrap().parse().unwrap();
            prop_assert_eq!(back.to_bits(), value.to_bits());
        }

        #[test]
        fn the_short_way_is_the_long_way(n in -2_000_000_000_000i64..2_000_000_000_000, places in 1usize..7) {
            let value = n as f64 / 10f64.powi(places as i32);
            prop_assume!(value.fract() != 0.0);
            if let Some(text) = few_decimals(value) {
                let long = shortest(value);
                prop_assert_eq!(text.as_bytes(), long.as_bytes());
            }
        }
    }
}
