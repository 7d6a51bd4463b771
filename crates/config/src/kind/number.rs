//! Numbers: integers in a range, octal permissions, amounts of memory.

use super::{Given, Kind, RewriteLine, only};
use crate::reason::{self, Reason};
use resp::integer::parse as canonical;
use std::fmt::Display;
use std::marker::PhantomData;

/// An integer type that a field may have.
pub(crate) trait Number:
    Copy + PartialEq + std::fmt::Debug + Display + TryFrom<i128> + Into<i128> + 'static
{
}
impl<T: Copy + PartialEq + std::fmt::Debug + Display + TryFrom<i128> + Into<i128> + 'static> Number for T {}

pub(crate) struct Int<T> {
    low: i128,
    high: i128,
    of: PhantomData<fn() -> T>,
}

/// An integer from `low` to `high`, both included. The type must hold them.
pub(crate) const fn int<T: Number>(low: i128, high: i128) -> Int<T> {
    Int { low, high, of: PhantomData }
}

fn within<T: Number>(value: i128, low: i128, high: i128) -> Result<T, Reason> {
    if !(low..=high).contains(&value) {
        return Err(Reason::out_of_range(low, high));
    }
    T::try_from(value).map_err(|_| Reason::out_of_range(low, high))
}

impl<T: Number> Kind for Int<T> {
    type Value = T;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, T>) -> Result<T, Reason> {
        let value = canonical(only(words)).ok_or(reason::NOT_INTEGER)?;
        within(value.into(), self.low, self.high)
    }

    fn show(&self, value: &T) -> Vec<u8> {
        value.to_string().into_bytes()
    }
}

pub(crate) struct OptionalInt {
    low: u32,
    high: u32,
    shown_when_absent: u32,
}

/// An integer of which it matters whether it was given; when not, it is shown as `shown_when_absent`.
pub(crate) const fn optional_int(low: u32, high: u32, shown_when_absent: u32) -> OptionalInt {
    OptionalInt { low, high, shown_when_absent }
}

impl Kind for OptionalInt {
    type Value = Option<u32>;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Option<u32>>) -> Result<Option<u32>, Reason> {
        let value = canonical(only(words)).ok_or(reason::NOT_INTEGER)?;
        within(value.into(), self.low.into(), self.high.into()).map(Some)
    }

    fn show(&self, value: &Option<u32>) -> Vec<u8> {
        value.unwrap_or(self.shown_when_absent).to_string().into_bytes()
    }
}

/// How often a timer runs, per second: any number is taken, and brought into 1..=500.
pub(crate) struct Hertz;

pub(crate) const fn hertz() -> Hertz {
    Hertz
}

impl Kind for Hertz {
    type Value = u32;

    fn parse(&self, words: &[Vec<u8>], given: Given<'_, u32>) -> Result<u32, Reason> {
        int::<u32>(0, i128::from(i32::MAX)).parse(words, given).map(|hz| hz.clamp(1, 500))
    }

    fn show(&self, value: &u32) -> Vec<u8> {
        value.to_string().into_bytes()
    }
}

pub(crate) struct Octal {
    high: u32,
}

/// Permission bits, spelled in octal.
pub(crate) const fn octal(high: u32) -> Octal {
    Octal { high }
}

impl Kind for Octal {
    type Value = u32;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, u32>) -> Result<u32, Reason> {
        let text = std::str::from_utf8(only(words)).map_err(|_| reason::NOT_OCTAL)?;
        let value = i64::from_str_radix(text, 8).map_err(|_| reason::NOT_OCTAL)?;
        match u32::try_from(value) {
            Ok(bits) if bits <= self.high => Ok(bits),
            _ => Err(Reason::out_of_octal_range(self.high.into())),
        }
    }

    fn show(&self, value: &u32) -> Vec<u8> {
        format!("{value:o}").into_bytes()
    }
}

/// Bytes from digits and a unit: `b`; `k m g` are powers of 1000, `kb mb gb` of 1024. No digits mean none, as for
/// the peers; more than 64 bits are an error, where the peers wrap around.
fn bytes(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit.to_ascii_lowercase().as_slice() {
        b"" | b"b" => 1,
        b"k" => 1000,
        b"kb" => 1 << 10,
        b"m" => 1_000_000,
        b"mb" => 1 << 20,
        b"g" => 1_000_000_000,
        b"gb" => 1 << 30,
        _ => return None,
    };
    let number: u64 = if digits == 0 { 0 } else { std::str::from_utf8(number).ok()?.parse().ok()? };
    number.checked_mul(factor)
}

