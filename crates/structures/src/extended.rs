//! The 80-bit floating-point number in which INCRBYFLOAT and HINCRBYFLOAT compute.
//!
//! Question: how does `10.5 + 0.1` answer `10.6`, where doubles would print `10.59999999999999964`? Redis adds in C's
//! `long double`, which on x86 has a significand of 64 bits, and prints 17 digits after the point. Rust has no such
//! type, and the sum must come out the same to the last digit (it is journalled as text and compared between peers), so
//! this is the number in software: read from text, added, written, each step rounded once, to nearest, ties to even.
//!
//! ```text
//!   value = ± significand (64 bits, top bit set unless denormal) * 2^exponent        -16445 <= exponent <= 16320
//! ```
//!
//! Costs: ordinary numbers are handled in 128-bit integers; only exponents beyond about 10^±19 need the long
//! arithmetic at the end of this file, whose length is bounded by that of the text (at most [`MAX_TEXT`] bytes).

use std::cmp::Ordering;

/// Longer texts are not numbers.
pub const MAX_TEXT: usize = 5 * 1024 - 1;

const MIN_EXPONENT: i32 = -16445;
const MAX_EXPONENT: i32 = 16320;

/// A finite or infinite number; zero has a zero significand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extended {
    negative: bool,
    significand: u64,
    exponent: i32,
    infinite: bool,
}

impl From<f64> for Extended {
    /// The same number; the argument must not be NaN.
    fn from(value: f64) -> Self {
        debug_assert!(!value.is_nan());
        if value.is_infinite() {
            return Self::infinity(value < 0.0);
        }
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let (significand, exponent) = match (bits >> 52) as i32 & 0x7FF {
            0 => (fraction, -1074),
            biased => (fraction | 1 << 52, biased - 1075),
        };
        Self::round(value.is_sign_negative(), u128::from(significand), exponent, false)
    }
}

impl Extended {
    fn infinity(negative: bool) -> Self {
        Self { negative, significand: 0, exponent: 0, infinite: true }
    }

    /// `wide * 2^exponent`, a little more if `sticky`, as the nearest number.
    fn round(negative: bool, wide: u128, exponent: i32, sticky: bool) -> Self {
        if wide == 0 {
            return Self { negative, significand: 0, exponent: 0, infinite: false };
        }
        // Bring the top bit to bit 127, then keep 64 bits, or less where the exponent would fall below the least.
        let lead = wide.leading_zeros();
        let (wide, exponent) = (wide << lead, exponent - lead as i32);
        let drop = (64 + (MIN_EXPONENT - (exponent + 64)).max(0)) as u32;
        let (mut kept, rest, half) = match drop {
            0..=127 => (wide >> drop, wide & ((1 << drop) - 1), 1u128 << (drop - 1)),
            128 => (0, wide, 1 << 127),
            _ => return Self { negative, significand: 0, exponent: 0, infinite: false },
        };
        let mut exponent = exponent + drop as i32;
        let up = match rest.cmp(&half) {
            Ordering::Greater => true,
            Ordering::Equal => sticky || kept & 1 == 1,
            Ordering::Less => false,
        };
        kept += u128::from(up);
        if kept >> 64 != 0 {
            kept >>= 1;
            exponent += 1;
        }
        if exponent > MAX_EXPONENT {
            return Self::infinity(negative);
        }
        let significand = kept as u64;
        Self { negative, significand, exponent: if significand == 0 { 0 } else { exponent }, infinite: false }
    }

    /// Whether the number is not infinite.
    pub fn is_finite(&self) -> bool {
        !self.infinite
    }