/// The shortest exact spelling of `bytes` with a unit.
pub(super) fn with_unit(bytes: u64) -> String {
    [(30, "gb"), (20, "mb"), (10, "kb")]
        .into_iter()
        .find(|(shift, _)| bytes != 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// An amount of memory as directives and some commands spell it, in bytes.
pub fn parse_bytes(text: &[u8]) -> Option<u64> {
    bytes(text)
}

pub(crate) struct Memory {
    low: u64,
    high: u64,
}

/// An amount of memory in bytes.
pub(crate) const fn memory(low: u64, high: u64) -> Memory {
    Memory { low, high }
}

impl Kind for Memory {
    type Value = u64;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, u64>) -> Result<u64, Reason> {
        let value = bytes(only(words)).ok_or(reason::NOT_MEMORY)?;
        within(value.into(), self.low.into(), self.high.into())
    }

    fn show(&self, value: &u64) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    fn lines(&self, name: &str, value: &u64, default: &u64) -> Vec<RewriteLine> {
        vec![RewriteLine::new(name, with_unit(*value).as_bytes(), value != default)]
    }
}

pub(crate) struct SignedMemory {
    low: i64,
}

/// An amount of memory in bytes, or a negative number of special meaning, not below `low`.
pub(crate) const fn signed_memory(low: i64) -> SignedMemory {
    SignedMemory { low }
}

impl Kind for SignedMemory {
    type Value = i64;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, i64>) -> Result<i64, Reason> {
        let word = only(words);
        let value = bytes(word).map(i128::from).or_else(|| canonical(word).map(i128::from));
        within(value.ok_or(reason::NOT_MEMORY)?, self.low.into(), i64::MAX.into())
    }

    fn show(&self, value: &i64) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    fn lines(&self, name: &str, value: &i64, default: &i64) -> Vec<RewriteLine> {
        let text = u64::try_from(*value).map_or_else(|_| value.to_string(), with_unit);
        vec![RewriteLine::new(name, text.as_bytes(), value != default)]
    }
}

/// An amount of memory: in bytes, or in percent of `maxmemory`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    Bytes(u64),
    /// 1 to 100.
    Percent(u8),
}

impl Share {
    /// The limit in bytes, `None` when there is none: nothing given, or a percentage of an unlimited whole.
    pub fn of(self, maxmemory: u64) -> Option<u64> {
        let bytes = match self {
            Share::Bytes(bytes) => bytes,
            Share::Percent(percent) => (u128::from(maxmemory) * u128::from(percent) / 100) as u64,
        };
        (bytes != 0).then_some(bytes)
    }
}

pub(crate) struct ShareKind;

pub(crate) const fn share() -> ShareKind {
    ShareKind
}

impl Kind for ShareKind {
    type Value = Share;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Share>) -> Result<Share, Reason> {
        let word = only(words);
        if let Some(value) = bytes(word) {
            // Beyond 63 bits the peers take the number for a percentage; the text is theirs.
            return if value > i64::MAX as u64 { Err(reason::PERCENT_TOO_LARGE) } else { Ok(Share::Bytes(value)) };
        }
        let percent = word.strip_suffix(b"%").and_then(canonical).filter(|percent| *percent >= 0);
        match percent.map(u8::try_from) {
            None => Err(reason::NOT_MEMORY_OR_PERCENT),
            Some(Ok(0)) => Ok(Share::Bytes(0)),
            Some(Ok(percent @ 1..=100)) => Ok(Share::Percent(percent)),
            Some(_) => Err(reason::PERCENT_TOO_LARGE),
        }
    }

    fn show(&self, value: &Share) -> Vec<u8> {
        match value {
            Share::Bytes(bytes) => bytes.to_string().into_bytes(),
            Share::Percent(percent) => format!("{percent}%").into_bytes(),
        }
    }

    fn lines(&self, name: &str, value: &Share, default: &Share) -> Vec<RewriteLine> {
        let text = match value {
            Share::Bytes(bytes) => with_unit(*bytes).into_bytes(),
            Share::Percent(_) => self.show(value),
        };
        vec![RewriteLine::new(name, &text, value != default)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_units_are_powers_of_1000_and_of_1024() {
        for (text, expect) in [
            ("0", Some(0)),
            ("5", Some(5)),
            ("5b", Some(5)),
            ("1k", Some(1000)),
            ("1Kb", Some(1024)),
            ("3m", Some(3_000_000)),
            ("100mb", Some(104_857_600)),
            ("2G", Some(2_000_000_000)),
            ("1gb", Some(1 << 30)),
            ("18446744073709551615", Some(u64::MAX)),
            ("", Some(0)),
            ("mb", Some(0)),
            ("18446744073709551616", None),
            ("18446744073709551615kb", None),
            ("-1", None),
            ("+1", None),
            ("1 mb", None),
            ("12x", None),
        ] {
            assert_eq!(bytes(text.as_bytes()), expect, "{text}");
        }
    }

    #[test]
    fn a_unit_is_used_only_where_it_is_exact() {
        for bytes in [0, 1, 1000, 1024, 1025, 3 << 20, (3 << 20) + 1024, 5 << 30, u64::MAX] {
            assert_eq!(parse_bytes(with_unit(bytes).as_bytes()), Some(bytes));
        }
        assert_eq!(with_unit(5 << 30), "5gb");
        assert_eq!(with_unit(1000), "1000");
    }

    #[test]
    fn a_share_of_nothing_is_no_limit() {
        assert_eq!(Share::Percent(5).of(0), None);
        assert_eq!(Share::Percent(5).of(1000), Some(50));
        assert_eq!(Share::Percent(100).of(u64::MAX), Some(u64::MAX));
        assert_eq!(Share::Bytes(0).of(10), None);
        assert_eq!(Share::Bytes(7).of(0), Some(7));
    }
}