    /// Reads a number as INCRBYFLOAT does: decimal, scientific, hexadecimal (`0x1.8p3`), or `inf`; no spaces, no NaN,
    /// nothing that overflows or vanishes.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let (negative, rest) = match *text {
            [b'-', ref rest @ ..] => (true, rest),
            [b'+', ref rest @ ..] => (false, rest),
            _ => (false, text),
        };
        if rest.eq_ignore_ascii_case(b"inf") || rest.eq_ignore_ascii_case(b"infinity") {
            return Some(Self::infinity(negative));
        }
        let (value, is_zero) = match *rest {
            [b'0', b'x' | b'X', ref hex @ ..] => parse_hexadecimal(negative, hex)?,
            _ => parse_decimal(negative, rest)?,
        };
        let lost = value.infinite || (value.significand == 0 && !is_zero);
        (!lost).then_some(value)
    }

    /// The number as a double, which has fewer digits and a smaller range: infinite or 0 beyond.
    pub fn to_f64(self) -> f64 {
        let magnitude = match self.infinite {
            true => f64::INFINITY,
            // In two steps, since the power alone may be out of range where the product is not.
            false => {
                let half = self.exponent / 2;
                self.significand as f64 * 2f64.powi(half) * 2f64.powi(self.exponent - half)
            }
        };
        if self.negative { -magnitude } else { magnitude }
    }

    /// The sum, rounded once. Infinities of two signs have none.
    pub fn plus(self, other: Self) -> Option<Self> {
        match (self.infinite, other.infinite) {
            (true, true) if self.negative != other.negative => return None,
            (true, _) => return Some(self),
            (_, true) => return Some(other),
            _ => {}
        }
        if self.significand == 0 || other.significand == 0 {
            let negative = self.negative && other.negative;
            return Some(match (self.significand, other.significand) {
                (0, 0) => Self { negative, ..self },
                (0, _) => other,
                _ => self,
            });
        }
        // Denormals have no top bit: compare by where the top bit stands.
        let top = |x: &Self| x.exponent - x.significand.leading_zeros() as i32;
        let (big, small) = if top(&self) >= top(&other) { (self, other) } else { (other, self) };
        let lead = big.significand.leading_zeros();
        let base = big.exponent - lead as i32 - 62;
        let a = u128::from(big.significand << lead) << 62;
        let (lead, b) = (small.significand.leading_zeros(), u128::from(small.significand));
        let b = (b << lead) << 62;
        let distance = (base - (small.exponent - lead as i32 - 62)) as u32;
        let (b, sticky) = match distance {
            0 => (b, false),
            1..=127 => (b >> distance, b & ((1 << distance) - 1) != 0),
            _ => (0, true),
        };
        if self.negative == other.negative {
            return Some(Self::round(big.negative, a + b, base, sticky));
        }
        match a.cmp(&b) {
            Ordering::Equal if !sticky => Some(Self { negative: false, significand: 0, exponent: 0, infinite: false }),
            Ordering::Less => Some(Self::round(small.negative, b - a, base, sticky)),
            // What is subtracted is a little more than `b`, so the difference is a little more than one less.
            _ => Some(Self::round(big.negative, a - b - u128::from(sticky), base, sticky)),
        }
    }

    /// The text for people: 17 digits after the point, rounded, then zeros at the end removed; never an exponent.
    pub fn to_text(self) -> Vec<u8> {
        if self.infinite {
            return if self.negative { b"-inf".to_vec() } else { b"inf".to_vec() };
        }
        const UNIT: u128 = 100_000_000_000_000_000;
        // value * 10^17 = significand * 5^17 * 2^(exponent + 17)
        let scaled = u128::from(self.significand) * 5u128.pow(17);
        let shift = self.exponent + 17;
        let mut out = Vec::new();
        if shift <= 0 {
            let places = shift.unsigned_abs();
            let units = match places {
                0 => scaled,
                1..=127 => {
                    let (kept, rest, half) = (scaled >> places, scaled & ((1 << places) - 1), 1u128 << (places - 1));
                    kept + u128::from(rest > half || (rest == half && kept & 1 == 1))
                }
                _ => 0,
            };
            out.extend_from_slice((units / UNIT).to_string().as_bytes());
            out.extend_from_slice(format!(".{:017}", units % UNIT).as_bytes());
        } else if shift <= 24 {
            let units = scaled << shift.min(scaled.leading_zeros() as i32);
            debug_assert!(shift <= scaled.leading_zeros() as i32);
            out.extend_from_slice((units / UNIT).to_string().as_bytes());
            out.extend_from_slice(format!(".{:017}", units % UNIT).as_bytes());
        } else {
            let mut whole = Long::from(u128::from(self.significand));
            whole.shift_left(self.exponent as u32);
            out.extend_from_slice(&whole.into_decimal());
        }
        if out.contains(&b'.') {
            while out.last() == Some(&b'0') {
                out.pop();
            }
            if out.last() == Some(&b'.') {
                out.pop();
            }
        }
        if self.negative && out != b"0" {
            out.insert(0, b'-');
        }
        out
    }
}

/// The text of a double for people, as GEOPOS answers: [`Extended::to_text`] of the same number.
pub fn human(value: f64) -> Vec<u8> {
    Extended::from(value).to_text()
}

/// Splits a mantissa `digits[.digits]` from what follows; answers integer digits, fraction digits, rest.
fn mantissa(text: &[u8], is_digit: impl Fn(&u8) -> bool) -> (&[u8], &[u8], &[u8]) {
    let count = |text: &[u8]| text.iter().take_while(|byte| is_digit(byte)).count();
    let (whole, rest) = text.split_at(count(text));
    match rest {
        [b'.', rest @ ..] => {
            let (fraction, rest) = rest.split_at(count(rest));
            (whole, fraction, rest)
        }
        _ => (whole, &[], rest),
    }
}

/// An exponent `[+-]digits`; saturates far beyond all limits.
fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match *text {
        [b'-', ref digits @ ..] => (true, digits),
        [b'+', ref digits @ ..] => (false, digits),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value = digits.iter().fold(0i32, |acc, byte| (acc * 10 + i32::from(byte - b'0')).min(1_000_000));
    Some(if negative { -value } else { value })
}

/// The number, and whether the text says zero.
fn parse_decimal(negative: bool, text: &[u8]) -> Option<(Extended, bool)> {
    let (whole, fraction, rest) = mantissa(text, u8::is_ascii_digit);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let told = match *rest {
        [] => 0,
        [b'e' | b'E', ref power @ ..] => exponent(power)?,
        _ => return None,
    };
    let digits = || whole.iter().chain(fraction).skip_while(|byte| **byte == b'0').map(|byte| byte - b'0');
    let count = digits().count() as i32;
    let power = told - fraction.len() as i32;
    if count == 0 {
        return Some((Extended::round(negative, 0, 0, false), true));
    }
    if count + power > 5000 {
        return Some((Extended::infinity(negative), false));
    }
    if count + power < -5000 {
        return Some((Extended::round(negative, 0, 0, false), false));
    }
    if count <= 19 && (-26..=19).contains(&power) {
        let value = digits().fold(0u64, |acc, digit| acc * 10 + u64::from(digit));
        let wide = u128::from(value);
        return Some(if power >= 0 {
            (Extended::round(negative, wide * 10u128.pow(power as u32), 0, false), false)
        } else {
            // Divide by 5^k with all 128 bits in front of the division; the factor 2^-k goes into the exponent.
            let lead = wide.leading_zeros();
            let divisor = 5u128.pow(power.unsigned_abs());
            let (quotient, rest) = ((wide << lead) / divisor, (wide << lead) % divisor);
            (Extended::round(negative, quotient, power - lead as i32, rest != 0), false)
        });
    }
    let mut long = Long::default();
    for digit in digits() {
        long.multiply_add(10, u32::from(digit));
    }
    let value = if power >= 0 {
        long.multiply_power_of_5(power as u32);
        long.round(negative, power, false)
    } else {
        let k = power.unsigned_abs();
        // 5^k has less than 7k/3 + 1 bits; leave more than 66 bits of quotient.
        let shift = 7 * k / 3 + 72;
        long.shift_left(shift);
        let sticky = long.divide_power_of_5(k);
        long.round(negative, power - shift as i32, sticky)
    };
    Some((value, false))
}

fn parse_hexadecimal(negative: bool, text: &[u8]) -> Option<(Extended, bool)> {
    let (whole, fraction, rest) = mantissa(text, u8::is_ascii_hexdigit);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let told = match *rest {
        [] => 0,
        [b'p' | b'P', ref power @ ..] => exponent(power)?,
        _ => return None,
    };
    let mut long = Long::default();
    for byte in whole.iter().chain(fraction) {
        let digit = char::from(*byte).to_digit(16)?;
        long.multiply_add(16, digit);
    }
    let is_zero = long.limbs.is_empty();
    Some((long.round(negative, told - 4 * fraction.len() as i32, false), is_zero))
}

/// A natural number of any length: limbs of 32 bits, the least first, without leading zeros.
#[derive(Default)]
struct Long {
    limbs: Vec<u32>,
}

impl From<u128> for Long {
    fn from(mut value: u128) -> Self {
        let mut limbs = Vec::new();
        while value != 0 {
            limbs.push(value as u32);
            value >>= 32;
        }
        Self { limbs }
    }
}

impl Long {
    fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.limbs {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry != 0 {
            self.limbs.push(carry as u32);
        }
    }

    /// Divides and answers the remainder.
    fn divide(&mut self, divisor: u32) -> u32 {
        let mut rest = 0u64;
        for limb in self.limbs.iter_mut().rev() {
            let part = rest << 32 | u64::from(*limb);
            *limb = (part / u64::from(divisor)) as u32;
            rest = part % u64::from(divisor);
        }
        while self.limbs.last() == Some(&0) {
            self.limbs.pop();
        }
        rest as u32
    }

    fn multiply_power_of_5(&mut self, k: u32) {
        for _ in 0..k / 13 {
            self.multiply_add(5u32.pow(13), 0);
        }
        self.multiply_add(5u32.pow(k % 13), 0);
    }

    /// Divides by `5^k`; answers whether there was a remainder.
    fn divide_power_of_5(&mut self, k: u32) -> bool {
        let mut rest = 0;
        for _ in 0..k / 13 {
            rest |= self.divide(5u32.pow(13));
        }
        rest |= self.divide(5u32.pow(k % 13));
        rest != 0
    }

    fn shift_left(&mut self, bits: u32) {
        self.multiply_add(1 << (bits % 32), 0);
        self.limbs.splice(0..0, std::iter::repeat_n(0, bits as usize / 32));
    }

    /// `self * 2^exponent`, a little more if `sticky`, as the nearest number.
    fn round(&self, negative: bool, exponent: i32, sticky: bool) -> Extended {
        let below = self.limbs.len().saturating_sub(4);
        let (low, high) = self.limbs.split_at(below);
        let wide = high.iter().rev().fold(0u128, |acc, limb| acc << 32 | u128::from(*limb));
        // At least 97 bits stand in `wide` then, so what is below is below every rounding bit.
        let sticky = sticky || low.iter().any(|limb| *limb != 0);
        Extended::round(negative, wide, exponent + 32 * below as i32, sticky)
    }

    fn into_decimal(mut self) -> Vec<u8> {
        let mut groups = Vec::new();
        while !self.limbs.is_empty() {
            groups.push(self.divide(1_000_000_000));
        }
        let mut out = groups.pop().unwrap_or(0).to_string().into_bytes();
        for group in groups.iter().rev() {
            out.extend_from_slice(format!("{group:09}").as_bytes());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(a: &str, b: &str) -> String {
        let (a, b) = (Extended::parse(a.as_bytes()).unwrap(), Extended::parse(b.as_bytes()).unwrap());
        String::from_utf8(a.plus(b).unwrap().to_text()).unwrap()
    }

    #[test]
    fn doubles_come_back() {
        for value in [0.0, 1.0, -2.5, 1e300, -1e-300, 0.1, f64::INFINITY] {
            assert_eq!(Extended::from(value).to_f64(), value);
        }
        let far = Extended::parse(b"1e400").unwrap();
        assert_eq!(far.to_f64(), f64::INFINITY);
        assert_eq!(Extended::parse(b"-0x10").unwrap().to_f64(), -16.0);
    }

    #[test]
    fn sums_are_those_of_the_peer() {
        // Answers of INCRBYFLOAT on Valkey 9.1.
        for (a, b, wanted) in [
            ("10.5", "0.1", "10.6"),
            ("0.1", "0.2", "0.3"),
            ("5.0e3", "2.0e2", "5200"),
            ("3.0", "1.1", "4.1"),
            ("1", "-1", "0"),
            ("-0.0", "-0.0", "0"),
            ("0x10", "0x1p-1", "16.5"),
            ("3", "-3.0000000000000001", "-0.0000000000000001"),
            ("17179869184", "1.5", "17179869185.5"),
            ("1e17", "0.1", "100000000000000000.1015625"),
            ("12345678901234567890", "1", "12345678901234567891"),
            ("1e30", "0", "1000000000000000000024696061952"),
            ("1e-5", "0", "0.00001"),
            ("1e-18", "0", "0"),
            ("0", "9.999999999999999999", "10"),
            ("0", "1e-4940", "0"),
        ] {
            assert_eq!(sum(a, b), wanted, "{a} + {b}");
        }
    }

    #[test]
    fn texts_that_are_no_numbers() {
        for text in [
            "",
            "+",
            ".",
            "e5",
            "1e",
            "1e+",
            "nan",
            " 1",
            "1 ",
            "0x",
            "0xg",
            "1e5000",
            "1e-5000",
            "1e99999999999",
            "in",
            "1_0",
        ] {
            assert_eq!(Extended::parse(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Extended::parse("1".repeat(MAX_TEXT + 1).as_bytes()), None);
        assert!(Extended::parse(b"0e-99999999999").is_some());
        assert!(!Extended::parse(b"-Infinity").unwrap().is_finite());
        assert_eq!(Extended::parse(b"inf").unwrap().plus(Extended::parse(b"-inf").unwrap()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, failure_persistence: None, ..Default::default() })]

        #[test]
        fn decimals_of_a_user_survive(whole in -10i64..10, fraction in 0u32..1_000_000) {
            let text = format!("{whole}.{fraction:06}");
            let written = Extended::parse(text.as_bytes()).unwrap().to_text();
            let trimmed = text.trim_end_matches('0').trim_end_matches('.');
            let trimmed = if trimmed == "-0" { "0" } else { trimmed };
            prop_assert_eq!(String::from_utf8(written).unwrap(), trimmed);
        }

        #[test]
        fn short_and_long_arithmetic_agree(digits in 1u64..10_000_000_000, power in -26i32..=9, negative: bool) {
            let sign = if negative { "-" } else { "" };
            let short = Extended::parse(format!("{sign}{digits}e{power}").as_bytes()).unwrap();
            // Ten more zeros on either side take the other path.
            let long = Extended::parse(format!("{sign}{digits}0000000000e{}", power - 10).as_bytes()).unwrap();
            prop_assert_eq!(short, long);
        }

        #[test]
        fn whole_numbers_add_exactly(a in -(1i64 << 62)..1 << 62, b in -(1i64 << 62)..1 << 62) {
            prop_assert_eq!(sum(&a.to_string(), &b.to_string()), (a + b).to_string());
        }

        #[test]
        fn doubles_are_held_exactly(bits: u64, other: u64) {
            let (a, b) = (f64::from_bits(bits), f64::from_bits(other));
            prop_assume!(a.is_finite() && b.is_finite());
            // The sum of two doubles of like size fits; a rounding to 64 and then to 53 bits is the double's sum
            // whenever the 64 bits were exact.
            let x = Extended::from(a);
            prop_assert_eq!(x.plus(Extended::from(-a)).unwrap().to_text(), b"0".to_vec());
            let parsed = Extended::parse(format!("{a:e}").as_bytes()).unwrap();
            prop_assert!((parsed.exponent - x.exponent).abs() <= 1);
            prop_assert_eq!(x.plus(Extended::from(b)), Extended::from(b).plus(x));
        }
    }
}
